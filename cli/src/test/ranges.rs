//! Units for ranges of buckets: one for each way in which the ranges meet.

use std::collections::{BTreeMap, BTreeSet};

use esclusa::{BUCKETS, Bucket, Value, ranges};

use super::flag::{unit, unit_in};

/// Number of units that are sorted by the ranges that they are in. A combination of ranges that one unit in 20,000 is in
/// is missed with a probability of 1 in 22,000.
const TRIES: u32 = 200_000;

/// The most units of one attribute.
const MAX_UNITS: usize = 1_000;

/// A range of buckets in a salt: the first, and the one after the last.
type Range = (String, u32, u32);

/// By the attribute that is the unit.
#[derive(Debug, Default)]
pub(super) struct Ranges(BTreeMap<String, BTreeSet<Range>>);

impl Ranges {
    pub(super) fn add(&mut self, unit: &str, salt: &str, from: u32, to: u32) {
        let unit = if unit == "targetingKey" { "user" } else { unit };
        self.0.entry(unit.to_owned()).or_default().insert((salt.to_owned(), from, to));
    }

    /// The ranges of variants by weight.
    pub(super) fn split(&mut self, unit: &str, salt: &str, parts: &Value<'_>) {
        let weight = |part: &Value<'_>| part.get("weight").and_then(Value::as_f64).unwrap_or_default();
        // Weights are in thousandths (6.6).
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
        let weights = parts.as_list().unwrap_or_default().iter().map(|part| (weight(part) * 1000.0).round() as u64);
        for (from, to) in ranges(&weights.collect::<Vec<u64>>()) {
            self.add(unit, salt, from, to);
        }
    }

    /// For each attribute units in and outside each range, and where ranges meet.
    pub(super) fn units(self) -> impl Iterator<Item = (String, BTreeSet<String>)> {
        self.0.into_iter().map(|(name, ranges)| {
            let ranges: Vec<Range> = ranges.into_iter().collect();
            let units = met(&ranges).into_iter().chain(ranges.iter().flat_map(alone));
            (name, units.collect())
        })
    }
}

/// One unit for each set of ranges that a unit is in.
fn met(ranges: &[Range]) -> Vec<String> {
    let salts: Vec<&str> = ranges.iter().map(|(salt, ..)| salt.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    let mut found: BTreeMap<Vec<bool>, String> = BTreeMap::new();
    for number in 0..TRIES {
        let unit = unit(number);
        let buckets: BTreeMap<&str, u32> = salts.iter().map(|salt| (*salt, Bucket::of(&unit, salt).number())).collect();
        let is_in =
            |(salt, from, to): &Range| buckets.get(salt.as_str()).is_some_and(|bucket| (*from..*to).contains(bucket));
        found.entry(ranges.iter().map(is_in).collect()).or_insert(unit);
        if found.len() >= MAX_UNITS {
            break;
        }
    }
    found.into_values().collect()
}

/// A unit in a range, however small it is, and one outside it.
fn alone((salt, from, to): &Range) -> Vec<String> {
    let is_in = (from < to).then(|| unit_in(salt, *from, *to)).flatten();
    let below = (*from > 0).then(|| unit_in(salt, 0, *from)).flatten();
    let above = (*to < BUCKETS).then(|| unit_in(salt, *to, BUCKETS)).flatten();
    is_in.into_iter().chain(below).chain(above).collect()
}
