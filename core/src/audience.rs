//! Audiences: the plans, regions and roles that a flag is for, as bits.
//!
//! The short texts that a set's flags name as plans, regions and roles are its vocabulary, and each has a place in it.
//! A flag has a bit for every place that it is for, a context knows its own places in the set that it was last asked
//! of, and whether one is for the other is seen at once, exactly. It knows no flag and no context.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::KINDS;
use crate::context::Field;
use crate::list::{place_of, without_collisions};
use crate::text::Token;

/// Of the number of a place: there are as many places as bits in a `u32`.
const PLACE_BITS: u32 = u32::BITS.ilog2();

/// The last place is never taken: it is that of what is not there.
const NOWHERE: u32 = u32::BITS - 1;

/// Plans, regions and roles.
const ROWS: usize = 3;

/// What a flag is for: a bit for each place of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audience([u32; ROWS]);

impl Audience {
    pub(crate) const EVERYBODY: Audience = Audience([u32::MAX; ROWS]);

    #[inline(always)]
    pub(crate) fn has(self, standing: Standing) -> bool {
        let [plans, regions, roles] = self.0;
        let both = plans.wrapping_shr(standing.plan) & regions.wrapping_shr(standing.region) & 1;
        // All bits of it or none: no branch of its own for what nobody can foretell.
        both.wrapping_neg() & roles & standing.roles != 0
    }

    /// Narrows it to these places of a field.
    pub(crate) fn narrow(&mut self, field: Field, bits: u32) {
        if let Some(row) = row(field).and_then(|row| self.0.get_mut(row)) {
            *row &= bits;
        }
    }
}

/// The places of a caller: the one of the plan and the one of the region, and a bit for that of each role.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    plan: u32,
    region: u32,
    roles: u32,
}

impl Standing {
    /// Of the three places in the lower bits of a number.
    #[inline(always)]
    fn of(places: u64) -> Self {
        // Only the lowest bits of each count, as shifting takes no others.
        #[expect(clippy::cast_possible_truncation, reason = "all three are in the lower half")]
        let places = places as u32;
        Standing { plan: places, region: places >> PLACE_BITS, roles: 1_u32.wrapping_shl(places >> (2 * PLACE_BITS)) }
    }
}

/// The texts of a set that have places: plans, regions and roles.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary([Words; ROWS]);

/// The texts of one field.
#[derive(Debug, Default)]
struct Words {
    /// In the order of their places.
    texts: Vec<Token>,
    /// The same in a table without collisions, each with its place.
    table: Vec<(Token, u32)>,
    shift: u8,
    mask: u8,
    /// Whether there was no table for another text.
    full: bool,
}

impl Words {
    /// The place of a text, without a branch for whether there is one, which nobody can foretell.
    #[inline(always)]
    fn place(&self, token: Token) -> u32 {
        if !KINDS {
            // In a browser one person asks, and the place is remembered.
            return (0..).zip(&self.texts).find(|(_, text)| **text == token).map_or(NOWHERE, |(place, _)| place);
        }
        let Some((word, place)) = self.table.get(place_of(token, self.shift, self.mask)) else { return NOWHERE };
        // The last place has all bits of any.
        place | (u32::from(word.difference(token) != 0) * NOWHERE)
    }

    /// The place of a text, which gets one if it has none; there is room for it, but perhaps no table.
    fn take(&mut self, token: Token) -> Option<u32> {
        let place = self.place(token);
        if place != NOWHERE {
            return Some(place);
        }
        if self.full {
            return None;
        }
        self.texts.push(token);
        self.full = KINDS && !self.lay_out();
        if self.full {
            self.texts.pop();
            return None;
        }
        Some(self.place(token))
    }

    /// Lays the table out anew, if there is one without collisions.
    fn lay_out(&mut self) -> bool {
        let Some((table, shift, mask)) = without_collisions(&self.texts) else { return false };
        let places = |token: Token| (0..NOWHERE).zip(&self.texts).find(|(_, text)| **text == token);
        let with_place = |token: Token| (token, places(token).map_or(NOWHERE, |(place, _)| place));
        self.table = table.into_iter().map(with_place).collect();
        (self.shift, self.mask) = (shift, mask);
        true
    }
}

/// Which of the three a field is, if it is one.
#[inline(always)]
fn row(field: Field) -> Option<usize> {
    match field {
        Field::Plan => Some(0),
        Field::Region => Some(1),
        Field::Roles => Some(2),
        Field::User | Field::Company => None,
    }
}

impl Vocabulary {
    /// Where a caller of this plan, this region and these roles stands.
    #[inline(always)]
    pub(crate) fn standing(&self, plan: Token, region: Token, roles: impl Iterator<Item = Token>) -> Standing {
        let [plans, regions, words] = &self.0;
        Standing {
            plan: plans.place(plan),
            region: regions.place(region),
            roles: roles.fold(0, |bits, role| bits | 1_u32.wrapping_shl(words.place(role))),
        }
    }

