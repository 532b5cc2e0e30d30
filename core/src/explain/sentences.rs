//! The steps in words. Nothing here decides an answer: each function gets what was decided and describes it.

use super::{Outcome, Step};
use crate::aside::{Aside, Why};
use crate::bucket::{BUCKETS, Bucket, Share};
use crate::condition::{Comparison, Percentage, Truth, Window};
use crate::context::{Context, Field};
use crate::definition::{Relation, TextTest};
use crate::error::{found, quoted};
use crate::flag_set::{Detail, Fate, FlagId, FlagSet, Gate, Prerequisite, Span, Unit, VariantId, Wanted};
use crate::operator::Operator;
use crate::resolution::Resolution;
use crate::text::{Text, Word};
use crate::time::Time;
use crate::understood::Column;
use crate::value::Value;

/// How many entries of a list are named.
const NAMED: usize = 5;

fn step(name: &'static str, outcome: impl Into<Outcome>, sentence: String) -> Step {
    Step { name, outcome: outcome.into(), sentence, numbers: Vec::new(), inner: Vec::new() }
}

impl From<bool> for Outcome {
    fn from(yes: bool) -> Self {
        if yes { Outcome::Yes } else { Outcome::No }
    }
}

impl From<Truth> for Outcome {
    fn from(truth: Truth) -> Self {
        match truth {
            Truth::True => Outcome::Yes,
            Truth::False => Outcome::No,
            Truth::Unknown => Outcome::Unknown,
        }
    }
}

/// The caller, as short as possible.
pub(super) fn who(context: &Context<'_>) -> String {
    let user = context.targeting_key().unwrap_or("a caller without a targeting key");
    match context.field(Field::Company) {
        Some(company) => format!("{user} of {}", company.as_str()),
        None => user.to_owned(),
    }
}

pub(crate) fn disabled(set: &FlagSet, id: FlagId) -> Step {
    let origin = set.origin(id);
    let sentence = match origin.fate {
        Fate::SetAside { why: Why::Killed, .. } => {
            "the flag has a mistake in its definition and reads as switched off".to_owned()
        }
        _ if !origin.enabled => "the flag is switched off (`enabled` is false)".to_owned(),
        _ => format!("the flag is off for everybody (`status` is {})", origin.status.name()),
    };
    step("state", false, sentence)
}

pub(crate) fn broken(set: &FlagSet, id: FlagId) -> Step {
    let sentence = match (set.origin(id).fate, set.aside(id)) {
        (Fate::SetAside { why: Why::Withheld, .. }, Some(aside)) => withheld(set, aside),
        _ => "the flag has a mistake in its definition and never had a good one".to_owned(),
    };
    step("state", false, sentence)
}

/// Why a flag is withheld (8.16).
fn withheld(set: &FlagSet, aside: &Aside) -> String {
    let columns = aside.causes.iter().filter_map(|cause| set.reading.other(cause.column));
    let named = |names: &mut dyn Iterator<Item = &str>| {
        let names: Vec<String> = names.map(quoted).collect();
        let shown = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        if names.len() > NAMED { format!("{shown} and {} more", names.len() - NAMED) } else { shown }
    };
    let (columns, unreadable) = (named(&mut columns.map(Column::name)), named(&mut aside.unreadable.iter().copied()));
    let mut why = Vec::new();
    if !columns.is_empty() {
        why.push(format!("{columns} looks like a restriction and is not read"));
    }
    if !unreadable.is_empty() {
        why.push(format!("{unreadable} cannot be read"));
    }
    if aside.twins {
        why.push("its key is in several rows that differ".to_owned());
    }
    format!("{}, so the flag is off", why.join(", "))
}

