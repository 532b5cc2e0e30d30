//! Decisions of staying fresh that are the same in every host (section 11), as JSON.

use esclusa::Value;

/// The core's decision; nothing for no such question.
#[must_use]
pub fn decide(question: &str) -> String {
    let question = Value::from_json(question.as_bytes()).unwrap_or_default();
    esclusa::sync::decide(&question).map(|answer| answer.to_json()).unwrap_or_default()
}
