//! The words for on and off, and for the status of a flag (2.2.4 and 2.2.5 of SEMANTICS.md).
//!
//! The module knows single values; reading flags decides what a word does to a flag.

use crate::definition::Status;
use crate::value::Value;

const ON: [&str; 8] = ["true", "t", "yes", "y", "on", "1", "enabled", "active"];
const OFF: [&str; 8] = ["false", "f", "no", "n", "off", "0", "disabled", "inactive"];

/// The words of each status, with `_` for `-` and space.
const STATUSES: [(Status, &[&str]); 5] = [
    (Status::Active, &["active", "enabled", "on", "live", "published", "released"]),
    (Status::Draft, &["draft", "new", "planned", "pending", "scheduled"]),
    (Status::Paused, &["paused", "inactive", "disabled", "off", "stopped", "suspended"]),
    (Status::RolledBack, &["rolled_back", "archived", "deleted", "retired", "ended", "expired", "closed", "cancelled"]),
    (Status::Completed, &["completed"]),
];

/// Whether a value means on or off; `None` if neither (2.2.4).
pub(crate) fn switch(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::Integer(1) => Some(true),
        Value::Integer(0) => Some(false),
        Value::Text(text) => switch_word(text),
        _ => None,
    }
}

/// Whether a word means on or off, in any case and with white space around it.
pub(crate) fn switch_word(text: &str) -> Option<bool> {
    let word = text.trim_ascii();
    let is_one_of = |words: [&str; 8]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if is_one_of(ON) {
        return Some(true);
    }
    is_one_of(OFF).then_some(false)
}

/// Whether a value means off: `false`, 0 or a word for it.
pub(crate) fn reads_as_off(value: &Value<'_>) -> bool {
    switch(value) == Some(false)
}

/// The status that a value names, in any case, with white space around it, and with `-` and space as `_` (2.2.5).
pub(crate) fn status(value: &Value<'_>) -> Option<Status> {
    let word = value.as_str()?.trim_ascii();
    let plain = |byte: u8| if matches!(byte, b'-' | b' ') { b'_' } else { byte.to_ascii_lowercase() };
    let is = |known: &&str| known.len() == word.len() && known.bytes().eq(word.bytes().map(plain));
    STATUSES.iter().find(|(_, words)| words.iter().any(is)).map(|(status, _)| *status)
}
