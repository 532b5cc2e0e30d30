//! Answers as OFREP 0.3 writes them, so that every client takes them as they are meant.
//!
//! What the specification leaves open and clients do not: `variant` is always there, an error has its key and details,
//! and a whole number of a flag with fractions is written as one with a fraction.

use axum::http::StatusCode;
use esclusa::{ErrorCode, Json, Resolution, Value};

use crate::edition::Flag;

/// Why there is no value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    /// What follows the key in the sentence.
    details: &'static str,
}

impl Failed {
    pub(crate) const NOT_FOUND: Failed =
        Failed { status: StatusCode::NOT_FOUND, code: "FLAG_NOT_FOUND", details: "does not exist" };

    fn of(code: ErrorCode) -> Self {
        let bad = |code, details| Failed { status: StatusCode::BAD_REQUEST, code, details };
        match code {
            ErrorCode::FlagNotFound => Failed::NOT_FOUND,
            ErrorCode::ParseError => bad("PARSE_ERROR", "has a broken definition, and there is no earlier one"),
            ErrorCode::TargetingKeyMissing => {
                bad("TARGETING_KEY_MISSING", "is rolled out by a unit that the context does not have")
            }
            ErrorCode::InvalidContext => {
                bad("INVALID_CONTEXT", "has conditions that a value of the context is too large for")
            }
            _ => bad("GENERAL", "has no answer"),
        }
    }

    pub(crate) fn write(self, json: &mut Json, key: &str) {
        json.object(|json| {
            json.name("key").text(key);
            json.name("errorCode").text(self.code);
            json.name("errorDetails").text(&format!("the flag `{key}` {}", self.details));
        });
    }
}

/// Writes what a flag serves, or why it does not.
pub(crate) fn write(
    json: &mut Json,
    flag: &Flag,
    resolution: &Resolution<'_>,
    version: Option<&str>,
) -> Result<(), Failed> {
    if let Some(code) = resolution.error_code() {
        let failed = Failed::of(code);
        failed.write(json, &flag.key);
        return Err(failed);
    }
    let state = if resolution.is_enabled() { "on" } else { "off" };
    json.object(|json| {
        json.name("key").text(&flag.key);
        // Without a value the default of the code stands (12.8).
        match resolution.value() {
            Value::Null => {}
            Value::Integer(whole) if flag.is_float => json.name("value").value(&Value::Number(double(*whole))),
            value => json.name("value").value(value),
        }
        json.name("reason").text(resolution.reason().as_str());
        json.name("variant").text(resolution.variant().unwrap_or(state));
        if let Some(version) = version {
            json.name("metadata").object(|json| json.name("version").text(version));
        }
    });
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "the other values of the flag are doubles")]
fn double(whole: i64) -> f64 {
    whole as f64
}
