//! Which equality each rule of a flag is indexed under.
//!
//! An equality at the root of a condition, inside `all` at any depth, or in every part of an `any`, must hold for the
//! condition to be true (4.2 and 4.3); so must one at such a place in the condition of a segment.
//! Of several equalities, the rule is indexed by the one whose texts the fewest other rules require.

use std::cmp::Reverse;
use std::iter::successors;
use std::ops::Range;

use super::{Compiler, len};
use crate::bucket::hash;
use crate::condition::{Part, Truth};
use crate::fingerprint::Map;
use crate::flag_set::{FlagSet, Span, Unit};
use crate::list::List;
use crate::operator::Operator;
use crate::rule_index::Posting;

/// Minimum number of rules before an attribute is indexed; below it, the index saves little.
const LEAST_RULES: usize = 8;
/// Maximum number of indexed attributes of a flag: every evaluation looks up each of them.
const MOST_ATTRIBUTES: usize = 4;
/// Maximum number of equalities of a rule that are compared.
const MOST_EQUALITIES: usize = 8;
/// For each rule, the maximum number of parts and texts of segments and of lists of an `any` that are searched. Every
/// rule may name the same segment, and `any` may be nested: without a bound a small snapshot could take much memory.
const MOST_REPEATED: usize = 64;

/// A requirement of a rule: the attribute is one of the texts of these lists.
#[derive(Clone, Debug)]
struct Equality {
    rule: u32,
    attribute: u32,
    lists: Range<usize>,
}

impl Compiler {
    /// Indexes the rules of a flag by the equalities that enough of them have; an empty span if there are none.
    pub(super) fn index_rules(&mut self, rules: Span) -> Span {
        let rules = rules.of(&self.set.rules);
        if rules.len() < LEAST_RULES {
            return Span::default();
        }
        let mut search = Search::of(&self.set);
        let (mut equalities, mut found) = (Vec::with_capacity(rules.len()), Vec::new());
        for (number, rule) in (0..).zip(rules) {
            (search.rule, search.left) = (number, MOST_REPEATED);
            search.equalities(rule.when, &mut found);
            equalities.append(&mut found);
        }
        let indexed = search.keep_frequent(&mut equalities);
        if indexed.is_empty() {
            return Span::default();
        }
        let (wanted, always) = search.chosen(&equalities, &indexed, len(rules));
        self.set.rule_index.add(wanted, always)
    }
}

/// A search for equalities in the conditions of one flag.
struct Search<'s> {
    set: &'s FlagSet,
    /// The current rule.
    rule: u32,
    /// The attributes of the equalities found so far; an attribute's number is its position here.
    attributes: Vec<Unit>,
    /// From the name of an attribute to its number.
    names: Map<&'s str, u32>,
    lists: Vec<List>,
    /// What is left of [`MOST_REPEATED`].
    left: usize,
    /// How deep the search is inside segments.
    segments: usize,
}

impl<'s> Search<'s> {
    fn of(set: &'s FlagSet) -> Self {
        let (attributes, lists) = (Vec::new(), Vec::new());
        Search { set, rule: 0, attributes, names: Map::default(), lists, left: 0, segments: 0 }
    }

    fn number(&mut self, attribute: Unit) -> u32 {
        let next = len(&self.attributes);
        let number = match attribute {
            Unit::Attribute(name) => *self.names.entry(self.set.texts.get(name)).or_insert(next),
            Unit::Field(_) => (0..).zip(&self.attributes).find(|(_, it)| **it == attribute).map_or(next, |(at, _)| at),
        };
        if number == next {
            self.attributes.push(attribute);
        }
        number
    }

    /// Takes `count` from what is left; `None` if there is less.
    fn take(&mut self, count: usize) -> Option<()> {
        self.left = self.left.checked_sub(count)?;
        Some(())
    }

    /// The same, but only inside segments: a part outside of segments is searched once.
    fn take_in_segments(&mut self, count: usize) -> Option<()> {
        if self.segments == 0 { Some(()) } else { self.take(count) }
    }

