//! Lists of strings that a context's string is looked up in: targets, overrides and the values of `in`.
//!
//! A short list is a row of tokens compared side by side, four at a time where all of them are texts by themselves. A
//! long one is an open-addressing table of hashes that
//! verifies the string on a hit. Equal lists are stored once: many flags share their plans, roles and regions.

use std::borrow::Cow;

use hashbrown::HashTable;

use crate::bucket::hash;
use crate::text::{Text, Texts, Token, Word};
use crate::{RULES, SHARES};

/// Up to this many entries are compared one by one; beyond, the table's single probe is faster.
const FEW: usize = 12;

/// Whether short lists are kept apart. Without rules everything is small and asked by one person, and a table for every
/// list is less code.
const KINDS: bool = RULES;

/// Where a list stands in [`Lists`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum List {
    /// A few texts that are all tokens by themselves, in so many fours.
    Exact {
        start: u32,
        fours: u32,
    },
    /// A few texts of which some are longer.
    Few {
        start: u32,
        len: u32,
    },
    Many {
        start: u32,
        mask: u32,
    },
}

/// One place of a table; a place with no text is free.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    text: Text,
}

const FREE: Slot = Slot { hash: 0, text: Text { offset: 0, len: u32::MAX } };

/// All lists of a flag set.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// The last four of a list is filled up with what no text is.
    fours: Vec<[Token; 4]>,
    tokens: Vec<Token>,
    slots: Vec<Slot>,
}

impl Lists {
    /// Whether the list holds the word.
    #[inline(always)]
    pub(crate) fn holds(&self, list: List, word: &Word<'_>, texts: &Texts) -> bool {
        match list {
            // Nearly every plan, role and region comes this way.
            List::Exact { start, fours } if KINDS => {
                let token = word.token();
                let holds = |four: &[Token; 4]| four.iter().fold(false, |held, other| held | other.same(token));
                // Most have one, and need no loop.
                match fours {
                    1 => self.fours.get(start as usize).is_some_and(holds),
                    _ => self.fours(start, fours).iter().any(holds),
                }
            }
            _ => self.holds_long(list, word, texts),
        }
    }

    #[inline(never)]
    fn holds_long(&self, list: List, word: &Word<'_>, texts: &Texts) -> bool {
        match list {
            List::Few { start, len } if KINDS => {
                let (tokens, token) = (self.few(start, len), word.token());
                if !token.same(Token::NONE) {
                    return tokens.contains(&token);
                }
                let hash = word.hash();
                tokens.iter().any(|token| token.is_long(hash, word.as_str(), texts))
            }
            List::Many { start, mask } => self.find(start, mask, word.hash(), word.as_str(), texts).is_some(),
            _ => false,
        }
    }

    #[inline]
    fn fours(&self, start: u32, fours: u32) -> &[[Token; 4]] {
        let start = start as usize;
        self.fours.get(start..start + fours as usize).unwrap_or_default()
    }

    /// The texts of fours.
    fn exact(&self, start: u32, fours: u32) -> impl Iterator<Item = &Token> {
        self.fours(start, fours).iter().flatten().filter(|token| **token != Token::FILLING)
    }

    #[inline]
    fn few(&self, start: u32, len: u32) -> &[Token] {
        let start = start as usize;
        self.tokens.get(start..start + len as usize).unwrap_or_default()
    }

    fn table(&self, start: u32, mask: u32) -> &[Slot] {
        self.slots.get(start as usize..=start as usize + mask as usize).unwrap_or_default()
    }

    /// The place of a table at which the string stands.
    #[inline]
    fn find(&self, start: u32, mask: u32, hash: u64, text: &str, texts: &Texts) -> Option<u32> {
        let table = self.table(start, mask);
        let (home, tag) = place(hash, mask);
        for step in 0..=mask {
            let at = home.wrapping_add(step) & mask;
            let slot = table.get(at as usize)?;
            if slot.text.len == FREE.text.len {
                return None;
            }
            if slot.hash == tag && texts.is(slot.text, text) {
                return Some(at);
            }
        }
        None
    }

