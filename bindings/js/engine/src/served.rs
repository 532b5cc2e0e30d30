//! Answers for many flags or with their reasons, as JSON: calls that only a server makes.

use esclusa::{Context, FlagSet, Time, Value};

use crate::answer::object;

/// `{key: resolution}`.
pub(crate) fn resolve_all(set: &FlagSet, context: &Context<'_>, now: Time) -> String {
    let resolutions = set.resolve_all(context, now);
    object(|json| {
        for (key, resolution) in resolutions {
            json.name(key).object(|json| resolution.write_fields(json));
        }
    })
}

/// The explanation's JSON (10.1) with `text`, its lines of text.
pub(crate) fn explain(set: &FlagSet, key: &str, context: &Context<'_>, now: Time) -> String {
    let explanation = set.explain(key, context, now);
    let mut value = explanation.to_value();
    if let Value::Object(fields) = &mut value {
        fields.push(("text".into(), explanation.to_string().into()));
    }
    value.to_json()
}

/// A projection (10.2) of the keys that a JSON array names, or of all flags.
pub(crate) fn project(set: &FlagSet, keys: Option<&str>, context: &Context<'_>, now: Time) -> String {
    let chosen = keys.map(chosen);
    // One list for both cases, because a projection is compiled for each type of iterator.
    let keys: Vec<&str> = match &chosen {
        Some(keys) => texts(keys).collect(),
        None => set.keys().collect(),
    };
    set.project(keys, context, now).to_json()
}

/// A client snapshot (10.3) of the keys that a JSON array names, or of all flags.
pub(crate) fn client_snapshot(set: &FlagSet, keys: Option<&str>, context: &Context<'_>, now: Time) -> String {
    let Some(keys) = keys.map(chosen) else {
        return set.client_snapshot(set.keys(), context, now).to_json();
    };
    set.client_snapshot(texts(&keys), context, now).to_json()
}

/// The keys chosen by JavaScript, which has made the JSON itself.
fn chosen(keys: &str) -> Value<'_> {
    Value::from_json(keys.as_bytes()).unwrap_or_default()
}

fn texts<'k>(keys: &'k Value<'_>) -> impl Iterator<Item = &'k str> {
    keys.as_list().unwrap_or_default().iter().filter_map(Value::as_str)
}
