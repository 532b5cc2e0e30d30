//! Notes on the fields of a row: columns that restrict, and counts (2.2.27, 8.16, 9.7, 9.8).

use super::{FLAG_FIELDS, Fields, given};
use crate::bucket::Share;
use crate::code;
use crate::definition::{FlagDefinition, Status, TARGETS};
use crate::error::string;
use crate::place::is_camel_case;
use crate::reading::{Place, Reading, percent};
use crate::understood::{Counts, Native};
use crate::value::Value;

/// Reports a column that looks like a restriction and restricts (2.2.27).
#[cold]
pub(super) fn restricts(reading: &mut Reading, place: &Place<'_>, name: &str) {
    let known = if name.starts_with("target_") {
        "target_plans, target_roles, target_companies, target_regions or target_users"
    } else {
        "a field that is known"
    };
    reading.report(
        &place.field(name),
        code::RESTRICTION,
        format_args!(
            "looks like a restriction and is not read, so the flag is off, expected {known}, or `\"ignored\": [{}]` in \
             the document",
            string(name)
        ),
    );
}

/// Counts the fields of a row.
pub(super) fn count<'v>(
    natives: &mut [Native<'v>; FLAG_FIELDS.len()],
    counts: &mut Counts,
    row: &Value<'v>,
    fields: &Fields<'_, 'v>,
) {
    for ((native, value), known) in natives.iter_mut().zip(fields).zip(FLAG_FIELDS) {
        let Some(value) = value else { continue };
        if native.count.rows == 0
            && let Value::Object(fields) = row
        {
            let written = fields.iter().find(|(name, _)| *name == known || is_camel_case(known, name));
            native.written = written.map(|(name, _)| name.clone()).unwrap_or_default();
        }
        native.count.add(value);
    }
    let [key, name, ..] = fields;
    counts.labels += u32::from(given(*key).is_some() && given(*name).is_some() && key != name);
}

/// Removes unreadable fields from the narrowing (8.15).
#[cold]
pub(super) fn forget(definition: &mut FlagDefinition<'_>, unreadable: &[&str]) {
    for (list, (_, name)) in definition.targets.iter_mut().zip(TARGETS) {
        if unreadable.contains(&name) {
            list.clear();
        }
    }
    for name in unreadable {
        match *name {
            "status" => definition.status = Status::Active,
            "rollout_percentage" => definition.rollout = Share::EVERYONE,
            "start_date" => definition.start = None,
            "end_date" => definition.end = None,
            _ => {}
        }
    }
}

/// Counts what deserves a notice in a row that was read (9.8).
pub(super) fn count_read(counts: &mut Counts, definition: &FlagDefinition<'_>, fields: &Fields<'_, '_>) {
    let [_, _, _, _, rollout, _, _, _, _, _, _, end, ..] = fields;
    if given(*rollout).is_some() {
        counts.shares_above_0 += u32::from(definition.rollout > Share::NOBODY);
        counts.shares_above_1 += u32::from(definition.rollout.thousandths() > 1_000);
    }
    let end = given(*end).and_then(Value::as_str).filter(|_| definition.end.is_some());
    counts.ends_at_midnight += u32::from(end.is_some_and(|end| end.trim_ascii().len() == "2025-01-22".len()));
}

/// Whether a share is a number above 100.
pub(super) fn is_above_100(value: &Value<'_>) -> bool {
    percent(value).is_some_and(|number| number > 100.0)
}

/// The fields that may restrict a flag and occur twice in a row.
#[cold]
pub(super) fn repeated(row: &Value<'_>) -> Vec<&'static str> {
    let Value::Object(fields) = row else { return Vec::new() };
    let times = |known: &str| fields.iter().filter(|(name, _)| name == known || is_camel_case(known, name)).count();
    RESTRICTING.into_iter().filter(|known| times(known) > 1).collect()
}

/// The fields of 2.2 that withhold a flag if they cannot be read (8.16).
const RESTRICTING: [&str; 11] = [
    "enabled",
    "status",
    "rollout_percentage",
    "target_plans",
    "target_regions",
    "target_roles",
    "target_companies",
    "target_users",
    "start_date",
    "end_date",
    "guard_state",
];
