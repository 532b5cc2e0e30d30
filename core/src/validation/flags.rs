//! Definitions of flags, read field by field (2.2 of SEMANTICS.md).

use std::borrow::Cow;

use super::rows::is_above_100;
use super::{Fields, built, filled, given, rules};
use crate::bucket::Share;
use crate::code;
use crate::definition::{
    FlagDefinition, OverridesDefinition, PrerequisiteDefinition, Status, Targets, USER, WantedDefinition,
};
use crate::error::found;
use crate::limit::MAX_LIST_ENTRIES;
use crate::reading::{Place, Reading, Unknown};
use crate::switching;
use crate::time::Time;
use crate::value::Value;

/// The definition of a flag. Fields that may restrict it and cannot be read are added to `unreadable`; a field that
/// cannot be read counts as absent.
pub(super) fn flag<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    key: &str,
    fields: Fields<'_, 'v>,
    unreadable: &mut Vec<&'static str>,
) -> FlagDefinition<'v> {
    let [
        _,
        _,
        enabled,
        status,
        rollout,
        plans,
        regions,
        roles,
        companies,
        users,
        start,
        end,
        bucket_by,
        salt,
        overrides,
        variants,
        off_value,
        rules,
        prerequisites,
        schedule,
        client,
        ..,
    ] = fields;
    let at = |name: &'static str| place.field(name);
    // Built at the end: assigning fields one by one would first drop what each holds.
    let mut is_read = |name: &'static str, is_read: bool| {
        if !is_read && !unreadable.contains(&name) {
            unreadable.push(name);
        }
    };
    let enabled = given(enabled).map(|value| reading.switch(&at("enabled"), value));
    is_read("enabled", enabled != Some(None));
    let status = given(status).map(|value| self::status(reading, &at("status"), value));
    is_read("status", status != Some(None));
    let share = given(rollout).map(|value| reading.percentage(&at("rollout_percentage"), value));
    // A share above 100 does not restrict.
    is_read("rollout_percentage", share != Some(None) || rollout.is_some_and(is_above_100));
    let mut targets: Targets<'v> = Default::default();
    let lists = [plans, regions, roles, companies, users];
    for ((list, value), (_, name)) in targets.iter_mut().zip(lists).zip(crate::definition::TARGETS) {
        let before = reading.count();
        *list = filled(value).and_then(|value| reading.ids(&at(name), value)).unwrap_or_default();
        is_read(name, reading.count() == before);
    }
    let start = given(start).map(|value| reading.bound(&at("start_date"), value));
    is_read("start_date", start != Some(None));
    let start = start.flatten().filter(|start| *start != Time::BEFORE_ALL);
    let end = given(end).map(|value| reading.bound(&at("end_date"), value));
    is_read("end_date", end != Some(None));
    let end = end.flatten().filter(|end| *end != Time::AFTER_ALL);
    let bucket_by = match given(bucket_by) {
        Some(value) => reading.name(&at("bucket_by"), value).unwrap_or_default(),
        None => Cow::Borrowed(USER),
    };
    let salt = given(salt).and_then(|value| reading.text(&at("salt"), value));
    let salt = salt.filter(|salt| salt != key);
    let overrides = filled(overrides).and_then(|value| self::overrides(reading, &at("overrides"), value));
    let variants = match filled(variants) {
        Some(value) => rules::variants(reading, &at("variants"), value),
        None => Some(Vec::new()),
    };
    let rules = built(reading, &at("rules"), rules);
    let rules = rules.and_then(|value| rules::rules(reading, &at("rules"), value, variants.as_deref()));
    let variants = variants.unwrap_or_default();
    // Without an `off_value` a boolean flag serves false and one with variants null (2.2.17).
    let off_value = match given(off_value) {
        Some(value) => value.last_of_each(),
        None => {
            if variants.is_empty() {
                Value::Bool(false)
            } else {
                Value::Null
            }
        }
    };
    let prerequisites = built(reading, &at("prerequisites"), prerequisites);
    let prerequisites =
        prerequisites.and_then(|value| self::prerequisites(reading, &at("prerequisites"), value)).unwrap_or_default();
    let schedule = filled(schedule).and_then(|value| self::schedule(reading, &at("schedule"), value));
    let client = given(client).and_then(|value| reading.boolean(&at("client"), value));
    FlagDefinition {
        enabled: enabled.flatten().unwrap_or_default(),
        status: status.flatten().unwrap_or_default(),
        rollout: share.flatten().unwrap_or(Share::EVERYONE),
        targets,
        start,
        end,
        bucket_by,
        salt,
        overrides: overrides.unwrap_or_default(),
        variants,
        off_value: Some(off_value).filter(|value| !matches!(value, Value::Bool(false))).map(Cow::Owned),
        rules: rules.unwrap_or_default(),
        prerequisites,
        schedule: schedule.unwrap_or_default(),
        client: client.unwrap_or_default(),
        guard: Default::default(),
    }
}

