//! The expressions of a whole snapshot (5.17).

use std::collections::{BTreeMap, BTreeSet};

use super::checking::{self, Found};
use super::json::Json;
use super::operands::expressions;
use super::{spelling, written};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Segment,
    Flag,
}

/// The segments and flags, by where they stand, that are set aside because of all expressions together (5.17).
pub(crate) fn over_the_limit(segments: &[Json], flags: &[Json], ignored: &[String]) -> BTreeSet<(Kind, usize)> {
    let mut owners: Vec<(u64, Kind, String, usize, BTreeSet<String>)> = Vec::new();
    let mut add = |kind, key: String, at, texts: Vec<&str>| {
        let texts: BTreeSet<String> = texts.into_iter().map(str::to_owned).collect();
        let parts = texts.iter().map(|text| written::expression_parts(text)).sum();
        owners.push((parts, kind, key, at, texts));
    };
    let mut taken = BTreeSet::new();
    let segments: Vec<Json> = segments.iter().map(spelling::segment).collect();
    let flags: Vec<Json> = flags.iter().map(spelling::flag).collect();
    for (at, segment) in segments.iter().enumerate() {
        let mut found = Found::new();
        checking::segment(segment, "", &mut found);
        let Some(key) = checking::key(segment, "key").filter(|key| taken.insert((Kind::Segment, *key))) else {
            continue;
        };
        if let (true, Some(when)) = (found.is_empty(), segment.field("when")) {
            add(Kind::Segment, key.to_owned(), at, expressions(when));
        }
    }
    for (at, flag) in flags.iter().enumerate() {
        let mut found = Found::new();
        checking::flag(flag, "", ignored, &mut found);
        let Some(key) = checking::key(flag, checking::key_field(flag)).filter(|key| taken.insert((Kind::Flag, *key)))
        else {
            continue;
        };
        if found.is_empty() {
            let conditions = flag.elements("rules").iter().filter_map(|rule| rule.field("when"));
            add(Kind::Flag, key.to_owned(), at, conditions.flat_map(expressions).collect());
        }
    }
    owners.sort_by(|one, other| other.0.cmp(&one.0).then((one.1, &one.2).cmp(&(other.1, &other.2))));
    let mut over = BTreeSet::new();
    loop {
        let left = owners.iter().filter(|(_, kind, _, at, _)| !over.contains(&(*kind, *at)));
        let texts: BTreeMap<&String, u64> =
            left.flat_map(|owner| &owner.4).map(|text| (text, written::expression_parts(text))).collect();
        if texts.values().sum::<u64>() <= 2_000_000 {
            return over;
        }
        let next = owners.iter().find(|(_, kind, _, at, _)| !over.contains(&(*kind, *at)));
        over.extend(next.map(|(_, kind, _, at, _)| (*kind, *at)));
    }
}
