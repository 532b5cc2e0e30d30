//! The graph of prerequisites: cycles, and for each flag the length of its chain and how many resolutions and parts of
//! conditions it may take (2.4.2 to 2.4.4, 2.4.6). It knows flags as indexes.

use crate::fingerprint::Set;
use crate::graph::{Component, order};
use crate::limit::{MAX_ANSWER_PARTS, MAX_PREREQUISITE_CHAIN, MAX_PREREQUISITE_RESOLUTIONS};

/// The cost of one answer of a flag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The length of its longest chain of prerequisites.
    pub(crate) chain: u32,
    /// Resolutions of prerequisites, counting a flag as often as it is reached.
    pub(crate) resolutions: u64,
    /// Parts of conditions, its own and those of its prerequisites.
    pub(crate) parts: u64,
}

impl Extent {
    /// Whether it is within all limits.
    fn is_within(self) -> bool {
        self.chain <= MAX_PREREQUISITE_CHAIN
            && self.resolutions <= MAX_PREREQUISITE_RESOLUTIONS
            && self.parts <= MAX_ANSWER_PARTS
    }
}

/// The cycles of prerequisites, and the extent of each flag that is on none.
pub(crate) struct Survey {
    pub(super) knots: Vec<Component>,
    pub(super) extents: Vec<Extent>,
    /// Parts of the flags' own conditions.
    own_parts: Vec<u64>,
}

impl Survey {
    pub(crate) fn of(edges: &[Vec<usize>], own_parts: Vec<u64>) -> Self {
        let mut survey = Survey { knots: Vec::new(), extents: vec![Extent::default(); edges.len()], own_parts };
        for component in order(edges) {
            if !component.cycle.is_empty() {
                survey.knots.push(component);
                continue;
            }
            for node in component.nodes {
                let extent = survey.extent(node, edges);
                if let Some(known) = survey.extents.get_mut(node) {
                    *known = extent;
                }
            }
        }
        survey
    }

    /// The extent of a flag, given those of its prerequisites.
    fn extent(&self, node: usize, edges: &[Vec<usize>]) -> Extent {
        let own = Extent { parts: self.own_parts.get(node).copied().unwrap_or_default(), ..Extent::default() };
        let others = edges.get(node).into_iter().flatten().filter_map(|&other| self.extents.get(other));
        others.fold(own, |extent, other| Extent {
            chain: extent.chain.max(other.chain.saturating_add(1)),
            resolutions: extent.resolutions.saturating_add(other.resolutions).saturating_add(1),
            parts: extent.parts.saturating_add(other.parts),
        })
    }

    /// Whether there is no cycle and everything is within the limits.
    pub(crate) fn is_sound(&self) -> bool {
        self.knots.is_empty() && self.extents.iter().all(|extent| extent.is_within())
    }
}

/// A sound graph of prerequisites that grows flag by flag as long as it stays sound. The cost of a step depends on the
/// flags that it touches, not on their total number.
pub(crate) struct Growing {
    survey: Survey,
    edges: Vec<Vec<usize>>,
    /// The flags that have a flag as a prerequisite.
    dependents: Vec<Vec<usize>>,
}

impl Growing {
    pub(crate) fn new(edges: Vec<Vec<usize>>, own_parts: Vec<u64>) -> Self {
        let mut dependents = vec![Vec::new(); edges.len()];
        for (node, others) in edges.iter().enumerate() {
            for other in others {
                if let Some(dependents) = dependents.get_mut(*other) {
                    dependents.push(node);
                }
            }
        }
        Growing { survey: Survey::of(&edges, own_parts), edges, dependents }
    }

    /// Gives a flag without prerequisites these prerequisites, and conditions with this many parts, unless that makes a
    /// cycle or exceeds a limit.
    pub(crate) fn add(&mut self, node: usize, others: Vec<usize>, parts: u64) -> bool {
        if self.reaches(&others, node) {
            return false;
        }
        if let Some(own) = self.survey.own_parts.get_mut(node) {
            *own = parts;
        }
        for other in &others {
            if let Some(dependents) = self.dependents.get_mut(*other) {
                dependents.push(node);
            }
        }
        if let Some(own) = self.edges.get_mut(node) {
            *own = others;
        }
        let before = self.raise(node);
        let sound =
            before.iter().all(|(node, _)| self.survey.extents.get(*node).is_none_or(|extent| extent.is_within()));
        if !sound {
            for (node, extent) in before.into_iter().rev() {
                if let Some(known) = self.survey.extents.get_mut(node) {
                    *known = extent;
                }
            }
            if let Some(own) = self.survey.own_parts.get_mut(node) {
                *own = 0;
            }
            let others = self.edges.get_mut(node).map(std::mem::take).unwrap_or_default();
            for other in others {
                if let Some(dependents) = self.dependents.get_mut(other) {
                    dependents.pop();
                }
            }
        }
        sound
    }

    /// Whether one of these flags is the wanted one or has it among its prerequisites, at any distance.
    fn reaches(&self, from: &[usize], wanted: usize) -> bool {
        let (mut waiting, mut seen) = (from.to_vec(), Set::default());
        while let Some(node) = waiting.pop() {
            if node == wanted {
                return true;
            }
            if seen.insert(node) {
                waiting.extend(self.edges.get(node).into_iter().flatten());
            }
        }
        false
    }

    /// Computes the extents of a flag and of those that depend on it; returns the extents before.
    fn raise(&mut self, node: usize) -> Vec<(usize, Extent)> {
        let (mut before, mut level) = (Vec::new(), Vec::from([node]));
        // Level by level: a sound chain has at most 64 of them.
        for _ in 0..=MAX_PREREQUISITE_CHAIN {
            let mut next = Set::default();
            for node in level {
                let extent = self.survey.extent(node, &self.edges);
                let Some(known) = self.survey.extents.get_mut(node).filter(|known| **known != extent) else { continue };
                before.push((node, std::mem::replace(known, extent)));
                next.extend(self.dependents.get(node).into_iter().flatten().copied());
            }
            level = next.into_iter().collect();
        }
        before
    }
}
