//! The sentences of the steps. No function here decides an answer: each describes a decision that was made.

use super::{Outcome, Step};
use crate::aside::{Aside, Why};
use crate::bucket::{BUCKETS, Bucket, Share};
use crate::condition::{Percentage, Truth, Window};
use crate::context::{Context, Field};
use crate::error::{found, quoted};
use crate::flag_set::{Detail, Fate, FlagId, FlagSet, Prerequisite, Target, Unit, VariantId, Wanted};
use crate::resolution::Resolution;
use crate::text::{Text, Word};
use crate::time::Time;
use crate::understood::Column;
use crate::value::Value;

/// Number of entries of a list that a sentence names.
pub(super) const NAMED: usize = 5;

pub(super) fn step(name: &'static str, code: &'static str, outcome: impl Into<Outcome>, sentence: String) -> Step {
    Step { name, code, outcome: outcome.into(), sentence, operands: Vec::new(), inner: Vec::new() }
}

impl Step {
    /// The same with the compared values.
    pub(super) fn with(mut self, operands: impl IntoIterator<Item = (&'static str, Value<'static>)>) -> Self {
        self.operands.extend(operands);
        self
    }
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
    let status = origin.status.name();
    match origin.fate {
        Fate::SetAside { why: Why::Killed, .. } => {
            let sentence = "the flag has a mistake in its definition and reads as switched off";
            step("state", "broken-and-off", false, sentence.to_owned())
        }
        _ if let Some(guard) = set.guards.first().and_then(|guards| guards.get(&id))
            && let Some(trip) = &guard.trip =>
        {
            tripped(guard.run, trip)
        }
        _ if !origin.enabled => {
            step("state", "switched-off", false, "the flag is switched off (`enabled` is false)".to_owned())
        }
        _ => step("state", "status-off", false, format!("the flag is off for everybody (`status` is {status})"))
            .with([("status", status.into())]),
    }
}

/// Why a flag is off that its guard has closed (2.2.35).
fn tripped(run: i64, trip: &Value<'_>) -> Step {
    let said = |name| trip.get(name).and_then(Value::as_str).map(str::to_owned);
    let [metric, at, by] = ["metric", "at", "by"].map(said);
    let of = metric.as_ref().map_or(String::new(), |metric| format!(" because of {}", quoted(metric)));
    let time = at.as_ref().map_or(String::new(), |at| format!(" at {}", quoted(at)));
    step("state", "tripped", false, format!("the guard of the flag has closed it{of}{time} in run {run}")).with([
        ("run", run.into()),
        ("metric", metric.into()),
        ("at", at.into()),
        ("by", by.into()),
    ])
}

pub(crate) fn broken(set: &FlagSet, id: FlagId) -> Step {
    match (set.origin(id).fate, set.aside(id)) {
        (Fate::SetAside { why: Why::Withheld, .. }, Some(aside)) => withheld(set, aside),
        _ => {
            let sentence = "the flag has a mistake in its definition and never had a good one";
            step("state", "broken", false, sentence.to_owned())
        }
    }
}

/// Why a flag is withheld (8.16).
fn withheld(set: &FlagSet, aside: &Aside) -> Step {
    let columns = aside.causes.iter().filter_map(|cause| set.reading.other(cause.column)).map(Column::name);
    let operands = [
        ("columns", list(columns.clone())),
        ("unreadable", list(aside.unreadable.iter().copied())),
        ("repeated", aside.twins.into()),
    ];
    let named = |names: &mut dyn Iterator<Item = &str>| {
        let names: Vec<String> = names.map(quoted).collect();
        let shown = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        if names.len() > NAMED { format!("{shown} and {} more", names.len() - NAMED) } else { shown }
    };
    let (columns, unreadable) = (named(&mut columns.into_iter()), named(&mut aside.unreadable.iter().copied()));
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
    step("state", "withheld", false, format!("{}, so the flag is off", why.join(", "))).with(operands)
}

/// Texts as a list.
fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> Value<'static> {
    Value::List(texts.into_iter().map(|text| text.to_owned().into()).collect())
}

pub(crate) fn window(detail: &Detail, now: Time, inside: bool) -> Step {
    let (code, sentence) = match (detail.start, detail.end) {
        (Some(start), _) if now < start => ("before-start", format!("it starts at {start}, and now it is {now}")),
        (_, Some(end)) if now >= end => ("after-end", format!("it ended at {end}, and now it is {now}")),
        (Some(start), Some(end)) => ("in-window", format!("{now} is between its start, {start}, and its end, {end}")),
        (Some(start), None) => ("in-window", format!("it started at {start}")),
        (None, Some(end)) => ("in-window", format!("it does not end before {end}")),
        (None, None) => ("in-window", "it has neither start nor end".to_owned()),
    };
    let times = [("start", detail.start), ("end", detail.end), ("now", Some(now))];
    let times = times.into_iter().filter_map(|(name, time)| Some((name, time?.to_string().into())));
    step("window", code, inside, sentence).with(times)
}

