//! `esclusa guard verify`: computes the evidence of a trip again, from what it wrote down.

use std::path::Path;

use esclusa::Value;
use esclusa_guard::{Condition, Ledger};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;

/// By how much computed evidence may differ from what is written: other processors round the last digits in other ways.
const TOLERANCE: f64 = 1e-9;

/// Compute the evidence of a trip again, from its ledger
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa guard verify trip.json
  esclusa history checkout --format json | esclusa guard verify -

A trip is an object with `condition`, `ledger` and `log_e`; it may stand anywhere in the document.
Exit codes: 0 the evidence is what the trip says, 1 it is not, 2 there is no trip in the file.")]
pub struct Arguments {
    /// A file with trips in JSON, or - for the standard input
    #[arg(value_name = "FILE")]
    pub file: String,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// What of a trip can be computed.
#[derive(Debug, Deserialize)]
struct Recorded {
    condition: Condition,
    ledger: Ledger,
    log_e: f64,
    #[serde(default)]
    log_bar: Option<f64>,
    #[serde(default)]
    metric: Option<String>,
    #[serde(default)]
    run: Option<u64>,
}

/// A trip with what its ledger gives.
struct Checked {
    trip: Recorded,
    log_e: Option<f64>,
}

impl Checked {
    /// What is wrong with it.
    fn problem(&self) -> Option<String> {
        let Some(log_e) = self.log_e else { return Some("a share in the ledger fits no test".to_owned()) };
        let written = self.trip.log_e;
        if (log_e - written).abs() > TOLERANCE * written.abs().max(1.0) {
            return Some(format!("the ledger gives {log_e}, and the trip says {written}"));
        }
        let bar = self.trip.log_bar.filter(|bar| log_e < *bar);
        bar.map(|bar| format!("the evidence is below the bar of {bar}"))
    }

    fn name(&self) -> String {
        let metric = self.trip.metric.as_deref().unwrap_or("a trip");
        self.trip.run.map_or(metric.to_owned(), |run| format!("{metric} in run {run}"))
    }
}

pub(super) fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let bytes = read(&arguments.file, desk)?;
    let document: Json =
        serde_json::from_slice(&bytes).map_err(|error| Trouble::new(format!("{}: {error}", arguments.file)))?;
    let mut trips = Vec::new();
    find(&document, "", &mut trips).map_err(|problem| Trouble::new(format!("{}: {problem}", arguments.file)))?;
    if trips.is_empty() {
        return Err(Trouble::new(format!(
            "{}: there is no trip, expected an object with `condition`, `ledger` and `log_e`",
            arguments.file
        )));
    }
    let checked: Vec<Checked> = trips
        .into_iter()
        .map(|trip| {
            let log_e = trip.ledger.evidence(trip.condition).map(|evidence| evidence.log_e());
            Checked { trip, log_e }
        })
        .collect();
    match arguments.format {
        Format::Human => checked.iter().try_for_each(|one| human(one, desk))?,
        Format::Json => {
            desk.print(Value::List(checked.iter().map(value).collect()).to_json() + "\n")?;
        }
    }
    Ok(Findings::some_if(checked.iter().any(|one| one.problem().is_some())))
}

fn read(file: &str, desk: &mut Desk<'_>) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    if file == "-" {
        desk.input.read_to_end(&mut bytes).map_err(|error| Trouble::new(format!("standard input: {error}")))?;
        return Ok(bytes);
    }
    std::fs::read(desk.folder.join(Path::new(file)))
        .map_err(|error| Trouble::new(format!("cannot read `{file}`: {error}")))
}

/// The trips of a document, wherever they stand.
fn find(value: &Json, place: &str, trips: &mut Vec<Recorded>) -> Result<(), String> {
    match value {
        Json::Object(fields) if fields.contains_key("ledger") => {
            let trip = Recorded::deserialize(value).map_err(|error| format!("`{place}`: {error}"))?;
            trips.push(trip);
            Ok(())
        }
        Json::Object(fields) => {
            fields.iter().try_for_each(|(name, inner)| find(inner, &format!("{place}/{name}"), trips))
        }
        Json::Array(list) => {
            list.iter().enumerate().try_for_each(|(at, inner)| find(inner, &format!("{place}/{at}"), trips))
        }
        _ => Ok(()),
    }
}

fn human(one: &Checked, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    let (name, times) = (one.name(), one.log_e.unwrap_or_default().exp());
    match one.problem() {
        Some(problem) => desk.print(format_args!("{name}: wrong, {problem}\n")),
        None => desk.print(format_args!("{name}: right, evidence {times:.1} to 1\n")),
    }
}

fn value(one: &Checked) -> Value<'static> {
    let number = |number: f64| Value::number(number).unwrap_or_default();
    Value::Object(vec![
        ("metric".into(), one.trip.metric.clone().into()),
        ("run".into(), one.trip.run.map(Value::from).unwrap_or_default()),
        ("written_log_e".into(), number(one.trip.log_e)),
        ("log_e".into(), one.log_e.map(number).unwrap_or_default()),
        ("problem".into(), one.problem().into()),
    ])
}
