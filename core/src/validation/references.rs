//! References of flags and segments: unknown names, cycles, and chains that are too long (2.3 and 2.4).

use super::survey::{Extent as Cost, Survey};
use super::{Candidate, Segment};
use crate::code;
use crate::definition::{ConditionDefinition, SegmentDefinition};
use crate::error::quoted;
use crate::fingerprint::{Map, Set};
use crate::graph::order;
use crate::keys::Keys;
use crate::limit::{
    MAX_ANSWER_PARTS, MAX_CONDITION_DEPTH, MAX_CONDITION_PARTS, MAX_PREREQUISITE_CHAIN, MAX_PREREQUISITE_RESOLUTIONS,
};
use crate::reading::{Place, Reading};

/// Number of keys of a cycle that a message names; it counts the rest.
const NAMED: usize = 10;

/// The depth of a condition and its number of parts, with its segments expanded.
pub(crate) type Extent = (u32, u64);

/// Whether a condition is within the limits (2.3.4).
pub(crate) fn within((depth, parts): Extent) -> bool {
    depth <= MAX_CONDITION_DEPTH && parts <= MAX_CONDITION_PARTS
}

/// The extent of a condition, given those of the segments; `None` if it names an unknown one.
pub(crate) fn extent(condition: &ConditionDefinition<'_>, known: impl Fn(&str) -> Option<Extent>) -> Option<Extent> {
    let (mut depth, mut parts) = condition.extent();
    let mut all_known = true;
    condition.segments(1, &mut |key, at| match known(key) {
        Some((inner_depth, inner_parts)) => {
            depth = depth.max(at.saturating_add(inner_depth));
            parts = parts.saturating_add(inner_parts);
        }
        None => all_known = false,
    });
    all_known.then_some((depth, parts))
}

/// The extent of each segment by its key; `None` for one that is set aside.
pub(super) type Extents = Map<String, Option<Extent>>;

/// The usable segments, each after those that it uses, and the extents of all.
pub(super) fn segments<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    segments: Vec<Segment<'v>>,
) -> (Vec<SegmentDefinition<'v>>, Extents) {
    let edges = segment_edges(&segments);
    let keys = segments.iter().map(|segment| segment.definition.key.clone().into_owned());
    let mut extents: Extents = keys.map(|key| (key, None)).collect();
    let mut sound = Vec::new();
    for component in order(&edges) {
        let members = component.nodes.iter().filter_map(|node| Some(segments.get(*node)?.definition.key.as_ref()));
        let members: Set<&str> = members.collect();
        let usable = |node: &usize| {
            let Some(segment) = segments.get(*node).filter(|segment| segment.sound) else { return false };
            let mut usable = true;
            // Within a cycle the others are not judged yet; one unusable segment makes the whole cycle unusable.
            let inside = |key: &str| members.contains(key);
            segment
                .definition
                .when
                .segments(1, &mut |key, _| usable &= extent_of(&extents, key).is_some() || inside(key));
            usable
        };
        let all_usable = component.nodes.iter().all(usable);
        for &node in &component.nodes {
            let Some(segment) = segments.get(node) else { continue };
            let entry = place.entry(segment.at);
            let when = entry.field("when");
            if all_usable && !component.cycle.is_empty() {
                continue;
            }
            reading.begin_entry();
            let extent = self::usable(reading, &when, &segment.definition.when, &extents);
            reading.end_entry(&entry);
            if let Some(extent) = extent.filter(|_| segment.sound) {
                extents.insert(segment.definition.key.clone().into_owned(), Some(extent));
                sound.push(node);
            }
        }
        if all_usable && !component.cycle.is_empty() {
            let name = |node: usize| segments.get(node).map_or("", |segment| &segment.definition.key);
            for &node in &component.nodes {
                let at = segments.get(node).map_or(0, |segment| segment.at);
                reading.report(
                    &place.entry(at).field("when"),
                    code::CYCLE,
                    cycle("segments", component.way_round(node, &edges, NAMED), name),
                );
            }
        }
    }
    let mut segments: Vec<Option<Segment<'v>>> = segments.into_iter().map(Some).collect();
    let taken = |node: usize| Some(segments.get_mut(node)?.take()?.definition);
    (sound.into_iter().filter_map(taken).collect(), extents)
}