pub(crate) fn work(parts: u64, size: u64) -> Step {
    let sentence = format!(
        "its conditions have {parts} parts and the largest value of the context has size {size}: too much work"
    );
    step("work", "too-much-work", false, sentence).with([("parts", parts.into()), ("size", size.into())])
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
    let must = match prerequisite.wanted {
        Wanted::On(on) => ("on", on.into()),
        Wanted::Variants(keys) => ("variants", list(keys.of(&set.operands).iter().map(|text| set.texts.get(*text)))),
    };
    let serves = other.map_or(Value::Null, |other| other.to_value());
    let sentence = format!("the flag `{key}` must {wanted}, and it {is}");
    let code = if other.is_some() { "prerequisite" } else { "prerequisite-missing" };
    Step { inner, ..step("prerequisite", code, met, sentence) }.with([
        ("flag", key.to_owned().into()),
        must,
        ("answer", serves),
    ])
}

pub(crate) fn override_(context: &Context<'_>, field: Field, on: bool, listed: bool) -> Step {
    let (side, is) = (if on { "on" } else { "off" }, if listed { "is" } else { "is not" });
    let (code, sentence) = match (context.field(field), context.unreadable_field(field)) {
        (Some(word), _) => {
            ("override", format!("the {field} {} {is} among those who are always {side}", word.as_str()))
        }
        (None, Some(what)) if on => (
            "override-unreadable",
            format!("the {field} is {what}, which is no text, and is not among those who are always on"),
        ),
        (None, Some(what)) => (
            "override-unreadable",
            format!("the {field} is {what}, which is no text, so it may be among those who are always off"),
        ),
        (None, None) => ("override-missing", format!("the context has no {field}, and some are always {side}")),
    };
    let value = context.field(field).map(|word| ("value", word.as_str().to_owned().into()));
    step("override", code, listed, sentence).with([("field", field.to_string().into()), ("on", on.into())]).with(value)
}

pub(crate) fn target(set: &FlagSet, context: &Context<'_>, target: &Target, listed: bool) -> Step {
    let mut entries = set.lists.texts(target.list, &set.texts);
    let count = entries.len();
    entries.sort();
    entries.truncate(NAMED);
    let list =
        if count > NAMED { format!("{} and {} more", entries.join(", "), count - NAMED) } else { entries.join(", ") };
    let several = target.field == Field::Roles && context.has_several_roles();
    let (name, verb) = match target.field {
        Field::Roles if several => ("roles".to_owned(), if listed { "meet" } else { "do not meet" }),
        Field::Roles => ("role".to_owned(), if listed { "is among" } else { "is not among" }),
        field => (field.to_string(), if listed { "is among" } else { "is not among" }),
    };
    let (code, sentence) = match given(context, target.field) {
        Some(value) => ("target", format!("the {name} {value} {verb} the targets ({list})")),
        None => {
            let code = lacks(context, target.field, ["target-missing", "target-unreadable"]);
            (code, format!("{}, and the targets are {list}", none(context, target.field, &name)))
        }
    };
    let given = match target.field {
        Field::Roles => context.known_roles().map(|roles| self::list(roles.map(Word::as_str))),
        field => context.field(field).map(|word| word.as_str().to_owned().into()),
    };
    step("target", code, listed, sentence)
        .with([("target", target.field.to_string().into())])
        .with(given.map(|given| ("value", given)))
        .with([
            ("targets", self::list(entries.iter().map(AsRef::as_ref))),
            ("more", (count.saturating_sub(NAMED) as u64).into()),
        ])
}

/// The code of a step for a field that is not there, or cannot be read (3.10).
fn lacks(context: &Context<'_>, field: Field, [missing, unreadable]: [&'static str; 2]) -> &'static str {
    if context.unreadable_field(field).is_some() { unreadable } else { missing }
}

/// A sentence: the context lacks the field, or its value is not a text (3.10).
fn none(context: &Context<'_>, field: Field, name: &str) -> String {
    match context.unreadable_field(field) {
        Some(what) => format!("the {name} is {what}, which is no text"),
        None => format!("the context has no {name}"),
    }
}

/// The value of a fixed field, for reading.
pub(super) fn given(context: &Context<'_>, field: Field) -> Option<String> {
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
            let nobody = step(what, "share-nobody", false, format!("its {what} is {share}: nobody"));
            return nobody.with([("threshold", share.thousandths().into())]);
        }
        return no_unit(set, context, what, unit);
    };
    let (inside, number) = (share.admits(bucket), bucket.number());
    let relation = if inside { "below" } else { "not below" };
    let value = unit_text(set, context, unit);
    let sentence =
        format!("its {what} is {share}: {value} has bucket {number} of {BUCKETS}, {relation} {}", share.thousandths());
    step(what, "share", inside, sentence).with(bucketed(set, unit, value, bucket)).with([threshold(share)])
}

