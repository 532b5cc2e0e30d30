//! Which rules of section 2 a flag or a segment breaks, each at its place (8.1, 8.12, 8.13), as far as it can be told
//! from the flag or segment alone.

use std::collections::HashSet;

use super::columns;
use super::json::Json;
use super::operands;
use super::written;

pub(crate) const TARGETS: [&str; 5] =
    ["target_plans", "target_roles", "target_companies", "target_regions", "target_users"];
const FLAG: [&str; 13] = [
    "key",
    "name",
    "enabled",
    "status",
    "rollout_percentage",
    "start_date",
    "end_date",
    "bucket_by",
    "salt",
    "overrides",
    "variants",
    "off_value",
    "rules",
];
const FLAG_TOO: [&str; 5] = ["prerequisites", "schedule", "client", "guard", "guard_state"];

const IGNORED: [&str; 6] = ["id", "description", "created_at", "updated_at", "created_by", "metrics"];

const MAX_LIST: usize = 1_000_000;

/// The places of violations that were found so far.
pub(crate) type Found = Vec<String>;

pub(crate) fn child(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The key of a flag or a segment, if it is usable (2.2.2, 2.3.1).
pub(crate) fn key<'j>(json: &'j Json, name: &str) -> Option<&'j str> {
    json.string(name).filter(|key| (1..=256).contains(&key.len()))
}

/// The field that holds the key of a flag; with a `key` the name is a label (2.2.2).
pub(crate) fn key_field(flag: &Json) -> &'static str {
    if flag.field("key").is_some() { "key" } else { "name" }
}

/// Whether a field is none of 2.2 and is not ignored (2.2.3).
pub(crate) fn is_unread(name: &str, ignored: &[String]) -> bool {
    let known = FLAG.iter().chain(&FLAG_TOO).chain(&TARGETS).chain(&IGNORED);
    !known.into_iter().any(|known| *known == name) && !ignored.iter().any(|ignored| ignored == name)
}

/// The fields that may keep people out and cannot be read (8.16).
pub(crate) fn unreadable(flag: &Json) -> Vec<&'static str> {
    let texts = |value: &Json| {
        value.list().is_some_and(|list| list.len() <= MAX_LIST && list.iter().all(|entry| entry.text().is_some()))
    };
    let is_read = |name: &str, value: &Json| match name {
        "enabled" => written::switch(value).is_some(),
        "status" => written::status(value).is_some(),
        "rollout_percentage" => written::share(value).is_some() || is_above_100(value),
        "start_date" | "end_date" => is_bound(value),
        "guard_state" => is_guard_state(value),
        _ => texts(value),
    };
    let names = ["enabled", "status", "rollout_percentage", "start_date", "end_date", "guard_state"];
    let names = names.into_iter().chain(TARGETS);
    let wrong =
        |name: &&str| flag.every(name).count() > 1 || flag.field(name).is_some_and(|value| !is_read(name, value));
    names.filter(wrong).collect()
}

fn is_above_100(value: &Json) -> bool {
    let number = match value {
        Json::Text(text) if text.trim() == text => Json::parse(text.as_bytes()).and_then(|value| value.number()),
        other => other.number(),
    };
    number.is_some_and(|number| number > 100.0)
}

