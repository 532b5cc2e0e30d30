//! Reading conditions and operators (sections 4 and 5).

use super::given;
use crate::code;
use crate::condition::Window;
use crate::definition::{ConditionDefinition, OperatorDefinition, Relation, TextTest};
use crate::error::found;
use crate::limit::MAX_LIST_ENTRIES;
use crate::pattern::Expression;
use crate::reading::{NETWORKS, Place, Reading, STRINGS, Unknown};
use crate::time::Time;
use crate::value::Value;
use crate::version::Version;

const FIELDS: [&str; 11] =
    ["attribute", "op", "value", "values", "ignore_case", "all", "any", "not", "segment", "percentage", "now"];

/// A condition. A violation in it is reported and an empty `any` takes its place, so that the places of the rest stay
/// as they are and the segments that it names are checked.
pub(super) fn condition<'v>(reading: &mut Reading, place: &Place<'_>, value: &Value<'v>) -> ConditionDefinition<'v> {
    readable(reading, place, value).unwrap_or_default()
}

fn readable<'v>(reading: &mut Reading, place: &Place<'_>, value: &Value<'v>) -> Option<ConditionDefinition<'v>> {
    let place = &place.object(value);
    let fields = reading.fields(place, value, FIELDS, Unknown::Refused)?;
    let [attribute, op, one, many, ignore_case, all, any, not, segment, percentage, now] = fields.map(given);
    let kinds = [
        ("`all`", all),
        ("`any`", any),
        ("`not`", not),
        ("`segment`", segment),
        ("`percentage`", percentage),
        ("`now`", now),
        ("`attribute`", attribute),
    ];
    let given: Vec<&str> = kinds.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| *name).collect();
    let kind = match given.as_slice() {
        [kind] => *kind,
        [] => {
            let problem =
                "has none of `all`, `any`, `not`, `segment`, `percentage`, `now` and `attribute`, expected one";
            reading.report(place, code::MISSING, problem);
            return None;
        }
        [others @ .., last] => {
            let both = if others.len() == 1 { "both " } else { "" };
            reading.report(
                place,
                code::CONFLICTING_FIELDS,
                format_args!("has {both}{} and {last}, expected one kind", others.join(", ")),
            );
            return None;
        }
    };
    if let Some(name) = attribute {
        let attribute = reading.name(&place.field("attribute"), name);
        let operator = operator(reading, place, op, [one, many, ignore_case]);
        return Some(ConditionDefinition::Comparison { attribute: attribute?, operator: operator? });
    }
    for (name, value) in [("op", op), ("value", one), ("values", many), ("ignore_case", ignore_case)] {
        if value.is_some() {
            let problem = format!("`{name}` goes with `attribute`, not with {kind}, expected only {kind}");
            reading.report(&place.field(name), code::UNEXPECTED_FIELD, problem);
        }
    }
    if let Some(value) = all {
        return parts(reading, &place.field("all"), value).map(ConditionDefinition::All);
    }
    if let Some(value) = any {
        return parts(reading, &place.field("any"), value).map(ConditionDefinition::Any);
    }
    if let Some(value) = not {
        return Some(ConditionDefinition::Not(Box::new(condition(reading, &place.field("not"), value))));
    }
    if let Some(value) = segment {
        return reading.name(&place.field("segment"), value).map(ConditionDefinition::Segment);
    }
    if let Some(value) = now {
        return window(reading, &place.field("now"), value).map(ConditionDefinition::Now);
    }
    self::percentage(reading, &place.field("percentage"), percentage?)
}

/// Reports fields that the operator does not have.
fn unfitting<const N: usize>(
    reading: &mut Reading,
    place: &Place<'_>,
    fields: [(&str, Option<&Value<'_>>); N],
    (op, wanted): (&Value<'_>, &str),
) {
    for (name, _) in fields.into_iter().filter(|(_, value)| value.is_some()) {
        let op = op.as_str().unwrap_or_default();
        reading.report(
            &place.field(name),
            code::UNEXPECTED_FIELD,
            format_args!("`{op}` takes no `{name}`, expected only {wanted}"),
        );
    }
}

fn parts<'v>(reading: &mut Reading, place: &Place<'_>, value: &Value<'v>) -> Option<Vec<ConditionDefinition<'v>>> {
    let values = reading.list(place, value, (MAX_LIST_ENTRIES, "conditions"))?;
    let mut parts = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        parts.push(condition(reading, &place.entry(at), value));
    }
    Some(parts)
}

fn percentage<'v>(reading: &mut Reading, place: &Place<'_>, value: &Value<'v>) -> Option<ConditionDefinition<'v>> {
    let [of, salt, from, to] = reading.fields(place, value, ["of", "salt", "from", "to"], Unknown::Refused)?.map(given);
    let of = match of {
        Some(of) => reading.name(&place.field("of"), of),
        None => reading.missing(&place.field("of"), "the name of a unit"),
    };
    let salt = match salt {
        Some(salt) => reading.text(&place.field("salt"), salt),
        None => reading.missing(&place.field("salt"), "a string"),
    };
    let mut share = |name, value| match value {
        Some(value) => reading.percentage(&place.field(name), value),
        None => reading.missing(&place.field(name), "a number from 0 to 100"),
    };
    let (from, to) = (share("from", from), share("to", to));
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        reading.report(&place.field("to"), code::OUT_OF_ORDER, "is below `from`, expected at least as much");
    }
    Some(ConditionDefinition::Percentage { of: of?, salt: salt?, from: from?, to: to? })
}

fn window(reading: &mut Reading, place: &Place<'_>, value: &Value<'_>) -> Option<Window> {
    let [from, to] = reading.fields(place, value, ["from", "to"], Unknown::Refused)?.map(given);
    let mut bound = |name, value: Option<&Value<'_>>, absent| match value {
        Some(value) => reading.bound(&place.field(name), value),
        None => Some(absent),
    };
    let (from, to) = (bound("from", from, Time::BEFORE_ALL), bound("to", to, Time::AFTER_ALL));
    Some(Window { from: from?, to: to? })
}

