//! Limits the total size of a snapshot's expressions (5.17): compiling them takes the most time and memory.

use std::cmp::Reverse;

use super::{Candidate, Segment};
use crate::code;
use crate::definition::ConditionDefinition;
use crate::fingerprint::Map;
use crate::limit::MAX_SNAPSHOT_REGEX_PARTS;
use crate::reading::{Place, Reading};

/// Sets flags and segments aside until the expressions of the others are within the limit: first those with the most
/// parts. Equal expressions count once.
pub(super) fn limit(
    reading: &mut Reading,
    (segments_place, segments): (&Place<'_>, &mut [Segment<'_>]),
    (flags_place, flags): (&Place<'_>, &mut [Candidate<'_>]),
) {
    // Number of flags and segments that use an expression, and its number of parts.
    let mut uses: Map<String, (usize, u64)> = Map::default();
    let mut owners: Vec<(u64, Owner, Vec<String>)> = Vec::new();
    let segment = |(at, segment): (usize, &Segment<'_>)| {
        segment
            .sound
            .then(|| (Owner::Segment(segment.definition.key.to_string(), at), expressions([&segment.definition.when])))
    };
    let flag = |(at, flag): (usize, &Candidate<'_>)| {
        let conditions = flag.definition()?.rules.iter().map(|rule| &rule.when);
        (!flag.key.is_empty() && flag.twin.is_none())
            .then(|| (Owner::Flag(flag.key.to_string(), at), expressions(conditions)))
    };
    let all = segments.iter().enumerate().filter_map(segment).chain(flags.iter().enumerate().filter_map(flag));
    for (owner, own) in all.filter(|(_, own)| !own.is_empty()) {
        let parts = own.values().fold(0_u64, |sum, parts| sum.saturating_add(*parts));
        for (text, parts) in &own {
            uses.entry(text.clone()).or_insert((0, *parts)).0 += 1;
        }
        owners.push((parts, owner, own.into_keys().collect()));
    }
    let mut total = uses.values().fold(0_u64, |sum, (_, parts)| sum.saturating_add(*parts));
    if total <= MAX_SNAPSHOT_REGEX_PARTS {
        return;
    }
    let all = total;
    owners.sort_unstable_by(|(parts, owner, _), (others, other, _)| {
        Reverse(parts).cmp(&Reverse(others)).then(owner.cmp(other))
    });
    for (_, owner, texts) in owners {
        if total <= MAX_SNAPSHOT_REGEX_PARTS {
            break;
        }
        for text in texts {
            if let Some((count, parts)) = uses.get_mut(&text) {
                *count -= 1;
                total -= if *count == 0 { *parts } else { 0 };
            }
        }
        let problem = format!(
            "the expressions of this snapshot have {all} parts together, expected at most {MAX_SNAPSHOT_REGEX_PARTS}; those with the most are set aside"
        );
        match owner {
            Owner::Segment(_, node) => {
                if let Some(segment) = segments.get_mut(node) {
                    reading.report(&segments_place.entry(segment.at).field("when"), code::TOO_MUCH_WORK, problem);
                    segment.sound = false;
                }
            }
            Owner::Flag(_, node) => {
                if let Some(flag) = flags.get_mut(node) {
                    reading.report(&flags_place.entry(flag.at).field("rules"), code::TOO_MUCH_WORK, problem);
                    flag.sound = false;
                }
            }
        }
    }
}

/// A flag or segment with expressions: its kind and key, and its index.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Segment(String, usize),
    Flag(String, usize),
}

/// The different expressions of conditions, with their parts.
fn expressions<'d, 'v: 'd>(conditions: impl IntoIterator<Item = &'d ConditionDefinition<'v>>) -> Map<String, u64> {
    let mut expressions = Map::default();
    for condition in conditions {
        condition.expressions(&mut |expression| {
            expressions.entry_ref(expression.as_str()).or_insert(expression.parts());
        });
    }
    expressions
}