fn status(reading: &mut Reading, place: &Place<'_>, value: &Value<'_>) -> Option<Status> {
    let status = switching::status(value);
    if status.is_none() {
        let problem = "is no status, expected draft, active, paused, completed or rolled_back";
        reading.report(place, code::INVALID_STATUS, format_args!("{} {problem}", found(value)));
    }
    status
}

fn overrides<'v>(reading: &mut Reading, place: &Place<'_>, value: &Value<'v>) -> Option<OverridesDefinition<'v>> {
    let [on, off] = reading.fields(place, value, ["on", "off"], Unknown::Refused)?;
    let mut side = |name: &'static str, value: Option<&Value<'v>>| -> Option<[Vec<Cow<'v, str>>; 2]> {
        let Some(value) = filled(value) else { return Some(Default::default()) };
        let place = place.field(name);
        let [users, companies] = reading.fields(&place, value, ["users", "companies"], Unknown::Refused)?;
        let mut texts = |name, value| match filled(value) {
            Some(value) => reading.ids(&place.field(name), value).unwrap_or_default(),
            None => Vec::new(),
        };
        Some([texts("users", users), texts("companies", companies)])
    };
    let (on, off) = (side("on", on), side("off", off));
    // Each side is read even if the other cannot be (8.15).
    let ([on_users, on_companies], [off_users, off_companies]) = (on.unwrap_or_default(), off.unwrap_or_default());
    Some(OverridesDefinition { on_users, on_companies, off_users, off_companies })
}

fn prerequisites<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    value: &Value<'v>,
) -> Option<Vec<PrerequisiteDefinition<'v>>> {
    let entries = reading.list(place, value, (MAX_LIST_ENTRIES, "prerequisites"))?.iter().enumerate();
    Some(entries.map(|(at, value)| prerequisite(reading, &place.entry(at), value)).collect())
}

/// A prerequisite. A broken one is reported and stays in the list.
fn prerequisite<'v>(reading: &mut Reading, place: &Place<'_>, value: &Value<'v>) -> PrerequisiteDefinition<'v> {
    let mut prerequisite = PrerequisiteDefinition { flag: Cow::Borrowed(""), wanted: WantedDefinition::On(true) };
    let Some([flag, on, variants]) = reading.fields(place, value, ["flag", "on", "variants"], Unknown::Refused) else {
        return prerequisite;
    };
    let flag = match given(flag) {
        Some(flag) => reading.key(&place.field("flag"), flag),
        None => reading.missing(&place.field("flag"), "the key of another flag"),
    };
    prerequisite.flag = flag.unwrap_or_default();
    match (given(on), given(variants)) {
        (Some(_), Some(_)) => {
            reading.report(place, code::CONFLICTING_FIELDS, "has both `on` and `variants`, expected one of them");
        }
        (None, None) => reading.report(place, code::MISSING, "has neither `on` nor `variants`, expected one of them"),
        _ => {}
    }
    if let Some(on) = given(on) {
        prerequisite.wanted = WantedDefinition::On(reading.boolean(&place.field("on"), on).unwrap_or_default());
    }
    if let Some(variants) = given(variants) {
        let place = place.field("variants");
        prerequisite.wanted = WantedDefinition::Variants(reading.ids(&place, variants).unwrap_or_default());
        if variants.as_list().is_some_and(<[Value<'_>]>::is_empty) {
            reading.report(&place, code::EMPTY, "is empty, expected at least one variant");
        }
    }
    prerequisite
}

fn schedule(reading: &mut Reading, place: &Place<'_>, value: &Value<'_>) -> Option<Vec<(Time, Share)>> {
    let mut steps: Vec<(Time, Share)> = Vec::new();
    let mut before = None;
    for (index, value) in reading.list(place, value, (MAX_LIST_ENTRIES, "steps"))?.iter().enumerate() {
        let place = &place.entry(index);
        let place = place.object(value);
        let Some([at, rollout]) = reading.fields(&place, value, ["at", "rollout_percentage"], Unknown::Refused) else {
            before = None;
            continue;
        };
        let time = match given(at) {
            Some(at) => reading.time(&place.field("at"), at),
            None => reading.missing(&place.field("at"), "a time such as 2025-01-22T00:00:00Z"),
        };
        let share = match given(rollout) {
            Some(rollout) => reading.percentage(&place.field("rollout_percentage"), rollout),
            None => reading.missing(&place.field("rollout_percentage"), "a number from 0 to 100"),
        };
        if let (Some(time), Some(before)) = (time, before)
            && time <= before
        {
            reading.report(
                &place.field("at"),
                code::OUT_OF_ORDER,
                format_args!("{time} is not after the step before, {before}, expected steps that rise in time"),
            );
        }
        before = time;
        steps.extend(time.zip(share));
    }
    Some(steps)
}
