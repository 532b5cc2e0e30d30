//! The last step of compiling: computes what depends on several flags, in the order of their prerequisites.

use crate::RULES;
use crate::aside::Why;
use crate::condition::Part;
use crate::context::Field;
use crate::fingerprint::{fingerprint, mix};
use crate::flag_set::{Fate, Flag, FlagSet, Rule, State, Unit};
use crate::graph::order;

impl FlagSet {
    /// Finds which flags are plain and which answers depend on the time, computes the fingerprints by which changes are
    /// noticed, and frees spare memory.
    pub(super) fn finalize(&mut self) {
        // Without prerequisites, any order works.
        let ids: Vec<usize> = if !RULES || self.prerequisites.is_empty() {
            (0..self.flags.len()).collect()
        } else {
            order(&self.prerequisite_edges()).into_iter().flat_map(|part| part.nodes).collect()
        };
        let mut parts = if RULES && !self.rules.is_empty() { self.rule_parts() } else { Vec::new() };
        for at in ids {
            if RULES {
                self.add_parts(at, &mut parts);
            }
            let Some(flag) = self.flags.get(at) else { continue };
            let (plain, timed) = (self.plain_unit(flag), self.is_timed(flag));
            let fingerprint = self.full_fingerprint(at, flag);
            if let (Some(flag), Some(origin)) = (self.flags.get_mut(at), self.origins.get_mut(at)) {
                (flag.plain, flag.timed) = (plain, timed);
                origin.fingerprint = fingerprint;
            }
        }
        // A browser's flag sets are small, and so is their spare memory.
        if RULES {
            self.shrink();
        }
    }

    /// Adds the parts of a flag's prerequisites, which are complete by now, to its own.
    fn add_parts(&mut self, at: usize, parts: &mut [u64]) {
        let Some(flag) = self.flags.get(at) else { return };
        let Some(detail) = self.details.get_mut(flag.detail as usize) else { return };
        let others = detail.prerequisites.of(&self.prerequisites).iter().filter_map(|prerequisite| prerequisite.flag);
        let others = others.filter_map(|id| parts.get(id.0 as usize)).copied().fold(0, u64::saturating_add);
        if let Some(own) = parts.get_mut(at) {
            *own = own.saturating_add(others);
            detail.parts = u32::try_from(*own).unwrap_or(u32::MAX);
        }
    }

    /// For each flag, the flags that its prerequisites name.
    pub(crate) fn prerequisite_edges(&self) -> Vec<Vec<usize>> {
        let others = |flag: &Flag| match self.detail(flag) {
            Some(detail) => {
                let prerequisites = detail.prerequisites.of(&self.prerequisites);
                prerequisites.iter().filter_map(|prerequisite| Some(prerequisite.flag?.0 as usize)).collect()
            }
            None => Vec::new(),
        };
        self.flags.iter().map(others).collect()
    }

    /// For each flag, the parts of its rules' conditions with their segments written out.
    pub(crate) fn rule_parts(&self) -> Vec<u64> {
        let of_rule = |rule: &Rule| {
            let end = self.nodes.get(rule.when as usize).map_or(rule.when, |node| node.end);
            let nodes = self.nodes.get(rule.when as usize..end as usize).unwrap_or_default();
            let segments = nodes.iter().map(|node| match node.part {
                Part::Segment(id) => self.segments.get(id.0 as usize).map_or(0, |segment| segment.extent.1),
                _ => 0,
            });
            segments.fold(nodes.len() as u64, u64::saturating_add)
        };
        let of_flag = |flag: &Flag| match self.detail(flag) {
            Some(detail) => detail.rules.of(&self.rules).iter().map(of_rule).fold(0, u64::saturating_add),
            None => 0,
        };
        self.flags.iter().map(of_flag).collect()
    }

    fn plain_unit(&self, flag: &Flag) -> Option<Field> {
        let mut targets = flag.targets.of(&self.targets).iter();
        let has_no_more =
            flag.state == State::Open && flag.detail == Flag::NO_DETAIL && targets.all(|target| target.covered);
        match flag.unit {
            // Roles are not a unit (6.2).
            Unit::Field(field) if has_no_more && field != Field::Roles => Some(field),
            _ => None,
        }
    }

    fn is_timed(&self, flag: &Flag) -> bool {
        let Some(detail) = self.detail(flag) else { return false };
        let others = detail.prerequisites.of(&self.prerequisites).iter().filter(|_| RULES);
        let mut others = others.filter_map(|other| other.flag);
        // A flag with any rule counts as timed once the set has a condition on the time: few sets have one.
        let asks = self.windows.iter().any(|windows| !windows.is_empty()) && !detail.rules.is_empty();
        asks || detail.start.is_some()
            || detail.end.is_some()
            || !detail.schedule.is_empty()
            || others.any(|other| self.flag(other).timed)
    }

    /// The fingerprints of all segments that are named in the nodes from `start` to below `end`.
    pub(super) fn segments_within(&self, start: u32, end: u32) -> impl Iterator<Item = u64> {
        let nodes = self.nodes.get(start as usize..end as usize).unwrap_or_default();
        nodes.iter().filter_map(|node| match node.part {
            Part::Segment(id) => self.segments.get(id.0 as usize).map(|segment| segment.fingerprint),
            _ => None,
        })
    }

    fn full_fingerprint(&self, at: usize, flag: &Flag) -> u64 {
        let Some(origin) = self.origins.get(at) else { return 0 };
        let mut mixed = match origin.fate {
            Fate::Sound | Fate::SetAside { why: Why::Broken, kept: Some(_), .. } => origin.own_fingerprint,
            Fate::SetAside { why: Why::Killed, kept: Some(_), .. } => mix(origin.own_fingerprint, 1),
            // Only the off value counts.
            Fate::SetAside { .. } => {
                let off_value = self.detail(flag).and_then(|detail| self.off_values.get(detail.off_value? as usize));
                return mix(fingerprint(&off_value), 2 + u64::from(flag.state == State::Broken));
            }
        };
        let Some(detail) = self.detail(flag) else { return mixed };
        for rule in detail.rules.of(&self.rules).iter().filter(|_| RULES) {
            let end = self.nodes.get(rule.when as usize).map_or(rule.when, |node| node.end);
            mixed = self.segments_within(rule.when, end).fold(mixed, mix);
        }
        for prerequisite in detail.prerequisites.of(&self.prerequisites).iter().filter(|_| RULES) {
            mixed = mix(mixed, prerequisite.flag.map_or(0, |other| self.origin(other).fingerprint));
        }
        mixed
    }

    fn shrink(&mut self) {
        self.flags.shrink_to_fit();
        self.origins.shrink_to_fit();
        self.details.shrink_to_fit();
        self.targets.shrink_to_fit();
        self.rules.shrink_to_fit();
        self.rule_index.shrink();
        self.nodes.shrink_to_fit();
        self.comparisons.shrink_to_fit();
        self.operands.shrink_to_fit();
        self.portions.shrink_to_fit();
        self.lists.shrink();
        self.texts.shrink();
    }
}
