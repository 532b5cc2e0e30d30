//! What is known about a set, as JSON.

use esclusa::{FlagSet, Json, Time};

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

/// An object with these fields.
pub(crate) fn object(fields: impl FnOnce(&mut Json)) -> String {
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