pub(crate) fn flag(flag: &Json, place: &str, ignored: &[String], found: &mut Found) {
    let Json::Object(fields) = flag else {
        return found.push(place.to_owned());
    };
    let named: Vec<&str> = FLAG.iter().chain(&FLAG_TOO).chain(&TARGETS).copied().collect();
    repeated(flag, &named, place, found);
    let names: HashSet<&String> = fields.iter().map(|(name, _)| name).collect();
    let restricts = |name: &str| flag.every(name).any(|value| columns::restricts(columns::kind(name), value));
    let unread = names.into_iter().filter(|name| is_unread(name, ignored) && restricts(name));
    found.extend(unread.map(|name| child(place, name)));
    if key(flag, key_field(flag)).is_none() {
        found.push(child(place, key_field(flag)));
    }
    optional(flag, "enabled", place, found, |value| written::switch(value).is_some());
    optional(flag, "status", place, found, |value| written::status(value).is_some());
    optional(flag, "rollout_percentage", place, found, |value| written::share(value).is_some());
    optional(flag, "start_date", place, found, is_bound);
    optional(flag, "end_date", place, found, is_bound);
    optional(flag, "bucket_by", place, found, is_filled);
    optional(flag, "salt", place, found, |value| value.text().is_some());
    optional(flag, "client", place, found, |value| value.bool().is_some());
    for name in TARGETS {
        strings(flag, name, place, found);
    }
    overrides(flag, place, found);
    let before = found.len();
    variants(flag, place, found);
    let judged = found.len() == before && !found.contains(&child(place, "variants"));
    let keys: Vec<&str> = flag.elements("variants").iter().filter_map(|variant| variant.string("key")).collect();
    rules(flag, judged.then_some(&keys), place, found);
    prerequisites(flag, place, found);
    schedule(flag, place, found);
    optional(flag, "guard", place, found, |value| matches!(value, Json::Object(_)));
    if let Some(state) = flag.field("guard_state") {
        guard_state(state, &child(place, "guard_state"), found);
    }
}

pub(crate) fn segment(segment: &Json, place: &str, found: &mut Found) {
    if !matches!(segment, Json::Object(_)) {
        return found.push(place.to_owned());
    }
    repeated(segment, &["key", "when"], place, found);
    if key(segment, "key").is_none() {
        found.push(child(place, "key"));
    }
    when(segment, place, found);
}

/// Fields that have a meaning and stand twice (2.2.23).
pub(crate) fn repeated(object: &Json, named: &[&str], place: &str, found: &mut Found) {
    found.extend(named.iter().filter(|name| object.every(name).count() > 1).map(|name| child(place, name)));
}

/// An object that may have these fields and a description only (2.2.22), each once (2.2.23).
pub(crate) fn closed(object: &Json, named: &[&str], place: &str, found: &mut Found) {
    repeated(object, named, place, found);
    let names: HashSet<&String> = object.fields().iter().map(|(name, _)| name).collect();
    let known = |name: &str| named.contains(&name) || name == "description";
    found.extend(names.into_iter().filter(|name| !known(name)).map(|name| child(place, name)));
}

pub(crate) fn optional(object: &Json, name: &str, place: &str, found: &mut Found, fits: impl Fn(&Json) -> bool) {
    if object.field(name).is_some_and(|value| !fits(value)) {
        found.push(child(place, name));
    }
}

pub(crate) fn required(object: &Json, name: &str, place: &str, found: &mut Found, fits: impl Fn(&Json) -> bool) {
    if !object.field(name).is_some_and(fits) {
        found.push(child(place, name));
    }
}

pub(crate) fn is_filled(value: &Json) -> bool {
    value.text().is_some_and(|text| !text.is_empty())
}

pub(crate) fn is_time(value: &Json) -> bool {
    value.text().is_some_and(|text| written::time(text).is_some())
}

pub(crate) fn is_bound(value: &Json) -> bool {
    value.text().is_some_and(|text| written::bound(text).is_some())
}

/// A field that is a list, whose elements `each` looks at.
fn list(object: &Json, name: &str, place: &str, found: &mut Found, mut each: impl FnMut(&Json, &str, &mut Found)) {
    let place = child(place, name);
    match object.field(name) {
        None => {}
        Some(Json::List(elements)) => {
            let most = match name {
                "rules" => 10_000,
                "variants" => 1_000,
                _ => MAX_LIST,
            };
            if elements.len() > most {
                found.push(place.clone());
            }
            for (at, element) in elements.iter().enumerate() {
                each(element, &format!("{place}/{at}"), found);
            }
        }
        Some(_) => found.push(place),
    }
}

