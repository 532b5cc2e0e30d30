//! Conditions: a tree of definitions is laid out as a flat row of nodes.

use std::borrow::Cow;

use super::{Compiler, len};
use crate::bucket::Bucketer;
use crate::condition::{Comparison, Node, Part, Percentage, Truth};
use crate::context::Field;
use crate::definition::{ConditionDefinition, OperatorDefinition, TextTest};
use crate::flag_set::{SegmentId, Span, Unit};
use crate::operator::{Operator, folded};
use crate::pattern::Pattern;

impl Compiler {
    /// The place of the root.
    pub(super) fn condition(&mut self, definition: &ConditionDefinition<'_>) -> u32 {
        let part = match definition {
            ConditionDefinition::All(_) => Part::All,
            ConditionDefinition::Any(_) => Part::Any,
            ConditionDefinition::Not(_) => Part::Not,
            // Validation and keeping see to it that the segment is there; one that is not would be unknown.
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
                let operands = if *ignore_case {
                    let folded: Vec<String> = values.iter().map(|value| folded(value).collect()).collect();
                    self.operands(folded.iter().map(String::as_str))
                } else {
                    self.operands(values.iter().map(Cow::as_ref))
                };
                Operator::Text { test: *test, operands, ignore_case: *ignore_case }
            }
            OperatorDefinition::Matches(pattern) => Operator::Matches(self.pattern(pattern)),
            OperatorDefinition::Is(value) => Operator::Is(*value),
            OperatorDefinition::Number { relation, value } => Operator::Number { relation: *relation, value: *value },
            OperatorDefinition::Time { relation, value } => Operator::Time { relation: *relation, value: *value },
            OperatorDefinition::Version { relation, value } => {
                Operator::Version { relation: *relation, value: self.set.texts.push(value) }
            }
            OperatorDefinition::Network(networks) => {
                let span = Span { start: len(&self.set.networks), len: len(networks) };
                self.set.networks.extend(networks);
                Operator::Network(span)
            }
            OperatorDefinition::Present => Operator::Present,
        }
    }

    fn pattern(&mut self, pattern: &Pattern) -> u32 {
        let at = len(&self.set.patterns);
        let known = self.tables().and_then(|tables| tables.patterns.get(pattern.as_str()).copied());
        known.unwrap_or_else(|| {
            self.set.patterns.push(pattern.clone());
            if let Some(tables) = self.tables() {
                tables.patterns.insert(pattern.as_str().to_owned(), at);
            }
            at
        })
    }
}
