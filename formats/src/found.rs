//! The content of a column: empty, a value, or something that a path cannot enter (M5 to M7).

use std::borrow::Cow;

use esclusa::Value;
pub(crate) use esclusa::row::{is_empty, switch};

/// The content at an entry's column and path.
#[derive(Debug)]
pub(crate) enum Found<'r, 'v> {
    /// Nothing (M5).
    Empty,
    /// A value of the row.
    Here(&'r Value<'v>),
    /// There is a value, but it is not an object, so the path ends there.
    Unreadable,
}

impl<'v> Found<'_, 'v> {
    pub(crate) fn value(&self) -> Option<&Value<'v>> {
        match self {
            Found::Here(value) => Some(value),
            _ => None,
        }
    }
}

/// Follows a path of field names into a value; a missing field is empty (M7). A text with an object was parsed before.
pub(crate) fn walk<'r, 'v>(value: Option<&'r Value<'v>>, path: &[String]) -> Found<'r, 'v> {
    let Some(value) = value.filter(|value| !is_empty(value)) else { return Found::Empty };
    let Some((step, rest)) = path.split_first() else { return Found::Here(value) };
    match value {
        Value::Object(_) => walk(value.get(step), rest),
        _ => Found::Unreadable,
    }
}

/// The array or object that a text contains as JSON.
pub(crate) fn json_of(value: &Value<'_>) -> Option<Value<'static>> {
    let text = value.as_str()?.trim_ascii();
    if !text.starts_with(['[', '{']) {
        return None;
    }
    Value::from_json(text.as_bytes()).ok().map(Value::into_owned)
}

/// The form of a value in which it is compared: a text without white space around it and in small letters, a whole
/// number as its digits, `true` and `false` (M6).
pub(crate) fn word(value: &Value<'_>) -> Option<Cow<'static, str>> {
    match value {
        Value::Text(text) => Some(text.trim_ascii().to_ascii_lowercase().into()),
        Value::Integer(number) => Some(number.to_string().into()),
        Value::Bool(true) => Some("true".into()),
        Value::Bool(false) => Some("false".into()),
        _ => None,
    }
}

/// A text, or a whole number as its digits.
pub(crate) fn id(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.trim_ascii().to_owned()),
        Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number, or a text that holds one in JSON's grammar.
pub(crate) fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Text(text) => {
            let text = text.trim_ascii();
            let begins = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
            if begins { Value::from_json(text.as_bytes()).ok()?.as_f64() } else { None }
        }
        other => other.as_f64(),
    }
}

/// The entries of a Postgres array in its text form, `{a,"b, c"}`; `None` if the text is not one, or has a null (M13).
pub(crate) fn postgres_array(text: &str) -> Option<Vec<String>> {
    let inner = text.trim_ascii().strip_prefix('{')?.strip_suffix('}')?;
    let (mut entries, mut characters) = (Vec::new(), inner.chars().peekable());
    loop {
        while characters.next_if(char::is_ascii_whitespace).is_some() {}
        let mut entry = String::new();
        if characters.next_if_eq(&'"').is_some() {
            loop {
                match characters.next()? {
                    '"' => break,
                    '\\' => entry.push(characters.next()?),
                    other => entry.push(other),
                }
            }
            while characters.next_if(char::is_ascii_whitespace).is_some() {}
        } else {
            while let Some(character) = characters.next_if(|character| *character != ',') {
                match character {
                    '\\' => entry.push(characters.next()?),
                    '{' | '}' | '"' => return None,
                    other => entry.push(other),
                }
            }
            entry.truncate(entry.trim_ascii_end().len());
            if entry.eq_ignore_ascii_case("null") {
                return None;
            }
        }
        entries.push(entry);
        match characters.next() {
            None => return Some(entries),
            Some(',') => {}
            Some(_) => return None,
        }
    }
}
