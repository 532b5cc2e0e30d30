//! Random snapshots, contexts and times with the engine's answers, for the hosts to give the same answers to.
//!
//! `ESCLUSA_TRIPLES` names a folder for `questions.jsonl` and `answers.jsonl`; without it the questions are only made.
//! A question is `{"snapshot": JSON}`, which goes into empty flags, or `{"key", "context", "now"}` (milliseconds); an
//! answer is the resolution as JSON with the names of its objects sorted by UTF-16.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test stops at what is wrong"
)]

mod generator;

use std::fmt::Write as _;
use std::path::PathBuf;

use esclusa::{Context, FlagSet, Time, Value};
use generator::{Node, Random, Sequence, Snapshot};

const TRIPLES: usize = 20_000;

#[test]
fn there_are_questions_and_answers_for_every_host() {
    let seed = Random::seed();
    println!("seed {seed}");
    let (mut questions, mut answers) = (String::new(), String::new());
    let (mut asked, mut on, mut errors) = (0, 0, 0);
    for number in 0.. {
        if asked >= TRIPLES {
            break;
        }
        let sequence = Sequence::random(seed.wrapping_mul(5_000_011).wrapping_add(number));
        for text in sequence.snapshots.iter().map(Snapshot::text) {
            let Ok(text) = as_hosts_read_it(&text) else { continue };
            let Ok(set) = FlagSet::from_json(text.as_bytes()) else { continue };
            writeln!(questions, r#"{{"snapshot":{text}}}"#).unwrap();
            let mut keys: Vec<&str> = set.keys().take(12).collect();
            keys.push("no-such-flag");
            for (key, (context, now)) in keys.iter().flat_map(|key| {
                sequence.contexts.iter().zip(sequence.times.iter().cycle()).map(move |with| (key, with))
            }) {
                let context = as_hosts_read_it(&Node::to_string(context)).unwrap();
                writeln!(questions, r#"{{"key":{},"context":{context},"now":{now}}}"#, Value::from(*key)).unwrap();
                let read = Context::from_json(context.as_bytes()).unwrap();
                let resolution = set.resolve(key, &read, Time::from_millis(*now));
                writeln!(answers, "{}", resolution.to_value().into_canonical()).unwrap();
                asked += 1;
                on += usize::from(resolution.is_enabled());
                errors += usize::from(resolution.error_code().is_some());
            }
        }
    }
    println!("{asked} questions, {on} flags on, {errors} errors");
    assert!(on > TRIPLES / 20 && errors > TRIPLES / 20 && on + errors < TRIPLES, "the questions are too much alike");
    if let Some(folder) = std::env::var_os("ESCLUSA_TRIPLES").map(PathBuf::from) {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("questions.jsonl"), questions).unwrap();
        std::fs::write(folder.join("answers.jsonl"), answers).unwrap();
    }
}

/// The same JSON after a host's own reader: of two fields with one name the last. JavaScript reads and writes larger whole
/// numbers as others do not, so that they become the largest that it reads exactly; each host's own tests hold the others.
fn as_hosts_read_it(text: &str) -> serde_json::Result<String> {
    let mut value = serde_json::from_str::<serde_json::Value>(text)?;
    make_exact(&mut value);
    Ok(value.to_string())
}

fn make_exact(value: &mut serde_json::Value) {
    const LARGEST: i64 = 9_007_199_254_740_991;
    match value {
        serde_json::Value::Number(number) => {
            let size = number.as_f64().unwrap_or_default();
            // From here on JavaScript writes an exponent, and that is not a whole number.
            if size.abs() > 9_007_199_254_740_991.0 && size.abs() < 1e21 {
                *number = if size < 0.0 { -LARGEST } else { LARGEST }.into();
            }
        }
        serde_json::Value::Array(elements) => elements.iter_mut().for_each(make_exact),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(make_exact),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::String(_) => {}
    }
}
