//! A JSON value: what variants serve, what attributes hold, and what a snapshot is read into.
//!
//! It knows no flags. Numbers follow sentence 3.9 of SEMANTICS.md: a whole number of 64 bits that is written without
//! fraction and exponent is an integer; one that every host can hold is an integer in any spelling; any other number is
//! a double.

use crate::RULES;
use crate::index::Index;
use crate::order;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// The largest whole number that every host can hold: 2^53 - 1, JavaScript's `Number.MAX_SAFE_INTEGER`.
pub const MAX_INTEGER: i64 = 9_007_199_254_740_991;

/// The fields of an object, in their order.
pub(crate) type Fields<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// A JSON value that borrows its texts where it can.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// `null`, which counts as missing in a context.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that is exact.
    Integer(i64),
    /// Any other finite number.
    Number(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Value<'a>>),
    /// An object, with its fields in their order; of two with one name the last counts.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// The number as this type holds it, or `None` for a number that JSON cannot hold.
    #[must_use]
    pub fn number(number: f64) -> Option<Self> {
        if !number.is_finite() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the cast is checked by casting back")]
        let whole = number as i64;
        #[expect(clippy::cast_precision_loss, reason = "exact in the range that is accepted")]
        let same = whole.unsigned_abs() <= MAX_INTEGER.unsigned_abs() && whole as f64 == number;
        Some(if same { Value::Integer(whole) } else { Value::Number(number) })
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The text, if it is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number as a double, if it is a number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "comparisons are in double precision (1.8)")]
            Value::Integer(value) => Some(*value as f64),
            Value::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if it is one (sentence 3.9).
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value<'a>]> {
        match self {
            Value::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The field of an object; of several with one name the last.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        match self {
            Value::Object(fields) => fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The same value, owning all its texts.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        if !RULES {
            // A browser has one way of copying, which is less code.
            return self.to_owned();
        }
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Integer(value) => Value::Integer(value),
            Value::Number(value) => Value::Number(value),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::List(elements) => Value::List(elements.into_iter().map(Value::into_owned).collect()),
            Value::Object(fields) => Value::Object(
                fields.into_iter().map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned())).collect(),
            ),
        }
    }

    /// A copy that owns all its texts.
    pub(crate) fn to_owned(&self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(*value),
            Value::Integer(value) => Value::Integer(*value),
            Value::Number(value) => Value::Number(*value),
            Value::Text(text) => Value::Text(Cow::Owned(text.as_ref().to_owned())),
            Value::List(elements) => Value::List(elements.iter().map(Value::to_owned).collect()),
            Value::Object(fields) => {
                let owned = |(name, value): &(Cow<'_, str>, Value<'_>)| {
                    (Cow::Owned(name.as_ref().to_owned()), value.to_owned())
                };
                Value::Object(fields.iter().map(owned).collect())
            }
        }
    }

    /// The same value with the names of every object in order, of two the last, so that equal values print as equal
    /// bytes: canonical JSON (RFC 8785), which sorts by UTF-16 code units.
    #[must_use]
    pub fn into_canonical(self) -> Self {
        match self {
            Value::List(elements) => Value::List(elements.into_iter().map(Value::into_canonical).collect()),
            Value::Object(fields) => {
                let sorted: BTreeMap<Vec<u16>, _> = fields
                    .into_iter()
                    .map(|(name, value)| (name.encode_utf16().collect(), (name, value.into_canonical())))
                    .collect();
                Value::Object(sorted.into_values().collect())
            }
            other => other,
        }
    }

    /// The same value in which each object keeps, of several fields with one name, only the last (2.2.23).
    pub(crate) fn last_of_each(&self) -> Value<'static> {
        let mut value = self.to_owned();
        if value.repeats() {
            value.drop_repeats();
        }
        value
    }

    fn repeats(&self) -> bool {
        match self {
            Value::List(elements) => elements.iter().any(Value::repeats),
            Value::Object(fields) => lasts(fields).contains(&false) || fields.iter().any(|(_, value)| value.repeats()),
            _ => false,
        }
    }

    fn drop_repeats(&mut self) {
        match self {
            Value::List(elements) => elements.iter_mut().for_each(Value::drop_repeats),
            Value::Object(fields) => {
                let mut lasts = lasts(fields).into_iter();
                fields.retain(|_| lasts.next().unwrap_or(true));
                fields.iter_mut().for_each(|(_, value)| value.drop_repeats());
            }
            _ => {}
        }
    }

    /// The kind of value, as messages to authors name it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Integer(_) | Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

/// For each field, whether it is the last one with its name.
pub(crate) fn lasts(fields: &[(Cow<'_, str>, Value<'_>)]) -> Vec<bool> {
    let mut seen = Index::with_room_for(fields.len());
    let mut lasts = vec![true; fields.len()];
    for (at, ((name, _), last)) in fields.iter().zip(&mut lasts).enumerate().rev() {
        let hash = seen.hash(name);
        *last = seen.find(hash, |other| fields.get(other as usize).is_some_and(|(other, _)| other == name)).is_none();
        if *last {
            seen.insert(hash, u32::try_from(at).unwrap_or_default());
        }
    }
    lasts
}

impl Hash for Value<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Value::Null => {}
            Value::Bool(value) => value.hash(state),
            Value::Integer(value) => value.hash(state),
            Value::Number(value) => value.to_bits().hash(state),
            Value::Text(text) => text.hash(state),
            Value::List(elements) => elements.hash(state),
            // The order of fields does not matter.
            Value::Object(fields) => {
                let sorted: Vec<(&str, usize)> =
                    order::sorted(fields.iter().zip(0..).map(|((name, _), at)| (&**name, at)).collect());
                sorted.len().hash(state);
                sorted.iter().for_each(|(_, at)| fields.get(*at).hash(state));
            }
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i32> for Value<'_> {
    fn from(value: i32) -> Self {
        Value::Integer(i64::from(value))
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Value::Integer(i64::from(value))
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Value::Integer(value)
    }
}

/// Above [`i64::MAX`] it is the nearest double (sentence 3.9).
impl From<u64> for Value<'_> {
    fn from(value: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "sentence 3.9 asks for the nearest double")]
        i64::try_from(value).map_or(Value::Number(value as f64), Value::from)
    }
}

/// A number that JSON cannot hold (infinite or not a number) becomes null, which is missing.
impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Value::number(value).unwrap_or_default()
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Text(Cow::Owned(text))
    }
}

impl<'a, T: Into<Value<'a>>> From<Vec<T>> for Value<'a> {
    fn from(elements: Vec<T>) -> Self {
        Value::List(elements.into_iter().map(Into::into).collect())
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}
