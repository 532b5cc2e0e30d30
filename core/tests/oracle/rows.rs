//! Rows of one key and the flag that they make (8.2), and what the fields say that are not read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::json::Json;
use super::narrowing::bound;
use super::publishing::{Entry, Fate};
use super::{checking, columns, written};

/// The fields that restrict, with their values (2.2.27).
pub(crate) type Causes = BTreeMap<String, Vec<Value>>;

/// A row with a usable key.
pub(crate) struct Row {
    pub(crate) raw: Json,
    pub(crate) sound: bool,
    pub(crate) killed: bool,
    pub(crate) unreadable: bool,
    pub(crate) causes: Causes,
}

/// The flag that the rows of a key make (8.2).
pub(crate) fn entry(key: &str, rows: &[Row]) -> Entry {
    let first = &rows[0];
    let alike = rows.iter().all(|row| row.sound && written_out(&row.raw, key) == written_out(&first.raw, key));
    let served = |row: &Row| if row.sound && !alike { default_off_value(&row.raw) } else { off_value(&row.raw) };
    let off_values: Vec<Json> = rows.iter().map(served).collect();
    let is_one = alike || off_values.iter().all(|value| value.to_value() == off_values[0].to_value());
    let killed = rows.iter().any(|row| row.killed);
    let fixed = rows.len() > 1 || first.unreadable;
    let withheld = !killed && (fixed || !first.causes.is_empty());
    let twins = rows.len() > 1;
    Entry {
        key: key.to_owned(),
        raw: if twins && !alike { Json::Null } else { first.raw.clone() },
        off_value: if is_one { off_values[0].clone() } else { Json::Null },
        fate: if alike { Fate::Good } else { Fate::SetAside { killed, withheld, kept: None } },
        fixed,
        causes: first.causes.clone(),
        rows: rows.len(),
    }
}

/// A definition with its defaults, so that two ways of writing one are equal.
pub(crate) fn written_out(flag: &Json, key: &str) -> Value {
    let share = |of: &Json| of.field("rollout_percentage").and_then(written::share).unwrap_or(100_000);
    let lists = |of: &Json, names: &[&str]| -> Vec<Value> {
        names.iter().map(|name| of.elements(name).iter().map(Json::to_value).collect()).collect()
    };
    let side = |name: &str| {
        flag.field("overrides").and_then(|of| of.field(name)).map(|side| lists(side, &["users", "companies"]))
    };
    let sides: Vec<_> =
        ["on", "off"].iter().map(|name| side(name).unwrap_or_else(|| vec![json!([]), json!([])])).collect();
    let variants = flag.elements("variants").iter().map(|variant| {
        let value = variant.last("value").map_or(Value::Null, Json::to_value);
        json!([variant.string("key"), value, variant.field("weight").map_or(Some(1), Json::natural)])
    });
    let steps =
        flag.elements("schedule").iter().map(|step| json!([step.string("at").and_then(written::time), share(step)]));
    json!([
        flag.field("enabled").and_then(written::switch) == Some(true),
        flag.field("status").and_then(written::status).unwrap_or("active"),
        share(flag),
        lists(flag, &checking::TARGETS),
        [bound(flag.string("start_date"), true), bound(flag.string("end_date"), false)],
        flag.string("bucket_by").unwrap_or("user"),
        flag.string("salt").unwrap_or(key),
        sides,
        variants.collect::<Vec<_>>(),
        default_off_value(flag).to_value(),
        lists(flag, &["rules", "prerequisites"]),
        steps.collect::<Vec<_>>(),
        flag.field("client").and_then(Json::bool).unwrap_or_default(),
        [
            flag.field("guard").map(Json::to_value),
            checking::trip(flag).map(Json::to_value),
            Some(json!(checking::run(flag))),
        ],
    ])
}

/// What a flag serves when it is off (2.2.17).
fn default_off_value(flag: &Json) -> Json {
    match flag.field("off_value") {
        Some(value) => value.clone(),
        None if flag.elements("variants").is_empty() => Json::Bool(false),
        None => Json::Null,
    }
}

/// What a row serves when it is off and set aside (8.8).
fn off_value(flag: &Json) -> Json {
    match (flag.field("off_value"), flag.field("variants")) {
        (Some(value), _) => value.clone(),
        (None, None) => Json::Bool(false),
        (None, Some(_)) => Json::Null,
    }
}

/// The fields of a row that restrict, and whether a gate is off.
pub(crate) fn unread(flag: &Json, ignored: &[String]) -> (Causes, bool) {
    let (mut causes, mut gate_is_off) = (Causes::new(), false);
    for (name, value) in flag.fields().iter().filter(|(name, _)| checking::is_unread(name, ignored)) {
        let kind = columns::kind(name);
        gate_is_off |= columns::switches_off(kind, value);
        if columns::restricts(kind, value) {
            causes.entry(name.clone()).or_default().push(value.to_value());
        }
    }
    (causes, gate_is_off)
}

/// Whether a flag that is set aside is killed by its own fields (8.7).
pub(crate) fn is_killed(flag: &Json) -> bool {
    let off = |value: &Json| *value == Json::Null || written::switch(value) == Some(false);
    let stopped = |value: &Json| {
        written::status(value).is_some_and(|status| ["draft", "paused", "rolled_back"].contains(&status))
    };
    let absent = flag.every("enabled").count() == 0;
    absent || checking::trip(flag).is_some() || flag.every("enabled").any(off) || flag.every("status").any(stopped)
}
