//! SARIF 2.1.0 (OASIS), as far as code scanning reads it.

use serde_json::{Value, json};

use super::Shown;
use super::pipelines::fingerprint;
use crate::lint::advice;

pub(super) fn sarif(shown: &[Shown<'_>]) -> String {
    let mut codes: Vec<&str> = shown.iter().map(|one| one.finding.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| rule(code)).collect();
    let results: Vec<Value> = shown.iter().map(result).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "esclusa",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document}\n")
}

fn rule(code: &str) -> Value {
    match advice::all().find(|advice| advice.name == code) {
        Some(advice) => json!({
            "id": code,
            "shortDescription": {"text": advice.summary},
            "fullDescription": {"text": advice.page},
        }),
        None => json!({"id": code}),
    }
}

fn result(one: &Shown<'_>) -> Value {
    let mut location = json!({"physicalLocation": {"artifactLocation": {"uri": uri(&one.file)}}});
    if let (Some(from), Some(to), Some(physical)) = (one.from, one.to, location.get_mut("physicalLocation")) {
        let region = json!({
            "startLine": from.line, "startColumn": from.column, "endLine": to.line, "endColumn": to.column,
        });
        physical.as_object_mut().map(|physical| physical.insert("region".to_owned(), region));
    }
    if let (Some(flag), Some(location)) = (&one.finding.flag, location.as_object_mut()) {
        let logical = json!([{"name": flag, "fullyQualifiedName": one.finding.place, "kind": "object"}]);
        location.insert("logicalLocations".to_owned(), logical);
    }
    json!({
        "ruleId": one.finding.code,
        "level": one.finding.severity.as_str(),
        "message": {"text": one.finding.problem},
        "locations": [location],
        "partialFingerprints": {"esclusa/v1": fingerprint(one.finding)},
    })
}

/// A path as a relative URI.
fn uri(file: &str) -> String {
    let escaped = file.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' | b':' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    });
    escaped.collect()
}
