//! Reads paths on stdin and prints the natural logarithm of the evidence after each step, a JSON array for each path:
//! `cargo run -p esclusa-guard --example evidence < spec/vectors/guard/evidence.json`
//!
//! A path is an object of `vectors` (or `cases`) with its `q0`, its `test` (or `kind`), `"split"` being the test with two
//! sides, and its `steps`: `{"hits": 5, "misses": 195}` or `["observe", 5, 195]`, and `{"mark": true}` or `["mark"]`.
#![expect(clippy::print_stdout, clippy::indexing_slicing, reason = "a program; what JSON lacks is null")]

use std::error::Error;
use std::io;

use esclusa_guard::{Evidence, Probability};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let document: Value = serde_json::from_reader(io::stdin())?;
    let paths = document["vectors"].as_array().or_else(|| document["cases"].as_array());
    for path in paths.ok_or("there are neither `vectors` nor `cases`")? {
        println!("{}", serde_json::to_string(&follow(path)?)?);
    }
    Ok(())
}

fn follow(path: &Value) -> Result<Vec<f64>, String> {
    let null = path["q0"].as_f64().and_then(Probability::new).ok_or("`q0` is not strictly between 0 and 1")?;
    let is_split = path["test"] == "split" || path["kind"] == "split";
    let mut evidence = if is_split { Evidence::two_sided() } else { Evidence::one_sided() };
    let after = |step: &Value| {
        let count = |name: &str, place: usize| step[name].as_u64().or_else(|| step[place].as_u64());
        if step["mark"] == true || step[0] == "mark" {
            evidence.mark();
        } else {
            let counts = count("hits", 1).zip(count("misses", 2));
            let (hits, misses) = counts.ok_or_else(|| format!("a step is `{step}`, expected counts or a mark"))?;
            evidence.observe(null, hits, misses);
        }
        Ok(evidence.log_e())
    };
    path["steps"].as_array().ok_or("a path without `steps`")?.iter().map(after).collect()
}
