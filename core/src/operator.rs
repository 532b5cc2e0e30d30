//! Operators: a comparison of one attribute with the author's operand (section 5 of SEMANTICS.md).
//!
//! The author's operand is prepared when compiling; comparing does not allocate (for the exception see `text_match`).

use std::cmp::Ordering;
use std::net::IpAddr;

use crate::bucket::hash;
use crate::condition::{Comparison, Truth, any};
use crate::context::{Context, Field};
use crate::definition::{Relation, TextTest};
use crate::flag_set::{FlagSet, Span, Unit};
use crate::list::List;
use crate::text::{KnownHash, Text, Token, Word};
use crate::text_match::{self, folded};
use crate::time::Time;
use crate::value::Value;
use crate::version::Version;
use crate::whole::{WHOLE_BYTES, digits_of};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Operator {
    In(List),
    /// Any of the operands, which are in lower case if `ignore_case`, and [arranged](text_match::arranged).
    Text {
        test: TextTest,
        operands: Span,
        ignore_case: bool,
    },
    /// The index of its [`Substrings`](text_match::Substrings).
    Contains(u32),
    /// The index of a pattern.
    Matches(u32),
    Is(bool),
    Number {
        relation: Relation,
        value: f64,
    },
    Time {
        relation: Relation,
        value: Time,
    },
    /// The index of a version.
    Version {
        relation: Relation,
        value: u32,
    },
    /// Networks in ascending order, none of which contains another.
    Network(Span),
    Present,
}

/// A version that an author wrote.
#[derive(Clone, Debug)]
pub(crate) struct KnownVersion {
    /// The text as the author wrote it.
    pub(crate) text: Text,
    pub(crate) numbers: [u64; 4],
    pub(crate) pre_release: Text,
}

impl Relation {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Relation::Equal => ordering.is_eq(),
            Relation::Less => ordering.is_lt(),
            Relation::LessOrEqual => ordering.is_le(),
            Relation::Greater => ordering.is_gt(),
            Relation::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl FlagSet {
    /// The result of a comparison for this context.
    pub(crate) fn compare(&self, comparison: &Comparison, context: &Context<'_>) -> Truth {
        if let Operator::Present = comparison.operator {
            return self.is_present(comparison.attribute, context).into();
        }
        let test = |truth: Option<bool>| truth.map_or(comparison.unconvertible, Truth::from);
        match comparison.attribute {
            Unit::Field(Field::Roles) => match context.known_roles() {
                Some(roles) => any(roles.map(|role| test(self.test_word(comparison.operator, role)))),
                None => comparison.missing,
            },
            Unit::Field(field) => match context.field(field) {
                Some(word) => test(self.test_word(comparison.operator, word)),
                None => comparison.missing,
            },
            Unit::Attribute(name) => match context.lookup(self.texts.get(name)) {
                Some(Value::List(elements)) => {
                    any(elements.iter().map(|element| test(self.test_value(comparison.operator, element))))
                }
                Some(value) => test(self.test_value(comparison.operator, value)),
                None => comparison.missing,
            },
        }
    }

    fn is_present(&self, attribute: Unit, context: &Context<'_>) -> bool {
        match attribute {
            Unit::Field(Field::Roles) => context.known_roles().is_some(),
            Unit::Field(field) => context.field(field).is_some(),
            Unit::Attribute(name) => context.lookup(self.texts.get(name)).is_some(),
        }
    }

    /// The hash of the unit, or `None` if the context has no such unit (6.2 and 6.3).
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(crate) fn unit_hash(&self, unit: Unit, context: &Context<'_>) -> Option<u64> {
        match unit {
            Unit::Field(field) => context.unit_hash(field),
            Unit::Attribute(name) => self.attribute_hash(name, context),
        }
    }

    #[inline(never)]
    fn attribute_hash(&self, name: Text, context: &Context<'_>) -> Option<u64> {
        hash_attribute(context.lookup(self.texts.get(name))?)
    }

    /// `None` if the operator cannot use this string.
    fn test_word(&self, operator: Operator, word: Word<'_>) -> Option<bool> {
        match operator {
            Operator::In(list) => Some(self.lists.holds(list, word, &self.texts)),
            _ => self.test_text(operator, word.as_str()),
        }
    }

    pub(crate) fn test_value(&self, operator: Operator, value: &Value<'_>) -> Option<bool> {
        match (operator, value) {
            (Operator::In(_), Value::Text(text)) => {
                self.test_word(operator, Word::new(text, Token::of(text), &KnownHash::default()))
            }
            (_, Value::Text(text)) => self.test_text(operator, text),
            // `in` compares a whole number by its digits (5.1).
            (Operator::In(_) | Operator::Text { test: TextTest::In, .. }, Value::Integer(number)) => {
                let mut room = [0; WHOLE_BYTES];
                let digits = digits_of(*number, &mut room);
                self.test_word(operator, Word::new(digits, Token::of(digits), &KnownHash::default()))
            }
            (Operator::Is(wanted), Value::Bool(value)) => Some(wanted == *value),
            (Operator::Number { relation, value: wanted }, number) => {
                number.as_f64()?.partial_cmp(&wanted).map(|ordering| relation.holds(ordering))
            }
            (Operator::Time { relation, value: wanted }, number) => {
                Time::from_number(number.as_f64()?).map(|time| relation.holds(time.cmp(&wanted)))
            }
            _ => None,
        }
    }

    fn test_text(&self, operator: Operator, text: &str) -> Option<bool> {
        match operator {
            Operator::Text { test, operands, ignore_case } => {
                let values = (self.operands.as_slice(), &self.texts);
                Some(if ignore_case {
                    text_match::any(test, folded(text), operands, values)
                } else {
                    text_match::any(test, text.chars(), operands, values)
                })
            }
            Operator::Contains(at) => {
                self.substrings.get(at as usize).map(|values| values.is_in(text, (&self.operands, &self.texts)))
            }
            Operator::Matches(pattern) => self.patterns.get(pattern as usize).map(|pattern| pattern.is_match(text)),
            Operator::Time { relation, value } => Time::parse(text).map(|time| relation.holds(time.cmp(&value))),
            Operator::Version { relation, value } => {
                let known = self.versions.get(value as usize)?;
                let wanted = Version { numbers: known.numbers, pre_release: self.texts.get(known.pre_release) };
                Version::parse(text).map(|version| relation.holds(version.precedence(&wanted)))
            }
            Operator::Network(networks) => {
                let address: IpAddr = text.parse().ok()?;
                // An IPv4-mapped address is in a network when either form is (5.11).
                let forms = [address, address.to_canonical()];
                let networks = networks.of(&self.networks);
                Some(forms.iter().any(|form| {
                    // No network contains another, so only the last one that begins at or before the address can
                    // contain it.
                    let after = networks.partition_point(|network| network.network() <= *form);
                    networks.get(after.wrapping_sub(1)).is_some_and(|network| network.contains(form))
                }))
            }
            _ => None,
        }
    }
}

/// The hash of an attribute as a unit (6.3).
pub(crate) fn hash_attribute(value: &Value<'_>) -> Option<u64> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(hash(text)),
        Value::Integer(number) => Some(hash_digits(*number)),
        _ => None,
    }
}

/// The hash of an integer's decimal digits, written without allocating.
fn hash_digits(number: i64) -> u64 {
    let mut room = [0; WHOLE_BYTES];
    hash(digits_of(number, &mut room))
}
