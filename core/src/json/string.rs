//! Strings in JSON: borrowed from the text where they have no escape.

use std::borrow::Cow;

use super::{Fault, Reader};
use crate::RULES;

const ENDS_IN_STRING: &str = "the text ends inside a string, expected complete JSON";
const NO_ESCAPE: &str = r#"an escape that JSON does not have, expected one of \" \\ \/ \b \f \n \r \t and \u0000"#;
const LONE_SURROGATE: &str = r"a lone surrogate escape, expected a pair such as \ud83d\ude00";
const CONTROL: &str = r"a control character inside a string, expected its escape, such as \n";

impl<'a> Reader<'a> {
    /// The string at the current byte; it borrows from the text unless it has an escape.
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.at += 1;
        let plain = self.plain();
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        self.rest_of_string(plain).map(Cow::Owned)
    }

    /// The rest of a string that has an escape or an error, after its plain start.
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

    /// The plain characters up to a quote, a backslash or a control character.
    #[inline]
    fn plain(&mut self) -> &'a str {
        let start = self.at;
        let mut at = start;
        // Eight bytes at a time, except in a browser, where this is too much code.
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
        let lone = Fault::new(self.at - 1, LONE_SURROGATE);
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
}

/// The top bit of the first of eight bytes that is a quote, a backslash or a control character. Higher bits may be set
/// wrongly, because a difference borrows from the byte above ("Bit Twiddling Hacks", "Determine if a word has a byte
/// less than n").
fn specials(eight: u64) -> u64 {
    const EACH: u64 = u64::MAX / 0xff;
    let less = |bytes: u64, than: u8| bytes.wrapping_sub(EACH * u64::from(than)) & !bytes;
    let equal = |to: u8| less(eight ^ (EACH * u64::from(to)), 1);
    (less(eight, 0x20) | equal(b'"') | equal(b'\\')) & (EACH * 0x80)
}
