//! Kept definitions: the last known good definition of a flag that is set aside (sentences 8.4 to 8.7 of SEMANTICS.md).
//!
//! A compiled flag is read back into a definition, which borrows from the old set, and the same code as for any other
//! flag compiles it into the new set. It then uses the new set's segments and prerequisites, and the old set can be
//! freed.

use std::borrow::Cow;

use crate::RULES;
use crate::aside::Why;
use crate::compilation::Compiler;
use crate::condition::Part;
use crate::definition::{
    ConditionDefinition, FlagDefinition, OperatorDefinition, OverridesDefinition, PrerequisiteDefinition,
    RuleDefinition, SegmentDefinition, ServeDefinition, TARGETS, Targets, TextTest, VariantDefinition,
    WantedDefinition,
};
use crate::fingerprint::{Map, fingerprint, mix};
use crate::flag_set::{Detail, Fate, FlagId, FlagSet, Kept, Rule, Segment, Serve, Span, Unit, VariantId, Wanted};
use crate::list::List;
use crate::operator::Operator;
use crate::pattern::Expression;
use crate::text::Text;
use crate::validation::{Growing, Survey, extent, within};

/// The new set, with the old set's definitions for its flags that are set aside.
pub(crate) fn keep(mut new: FlagSet, before: &FlagSet) -> FlagSet {
    if !before.not_ready {
        new.compare_columns(before);
    }
    let narrowings: Vec<_> = new.set_aside.iter_mut().map(|(id, aside)| (*id, aside.narrowing.take())).collect();
    let mut narrowed: Map<FlagId, u64> = Map::default();
    let mut found: Vec<(FlagId, FlagId, FlagDefinition<'_>)> = Vec::new();
    for (id, narrowing) in narrowings {
        let Some(old) = before.find(new.key(id)) else { continue };
        let Some(mut definition) = before.definition(old) else { continue };
        if let Some(narrowing) = narrowing
            && narrowing.narrow(&mut definition)
        {
            narrowed.insert(id, fingerprint(&narrowing));
        }
        found.push((id, old, definition));
    }
    if found.is_empty() {
        return new;
    }
    let compiler = Compiler::reopen(new);
    let mut earlier = EarlierSegments::of(before);
    if RULES {
        found.retain(|(_, _, definition)| {
            for rule in &definition.rules {
                earlier.measure(&compiler, &rule.when);
            }
            let known = |key: &str| earlier.extent(&compiler, key);
            definition.rules.iter().all(|rule| extent(&rule.when, known).is_some_and(within))
        });
        drop_unsound(&compiler, &earlier, &mut found);
    }
    let mut compiler = compiler;
    for (id, old, definition) in &found {
        let origin = before.origin(*old);
        let kept = match origin.fate {
            Fate::SetAside { kept: Some(kept), .. } => Kept { publishes: kept.publishes + 1, ..kept },
            _ => Kept { revision: before.revision, publishes: 1 },
        };
        for rule in definition.rules.iter().filter(|_| RULES) {
            bring_segments(&mut compiler, &earlier, &rule.when);
        }
        let own_fingerprint = narrowed.get(id).map_or(origin.own_fingerprint, |by| mix(origin.own_fingerprint, *by));
        compiler.keep(*id, definition, own_fingerprint, kept);
    }
    compiler.finish()
}

/// The segments of the set before, by their keys.
struct EarlierSegments<'s> {
    set: &'s FlagSet,
    by_key: Map<&'s str, &'s Segment>,
    /// The extents that they would have in the new set, as far as they were computed; `None` for a segment that names
    /// one that neither set has.
    extents: Map<&'s str, Option<(u32, u64)>>,
}

impl<'s> EarlierSegments<'s> {
    fn of(set: &'s FlagSet) -> Self {
        let by_key = set.segments.iter().map(|segment| (set.texts.get(segment.key), segment)).collect();
        EarlierSegments { set, by_key, extents: Map::default() }
    }

