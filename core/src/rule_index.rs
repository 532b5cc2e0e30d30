//! The index of rules: which rules of a flag can be true for a context at all (sentence 7.12 of SEMANTICS.md).
//!
//! A rule that wants the company to be one of some texts is true for no other company. Such rules stand in a table under
//! the hashes of their texts; a rule that wants nothing of the kind is a candidate for every context. The index leaves
//! out only what cannot be true: the condition of a candidate is looked at as if there were no index, so two texts
//! that are alike in what is kept of their hashes cost time and change no answer.
//!
//! Which equality a rule stands under is chosen by `compilation`.

use crate::bucket::hash;
use crate::context::{Context, Field};
use crate::flag_set::{Detail, FlagSet, Span, Unit};
use crate::limit::MAX_RULES;
use crate::operator::hash_attribute;
use crate::value::Value;

/// So many rows of rules are merged at most; a context that finds more, by its roles or the elements of its lists, has
/// all rules looked at.
const CURSORS: usize = 8;

/// The rules of all flags that have enough of them for an index, each by its number in its flag.
#[derive(Debug, Default)]
pub(crate) struct RuleIndex {
    sources: Vec<Source>,
    places: Vec<Place>,
    /// Rows of numbers of rules, each ascending and without one twice.
    rows: Vec<u32>,
}

/// Where candidates come from.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// A row that every context has.
    Always(Span),
    /// A table of rows by the texts that the attribute is to be one of.
    Wanted { attribute: Unit, table: Span },
}

/// One place of a table: a part of the hash, and the rules that want a text of that hash.
#[derive(Clone, Copy, Debug)]
struct Place {
    tag: u32,
    /// One rule with the bit [`ONE`], or where the row stands that begins with its length.
    rules: u32,
}

/// No number of a rule has this bit, and no set has so many entries that a place among them had it.
const ONE: u32 = 1 << 31;
const FREE: Place = Place { tag: 0, rules: u32::MAX };

/// A rule and the text that it wants: the upper bits of the text's hash, and below them the rule's number. One number
/// and not a pair, because a snapshot may have millions of them to be sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wish(u64);

const RULE_BITS: u32 = 14;
const _: () = assert!(MAX_RULES <= 1 << RULE_BITS);

impl Wish {
    pub(crate) fn new(hash: u64, rule: u32) -> Self {
        Wish(hash >> RULE_BITS << RULE_BITS | u64::from(rule))
    }

    /// As much of the hash as there is.
    fn hash(self) -> u64 {
        self.0 >> RULE_BITS << RULE_BITS
    }

    fn rule(self) -> u32 {
        (self.0 & ((1 << RULE_BITS) - 1)) as u32
    }
}

/// How far from its home a hash is looked for.
const MOST_STEPS: usize = 64;

impl RuleIndex {
    /// Puts in the rules of a flag: for each attribute what its rules want of it, and the rules that always count.
    pub(crate) fn add(&mut self, wanted: Vec<(Unit, Vec<Wish>)>, mut always: Vec<u32>) -> Span {
        let first = len(&self.sources);
        for (attribute, wishes) in wanted {
            let table = self.table(wishes, &mut always);
            self.sources.push(Source::Wanted { attribute, table });
        }
        if !always.is_empty() {
            always.sort_unstable();
            always.dedup();
            let start = len(&self.rows);
            self.rows.extend(always);
            self.sources.push(Source::Always(Span { start, len: len(&self.rows) - start }));
        }
        Span { start: first, len: len(&self.sources) - first }
    }

    /// A table of these wishes. Where two hashes cannot be told apart by what a table keeps of them, the rules of the
    /// second always count; so do those of a hash that finds no place near its home, because texts may be chosen to
    /// have one home.
    fn table(&mut self, mut wishes: Vec<Wish>, always: &mut Vec<u32>) -> Span {
        wishes.sort_unstable();
        wishes.dedup();
        let alike = |one: &Wish, other: &Wish| one.hash() == other.hash();
        let hashes = wishes.chunk_by(alike).count();
        // At most two thirds full, so that looking for what is not there ends soon.
        let places = if hashes == 0 { 0 } else { hashes + hashes / 2 + 1 };
        let first = self.places.len();
        self.places.resize(first + places, FREE);
        let table = Span { start: len_of(first), len: len_of(places) };
        for same in wishes.chunk_by(alike) {
            let Some(wish) = same.first() else { continue };
            let rules = same.iter().map(|wish| wish.rule());
            let (home, tag) = home(wish.hash(), places);
            let mut on_the_way = (home..places).chain(0..home).take(MOST_STEPS).map(|at| first + at);
            let place = on_the_way.find_map(|at| {
                let place = self.places.get(at)?;
                (place.rules == FREE.rules || place.tag == tag).then_some((at, place.rules == FREE.rules))
            });
            let Some((at, true)) = place else {
                always.extend(rules);
                continue;
            };
            let rules = match same {
                [one] => ONE | one.rule(),
                _ => {
                    let start = len(&self.rows);
                    self.rows.push(len(same));
                    self.rows.extend(rules);
                    start
                }
            };
            if let Some(place) = self.places.get_mut(at) {
                *place = Place { tag, rules };
            }
        }
        table
    }

