//! Texts: how a flag set stores strings, and how a context's strings are prepared for cheap comparison.
//!
//! A text of up to 14 bytes fits into a 16-byte [`Token`], so plans, roles and regions are compared as two integers:
//! exactly, without a hash and without verification. A longer text is compared by its XXH3 hash and, on a hit, byte by
//! byte: a hash alone never admits a caller.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::KINDS;
use crate::bucket::hash;

/// Where a text is in [`Texts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Text {
    pub(crate) offset: u32,
    pub(crate) len: u32,
}

/// All strings of a flag set, concatenated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts(String);

impl Texts {
    /// Stores a text. The 32-bit offsets suffice: texts come from snapshots, which have at most 256 MiB each.
    pub(crate) fn push(&mut self, text: &str) -> Text {
        let offset = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.0.push_str(text);
        Text { offset, len }
    }

    #[inline]
    pub(crate) fn get(&self, text: Text) -> &str {
        let start = text.offset as usize;
        self.0.get(start..start + text.len as usize).unwrap_or_default()
    }

    /// Whether the stored text is this one.
    #[cfg_attr(target_family = "wasm", inline(always))]
    #[cfg_attr(not(target_family = "wasm"), inline)]
    pub(crate) fn is(&self, stored: Text, text: &str) -> bool {
        let start = stored.offset as usize;
        let bytes = self.0.as_bytes().get(start..start + stored.len as usize);
        bytes.is_some_and(|bytes| bytes == text.as_bytes())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Removes all texts that begin at or after this byte.
    pub(crate) fn truncate(&mut self, len: usize) {
        while self.0.len() > len {
            self.0.pop();
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity()
    }

    pub(crate) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }
}

/// A text as 16 bytes: itself and its length (0 to 14, in the top four bits), or 15 in those bits and a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Token {
    low: u64,
    high: u64,
}

const LENGTH_SHIFT: u32 = 60;
const LONG: u64 = 15;

impl Token {
    /// The token of a text that is too long for an exact token; no list holds it.
    pub(crate) const NONE: Token = Token { low: 0, high: u64::MAX };

    /// The content of a free place in a table of tokens: it equals neither a text's token nor [`Token::NONE`].
    pub(crate) const FREE: Token = Token { low: 1, high: u64::MAX };

    /// The bits in which they differ, combined; zero if they are equal.
    #[inline]
    pub(crate) fn difference(self, other: Token) -> u64 {
        (self.low ^ other.low) | (self.high ^ other.high)
    }

    /// Bits that differ between texts, mostly in the upper half: a table takes a few of them as the index.
    #[inline]
    pub(crate) fn scattered(self) -> u64 {
        (self.low ^ self.high).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// The text itself, if it has at most 14 bytes.
    #[inline]
    pub(crate) fn exact(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let len = bytes.len() as u64;
        if !KINDS {
            if len >= LONG {
                return None;
            }
            // A loop over the bytes is less code for a browser to load.
            let mut token = Token { low: 0, high: 0 };
            for byte in bytes.iter().rev() {
                token = Token { low: token.low << 8 | u64::from(*byte), high: token.high << 8 | token.low >> 56 };
            }
            token.high |= len << LENGTH_SHIFT;
            return Some(token);
        }
        let token = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            (Some(first), Some(last)) if len < LONG => {
                // The bytes after the eighth, shifted down over those that `first` already has.
                let beyond = u64::from_le_bytes(*last).checked_shr(u32::try_from(8 * (16 - len)).ok()?);
                Token { low: u64::from_le_bytes(*first), high: beyond.unwrap_or(0) | len << LENGTH_SHIFT }
            }
            (Some(_), _) => return None,
            _ => Token { low: up_to_seven(bytes), high: len << LENGTH_SHIFT },
        };
        Some(token)
    }

    /// The token of a text, or [`Token::NONE`] if it is too long for an exact one.
    #[inline]
    pub(crate) fn of(text: &str) -> Self {
        Token::exact(text).unwrap_or(Token::NONE)
    }

    /// A longer text: its hash and its location, so that a hit can be verified.
    pub(crate) fn long(hash: u64, text: Text) -> Self {
        Token { low: hash, high: LONG << LENGTH_SHIFT | u64::from(text.len) << 32 | u64::from(text.offset) }
    }

