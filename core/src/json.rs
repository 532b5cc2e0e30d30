//! JSON (RFC 8259): text to [`Value`] and back.
//!
//! It borrows every text that has no escape, reads the whole before it answers, and says at which line and column it
//! stopped. What need not be there all at once is checked and left as its text ([`Outline`]). It knows nothing of flags.
//! Written for this crate because a general reader with its own tree and numbers
//! is heavy in a WebAssembly build; serde_json is its oracle in the tests.

mod outline;

use std::borrow::Cow;
use std::fmt;

use crate::RULES;
use crate::limit::MAX_NESTING_DEPTH;
use crate::number;
use crate::value::Value;
use crate::whole::write_whole;
use crate::writing::Json;
pub(crate) use outline::{Outline, Raw};

/// Why a text is not JSON that we read, and the byte at which that shows; the end of the text if it is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    at: usize,
    problem: &'static str,
}

impl Fault {
    /// `line 3, column 7: …`: the column counts bytes, and of a text that ends too early it is the last one.
    pub(crate) fn message(self, bytes: &[u8]) -> String {
        let before = bytes.get(..self.at).unwrap_or(bytes);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = self.at - start + usize::from(self.at < bytes.len());
        let mut message = String::from("line ");
        write_whole(i64::try_from(line).unwrap_or(i64::MAX), &mut message);
        message.push_str(", column ");
        write_whole(i64::try_from(column).unwrap_or(i64::MAX), &mut message);
        message + ": " + self.problem
    }
}

const ENDS_IN_LIST: &str = "the text ends inside an array, expected complete JSON";
const ENDS_IN_OBJECT: &str = "the text ends inside an object, expected complete JSON";
const ENDS_IN_STRING: &str = "the text ends inside a string, expected complete JSON";
const ENDS: &str = "the text ends too early, expected complete JSON";
const NO_VALUE: &str = "is not JSON, expected a value";
const NO_NUMBER: &str = "is no number in JSON, expected one such as -12.5";
const NO_NAME: &str = "is not JSON, expected a field name in double quotes";
const LONE_COMMA: &str = "a comma with nothing behind it, expected one only between entries or fields";
const NO_ESCAPE: &str = r#"an escape that JSON does not have, expected one of \" \\ \/ \b \f \n \r \t and \u0000"#;
const LONE_SURROGATE: &str = r"a lone surrogate escape, expected a pair such as \ud83d\ude00";
const CONTROL: &str = r"a control character inside a string, expected its escape, such as \n";
const TOO_LARGE: &str = "the number is out of range, expected a number that double precision holds";

/// Too deep is said with the limit itself, which is checked here so that it cannot drift.
const TOO_DEEP: &str = "is nested too deep, expected at most 100 arrays and objects inside each other";
const _: () = assert!(MAX_NESTING_DEPTH == 100);

/// What the whole text is.
pub(crate) fn parse<'a, T: Read<'a>>(bytes: &'a [u8]) -> Result<T, Fault> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Fault { at: error.valid_up_to(), problem: "is not UTF-8, expected JSON in UTF-8" })?;
    if bytes.trim_ascii().is_empty() {
        return Err(Fault { at: bytes.len(), problem: "the text is empty, expected JSON" });
    }
    let mut reader = Reader { text, bytes, at: 0 };
    reader.skip_space();
    let mut value = T::default();
    value.read(&mut reader, 0)?;
    reader.skip_space();
    if reader.at < bytes.len() {
        Err(reader.fault("there is more behind the value, expected nothing"))
    } else {
        Ok(value)
    }
}

/// A number in JSON's grammar with nothing round it.
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

/// What can be made of a text that is JSON; the grammar and its faults are the reader's, and so the same for all.
pub(crate) trait Read<'a>: Default {
    /// Becomes what begins here and stands inside `depth` arrays and objects. It is made in its place: a value that is
    /// handed on is copied in other pieces than it was written in, and a processor waits at every one.
    fn read(&mut self, reader: &mut Reader<'a>, depth: usize) -> Result<(), Fault>;
}

impl<'a> Read<'a> for Value<'a> {
    fn read(&mut self, reader: &mut Reader<'a>, depth: usize) -> Result<(), Fault> {
        match reader.peek() {
            Some(b'{') => *self = Value::Object(reader.object(depth)?),
            Some(b'[') => *self = Value::List(reader.list(depth)?),
            Some(b'"') => *self = Value::Text(reader.string()?),
            _ => *self = reader.scalar()?,
        }
        Ok(())
    }
}