/// A field that is a list of objects.
fn objects(object: &Json, name: &str, place: &str, found: &mut Found, mut each: impl FnMut(&Json, &str, &mut Found)) {
    list(object, name, place, found, |element, place, found| {
        if matches!(element, Json::Object(_)) { each(element, place, found) } else { found.push(place.to_owned()) }
    });
}

pub(crate) fn strings(object: &Json, name: &str, place: &str, found: &mut Found) {
    list(object, name, place, found, |element, place, found| {
        if element.text().is_none() {
            found.push(place.to_owned());
        }
    });
}

/// A required condition in the field `when`.
fn when(object: &Json, place: &str, found: &mut Found) {
    match object.field("when") {
        None => found.push(child(place, "when")),
        Some(condition) => operands::condition(condition, &child(place, "when"), found),
    }
}

fn overrides(flag: &Json, place: &str, found: &mut Found) {
    let (Some(overrides), place) = (flag.field("overrides"), child(place, "overrides")) else {
        return;
    };
    if !matches!(overrides, Json::Object(_)) {
        return found.push(place);
    }
    closed(overrides, &["on", "off"], &place, found);
    for side in ["on", "off"] {
        let (Some(lists), place) = (overrides.field(side), child(&place, side)) else {
            continue;
        };
        if matches!(lists, Json::Object(_)) {
            closed(lists, &["users", "companies"], &place, found);
            strings(lists, "users", &place, found);
            strings(lists, "companies", &place, found);
        } else {
            found.push(place);
        }
    }
}

/// A field that holds a non-empty string which `fits` and stands in the list for the first time.
fn unique(
    object: &Json,
    name: &str,
    seen: &mut HashSet<String>,
    fits: impl Fn(&str) -> bool,
    place: &str,
    found: &mut Found,
) {
    if !object.string(name).is_some_and(|key| !key.is_empty() && fits(key) && seen.insert(key.to_owned())) {
        found.push(child(place, name));
    }
}

/// The weights of a list's objects (2.2.16); that all are 0 can only be said when all can be read.
fn weights(object: &Json, name: &str, place: &str, found: &mut Found) {
    let weights: Vec<Option<u64>> =
        object.elements(name).iter().map(|part| part.field("weight").map_or(Some(1000), written::weight)).collect();
    for (at, _) in weights.iter().enumerate().filter(|(_, weight)| weight.is_none()) {
        if matches!(object.elements(name)[at], Json::Object(_)) {
            found.push(format!("{}/{at}/weight", child(place, name)));
        }
    }
    if !weights.is_empty() && weights.iter().all(|weight| *weight == Some(0)) {
        found.push(child(place, name));
    }
}

fn variants(flag: &Json, place: &str, found: &mut Found) {
    let mut seen = HashSet::new();
    objects(flag, "variants", place, found, |variant, place, found| {
        closed(variant, &["key", "value", "weight"], place, found);
        unique(variant, "key", &mut seen, |_| true, place, found);
    });
    weights(flag, "variants", place, found);
}

fn rules(flag: &Json, variants: Option<&Vec<&str>>, place: &str, found: &mut Found) {
    let exists = |key: &str| variants.is_none_or(|variants| variants.contains(&key));
    let mut seen = HashSet::new();
    objects(flag, "rules", place, found, |rule, place, found| {
        closed(rule, &["key", "when", "rollout_percentage", "bucket_by", "variant", "split"], place, found);
        unique(rule, "key", &mut seen, |_| true, place, found);
        when(rule, place, found);
        optional(rule, "rollout_percentage", place, found, |value| written::share(value).is_some());
        optional(rule, "bucket_by", place, found, is_filled);
        optional(rule, "variant", place, found, |value| value.text().is_some_and(exists));
        if rule.field("variant").is_some() && rule.field("split").is_some() {
            found.push(place.to_owned());
        }
        let mut parts = HashSet::new();
        objects(rule, "split", place, found, |part, place, found| {
            closed(part, &["variant", "weight"], place, found);
            unique(part, "variant", &mut parts, exists, place, found);
        });
        if rule.field("split").and_then(Json::list).is_some_and(<[Json]>::is_empty) {
            found.push(child(place, "split"));
        }
        weights(rule, "split", place, found);
    });
}

