//! What the formats for people say alike.

use esclusa_impact::grouped;
use serde_json::Value as Json;

use crate::diff::difference::{Count, Difference, Failure, FieldDifference, FlagDifference, PeopleCounted, percent};

/// The most values of an attribute that are shown.
const SHOWN: usize = 5;

/// The option that a failure comes from.
pub(super) fn gate(failure: &Failure) -> String {
    match failure.gate {
        "reshuffles" => "deny reshuffles".to_owned(),
        gate => gate.to_owned(),
    }
}

/// As in `186 on, 0 off`.
pub(super) fn flips(count: Count) -> String {
    let mut parts = vec![format!("{} on", grouped(count.on)), format!("{} off", grouped(count.off))];
    if count.variant > 0 {
        parts.push(format!("{} another variant", grouped(count.variant)));
    }
    if count.value > 0 {
        parts.push(format!("{} another value", grouped(count.value)));
    }
    parts.join(", ")
}

/// As in `+121 -3 ~7`.
fn short(count: Count) -> String {
    let parts = [("+", count.on), ("-", count.off), ("~", count.variant + count.value)];
    let parts = parts.into_iter().filter(|(_, people)| *people > 0);
    parts.map(|(sign, people)| format!("{sign}{}", grouped(people))).collect::<Vec<_>>().join(" ")
}

/// Those who flip by the attributes: the name, and the values with the most.
pub(super) fn groups(flag: &FlagDifference) -> Vec<(&str, String)> {
    let groups = flag.people.iter().flat_map(|people| &people.groups);
    // A group in which all are without the attribute says nothing.
    let said = groups.filter(|group| group.values.iter().any(|one| one.value.as_deref() != Some("(none)")));
    said.map(|group| {
        let value = |one: &crate::diff::difference::ValueCount| {
            format!("{} {}", one.value.as_deref().unwrap_or("(others)"), short(one.flips))
        };
        let mut shown: Vec<String> = group.values.iter().take(SHOWN).map(value).collect();
        if group.values.len() > SHOWN {
            shown.push(format!("and {} more", grouped((group.values.len() - SHOWN) as u64)));
        }
        (group.attribute.as_str(), shown.join(", "))
    })
    .collect()
}

/// As in `12,400 people: 186 on, 0 off (1.50 %)`, with the interval of a sample.
pub(super) fn people(flag: &FlagDifference, all: &PeopleCounted) -> Option<String> {
    let people = flag.people.as_ref()?;
    let share = shares(people.flips.total(), all.counted, people.interval);
    Some(format!("{}: {} ({share})", asked(all), flips(people.flips)))
}

/// As in `12,400 people` or `1,000 of 12,400 people`.
fn asked(all: &PeopleCounted) -> String {
    match all.interval {
        Some(_) if all.counted < all.all => format!("{} of {} people", grouped(all.counted), grouped(all.all)),
        _ if all.counted == 1 => "1 person".to_owned(),
        _ => format!("{} people", grouped(all.counted)),
    }
}

fn shares(part: u64, all: u64, interval: Option<(f64, f64)>) -> String {
    let share = percent(part, all);
    interval.map_or_else(
        || share.clone(),
        |(least, most)| format!("{share}, with 95 %: {:.2} to {:.2} %", least * 100.0, most * 100.0),
    )
}

/// As in `2 of 40 flags differ, and 186 of 12,400 people flip (1.50 %)`.
pub(super) fn summary(difference: &Difference) -> String {
    let count = difference.flags.len();
    let differ = if count == 1 { "differs" } else { "differ" };
    let mut sentence = match count {
        0 => "no flag differs".to_owned(),
        _ => format!("{} {} {differ}", grouped(count as u64), if count == 1 { "flag" } else { "flags" }),
    };
    if let Some(people) = &difference.people {
        let share = shares(people.flipped, people.counted, people.interval);
        sentence = format!("{sentence}; of {} {} flip ({share})", asked(people), grouped(people.flipped));
    }
    sentence
}

/// What differs in a field, cut off at `width` characters: `10 → 25`, `+BASIC`, `0.when.value 10 → 20`.
pub(super) fn field(field: &FieldDifference, width: usize) -> String {
    let mut parts = Vec::new();
    leaves("", &field.old, &field.new, width, &mut parts);
    cut(&parts.join(", "), width)
}

/// The innermost values that differ, each with its path.
fn leaves(path: &str, old: &Json, new: &Json, width: usize, parts: &mut Vec<String>) {
    let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if old == new {
        return;
    }
    let place = if path.is_empty() { String::new() } else { format!("{path} ") };
    if let (Some(before), Some(after)) = (scalars(old), scalars(new)) {
        let added = after.iter().filter(|value| !before.contains(value)).map(|value| format!("+{}", plain(value)));
        let removed = before.iter().filter(|value| !after.contains(value)).map(|value| format!("-{}", plain(value)));
        let changes: Vec<String> = added.chain(removed).collect();
        if !changes.is_empty() {
            parts.push(format!("{place}{}", changes.join(" ")));
            return;
        }
    }
    match (old, new) {
        (Json::Object(before), Json::Object(after)) => {
            let absent = before.keys().filter(|name| !after.contains_key(*name));
            for name in after.keys().chain(absent) {
                let side = |side: &serde_json::Map<String, Json>| side.get(name).cloned().unwrap_or_default();
                leaves(&inner(name), &side(before), &side(after), width, parts);
            }
        }
        (Json::Array(before), Json::Array(after)) if before.len() == after.len() => {
            for (at, (before, after)) in before.iter().zip(after).enumerate() {
                leaves(&inner(&at.to_string()), before, after, width, parts);
            }
        }
        _ => {
            let half = width.saturating_sub(3 + place.chars().count()) / 2;
            parts.push(format!("{place}{} → {}", cut(&shown(old), half), cut(&shown(new), half)));
        }
    }
}

/// The elements of a list of texts and numbers.
fn scalars(value: &Json) -> Option<Vec<&Json>> {
    let elements = value.as_array()?;
    elements.iter().all(|one| !one.is_object() && !one.is_array()).then(|| elements.iter().collect())
}

fn shown(value: &Json) -> String {
    if value.is_null() { "(nothing)".to_owned() } else { value.to_string() }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// A text, cut off at `width` characters, or at 12 if that is less.
pub(super) fn cut(text: &str, width: usize) -> String {
    let width = width.max(12);
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let start: String = text.chars().take(width - 1).collect();
    format!("{start}…")
}

/// The headline of an explanation, without the key of the flag.
pub(super) fn headline(explanation: &str) -> &str {
    let line = explanation.lines().next().unwrap_or_default();
    line.split_once(" is ").map_or(line, |(_, rest)| rest)
}

/// Who somebody is, in a few words.
pub(super) fn who(person: &Json) -> String {
    let text = |name: &str| person.get(name).filter(|value| !value.is_null()).map(plain);
    let user = text("targetingKey").or_else(|| text("user")).unwrap_or_else(|| "somebody".to_owned());
    text("company").map_or_else(|| user.clone(), |company| format!("{user} ({company})"))
}