    /// The location of a text that is longer than 14 bytes.
    #[inline]
    fn place(self) -> Option<Text> {
        #[expect(clippy::cast_possible_truncation, reason = "the two halves that `long` put together")]
        (self.high >> LENGTH_SHIFT == LONG)
            .then_some(Text { offset: self.high as u32, len: (self.high << 4 >> 36) as u32 })
    }

    /// Whether it is that long text: compares the hash, then the bytes.
    #[inline]
    pub(crate) fn is_long(self, hash: u64, text: &str, texts: &Texts) -> bool {
        self.low == hash && self.place().is_some_and(|place| texts.is(place, text))
    }

    /// The text again.
    pub(crate) fn text(self, texts: &Texts) -> Cow<'_, str> {
        if let Some(place) = self.place() {
            return Cow::Borrowed(texts.get(place));
        }
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(self.low.to_le_bytes().into_iter().chain(self.high.to_le_bytes())) {
            *to = from;
        }
        let len = usize::try_from(self.high >> LENGTH_SHIFT).unwrap_or_default();
        Cow::Owned(std::str::from_utf8(bytes.get(..len).unwrap_or_default()).unwrap_or_default().to_owned())
    }
}

/// At most seven bytes as an integer: overlapping reads need neither a loop nor a call.
#[inline]
fn up_to_seven(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (len - 4));
    }
    match *bytes {
        [a, b, c] => u64::from(a) | u64::from(b) << 8 | u64::from(c) << 16,
        [a, b] => u64::from(a) | u64::from(b) << 8,
        [a] => u64::from(a),
        _ => 0,
    }
}

/// The hash of a string of a context, computed on first use.
///
/// Each thread that needs it computes it at most once; the relaxed atomic is a plain load and store.
#[derive(Debug, Default)]
pub(crate) struct KnownHash(AtomicU64);

impl KnownHash {
    /// The hash, if it is known.
    #[inline]
    pub(crate) fn get(&self) -> Option<NonZeroU64> {
        NonZeroU64::new(self.0.load(Ordering::Relaxed))
    }

    #[cfg_attr(target_family = "wasm", inline(always))]
    #[cfg_attr(not(target_family = "wasm"), inline)]
    fn of(&self, text: &str) -> u64 {
        match self.get() {
            Some(known) => known.get(),
            None => self.first(text),
        }
    }

    #[inline(never)]
    fn first(&self, text: &str) -> u64 {
        let hash = hash(text);
        // The empty string is not a unit (6.3), so its hash is never stored.
        if !text.is_empty() {
            self.0.store(hash, Ordering::Relaxed);
        }
        hash
    }
}

impl Clone for KnownHash {
    fn clone(&self) -> Self {
        KnownHash(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

/// A string of a context with its token and its hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'c> {
    text: &'c str,
    token: Token,
    hash: &'c KnownHash,
}

impl<'c> Word<'c> {
    #[inline(always)]
    pub(crate) fn new(text: &'c str, token: Token, hash: &'c KnownHash) -> Self {
        Word { text, token, hash }
    }

    #[inline]
    pub(crate) fn as_str(self) -> &'c str {
        self.text
    }

    /// The text itself as a token, or [`Token::NONE`] if it is too long for one.
    #[inline]
    pub(crate) fn token(self) -> Token {
        self.token
    }

    #[inline(always)]
    pub(crate) fn hash(self) -> u64 {
        self.hash.of(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_every_short_text_and_no_two_alike() {
        let mut texts = Texts::default();
        let mut seen = std::collections::HashMap::new();
        for len in 0..20 {
            for fill in ["\0", "a", "z", "é", "\u{7f}"] {
                for tail in ["", "b", "\0", "\0\0", "ab"] {
                    let text = format!("{}{tail}", fill.repeat(len));
                    let token = Token::exact(&text);
                    assert_eq!(token.is_some(), text.len() <= 14, "{text:?}");
                    let token = token.unwrap_or_else(|| Token::long(hash(&text), texts.push(&text)));
                    assert_eq!(token.text(&texts), text);
                    if text.len() <= 14 {
                        assert_eq!(*seen.entry(token).or_insert_with(|| text.clone()), text);
                    } else {
                        assert!(token.is_long(hash(&text), &text, &texts));
                        assert!(!token.is_long(hash(&text), "something else", &texts), "a hash alone lets nobody in");
                    }
                }
            }
        }
    }
}
