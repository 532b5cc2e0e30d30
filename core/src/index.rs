//! An index from hashes of texts to 32-bit numbers.
//!
//! It does not store the texts, and takes them as an argument when it grows: a fraction of the code of a general hash
//! table, and one probe for nearly every lookup. Its hash has a random seed, so texts cannot be chosen to collide.

use crate::fingerprint::Spread;

/// A hash table of numbers; the caller decides whether a number is a hit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// A power of two of places, at most two thirds full, so that the search for an absent text ends soon.
    places: Vec<Place>,
    spread: Spread,
}

/// A part of the hash, so that most numbers are rejected without the caller, and a number.
#[derive(Clone, Copy, Debug)]
struct Place {
    tag: u32,
    number: u32,
}

const FREE: u32 = u32::MAX;

impl Index {
    /// An index with room for that many numbers, each less than `u32::MAX`.
    pub(crate) fn with_room_for(count: usize) -> Self {
        Index {
            places: vec![Place { tag: 0, number: FREE }; places_for(count).next_power_of_two()],
            spread: Spread::default(),
        }
    }

    /// The hash of a text in this index alone.
    #[inline]
    pub(crate) fn hash(&self, text: &str) -> u64 {
        self.spread.of(text)
    }

    /// Adds the last of `count` texts. If the index has to grow, it hashes all texts again.
    pub(crate) fn add<'t>(&mut self, count: usize, text: impl Fn(usize) -> &'t str) {
        let mut new = count.saturating_sub(1);
        if places_for(count) > self.places.len() {
            *self = Index::with_room_for(count);
            new = 0;
        }
        for at in new..count {
            self.insert(self.hash(text(at)), u32::try_from(at).unwrap_or(FREE - 1));
        }
    }

    /// The number of this hash for which `is_it` is true.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let (mut at, tag) = halves(hash);
        loop {
            // An empty index has no place.
            let place = self.places.get(at & self.places.len().wrapping_sub(1))?;
            if place.number == FREE {
                return None;
            }
            if place.tag == tag && is_it(place.number) {
                return Some(place.number);
            }
            at = at.wrapping_add(1);
        }
    }

    /// Inserts a number; there must be room for it.
    pub(crate) fn insert(&mut self, hash: u64, number: u32) {
        let (mut at, tag) = halves(hash);
        let mask = self.places.len().wrapping_sub(1);
        while let Some(place) = self.places.get_mut(at & mask) {
            if place.number == FREE {
                *place = Place { tag, number };
                return;
            }
            at = at.wrapping_add(1);
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<Place>()
    }
}

fn places_for(count: usize) -> usize {
    count + count / 2 + 1
}

/// The place at which a search begins, and the tag.
#[inline]
fn halves(hash: u64) -> (usize, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the hash")]
    ((hash >> 32) as u32 as usize, hash as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_nothing_else_at_every_size() {
        for size in [0, 1, 2, 3, 10, 11, if cfg!(miri) { 101 } else { 10_000 }] {
            let texts: Vec<String> = (0..size).map(|number| format!("flag-{number}")).collect();
            let mut index = Index::with_room_for(texts.len());
            for (number, text) in (0..).zip(&texts) {
                index.insert(index.hash(text), number);
            }
            let find = |text: &str| {
                index.find(index.hash(text), |number| texts.get(number as usize).is_some_and(|is| is == text))
            };
            for (number, text) in (0..).zip(&texts) {
                assert_eq!((find(text), find(&format!("{text}-"))), (Some(number), None));
            }
            // All under one hash, and still told apart.
            let mut alike = Index::with_room_for(3);
            (0..3).for_each(|number| alike.insert(u64::MAX, number));
            assert_eq!(
                [0, 1, 2, 3].map(|number| alike.find(u64::MAX, |is| is == number)),
                [Some(0), Some(1), Some(2), None]
            );
        }
        assert_eq!(Index::default().find(0, |_| true), None);
    }
}
