//! What several tests need.
#![allow(dead_code, reason = "each test needs a part")]

use esclusa_formats::{Mapping, MappingError, Parameters};
use serde_json::Value as Json;

/// The mapping of a vector with its parameters; `esclusa_mapping` need not stand in it. Without one it is that of the
/// document (M34).
pub(crate) fn mapping_of(vector: &Json) -> Result<Mapping, MappingError> {
    if vector["mapping"].is_null() {
        let mut parameters = Parameters::default();
        for (name, value) in vector["parameters"].as_object().into_iter().flatten() {
            parameters = parameters.with(name, value.as_str().unwrap())?;
        }
        let stored = Mapping::stored(vector["document"].to_string().as_bytes(), &parameters)?;
        return Ok(stored.expect("the document brings a mapping along"));
    }
    let mut mapping = vector["mapping"].clone();
    if let Some(fields) = mapping.as_object_mut() {
        fields.entry("esclusa_mapping").or_insert(1.into());
    }
    let mut mapping = Mapping::from_json(mapping.to_string().as_bytes())?;
    for (name, value) in vector["parameters"].as_object().into_iter().flatten() {
        mapping = mapping.with(name, value.as_str().unwrap())?;
    }
    Ok(mapping)
}

/// Whether two arrays hold the same flags: numbers as doubles, flags in any order, `key` for `name`.
pub(crate) fn same_flags(one: &Json, other: &Json) -> bool {
    let sorted = |flags: &Json| {
        let mut flags: Vec<String> = flags.as_array().unwrap().iter().map(|flag| plain(flag).to_string()).collect();
        flags.sort_unstable();
        flags
    };
    sorted(one) == sorted(other)
}

/// With every number as a double, because `1` and `1.0` are one number, and every object in the order of its names.
fn plain(value: &Json) -> Json {
    match value {
        Json::Number(number) => serde_json::json!(number.as_f64()),
        Json::Array(entries) => entries.iter().map(plain).collect(),
        Json::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}
