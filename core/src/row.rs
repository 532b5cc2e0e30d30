//! The meaning of names and values in a row (2.2 of SEMANTICS.md), for crates that read rows by a mapping: the only
//! definition of the fields, the words and the empty values.

use crate::bucket::Share;
use crate::definition::Status;
use crate::reading::percent;
use crate::value::Value;
use crate::{columns, guard, place, switching, validation};

/// The fields of a flag that have a meaning.
pub const FIELDS: [&str; validation::FLAG_FIELDS.len()] = validation::FLAG_FIELDS;

/// The field that a column name means by itself, in snake_case or camelCase (2.2.30).
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

/// The list of `spec/words.json` that decides about a column: `gate`, `prose`, `strong`, `aside`, `share`, `state`,
/// `scope` or `last` (2.2.26). `None` if no word of the name is on a list.
///
/// ```
/// assert_eq!(esclusa::row::list_of("rollout_pct"), Some("share"));
/// assert_eq!(esclusa::row::list_of("jira_ticket"), Some("prose"));
/// ```
#[must_use]
pub fn list_of(column: &str) -> Option<&'static str> {
    guard::deciding_list(column).map(guard::List::name)
}

/// The key of a row: `key` if it is not null, else `name` (2.2.2). `None` if that is not a text or is empty.
#[must_use]
pub fn key<'r>(row: &'r Value<'_>) -> Option<&'r str> {
    let given = |name| row.get(name).filter(|value| !value.is_null());
    given("key").or_else(|| given("name"))?.as_str().filter(|key| !key.is_empty())
}

/// An id in a list: a text, or a whole number, which stands for its digits (2.2.29); `None` for any other value.
#[must_use]
pub fn id(value: &Value<'_>) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|number| number.to_string()))
}

/// A percentage as a share, in thousandths of a percent from 0 to 100,000; `None` for any other value (2.2.6).
///
/// ```
/// use esclusa::{Value, row};
/// assert_eq!(row::share(&Value::from("12.5")), Some(12_500));
/// assert_eq!(row::share(&Value::Integer(101)), None);
/// ```
#[must_use]
pub fn share(percentage: &Value<'_>) -> Option<u32> {
    percent(percentage).and_then(Share::of_percentage).map(Share::thousandths)
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

/// Whether a value of `status` switches its flag off for everyone, as `paused` does (7.3).
#[must_use]
pub fn is_off(status: &Value<'_>) -> bool {
    switching::status(status).is_some_and(Status::is_off)
}

/// The status that a text names, such as `paused` for `inactive`; `None` for any other value (2.2.5).
#[must_use]
pub fn status(value: &Value<'_>) -> Option<&'static str> {
    switching::status(value).map(Status::name)
}
