//! `esclusa assess`: whether a share comes out as it is defined, by counting units.

use std::collections::BTreeMap;
use std::path::PathBuf;

use esclusa::{FlagSet, Reason, Value, row};
use esclusa_impact::{Definition, Document, wilson};

use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;
use crate::question::{Asked, Question};

/// How many standard deviations chance leaves once in a million: for one share, and for each of up to 26 variants.
const LIMITS: [f64; 2] = [4.892, 5.5];
/// How wide the picture of a share is.
const BAR: f64 = 40.0;

/// Count units: does 25 % come out as 25 %?
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa assess flags.json crm_advanced --plan PREMIUM --role ADMIN
  esclusa assess production checkout_layout --users ids.txt

The unit that the flag is bucketed by varies, everything else of the caller stays. Units that other conditions decide
are left out. The interval holds the share of all units in 95 of 100 such counts.
Exit codes: 0 chance explains what was counted, 1 it does so less than once in a million times, 2 it could not be done.")]
pub struct Arguments {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub question: Question,
    /// Key of the flag
    #[arg(value_name = "FLAG")]
    pub flag: String,
    /// A file with one unit in each line
    #[arg(long, value_name = "FILE", conflicts_with = "count")]
    pub users: Option<PathBuf>,
    /// How many units are made up
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub count: u64,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// A share that was counted.
struct Counted {
    name: String,
    hits: u64,
    units: u64,
    /// What it is to be, if the definition says it in one place.
    expected: Option<f64>,
    is_off: bool,
}

/// Runs the command.
///
/// # Errors
/// When the flags or the units cannot be read, or no unit reaches the share.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let asked = arguments.question.read(desk)?;
    asked.known(&arguments.flag)?;
    let Asked { set, context: caller, now, snapshot } = asked;
    let document = Document::from_json(&snapshot.native()?);
    let document = document.map_err(|error| Trouble::new(format!("{}: {error}", snapshot.name)))?;
    let definition = document.flags().get(&arguments.flag);
    let unit = definition.and_then(|one| one.field("bucket_by")).and_then(Value::as_str).unwrap_or("user").to_owned();
    let (mut on, mut units, mut variants) = (0, 0, BTreeMap::<String, u64>::new());
    for id in ids(arguments, desk)? {
        let context = caller.clone().attribute(unit.clone(), id);
        let answer = set.resolve(&arguments.flag, &context, now);
        if answer.reason() == Reason::Split {
            units += 1;
            on += u64::from(answer.is_enabled());
            if let Some(variant) = answer.variant().filter(|_| answer.is_enabled()) {
                *variants.entry(variant.to_owned()).or_default() += 1;
            }
        }
    }
    if units == 0 {
        return Err(why_none(&set, arguments, &caller.attribute(unit, "unit-0"), now));
    }
    let counted = counted(definition, on, units, &variants);
    match arguments.format {
        Format::Human => counted.iter().try_for_each(|one| human(one, desk))?,
        Format::Json => desk.print(Value::List(counted.iter().map(value).collect()).to_json() + "\n")?,
    }
    Ok(Findings::some_if(counted.iter().any(|one| one.is_off)))
}

fn ids(arguments: &Arguments, desk: &Desk<'_>) -> Result<Box<dyn Iterator<Item = String>>, Trouble> {
    let Some(file) = &arguments.users else {
        return Ok(Box::new((0..arguments.count).map(|at| format!("unit-{at}"))));
    };
    let text = std::fs::read_to_string(desk.folder.join(file))
        .map_err(|error| Trouble::new(format!("cannot read `{}`: {error}", file.display())))?;
    let lines: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    Ok(Box::new(lines.into_iter()))
}

fn why_none(set: &FlagSet, arguments: &Arguments, context: &esclusa::Context<'_>, now: esclusa::Time) -> Trouble {
    let reason = set.resolve(&arguments.flag, context, now).reason();
    Trouble::new(format!(
        "`{}` is not decided by a share for this caller ({reason}), expected a caller that it is rolled out to, such as `--plan PREMIUM`",
        arguments.flag
    ))
}

