//! Lists of strings in which a context's string is looked up: targets, overrides and the values of `in`.
//!
//! A short list of tokens is a small table without collisions: one probe and an exact comparison. A short list with
//! longer texts is an array, and a long list an open-addressing hash table that verifies the string on a hit. Equal
//! lists are stored once: many flags share their plans, roles and regions.
//!
//! Lists are sets: a repeated entry is stored once, and lists are compared as sets. An author can choose texts whose
//! hashes collide. A table with too many collisions is stored sorted instead: storing stays linear in the entries, and
//! a lookup takes logarithmic time.

use std::borrow::Cow;

use hashbrown::HashTable;

use crate::KINDS;
use crate::bucket::hash;
use crate::fingerprint::Spread;
use crate::order;
use crate::text::{Text, Texts, Token, Word};

/// Up to this many entries are compared one by one; for more, the single probe of a table is faster.
const FEW: usize = 12;

/// Maximum distance of a text from its home in a table. Of a million random texts the furthest is some 200 places away.
const MOST_STEPS: usize = 256;

/// Maximum number of lists with one fingerprint that are compared with a new list. More than one is rare unless an
/// author chooses texts with equal hashes.
const MOST_ALIKE: usize = 8;

/// Where a list is in [`Lists`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum List {
    /// A few tokens in a table of `mask + 1` places. Shifted by `shift`, which was found when the list was stored, no
    /// two of them have the same place.
    Exact { start: u32, shift: u8, mask: u8 },
    /// A few texts, some of them longer than a token.
    Few { start: u32, len: u8 },
    /// Any number of texts, in a table of `1 << bits` places.
    Many { start: u32, bits: u8 },
    /// Texts whose hashes collide, sorted, in `1 << bits` places, the last of which may be free.
    Sorted { start: u32, bits: u8 },
}

/// One place of a table; a place without a text is free.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    text: Text,
}

const FREE: Slot = Slot { hash: 0, text: Text { offset: 0, len: u32::MAX } };

impl Slot {
    fn is_free(&self) -> bool {
        self.text.len == FREE.text.len
    }
}

/// All lists of a flag set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    tokens: Vec<Token>,
    slots: Vec<Slot>,
}

impl Lists {
    /// The difference between a token and the token at its place in an exact list: zero if the list holds it. `None`
    /// for any other list.
    // By reference, so that only the fields in use are read.
    #[inline(always)]
    pub(crate) fn difference(&self, list: &List, token: Token) -> Option<u64> {
        let List::Exact { start, shift, mask } = list else { return None };
        let at = *start as usize + place_of(token, *shift, *mask);
        self.tokens.get(at).map(|other| other.difference(token))
    }

    /// Whether the list holds the word.
    // In a build for size, the calls of these small functions would take more code than their bodies, and much of the
    // time.
    #[inline(always)]
    pub(crate) fn holds(&self, list: List, word: Word<'_>, texts: &Texts) -> bool {
        match list {
            List::Exact { .. } if KINDS => self.difference(&list, word.token()) == Some(0),
            List::Few { start, len } if KINDS => {
                let (tokens, token) = (self.row(start, len.into()), word.token());
                if token != Token::NONE {
                    return tokens.contains(&token);
                }
                let hash = word.hash();
                tokens.iter().any(|token| token.is_long(hash, word.as_str(), texts))
            }
            List::Many { start, bits } => self.find(start, bits, word.hash(), word.as_str(), texts).is_some(),
            List::Sorted { start, bits } => self.search(start, bits, word.hash(), word.as_str(), texts).is_some(),
            _ => false,
        }
    }

    /// The tokens of a table without collisions.
    fn exact(&self, start: u32, mask: u8) -> impl Iterator<Item = &Token> {
        self.row(start, usize::from(mask) + 1).iter().filter(|token| **token != Token::FREE)
    }

