//! A body as `spec/GUARD.md` has it, read field by field: what is not listed there is a mistake.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use esclusa::{Time, Value};

use crate::api::bad;
use crate::body::{Unusable, read};
use crate::problem::Problem;

/// An object of a body, and where it is in it.
pub(super) struct Form<'v> {
    at: String,
    fields: Vec<(&'v str, &'v Value<'v>)>,
}

/// Reads a body of at most so many bytes.
pub(super) async fn body(headers: &HeaderMap, body: Body, most_bytes: usize) -> Result<Value<'static>, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let kind: String = kind.chars().take(50).collect();
        let detail = format!("the type is `{kind}`, expected application/json");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let large = || {
        let detail = format!("the body is too large, expected at most {most_bytes} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    };
    let bytes = read(body).await.map_err(|unusable| match unusable {
        Unusable::TooLarge => large(),
        other => other.into(),
    })?;
    if bytes.len() > most_bytes {
        return Err(large());
    }
    let value = Value::from_json(&bytes).map_err(|error| bad(format!("the body cannot be read: {error}")))?;
    Ok(value.into_owned())
}

impl<'v> Form<'v> {
    /// A whole body, with the version 1.
    pub(super) fn whole(value: &'v Value<'v>, names: &[&str]) -> Result<Self, Problem> {
        let form = Form::of("", value, names)?;
        match form.field("esclusa").and_then(Value::as_i64) {
            Some(1) => Ok(form),
            _ => Err(bad("`esclusa` is missing or another version, expected 1".to_owned())),
        }
    }

    pub(super) fn of(at: &str, value: &'v Value<'v>, names: &[&str]) -> Result<Self, Problem> {
        let place = if at.is_empty() { "the body".to_owned() } else { format!("`{at}`") };
        let Value::Object(fields) = value else { return Err(bad(format!("{place} is no object, expected one"))) };
        let form =
            Form { at: at.to_owned(), fields: fields.iter().map(|(name, value)| (name.as_ref(), value)).collect() };
        for (place, (name, _)) in form.fields.iter().enumerate() {
            if !names.contains(name) {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let name: String = name.chars().take(50).collect();
                return Err(bad(format!("`{}` is no field, expected {}", form.place(&name), names.join(", "))));
            }
            if form.fields.iter().take(place).any(|(earlier, _)| earlier == name) {
                return Err(bad(format!("`{}` is there twice", form.place(name))));
            }
        }
        Ok(form)
    }

    pub(super) fn place(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    pub(super) fn field(&self, name: &str) -> Option<&'v Value<'v>> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| *value)
    }

    fn wrong(&self, name: &str, expected: &str) -> Problem {
        let found = self.field(name).map(|value| value.to_json().chars().take(50).collect::<String>());
        let found = found.unwrap_or_else(|| "missing".to_owned());
        bad(format!("`{}` is {found}, expected {expected}", self.place(name)))
    }

    /// A field that has to be there.
    fn needed<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&'v Value<'v>) -> Option<T>,
    ) -> Result<T, Problem> {
        self.field(name).and_then(read).ok_or_else(|| self.wrong(name, expected))
    }

    /// A field that may be missing, but not null.
    fn maybe<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&'v Value<'v>) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        match self.field(name) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| self.wrong(name, expected)),
        }
    }

    pub(super) fn text(&self, name: &str, most: usize) -> Result<&'v str, Problem> {
        self.needed(name, &format!("a text of 1 to {most} characters"), |value| text(value, most))
    }

    pub(super) fn maybe_text(&self, name: &str, most: usize) -> Result<Option<&'v str>, Problem> {
        self.maybe(name, &format!("a text of 1 to {most} characters"), |value| text(value, most))
    }

    /// A text or null.
    pub(super) fn nullable_text(&self, name: &str) -> Result<Option<&'v str>, Problem> {
        self.needed(name, "a text or null", |value| match value {
            Value::Null => Some(None),
            value => value.as_str().map(Some),
        })
    }

    pub(super) fn one_of(&self, name: &str, words: [&str; 2]) -> Result<Option<&'v str>, Problem> {
        let expected = format!("`{}`", words.join("` or `"));
        self.maybe(name, &expected, |value| value.as_str().filter(|word| words.contains(word)))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Problem> {
        self.needed(name, "true or false", Value::as_bool)
    }

    pub(super) fn maybe_flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        self.maybe(name, "true or false", Value::as_bool)
    }

    pub(super) fn count(&self, name: &str, least: i64, most: i64) -> Result<i64, Problem> {
        let expected = if most == i64::MAX {
            format!("a whole number from {least} on")
        } else {
            format!("a whole number from {least} to {most}")
        };
        self.needed(name, &expected, |value| value.as_i64().filter(|number| (least..=most).contains(number)))
    }

    pub(super) fn maybe_count(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.maybe(name, "a whole number from 0 on", |value| value.as_i64().filter(|number| *number >= 0))
    }

    /// A whole number from 0 on, or null.
    pub(super) fn nullable_count(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.needed(name, "a whole number from 0 on, or null", |value| match value {
            Value::Null => Some(None),
            value => value.as_i64().filter(|number| *number >= 0).map(Some),
        })
    }

    pub(super) fn number(&self, name: &str, least: f64, most: f64) -> Result<f64, Problem> {
        let expected = format!("a number from {least} to {most}");
        self.needed(name, &expected, |value| value.as_f64().filter(|number| (least..=most).contains(number)))
    }

    pub(super) fn maybe_number(&self, name: &str, least: f64, most: f64) -> Result<Option<f64>, Problem> {
        if self.field(name).is_some() { self.number(name, least, most).map(Some) } else { Ok(None) }
    }

    /// A time in UTC.
    pub(super) fn time(&self, name: &str) -> Result<Time, Problem> {
        self.needed(name, "a time in UTC such as 2026-12-01T14:02:00Z", |value| {
            Time::parse(value.as_str().filter(|text| text.ends_with('Z') && text.contains('T'))?)
        })
    }

    pub(super) fn list(&self, name: &str, most: usize) -> Result<&'v [Value<'v>], Problem> {
        let expected = format!("a list with 1 to {most} entries");
        self.needed(name, &expected, |value| value.as_list().filter(|list| (1..=most).contains(&list.len())))
    }

    /// At most so many fields of any name, whose values are booleans, numbers and texts of at most 200 characters.
    pub(super) fn free(&self, name: &str, most: usize) -> Result<Vec<(&'v str, &'v Value<'v>)>, Problem> {
        let expected = format!("at most {most} booleans, numbers and texts of at most 200 characters, by name");
        let fields = self.maybe(name, &expected, |value| {
            let Value::Object(fields) = value else { return None };
            let fits = |(name, value): &(std::borrow::Cow<'_, str>, Value<'_>)| {
                (1..=50).contains(&name.chars().count())
                    && match value {
                        Value::Text(text) => text.chars().count() <= 200,
                        Value::Null | Value::List(_) | Value::Object(_) => false,
                        _ => true,
                    }
            };
            (fields.len() <= most && fields.iter().all(fits))
                .then(|| fields.iter().map(|(name, value)| (name.as_ref(), value)).collect())
        })?;
        Ok(fields.unwrap_or_default())
    }

    /// The hash of a unit.
    pub(super) fn unit(&self, name: &str) -> Result<&'v str, Problem> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        self.needed(name, "16 hexadecimal digits", |value| {
            value.as_str().filter(|text| text.len() == 16 && text.bytes().all(is_digit))
        })
    }

    /// A list that has to be there, and may be empty.
    pub(super) fn needed_list(&self, name: &str) -> Result<&'v [Value<'v>], Problem> {
        self.needed(name, "a list", Value::as_list)
    }

    /// A text of any length.
    pub(super) fn any_text(&self, name: &str) -> Result<&'v str, Problem> {
        self.needed(name, "a text", Value::as_str)
    }

    /// A list that may be missing.
    pub(super) fn any_list(&self, name: &str) -> Result<Option<&'v [Value<'v>]>, Problem> {
        self.maybe(name, "a list", Value::as_list)
    }
}

fn text<'v>(value: &'v Value<'v>, most: usize) -> Option<&'v str> {
    value.as_str().filter(|text| (1..=most).contains(&text.chars().count()))
}

/// A text as both stores keep it: without NUL, and not longer than so many characters.
pub(super) fn kept(text: &str, most: usize) -> String {
    text.chars().take(most).map(|letter| if letter == '\0' { '\u{fffd}' } else { letter }).collect()
}
