//! What is written inside strings and numbers: percentages (2.2.6), times (2.2.11), networks (5.10), expressions (5.5).

use std::net::IpAddr;

use regex_syntax::hir::{Class, Hir, HirKind};

use super::json::Json;

/// What says on or off, be it a word (2.2.4).
pub(crate) fn switch(value: &Json) -> Option<bool> {
    if let Some(number) = value.number() {
        return (number == 0.0 || number == 1.0).then_some(number == 1.0);
    }
    let Json::Text(text) = value else { return value.bool() };
    match text.trim_matches(WHITE_SPACE).to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" | "enabled" | "active" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" | "disabled" | "inactive" => Some(false),
        _ => None,
    }
}

/// A text without white space around it.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(WHITE_SPACE)
}

const WHITE_SPACE: [char; 5] = [' ', '\t', '\n', '\u{c}', '\r'];

/// The status that is named (2.2.5).
pub(crate) fn status(value: &Json) -> Option<&'static str> {
    let word = value.text()?.trim_matches(WHITE_SPACE).to_ascii_lowercase().replace(['-', ' '], "_");
    Some(match word.as_str() {
        "draft" | "new" | "planned" | "pending" | "scheduled" => "draft",
        "active" | "enabled" | "on" | "live" | "published" | "released" => "active",
        "paused" | "inactive" | "disabled" | "off" | "stopped" | "suspended" => "paused",
        "rolled_back" | "archived" | "deleted" | "retired" | "ended" | "expired" | "closed" | "cancelled" => {
            "rolled_back"
        }
        "completed" => "completed",
        _ => return None,
    })
}

/// A share of a number or of a string that holds one: a percentage in thousandths (1.5, 2.2.6, 2.2.7).
pub(crate) fn share(value: &Json) -> Option<u64> {
    let number = match value {
        Json::Number(_) | Json::Whole(_) => value.number()?,
        Json::Text(text) => {
            let ends = [text.chars().next()?, text.chars().last()?];
            if ends.iter().any(|end| end.is_whitespace()) {
                return None;
            }
            Json::parse(text.as_bytes())?.number()?
        }
        _ => return None,
    };
    if !(0.0..=100.0).contains(&number) {
        return None;
    }
    thousandths(number)
}

/// A weight in thousandths (2.2.16).
pub(crate) fn weight(value: &Json) -> Option<u64> {
    thousandths(value.number().filter(|number| (0.0..=9_007_199_254_740.0).contains(number))?)
}

/// What is finer is cut off.
fn thousandths(number: f64) -> Option<u64> {
    // Rust prints the shortest decimal text that reads as the same double, without an exponent.
    let text = format!("{}", number.abs());
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}{}", &format!("{decimals:0<3}")[..3]).parse().ok()
}