    /// The strings of a list, in no particular order.
    pub(crate) fn texts<'s>(&'s self, list: List, texts: &'s Texts) -> Vec<Cow<'s, str>> {
        match list {
            List::Exact { start, fours } if KINDS => self.exact(start, fours).map(|token| token.text(texts)).collect(),
            List::Few { start, len } if KINDS => self.few(start, len).iter().map(|token| token.text(texts)).collect(),
            List::Many { start, mask } => self
                .table(start, mask)
                .iter()
                .filter(|slot| slot.text.len != FREE.text.len)
                .map(|slot| Cow::Borrowed(texts.get(slot.text)))
                .collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let fours = self.fours.capacity() * size_of::<[Token; 4]>();
        fours + self.tokens.capacity() * size_of::<Token>() + self.slots.capacity() * size_of::<Slot>()
    }

    pub(crate) fn shrink(&mut self) {
        self.fours.shrink_to_fit();
        self.tokens.shrink_to_fit();
        self.slots.shrink_to_fit();
    }
}

/// Where a hash's home is in a table of `mask + 1` places, and what is kept of it to tell it from others.
#[inline]
fn place(hash: u64, mask: u32) -> (u32, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the hash")]
    ((hash >> 32) as u32 & mask, hash as u32)
}

/// Stores lists, each different one once.
#[derive(Debug, Default)]
pub(crate) struct ListBuilder {
    known: HashTable<(u64, List)>,
}

impl ListBuilder {
    pub(crate) fn store(&mut self, entries: &[Cow<'_, str>], lists: &mut Lists, texts: &mut Texts) -> List {
        if !SHARES {
            return stored(entries, lists, texts);
        }
        let fingerprint = entries.iter().fold(entries.len() as u64, |mixed, entry| {
            (mixed.rotate_left(26) ^ hash(entry)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        let same = |(known, list): &(u64, List)| *known == fingerprint && equal(entries, *list, lists, texts);
        if let Some((_, list)) = self.known.find(fingerprint, same) {
            return *list;
        }
        let list = stored(entries, lists, texts);
        self.known.insert_unique(fingerprint, (fingerprint, list), |(known, _)| *known);
        list
    }
}

fn stored(entries: &[Cow<'_, str>], lists: &mut Lists, texts: &mut Texts) -> List {
    if KINDS && entries.len() <= FEW { few(entries, lists, texts) } else { many(entries, lists, texts) }
}

/// Whether a stored list has the same entries (a short one in the same order).
fn equal(entries: &[Cow<'_, str>], list: List, lists: &Lists, texts: &Texts) -> bool {
    match list {
        List::Exact { start, fours } => {
            lists.exact(start, fours).map(|token| Some(*token)).eq(entries.iter().map(|entry| Token::exact(entry)))
        }
        List::Few { start, len } => {
            let tokens = lists.few(start, len);
            tokens.len() == entries.len()
                && tokens.iter().zip(entries).all(|(token, entry)| match Token::exact(entry) {
                    Some(exact) => *token == exact,
                    None => token.is_long(hash(entry), entry, texts),
                })
        }
        // Equal when every entry is found at a place of its own and no place is left over.
        List::Many { start, mask } => {
            let mut taken = vec![false; mask as usize + 1];
            let mut places = entries.iter().map(|entry| lists.find(start, mask, hash(entry), entry, texts));
            let mut take =
                |place: u32| taken.get_mut(place as usize).is_some_and(|taken| !std::mem::replace(taken, true));
            places.all(|place| place.is_some_and(&mut take)) && lists.texts(list, texts).len() == entries.len()
        }
    }
}

fn few(entries: &[Cow<'_, str>], lists: &mut Lists, texts: &mut Texts) -> List {
    let exact: Option<Vec<Token>> = entries.iter().map(|entry| Token::exact(entry)).collect();
    if let Some(exact) = exact {
        let start = count(lists.fours.len());
        lists.fours.extend(exact.chunks(4).map(|tokens| {
            let mut four = [Token::FILLING; 4];
            four.iter_mut().zip(tokens).for_each(|(place, token)| *place = *token);
            four
        }));
        return List::Exact { start, fours: count(lists.fours.len()) - start };
    }
    let start = count(lists.tokens.len());
    for entry in entries {
        let token = Token::exact(entry).unwrap_or_else(|| Token::long(hash(entry), texts.push(entry)));
        lists.tokens.push(token);
    }
    List::Few { start, len: count(entries.len()) }
}

fn many(entries: &[Cow<'_, str>], lists: &mut Lists, texts: &mut Texts) -> List {
    // At most two thirds full, so that a probe that misses ends soon.
    let places = (entries.len() + entries.len() / 2).next_power_of_two();
    let (start, mask) = (count(lists.slots.len()), count(places - 1));
    lists.slots.resize(lists.slots.len() + places, FREE);
    for entry in entries {
        let (home, tag) = place(hash(entry), mask);
        let free = (0..=mask).map(|step| start as usize + (home.wrapping_add(step) & mask) as usize).find(|&at| {
            lists.slots.get(at).is_none_or(|slot| {
                slot.text.len == FREE.text.len || (slot.hash == tag && texts.get(slot.text) == entry)
            })
        });
        if let Some(slot) = free.and_then(|at| lists.slots.get_mut(at))
            && slot.text.len == FREE.text.len
        {
            *slot = Slot { hash: tag, text: texts.push(entry) };
        }
    }
    List::Many { start, mask }
}

/// Arenas are addressed with 32 bits: a snapshot has at most 256 MiB, and so fewer entries than that.
fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(again == list, SHARES || (size == 0 && KINDS), "equal lists are one");
            for entry in &entries {
                assert!(lists.holds(list, &Word::new(entry.clone()), &texts));
                let other = format!("{entry}x");
                assert!(!lists.holds(list, &Word::new(Cow::Owned(other)), &texts));
            }
            let mut back = lists.texts(list, &texts);
            let mut given = entries.clone();
            back.sort();
            given.sort();
            assert_eq!(back, given);
        }
    }
}