    /// Adds equalities that must hold for the condition to be true. Stopping early is harmless: it only finds fewer.
    fn equalities(&mut self, at: u32, found: &mut Vec<Equality>) -> Option<()> {
        let set = self.set;
        let node = set.nodes.get(at as usize)?;
        self.take_in_segments(1)?;
        match node.part {
            Part::Comparison(at) => {
                let comparison = set.comparisons.get(at as usize)?;
                let Operator::In(list) = comparison.operator else { return None };
                // A value that is not a text must not make it true.
                if comparison.missing == Truth::True || comparison.unconvertible == Truth::True {
                    return None;
                }
                self.take_in_segments(most_texts(list))?;
                let attribute = self.number(comparison.attribute);
                self.lists.push(list);
                found.push(Equality { rule: self.rule, attribute, lists: self.lists.len() - 1..self.lists.len() });
            }
            Part::All => {
                for part in parts(set, at) {
                    if found.len() >= MOST_EQUALITIES {
                        break;
                    }
                    self.equalities(part, found);
                }
            }
            Part::Any => {
                let mut of_parts = Vec::new();
                for part in parts(set, at) {
                    let mut found = Vec::new();
                    self.equalities(part, &mut found);
                    if found.is_empty() || of_parts.len() >= self.left {
                        return None;
                    }
                    of_parts.push(found);
                }
                self.intersect_attributes(&of_parts, found)?;
            }
            Part::Segment(id) => {
                let segment = set.segments.get(id.0 as usize)?;
                self.segments += 1;
                self.equalities(segment.when, found);
                self.segments -= 1;
            }
            Part::Not | Part::Percentage(_) | Part::Now(_) => {}
        }
        Some(())
    }

    /// The equalities of an `any`: for an attribute on which every part has an equality, one with the lists of all parts.
    fn intersect_attributes(&mut self, of_parts: &[Vec<Equality>], found: &mut Vec<Equality>) -> Option<()> {
        let (first, others) = of_parts.split_first()?;
        for equality in first {
            let on_the_same = |of_part: &'_ Vec<Equality>| {
                of_part.iter().find(|other| other.attribute == equality.attribute).map(|other| other.lists.clone())
            };
            let Some(others) = others.iter().map(on_the_same).collect::<Option<Vec<_>>>() else { continue };
            let all = [equality.lists.clone()].into_iter().chain(others);
            self.take(all.clone().map(|lists| lists.len()).sum())?;
            let start = self.lists.len();
            all.for_each(|lists| self.lists.extend_from_within(lists));
            found.push(Equality { lists: start..self.lists.len(), ..equality.clone() });
        }
        Some(())
    }

    /// Keeps the equalities on the attributes that most rules compare, and returns these attributes.
    fn keep_frequent(&self, equalities: &mut Vec<Equality>) -> Vec<u32> {
        let mut rules = vec![0; self.attributes.len()];
        for found in equalities.chunk_by(|one, other| one.rule == other.rule) {
            for (at, equality) in found.iter().enumerate() {
                let is_first = found.iter().take(at).all(|other| other.attribute != equality.attribute);
                if let Some(rules) = rules.get_mut(equality.attribute as usize).filter(|_| is_first) {
                    *rules += 1;
                }
            }
        }
        let mut frequent: Vec<(Reverse<usize>, u32)> =
            rules.into_iter().map(Reverse).zip(0..).filter(|(rules, _)| rules.0 >= LEAST_RULES).collect();
        frequent.sort_unstable();
        let frequent: Vec<u32> = frequent.into_iter().map(|(_, attribute)| attribute).take(MOST_ATTRIBUTES).collect();
        equalities.retain(|equality| frequent.contains(&equality.attribute));
        frequent
    }

    /// The postings of each indexed attribute, and the rules that have none.
    fn chosen(self, equalities: &[Equality], indexed: &[u32], rules: u32) -> (Vec<(Unit, Vec<Posting>)>, Vec<u32>) {
        let (hashes, own) = self.hashes(equalities);
        let mut wanting: Map<(u32, u64), u32> = Map::default();
        if equalities.windows(2).any(|pair| matches!(pair, [one, other] if one.rule == other.rule)) {
            wanting.reserve(hashes.len());
            for (equality, own) in equalities.iter().zip(&own) {
                let own = hashes.get(own.clone()).unwrap_or_default();
                own.iter().for_each(|hash| *wanting.entry((equality.attribute, *hash)).or_default() += 1);
            }
        }
        let attribute = |number: &u32| Some((*self.attributes.get(*number as usize)?, Vec::new()));
        let mut wanted: Vec<(Unit, Vec<Posting>)> = indexed.iter().filter_map(attribute).collect();
        let mut always = Vec::new();
        let mut left = equalities.iter().zip(&own).peekable();
        for rule in 0..rules {
            let of_rule = std::iter::from_fn(|| left.next_if(|(equality, _)| equality.rule == rule));
            let of_rule =
                of_rule.map(|(equality, own)| (equality.attribute, hashes.get(own.clone()).unwrap_or_default()));
            // The number of rules that share its most frequent text, then its number of texts.
            let rarity = |(attribute, hashes): &(u32, &[u64])| {
                (hashes.iter().filter_map(|hash| wanting.get(&(*attribute, *hash))).max(), hashes.len())
            };
            let place = of_rule.min_by_key(rarity).and_then(|(attribute, hashes)| {
                let at = indexed.iter().position(|indexed| *indexed == attribute)?;
                Some((&mut wanted.get_mut(at)?.1, hashes))
            });
            match place {
                Some((postings, hashes)) => postings.extend(hashes.iter().map(|hash| Posting::new(*hash, rule))),
                None => always.push(rule),
            }
        }
        (wanted, always)
    }

    /// The hashes of the texts of all equalities, and the range of each equality among them.
    fn hashes(&self, equalities: &[Equality]) -> (Vec<u64>, Vec<Range<usize>>) {
        let mut hashes = Vec::with_capacity(equalities.len());
        let own = equalities.iter().map(|equality| {
            let start = hashes.len();
            for list in self.lists.get(equality.lists.clone()).unwrap_or_default() {
                let texts = self.set.lists.texts(*list, &self.set.texts);
                hashes.extend(texts.into_iter().map(|text| hash(&text)));
            }
            start..hashes.len()
        });
        let own = own.collect();
        (hashes, own)
    }
}