fn extent_of(extents: &Extents, key: &str) -> Option<Extent> {
    extents.get(key).copied().flatten()
}

/// For each segment, the segments that its condition names.
fn segment_edges(segments: &[Segment<'_>]) -> Vec<Vec<usize>> {
    let keys: Map<&str, usize> =
        segments.iter().enumerate().map(|(node, segment)| (segment.definition.key.as_ref(), node)).collect();
    let named = |segment: &Segment<'_>| {
        let mut edges = Vec::new();
        segment.definition.when.segments(1, &mut |key, _| edges.extend(keys.get(key)));
        edges
    };
    segments.iter().map(named).collect()
}

/// The extent of a condition if all its segments are known and it is within the limits; else reports why not.
fn usable(
    reading: &mut Reading,
    when: &Place<'_>,
    condition: &ConditionDefinition<'_>,
    extents: &Extents,
) -> Option<Extent> {
    let Some(extent) = extent(condition, |key| extent_of(extents, key)) else {
        unknown_segments(reading, when, condition, extents);
        return None;
    };
    if !within(extent) {
        let (depth, parts) = extent;
        if depth > MAX_CONDITION_DEPTH {
            let problem =
                format!("is {depth} deep with its segments written out, expected at most {MAX_CONDITION_DEPTH}");
            reading.report(when, code::TOO_DEEP, problem);
        } else {
            let problem =
                format!("has {parts} parts with its segments written out, expected at most {MAX_CONDITION_PARTS}");
            reading.report(when, code::TOO_MUCH_WORK, problem);
        }
        return None;
    }
    Some(extent)
}

/// Reports each name of a segment that cannot be used, at its place.
fn unknown_segments(reading: &mut Reading, place: &Place<'_>, condition: &ConditionDefinition<'_>, extents: &Extents) {
    match condition {
        ConditionDefinition::All(parts) | ConditionDefinition::Any(parts) => {
            let place = place.field(if matches!(condition, ConditionDefinition::All(_)) { "all" } else { "any" });
            for (at, part) in parts.iter().enumerate() {
                unknown_segments(reading, &place.entry(at), part, extents);
            }
        }
        ConditionDefinition::Not(part) => unknown_segments(reading, &place.field("not"), part, extents),
        ConditionDefinition::Segment(key) => {
            let problem = match extents.get(key.as_ref()) {
                Some(Some(_)) => return,
                Some(None) => format!("the segment {} is set aside itself, expected a sound one", quoted(key)),
                None => format!("there is no segment {} in this snapshot, expected the key of one", quoted(key)),
            };
            reading.report(&place.field("segment"), code::UNKNOWN_SEGMENT, problem);
        }
        ConditionDefinition::Comparison { .. }
        | ConditionDefinition::Now(_)
        | ConditionDefinition::Percentage { .. } => {}
    }
}

