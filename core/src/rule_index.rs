//! The index of rules: which rules of a flag can be true for a context at all (sentence 7.12 of SEMANTICS.md).
//!
//! A rule that requires the company to be one of some texts is false for every other company. A hash table maps the
//! hashes of these texts to their rules; a rule without such a requirement is a candidate for every context. The index
//! skips only rules that cannot be true, and candidates are evaluated as if there were no index, so a collision of
//! hashes costs time and changes no answer.
//!
//! `compilation::rule_index` chooses the equality by which each rule is indexed.

use crate::bucket::hash;
use crate::context::{Context, Field};
use crate::flag_set::{Detail, FlagSet, Span, Unit};
use crate::limit::MAX_RULES;
use crate::operator::hash_attribute;
use crate::value::Value;

/// Maximum number of posting lists that are merged; a context that finds more, by its roles or the elements of its
/// lists, has all rules evaluated.
const CURSORS: usize = 8;

/// The rules of all flags that are indexed, each by its index in its flag.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleIndex {
    sources: Vec<Source>,
    slots: Vec<Slot>,
    /// Posting lists: indexes of rules, ascending, without duplicates.
    rows: Vec<u32>,
}

/// Where candidates come from.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// A posting list for every context.
    Always(Span),
    /// A table from the texts that an attribute must be one of to posting lists.
    Wanted { attribute: Unit, table: Span },
}

/// One slot of a table: a part of the hash, and the rules that require a text of that hash.
#[derive(Clone, Copy, Debug)]
struct Slot {
    tag: u32,
    /// One rule with the bit [`ONE`], or the offset of a posting list, which begins with its length.
    rules: u32,
}

/// No index of a rule and no offset of a posting list has this bit.
const ONE: u32 = 1 << 31;
const FREE: Slot = Slot { tag: 0, rules: u32::MAX };

/// A rule and the text that it requires: the upper bits of the text's hash, then the rule's index. One number instead
/// of a pair, because a snapshot may have millions of them to sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Posting(u64);

const RULE_BITS: u32 = 14;
const _: () = assert!(MAX_RULES <= 1 << RULE_BITS);

impl Posting {
    pub(crate) fn new(hash: u64, rule: u32) -> Self {
        Posting(hash >> RULE_BITS << RULE_BITS | u64::from(rule))
    }

    /// The upper bits of the hash; the lower bits are 0.
    fn hash(self) -> u64 {
        self.0 >> RULE_BITS << RULE_BITS
    }

    fn rule(self) -> u32 {
        (self.0 & ((1 << RULE_BITS) - 1)) as u32
    }
}

/// Maximum number of slots that a probe looks at.
const MOST_STEPS: usize = 64;

impl RuleIndex {
    /// Adds the rules of a flag: the postings of each attribute, and the rules that are candidates for every context.
    pub(crate) fn add(&mut self, wanted: Vec<(Unit, Vec<Posting>)>, mut always: Vec<u32>) -> Span {
        let first = len(&self.sources);
        for (attribute, postings) in wanted {
            let table = self.table(postings, &mut always);
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

    /// A table of these postings. The rules of a hash become candidates for every context if the table cannot
    /// distinguish it from an earlier hash, or if it finds no free slot near its home: texts can be chosen to have one
    /// home.
    fn table(&mut self, mut postings: Vec<Posting>, always: &mut Vec<u32>) -> Span {
        postings.sort_unstable();
        postings.dedup();
        let alike = |one: &Posting, other: &Posting| one.hash() == other.hash();
        let hashes = postings.chunk_by(alike).count();
        // At most two thirds full, so that the search for an absent hash ends soon.
        let slots = if hashes == 0 { 0 } else { hashes + hashes / 2 + 1 };
        let first = self.slots.len();
        self.slots.resize(first + slots, FREE);
        let table = Span { start: len_of(first), len: len_of(slots) };
        for same in postings.chunk_by(alike) {
            let Some(posting) = same.first() else { continue };
            let rules = same.iter().map(|posting| posting.rule());
            let (home, tag) = home(posting.hash(), slots);
            let mut on_the_way = (home..slots).chain(0..home).take(MOST_STEPS).map(|at| first + at);
            let slot = on_the_way.find_map(|at| {
                let slot = self.slots.get(at)?;
                (slot.rules == FREE.rules || slot.tag == tag).then_some((at, slot.rules == FREE.rules))
            });
            let Some((at, true)) = slot else {
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
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = Slot { tag, rules };
            }
        }
        table
    }

    /// The rules of a table that require a text of this hash.
    #[inline]
    fn row(&self, table: Span, hash: u64) -> Cursor<'_> {
        let table = table.of(&self.slots);
        let (home, tag) = home(hash, table.len());
        let (before, from) = table.split_at_checked(home).unwrap_or_default();
        for slot in from.iter().chain(before).take(MOST_STEPS) {
            if slot.rules == FREE.rules {
                break;
            }
            if slot.tag == tag {
                if slot.rules & ONE != 0 {
                    return Cursor { next: slot.rules & !ONE, rest: &[] };
                }
                let row = self.rows.get(slot.rules as usize..).unwrap_or_default();
                let (len, row) = row.split_first().unwrap_or((&0, &[]));
                return Cursor::of(row.get(..*len as usize).unwrap_or_default());
            }
        }
        Cursor::NONE
    }

    pub(crate) fn bytes(&self) -> usize {
        self.sources.capacity() * size_of::<Source>()
            + self.slots.capacity() * size_of::<Slot>()
            + self.rows.capacity() * size_of::<u32>()
    }

    pub(crate) fn shrink(&mut self) {
        self.sources.shrink_to_fit();
        self.slots.shrink_to_fit();
        self.rows.shrink_to_fit();
    }
}

/// The home of a hash in a table of that many slots, and its tag: bits that a [`Posting`] has.
#[inline]
fn home(hash: u64, slots: usize) -> (usize, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "less than the number of slots, and some of the bits")]
    ((((hash >> 32) * slots as u64) >> 32) as usize, (hash >> RULE_BITS) as u32)
}

/// Arenas are addressed with 32 bits: a snapshot has at most 256 MiB, and so fewer entries than that.
fn len_of(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn len<T>(arena: &[T]) -> u32 {
    len_of(arena.len())
}

/// The rest of a posting list.
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
    /// Adds a posting list; `None` if there are already [`CURSORS`] of them.
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
    /// The rules that can be true for this context, or `None` if all must be evaluated.
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
                        // Only texts and whole numbers can be equal; of a list each element counts (4.10, 5.1).
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
            let wanted = |rule: u32| [rule, rule, rule / 3].map(|company| Posting::new(text(company), rule));
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
        let postings = [(seven, 5), (seven, 1), (eight, 5), (eight, 9), (nine, 0)];
        let postings = postings.map(|(hash, rule)| Posting::new(hash, rule)).to_vec();
        let sources = index.add(vec![(COMPANY, postings)], vec![6, 2]);
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
        // The second has the home and the tag of the first; the third differs from it in nothing that a posting has.
        let hashes = [77 << RULE_BITS, 1 << 46 | 77 << RULE_BITS, 1 << 46 | 77 << RULE_BITS | 1];
        let postings = (0..).zip(hashes).map(|(rule, hash)| Posting::new(hash, rule));
        let sources = index.add(vec![(COMPANY, postings.collect())], Vec::new());
        for (rule, hash) in (0..).zip(hashes) {
            assert!(found(&index, sources, &[hash]).is_some_and(|found| found.contains(&rule)));
        }
    }
}