pub(crate) fn window(detail: &Detail, now: Time, inside: bool) -> Step {
    let sentence = match (detail.start, detail.end) {
        (Some(start), _) if now < start => format!("it starts at {start}, and now it is {now}"),
        (_, Some(end)) if now >= end => format!("it ended at {end}, and now it is {now}"),
        (Some(start), Some(end)) => format!("{now} is between its start, {start}, and its end, {end}"),
        (Some(start), None) => format!("it started at {start}"),
        (None, Some(end)) => format!("it does not end before {end}"),
        (None, None) => "it has neither start nor end".to_owned(),
    };
    step("window", inside, sentence)
}

pub(crate) fn work(parts: u64, size: u64) -> Step {
    let sentence = format!(
        "its conditions have {parts} parts and the largest value of the context has size {size}: too much work"
    );
    step("work", false, sentence)
}

pub(crate) fn prerequisite(
    set: &FlagSet,
    prerequisite: &Prerequisite,
    other: Option<Resolution<'_>>,
    met: bool,
    inner: Vec<Step>,
) -> Step {
    let key = set.texts.get(prerequisite.key);
    let wanted = match prerequisite.wanted {
        Wanted::On(true) => "be on".to_owned(),
        Wanted::On(false) => "be off".to_owned(),
        Wanted::Variants(keys) => format!("serve {}", names(set, keys.of(&set.operands), " or ")),
    };
    let is = match other {
        None => "does not exist".to_owned(),
        Some(Resolution { enabled: true, variant: Some(variant), .. }) => format!("serves {variant}"),
        Some(Resolution { enabled: true, .. }) => "is on".to_owned(),
        Some(Resolution { error: Some(error), .. }) => format!("has the error {}", error.as_str()),
        Some(_) => "is off".to_owned(),
    };
    Step { inner, ..step("prerequisite", met, format!("the flag `{key}` must {wanted}, and it {is}")) }
}

pub(crate) fn override_(context: &Context<'_>, field: Field, on: bool, listed: bool) -> Step {
    let (side, is) = (if on { "on" } else { "off" }, if listed { "is" } else { "is not" });
    let sentence = match (context.field(field), context.unreadable_field(field)) {
        (Some(word), _) => format!("the {field} {} {is} among those who are always {side}", word.as_str()),
        (None, Some(what)) if on => {
            format!("the {field} is {what}, which is no text, and is not among those who are always on")
        }
        (None, Some(what)) => {
            format!("the {field} is {what}, which is no text, so it may be among those who are always off")
        }
        (None, None) => format!("the context has no {field}, and some are always {side}"),
    };
    step("override", listed, sentence)
}

pub(crate) fn target(set: &FlagSet, context: &Context<'_>, gate: &Gate, listed: bool) -> Step {
    let mut entries = set.lists.texts(gate.list, &set.texts);
    let count = entries.len();
    entries.sort();
    entries.truncate(NAMED);
    let list =
        if count > NAMED { format!("{} and {} more", entries.join(", "), count - NAMED) } else { entries.join(", ") };
    let several = gate.field == Field::Roles && context.has_several_roles();
    let (name, verb) = match gate.field {
        Field::Roles if several => ("roles".to_owned(), if listed { "meet" } else { "do not meet" }),
        Field::Roles => ("role".to_owned(), if listed { "is among" } else { "is not among" }),
        field => (field.to_string(), if listed { "is among" } else { "is not among" }),
    };
    let sentence = match given(context, gate.field) {
        Some(value) => format!("the {name} {value} {verb} the targets ({list})"),
        None => format!("{}, and the targets are {list}", none(context, gate.field, &name)),
    };
    Step { numbers: vec![("target", gate.field.to_string().into())], ..step("target", listed, sentence) }
}

/// A sentence: the context lacks the field, or its value is not a text (3.10).
fn none(context: &Context<'_>, field: Field, name: &str) -> String {
    match context.unreadable_field(field) {
        Some(what) => format!("the {name} is {what}, which is no text"),
        None => format!("the context has no {name}"),
    }
}