    #[inline]
    fn row(&self, start: u32, len: usize) -> &[Token] {
        let start = start as usize;
        self.tokens.get(start..start + len).unwrap_or_default()
    }

    #[cfg_attr(target_family = "wasm", inline(always))]
    #[cfg_attr(not(target_family = "wasm"), inline)]
    fn table(&self, start: u32, bits: u8) -> &[Slot] {
        self.slots.get(start as usize..start as usize + (1 << bits)).unwrap_or_default()
    }

    /// The index at which a hash table has the string.
    #[inline]
    fn find(&self, start: u32, bits: u8, hash: u64, text: &str, texts: &Texts) -> Option<usize> {
        let table = self.table(start, bits);
        let (home, tag) = home(hash, bits);
        for step in 0..table.len() {
            let at = (home + step) & (table.len() - 1);
            let slot = table.get(at)?;
            if slot.hash == tag && texts.is(slot.text, text) {
                return Some(at);
            }
            if slot.is_free() {
                return None;
            }
        }
        None
    }

    /// The index at which a sorted list has the string.
    #[cold]
    fn search(&self, start: u32, bits: u8, hash: u64, text: &str, texts: &Texts) -> Option<usize> {
        let table = self.table(start, bits);
        let wanted = (home(hash, bits).1, text);
        let at = table.partition_point(|slot| !slot.is_free() && (slot.hash, texts.get(slot.text)) < wanted);
        table.get(at).filter(|slot| !slot.is_free() && (slot.hash, texts.get(slot.text)) == wanted).map(|_| at)
    }

    /// The strings of a list, in no particular order.
    pub(crate) fn texts<'s>(&'s self, list: List, texts: &'s Texts) -> Vec<Cow<'s, str>> {
        match list {
            List::Exact { start, mask, .. } if KINDS => {
                self.exact(start, mask).map(|token| token.text(texts)).collect()
            }
            List::Few { start, len } if KINDS => {
                self.row(start, len.into()).iter().map(|token| token.text(texts)).collect()
            }
            List::Many { start, bits } | List::Sorted { start, bits } => self
                .table(start, bits)
                .iter()
                .filter(|slot| !slot.is_free())
                .map(|slot| Cow::Borrowed(texts.get(slot.text)))
                .collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.tokens.capacity() * size_of::<Token>() + self.slots.capacity() * size_of::<Slot>()
    }

    pub(crate) fn shrink(&mut self) {
        self.tokens.shrink_to_fit();
        self.slots.shrink_to_fit();
    }
}

/// The place of a token in a table without collisions.
#[inline(always)]
pub(crate) fn place_of(token: Token, shift: u8, mask: u8) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "only the bits of the mask count")]
    let place = (token.scattered() >> (shift & 63)) as usize;
    place & usize::from(mask)
}

/// The home of a hash in a table of `1 << bits` places, and the tag that distinguishes it from others.
#[inline]
fn home(hash: u64, bits: u8) -> (usize, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the hash")]
    let (upper, lower) = ((hash >> 32) as usize, hash as u32);
    (upper & ((1 << bits) - 1), lower)
}

/// Stores lists, equal ones once.
#[derive(Debug, Default)]
pub(crate) struct ListBuilder {
    known: HashTable<(u64, List)>,
    spread: Spread,
}

