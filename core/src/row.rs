//! What names and values of a row mean (2.2 of SEMANTICS.md), for crates that read rows by a mapping: one definition of the
//! fields, the words and the empty values.

use crate::definition::Status;
use crate::value::Value;
use crate::{columns, guard, place, switching, validation};

/// The fields of a flag that have a meaning.
pub const FIELDS: [&str; validation::FLAG_FIELDS.len()] = validation::FLAG_FIELDS;

/// The field that a column is by its own name, in snake_case or camelCase (2.2.30).
///
/// ```
/// assert_eq!(esclusa::row::field("rolloutPercentage"), Some("rollout_percentage"));
/// ```
#[must_use]
pub fn field(column: &str) -> Option<&'static str> {
    FIELDS.into_iter().find(|field| *field == column || place::is_camel_case(field, column))
}

/// Whether a column is ignored by its name (2.2.3).
#[must_use]
pub fn is_ignored(column: &str) -> bool {
    columns::IGNORED.contains(&column)
}

/// The list of `spec/words.json` that decides about a column: `gate`, `prose`, `strong`, `aside`, `share`, `state`, `scope`
/// or `last` (2.2.26). `None` if the name has no word of a list.
///
/// ```
/// assert_eq!(esclusa::row::list_of("rollout_pct"), Some("share"));
/// assert_eq!(esclusa::row::list_of("jira_ticket"), Some("prose"));
/// ```
#[must_use]
pub fn list_of(column: &str) -> Option<&'static str> {
    guard::deciding_list(column).map(guard::List::name)
}

/// Whether a value is empty: null, `[]`, `{}`, blank text, or a text that holds one of these (2.2.27).
#[must_use]
pub fn is_empty(value: &Value<'_>) -> bool {
    guard::is_empty(value)
}

/// On or off; `None` for any other value (2.2.4).
#[must_use]
pub fn switch(value: &Value<'_>) -> Option<bool> {
    switching::switch(value)
}

/// The status that a text names, such as `paused` for `inactive`; `None` for any other value (2.2.5).
#[must_use]
pub fn status(value: &Value<'_>) -> Option<&'static str> {
    switching::status(value).map(Status::name)
}