    /// The segment of this key, with its condition.
    fn find(&self, key: &str) -> Option<(&'s str, &'s Segment, ConditionDefinition<'s>)> {
        let (key, segment) = self.by_key.get_key_value(key)?;
        Some((key, segment, self.set.condition_definition(segment.when)))
    }

    /// The extent that a segment has in the new set, or would have if it were added to it.
    fn extent(&self, compiler: &Compiler, key: &str) -> Option<(u32, u64)> {
        compiler.segment_extent(key).or_else(|| self.extents.get(key).copied().flatten())
    }

    /// Computes the extents of the segments that a condition names and the new set lacks.
    fn measure(&mut self, compiler: &Compiler, condition: &ConditionDefinition<'_>) {
        for key in missing(condition, |key| compiler.segment_extent(key).is_some() || self.extents.contains_key(key)) {
            let Some((key, _, when)) = self.find(&key) else { continue };
            self.measure(compiler, &when);
            let extent = extent(&when, |key| self.extent(compiler, key));
            self.extents.insert(key, extent);
        }
    }
}

/// The keys of the segments that a condition names and `is_known` does not know.
fn missing(condition: &ConditionDefinition<'_>, is_known: impl Fn(&str) -> bool) -> Vec<String> {
    let mut missing = Vec::new();
    condition.segments(1, &mut |key, _| {
        if !is_known(key) {
            missing.push(key.to_owned());
        }
    });
    missing
}

/// Drops definitions that would give the new set a cycle or exceed a limit (8.6).
fn drop_unsound(
    compiler: &Compiler,
    earlier: &EarlierSegments<'_>,
    found: &mut Vec<(FlagId, FlagId, FlagDefinition<'_>)>,
) {
    let new = &compiler.set;
    if found.iter().all(|(_, _, definition)| definition.prerequisites.is_empty() && definition.rules.is_empty()) {
        return;
    }
    let others = |definition: &FlagDefinition<'_>| -> Vec<usize> {
        let prerequisites = definition.prerequisites.iter();
        prerequisites.filter_map(|prerequisite| Some(new.find(&prerequisite.flag)?.0 as usize)).collect()
    };
    let parts = |definition: &FlagDefinition<'_>| {
        let rules = definition.rules.iter().filter_map(|rule| extent(&rule.when, |key| earlier.extent(compiler, key)));
        rules.fold(0_u64, |sum, (_, parts)| sum.saturating_add(parts))
    };
    let (alone, parts_alone) = (new.prerequisite_edges(), new.rule_parts());
    let (mut edges, mut own_parts) = (alone.clone(), parts_alone.clone());
    for (id, _, definition) in found.iter() {
        let at = id.0 as usize;
        if let (Some(edges), Some(own_parts)) = (edges.get_mut(at), own_parts.get_mut(at)) {
            (*edges, *own_parts) = (others(definition), parts(definition));
        }
    }
    if Survey::of(&edges, own_parts).is_sound() {
        return;
    }
    // All together are not sound: add them one by one, in the order of the snapshot.
    let mut growing = Growing::new(alone, parts_alone);
    found.retain(|(id, _, definition)| growing.add(id.0 as usize, others(definition), parts(definition)));
}

/// Adds the segments that a kept condition names and the new set lacks, each after the segments that it names (8.5).
fn bring_segments(compiler: &mut Compiler, earlier: &EarlierSegments<'_>, condition: &ConditionDefinition<'_>) {
    for key in missing(condition, |key| compiler.segment_extent(key).is_some()) {
        // The condition names it twice, and it was added before.
        if compiler.segment_extent(&key).is_some() {
            continue;
        }
        let Some((key, segment, when)) = earlier.find(&key) else { continue };
        bring_segments(compiler, earlier, &when);
        compiler.segment(&SegmentDefinition { key: Cow::Borrowed(key), when }, segment.own_fingerprint);
    }
}

