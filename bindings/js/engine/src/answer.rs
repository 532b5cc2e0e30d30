//! Answers that cross as JSON: everything that is not asked thousands of times a second.

use esclusa::{Context, FlagSet, Time, Value, Violation};

/// `{"ready", "revision", "generated_at", "size", "violations"}`: what is known about the current set.
pub(crate) fn about(set: &FlagSet) -> String {
    let whole = |number: Option<i64>| Value::from(number);
    let violations = set.violations().iter().map(Violation::to_value).collect();
    let fields = vec![
        ("ready".into(), set.is_ready().into()),
        ("revision".into(), whole(set.revision().and_then(|revision| i64::try_from(revision).ok()))),
        ("generated_at".into(), whole(set.generated_at().map(Time::as_millis))),
        ("size".into(), whole(i64::try_from(set.len()).ok())),
        ("violations".into(), Value::List(violations)),
    ];
    Value::Object(fields).to_json()
}

/// The keys in the order of the snapshot.
pub(crate) fn keys(set: &FlagSet) -> String {
    Value::from(set.keys().collect::<Vec<_>>()).to_json()
}

/// `{key: resolution}`.
pub(crate) fn resolve_all(set: &FlagSet, context: &Context<'_>, now: Time) -> String {
    // A browser has few flags and need not carry a second way of resolving them.
    #[cfg(not(feature = "server"))]
    let resolutions = set.keys().map(|key| (key, set.resolve(key, context, now)));
    #[cfg(feature = "server")]
    let resolutions = set.resolve_all(context, now);
    Value::Object(resolutions.map(|(key, resolution)| (key.into(), resolution.to_value())).collect()).to_json()
}

/// The explanation's JSON (10.1) with `text`, its lines for people.
#[cfg(feature = "server")]
pub(crate) fn explain(set: &FlagSet, key: &str, context: &Context<'_>, now: Time) -> String {
    let explanation = set.explain(key, context, now);
    let mut value = explanation.to_value();
    if let Value::Object(fields) = &mut value {
        fields.push(("text".into(), explanation.to_string().into()));
    }
    value.to_json()
}

/// The same without steps, so that a browser does not load the sentences of an explanation.
#[cfg(not(feature = "server"))]
pub(crate) fn explain(set: &FlagSet, key: &str, context: &Context<'_>, now: Time) -> String {
    let resolution = set.resolve(key, context, now);
    let is = if resolution.is_enabled() { "ON" } else { "OFF" };
    let text = ["`", key, "` is ", is, ": this build leaves explanations out, expected @esclusa/wasm/full"].concat();
    let mut value = resolution.to_value();
    if let Value::Object(fields) = &mut value {
        fields.push(("first_no".into(), Value::Null));
        fields.push(("path".into(), Value::List(Vec::new())));
        fields.push(("text".into(), text.into()));
    }
    value.to_json()
}

/// A projection (10.2) of the keys that a JSON array names, or of all flags.
pub(crate) fn project(set: &FlagSet, keys: Option<&str>, context: &Context<'_>, now: Time) -> String {
    let Some(keys) = keys.map(chosen) else {
        return set.project(set.keys(), context, now).to_value().to_json();
    };
    set.project(texts(&keys), context, now).to_value().to_json()
}

/// A client snapshot (10.3) of the keys that a JSON array names, or of all flags.
#[cfg(feature = "server")]
pub(crate) fn client_snapshot(set: &FlagSet, keys: Option<&str>, context: &Context<'_>, now: Time) -> String {
    let Some(keys) = keys.map(chosen) else {
        return set.client_snapshot(set.keys(), context, now).to_json();
    };
    set.client_snapshot(texts(&keys), context, now).to_json()
}

/// The keys that JavaScript chose: it has made the JSON itself.
fn chosen(keys: &str) -> Value<'_> {
    Value::from_json(keys.as_bytes()).unwrap_or_default()
}

fn texts<'k>(keys: &'k Value<'_>) -> impl Iterator<Item = &'k str> {
    keys.as_list().unwrap_or_default().iter().filter_map(Value::as_str)
}