    /// The rules of a table that want a text of this hash.
    #[inline]
    fn row(&self, table: Span, hash: u64) -> Cursor<'_> {
        let table = table.of(&self.places);
        let (home, tag) = home(hash, table.len());
        let (before, from) = table.split_at_checked(home).unwrap_or_default();
        for place in from.iter().chain(before).take(MOST_STEPS) {
            if place.rules == FREE.rules {
                break;
            }
            if place.tag == tag {
                if place.rules & ONE != 0 {
                    return Cursor { next: place.rules & !ONE, rest: &[] };
                }
                let row = self.rows.get(place.rules as usize..).unwrap_or_default();
                let (len, row) = row.split_first().unwrap_or((&0, &[]));
                return Cursor::of(row.get(..*len as usize).unwrap_or_default());
            }
        }
        Cursor::NONE
    }

    pub(crate) fn bytes(&self) -> usize {
        self.sources.capacity() * size_of::<Source>()
            + self.places.capacity() * size_of::<Place>()
            + self.rows.capacity() * size_of::<u32>()
    }

    pub(crate) fn shrink(&mut self) {
        self.sources.shrink_to_fit();
        self.places.shrink_to_fit();
        self.rows.shrink_to_fit();
    }
}

/// Where in so many places to begin to look, and what is kept of the hash: bits that a [`Wish`] has.
#[inline]
fn home(hash: u64, places: usize) -> (usize, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "less than the number of places, and some of the bits")]
    ((((hash >> 32) * places as u64) >> 32) as usize, (hash >> RULE_BITS) as u32)
}

/// Arenas are addressed with 32 bits: a snapshot has at most 256 MiB, and so fewer entries than that.
fn len_of(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn len<T>(arena: &[T]) -> u32 {
    len_of(arena.len())
}

/// What is left of a row.
#[derive(Clone, Copy, Debug)]
struct Cursor<'s> {
    next: u32,
    rest: &'s [u32],
}

impl<'s> Cursor<'s> {
    const NONE: Cursor<'s> = Cursor { next: u32::MAX, rest: &[] };

    #[inline]
    fn of(row: &'s [u32]) -> Self {
        match row.split_first() {
            Some((next, rest)) => Cursor { next: *next, rest },
            None => Cursor::NONE,
        }
    }
}

/// The rules of a flag that can be true, ascending.
#[derive(Debug)]
pub(crate) struct Candidates<'s> {
    cursors: [Cursor<'s>; CURSORS],
    count: usize,
}

impl<'s> Candidates<'s> {
    /// One row more; `None` if there is no room for it.
    #[inline]
    fn add(&mut self, row: Cursor<'s>) -> Option<()> {
        if row.next != Cursor::NONE.next {
            *self.cursors.get_mut(self.count)? = row;
            self.count += 1;
        }
        Some(())
    }
}

impl Iterator for Candidates<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let cursors = self.cursors.get_mut(..self.count)?;
        let next = cursors.iter().map(|cursor| cursor.next).min().filter(|next| *next != Cursor::NONE.next)?;
        for cursor in cursors.iter_mut().filter(|cursor| cursor.next == next) {
            *cursor = Cursor::of(cursor.rest);
        }
        Some(next)
    }
}

