//! Compiles conditions: a tree of definitions becomes a flat array of nodes.

use std::borrow::Cow;

use super::{Compiler, Tables, len};
use crate::bucket::Bucketer;
use crate::condition::{Comparison, Node, Part, Percentage, Truth};
use crate::context::Field;
use crate::definition::{ConditionDefinition, OperatorDefinition, TextTest};
use crate::flag_set::{SegmentId, Span, Unit};
use crate::operator::{KnownVersion, Operator};
use crate::pattern::Expression;
use crate::text_match::{self, folded};
use crate::version::Version;

impl Compiler {
    /// Compiles a condition and gives the index of its root.
    pub(super) fn condition(&mut self, definition: &ConditionDefinition<'_>) -> u32 {
        let part = match definition {
            ConditionDefinition::All(_) => Part::All,
            ConditionDefinition::Any(_) => Part::Any,
            ConditionDefinition::Not(_) => Part::Not,
            // The segment exists, as validation and keeping ensure; a missing one would be unknown.
            ConditionDefinition::Segment(key) => Part::Segment(self.known_segment(key).unwrap_or(SegmentId(u32::MAX))),
            ConditionDefinition::Percentage { of, salt, from, to } => {
                let percentage = Percentage {
                    unit: self.unit(of),
                    salt: self.set.texts.push(salt),
                    bucketer: Bucketer::native(salt),
                    from: *from,
                    to: *to,
                };
                self.set.percentages.push(percentage);
                Part::Percentage(len(&self.set.percentages) - 1)
            }
            ConditionDefinition::Now(window) => {
                let at = self.set.windows.iter().map(|windows| len(windows)).sum();
                self.set.windows.iter_mut().for_each(|windows| windows.push(*window));
                Part::Now(at)
            }
            ConditionDefinition::Comparison { attribute, operator } => {
                let comparison = Comparison {
                    attribute: self.unit(attribute),
                    operator: self.operator(operator),
                    missing: Truth::Unknown,
                    unconvertible: Truth::Unknown,
                };
                self.set.comparisons.push(comparison);
                Part::Comparison(len(&self.set.comparisons) - 1)
            }
        };
        let at = len(&self.set.nodes);
        self.set.nodes.push(Node { part, end: 0 });
        match definition {
            ConditionDefinition::All(parts) | ConditionDefinition::Any(parts) => {
                for part in parts {
                    self.condition(part);
                }
            }
            ConditionDefinition::Not(part) => {
                self.condition(part);
            }
            _ => {}
        }
        let end = len(&self.set.nodes);
        if let Some(node) = self.set.nodes.get_mut(at as usize) {
            node.end = end;
        }
        at
    }

    pub(super) fn unit(&mut self, name: &str) -> Unit {
        Field::named(name).map_or_else(|| Unit::Attribute(self.set.texts.push(name)), Unit::Field)
    }

    fn operator(&mut self, definition: &OperatorDefinition<'_>) -> Operator {
        match definition {
            OperatorDefinition::Text { test: TextTest::In, values, ignore_case: false } => {
                Operator::In(self.stored(values))
            }
            OperatorDefinition::Text { test, values, ignore_case } => {
                let fold =
                    |value: &Cow<'_, str>| if *ignore_case { folded(value).collect() } else { value.to_string() };
                let values: Vec<String> = values.iter().map(fold).collect();
                if *test == TextTest::Contains {
                    return self.contains(values, *ignore_case);
                }
                let len = len(&values);
                let arranged = text_match::arranged(*test, values);
                let operands = Span { len, ..self.operands(arranged.iter().map(String::as_str)) };
                Operator::Text { test: *test, operands, ignore_case: *ignore_case }
            }
            OperatorDefinition::Matches(expression) => Operator::Matches(self.pattern(expression)),
            OperatorDefinition::Is(value) => Operator::Is(*value),
            OperatorDefinition::Number { relation, value } => Operator::Number { relation: *relation, value: *value },
            OperatorDefinition::Time { relation, value } => Operator::Time { relation: *relation, value: *value },
            OperatorDefinition::Version { relation, value } => {
                let Version { numbers, pre_release } = Version::parse(value).unwrap_or_default();
                let pre_release = self.set.texts.push(pre_release);
                let text = self.set.texts.push(value);
                self.set.versions.push(KnownVersion { text, numbers, pre_release });
                Operator::Version { relation: *relation, value: len(&self.set.versions) - 1 }
            }
            OperatorDefinition::Network(networks) => {
                let span = Span { start: len(&self.set.networks), len: len(networks) };
                self.set.networks.extend(networks);
                Operator::Network(span)
            }
            OperatorDefinition::Present => Operator::Present,
        }
    }

    fn pattern(&mut self, expression: &Expression) -> u32 {
        let at = len(&self.set.patterns);
        let Compiler { set, tables } = self;
        let Some(Tables { patterns, automata, .. }) = tables.first_mut() else { return at };
        *patterns.entry_ref(expression.as_str()).or_insert_with(|| {
            set.patterns.push(expression.compile(automata));
            at
        })
    }

    fn contains(&mut self, values: Vec<String>, ignore_case: bool) -> Operator {
        let at = len(&self.set.substrings);
        let operands = self.operands(values.iter().map(String::as_str));
        let Compiler { set, tables } = self;
        let Some(Tables { contained, substrings, .. }) = tables.first_mut() else { return Operator::Contains(at) };
        Operator::Contains(*contained.entry((ignore_case, values)).or_insert_with_key(|(_, values)| {
            set.substrings.push(substrings.build(operands, ignore_case, values));
            at
        }))
    }
}
