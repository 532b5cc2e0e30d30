//! JSON as it is written, with every field that stands twice (2.2.23) and every number as a double (1.8), but for whole
//! numbers that a double does not hold (3.9).

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    /// A whole number beyond 2^53 - 1 that is written as one.
    Whole(i64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The value of a JSON text, or `None` if it is not JSON (2.1.1, 2.1.8).
    pub(crate) fn parse(text: &[u8]) -> Option<Json> {
        serde_json::from_slice(text).ok()
    }

    /// The field's last value; null counts as absent (2.2.1).
    pub(crate) fn field(&self, name: &str) -> Option<&Json> {
        self.last(name).filter(|value| **value != Json::Null)
    }

    /// The field's last value, null or not.
    pub(crate) fn last(&self, name: &str) -> Option<&Json> {
        self.every(name).last()
    }

    /// All values of the field, in order.
    pub(crate) fn every(&self, name: &str) -> impl Iterator<Item = &Json> {
        self.fields().iter().filter(move |(field, _)| field == name).map(|(_, value)| value)
    }

    /// The same with this value alone in the field.
    #[must_use]
    pub(crate) fn with(&self, name: &str, value: Json) -> Json {
        let mut fields: Vec<_> = self.fields().iter().filter(|(field, _)| field != name).cloned().collect();
        fields.push((name.to_owned(), value));
        Json::Object(fields)
    }

    pub(crate) fn fields(&self) -> &[(String, Json)] {
        match self {
            Json::Object(fields) => fields,
            _ => &[],
        }
    }

    pub(crate) fn list(&self) -> Option<&[Json]> {
        match self {
            Json::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The elements of a field that is a list; absent is empty.
    pub(crate) fn elements(&self, name: &str) -> &[Json] {
        self.field(name).and_then(Json::list).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a field.
    pub(crate) fn string(&self, name: &str) -> Option<&str> {
        self.field(name).and_then(Json::text)
    }

    pub(crate) fn bool(&self) -> Option<bool> {
        match self {
            Json::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Json::Number(number) => Some(*number),
            Json::Whole(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// A whole number of 64 bits that is written as one, or one from -9007199254740991 to 9007199254740991 however it is
    /// written (3.9).
    pub(crate) fn integer(&self) -> Option<i64> {
        if let Json::Whole(number) = self {
            return Some(*number);
        }
        let number = self.number()?;
        (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_991.0).then_some(number as i64)
    }

    /// A whole number from 0 to 9007199254740991.
    pub(crate) fn natural(&self) -> Option<u64> {
        u64::try_from(self.integer()?).ok().filter(|number| *number <= 9_007_199_254_740_991)
    }

    /// How many arrays and objects are nested in each other.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Json::List(elements) => 1 + elements.iter().map(Json::depth).max().unwrap_or(0),
            Json::Object(fields) => 1 + fields.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// The same value for comparing: an integer is an integer however it is written, of two fields the last counts.
    pub(crate) fn to_value(&self) -> serde_json::Value {
        match self {
            Json::Null => serde_json::Value::Null,
            Json::Bool(value) => (*value).into(),
            Json::Number(number) => self.integer().map_or_else(|| (*number).into(), Into::into),
            Json::Whole(number) => (*number).into(),
            Json::Text(text) => text.as_str().into(),
            Json::List(elements) => elements.iter().map(Json::to_value).collect(),
            Json::Object(fields) => {
                serde_json::Value::Object(fields.iter().map(|(name, value)| (name.clone(), value.to_value())).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(if value.unsigned_abs() < 1 << 53 { Json::Number(value as f64) } else { Json::Whole(value) })
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Json, E> {
        i64::try_from(value).map_or(Ok(Json::Number(value as f64)), |value| self.visit_i64(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Json, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element()? {
            elements.push(element);
        }
        Ok(Json::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = object.next_entry()? {
            fields.push(field);
        }
        Ok(Json::Object(fields))
    }
}