/// Where a window begins or ends, infinite ones included (2.2.11).
pub(crate) fn bound(text: &str) -> Option<i64> {
    match text {
        "infinity" => Some(i64::MAX),
        "-infinity" => Some(i64::MIN),
        _ => time(text),
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z of a time that is written out.
pub(crate) fn time(text: &str) -> Option<i64> {
    let characters: Vec<char> = text.chars().collect();
    let shape = |from: usize, shape: &str| {
        let part = characters.get(from..from + shape.len())?;
        let fits = |(is, wanted): (&char, char)| if wanted == '0' { is.is_ascii_digit() } else { *is == wanted };
        part.iter().zip(shape.chars()).all(fits).then(|| part.iter().collect::<String>())
    };
    let number = |from: usize, to: usize| characters[from..to].iter().collect::<String>().parse::<i64>().ok();
    shape(0, "0000-00-00")?;
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    let mut days = day - 1;
    days += (1..month).map(|earlier| days_of_month(year, earlier)).sum::<i64>();
    days += days_before_year(year) - days_before_year(1970);
    if characters.len() == 10 {
        return Some(days * 86_400_000);
    }
    if !matches!(characters[10], 'T' | 't' | ' ') {
        return None;
    }
    shape(11, "00:00")?;
    let seconds = shape(16, ":00").is_some();
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, if seconds { number(17, 19)? } else { 0 });
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut millisecond = 0;
    let mut at = if seconds { 19 } else { 16 };
    if seconds && characters.get(at) == Some(&'.') {
        let digits: String = characters[at + 1..].iter().take_while(|digit| digit.is_ascii_digit()).collect();
        if digits.is_empty() || digits.len() > 18 {
            return None;
        }
        at += 1 + digits.len();
        millisecond = format!("{digits:0<3}")[..3].parse().ok()?;
    }
    let offset = match characters.get(at) {
        None => 0,
        Some('Z' | 'z') if characters.len() == at + 1 => 0,
        Some(sign @ ('+' | '-')) => {
            let form = match characters.len() - at - 1 {
                2 => "00",
                5 => "00:00",
                8 => "00:00:00",
                _ => return None,
            };
            shape(at + 1, form)?;
            let part = |index: usize| {
                let from = at + 1 + 3 * index;
                if from < characters.len() { number(from, from + 2) } else { Some(0) }
            };
            let (hours, minutes, seconds) = (part(0)?, part(1)?, part(2)?);
            if hours > 23 || minutes > 59 || seconds > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60 + seconds;
            if *sign == '+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second.min(59) - offset;
    Some(seconds * 1000 + millisecond)
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the first day of year 1 to the first day of this year.
fn days_before_year(year: i64) -> i64 {
    let past = year - 1;
    past * 365 + past / 4 - past / 100 + past / 400
}

/// Milliseconds of a time that an attribute holds (5.8).
pub(crate) fn instant(value: &Json) -> Option<i64> {
    match value {
        Json::Text(text) => time(text),
        Json::Number(number) => {
            let whole = number.floor();
            let first = time("0001-01-01")? as f64;
            let last = time("9999-12-31T23:59:59.999Z")? as f64;
            (first..=last).contains(&whole).then_some(whole as i64)
        }
        _ => None,
    }
}

/// A network, or a single address (5.10).
pub(crate) fn network(text: &str) -> Option<ipnet::IpNet> {
    match text.split_once('/') {
        None => text.parse::<IpAddr>().ok().map(ipnet::IpNet::from),
        Some((address, prefix)) => {
            let zeros = prefix.len() > 1 && prefix.starts_with('0');
            if prefix.is_empty() || zeros || !prefix.bytes().all(|digit| digit.is_ascii_digit()) {
                return None;
            }
            ipnet::IpNet::new(address.parse().ok()?, prefix.parse().ok()?).ok()
        }
    }
}

/// Whether any network holds the address, or the IPv4 address that an IPv4-mapped one stands for (5.10, 5.11).
pub(crate) fn held(address: IpAddr, networks: &[ipnet::IpNet]) -> bool {
    let mut forms = vec![address];
    if let IpAddr::V6(address) = address {
        forms.extend(address.to_ipv4_mapped().map(IpAddr::V4));
    }
    networks.iter().any(|network| forms.iter().any(|form| network.contains(form)))
}

/// A version as what orders it: its four numbers, whether it is a release, and its pre-release (5.9).
pub(crate) fn version(text: &str) -> Option<([u64; 4], bool, semver::Prerelease)> {
    let text = text.strip_prefix('v').or(text.strip_prefix('V')).unwrap_or(text);
    let (text, build) = text.split_once('+').unwrap_or((text, "0"));
    let (text, pre) = text.split_once('-').map_or((text, None), |(text, pre)| (text, Some(pre)));
    if build.is_empty() || semver::BuildMetadata::new(build).is_err() || pre == Some("") {
        return None;
    }
    let mut numbers = Vec::new();
    for number in text.split('.') {
        if number.is_empty() || !number.chars().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let digits = number.trim_start_matches('0');
        numbers.push(if digits.is_empty() { 0 } else { digits.parse().ok()? });
    }
    if numbers.len() > 4 {
        return None;
    }
    numbers.resize(4, 0);
    let release = pre.is_none();
    Some((numbers.try_into().ok()?, release, semver::Prerelease::new(pre.unwrap_or_default()).ok()?))
}

/// Whether an expression is one that a condition may have (5.4, 5.5).
pub(crate) fn is_expression(text: &str) -> bool {
    text.len() <= 1000 && regex_syntax::parse(text).is_ok_and(|parsed| parts(&parsed) <= 10_000)
}

/// The parts of an expression that a condition may have.
pub(crate) fn expression_parts(text: &str) -> u64 {
    regex_syntax::parse(text).map_or(0, |parsed| parts(&parsed))
}

/// The parts of an expression with its counted repetitions written out.
fn parts(parsed: &Hir) -> u64 {
    match parsed.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(Class::Unicode(class)) => class.ranges().len() as u64,
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() as u64,
        HirKind::Repetition(repeated) => {
            let times = repeated.max.unwrap_or(repeated.min.max(1)).max(1);
            parts(&repeated.sub).saturating_mul(times.into())
        }
        HirKind::Capture(group) => parts(&group.sub),
        HirKind::Concat(inner) | HirKind::Alternation(inner) => inner.iter().map(parts).fold(0, u64::saturating_add),
    }
}

/// Whether an expression is found anywhere in a text (5.4).
pub(crate) fn found(expression: &str, text: &str) -> bool {
    regex_automata::meta::Regex::new(expression).is_ok_and(|regex| regex.is_match(text))
}