fn bucketed(set: &FlagSet, unit: Unit, value: String, bucket: Bucket) -> [(&'static str, Value<'static>); 3] {
    let name = unit_name(set, unit).to_owned();
    [("unit", name.into()), ("value", value.into()), ("bucket", bucket.number().into())]
}

fn threshold(share: Share) -> (&'static str, Value<'static>) {
    ("threshold", share.thousandths().into())
}

pub(crate) fn no_unit(set: &FlagSet, context: &Context<'_>, what: &'static str, unit: Unit) -> Step {
    let name = unit_name(set, unit);
    let (code, lacks) = match unit {
        Unit::Field(field) => (lacks(context, field, ["unit-missing", "unit-unreadable"]), none(context, field, name)),
        Unit::Attribute(_) => ("unit-missing", format!("the context has no {name}")),
    };
    let unit = ("unit", name.to_owned().into());
    step(what, code, false, format!("its {what} needs a bucket, and {lacks}")).with([unit])
}

pub(crate) fn rule(key: &str, truth: Truth, inner: Vec<Step>) -> Step {
    let matches = if truth == Truth::True { "matches" } else { "does not match" };
    let sentence = match truth {
        Truth::Unknown => format!("the rule {key} does not match: something it asks for is unknown"),
        _ => format!("the rule {key} {matches}"),
    };
    Step { inner, ..step("rule", "rule", truth, sentence) }.with([("rule", key.to_owned().into())])
}

pub(crate) fn variant(
    set: &FlagSet,
    context: &Context<'_>,
    variant: VariantId,
    bucket: Option<(Unit, Bucket)>,
) -> Step {
    let key = set.variants.get(variant.0 as usize).map_or("", |variant| set.texts.get(variant.key));
    let Some((unit, bucket)) = bucket else {
        let variant = ("variant", key.to_owned().into());
        return step("variant", "variant", true, format!("it serves the variant {key}")).with([variant]);
    };
    let value = unit_text(set, context, unit);
    let sentence = format!("it serves the variant {key}: {value} has bucket {} of {BUCKETS}", bucket.number());
    let variant = ("variant", key.to_owned().into());
    step("variant", "variant", true, sentence).with([variant]).with(bucketed(set, unit, value, bucket))
}

pub(crate) fn joined(name: &'static str, truth: Truth, inner: Vec<Step>) -> Step {
    let sentence = match name {
        "not" => format!("the opposite of this is {}", truth.name()),
        _ => format!("{name} of these: {}", truth.name()),
    };
    Step { inner, ..step(name, name, truth, sentence) }
}

pub(crate) fn segment(key: &str, truth: Truth, inner: Vec<Step>) -> Step {
    let sentence = match truth {
        Truth::True => format!("in the segment {key}"),
        Truth::False => format!("not in the segment {key}"),
        Truth::Unknown => format!("whether in the segment {key} is unknown"),
    };
    Step { inner, ..step("segment", "segment", truth, sentence) }.with([("segment", key.to_owned().into())])
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
        let sentence = format!("{from} to {to} by {name}, and the context has no {name}");
        return step("percentage", "percentage-missing", truth, sentence).with([
            ("unit", name.to_owned().into()),
            ("from", from.thousandths().into()),
            threshold(to),
        ]);
    };
    let value = unit_text(set, context, percentage.unit);
    let sentence = format!("{from} to {to} in `{salt}`: {value} has bucket {} of {BUCKETS}", bucket.number());
    step("percentage", "percentage", truth, sentence).with(bucketed(set, percentage.unit, value, bucket)).with([
        ("from", from.thousandths().into()),
        threshold(to),
        ("salt", salt.to_owned().into()),
    ])
}

pub(crate) fn now(window: Window, now: Time, truth: Truth) -> Step {
    let sentence = format!("from {} until {}, and now it is {now}", window.from, window.to);
    let times = [("from", window.from), ("to", window.to), ("now", now)];
    step("now", "now", truth, sentence).with(times.map(|(name, time)| (name, time.to_string().into())))
}

pub(super) fn names(set: &FlagSet, texts: &[Text], separator: &str) -> String {
    let mut named: Vec<&str> = texts.iter().take(NAMED).map(|text| set.texts.get(*text)).collect();
    let more = format!("{} more", texts.len().saturating_sub(NAMED));
    if texts.len() > NAMED {
        named.push(&more);
    }
    named.join(separator)
}

pub(super) fn unit_name(set: &FlagSet, unit: Unit) -> &str {
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
