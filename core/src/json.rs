//! JSON (RFC 8259): text to [`Value`] and back.
//!
//! The reader borrows every text without an escape, reads to the end before it succeeds, and reports the line and
//! column of an error. It can show entries one by one, or only check a value. It knows nothing of flags. A general
//! reader with its own tree and numbers is heavy in a WebAssembly build; serde_json is the oracle in the tests.

mod string;

use std::borrow::Cow;
use std::fmt;

use crate::limit::MAX_NESTING_DEPTH;
use crate::number;
use crate::value::{Fields, Value};
use crate::whole::write_whole;
use crate::writing::Json;
use crate::{MESSAGES, RULES};

/// Why a text is not JSON, and the byte at which the error is; the end of the text if it is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    at: usize,
    /// Absent in a build without messages (8.14).
    problem: [&'static str; WORDS],
}

const WORDS: usize = if MESSAGES { 1 } else { 0 };

impl Fault {
    #[inline(always)]
    pub(crate) fn new(at: usize, problem: &'static str) -> Self {
        Fault { at, problem: [problem; WORDS] }
    }

    /// `line 3, column 7: …`: the column counts bytes; if the text ends too early it is the last column.
    pub(crate) fn message(self, bytes: &[u8]) -> String {
        let before = bytes.get(..self.at).unwrap_or(bytes);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = self.at - start + usize::from(self.at < bytes.len());
        let mut message = String::from("line ");
        write_whole(i64::try_from(line).unwrap_or(i64::MAX), &mut message);
        message.push_str(", column ");
        write_whole(i64::try_from(column).unwrap_or(i64::MAX), &mut message);
        message + ": " + self.problem.first().unwrap_or(&"is not JSON that can be read")
    }
}

const ENDS_IN_LIST: &str = "the text ends inside an array, expected complete JSON";
const ENDS_IN_OBJECT: &str = "the text ends inside an object, expected complete JSON";
const ENDS: &str = "the text ends too early, expected complete JSON";
const NO_VALUE: &str = "is not JSON, expected a value";
const NO_NUMBER: &str = "is no number in JSON, expected one such as -12.5";
const NO_NAME: &str = "is not JSON, expected a field name in double quotes";
const LONE_COMMA: &str = "a comma with nothing behind it, expected one only between entries or fields";
const TOO_LARGE: &str = "the number is out of range, expected a number that double precision holds";

/// The message has the limit in digits; this checks that they agree.
const TOO_DEEP: &str = "is nested too deep, expected at most 100 arrays and objects inside each other";
const _: () = assert!(MAX_NESTING_DEPTH == 100);

/// Reads the whole text with `read`; only white space may surround the value.
pub(crate) fn parse<'a>(
    bytes: &'a [u8],
    read: &mut dyn FnMut(&mut Reader<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Fault::new(error.valid_up_to(), "is not UTF-8, expected JSON in UTF-8"))?;
    if bytes.trim_ascii().is_empty() {
        return Err(Fault::new(bytes.len(), "the text is empty, expected JSON"));
    }
    let mut reader = Reader { text, bytes, at: 0 };
    reader.skip_space();
    read(&mut reader)?;
    reader.skip_space();
    if reader.at < bytes.len() { Err(reader.fault("there is more behind the value, expected nothing")) } else { Ok(()) }
}

/// A number in JSON's grammar, with nothing before or after it.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0 };
    let value = reader.number().ok()?;
    (reader.at == text.len()).then(|| value.as_f64())?
}

