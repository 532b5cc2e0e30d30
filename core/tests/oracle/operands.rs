//! Which rules of sections 4 and 5 a condition breaks, each at its place, and what it names.

use super::checking::{Found, child, closed, is_bound, is_filled, is_time, optional, repeated, required, strings};
use super::json::Json;
use super::written;

const KINDS: [&str; 7] = ["all", "any", "not", "segment", "percentage", "now", "attribute"];
const OPERANDS: [&str; 4] = ["op", "value", "values", "ignore_case"];

/// The fields that an operator takes beside `attribute` and `op`, or `None` for one that there is not.
fn operands(operator: &str) -> Option<&'static [&'static str]> {
    match operator {
        "in" | "contains" | "starts_with" | "ends_with" => Some(&["values", "ignore_case"]),
        "in_cidr" => Some(&["values"]),
        "present" => Some(&[]),
        "matches" | "is" | "eq" | "lt" | "le" | "gt" | "ge" | "before" | "after" => Some(&["value"]),
        "semver_eq" | "semver_lt" | "semver_le" | "semver_gt" | "semver_ge" => Some(&["value"]),
        _ => None,
    }
}

pub(crate) fn condition(condition: &Json, place: &str, found: &mut Found) {
    if !matches!(condition, Json::Object(_)) {
        return found.push(place.to_owned());
    }
    let every: Vec<&str> = KINDS.iter().chain(&OPERANDS).copied().collect();
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| condition.field(kind).is_some()).collect();
    let &[kind] = kinds.as_slice() else {
        closed(condition, &every, place, found);
        return found.push(place.to_owned());
    };
    if kind == "attribute" {
        return comparison(condition, place, found);
    }
    repeated(condition, &every, place, found);
    let known = |name: &str| KINDS.contains(&name) || name == "description";
    for (at, (name, value)) in condition.fields().iter().enumerate() {
        let first = condition.fields()[..at].iter().all(|(earlier, _)| earlier != name);
        let absent = OPERANDS.contains(&name.as_str()) && *value == Json::Null;
        if first && !known(name) && !absent && !found.contains(&child(place, name)) {
            found.push(child(place, name));
        }
    }
    let (value, place) = (condition.field(kind).unwrap_or(&Json::Null), child(place, kind));
    match kind {
        "all" | "any" => match value {
            Json::List(parts) => {
                if parts.len() > 1_000_000 {
                    found.push(place.clone());
                }
                for (at, part) in parts.iter().enumerate() {
                    self::condition(part, &format!("{place}/{at}"), found);
                }
            }
            _ => found.push(place),
        },
        "not" => self::condition(value, &place, found),
        "segment" => {
            if value.text().is_none() {
                found.push(place);
            }
        }
        "now" => window(value, &place, found),
        _ => percentage(value, &place, found),
    }
}

fn window(value: &Json, place: &str, found: &mut Found) {
    if !matches!(value, Json::Object(_)) {
        return found.push(place.to_owned());
    }
    closed(value, &["from", "to"], place, found);
    optional(value, "from", place, found, is_bound);
    optional(value, "to", place, found, is_bound);
}

fn percentage(value: &Json, place: &str, found: &mut Found) {
    if !matches!(value, Json::Object(_)) {
        return found.push(place.to_owned());
    }
    closed(value, &["of", "salt", "from", "to"], place, found);
    required(value, "of", place, found, is_filled);
    required(value, "salt", place, found, |value| value.text().is_some());
    required(value, "from", place, found, |value| written::share(value).is_some());
    required(value, "to", place, found, |value| written::share(value).is_some());
    let share = |name: &str| value.field(name).and_then(written::share);
    if let (Some(from), Some(to)) = (share("from"), share("to"))
        && from > to
    {
        found.push(child(place, "to"));
    }
}

