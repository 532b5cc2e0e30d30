//! Single values of rows, read as shares, lists and times (M12 to M15).

use std::borrow::Cow;

use esclusa::{Time, Value};

use crate::entries::{ListOptions, ShareOptions, TimeOptions};
use crate::found::{id, is_empty, json_of, number, postgres_array, switch};

/// Thousandths of a percent for everyone.
pub(crate) const EVERYBODY: i64 = 100_000;

/// The result of reading a share.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Share {
    Thousandths(i64),
    /// A number above that for everyone.
    TooLarge,
    Unreadable,
}

/// A number or a text that holds one as a share (M12). A final `%` means percent and overrides `of`.
pub(crate) fn share(value: &Value<'_>, options: &ShareOptions) -> Share {
    let percent = value.as_str().and_then(|text| text.trim_ascii().strip_suffix('%'));
    let (read, shift) = match percent {
        Some(percent) => (number(&Value::from(percent)), 0),
        None => (number(value), options.shift),
    };
    match read {
        Some(read) if read >= 0.0 => match thousandths(read, shift) {
            Some(share @ 0..=EVERYBODY) if !exceeds(read, shift) => Share::Thousandths(share),
            _ => Share::TooLarge,
        },
        _ => Share::Unreadable,
    }
}

/// Whether a number is above that for everyone, by any amount.
fn exceeds(number: f64, shift: i32) -> bool {
    number
        > match shift {
            2 => 1.0,
            0 => 100.0,
            -1 => 1_000.0,
            _ => 10_000.0,
        }
}

/// Thousandths of a number whose decimal point is moved, cut off. The digits are those of the double's shortest text,
/// so there is no binary multiplication.
pub(crate) fn thousandths(number: f64, shift: i32) -> Option<i64> {
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    // The first digit has the value 10^exponent.
    let whole = exponent + shift + 3 + 1;
    let whole = usize::try_from(whole).unwrap_or(0);
    if digits == "0" || whole == 0 {
        return Some(0);
    }
    if whole > 18 {
        return None;
    }
    let kept: String = digits.chars().chain(std::iter::repeat('0')).take(whole).collect();
    kept.parse().ok()
}

/// Thousandths of a percent as a percentage.
pub(crate) fn percentage(thousandths: i64) -> Value<'static> {
    if thousandths % 1000 == 0 {
        return Value::Integer(thousandths / 1000);
    }
    let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    text.parse().ok().and_then(Value::number).unwrap_or_default()
}

/// A list of texts (M13); `None` if it cannot be read.
pub(crate) fn list(value: &Value<'_>, options: &ListOptions) -> Option<Vec<String>> {
    match value {
        Value::List(entries) => texts(entries),
        Value::Object(fields) if options.keys => keys(fields),
        Value::Text(text) => {
            let trimmed = text.trim_ascii();
            if !trimmed.starts_with(['[', '{']) {
                return Some(split(trimmed, options));
            }
            match json_of(value) {
                Some(Value::List(entries)) => texts(&entries),
                Some(Value::Object(fields)) if options.keys => keys(&fields),
                Some(_) => None,
                None => Some(filled(postgres_array(trimmed)?.into_iter())),
            }
        }
        other => id(other).map(|id| vec![id]),
    }
}

/// Whether a list has only ids in the right form, so that it can be taken unchanged.
pub(crate) fn is_plain_list(value: &Value<'_>) -> bool {
    let is_plain = |entry: &Value<'_>| match entry {
        Value::Text(text) => !text.is_empty() && !has_space(entry),
        _ => false,
    };
    value.as_list().is_some_and(|entries| !entries.is_empty() && entries.iter().all(is_plain))
}

/// Whether a text has white space around it.
pub(crate) fn has_space(value: &Value<'_>) -> bool {
    let bytes = value.as_str().unwrap_or_default().as_bytes();
    [bytes.first(), bytes.last()].into_iter().flatten().any(u8::is_ascii_whitespace)
}

fn texts(entries: &[Value<'_>]) -> Option<Vec<String>> {
    Some(filled(entries.iter().map(id).collect::<Option<Vec<String>>>()?.into_iter()))
}

fn split(text: &str, options: &ListOptions) -> Vec<String> {
    match &options.split {
        Some(separator) => filled(text.split(separator.as_str()).map(str::to_owned)),
        None => filled(std::iter::once(text.to_owned())),
    }
}

fn filled(entries: impl Iterator<Item = String>) -> Vec<String> {
    entries.map(|entry| entry.trim_ascii().to_owned()).filter(|entry| !entry.is_empty()).collect()
}

/// The names of the fields that are on.
fn keys(fields: &[(Cow<'_, str>, Value<'_>)]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for (name, value) in fields {
        if !is_empty(value) && switch(value)? {
            names.push(name.trim_ascii().to_owned());
        }
    }
    Some(filled(names.into_iter()))
}

const DAY: i64 = 86_400_000;

/// A time in the form of the field (M15); `None` if it is in that form already.
pub(crate) fn time(value: &Value<'_>, options: &TimeOptions) -> Option<Value<'static>> {
    if options.zone.is_none() && options.unit.is_none() && !options.whole_day && !has_space(value) {
        return None;
    }
    let written = match (value, options.unit) {
        (Value::Text(text), None) => text.trim_ascii().to_owned(),
        (value, Some(unit)) => match number(value) {
            Some(number) => of_number(number, unit)?.to_string(),
            None => value.as_str()?.trim_ascii().to_owned(),
        },
        _ => return None,
    };
    let zoned = with_zone(&written, options.zone.as_deref());
    let time = if options.whole_day { next_midnight(&zoned, options.zone.as_deref()) } else { None };
    Some(time.map_or(zoned, |time| time.to_string()).into())
}

/// Whether a condition on the time can hold this time (4.16).
pub(crate) fn is_time(value: &Value<'_>) -> bool {
    value.as_str().is_some_and(|text| matches!(text, "infinity" | "-infinity") || Time::parse(text).is_some())
}

fn of_number(number: f64, unit: i64) -> Option<Time> {
    #[expect(clippy::cast_precision_loss, reason = "1 or 1000")]
    let millis = (number * unit as f64).floor();
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    let time = Time::from_millis(millis as i64);
    let in_range = (-62_135_596_800_000.0..=253_402_300_799_999.0).contains(&millis);
    in_range.then_some(time)
}

/// A time without an offset gets that of the zone.
fn with_zone(text: &str, zone: Option<&str>) -> String {
    let Some(zone) = zone else { return text.to_owned() };
    if Time::parse(text).is_none() {
        return text.to_owned();
    }
    if text.len() == "2025-01-22".len() {
        return format!("{text}T00:00:00{zone}");
    }
    // Without an offset, hours and minutes suffice; a text after them gives a longer time that can be read.
    let zoned = format!("{text}{zone}");
    if Time::parse(&zoned).is_some() { zoned } else { text.to_owned() }
}

/// The end of the day that begins at a time, if that is midnight in the zone.
fn next_midnight(text: &str, zone: Option<&str>) -> Option<Time> {
    let time = Time::parse(text)?;
    let midnight = Time::parse(&format!("1970-01-01T00:00:00{}", zone.unwrap_or("Z")))?;
    let is_midnight = (time.as_millis() - midnight.as_millis()).rem_euclid(DAY) == 0;
    is_midnight.then(|| Time::from_millis(time.as_millis() + DAY))
}