impl ListBuilder {
    pub(crate) fn store(&mut self, entries: &[Cow<'_, str>], lists: &mut Lists, texts: &mut Texts) -> List {
        let fingerprint = entries.iter().fold(entries.len() as u64, |mixed, entry| {
            (mixed.rotate_left(26) ^ hash(entry)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        let spread = self.spread;
        let mut alike = 0;
        for (_, list) in self.known.iter_hash(spread.over(fingerprint)).filter(|(known, _)| *known == fingerprint) {
            if equal(entries, *list, lists, texts) {
                return *list;
            }
            alike += 1;
            if alike == MOST_ALIKE {
                return stored(entries, lists, texts);
            }
        }
        let list = stored(entries, lists, texts);
        self.known.insert_unique(spread.over(fingerprint), (fingerprint, list), |(known, _)| spread.over(*known));
        list
    }
}

/// Stores a list without looking for an equal one.
pub(crate) fn stored(entries: &[Cow<'_, str>], lists: &mut Lists, texts: &mut Texts) -> List {
    if KINDS && entries.len() <= FEW { few(entries, lists, texts) } else { many(entries, lists, texts) }
}

/// Whether a stored list has the same entries, in any order and with any repetitions.
fn equal(entries: &[Cow<'_, str>], list: List, lists: &Lists, texts: &Texts) -> bool {
    match list {
        List::Exact { start, shift, mask } => {
            let place = |entry: &str| {
                let token = Token::exact(entry)?;
                (lists.difference(&list, token) == Some(0)).then(|| place_of(token, shift, mask))
            };
            places_of(entries, place).is_some_and(|taken| taken == lists.exact(start, mask).count())
        }
        List::Few { start, len } => {
            let tokens = lists.row(start, len.into());
            let place = |entry: &str| {
                let is_it = |token: &Token| match Token::exact(entry) {
                    Some(exact) => *token == exact,
                    None => token.is_long(hash(entry), entry, texts),
                };
                tokens.iter().position(is_it)
            };
            places_of(entries, place) == Some(tokens.len())
        }
        List::Many { start, bits } | List::Sorted { start, bits } => {
            let mut taken = vec![false; 1 << bits];
            for entry in entries {
                let place = match list {
                    List::Many { .. } => lists.find(start, bits, hash(entry), entry, texts),
                    _ => lists.search(start, bits, hash(entry), entry, texts),
                };
                let Some(taken) = place.and_then(|place| taken.get_mut(place)) else { return false };
                *taken = true;
            }
            lists.table(start, bits).iter().zip(taken).all(|(slot, taken)| slot.is_free() || taken)
        }
    }
}

/// Number of places that the entries of a short list take; `None` if an entry has no place.
fn places_of(entries: &[Cow<'_, str>], place: impl Fn(&str) -> Option<usize>) -> Option<usize> {
    // A table of up to 12 tokens has at most 128 places.
    let mut taken = 0_u128;
    for entry in entries {
        taken |= 1 << (place(entry)? & 127);
    }
    Some(taken.count_ones() as usize)
}

/// A table without collisions for a few tokens, if one with up to eight times the needed places exists.
pub(crate) fn without_collisions(tokens: &[Token]) -> Option<(Vec<Token>, u8, u8)> {
    let least = tokens.len().next_power_of_two();
    // Texts with equal mixed bits collide in every table.
    let meet = |(at, token): (usize, &Token)| {
        tokens.iter().take(at).any(|other| other.scattered() == token.scattered() && other != token)
    };
    if tokens.iter().enumerate().any(meet) {
        return None;
    }
    for places in [least, 2 * least, 4 * least, 8 * least] {
        let mask = u8::try_from(places - 1).ok()?;
        let mut table = vec![Token::FREE; places];
        for shift in (0..64).rev() {
            table.fill(Token::FREE);
            let mut put = |token: &Token| {
                let place = table.get_mut(place_of(*token, shift, mask))?;
                (*place == Token::FREE || place == token).then(|| *place = *token)
            };
            if tokens.iter().all(|token| put(token).is_some()) {
                return Some((table, shift, mask));
            }
        }
    }
    None
}

fn few(entries: &[Cow<'_, str>], lists: &mut Lists, texts: &mut Texts) -> List {
    let exact: Option<Vec<Token>> = entries.iter().map(|entry| Token::exact(entry)).collect();
    if let Some((table, shift, mask)) = exact.and_then(|tokens| without_collisions(&tokens)) {
        let start = count(lists.tokens.len());
        lists.tokens.extend(table);
        return List::Exact { start, shift, mask };
    }
    let start = count(lists.tokens.len());
    for (at, entry) in entries.iter().enumerate() {
        if entries.iter().take(at).any(|earlier| earlier == entry) {
            continue;
        }
        let token = Token::exact(entry).unwrap_or_else(|| Token::long(hash(entry), texts.push(entry)));
        lists.tokens.push(token);
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most FEW")]
    List::Few { start, len: (lists.tokens.len() - start as usize) as u8 }
}

fn many(entries: &[Cow<'_, str>], lists: &mut Lists, texts: &mut Texts) -> List {
    // At most two thirds full, so that a probe that misses ends soon.
    let places = (entries.len() + entries.len() / 2).next_power_of_two();
    #[expect(clippy::cast_possible_truncation, reason = "there are at most 2 to the power of 28 bytes of snapshot")]
    let (first, bits) = (lists.slots.len(), places.trailing_zeros() as u8);
    let before = texts.len();
    lists.slots.resize(first + places, FREE);
    for entry in entries {
        let (home, tag) = home(hash(entry), bits);
        let mut on_the_way = (0..MOST_STEPS.min(places)).map(|step| first + ((home + step) & (places - 1)));
        let place = on_the_way.find(|&at| {
            let is_it = |slot: &Slot| slot.is_free() || (slot.hash == tag && texts.get(slot.text) == entry);
            lists.slots.get(at).is_none_or(is_it)
        });
        let Some(slot) = place.and_then(|at| lists.slots.get_mut(at)) else {
            lists.slots.truncate(first);
            texts.truncate(before);
            return sorted(entries, bits, lists, texts);
        };
        if slot.is_free() {
            *slot = Slot { hash: tag, text: texts.push(entry) };
        }
    }
    List::Many { start: count(first), bits }
}

fn sorted(entries: &[Cow<'_, str>], bits: u8, lists: &mut Lists, texts: &mut Texts) -> List {
    let mut tagged: Vec<(u32, &str)> =
        order::sorted(entries.iter().map(|entry| (home(hash(entry), bits).1, entry.as_ref())).collect());
    tagged.dedup();
    let first = lists.slots.len();
    lists.slots.extend(tagged.into_iter().map(|(hash, text)| Slot { hash, text: texts.push(text) }));
    lists.slots.resize(first + (1 << bits), FREE);
    List::Sorted { start: count(first), bits }
}

/// Arenas have 32-bit offsets: a snapshot has at most 256 MiB, and so fewer entries.
fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::KnownHash;

    fn word<'c>(text: &'c str, hash: &'c KnownHash) -> Word<'c> {
        Word::new(text, Token::of(text), hash)
    }

    #[test]
    fn a_list_holds_what_was_stored_and_nothing_else_at_every_size() {
        for size in [0, 1, 2, FEW - 1, FEW, FEW + 1, 100, if cfg!(miri) { 101 } else { 1000 }] {
            let (mut lists, mut texts, mut builder) = Default::default();
            let entries: Vec<Cow<'_, str>> = (0..size)
                .map(|at| {
                    Cow::Owned(if at % 2 == 0 { format!("c{at}") } else { format!("a-company-of-many-words-{at}") })
                })
                .collect();
            let list = ListBuilder::store(&mut builder, &entries, &mut lists, &mut texts);
            let again = ListBuilder::store(&mut builder, &entries, &mut lists, &mut texts);
            assert_eq!(again, list, "equal lists are one");
            for entry in &entries {
                assert!(lists.holds(list, word(entry, &KnownHash::default()), &texts));
                let other = format!("{entry}x");
                assert!(!lists.holds(list, word(&other, &KnownHash::default()), &texts));
            }
            let mut back = lists.texts(list, &texts);
            let mut given = entries.clone();
            back.sort();
            given.sort();
            assert_eq!(back, given);
        }
    }
}
