//! Running the cases of a file.

use esclusa::{BUCKETS, Context, Explanation, Time, Value};
use serde_json::{Map, Value as Json};
use serde_saphyr::Spanned;

use super::document::{Case, Document, Expect, Problem, Share};
use super::flag::{MAX_CELLS, Source, same};
use crate::nearest::no_flag;

/// The most combinations of a matrix.
const MAX_COMBINATIONS: usize = 100_000;

/// How many callers a share is counted among.
const CALLERS: u32 = 100_000;

/// What is known when files are run.
pub(super) struct Setting<'s> {
    pub(super) now: Time,
    /// The people of the sample, for `never`.
    pub(super) people: &'s [Value<'static>],
}

/// What came of one case.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) name: String,
    pub(super) flag: String,
    pub(super) line: u64,
    pub(super) column: u64,
    /// Number of callers that were asked.
    pub(super) asked: usize,
    pub(super) failure: Option<Failure>,
}

/// The first caller of a case whose answer is not as expected.
#[derive(Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) expected: String,
    pub(super) got: String,
    /// The caller as JSON.
    pub(super) context: Option<String>,
    /// The first no, or the headline of the explanation.
    pub(super) because: Option<String>,
}

/// Runs all cases.
///
/// # Errors
/// The first case that makes no sense.
pub(super) fn run(document: &Document, source: &Source, setting: &Setting<'_>) -> Result<Vec<Ran>, Problem> {
    document.cases.iter().map(|case| Asked::of(document, case, source, setting)?.run(setting)).collect()
}

/// A case with its flag and time.
struct Asked<'a> {
    place: &'a Spanned<Case>,
    case: &'a Case,
    source: &'a Source,
    flag: &'a str,
    at: Time,
}

impl<'a> Asked<'a> {
    fn of(
        document: &'a Document,
        place: &'a Spanned<Case>,
        source: &'a Source,
        setting: &Setting<'_>,
    ) -> Result<Self, Problem> {
        let case = &place.value;
        let flag = case.flag.as_ref().or(document.flag.as_ref());
        let Some(flag) = flag else { return Err(Problem::at(place, "which flag? expected `flag` here or above")) };
        if !source.set.contains(&flag.value) {
            return Err(Problem::at(flag, no_flag(&source.name, &flag.value, source.set.keys())));
        }
        let at = match case.at.as_ref().or(document.at.as_ref()) {
            None => setting.now,
            Some(at) => Time::parse(&at.value).ok_or_else(|| {
                Problem::at(at, format!("`{}` is not a time, expected one such as 2026-02-01T00:00Z", at.value))
            })?,
        };
        Ok(Asked { place, case, source, flag: &flag.value, at })
    }

    fn run(&self, setting: &Setting<'_>) -> Result<Ran, Problem> {
        let case = self.case;
        let (asked, failure) = match (&case.expect, &case.share, &case.never) {
            (Some(expect), None, None) => self.expect(expect)?,
            (None, Some(share), None) => self.share(share)?,
            (None, None, Some(never)) => self.never(never, setting)?,
            _ => return Err(Problem::at(self.place, "expected exactly one of `expect`, `share` and `never`")),
        };
        if case.expect.is_none() && (!case.context.is_empty() || case.bucket.is_some() || case.matrix.is_some()) {
            return Err(Problem::at(self.place, "`context`, `bucket` and `matrix` stand beside `expect` only"));
        }
        let (line, column) = (self.place.referenced.line(), self.place.referenced.column());
        let name = case.name.clone().unwrap_or_else(|| format!("case in line {line}"));
        Ok(Ran { name, flag: self.flag.to_owned(), line, column, asked, failure })
    }

    fn expect(&self, expect: &Spanned<Expect>) -> Result<(usize, Option<Failure>), Problem> {
        self.check(expect)?;
        let mut contexts = vec![self.case.context.clone()];
        if let Some(matrix) = &self.case.matrix {
            contexts = combinations(&self.case.context, matrix)?;
        }
        if let Some(bucket) = &self.case.bucket {
            let unit = self.unit_in(bucket)?;
            let name = self.source.unit(self.flag);
            contexts.iter_mut().for_each(|context| _ = context.insert(name.to_owned(), unit.clone().into()));
        }
        for attributes in &contexts {
            let context = context(attributes).map_err(|problem| Problem::at(self.place, problem))?;
            let explanation = self.source.set.explain(self.flag, &context, self.at);
            if let Some(failure) = differs(&expect.value, &explanation, attributes) {
                return Ok((contexts.len(), Some(failure)));
            }
        }
        Ok((contexts.len(), None))
    }