/// Of the flags that refer to others, sets aside those with an invalid reference.
pub(super) fn names(
    reading: &mut Reading,
    place: &Place<'_>,
    extents: &Extents,
    keys: &Keys<'_>,
    flags: &mut [Candidate<'_>],
) {
    for flag in flags.iter_mut() {
        let place = place.entry(flag.at);
        reading.begin_entry();
        let rules = place.field("rules");
        let extents = flag
            .definition
            .rules
            .iter()
            .enumerate()
            .map(|(at, rule)| usable(reading, &rules.entry(at).field("when"), &rule.when, extents));
        // Every rule is checked, so that all violations are reported.
        let parts: Vec<Option<u64>> = extents.map(|extent| extent.map(|(_, parts)| parts)).collect();
        flag.parts = parts.into_iter().sum::<Option<u64>>().unwrap_or_default();
        if flag.parts > MAX_ANSWER_PARTS {
            let all = format_args!("{} parts with their segments written out", flag.parts);
            reading.report(
                &rules,
                code::TOO_MUCH_WORK,
                format_args!("have {all}, expected at most {MAX_ANSWER_PARTS}"),
            );
        }
        let prerequisites = place.field("prerequisites");
        for (at, prerequisite) in flag.definition.prerequisites.iter().enumerate() {
            let (code, problem) = match prerequisite.flag.as_ref() {
                // An unreadable name has been reported.
                "" => continue,
                own if own == flag.key => {
                    (code::CYCLE, format!("{} is the flag itself, expected the key of another", quoted(own)))
                }
                other if keys.find(other).is_some() => continue,
                other => {
                    let problem =
                        format!("there is no flag {} in this snapshot, expected the key of one", quoted(other));
                    (code::UNKNOWN_FLAG, problem)
                }
            };
            reading.report(&prerequisites.entry(at).field("flag"), code, problem);
        }
        flag.sound &= reading.end_entry(&place);
    }
}

/// Checks cycles and lengths, over the flags that break no other rule (2.4.5).
pub(super) fn prerequisites(reading: &mut Reading, place: &Place<'_>, keys: &Keys<'_>, flags: &mut [Candidate<'_>]) {
    if flags.iter().all(|flag| flag.definition.prerequisites.is_empty()) {
        return;
    }
    // All flags without references are alike here: one node after the others stands for them.
    let leaf = flags.len();
    let node = |key: &str| {
        let at = keys.find(key)?;
        Some(flags.binary_search_by_key(&at, |flag| flag.at).unwrap_or(leaf))
    };
    let others = |flag: &Candidate<'_>| match flag.definition() {
        Some(definition) => definition.prerequisites.iter().filter_map(|other| node(&other.flag)).collect(),
        None => Vec::new(),
    };
    let edges: Vec<Vec<usize>> = flags.iter().map(others).chain([Vec::new()]).collect();
    let parts = |flag: &Candidate<'_>| flag.definition().map_or(0, |_| flag.parts);
    let survey = Survey::of(&edges, flags.iter().map(parts).chain([0]).collect());
    let name = |node: usize| flags.get(node).map_or("", |flag| flag.key.as_ref());
    let mut problems: Vec<(usize, &'static str, String)> = Vec::new();
    for knot in &survey.knots {
        problems.extend(
            knot.nodes
                .iter()
                .map(|&node| (node, code::CYCLE, cycle("prerequisites", knot.way_round(node, &edges, NAMED), name))),
        );
    }
    for (node, &Cost { chain, resolutions, parts }) in survey.extents.iter().enumerate() {
        if chain > MAX_PREREQUISITE_CHAIN {
            problems.push((
                node,
                code::TOO_DEEP,
                format!("a chain of {chain} prerequisites is too long, expected at most {MAX_PREREQUISITE_CHAIN}"),
            ));
        }
        if resolutions > MAX_PREREQUISITE_RESOLUTIONS {
            problems.push((node, code::TOO_MUCH_WORK, format!("resolving this flag may take {resolutions} resolutions of prerequisites, expected at most {MAX_PREREQUISITE_RESOLUTIONS}")));
        }
        if parts > MAX_ANSWER_PARTS {
            problems.push((node, code::TOO_MUCH_WORK, format!("resolving this flag may take {parts} parts of conditions, its prerequisites' among them, expected at most {MAX_ANSWER_PARTS}")));
        }
    }
    problems.sort_by_key(|problem| problem.0);
    for (node, code, problem) in problems {
        if let Some(flag) = flags.get_mut(node) {
            reading.report(&place.entry(flag.at).field("prerequisites"), code, problem);
            flag.sound = false;
        }
    }
}

/// The message for one node of a cycle: the first nodes of the way as a path, from the node itself, and the number of
/// nodes.
fn cycle<'n>(what: &str, (way, len): (Vec<usize>, usize), name: impl Fn(usize) -> &'n str) -> String {
    let mut path: Vec<String> = way.iter().map(|&node| quoted(name(node))).collect();
    if len > way.len() {
        path.push(format!("{} more", len - way.len()));
    }
    path.extend(way.first().map(|&node| quoted(name(node))));
    format!("{what} form a cycle, {}, expected none", path.join(" → "))
}
