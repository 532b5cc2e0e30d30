//! A comparison as a sentence: the value of the context, the operator with the author's operand, and why the result is
//! unknown.

use super::Step;
use super::sentences::{NAMED, given, names, step, unit_name};
use crate::condition::{Comparison, Truth};
use crate::context::{Context, Field};
use crate::definition::{Relation, TextTest};
use crate::error::found;
use crate::flag_set::{FlagSet, Span, Unit};
use crate::operator::Operator;
use crate::text::Word;
use crate::value::Value;

pub(crate) fn comparison(set: &FlagSet, context: &Context<'_>, comparison: &Comparison, truth: Truth) -> Step {
    let name = unit_name(set, comparison.attribute);
    let texts =
        |words: &mut dyn Iterator<Item = Word<'_>>| words.map(|word| Value::from(word.as_str().to_owned())).collect();
    let (value, compared): (String, Vec<Value<'_>>) = match comparison.attribute {
        Unit::Field(Field::Roles) => {
            let roles = context.known_roles().map(|mut roles| texts(&mut roles)).unwrap_or_default();
            (given(context, Field::Roles).unwrap_or_else(|| missing(context, Field::Roles)), roles)
        }
        Unit::Field(field) => (
            given(context, field).unwrap_or_else(|| missing(context, field)),
            texts(&mut context.field(field).into_iter()),
        ),
        Unit::Attribute(_) => match context.lookup(name) {
            Some(value) => {
                let elements = value.as_list().unwrap_or(std::slice::from_ref(value));
                (found(value).to_string(), elements.to_vec())
            }
            None => ("missing".to_owned(), Vec::new()),
        },
    };
    let operator = comparison.operator;
    let unusable = compared.iter().filter(|_| truth == Truth::Unknown);
    let unusable = unusable.filter(|value| set.test_value(operator, value).is_none()).map(|value| why(operator, value));
    let because = unusable.take(1).map(|why| format!(", because {why}")).collect::<String>();
    let wanted = wanted(set, operator);
    let sentence = format!("{name} ({value}) {wanted}: {}{because}", truth.name());
    let code = if truth == Truth::Unknown { "comparison-unknown" } else { "comparison" };
    step("comparison", code, truth, sentence).with([
        ("attribute", name.to_owned().into()),
        ("value", value.into()),
        ("operator", operator_name(operator).into()),
        ("wanted", wanted.into()),
    ])
}

/// The value to show for a fixed field that has no text.
fn missing(context: &Context<'_>, field: Field) -> String {
    match context.unreadable_field(field) {
        Some(what) => format!("{what}, which is no text"),
        None => "missing".to_owned(),
    }
}

/// Why an operator cannot use a value (4.9).
fn why(operator: Operator, value: &Value<'_>) -> String {
    let shown = found(value);
    let (name, kind) = (operator_name(operator), kind(operator));
    match (operator, value) {
        (Operator::Time { .. }, Value::Text(_) | Value::Integer(_) | Value::Number(_)) => format!("{shown} is no time"),
        (Operator::Version { .. }, Value::Text(_)) => format!("{shown} is no version"),
        (Operator::Network(_), Value::Text(_)) => format!("{shown} is no IP address"),
        (_, Value::List(_) | Value::Object(_) | Value::Null) => format!("`{name}` compares {kind}, and not {shown}"),
        _ => format!("{shown} is {}, and `{name}` compares {kind}", value.kind()),
    }
}

/// The operator's name in a snapshot.
fn operator_name(operator: Operator) -> &'static str {
    match operator {
        Operator::In(_) | Operator::Text { test: TextTest::In, .. } => "in",
        Operator::Contains(_) | Operator::Text { test: TextTest::Contains, .. } => "contains",
        Operator::Text { test: TextTest::StartsWith, .. } => "starts_with",
        Operator::Text { test: TextTest::EndsWith, .. } => "ends_with",
        Operator::Matches(_) => "matches",
        Operator::Is(_) => "is",
        Operator::Number { relation, .. } => relation.name(),
        Operator::Time { relation: Relation::Less, .. } => "before",
        Operator::Time { .. } => "after",
        Operator::Version { relation, .. } => semver(relation),
        Operator::Network(_) => "in_cidr",
        Operator::Present => "present",
    }
}

/// The kind of value that an operator compares (section 5).
fn kind(operator: Operator) -> &'static str {
    match operator {
        Operator::In(_) | Operator::Text { test: TextTest::In, .. } => "texts and whole numbers",
        Operator::Contains(_) | Operator::Text { .. } | Operator::Matches(_) => "texts",
        Operator::Is(_) => "booleans",
        Operator::Number { .. } => "numbers",
        Operator::Time { .. } => "times",
        Operator::Version { .. } => "versions, which are texts",
        Operator::Network(_) => "addresses, which are texts",
        Operator::Present => "anything",
    }
}

/// The operator that compares versions by this relation.
fn semver(relation: Relation) -> &'static str {
    match relation {
        Relation::Equal => "semver_eq",
        Relation::Less => "semver_lt",
        Relation::LessOrEqual => "semver_le",
        Relation::Greater => "semver_gt",
        Relation::GreaterOrEqual => "semver_ge",
    }
}

/// An operator with the author's operand.
fn wanted(set: &FlagSet, operator: Operator) -> String {
    match operator {
        Operator::In(list) => {
            let mut entries = set.lists.texts(list, &set.texts);
            entries.sort();
            let more = entries.len().saturating_sub(NAMED);
            entries.truncate(NAMED);
            format!("in {}{}", entries.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() })
        }
        Operator::Text { test, operands, ignore_case } => values(set, test, operands, ignore_case),
        Operator::Contains(at) => set.substrings.get(at as usize).map_or_else(String::new, |substrings| {
            values(set, TextTest::Contains, substrings.values, substrings.ignore_case)
        }),
        Operator::Matches(pattern) => {
            format!("matches {}", set.patterns.get(pattern as usize).map_or("", |pattern| pattern.as_str()))
        }
        Operator::Is(value) => format!("is {value}"),
        Operator::Number { relation, value } => format!("{} {value}", sign(relation)),
        Operator::Time { relation, value } => {
            format!("{} {value}", if relation == Relation::Less { "before" } else { "after" })
        }
        Operator::Version { relation, value } => {
            let version = set.versions.get(value as usize).map_or("", |version| set.texts.get(version.text));
            format!("{} version {version}", sign(relation))
        }
        Operator::Network(networks) => {
            let networks: Vec<String> =
                networks.of(&set.networks).iter().take(NAMED).map(ToString::to_string).collect();
            format!("in the networks {}", networks.join(", "))
        }
        Operator::Present => "is present".to_owned(),
    }
}

fn values(set: &FlagSet, test: TextTest, values: Span, ignore_case: bool) -> String {
    let test = match test {
        TextTest::In => "in",
        TextTest::Contains => "contains",
        TextTest::StartsWith => "starts with",
        TextTest::EndsWith => "ends with",
    };
    let case = if ignore_case { " in any case" } else { "" };
    format!("{test} {}{case}", names(set, values.of(&set.operands), ", "))
}

fn sign(relation: Relation) -> &'static str {
    match relation {
        Relation::Equal => "=",
        Relation::Less => "<",
        Relation::LessOrEqual => "≤",
        Relation::Greater => ">",
        Relation::GreaterOrEqual => "≥",
    }
}
