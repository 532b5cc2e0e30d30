//! Snapshots as they come: bytes become values, and the two accepted shapes become one (section 2.1 of SEMANTICS.md).
//!
//! This is the only file that names serde. It knows where the flags stand, not what is in them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::context::{Context, ContextError};
use crate::error::{SnapshotError, Violation, found, no_time};
use crate::limit::{MAX_FLAGS, MAX_NESTING_DEPTH, MAX_SNAPSHOT_BYTES};
use crate::time::Time;
use crate::value::Value;

/// The version of the document that this engine reads.
pub(crate) const VERSION: i64 = 1;

/// A snapshot whose flags and segments nobody has looked at yet.
#[derive(Debug, Default)]
pub(crate) struct Snapshot<'a> {
    pub(crate) revision: Option<u64>,
    pub(crate) generated_at: Option<Time>,
    pub(crate) segments: Vec<Value<'a>>,
    pub(crate) flags: Vec<Value<'a>>,
    /// Whether the flags are bare rows: their places are then `/0`, not `/flags/0`.
    pub(crate) bare: bool,
}

impl<'a> Snapshot<'a> {
    /// # Errors
    /// When the bytes are refused whole (2.1.7).
    pub(crate) fn from_json(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        if bytes.len() > MAX_SNAPSHOT_BYTES {
            return Err(SnapshotError::TooLarge { bytes: bytes.len() });
        }
        match parse(bytes)? {
            Value::List(flags) => {
                at_most(flags.len(), "flags", "")?;
                Ok(Snapshot { flags, bare: true, ..Snapshot::default() })
            }
            Value::Object(fields) => Self::from_document(fields),
            other => {
                Err(wrong("", format!("{} is no snapshot, expected an object or an array of flags", found(&other))))
            }
        }
    }

    fn from_document(fields: Vec<(Cow<'a, str>, Value<'a>)>) -> Result<Self, SnapshotError> {
        let [mut version, mut flags, mut revision, mut generated_at, mut segments] = [const { None }; 5];
        for (name, value) in fields {
            let field = match name.as_ref() {
                "esclusa" => &mut version,
                "flags" => &mut flags,
                "revision" => &mut revision,
                "generated_at" => &mut generated_at,
                "segments" => &mut segments,
                _ => continue,
            };
            if field.replace(value).is_some() {
                return Err(wrong(&format!("/{name}"), "stands more than once, expected once"));
            }
        }
        match version {
            Some(Value::Integer(VERSION)) => {}
            Some(other) => {
                return Err(wrong(
                    "/esclusa",
                    format!("{} is not a version that this engine reads, expected {VERSION}", found(&other)),
                ));
            }
            None => {
                return Err(wrong(
                    "/esclusa",
                    format!("is missing, expected \"esclusa\": {VERSION}, or an array of flags as the whole snapshot"),
                ));
            }
        }
        let revision = match revision.unwrap_or_default() {
            Value::Null => None,
            Value::Integer(number) if number >= 0 => Some(number.unsigned_abs()),
            other => {
                return Err(wrong(
                    "/revision",
                    format!("{} is no revision, expected a whole number from 0 to 9007199254740991", found(&other)),
                ));
            }
        };
        let generated_at = match generated_at.unwrap_or_default() {
            Value::Null => None,
            other => match other.as_str().and_then(Time::parse) {
                Some(time) => Some(time),
                None => return Err(wrong("/generated_at", no_time(&other))),
            },
        };
        let segments = match segments.unwrap_or_default() {
            Value::Null => Vec::new(),
            Value::List(segments) => segments,
            other => {
                return Err(wrong("/segments", format!("{} is no list of segments, expected an array", found(&other))));
            }
        };
        let flags = match flags {
            Some(Value::List(flags)) => flags,
            Some(other) => {
                return Err(wrong("/flags", format!("{} is no list of flags, expected an array", found(&other))));
            }
            None => return Err(wrong("/flags", "is missing, expected an array of flags")),
        };
        at_most(flags.len(), "flags", "/flags")?;
        at_most(segments.len(), "segments", "/segments")?;
        Ok(Snapshot { revision, generated_at, segments, flags, bare: false })
    }
}

fn at_most(count: usize, what: &str, place: &str) -> Result<(), SnapshotError> {
    if count > MAX_FLAGS {
        return Err(wrong(place, format!("{count} {what} are too many, expected at most {MAX_FLAGS}")));
    }
    Ok(())
}

fn wrong(place: &str, problem: impl Into<String>) -> SnapshotError {
    SnapshotError::Document(Violation { place: place.to_owned(), problem: problem.into() })
}

