//! The engine against the reference evaluator of `spec/reference`, on random snapshots, contexts and times.
//!
//! It needs Python 3.10 or later with the package `xxhash`; `ESCLUSA_PYTHON` names the interpreter, `python3` if it is
//! not set. The seed is printed; `ESCLUSA_SEED` sets another one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test stops at what is wrong"
)]

mod generator;
mod oracle;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use esclusa::{Context, FlagSet, Flags, Time};
use generator::{Node, Random, Sequence, Snapshot};
use oracle::Json;

const SEQUENCES: u64 = 600;
/// How many resolutions must have been compared at least.
const TRIPLES: usize = 20_000;

#[test]
fn the_engine_answers_as_the_reference_does() {
    let seed = Random::seed();
    println!("seed {seed}");
    let questions: Vec<Question> =
        (0..SEQUENCES).map(|number| Question::random(seed.wrapping_mul(999_983).wrapping_add(number))).collect();
    let lines: Vec<String> = questions.iter().map(|question| question.line.clone()).collect();
    let started = std::time::Instant::now();
    let answers = ask(lines);
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(answers.len(), questions.len(), "the reference did not answer every line");
    let mut differences = Vec::new();
    for (question, answer) in questions.iter().zip(&answers) {
        differences.extend(question.difference(answer));
    }
    let triples: usize = questions.iter().map(|question| question.queries.len()).sum();
    println!("{triples} resolutions of {SEQUENCES} sequences; the reference took {seconds:.1} s");
    assert!(differences.is_empty(), "{} sequences differ, among them\n{}", differences.len(), differences[0]);
    assert!(triples >= TRIPLES, "{triples} resolutions are too few, expected at least {TRIPLES}");
}

/// A sequence of snapshots with what is asked after the last of them.
struct Question {
    seed: u64,
    snapshots: Vec<String>,
    queries: Vec<Query>,
    /// What the reference reads.
    line: String,
}

struct Query {
    key: String,
    context: String,
    now: i64,
}

impl Question {
    fn random(seed: u64) -> Self {
        let sequence = Sequence::random(seed);
        let snapshots: Vec<String> = sequence.snapshots.iter().map(Snapshot::text).collect();
        let mut keys: Vec<String> = published(&snapshots).current().keys().map(str::to_owned).collect();
        keys.push("no-such-flag".to_owned());
        // Of the steps of a long chain or a ladder only some are asked for.
        keys.retain(|key| !key.starts_with("step-") || ["step-10", "step-65"].contains(&key.as_str()));
        let contexts: Vec<String> = sequence.contexts.iter().map(Node::to_string).collect();
        let mut queries = Vec::new();
        for key in keys {
            for context in &contexts {
                queries.extend(sequence.times.iter().map(|&now| Query {
                    key: key.clone(),
                    context: context.clone(),
                    now,
                }));
            }
        }
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let asked: Vec<String> = queries
            .iter()
            .map(|query| format!(r#"{{"flag":{},"context":{},"now":{}}}"#, text(&query.key), query.context, query.now))
            .collect();
        let texts: Vec<String> = snapshots.iter().map(|snapshot| text(snapshot)).collect();
        let line = format!(r#"{{"snapshots":[{}],"queries":[{}]}}"#, texts.join(","), asked.join(","));
        Question { seed, snapshots, queries, line }
    }

    /// The first query that the engine answers otherwise.
    fn difference(&self, answer: &str) -> Option<String> {
        let answer = Json::parse(answer.as_bytes()).unwrap_or_else(|| panic!("the reference answered {answer}"));
        let answers = answer.list().expect("an array of resolutions");
        assert_eq!(answers.len(), self.queries.len(), "the reference did not answer every query");
        let set = published(&self.snapshots).current();
        self.queries.iter().zip(answers).find_map(|(query, expected)| {
            let context = Context::from_json(query.context.as_bytes()).unwrap();
            let now = Time::from_millis(query.now);
            let got = set.resolve(&query.key, &context, now).to_value().to_string();
            let (got, expected) = (Json::parse(got.as_bytes()).unwrap().to_value(), expected.to_value());
            (got != expected).then(|| {
                format!(
                    "seed {}\n{}\n`{}` for {} at {}\nengine: {got}\nreference: {expected}\n{}",
                    self.seed,
                    self.snapshots.join("\n"),
                    query.key,
                    query.context,
                    query.now,
                    set.explain(&query.key, &context, now),
                )
            })
        })
    }
}

fn published(snapshots: &[String]) -> Flags {
    let flags = Flags::new();
    for set in snapshots.iter().filter_map(|text| FlagSet::from_json(text.as_bytes()).ok()) {
        let _ = flags.publish(set);
    }
    flags
}

/// The lines that the reference answers to these.
fn ask(lines: Vec<String>) -> Vec<String> {
    let python = std::env::var("ESCLUSA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/reference/esclusa_reference.py");
    let found = Command::new(&python).args(["-c", "import xxhash"]).stderr(Stdio::null()).status();
    let found = found.unwrap_or_else(|error| panic!("`{python}` does not run: {error}; ESCLUSA_PYTHON names another"));
    assert!(found.success(), "`{python}` has no package xxhash: `{python} -m pip install xxhash` installs it");
    let mut child = Command::new(&python)
        .arg(script)
        .arg("resolve")
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        for line in lines {
            writeln!(input, "{line}").unwrap();
        }
    });
    let answers = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success(), "the reference failed");
    answers
}