fn comparison(condition: &Json, place: &str, found: &mut Found) {
    required(condition, "attribute", place, found, is_filled);
    let every: Vec<&str> = KINDS.iter().chain(&OPERANDS).copied().collect();
    closed(condition, &every, place, found);
    let operator = condition.string("op").unwrap_or_default();
    let Some(operands) = operands(operator) else {
        return found.push(child(place, "op"));
    };
    for name in OPERANDS.into_iter().skip(1) {
        let place = child(place, name);
        if !operands.contains(&name) && condition.field(name).is_some() && !found.contains(&place) {
            found.push(place);
        }
    }
    let value = condition.field("value");
    let wrong = |fits: bool| (!fits).then(|| child(place, "value"));
    let text = value.and_then(Json::text);
    match operator {
        "in" | "contains" | "starts_with" | "ends_with" => {
            required(condition, "values", place, found, |_| true);
            strings(condition, "values", place, found);
            if condition.field("ignore_case").is_some_and(|value| value.bool().is_none()) {
                found.push(child(place, "ignore_case"));
            }
        }
        "in_cidr" => {
            required(condition, "values", place, found, |_| true);
            strings(condition, "values", place, found);
            for (at, value) in condition.elements("values").iter().enumerate() {
                if value.text().is_some_and(|text| written::network(text).is_none()) {
                    found.push(format!("{}/{at}", child(place, "values")));
                }
            }
        }
        "present" => {}
        "matches" => found.extend(wrong(text.is_some_and(written::is_expression))),
        "is" => found.extend(wrong(value.is_some_and(|value| value.bool().is_some()))),
        "before" | "after" => found.extend(wrong(value.is_some_and(is_time))),
        "eq" | "lt" | "le" | "gt" | "ge" => found.extend(wrong(value.is_some_and(|value| value.number().is_some()))),
        _ => found.extend(wrong(text.is_some_and(|text| written::version(text).is_some()))),
    }
}

/// The conditions directly inside a condition, each with its place.
fn inner<'c>(condition: &'c Json, place: &str) -> Vec<(&'c Json, String)> {
    let mut inner = Vec::new();
    for kind in ["all", "any"] {
        let parts = condition.elements(kind).iter().enumerate();
        inner.extend(parts.map(|(at, part)| (part, format!("{}/{at}", child(place, kind)))));
    }
    inner.extend(condition.field("not").map(|part| (part, child(place, "not"))));
    inner
}

/// The segments that a condition names, each with its place.
pub(crate) fn segments(condition: &Json, place: &str) -> Vec<(String, String)> {
    let mut named: Vec<_> =
        condition.string("segment").map(|key| (key.to_owned(), child(place, "segment"))).into_iter().collect();
    for (part, place) in inner(condition, place) {
        named.extend(segments(part, &place));
    }
    named
}

/// The regular expressions in a condition, segments not written out.
pub(crate) fn expressions(condition: &Json) -> Vec<&str> {
    let own = (condition.string("op") == Some("matches")).then(|| condition.string("value")).flatten();
    let inner = inner(condition, "").into_iter().flat_map(|(part, _)| expressions(part));
    own.into_iter().chain(inner).collect()
}

/// The parts of a condition with its segments written out in place, if it keeps to 2.3.4.
pub(crate) fn parts<'s>(condition: &'s Json, segment: &dyn Fn(&str) -> Option<&'s Json>) -> Option<u64> {
    let mut parts = 0;
    count(condition, segment, 1, &mut parts).then_some(parts)
}

/// Whether a condition keeps to 2.3.4 with its segments written out in place.
pub(crate) fn fits<'s>(condition: &'s Json, segment: &dyn Fn(&str) -> Option<&'s Json>) -> bool {
    count(condition, segment, 1, &mut 0)
}

fn count<'s>(condition: &'s Json, segment: &dyn Fn(&str) -> Option<&'s Json>, depth: usize, parts: &mut u64) -> bool {
    *parts += 1;
    if depth > 100 || *parts > 100_000 {
        return false;
    }
    let written_out = condition.string("segment").and_then(segment);
    inner(condition, "")
        .into_iter()
        .map(|(part, _)| part)
        .chain(written_out)
        .all(|part| count(part, segment, depth + 1, parts))
}