impl FlagSet {
    /// The rules that can be true for this context, or `None` if all have to be looked at.
    #[inline]
    pub(crate) fn candidates(&self, detail: &Detail, context: &Context<'_>) -> Option<Candidates<'_>> {
        if detail.index.is_empty() {
            return None;
        }
        let index = &self.rule_index;
        let mut found = Candidates { cursors: [Cursor::NONE; CURSORS], count: 0 };
        for source in detail.index.of(&index.sources) {
            match *source {
                Source::Always(row) => found.add(Cursor::of(row.of(&index.rows)))?,
                Source::Wanted { attribute, table } => {
                    let mut add = |hash: u64| found.add(index.row(table, hash));
                    match attribute {
                        Unit::Field(Field::Roles) => {
                            let mut roles = context.known_roles().into_iter().flatten();
                            roles.try_for_each(|role| add(role.hash()))?;
                        }
                        Unit::Field(field) => {
                            if let Some(word) = context.field(field) {
                                add(word.hash())?;
                            }
                        }
                        // What is neither a text nor a whole number equals none, and of a list each element counts (4.10, 5.1).
                        Unit::Attribute(name) => {
                            let elements = match context.lookup(self.texts.get(name)) {
                                Some(Value::List(elements)) => elements.as_slice(),
                                Some(one) => std::slice::from_ref(one),
                                None => &[],
                            };
                            let hashes = elements.iter().filter_map(|element| match element {
                                Value::Text(text) => Some(hash(text)),
                                other => hash_attribute(other),
                            });
                            hashes.into_iter().try_for_each(&mut add)?;
                        }
                    }
                }
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The candidates of what was put in for one attribute, for each of these hashes together.
    fn found(index: &RuleIndex, sources: Span, hashes: &[u64]) -> Option<Vec<u32>> {
        let mut found = Candidates { cursors: [Cursor::NONE; CURSORS], count: 0 };
        for source in sources.of(&index.sources) {
            match *source {
                Source::Always(row) => found.add(Cursor::of(row.of(&index.rows)))?,
                Source::Wanted { table, .. } => {
                    hashes.iter().try_for_each(|hash| found.add(index.row(table, *hash)))?;
                }
            }
        }
        Some(found.collect())
    }

    const COMPANY: Unit = Unit::Field(Field::Company);

    #[test]
    fn a_text_finds_the_rules_that_want_it_and_no_others_at_every_size() {
        let mut index = RuleIndex::default();
        for size in [0, 1, 2, 3, 10, 11, if cfg!(miri) { 101 } else { 10_000 }] {
            let text = |number: u32| hash(&format!("company-{number}"));
            let wanted = |rule: u32| [rule, rule, rule / 3].map(|company| Wish::new(text(company), rule));
            let sources = index.add(vec![(COMPANY, (0..size).flat_map(wanted).collect())], Vec::new());
            for number in 0..size {
                let mut wanted: Vec<u32> = (3 * number..(3 * number + 3).min(size)).chain([number]).collect();
                wanted.sort_unstable();
                wanted.dedup();
                assert_eq!(found(&index, sources, &[text(number)]), Some(wanted));
                assert_eq!(found(&index, sources, &[text(number + size)]), Some(vec![]));
            }
        }
    }

    #[test]
    fn rows_are_merged_in_the_order_of_the_rules_and_each_rule_comes_once() {
        let mut index = RuleIndex::default();
        let [seven, eight, nine, ten] = [7, 8, 9, 10].map(|number: u64| number << 40);
        let wishes = [(seven, 5), (seven, 1), (eight, 5), (eight, 9), (nine, 0)];
        let wishes = wishes.map(|(hash, rule)| Wish::new(hash, rule)).to_vec();
        let sources = index.add(vec![(COMPANY, wishes)], vec![6, 2]);
        assert_eq!(found(&index, sources, &[]), Some(vec![2, 6]));
        assert_eq!(found(&index, sources, &[eight, seven, seven, ten]), Some(vec![1, 2, 5, 6, 9]));
        assert_eq!(found(&index, sources, &[nine; CURSORS - 1]), Some(vec![0, 2, 6]));
        assert_eq!(found(&index, sources, &[nine; CURSORS]), None, "there is no room for so many rows");
        assert_eq!(found(&index, sources, &[ten; CURSORS]), Some(vec![2, 6]), "what finds nothing takes no room");
        let sources = index.add(vec![(COMPANY, Vec::new())], Vec::new());
        assert_eq!(found(&index, sources, &[seven]), Some(vec![]));
    }

    #[test]
    fn rules_whose_hashes_cannot_be_told_apart_are_candidates_all_the_same() {
        let mut index = RuleIndex::default();
        // The second has the home and the tag of the first; the third differs from it in nothing that a wish has.
        let hashes = [77 << RULE_BITS, 1 << 46 | 77 << RULE_BITS, 1 << 46 | 77 << RULE_BITS | 1];
        let wishes = (0..).zip(hashes).map(|(rule, hash)| Wish::new(hash, rule));
        let sources = index.add(vec![(COMPANY, wishes.collect())], Vec::new());
        for (rule, hash) in (0..).zip(hashes) {
            assert!(found(&index, sources, &[hash]).is_some_and(|found| found.contains(&rule)));
        }
    }
}