/// The share that has the flag, and the shares of its variants among those.
fn counted(definition: Option<&Definition>, on: u64, units: u64, variants: &BTreeMap<String, u64>) -> Vec<Counted> {
    // Rules and steps have shares of their own.
    let plain = definition.filter(|one| ["rules", "schedule"].iter().all(|field| one.field(field).is_none()));
    let share = plain.map(|one| {
        one.field("rollout_percentage").and_then(row::share).map_or(1.0, |share| f64::from(share) / 100_000.0)
    });
    let mut all = vec![Counted::new("on", on, units, share, LIMITS[0])];
    let entries = plain.and_then(|one| one.field("variants")).and_then(Value::as_list).unwrap_or_default();
    let weight = |variant: &Value<'_>| variant.get("weight").map_or(Some(1.0), Value::as_f64);
    let weights: Option<Vec<f64>> = entries.iter().map(weight).collect();
    let sum: f64 = weights.iter().flatten().sum();
    for (name, hits) in variants {
        let at = entries.iter().position(|one| one.get("key").and_then(Value::as_str) == Some(name));
        let own = at.and_then(|at| weights.as_ref()?.get(at).copied());
        all.push(Counted::new(&format!("  {name}"), *hits, on, own.map(|own| own / sum), LIMITS[1]));
    }
    all
}

#[expect(clippy::cast_precision_loss, reason = "counts of units")]
impl Counted {
    fn new(name: &str, hits: u64, units: u64, expected: Option<f64>, limit: f64) -> Self {
        let is_off = expected.is_some_and(|share| {
            let (hits, units) = (hits as f64, units as f64);
            // Half a unit is lost by counting whole ones; a bucket is a hundred-thousandth.
            (hits - units * share).abs() > limit * (units * share * (1.0 - share)).sqrt() + 0.5 + units / 100_000.0
        });
        Counted { name: name.to_owned(), hits, units, expected, is_off }
    }

    fn share(&self) -> f64 {
        self.hits as f64 / (self.units.max(1)) as f64
    }
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn human(one: &Counted, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    let (least, most) = wilson(one.hits, one.units);
    let full = "█".repeat(full_cells(one.share()));
    let expected = one.expected.map_or(String::new(), |share| format!(", expected {}", percent(share)));
    let mark = if one.is_off { "  which chance does not explain" } else { "" };
    desk.print(format_args!(
        "{:<12} {full:░<40} {} of {} ({} to {}){expected}{mark}\n",
        one.name,
        percent(one.share()),
        one.units,
        percent(least),
        percent(most)
    ))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is from 0 to 1")]
fn full_cells(share: f64) -> usize {
    (share * BAR).round() as usize
}

fn value(one: &Counted) -> Value<'static> {
    let (least, most) = wilson(one.hits, one.units);
    Value::Object(vec![
        ("name".into(), one.name.trim().to_owned().into()),
        ("units".into(), one.units.into()),
        ("hits".into(), one.hits.into()),
        ("share".into(), one.share().into()),
        ("interval".into(), Value::List(vec![least.into(), most.into()])),
        ("expected".into(), one.expected.map(Value::from).unwrap_or_default()),
        ("chance_explains_it".into(), (!one.is_off).into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::{Counted, LIMITS};

    #[test]
    fn chance_is_told_from_a_wrong_share() {
        let is_off = |hits, share| Counted::new("on", hits, 100_000, Some(share), LIMITS[0]).is_off;
        // A standard deviation is 137 units.
        assert!(!is_off(25_000, 0.25) && !is_off(25_650, 0.25) && is_off(25_700, 0.25) && is_off(24_300, 0.25));
        assert!(is_off(50_000, 0.0) && !is_off(0, 0.0) && !is_off(100_000, 1.0) && is_off(99_990, 1.0));
    }
}
