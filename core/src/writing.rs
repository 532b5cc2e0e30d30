//! Writing JSON piece by piece: answers and reports are written straight into the text that a host returns.
//!
//! In a WebAssembly build, a tree of values or std's formatting would weigh as much as all the text that is written.
//! The module knows JSON and no flags.

use crate::number;
use crate::value::Value;
use crate::whole::write_whole;

/// A writer of compact JSON.
///
/// ```
/// use esclusa::Json;
/// let mut json = Json::default();
/// json.object(|json| {
///     json.name("size").whole(2);
///     json.name("keys").list(["a", "b"], Json::text);
///     json.name("revision").maybe(None, Json::whole);
/// });
/// assert_eq!(json.into_text(), r#"{"size":2,"keys":["a","b"],"revision":null}"#);
/// ```
#[derive(Debug, Default)]
pub struct Json(String);

impl Json {
    /// Writes an object: the function writes its fields, each by its [`name`](Self::name) and a value.
    pub fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.open('{');
        fields(self);
        self.0.push('}');
    }

    /// Writes the name of a field; its value follows.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.text(name);
        self.0.push(':');
        self
    }

    /// Writes an array: the function writes each entry.
    pub fn list<T>(&mut self, entries: impl IntoIterator<Item = T>, mut entry: impl FnMut(&mut Self, T)) {
        self.open('[');
        for one in entries {
            entry(self, one);
        }
        self.0.push(']');
    }

    /// Writes the value by the function, or null.
    pub fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.word("null"),
        }
    }

    /// True or false.
    pub fn bool(&mut self, value: bool) {
        self.word(if value { "true" } else { "false" });
    }

    /// A whole number.
    pub fn whole(&mut self, number: i64) {
        self.begin();
        write_whole(number, &mut self.0);
    }

    /// A string.
    pub fn text(&mut self, text: &str) {
        self.open('"');
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20) {
            self.0.push_str(rest.get(..at).unwrap_or_default());
            let byte = rest.as_bytes().get(at).copied().unwrap_or_default();
            self.0.push('\\');
            match byte {
                0x8 => self.0.push('b'),
                0xc => self.0.push('f'),
                b'\n' => self.0.push('n'),
                b'\r' => self.0.push('r'),
                b'\t' => self.0.push('t'),
                0..0x20 => {
                    self.0.push_str(if byte < 0x10 { "u000" } else { "u001" });
                    self.0.push(char::from_digit(u32::from(byte & 0xf), 16).unwrap_or_default());
                }
                other => self.0.push(char::from(other)),
            }
            rest = rest.get(at + 1..).unwrap_or_default();
        }
        self.0.push_str(rest);
        self.0.push('"');
    }

    /// Writes any value; numbers as ECMAScript writes them (RFC 8785, section 3.2.2.3), so that every host writes the
    /// same. Only an integer is written as one: a double of 2^53 and more gets the fraction `.0` (3.9).
    pub fn value(&mut self, value: &Value<'_>) {
        match value {
            Value::Null => self.word("null"),
            Value::Bool(value) => self.bool(*value),
            Value::Integer(value) => self.whole(*value),
            Value::Number(value) => {
                self.begin();
                let start = self.0.len();
                number::write(*value, &mut self.0);
                let is_fraction = |byte: &u8| matches!(byte, b'.' | b'e');
                if !self.0.as_bytes().get(start..).is_some_and(|text| text.iter().any(is_fraction)) {
                    self.0.push_str(".0");
                }
            }
            Value::Text(text) => self.text(text),
            Value::List(elements) => self.list(elements, Json::value),
            Value::Object(fields) => self.object(|json| {
                for (name, value) in fields {
                    json.name(name).value(value);
                }
            }),
        }
    }

    /// What was written.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }

    /// Writes a comma unless this is the first element.
    fn begin(&mut self) {
        if !matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(',');
        }
    }

    fn open(&mut self, mark: char) {
        self.begin();
        self.0.push(mark);
    }

    fn word(&mut self, word: &str) {
        self.begin();
        self.0.push_str(word);
    }
}
