//! Answers that cross as JSON: everything that is not asked thousands of times a second.

use esclusa::{Context, FlagSet, Json, Time, Value};

/// `{"ready", "revision", "generated_at", "size", "violations"}`: what is known about the current set.
pub(crate) fn about(set: &FlagSet) -> String {
    object(|json| {
        json.name("ready").bool(set.is_ready());
        json.name("revision").maybe(set.revision().map(u64::cast_signed), Json::whole);
        json.name("generated_at").maybe(set.generated_at().map(Time::as_millis), Json::whole);
        json.name("size").whole(i64::try_from(set.len()).unwrap_or(i64::MAX));
        json.name("violations").list(set.violations(), |json, violation| violation.write(json));
    })
}

fn object(fields: impl FnOnce(&mut Json)) -> String {
    let mut json = Json::default();
    json.object(fields);
    json.into_text()
}

/// The keys in the order of the snapshot.
pub(crate) fn keys(set: &FlagSet) -> String {
    let mut json = Json::default();
    json.list(set.keys(), Json::text);
    json.into_text()
}

/// `{key: resolution}`.
pub(crate) fn resolve_all(set: &FlagSet, context: &Context<'_>, now: Time) -> String {
    // A browser has few flags and need not carry a second way of resolving them.
    #[cfg(not(feature = "server"))]
    let resolutions = set.keys().map(|key| (key, set.resolve(key, context, now)));
    #[cfg(feature = "server")]
    let resolutions = set.resolve_all(context, now);
    object(|json| {
        for (key, resolution) in resolutions {
            json.name(key).object(|json| resolution.write_fields(json));
        }
    })
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
    object(|json| {
        resolution.write_fields(json);
        json.name("first_no").value(&Value::Null);
        json.name("path").value(&Value::List(Vec::new()));
        json.name("text").text(&text);
    })
}

/// A projection (10.2) of the keys that a JSON array names, or of all flags.
pub(crate) fn project(set: &FlagSet, keys: Option<&str>, context: &Context<'_>, now: Time) -> String {
    let chosen = keys.map(chosen);
    // One list for both, because a projection is put together for each kind of them.
    let keys: Vec<&str> = match &chosen {
        Some(keys) => texts(keys).collect(),
        None => set.keys().collect(),
    };
    set.project(keys, context, now).to_json()
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