impl FlagSet {
    /// The definition of a flag, unless it is set aside without one.
    pub(crate) fn definition(&self, id: FlagId) -> Option<FlagDefinition<'_>> {
        let (flag, origin) = (self.flag(id), self.origin(id));
        if let Fate::SetAside { kept: None, .. } = origin.fate {
            return None;
        }
        let mut targets: Targets<'_> = Default::default();
        for target in flag.targets.of(&self.targets) {
            let targets = targets.iter_mut().zip(TARGETS).find(|(_, (field, _))| *field == target.field);
            if let Some((targets, _)) = targets {
                *targets = self.lists.texts(target.list, &self.texts);
            }
        }
        let detail = self.detail(flag).unwrap_or(&Detail::NONE);
        let off_value = match origin.fate {
            Fate::SetAside { why: Why::Withheld, kept_off, .. } => kept_off,
            _ => detail.off_value,
        };
        let weights = self.weights(detail.weights);
        let variants = (detail.variants.start..).map(VariantId).zip(detail.variants.of(&self.variants));
        let variants = variants.map(|(id, variant)| VariantDefinition {
            key: self.text(variant.key),
            value: Cow::Borrowed(&variant.value),
            weight: weights.iter().find(|(of, _)| *of == id).map_or(0, |(_, weight)| *weight),
        });
        let rules = detail.rules.of(&self.rules).iter().filter(|_| RULES);
        let prerequisites = detail.prerequisites.of(&self.prerequisites).iter().filter(|_| RULES);
        let prerequisites = prerequisites.map(|prerequisite| PrerequisiteDefinition {
            flag: self.text(prerequisite.key),
            wanted: match prerequisite.wanted {
                Wanted::On(on) => WantedDefinition::On(on),
                Wanted::Variants(keys) => WantedDefinition::Variants(self.operand_texts(keys)),
            },
        });
        Some(FlagDefinition {
            enabled: origin.enabled,
            status: origin.status,
            rollout: flag.share,
            targets,
            start: detail.start,
            end: detail.end,
            bucket_by: self.unit_definition(flag.unit),
            salt: detail.salt.map(|salt| self.text(salt)),
            overrides: OverridesDefinition {
                on_users: self.list_definition(detail.overrides.on_users),
                on_companies: self.list_definition(detail.overrides.on_companies),
                off_users: self.list_definition(detail.overrides.off_users),
                off_companies: self.list_definition(detail.overrides.off_companies),
            },
            variants: variants.collect(),
            off_value: off_value.and_then(|at| self.off_values.get(at as usize)).map(Cow::Borrowed),
            rules: rules.map(|rule| self.rule_definition(rule)).collect(),
            prerequisites: prerequisites.collect(),
            schedule: detail.schedule.of(&self.schedule).to_vec(),
            client: origin.client,
            guard: std::array::from_fn(|_| self.guards.first()?.get(&id).map(|guard| Box::new(guard.borrowed()))),
        })
    }

    fn rule_definition(&self, rule: &Rule) -> RuleDefinition<'_> {
        let variant = |id: VariantId| {
            self.variants.get(id.0 as usize).map_or(Cow::Borrowed(""), |variant| self.text(variant.key))
        };
        RuleDefinition {
            key: self.text(rule.key),
            when: self.condition_definition(rule.when),
            rollout: rule.share,
            bucket_by: rule.own_unit.then(|| self.unit_definition(rule.unit)),
            serve: match rule.serve {
                Serve::Flag => ServeDefinition::Flag,
                Serve::Variant(id) => ServeDefinition::Variant(variant(id)),
                Serve::Split(portions) => ServeDefinition::Split(
                    self.weights(portions).into_iter().map(|(id, weight)| (variant(id), weight)).collect(),
                ),
            },
        }
    }

    /// The widths of the portions as weights: they give the same portions again.
    fn weights(&self, portions: Span) -> Vec<(VariantId, u64)> {
        let mut lo = 0;
        let portions = portions.of(&self.portions).iter();
        portions
            .map(|portion| (portion.variant, u64::from(portion.end - std::mem::replace(&mut lo, portion.end))))
            .collect()
    }

    fn condition_definition(&self, at: u32) -> ConditionDefinition<'_> {
        let Some(node) = self.nodes.get(at as usize) else { return ConditionDefinition::Any(Vec::new()) };
        let parts = || {
            let mut parts = Vec::new();
            let mut part = at + 1;
            while part < node.end {
                parts.push(self.condition_definition(part));
                part = self.nodes.get(part as usize).map_or(node.end, |part| part.end);
            }
            parts
        };
        match node.part {
            Part::All => ConditionDefinition::All(parts()),
            Part::Any => ConditionDefinition::Any(parts()),
            Part::Not => ConditionDefinition::Not(Box::new(self.condition_definition(at + 1))),
            Part::Segment(id) => {
                let segment = self.segments.get(id.0 as usize);
                ConditionDefinition::Segment(segment.map_or(Cow::Borrowed(""), |segment| self.text(segment.key)))
            }
            Part::Percentage(at) => match self.percentages.get(at as usize) {
                Some(percentage) => ConditionDefinition::Percentage {
                    of: self.unit_definition(percentage.unit),
                    salt: self.text(percentage.salt),
                    from: percentage.from,
                    to: percentage.to,
                },
                None => ConditionDefinition::Any(Vec::new()),
            },
            Part::Now(at) => match self.windows.first().and_then(|windows| windows.get(at as usize)) {
                Some(window) => ConditionDefinition::Now(*window),
                None => ConditionDefinition::Any(Vec::new()),
            },
            Part::Comparison(at) => match self.comparisons.get(at as usize) {
                Some(comparison) => ConditionDefinition::Comparison {
                    attribute: self.unit_definition(comparison.attribute),
                    operator: self.operator_definition(comparison.operator),
                },
                None => ConditionDefinition::Any(Vec::new()),
            },
        }
    }

    fn operator_definition(&self, operator: Operator) -> OperatorDefinition<'_> {
        match operator {
            Operator::In(list) => OperatorDefinition::Text {
                test: TextTest::In,
                values: self.list_definition(Some(list)),
                ignore_case: false,
            },
            Operator::Text { test, operands, ignore_case } => {
                OperatorDefinition::Text { test, values: self.operand_texts(operands), ignore_case }
            }
            Operator::Contains(at) => {
                let (values, ignore_case) =
                    self.substrings.get(at as usize).map_or_else(Default::default, |one| (one.values, one.ignore_case));
                OperatorDefinition::Text { test: TextTest::Contains, values: self.operand_texts(values), ignore_case }
            }
            Operator::Matches(at) => match self.patterns.get(at as usize) {
                Some(pattern) => OperatorDefinition::Matches(Expression::of(pattern)),
                None => OperatorDefinition::Present,
            },
            Operator::Is(value) => OperatorDefinition::Is(value),
            Operator::Number { relation, value } => OperatorDefinition::Number { relation, value },
            Operator::Time { relation, value } => OperatorDefinition::Time { relation, value },
            Operator::Version { relation, value } => OperatorDefinition::Version {
                relation,
                value: self.versions.get(value as usize).map_or(Cow::Borrowed(""), |version| self.text(version.text)),
            },
            Operator::Network(networks) => OperatorDefinition::Network(networks.of(&self.networks).to_vec()),
            Operator::Present => OperatorDefinition::Present,
        }
    }

    fn unit_definition(&self, unit: Unit) -> Cow<'_, str> {
        match unit {
            Unit::Field(field) => Cow::Borrowed(field.name()),
            Unit::Attribute(name) => self.text(name),
        }
    }

    fn list_definition(&self, list: Option<List>) -> Vec<Cow<'_, str>> {
        list.map(|list| self.lists.texts(list, &self.texts)).unwrap_or_default()
    }

    fn operand_texts(&self, operands: Span) -> Vec<Cow<'_, str>> {
        operands.of(&self.operands).iter().map(|text| self.text(*text)).collect()
    }

    fn text(&self, text: Text) -> Cow<'_, str> {
        Cow::Borrowed(self.texts.get(text))
    }
}