/// The value of a fixed field, for reading.
fn given(context: &Context<'_>, field: Field) -> Option<String> {
    match field {
        Field::Roles => {
            let roles: Vec<&str> = context.known_roles()?.map(crate::text::Word::as_str).collect();
            (!roles.is_empty()).then(|| roles.join(", "))
        }
        field => context.field(field).map(|word| word.as_str().to_owned()),
    }
}

pub(crate) fn share(
    set: &FlagSet,
    context: &Context<'_>,
    what: &'static str,
    unit: Unit,
    bucket: Option<Bucket>,
    share: Share,
) -> Step {
    let Some(bucket) = bucket else {
        if share == Share::NOBODY {
            return step(what, false, format!("its {what} is {share}: nobody"));
        }
        return no_unit(set, context, what, unit);
    };
    let (inside, number) = (share.admits(bucket), bucket.number());
    let relation = if inside { "below" } else { "not below" };
    let value = unit_text(set, context, unit);
    let sentence =
        format!("its {what} is {share}: {value} has bucket {number} of {BUCKETS}, {relation} {}", share.thousandths());
    Step { numbers: bucketed(set, unit, bucket, share), ..step(what, inside, sentence) }
}

fn bucketed(set: &FlagSet, unit: Unit, bucket: Bucket, share: Share) -> Vec<(&'static str, Value<'static>)> {
    vec![
        ("unit", unit_name(set, unit).to_owned().into()),
        ("bucket", bucket.number().into()),
        ("threshold", share.thousandths().into()),
    ]
}

pub(crate) fn no_unit(set: &FlagSet, context: &Context<'_>, what: &'static str, unit: Unit) -> Step {
    let name = unit_name(set, unit);
    let lacks = match unit {
        Unit::Field(field) => none(context, field, name),
        Unit::Attribute(_) => format!("the context has no {name}"),
    };
    step(what, false, format!("its {what} needs a bucket, and {lacks}"))
}

pub(crate) fn rule(key: &str, truth: Truth, inner: Vec<Step>) -> Step {
    let matches = if truth == Truth::True { "matches" } else { "does not match" };
    let sentence = match truth {
        Truth::Unknown => format!("the rule {key} does not match: something it asks for is unknown"),
        _ => format!("the rule {key} {matches}"),
    };
    Step { inner, ..step("rule", truth, sentence) }
}

pub(crate) fn variant(
    set: &FlagSet,
    context: &Context<'_>,
    variant: VariantId,
    bucket: Option<(Unit, Bucket)>,
) -> Step {
    let key = set.variants.get(variant.0 as usize).map_or("", |variant| set.texts.get(variant.key));
    let Some((unit, bucket)) = bucket else {
        return step("variant", true, format!("it serves the variant {key}"));
    };
    let value = unit_text(set, context, unit);
    let sentence = format!("it serves the variant {key}: {value} has bucket {} of {BUCKETS}", bucket.number());
    let numbers = vec![("unit", unit_name(set, unit).to_owned().into()), ("bucket", bucket.number().into())];
    Step { numbers, ..step("variant", true, sentence) }
}

pub(crate) fn joined(name: &'static str, truth: Truth, inner: Vec<Step>) -> Step {
    let sentence = match name {
        "not" => format!("the opposite of this is {}", truth.name()),
        _ => format!("{name} of these: {}", truth.name()),
    };
    Step { inner, ..step(name, truth, sentence) }
}

pub(crate) fn segment(key: &str, truth: Truth, inner: Vec<Step>) -> Step {
    let sentence = match truth {
        Truth::True => format!("in the segment {key}"),
        Truth::False => format!("not in the segment {key}"),
        Truth::Unknown => format!("whether in the segment {key} is unknown"),
    };
    Step { inner, ..step("segment", truth, sentence) }
}