impl<'a> Reader<'a> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn fault(&self, problem: &'static str) -> Fault {
        Fault { at: self.at, problem }
    }

    /// `ends` if the text ends here, else `problem`.
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

    /// The byte behind any white space.
    #[inline]
    fn next_token(&mut self) -> Option<u8> {
        self.skip_space();
        self.peek()
    }

    /// What is neither a string nor an array nor an object.
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

    fn list<T: Read<'a>>(&mut self, depth: usize) -> Result<Vec<T>, Fault> {
        let mut elements = Vec::new();
        // Read apart from here, what is there already is dropped in one place.
        let mut read = |reader: &mut Self| {
            elements.push(T::default());
            elements.last_mut().map_or(Ok(()), |element| element.read(reader, depth + 1))
        };
        if RULES {
            self.elements(depth, read)?;
        } else {
            // A browser is given one loop for every kind of element.
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

    fn object<T: Read<'a>>(&mut self, depth: usize) -> Result<Vec<(Cow<'a, str>, T)>, Fault> {
        // A flag by itself, or a context, begins with room for its columns, because growing step by step costs more. What
        // stands inside does not: small objects may be many, and would take many times their text.
        let mut fields = Vec::with_capacity(if RULES && depth == 0 { 12 } else { 0 });
        let mut read = |reader: &mut Self, name| {
            fields.push((name, T::default()));
            fields.last_mut().map_or(Ok(()), |(_, value)| value.read(reader, depth + 1))
        };
        if RULES {
            self.fields(depth, read)?;
        } else {
            self.fields(depth, &mut read as &mut dyn FnMut(&mut Self, Cow<'a, str>) -> Result<(), Fault>)?;
        }
        Ok(fields)
    }

    fn fields(
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

    /// Steps over the comma behind an entry or a field, or over the end; there is no end behind a comma.
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

    /// Steps over the bracket or brace.
    fn enter(&mut self, depth: usize) -> Result<(), Fault> {
        if depth == MAX_NESTING_DEPTH {
            return Err(self.fault(TOO_DEEP));
        }
        self.at += 1;
        Ok(())
    }

    /// The string that begins here; it borrows from the text unless it has an escape.
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.at += 1;
        let plain = self.plain();
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        self.rest_of_string(plain).map(Cow::Owned)
    }

    /// The string that begins with what is plain of it, and goes on with an escape or something wrong.
    #[cfg_attr(not(target_family = "wasm"), inline(never))]
    fn rest_of_string(&mut self, plain: &str) -> Result<String, Fault> {
        let mut text = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                Some(_) => return Err(self.fault(CONTROL)),
                None => return Err(self.fault(ENDS_IN_STRING)),
            }
            text.push_str(self.plain());
        }
    }

    /// What stands as it is, up to a quote, a backslash or a control character.
    #[inline]
    fn plain(&mut self) -> &'a str {
        let start = self.at;
        let mut at = start;
        // Eight bytes at a time, where that is not more code than a browser is to load.
        while let Some(eight) = self.bytes.get(at..).and_then(<[u8]>::first_chunk).filter(|_| RULES) {
            let special = specials(u64::from_le_bytes(*eight));
            at += (special.trailing_zeros() / 8) as usize;
            if special != 0 {
                self.at = at;
                return self.text.get(start..at).unwrap_or_default();
            }
        }
        let rest = self.bytes.get(at..).unwrap_or_default();
        let special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
        self.at = at + rest.iter().position(special).unwrap_or(rest.len());
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The character of the escape whose backslash was just read.
    fn escape(&mut self) -> Result<char, Fault> {
        let character = match self.peek() {
            Some(character @ (b'"' | b'\\' | b'/')) => char::from(character),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            _ => return Err(self.unexpected(ENDS_IN_STRING, NO_ESCAPE)),
        };
        self.at += 1;
        Ok(character)
    }

    fn code_point(&mut self) -> Result<char, Fault> {
        let lone = Fault { at: self.at - 1, problem: LONE_SURROGATE };
        let first = self.code_unit()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        for expected in [b'\\', b'u'] {
            if self.bytes.get(self.at + usize::from(expected == b'u')) != Some(&expected) || first >= 0xdc00 {
                return Err(if self.at < self.bytes.len() { lone } else { self.fault(ENDS_IN_STRING) });
            }
        }
        self.at += 1;
        let second = self.code_unit()?;
        let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or(lone)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + low).ok_or(lone)
    }

    /// `u` and four hexadecimal digits.
    fn code_unit(&mut self) -> Result<u32, Fault> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return Err(self.unexpected(ENDS_IN_STRING, NO_ESCAPE)) };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    /// The number that begins here, as sentence 3.9 holds it.
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
            (2.., Some(b'0')) => return Err(Fault { at: digits + 1, problem: NO_NUMBER }),
            // 15 digits fit into every host's integers, so nothing can have wrapped.
            (..=15, _) if !matches!(self.peek(), Some(b'.' | b'e' | b'E')) => {
                let whole = i64::try_from(whole).unwrap_or_default();
                return Ok(Value::Integer(if negative { -whole } else { whole }));
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
        Value::number(number).ok_or(Fault { at: start, problem: TOO_LARGE })
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.unexpected(ENDS, NO_NUMBER)) }
    }
}

/// Of eight bytes, the top bit of the first that is a quote, a backslash or a control character; those above it may be
/// set wrongly, because a difference borrows from the byte above ("Bit Twiddling Hacks", "Determine if a word has a byte
/// less than n").
fn specials(eight: u64) -> u64 {
    const EACH: u64 = u64::MAX / 0xff;
    let less = |bytes: u64, than: u8| bytes.wrapping_sub(EACH * u64::from(than)) & !bytes;
    let equal = |to: u8| less(eight ^ (EACH * u64::from(to)), 1);
    (less(eight, 0x20) | equal(b'"') | equal(b'\\')) & (EACH * 0x80)
}

/// Compact JSON, numbers as ECMAScript writes them (RFC 8785, section 3.2.2.3), so that every host writes the same.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl Value<'_> {
    /// Compact JSON: what it prints as.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Json::default();
        json.value(self);
        json.into_text()
    }
}