    /// What can never be so is no expectation.
    fn check(&self, expect: &Spanned<Expect>) -> Result<(), Problem> {
        let Expect { enabled, variant, value, reason, first_no } = &expect.value;
        if enabled.is_none() && variant.is_none() && value.is_none() && reason.is_none() && first_no.is_none() {
            return Err(Problem::at(
                expect,
                "expects nothing, expected `enabled`, `variant`, `value`, `reason` or `first_no`",
            ));
        }
        if let Some(variant) = variant {
            self.known(variant)?;
        }
        if *enabled == Some(true) && first_no.is_some() {
            return Err(Problem::at(expect, "a flag that is on has no first no"));
        }
        const REASONS: [&str; 6] = ["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT", "ERROR"];
        match reason {
            Some(reason) if !REASONS.contains(&reason.value.as_str()) => Err(Problem::at(
                reason,
                format!("`{}` is not a reason, expected one of {}", reason.value, REASONS.join(", ")),
            )),
            _ => Ok(()),
        }
    }

    fn known(&self, variant: &Spanned<String>) -> Result<(), Problem> {
        let variants = self.source.variants(self.flag);
        if variants.contains(&variant.value) {
            return Ok(());
        }
        let expected = if variants.is_empty() {
            "it has no variants".to_owned()
        } else {
            format!("expected one of {}", variants.join(", "))
        };
        Err(Problem::at(variant, format!("`{}` has no variant `{}`: {expected}", self.flag, variant.value)))
    }

    fn unit_in(&self, bucket: &Spanned<u32>) -> Result<String, Problem> {
        let name = self.source.unit(self.flag);
        if bucket.value >= BUCKETS {
            return Err(Problem::at(
                bucket,
                format!("{} is out of range, expected 0 to {}", bucket.value, BUCKETS - 1),
            ));
        }
        let in_matrix = self.case.matrix.iter().flat_map(|matrix| matrix.value.keys());
        if self.case.context.keys().chain(in_matrix).any(|own| same(own, name)) {
            return Err(Problem::at(bucket, format!("the context has a `{name}`, whose bucket is what it is")));
        }
        let found = self.source.unit_in(self.flag, bucket.value);
        found.ok_or_else(|| Problem::at(bucket, format!("no `{name}` was found in bucket {}", bucket.value)))
    }

    /// Among many callers that differ in their unit alone.
    fn share(&self, share: &Spanned<Share>) -> Result<(usize, Option<Failure>), Problem> {
        let Share { of, is, within, variant } = &share.value;
        let (is, within) = (percent(is)?, within.as_ref().map_or(Ok(1.0), percent)?);
        if let Some(variant) = variant {
            self.known(variant)?;
        }
        let name = self.source.unit(self.flag);
        if of.keys().any(|own| same(own, name)) {
            return Err(Problem::at(share, format!("`of` has a `{name}`, which is what callers differ in")));
        }
        let common = context(of).map_err(|problem| Problem::at(share, problem))?;
        let is_in = |number: &u32| {
            let context = common.clone().attribute(name.to_owned(), format!("test-user-{number}"));
            let answer = self.source.set.resolve(self.flag, &context, self.at);
            answer.is_enabled() && variant.as_ref().is_none_or(|variant| answer.variant() == Some(&variant.value))
        };
        let found = (0..CALLERS).filter(is_in).count();
        let got = 100.0 * f64::from(u32::try_from(found).unwrap_or(CALLERS)) / f64::from(CALLERS);
        let failure = ((got - is).abs() > within).then(|| Failure {
            expected: format!("{is} % (within {within} %)"),
            got: format!("{got:.2} % of {CALLERS} callers"),
            context: Some(Json::from(of.clone()).to_string()),
            because: None,
        });
        Ok((CALLERS as usize, failure))
    }

    /// Off for all people of the sample, and for each kind of caller that the flag tells apart.
    fn never(
        &self,
        never: &Spanned<Map<String, Json>>,
        setting: &Setting<'_>,
    ) -> Result<(usize, Option<Failure>), Problem> {
        let fixed = context(&never.value).map_err(|problem| Problem::at(never, problem))?;
        let names: Vec<&str> = never.value.keys().map(String::as_str).collect();
        let mut asked = 0;
        let is_on = |context: &Context<'_>| {
            let explanation = self.source.set.explain(self.flag, context, self.at);
            explanation.resolution().is_enabled().then(|| Failure {
                expected: "off for all".to_owned(),
                got: said(&explanation),
                context: None,
                because: explanation.to_string().lines().next().map(ToOwned::to_owned),
            })
        };
        for person in setting.people {
            let Value::Object(fields) = person else { continue };
            let kept = fields.iter().filter(|(name, _)| !names.iter().any(|fixed| same(fixed, name)));
            let own = never.value.iter().map(|(name, value)| (name.clone().into(), value_of(value)));
            let person = Value::Object(kept.cloned().chain(own).collect());
            let Ok(context) = Context::from_value(person.clone()) else { continue };
            asked += 1;
            if let Some(failure) = is_on(&context) {
                return Ok((asked, Some(Failure { context: Some(person.to_json()), ..failure })));
            }
        }
        match self.source.cells(self.flag, &fixed, &names) {
            Ok(cells) => {
                asked += cells.len();
                Ok((asked, cells.iter().find_map(is_on)))
            }
            Err(_) if asked > 0 => Ok((asked, None)),
            Err(count) => Err(Problem::at(
                never,
                format!(
                    "`{}` tells {count} kinds of callers apart, at most {MAX_CELLS} are asked: expected people (--contexts)",
                    self.flag
                ),
            )),
        }
    }
}