/// Any JSON, within the limit of nesting.
fn parse(bytes: &[u8]) -> Result<Value<'_>, SnapshotError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Nested { depth: 0 }.deserialize(&mut deserializer);
    value.and_then(|value| deserializer.end().map(|()| value)).map_err(|error| not_json(&error, bytes))
}

/// The parser's error in our own words; one that we don't know stays as it is.
fn not_json(error: &serde_json::Error, bytes: &[u8]) -> SnapshotError {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let message = message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message);
    let problem = match message {
        _ if bytes.trim_ascii().is_empty() => "the text is empty, expected JSON",
        "EOF while parsing a list" => "the text ends inside an array, expected complete JSON",
        "EOF while parsing an object" => "the text ends inside an object, expected complete JSON",
        "EOF while parsing a string" => "the text ends inside a string, expected complete JSON",
        "EOF while parsing a value" => "the text ends too early, expected complete JSON",
        "expected ident" | "expected value" => "is not JSON, expected a value",
        "expected `:`" => "is not JSON, expected `:` behind the name of a field",
        "expected `,` or `]`" => "is not JSON, expected `,` or `]` behind an entry of an array",
        "expected `,` or `}`" => "is not JSON, expected `,` or `}` behind a field of an object",
        "expected `\"`" | "key must be a string" => "is not JSON, expected a field name in double quotes",
        "trailing comma" => "a comma with nothing behind it, expected one only between entries or fields",
        "trailing characters" => "there is more behind the value, expected nothing",
        "invalid escape" => r#"an escape that JSON does not have, expected one of \" \\ \/ \b \f \n \r \t and \u0000"#,
        "unexpected end of hex escape" | "lone leading surrogate in hex escape" => {
            r"a lone surrogate escape, expected a pair such as \ud83d\ude00"
        }
        "invalid unicode code point" => "is not UTF-8, expected JSON in UTF-8",
        r"control character (\u0000-\u001F) found while parsing a string" => {
            r"a control character inside a string, expected its escape, such as \n"
        }
        "invalid number" => "is no number in JSON, expected one such as -12.5",
        "number out of range" => "the number is out of range, expected a number that double precision holds",
        other => other,
    };
    SnapshotError::Json(format!("line {line}, column {column}: {problem}"))
}

/// A number in JSON's grammar, with nothing round it (2.2.6).
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    let edges = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
    let tight = edges(text.as_bytes().first()) && edges(text.as_bytes().last());
    tight.then(|| serde_json::from_str(text).ok())?
}

impl<'a> Value<'a> {
    /// Reads any JSON that is nested at most 100 deep.
    ///
    /// # Errors
    /// When the bytes are not JSON; the message says at which line and column.
    pub fn from_json(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        parse(bytes)
    }
}

impl<'a> Context<'a> {
    /// Reads a context from JSON (section 3 of SEMANTICS.md).
    ///
    /// # Errors
    /// When the bytes are not JSON, or not an object.
    pub fn from_json(bytes: &'a [u8]) -> Result<Self, ContextError> {
        let value = parse(bytes).map_err(|error| ContextError { problem: error.to_string() })?;
        Context::from_value(value)
    }
}

/// Compact JSON.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Integer(value) => serializer.serialize_i64(*value),
            Value::Number(value) => serializer.serialize_f64(*value),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(elements) => {
                let mut list = serializer.serialize_seq(Some(elements.len()))?;
                elements.iter().try_for_each(|element| list.serialize_element(element))?;
                list.end()
            }
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                fields.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
        }
    }
}

/// Reads a value that stands inside `depth` arrays and objects.
#[derive(Clone, Copy)]
struct Nested {
    depth: usize,
}

impl Nested {
    fn inner<E: serde::de::Error>(self) -> Result<Nested, E> {
        if self.depth == MAX_NESTING_DEPTH {
            return Err(E::custom(format_args!(
                "is nested too deep, expected at most {MAX_NESTING_DEPTH} arrays and objects inside each other"
            )));
        }
        Ok(Nested { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        #[expect(clippy::cast_precision_loss, reason = "sentence 3.9 asks for the nearest double")]
        Ok(i64::try_from(value).map_or(Value::Number(value as f64), Value::from))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value<'de>, E> {
        Value::number(value).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        let inner = self.inner()?;
        while let Some(element) = elements.next_element_seed(inner)? {
            list.push(element);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value<'de>, A::Error> {
        let mut fields = Vec::new();
        let inner = self.inner()?;
        while let Some(name) = entries.next_key_seed(inner)? {
            let Value::Text(name) = name else {
                return Err(A::Error::custom("a name is no string"));
            };
            fields.push((name, entries.next_value_seed(inner)?));
        }
        Ok(Value::Object(fields))
    }
}
