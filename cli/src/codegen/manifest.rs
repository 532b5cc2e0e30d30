//! The flag manifest of OpenFeature's tool, for languages that this one writes no code for. Its schema is in
//! <https://github.com/open-feature/cli>.

use esclusa::Value;
use serde_json::{Map, Value as Json, json};

use super::definition::Definition;
use super::shape::{Kind, Number};

/// Where its schema is.
pub(crate) const SCHEMA: &str =
    "https://raw.githubusercontent.com/open-feature/cli/refs/heads/main/schema/v0/flag-manifest.json";

pub(crate) fn write(flags: &[Definition]) -> String {
    let flags: Map<String, Json> = flags.iter().map(|flag| (flag.key.clone(), manifested(flag))).collect();
    let manifest = json!({ "$schema": SCHEMA, "flags": flags });
    format!("{manifest:#}\n")
}

/// The flag with the default that an app gives when there is no answer: what the flag serves when it is off, or else
/// nothing of the same kind.
fn manifested(flag: &Definition) -> Json {
    let (kind, nothing) = match flag.value.kind() {
        Some(Kind::Boolean) => ("boolean", json!(false)),
        Some(Kind::Number(Number::Whole)) => ("integer", json!(0)),
        Some(Kind::Number(Number::Double)) => ("float", json!(0.0)),
        Some(Kind::Text) => ("string", json!("")),
        Some(Kind::List | Kind::Object) | None => ("object", json!({})),
    };
    let off = if flag.off.is_null() || kind == "object" && !matches!(flag.off, Value::Object(_)) {
        nothing
    } else {
        serde_json::from_str(&flag.off.to_json()).unwrap_or(nothing)
    };
    let mut manifest = json!({ "flagType": kind, "defaultValue": off });
    if let (Some(description), Some(fields)) = (&flag.description, manifest.as_object_mut()) {
        fields.insert("description".to_owned(), json!(description));
    }
    manifest
}