fn prerequisites(flag: &Json, place: &str, found: &mut Found) {
    objects(flag, "prerequisites", place, found, |prerequisite, place, found| {
        closed(prerequisite, &["flag", "on", "variants"], place, found);
        required(prerequisite, "flag", place, found, |value| value.text().is_some());
        optional(prerequisite, "on", place, found, |value| value.bool().is_some());
        strings(prerequisite, "variants", place, found);
        if prerequisite.field("variants").and_then(Json::list).is_some_and(<[Json]>::is_empty) {
            found.push(child(place, "variants"));
        }
        if prerequisite.field("on").is_some() == prerequisite.field("variants").is_some() {
            found.push(place.to_owned());
        }
    });
}

fn schedule(flag: &Json, place: &str, found: &mut Found) {
    objects(flag, "schedule", place, found, |step, place, found| {
        closed(step, &["at", "rollout_percentage"], place, found);
        required(step, "at", place, found, is_time);
        required(step, "rollout_percentage", place, found, |value| written::share(value).is_some());
    });
    let steps = flag.elements("schedule");
    let time = |at: usize| steps[at].string("at").and_then(written::time);
    for at in 1..steps.len() {
        if let (Some(before), Some(now)) = (time(at - 1), time(at))
            && now <= before
        {
            found.push(format!("{}/{at}/at", child(place, "schedule")));
        }
    }
}

fn guard_state(state: &Json, place: &str, found: &mut Found) {
    if !matches!(state, Json::Object(_)) {
        return found.push(place.to_owned());
    }
    let from = |least: i64| move |value: &Json| value.integer().is_some_and(|number| number >= least);
    repeated(state, &["run", "trip", "cleared_steps"], place, found);
    optional(state, "run", place, found, from(1));
    optional(state, "cleared_steps", place, found, from(0));
    let place = child(place, "trip");
    match state.field("trip") {
        None => {}
        Some(trip @ Json::Object(_)) => {
            repeated(trip, &["run"], &place, found);
            required(trip, "run", &place, found, from(1));
        }
        Some(_) => found.push(place),
    }
}

fn is_guard_state(state: &Json) -> bool {
    let mut found = Found::new();
    guard_state(state, "", &mut found);
    found.is_empty()
}

/// A flag with what its `guard_state` says of other fields (2.2.35): off if it has tripped, and without the steps that are not
/// cleared.
pub(crate) fn guarded(flag: &Json) -> Json {
    let Some(state) = flag.field("guard_state").filter(|state| is_guard_state(state)) else { return flag.clone() };
    let mut guarded = flag.clone();
    if trip(flag).is_some() {
        guarded = guarded.with("enabled", Json::Bool(false));
    }
    if let (Some(cleared), Some(Json::List(steps))) =
        (state.field("cleared_steps").and_then(Json::integer), flag.field("schedule"))
    {
        guarded = guarded.with("schedule", Json::List(steps.iter().take(cleared as usize).cloned().collect()));
    }
    guarded
}

/// The run of a flag.
pub(crate) fn run(flag: &Json) -> i64 {
    flag.field("guard_state").and_then(|state| state.field("run")).and_then(Json::integer).unwrap_or(1)
}

/// The trip of a flag that has tripped.
pub(crate) fn trip(flag: &Json) -> Option<&Json> {
    let state = flag.field("guard_state").filter(|state| is_guard_state(state))?;
    state.field("trip").filter(|trip| trip.field("run").and_then(Json::integer) >= Some(run(flag)))
}