/// The node indexes of the parts of an `all` or `any`.
fn parts(set: &FlagSet, at: u32) -> impl Iterator<Item = u32> {
    let end_of = |at: u32| set.nodes.get(at as usize).map(|node| node.end);
    let end = end_of(at).unwrap_or_default();
    let inside = move |part: u32| (part < end).then_some(part);
    successors(inside(at + 1), move |part| inside(end_of(*part)?))
}

/// An upper bound of the number of texts in the list.
fn most_texts(list: List) -> usize {
    match list {
        List::Exact { mask, .. } => usize::from(mask) + 1,
        List::Few { len, .. } => usize::from(len),
        List::Many { bits, .. } | List::Sorted { bits, .. } => 1 << bits,
    }
}

#[cfg(test)]
#[cfg(feature = "rules")]
mod tests {
    use super::*;
    use crate::context::Context;

    /// The rules of a flag that are looked at for a context, or `None` if all of them are.
    fn looked_at(rules: impl Iterator<Item = String>, segments: &str, context: &Context<'_>) -> Option<Vec<u32>> {
        let rule = |(number, when): (usize, String)| format!(r#"{{"key": "rule-{number}", "when": {when}}}"#);
        let rules = rules.enumerate().map(rule).collect::<Vec<_>>().join(",");
        let flag = format!(r#"{{"name": "flag", "enabled": true, "rules": [{rules}]}}"#);
        let snapshot = format!(r#"{{"esclusa": 1, "segments": [{segments}], "flags": [{flag}]}}"#);
        let set = FlagSet::from_json_strict(snapshot.as_bytes()).unwrap();
        let detail = set.detail(set.flag(set.find("flag").unwrap())).unwrap();
        set.candidates(detail, context).map(Iterator::collect)
    }

    /// The same for ten rules, with `N` for the number of each.
    fn of_ten(when: &str, context: &Context<'_>) -> Option<Vec<u32>> {
        let segment = |number: usize| {
            let filler = vec![r#""filler of a list""#; MOST_REPEATED].join(",");
            format!(
                r#"{{"key": "of-{number}", "when": {{"attribute": "company", "op": "in", "values": ["c{number}"]}}}},
                   {{"key": "long-{number}",
                     "when": {{"attribute": "company", "op": "in", "values": ["c{number}", {filler}]}}}}"#
            )
        };
        // Only where a rule names them: Miri takes its time to read them.
        let segments: Vec<String> = (0..10).filter(|_| when.contains("segment")).map(segment).collect();
        looked_at((0..10).map(|number| when.replace('N', &number.to_string())), &segments.join(","), context)
    }

    #[test]
    #[cfg_attr(miri, ignore = "it reads snapshots, for which Miri takes minutes")]
    fn an_equality_is_found_where_it_has_to_hold() {
        let company = r#"{"attribute": "company", "op": "in", "values": ["cN", "a company of many words N"]}"#;
        let other = r#"{"attribute": "company", "op": "in", "values": ["dN"]}"#;
        let plan = r#"{"attribute": "plan", "op": "in", "values": ["PREMIUM"]}"#;
        let context = Context::new("user-42").company("c3").plan("PREMIUM");
        let holds = [
            company.to_owned(),
            format!(r#"{{"all": [{company}]}}"#),
            format!(r#"{{"all": [{plan}, {{"all": [{{"not": {plan}}}, {company}]}}]}}"#),
            format!(r#"{{"any": [{other}, {company}]}}"#),
            format!(r#"{{"any": [{other}, {{"all": [{plan}, {company}]}}]}}"#),
            r#"{"segment": "of-N"}"#.to_owned(),
            format!(r#"{{"all": [{plan}, {{"any": [{{"segment": "of-N"}}]}}]}}"#),
        ];
        for when in &holds {
            assert_eq!(of_ten(when, &context), Some(vec![3]), "{when}");
            assert_eq!(of_ten(when, &Context::new("c3").company("nobody's")), Some(vec![]), "{when}");
            assert_eq!(of_ten(when, &Context::new("c3")), Some(vec![]), "{when}");
        }
        assert_eq!(of_ten(company, &Context::anonymous().company("a company of many words 7")), Some(vec![7]));
        let of_long = format!(r#"{{"all": [{{"segment": "long-N"}}, {company}]}}"#);
        assert_eq!(of_ten(&of_long, &context), Some(vec![3]), "what a segment repeats too often is passed over");
    }

    #[test]
    #[cfg_attr(miri, ignore = "it reads snapshots, for which Miri takes minutes")]
    fn without_an_equality_that_has_to_hold_all_rules_are_looked_at() {
        let company = r#"{"attribute": "company", "op": "in", "values": ["cN"]}"#;
        let plan = r#"{"attribute": "plan", "op": "in", "values": ["PREMIUM"]}"#;
        let none = [
            format!(r#"{{"not": {company}}}"#),
            format!(r#"{{"any": [{company}, {plan}]}}"#),
            format!(r#"{{"any": [{company}, {{"not": {plan}}}]}}"#),
            r#"{"any": []}"#.to_owned(),
            r#"{"all": []}"#.to_owned(),
            r#"{"attribute": "company", "op": "in", "values": ["cN"], "ignore_case": true}"#.to_owned(),
            r#"{"attribute": "company", "op": "starts_with", "values": ["cN"]}"#.to_owned(),
            r#"{"attribute": "company", "op": "present"}"#.to_owned(),
            r#"{"attribute": "seats", "op": "eq", "value": N}"#.to_owned(),
            r#"{"segment": "long-N"}"#.to_owned(),
        ];
        for when in &none {
            assert_eq!(of_ten(when, &Context::new("user-42").company("c3")), None, "{when}");
        }
        let few = |count: usize| looked_at((0..count).map(|_| plan.to_owned()), "", &Context::anonymous());
        assert_eq!((few(LEAST_RULES - 1), few(LEAST_RULES)), (None, Some(vec![])));
    }

    #[test]
    #[cfg_attr(miri, ignore = "it reads snapshots, for which Miri takes minutes")]
    fn every_text_that_a_context_has_counts() {
        let role = r#"{"attribute": "role", "op": "in", "values": ["rN"]}"#;
        assert_eq!(of_ten(role, &Context::anonymous().roles(["r5", "r", "r3"])), Some(vec![3, 5]));
        assert_eq!(of_ten(role, &Context::anonymous().roles((0..10).map(|at| format!("r{at}")))), None, "too many");
        let seats = r#"{"attribute": "seats", "op": "in", "values": ["N"]}"#;
        let with = |json: &str| {
            let context = format!(r#"{{"seats": {json}}}"#);
            of_ten(seats, &Context::from_json(context.as_bytes()).unwrap())
        };
        assert_eq!(with(r#""5""#), Some(vec![5]));
        assert_eq!(with("5"), Some(vec![5]));
        assert_eq!(with(r#"["5", 4, "3", ["2"], null, {"1": "1"}, "5"]"#), Some(vec![3, 4, 5]));
        for odd in ["5.5", "true", "null", "{}", "[]", r#"[["5"]]"#] {
            assert_eq!(with(odd), Some(vec![]), "{odd}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it reads snapshots, for which Miri takes minutes")]
    fn of_several_equalities_the_rarer_counts_and_rules_without_one_are_looked_at_in_between() {
        let both = r#"{"all": [{"attribute": "plan", "op": "in", "values": ["PREMIUM"]},
            {"attribute": "account.id", "op": "in", "values": ["aN"]}]}"#;
        let rules = (0..20).map(|number| match number {
            4 => r#"{"attribute": "user", "op": "present"}"#.to_owned(),
            7 => r#"{"attribute": "plan", "op": "in", "values": ["PREMIUM"]}"#.to_owned(),
            _ => both.replace('N', &(number / 2).to_string()),
        });
        let context = |account: &'static str, plan: &'static str| {
            Context::anonymous().plan(plan).attribute("account.id", account)
        };
        let of = |account, plan| looked_at(rules.clone(), "", &context(account, plan));
        assert_eq!(of("a2", "PREMIUM"), Some(vec![4, 5, 7]));
        assert_eq!(of("a9", "PREMIUM"), Some(vec![4, 7, 18, 19]));
        assert_eq!(of("a9", "FREE"), Some(vec![4, 18, 19]));
        assert_eq!(of("", ""), Some(vec![4]));
    }
}
