//! Random mappings, rows and callers with the answers of this crate, for the hosts to give the same answers to.
//!
//! `ESCLUSA_TRIPLES` names a folder for `mapped-questions.jsonl` and `mapped-answers.jsonl`; without it the questions are
//! only made. A question is `{"rows": text, "mapping", "parameters"}`, which goes into empty flags and, if it is refused, is
//! answered by `{"refused": place}`; or `{"key", "context", "now"}` (milliseconds), answered by the resolution as JSON with
//! the names of its objects sorted by UTF-16.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod generator;

use std::fmt::Write as _;
use std::path::PathBuf;

use esclusa::{Context, Time, Value};
use esclusa_formats::{Mapping, read};
use generator::{CALLERS, Case};
use serde_json::json;

const TRIPLES: usize = 20_000;

#[test]
fn there_are_mapped_questions_and_answers_for_every_host() {
    let seed = std::env::var("ESCLUSA_SEED").map_or(20_261_130_u64, |seed| seed.parse().unwrap());
    println!("seed {seed}");
    let now = Time::parse("2026-06-15T12:00:00Z").unwrap();
    let (mut questions, mut answers) = (String::new(), String::new());
    let (mut asked, mut on, mut refused) = (0, 0, 0);
    for number in 0.. {
        if asked >= TRIPLES {
            break;
        }
        let Case { mapping, rows } = Case::random(seed.wrapping_mul(7_000_003).wrapping_add(number));
        // JavaScript reads whole numbers up to here exactly; each host's own tests hold larger ones.
        let rows = rows.replace("9007199254740993", "9007199254740991");
        let parameters = json!({"environment": "production"});
        let question = json!({"rows": rows, "mapping": mapping, "parameters": parameters});
        let mapping = Mapping::from_json(mapping.to_string().as_bytes());
        let mapping = mapping.and_then(|mapping| mapping.with("environment", "production"));
        let set = match mapping.map_err(Into::into).and_then(|mapping| read(rows.as_bytes(), &mapping)) {
            Ok((set, _)) => set,
            Err(error) => {
                refused += 1;
                writeln!(questions, "{question}").unwrap();
                writeln!(answers, "{}", json!({"refused": error.place()})).unwrap();
                continue;
            }
        };
        let keys = || set.keys().chain(["no-such-flag"]);
        let triples: Vec<_> = keys().flat_map(|key| CALLERS.map(|caller| (key, caller))).collect();
        let resolve = |(key, caller): &(&str, &str)| {
            set.resolve(key, &Context::from_json(caller.as_bytes()).unwrap(), now).to_value()
        };
        let resolved: Vec<Value<'_>> = triples.iter().map(resolve).collect();
        let is_on = |answer: &&Value<'_>| answer.get("enabled") == Some(&true.into());
        let on_here = resolved.iter().filter(is_on).count();
        // Most tables at random have a value that withholds every flag; a few of them will do.
        if on_here == 0 && number % 16 != 0 {
            continue;
        }
        writeln!(questions, "{question}").unwrap();
        for ((key, caller), answer) in triples.iter().zip(resolved) {
            let (key, millis) = (Value::from(*key), now.as_millis());
            writeln!(questions, r#"{{"key":{key},"context":{caller},"now":{millis}}}"#).unwrap();
            writeln!(answers, "{}", answer.into_canonical()).unwrap();
        }
        asked += triples.len();
        on += on_here;
    }
    println!("{asked} questions, {on} flags on, {refused} tables refused");
    assert!(on > TRIPLES / 20 && refused > 20, "the questions are too much alike");
    if let Some(folder) = std::env::var_os("ESCLUSA_TRIPLES").map(PathBuf::from) {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("mapped-questions.jsonl"), questions).unwrap();
        std::fs::write(folder.join("mapped-answers.jsonl"), answers).unwrap();
    }
}
