//! What can only be told from several flags or segments together: names, cycles, chains (2.3.2 to 2.3.4, 2.4).

use std::collections::{BTreeMap, BTreeSet};

/// What each key leads to, in order and as often as it is named.
pub(crate) type Graph<'k> = BTreeMap<&'k str, Vec<&'k str>>;

/// The keys that lead back to themselves.
pub(crate) fn on_a_cycle<'k>(graph: &Graph<'k>) -> BTreeSet<&'k str> {
    graph.keys().copied().filter(|key| reached(graph, key).contains(key)).collect()
}

fn reached<'k>(graph: &Graph<'k>, from: &str) -> BTreeSet<&'k str> {
    let mut reached = BTreeSet::new();
    let mut ahead: Vec<&str> = graph.get(from).cloned().unwrap_or_default();
    while let Some(key) = ahead.pop() {
        if reached.insert(key) {
            ahead.extend(graph.get(key).into_iter().flatten());
        }
    }
    reached
}

/// The parts of the conditions of each flag's own rules.
pub(crate) type Parts<'k> = BTreeMap<&'k str, u64>;

/// The keys that begin a chain of more than 64 (2.4.3), could take more than 10,000 resolutions (2.4.4) or more than
/// 1,000,000 parts of conditions (2.4.6) in a graph without cycles.
pub(crate) fn too_long<'k>(graph: &Graph<'k>, parts: &Parts<'k>) -> BTreeSet<&'k str> {
    let mut known = BTreeMap::new();
    graph
        .keys()
        .copied()
        .filter(|key| {
            let (chain, resolutions, parts) = extent(graph, parts, key, &mut known);
            chain > 64 || resolutions > 10_000 || parts > 1_000_000
        })
        .collect()
}

/// The longest chain from a key, and the resolutions and parts that it can take.
fn extent<'k>(
    graph: &Graph<'k>,
    own: &Parts<'k>,
    key: &'k str,
    known: &mut BTreeMap<&'k str, (u64, u64, u64)>,
) -> (u64, u64, u64) {
    if let Some(known) = known.get(key) {
        return *known;
    }
    let (mut chain, mut resolutions, mut parts) = (0, 0_u64, own.get(key).copied().unwrap_or(0));
    for next in graph.get(key).into_iter().flatten() {
        let beyond = extent(graph, own, next, known);
        chain = chain.max(1 + beyond.0);
        resolutions = resolutions.saturating_add(1).saturating_add(beyond.1);
        parts = parts.saturating_add(beyond.2);
    }
    known.insert(key, (chain, resolutions, parts));
    (chain, resolutions, parts)
}

/// Whether nothing in the graph breaks 2.4.2 to 2.4.4 and 2.4.6.
pub(crate) fn is_sound(graph: &Graph<'_>, parts: &Parts<'_>) -> bool {
    on_a_cycle(graph).is_empty() && too_long(graph, parts).is_empty()
}
