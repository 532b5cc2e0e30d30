//! Audiences: the plans, regions and roles that a flag targets, as bitmaps of interned texts.
//!
//! A flag set interns the short texts that its flags target: up to 31 plans, 31 regions and 31 roles, each with an
//! index from 0 to 30. Index 31 means "not interned".
//!
//! - A flag has three bitmaps of 32 bits (`Audience`): bit `i` is set if it targets the text of index `i`; all bits are
//!   set if it targets no text of that field.
//! - A caller has an index for the plan, one for the region, and a bitmap of roles (`CallerBits`). A context remembers
//!   them for the set that it was last evaluated with, packed into one number (`KnownBits`):
//!
//! ```text
//!  63                      15 14   10 9     5 4    0
//! | publication of the set   | role  | region | plan |
//! ```
//!
//! A flag targets a caller if the bit of the plan, the bit of the region and one bit of the roles are set. This is exact.
//! The module knows neither flags nor contexts.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::KINDS;
use crate::context::Field;
use crate::list::{place_of, without_collisions};
use crate::text::Token;

/// Bits of one index: a bitmap is a `u32`.
const INDEX_BITS: u32 = u32::BITS.ilog2();

/// The index of a text that is not interned; no text gets it.
const ABSENT: u32 = u32::BITS - 1;

/// Plans, regions and roles.
const FIELDS: usize = 3;

/// What a flag targets: one bitmap for each field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audience([u32; FIELDS]);

impl Audience {
    pub(crate) const EVERYBODY: Audience = Audience([u32::MAX; FIELDS]);

    #[inline(always)]
    pub(crate) fn has(self, caller_bits: CallerBits) -> bool {
        let [plans, regions, roles] = self.0;
        let both = plans.wrapping_shr(caller_bits.plan) & regions.wrapping_shr(caller_bits.region) & 1;
        // Branch-free: the outcome is unpredictable.
        both.wrapping_neg() & roles & caller_bits.roles != 0
    }

    /// Keeps only these bits of a field.
    pub(crate) fn narrow(&mut self, field: Field, bits: u32) {
        if let Some(row) = row(field).and_then(|row| self.0.get_mut(row)) {
            *row &= bits;
        }
    }
}

/// A caller in terms of one set: the indexes of its plan and region, and a bitmap of its roles.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallerBits {
    plan: u32,
    region: u32,
    roles: u32,
}

impl CallerBits {
    /// Unpacks the three indexes from the lower bits of a number.
    #[inline(always)]
    fn of(indexes: u64) -> Self {
        // A shift uses only the lowest five bits of its operand, so nothing is masked here.
        #[expect(clippy::cast_possible_truncation, reason = "all three are in the lower half")]
        let indexes = indexes as u32;
        CallerBits {
            plan: indexes,
            region: indexes >> INDEX_BITS,
            roles: 1_u32.wrapping_shl(indexes >> (2 * INDEX_BITS)),
        }
    }
}

/// The plans, regions and roles that a set has interned.
#[derive(Clone, Debug, Default)]
pub(crate) struct InternedTargets([InternedTexts; FIELDS]);

/// The interned texts of one field.
#[derive(Clone, Debug, Default)]
struct InternedTexts {
    /// The text of index `i` is element `i`.
    texts: Vec<Token>,
    /// A hash table without collisions from each text to its index.
    table: Vec<(Token, u32)>,
    shift: u8,
    mask: u8,
    /// Set when no such table was found for one more text.
    full: bool,
}

impl InternedTexts {
    /// The index of a text or [`ABSENT`], without a branch on whether it is interned: that is unpredictable.
    #[inline(always)]
    fn index(&self, token: Token) -> u32 {
        if !KINDS {
            // A browser evaluates for one user and remembers the index, so a linear search will do.
            return (0..).zip(&self.texts).find(|(_, text)| **text == token).map_or(ABSENT, |(index, _)| index);
        }
        let Some((word, index)) = self.table.get(place_of(token, self.shift, self.mask)) else { return ABSENT };
        // `ABSENT` has all bits set, so the bitwise or gives it.
        index | (u32::from(word.difference(token) != 0) * ABSENT)
    }

    /// Interns a text and gives its index; `None` if no table without collisions has room for it.
    fn take(&mut self, token: Token) -> Option<u32> {
        let index = self.index(token);
        if index != ABSENT {
            return Some(index);
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
        Some(self.index(token))
    }

    /// Rebuilds the table; false if there is none without collisions.
    fn lay_out(&mut self) -> bool {
        let Some((table, shift, mask)) = without_collisions(&self.texts) else { return false };
        let indexes = |token: Token| (0..ABSENT).zip(&self.texts).find(|(_, text)| **text == token);
        let with_index = |token: Token| (token, indexes(token).map_or(ABSENT, |(index, _)| index));
        self.table = table.into_iter().map(with_index).collect();
        (self.shift, self.mask) = (shift, mask);
        true
    }
}

/// The position of a field among the bitmaps; `None` for a field that has none.
#[inline(always)]
fn row(field: Field) -> Option<usize> {
    match field {
        Field::Plan => Some(0),
        Field::Region => Some(1),
        Field::Roles => Some(2),
        Field::User | Field::Company => None,
    }
}

impl InternedTargets {
    /// The bits of a caller with this plan, this region and these roles.
    #[inline(always)]
    pub(crate) fn caller_bits(&self, plan: Token, region: Token, roles: impl Iterator<Item = Token>) -> CallerBits {
        let [plans, regions, interned] = &self.0;
        CallerBits {
            plan: plans.index(plan),
            region: regions.index(region),
            roles: roles.fold(0, |bits, role| bits | 1_u32.wrapping_shl(interned.index(role))),
        }
    }