    /// The bits of these texts of a field; `None` if one of them has no place. A list that cannot have bits takes no
    /// places from others.
    pub(crate) fn bits(&mut self, field: Field, texts: &[Cow<'_, str>]) -> Option<u32> {
        let words = self.0.get_mut(row(field)?)?;
        let mut free = NOWHERE as usize - words.texts.len();
        for text in texts {
            let is_new = words.place(Token::exact(text)?) == NOWHERE;
            free = free.checked_sub(usize::from(is_new))?;
        }
        texts.iter().try_fold(0, |bits, text| Some(bits | 1 << words.take(Token::exact(text)?)?))
    }

    pub(crate) fn bytes(&self) -> usize {
        let of = |words: &Words| {
            words.texts.capacity() * size_of::<Token>() + words.table.capacity() * size_of::<(Token, u32)>()
        };
        self.0.iter().map(of).sum()
    }
}

/// Where a context with one role or none stands in the set that it was last asked of.
///
/// The relaxed atomic is a plain load and store; several threads at most work the same thing out again.
#[derive(Debug)]
pub(crate) struct KnownStanding(AtomicU64);

/// No published set has so high a number.
const UNKNOWN: u64 = u64::MAX;

impl KnownStanding {
    /// Where it stands in the set of this number, if that is known.
    #[inline(always)]
    pub(crate) fn get(&self, publication: u64) -> Option<Standing> {
        let known = self.0.load(Ordering::Relaxed);
        (known >> (3 * PLACE_BITS) == publication).then(|| Standing::of(known))
    }

    /// Remembers it, with a single role, for a set that has a number of its own.
    #[inline]
    pub(crate) fn set(&self, publication: u64, standing: Standing) {
        if publication > 0 {
            let Standing { plan, region, roles } = standing;
            let role = roles.trailing_zeros();
            let places = role << (2 * PLACE_BITS) | region << PLACE_BITS | plan;
            self.0.store(publication << (3 * PLACE_BITS) | u64::from(places), Ordering::Relaxed);
        }
    }
}

impl Default for KnownStanding {
    #[inline]
    fn default() -> Self {
        KnownStanding(AtomicU64::new(UNKNOWN))
    }
}

impl Clone for KnownStanding {
    fn clone(&self) -> Self {
        KnownStanding(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_a_place_of_its_own_until_there_is_no_room() {
        let texts: Vec<Cow<'_, str>> = (0..40).map(|number| format!("plan-{number}").into()).collect();
        let mut vocabulary = Vocabulary::default();
        let mut one_by_one = || -> Vec<Option<u32>> {
            texts.iter().map(|text| vocabulary.bits(Field::Plan, std::slice::from_ref(text))).collect()
        };
        let first = one_by_one();
        assert_eq!(one_by_one(), first, "those that are there stay where they are");
        let (with, without) = first.split_at(first.iter().position(Option::is_none).unwrap_or_default());
        assert!(with.len() > 16 && with.len() < 32, "{with:?}");
        assert!(without.iter().all(Option::is_none), "{without:?}");
        let all = with.iter().flatten().fold(0, |all, bits| all | bits);
        assert_eq!(all.count_ones() as usize, with.len(), "no two in one place");
        let [plans, regions, _] = &vocabulary.0;
        for (token, bits) in texts.iter().map(|text| Token::of(text)).zip(&first) {
            assert_eq!(1 << plans.place(token), bits.unwrap_or(1 << NOWHERE), "{token:?}");
            assert_eq!(regions.place(token), NOWHERE);
        }
        assert_eq!([Token::NONE, Token::of("a plan of many words")].map(|token| plans.place(token)), [NOWHERE; 2]);
    }

    #[test]
    fn a_list_that_cannot_have_bits_takes_no_places() {
        let texts = |from: usize, to: usize| -> Vec<Cow<'_, str>> {
            (from..to).map(|number| format!("region-{number}").into()).collect()
        };
        let mut vocabulary = Vocabulary::default();
        let long = [texts(0, 11), vec!["a region of many words".into()]].concat();
        for list in [texts(0, 40), long] {
            assert_eq!(vocabulary.bits(Field::Region, &list), None);
        }
        assert_eq!(vocabulary.bits(Field::Region, &texts(50, 53)), Some(0b111));
        assert_eq!(vocabulary.bits(Field::Region, &texts(51, 90)), None);
        assert_eq!(vocabulary.bits(Field::Region, &texts(60, 62)), Some(0b11000));
    }

    #[test]
    fn a_standing_is_known_for_one_set_only() {
        let standing = Standing { plan: 30, region: NOWHERE, roles: 1 << 7 };
        let known = KnownStanding::default();
        assert!(known.get(0).is_none() && known.get(1).is_none());
        known.set(0, standing);
        assert!(known.get(0).is_none(), "a set that nobody published has no number of its own");
        known.set(1 << 40, standing);
        assert!(known.get(1 << 40 | 1).is_none());
        let again = known.get(1 << 40).unwrap_or_default();
        for (audience, has) in [
            (Audience([1 << 30, 1 << NOWHERE, 1 << 7]), true),
            (Audience([1 << 29, u32::MAX, u32::MAX]), false),
            (Audience([u32::MAX, !(1 << NOWHERE), u32::MAX]), false),
            (Audience([u32::MAX, u32::MAX, !(1 << 7)]), false),
            (Audience::EVERYBODY, true),
        ] {
            assert_eq!([audience.has(standing), audience.has(again)], [has; 2], "{audience:?}");
        }
    }
}