pub(crate) fn percentage(
    set: &FlagSet,
    context: &Context<'_>,
    percentage: &Percentage,
    bucket: Option<Bucket>,
    truth: Truth,
) -> Step {
    let (from, to) = (percentage.from, percentage.to);
    let salt = set.texts.get(percentage.salt);
    let Some(bucket) = bucket else {
        let name = unit_name(set, percentage.unit);
        return step("percentage", truth, format!("{from} to {to} by {name}, and the context has no {name}"));
    };
    let value = unit_text(set, context, percentage.unit);
    let sentence = format!("{from} to {to} in `{salt}`: {value} has bucket {} of {BUCKETS}", bucket.number());
    Step { numbers: bucketed(set, percentage.unit, bucket, to), ..step("percentage", truth, sentence) }
}

pub(crate) fn now(window: Window, now: Time, truth: Truth) -> Step {
    step("now", truth, format!("from {} until {}, and now it is {now}", window.from, window.to))
}

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
    step("comparison", truth, format!("{name} ({value}) {}: {}{because}", wanted(set, operator), truth.name()))
}

/// The value to show for a fixed field without a text.
fn missing(context: &Context<'_>, field: Field) -> String {
    match context.unreadable_field(field) {
        Some(what) => format!("{what}, which is no text"),
        None => "missing".to_owned(),
    }
}

/// Why an operator cannot use a value (4.9).
fn why(operator: Operator, value: &Value<'_>) -> String {
    let shown = found(value);
    let (name, kind) = match operator {
        Operator::In(_) | Operator::Text { test: TextTest::In, .. } => ("in", "texts and whole numbers"),
        Operator::Contains(_) | Operator::Text { test: TextTest::Contains, .. } => ("contains", "texts"),
        Operator::Text { test: TextTest::StartsWith, .. } => ("starts_with", "texts"),
        Operator::Text { test: TextTest::EndsWith, .. } => ("ends_with", "texts"),
        Operator::Matches(_) => ("matches", "texts"),
        Operator::Is(_) => ("is", "booleans"),
        Operator::Number { relation, .. } => (relation.name(), "numbers"),
        Operator::Time { relation: Relation::Less, .. } => ("before", "times"),
        Operator::Time { .. } => ("after", "times"),
        Operator::Version { relation, .. } => (semver(relation), "versions, which are texts"),
        Operator::Network(_) => ("in_cidr", "addresses, which are texts"),
        Operator::Present => ("present", "anything"),
    };
    match (operator, value) {
        (Operator::Time { .. }, Value::Text(_) | Value::Integer(_) | Value::Number(_)) => format!("{shown} is no time"),
        (Operator::Version { .. }, Value::Text(_)) => format!("{shown} is no version"),
        (Operator::Network(_), Value::Text(_)) => format!("{shown} is no IP address"),
        (_, Value::List(_) | Value::Object(_) | Value::Null) => format!("`{name}` compares {kind}, and not {shown}"),
        _ => format!("{shown} is {}, and `{name}` compares {kind}", value.kind()),
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

/// An operator with what the author wrote.
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

fn names(set: &FlagSet, texts: &[Text], separator: &str) -> String {
    let mut named: Vec<&str> = texts.iter().take(NAMED).map(|text| set.texts.get(*text)).collect();
    let more = format!("{} more", texts.len().saturating_sub(NAMED));
    if texts.len() > NAMED {
        named.push(&more);
    }
    named.join(separator)
}

fn unit_name(set: &FlagSet, unit: Unit) -> &str {
    match unit {
        Unit::Field(Field::User) => "user",
        Unit::Field(Field::Company) => "company",
        Unit::Field(Field::Plan) => "plan",
        Unit::Field(Field::Region) => "region",
        Unit::Field(Field::Roles) => "roles",
        Unit::Attribute(name) => set.texts.get(name),
    }
}

fn unit_text(set: &FlagSet, context: &Context<'_>, unit: Unit) -> String {
    match unit {
        Unit::Field(field) => context.field(field).map(|word| word.as_str().to_owned()).unwrap_or_default(),
        Unit::Attribute(name) => {
            context.lookup(set.texts.get(name)).map(|value| found(value).to_string()).unwrap_or_default()
        }
    }
}