    /// Interns these texts of a field and gives their bitmap; `None`, with nothing interned, if not all of them fit.
    pub(crate) fn bits(&mut self, field: Field, texts: &[Cow<'_, str>]) -> Option<u32> {
        let interned = self.0.get_mut(row(field)?)?;
        let mut free = ABSENT as usize - interned.texts.len();
        for text in texts {
            let is_new = interned.index(Token::exact(text)?) == ABSENT;
            free = free.checked_sub(usize::from(is_new))?;
        }
        texts.iter().try_fold(0, |bits, text| Some(bits | 1 << interned.take(Token::exact(text)?)?))
    }

    pub(crate) fn bytes(&self) -> usize {
        let of = |interned: &InternedTexts| {
            interned.texts.capacity() * size_of::<Token>() + interned.table.capacity() * size_of::<(Token, u32)>()
        };
        self.0.iter().map(of).sum()
    }
}

/// The bits of a context with at most one role, for the set that it was last evaluated with.
///
/// The relaxed atomic is a plain load and store; at worst several threads compute the same bits again.
#[derive(Debug)]
pub(crate) struct KnownBits(AtomicU64);

/// No set has this publication number.
const UNKNOWN: u64 = u64::MAX;

impl KnownBits {
    /// The bits for the set of this publication, if they are known.
    #[inline(always)]
    pub(crate) fn get(&self, publication: u64) -> Option<CallerBits> {
        let known = self.0.load(Ordering::Relaxed);
        (known >> (3 * INDEX_BITS) == publication).then(|| CallerBits::of(known))
    }

    /// Remembers the bits, with at most one role, for a set that was published.
    #[inline]
    pub(crate) fn set(&self, publication: u64, caller_bits: CallerBits) {
        if publication > 0 {
            let CallerBits { plan, region, roles } = caller_bits;
            let role = roles.trailing_zeros();
            let indexes = role << (2 * INDEX_BITS) | region << INDEX_BITS | plan;
            self.0.store(publication << (3 * INDEX_BITS) | u64::from(indexes), Ordering::Relaxed);
        }
    }
}

impl Default for KnownBits {
    #[inline]
    fn default() -> Self {
        KnownBits(AtomicU64::new(UNKNOWN))
    }
}

impl Clone for KnownBits {
    fn clone(&self) -> Self {
        KnownBits(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_an_index_of_its_own_until_there_is_no_room() {
        let texts: Vec<Cow<'_, str>> = (0..40).map(|number| format!("plan-{number}").into()).collect();
        let mut interned = InternedTargets::default();
        let mut one_by_one = || -> Vec<Option<u32>> {
            texts.iter().map(|text| interned.bits(Field::Plan, std::slice::from_ref(text))).collect()
        };
        let first = one_by_one();
        assert_eq!(one_by_one(), first, "those that are there stay where they are");
        let (with, without) = first.split_at(first.iter().position(Option::is_none).unwrap_or_default());
        assert!(with.len() > 16 && with.len() < 32, "{with:?}");
        assert!(without.iter().all(Option::is_none), "{without:?}");
        let all = with.iter().flatten().fold(0, |all, bits| all | bits);
        assert_eq!(all.count_ones() as usize, with.len(), "no two in one index");
        let [plans, regions, _] = &interned.0;
        for (token, bits) in texts.iter().map(|text| Token::of(text)).zip(&first) {
            assert_eq!(1 << plans.index(token), bits.unwrap_or(1 << ABSENT), "{token:?}");
            assert_eq!(regions.index(token), ABSENT);
        }
        assert_eq!([Token::NONE, Token::of("a plan of many words")].map(|token| plans.index(token)), [ABSENT; 2]);
    }

    #[test]
    fn a_list_that_cannot_have_bits_takes_no_indexes() {
        let texts = |from: usize, to: usize| -> Vec<Cow<'_, str>> {
            (from..to).map(|number| format!("region-{number}").into()).collect()
        };
        let mut interned = InternedTargets::default();
        let long = [texts(0, 11), vec!["a region of many words".into()]].concat();
        for list in [texts(0, 40), long] {
            assert_eq!(interned.bits(Field::Region, &list), None);
        }
        assert_eq!(interned.bits(Field::Region, &texts(50, 53)), Some(0b111));
        assert_eq!(interned.bits(Field::Region, &texts(51, 90)), None);
        assert_eq!(interned.bits(Field::Region, &texts(60, 62)), Some(0b11000));
    }

    #[test]
    fn caller_bits_are_known_for_one_set_only() {
        let caller_bits = CallerBits { plan: 30, region: ABSENT, roles: 1 << 7 };
        let known = KnownBits::default();
        assert!(known.get(0).is_none() && known.get(1).is_none());
        known.set(0, caller_bits);
        assert!(known.get(0).is_none(), "a set that nobody published has no number of its own");
        known.set(1 << 40, caller_bits);
        assert!(known.get(1 << 40 | 1).is_none());
        let again = known.get(1 << 40).unwrap_or_default();
        for (audience, has) in [
            (Audience([1 << 30, 1 << ABSENT, 1 << 7]), true),
            (Audience([1 << 29, u32::MAX, u32::MAX]), false),
            (Audience([u32::MAX, !(1 << ABSENT), u32::MAX]), false),
            (Audience([u32::MAX, u32::MAX, !(1 << 7)]), false),
            (Audience::EVERYBODY, true),
        ] {
            assert_eq!([audience.has(caller_bits), audience.has(again)], [has; 2], "{audience:?}");
        }
    }
}