/// Every combination of a matrix, beside the other attributes.
fn combinations(
    context: &Map<String, Json>,
    matrix: &Spanned<std::collections::BTreeMap<String, Vec<Json>>>,
) -> Result<Vec<Map<String, Json>>, Problem> {
    let mut contexts = vec![context.clone()];
    for (name, values) in &matrix.value {
        if values.is_empty() {
            return Err(Problem::at(matrix, format!("`{name}` has no values")));
        }
        if context.keys().any(|own| same(own, name)) {
            return Err(Problem::at(matrix, format!("`{name}` is in `context` too")));
        }
        if contexts.len().saturating_mul(values.len()) > MAX_COMBINATIONS {
            return Err(Problem::at(matrix, format!("has more than {MAX_COMBINATIONS} combinations")));
        }
        let with = |context: Map<String, Json>| {
            values.iter().map(move |value| {
                let mut context = context.clone();
                context.insert(name.clone(), value.clone());
                context
            })
        };
        contexts = contexts.into_iter().flat_map(with).collect();
    }
    Ok(contexts)
}

fn value_of(json: &Json) -> Value<'static> {
    Value::from_json(json.to_string().as_bytes()).map(Value::into_owned).unwrap_or_default()
}

fn context(attributes: &Map<String, Json>) -> Result<Context<'static>, String> {
    Context::from_value(value_of(&Json::from(attributes.clone()))).map_err(|error| error.to_string())
}

/// As in `10 %`, `0.5%` or `10`.
fn percent(written: &Spanned<Json>) -> Result<f64, Problem> {
    let number = match &written.value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => crate::percent::percent(text),
        _ => None,
    };
    number
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| Problem::at(written, format!("{} is not a share, expected one such as 10 %", written.value)))
}

fn differs(expect: &Expect, explanation: &Explanation<'_>, attributes: &Map<String, Json>) -> Option<Failure> {
    let answer = explanation.resolution();
    let mut expected = Vec::new();
    if let Some(enabled) = expect.enabled.filter(|enabled| *enabled != answer.is_enabled()) {
        expected.push(if enabled { "on".to_owned() } else { "off".to_owned() });
    }
    if let Some(variant) = expect.variant.as_ref().filter(|variant| answer.variant() != Some(&variant.value)) {
        expected.push(format!("variant {}", variant.value));
    }
    if let Some(value) = expect
        .value
        .as_ref()
        .filter(|value| value_of(value).into_canonical() != answer.value().clone().into_canonical())
    {
        expected.push(format!("value {value}"));
    }
    if let Some(reason) = expect.reason.as_ref().filter(|reason| reason.value != answer.reason().as_str()) {
        expected.push(format!("reason {}", reason.value));
    }
    if let Some(first_no) = expect.first_no.as_ref().filter(|first_no| !says_no(explanation, first_no)) {
        expected.push(format!("first no {first_no}"));
    }
    let because = explanation.first_no().map(|no| no.sentence().to_owned());
    (!expected.is_empty()).then(|| Failure {
        expected: expected.join(", "),
        got: said(explanation),
        context: Some(Json::from(attributes.clone()).to_string()),
        because: because.or_else(|| explanation.to_string().lines().next().map(ToOwned::to_owned)),
    })
}

/// Whether the first no is of this kind, or says this.
fn says_no(explanation: &Explanation<'_>, wanted: &str) -> bool {
    let Some(no) = explanation.first_no() else { return false };
    let target = no.operands().iter().find(|(name, _)| *name == "target").and_then(|(_, value)| value.as_str());
    let list = match target {
        Some("plan") => Some("target_plans"),
        Some("roles") => Some("target_roles"),
        Some("region") => Some("target_regions"),
        Some("company") => Some("target_companies"),
        Some("user") => Some("target_users"),
        _ => None,
    };
    no.name() == wanted || no.code() == wanted || list == Some(wanted) || no.sentence().contains(wanted)
}

fn said(explanation: &Explanation<'_>) -> String {
    let answer = explanation.resolution();
    let state = if answer.is_enabled() { "on" } else { "off" };
    let variant = answer.variant().map_or(String::new(), |variant| format!(", variant {variant}"));
    let value = match answer.value() {
        Value::Bool(value) if *value == answer.is_enabled() => String::new(),
        value => format!(", value {}", value.to_json()),
    };
    format!(
        "{state}{variant}{value} ({})",
        answer.error_code().map_or(answer.reason().as_str(), |error| error.as_str())
    )
}