/// The operator `op` with its `value`, `values` and `ignore_case`.
fn operator<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    op: Option<&Value<'v>>,
    [value, values, ignore_case]: [Option<&Value<'v>>; 3],
) -> Option<OperatorDefinition<'v>> {
    let Some(op) = op else {
        return reading.missing(&place.field("op"), "an operator such as `in`");
    };
    let (value_place, values_place) = (place.field("value"), place.field("values"));
    let Some(kind) = op.as_str().and_then(Kind::named) else {
        reading.report(
            &place.field("op"),
            code::UNKNOWN_OPERATOR,
            format_args!("{} is no operator, expected one of {OPERATORS}", found(op)),
        );
        return None;
    };
    match kind {
        Kind::Text(_) => unfitting(reading, place, [("value", value)], (op, "`values` and `ignore_case`")),
        Kind::Network => unfitting(reading, place, [("value", value), ("ignore_case", ignore_case)], (op, "`values`")),
        Kind::Present => {
            let fields = [("value", value), ("values", values), ("ignore_case", ignore_case)];
            unfitting(reading, place, fields, (op, "`attribute` and `op`"));
            return Some(OperatorDefinition::Present);
        }
        _ => unfitting(reading, place, [("values", values), ("ignore_case", ignore_case)], (op, "`value`")),
    }
    if let Kind::Text(_) | Kind::Network = kind {
        let Some(values) = values else {
            return reading.missing(&values_place, kind.wanted());
        };
        return match kind {
            Kind::Text(test) => {
                let ignore_case = match ignore_case {
                    Some(value) => reading.boolean(&place.field("ignore_case"), value),
                    None => Some(false),
                };
                let values = match test {
                    TextTest::In => reading.ids(&values_place, values),
                    _ => reading.texts(&values_place, values),
                };
                Some(OperatorDefinition::Text { test, values: values?, ignore_case: ignore_case? })
            }
            _ => reading.networks(&values_place, values).map(OperatorDefinition::Network),
        };
    }
    let Some(value) = value else {
        return reading.missing(&value_place, kind.wanted());
    };
    match kind {
        Kind::Matches => {
            let text = reading.text_of(&value_place, value, kind.wanted())?;
            match Expression::parse(&text) {
                Ok(expression) => Some(OperatorDefinition::Matches(expression)),
                Err(problem) => {
                    reading.report(&value_place, code::INVALID_REGEX, problem);
                    None
                }
            }
        }
        Kind::Is => reading.boolean(&value_place, value).map(OperatorDefinition::Is),
        Kind::Number(relation) => {
            reading.number(&value_place, value).map(|value| OperatorDefinition::Number { relation, value })
        }
        Kind::Time(relation) => {
            reading.time(&value_place, value).map(|value| OperatorDefinition::Time { relation, value })
        }
        _ => {
            let text = reading.text_of(&value_place, value, kind.wanted())?;
            if Version::parse(&text).is_none() {
                reading.report(
                    &value_place,
                    code::INVALID_VERSION,
                    format_args!("{} is no version, expected one such as \"1.2.3\"", found(value)),
                );
                return None;
            }
            let Kind::Version(relation) = kind else { return None };
            Some(OperatorDefinition::Version { relation, value: text })
        }
    }
}

const OPERATORS: &str = "in, contains, starts_with, ends_with, matches, is, eq, lt, le, gt, ge, before, after, \
    semver_eq, semver_lt, semver_le, semver_gt, semver_ge, in_cidr, present";

#[derive(Clone, Copy)]
enum Kind {
    Text(TextTest),
    Matches,
    Is,
    Number(Relation),
    Time(Relation),
    Version(Relation),
    Network,
    Present,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "in" => Kind::Text(TextTest::In),
            "contains" => Kind::Text(TextTest::Contains),
            "starts_with" => Kind::Text(TextTest::StartsWith),
            "ends_with" => Kind::Text(TextTest::EndsWith),
            "matches" => Kind::Matches,
            "is" => Kind::Is,
            "eq" => Kind::Number(Relation::Equal),
            "lt" => Kind::Number(Relation::Less),
            "le" => Kind::Number(Relation::LessOrEqual),
            "gt" => Kind::Number(Relation::Greater),
            "ge" => Kind::Number(Relation::GreaterOrEqual),
            "before" => Kind::Time(Relation::Less),
            "after" => Kind::Time(Relation::Greater),
            "semver_eq" => Kind::Version(Relation::Equal),
            "semver_lt" => Kind::Version(Relation::Less),
            "semver_le" => Kind::Version(Relation::LessOrEqual),
            "semver_gt" => Kind::Version(Relation::Greater),
            "semver_ge" => Kind::Version(Relation::GreaterOrEqual),
            "in_cidr" => Kind::Network,
            "present" => Kind::Present,
            _ => return None,
        })
    }

    fn wanted(self) -> &'static str {
        match self {
            Kind::Text(_) => STRINGS,
            Kind::Network => NETWORKS,
            Kind::Matches => "a regular expression in a string",
            Kind::Is => "true or false",
            Kind::Number(_) => "a number",
            Kind::Time(_) => "a time such as 2025-01-22T00:00:00Z",
            Kind::Version(_) => "a version such as \"1.2.3\"",
            Kind::Present => "nothing",
        }
    }
}
