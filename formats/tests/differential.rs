//! The crate against the second implementation of `spec/MAPPING.md` in `spec/reference`, on random mappings, rows and
//! callers. It needs Python 3.10 or later with the package `xxhash`; `ESCLUSA_PYTHON` names the interpreter.
//!
//! `ESCLUSA_SEED` sets the seed, `ESCLUSA_MAPPINGS` how many mappings with rows are compared.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod generator;
mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use esclusa::{Context, FlagSet, Time};
use esclusa_formats::{Mapping, native, read};
use generator::{CALLERS, Case};
use serde_json::Value as Json;
use support::same_flags;

#[test]
fn the_crate_reads_rows_as_the_reference_does() {
    let seed = std::env::var("ESCLUSA_SEED").map_or(20_261_130_u64, |seed| seed.parse().unwrap());
    let count: u64 = std::env::var("ESCLUSA_MAPPINGS").map_or(500, |count| count.parse().unwrap());
    println!("seed {seed}");
    let cases: Vec<Case> =
        (0..count).map(|number| Case::random(seed.wrapping_mul(1_000_003).wrapping_add(number))).collect();
    let answers = ask(cases.iter().map(Case::line).collect());
    assert_eq!(answers.len(), cases.len(), "the reference did not answer every line");
    let (mut triples, mut refused, mut wrong) = (0, 0, Vec::new());
    for (case, answer) in cases.iter().zip(&answers) {
        match compare(case, answer) {
            Ok(0) => refused += 1,
            Ok(compared) => triples += compared,
            Err(problem) => wrong.push(format!("{}\n{problem}", case.line())),
        }
    }
    println!("{triples} triples of {count} mappings with rows, of which {refused} are refused");
    assert!(wrong.is_empty(), "{} of {count} differ, among them\n{}", wrong.len(), wrong[0]);
    assert!(triples >= 4 * count && refused < count / 2, "too few can be compared");
}

/// The number of callers whose answers were compared for each flag, or 0 if both refuse.
fn compare(case: &Case, answer: &str) -> Result<u64, String> {
    let answer_json: Json = serde_json::from_str(answer).map_err(|error| format!("{answer}: {error}"))?;
    let mapping = Mapping::from_json(case.mapping.to_string().as_bytes());
    let mapping = mapping.and_then(|mapping| mapping.with("environment", "production"));
    let done = match mapping {
        Err(error) => Err(error.into()),
        Ok(mapping) => {
            read(case.rows.as_bytes(), &mapping).map(|(set, _)| (set, native(case.rows.as_bytes(), &mapping)))
        }
    };
    let (set, flags) = match (done, answer_json["refused"].as_str()) {
        (Err(error), Some(place)) if error.place() == place => return Ok(0),
        (Err(error), refused) => return Err(format!("is refused: {error}; the reference: {refused:?}")),
        (Ok(_), Some(place)) => return Err(format!("is not refused, the reference refuses it at {place}")),
        (Ok((set, flags)), None) => (set, flags.unwrap().to_json()),
    };
    let got: Json = serde_json::from_str(&flags).unwrap();
    if !same_flags(&got, &answer_json["native"]) {
        return Err(format!("crate {flags}\nreference {answer}"));
    }
    // What the reference made, as a snapshot of its own, answers alike.
    let text = answer.strip_prefix("{\"native\":").and_then(|rest| rest.strip_suffix('}')).unwrap();
    let other = FlagSet::from_json(text.as_bytes()).unwrap();
    let mut compared = 0;
    for key in set.keys() {
        for caller in CALLERS {
            let context = Context::from_json(caller.as_bytes()).unwrap();
            let now = Time::parse("2026-06-15T12:00:00Z").unwrap();
            let (one, two) = (set.resolve(key, &context, now).to_value(), other.resolve(key, &context, now).to_value());
            compared += 1;
            if one != two {
                return Err(format!("`{key}` for {caller}: {} and {}", one.to_json(), two.to_json()));
            }
        }
    }
    Ok(compared.max(1))
}

fn ask(lines: Vec<String>) -> Vec<String> {
    let python = std::env::var("ESCLUSA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", "import xxhash"]).stderr(Stdio::null()).status();
    let found = found.unwrap_or_else(|error| panic!("`{python}` does not run: {error}; ESCLUSA_PYTHON names another"));
    assert!(found.success(), "`{python}` has no package xxhash: `{python} -m pip install xxhash` installs it");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/reference/esclusa_reference.py");
    let mut child =
        Command::new(python).arg(script).arg("map").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        for line in lines {
            if writeln!(input, "{line}").is_err() {
                return;
            }
        }
    });
    let answers = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success(), "the reference failed");
    answers
}