pub(crate) struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads the value at the current byte, which is inside `depth` arrays and objects, into `value`. Writing in place
    /// avoids store-forwarding stalls.
    pub(crate) fn value(&mut self, depth: usize, value: &mut Value<'a>) -> Result<(), Fault> {
        match self.peek() {
            Some(b'{') => {
                let mut fields = Vec::new();
                self.object(depth, &mut fields)?;
                *value = Value::Object(fields);
            }
            Some(b'[') => *value = Value::List(self.list(depth)?),
            Some(b'"') => *value = Value::Text(self.string()?),
            _ => *value = self.scalar()?,
        }
        Ok(())
    }

    /// The same for a row, mostly an object with several columns: it starts with the capacity of an earlier row,
    /// because growing step by step costs more. Values inside get no spare capacity, because there may be many small
    /// objects.
    pub(crate) fn row(&mut self, depth: usize, value: &mut Value<'a>) -> Result<(), Fault> {
        if !RULES || self.peek() != Some(b'{') {
            return self.value(depth, value);
        }
        let mut fields = match std::mem::take(value) {
            Value::Object(earlier) if earlier.capacity() <= 64 => earlier,
            _ => Vec::with_capacity(12),
        };
        fields.clear();
        self.object(depth, &mut fields)?;
        *value = Value::Object(fields);
        Ok(())
    }

    /// Shows each entry of the array at the current byte, with its index, and drops it; returns the number of entries.
    pub(crate) fn entries(
        &mut self,
        depth: usize,
        show: &mut dyn FnMut(usize, &mut Value<'a>),
    ) -> Result<usize, Fault> {
        let (mut count, mut entry) = (0, Value::Null);
        let mut read = |reader: &mut Self| {
            reader.row(depth + 1, &mut entry)?;
            show(count, &mut entry);
            count += 1;
            Ok(())
        };
        self.elements(depth, &mut read as &mut dyn FnMut(&mut Self) -> Result<(), Fault>)?;
        Ok(count)
    }

    /// The value at the current byte; an array or an object is only checked, and comes back empty.
    pub(crate) fn hollow(&mut self, depth: usize) -> Result<Value<'a>, Fault> {
        let hollow = match self.peek() {
            Some(b'{') if RULES => Value::Object(Vec::new()),
            Some(b'[') if RULES => Value::List(Vec::new()),
            // A browser's snapshots are small: it reads the value and drops it, which is less code.
            _ => {
                let mut value = Value::Null;
                self.value(depth, &mut value)?;
                return Ok(value);
            }
        };
        self.skip(depth)?;
        Ok(hollow)
    }

    /// Checks the value at the current byte.
    fn skip(&mut self, depth: usize) -> Result<(), Fault> {
        match self.peek() {
            Some(b'{') => self.fields(depth, |reader, _| reader.skip(depth + 1)),
            Some(b'[') => self.elements(depth, |reader| reader.skip(depth + 1)),
            Some(b'"') => self.string().map(|_| ()),
            _ => self.scalar().map(|_| ()),
        }
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fault(&self, problem: &'static str) -> Fault {
        Fault::new(self.at, problem)
    }

    /// The fault `ends` at the end of the text, else `problem`.
    #[cold]
    fn unexpected(&self, ends: &'static str, problem: &'static str) -> Fault {
        self.fault(if self.at < self.bytes.len() { problem } else { ends })
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// The next byte after white space.
    #[inline]
    fn next_token(&mut self) -> Option<u8> {
        self.skip_space();
        self.peek()
    }

    /// A value other than a string, an array or an object.
    fn scalar(&mut self) -> Result<Value<'a>, Fault> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.unexpected(ENDS, NO_VALUE)),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Fault> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return Err(self.unexpected(ENDS, NO_VALUE));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Value<'a>>, Fault> {
        let mut elements = Vec::new();
        // Reading in a closure of its own drops the old content in one place.
        let mut read = |reader: &mut Self| {
            elements.push(Value::Null);
            elements.last_mut().map_or(Ok(()), |element| reader.value(depth + 1, element))
        };
        if RULES {
            self.elements(depth, read)?;
        } else {
            // A browser gets one loop for all kinds of elements.
            self.elements(depth, &mut read as &mut dyn FnMut(&mut Self) -> Result<(), Fault>)?;
        }
        Ok(elements)
    }

    fn elements(&mut self, depth: usize, mut read: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.enter(depth)?;
        match self.next_token() {
            Some(b']') => {
                self.at += 1;
                return Ok(());
            }
            None => return Err(self.fault(ENDS_IN_LIST)),
            Some(_) => {}
        }
        loop {
            read(self)?;
            let problem = "is not JSON, expected `,` or `]` behind an entry of an array";
            if self.is_last(b']', ENDS_IN_LIST, problem)? {
                return Ok(());
            }
        }
    }

    fn object(&mut self, depth: usize, fields: &mut Fields<'a>) -> Result<(), Fault> {
        let mut read = |reader: &mut Self, name| {
            fields.push((name, Value::Null));
            fields.last_mut().map_or(Ok(()), |(_, value)| reader.value(depth + 1, value))
        };
        if RULES {
            self.fields(depth, read)
        } else {
            self.fields(depth, &mut read as &mut dyn FnMut(&mut Self, Cow<'a, str>) -> Result<(), Fault>)
        }
    }

    pub(crate) fn fields(
        &mut self,
        depth: usize,
        mut read: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.enter(depth)?;
        match self.next_token() {
            Some(b'}') => {
                self.at += 1;
                return Ok(());
            }
            None => return Err(self.fault(ENDS_IN_OBJECT)),
            Some(_) => {}
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected(ENDS, NO_NAME));
            }
            let name = self.string()?;
            if self.next_token() != Some(b':') {
                return Err(self.unexpected(ENDS_IN_OBJECT, "is not JSON, expected `:` behind the name of a field"));
            }
            self.at += 1;
            self.skip_space();
            read(self, name)?;
            let problem = "is not JSON, expected `,` or `}` behind a field of an object";
            if self.is_last(b'}', ENDS_IN_OBJECT, problem)? {
                return Ok(());
            }
        }
    }

    /// Steps over the comma after an entry or a field, or over the end; a comma is not followed by the end.
    fn is_last(&mut self, end: u8, ends: &'static str, problem: &'static str) -> Result<bool, Fault> {
        let next = self.next_token();
        if next != Some(b',') && next != Some(end) {
            return Err(self.unexpected(ends, problem));
        }
        self.at += 1;
        if next == Some(end) {
            return Ok(true);
        }
        if self.next_token() == Some(end) { Err(self.fault(LONE_COMMA)) } else { Ok(false) }
    }

    /// Steps over the opening bracket or brace.
    fn enter(&mut self, depth: usize) -> Result<(), Fault> {
        if depth == MAX_NESTING_DEPTH {
            return Err(self.fault(TOO_DEEP));
        }
        self.at += 1;
        Ok(())
    }

    /// The number at the current byte, as sentence 3.9 reads it.
    fn number(&mut self) -> Result<Value<'a>, Fault> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let (mut whole, digits) = (0_u64, self.at);
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            whole = whole.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        match (self.at - digits, self.bytes.get(digits)) {
            (0, _) => return Err(self.unexpected(ENDS, NO_NUMBER)),
            (2.., Some(b'0')) => return Err(Fault::new(digits + 1, NO_NUMBER)),
            // 19 digits fit into 64 bits, so there was no overflow.
            (..=19, _) if !matches!(self.peek(), Some(b'.' | b'e' | b'E')) => {
                let integer = if negative { 0_i64.checked_sub_unsigned(whole) } else { i64::try_from(whole).ok() };
                if let Some(integer) = integer {
                    return Ok(Value::Integer(integer));
                }
            }
            _ => {}
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        let number = number::parse(self.text.get(start..self.at).unwrap_or_default());
        Value::number(number).ok_or(Fault::new(start, TOO_LARGE))
    }

    /// Steps over one digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.unexpected(ENDS, NO_NUMBER)) }
    }
}

/// Compact JSON, numbers as ECMAScript writes them (RFC 8785, section 3.2.2.3), so that every host writes the same.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl Value<'_> {
    /// Compact JSON; `Display` prints the same.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Json::default();
        json.value(self);
        json.into_text()
    }
}
