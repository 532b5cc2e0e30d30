//! The vectors of `spec/vectors/guard`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

use std::fs;
use std::path::Path;

use esclusa_guard::{Evidence, Probability, SPLIT_TIMES, TIMES, log_bar, worst_case_times};
use serde_json::Value;

fn layer(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/guard").join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn vectors(name: &str) -> Vec<Value> {
    layer(name)["vectors"].as_array().unwrap().clone()
}

fn number(vector: &Value, field: &str) -> f64 {
    vector[field].as_f64().unwrap()
}

fn probability(vector: &Value, field: &str) -> Probability {
    Probability::new(number(vector, field)).unwrap()
}

#[test]
fn the_bets_are_those_of_the_vectors() {
    let layer = layer("evidence.json");
    assert_eq!(layer["times"], serde_json::json!(TIMES));
    assert_eq!(layer["split_times"], serde_json::json!(SPLIT_TIMES));
}

#[test]
fn every_path_has_the_evidence_that_the_vectors_say() {
    let vectors = vectors("evidence.json");
    assert_eq!(vectors.len(), 120);
    for vector in vectors {
        let split = vector["test"] == "split";
        let mut evidence = if split { Evidence::two_sided() } else { Evidence::one_sided() };
        let null = match vector["test"].as_str().unwrap() {
            "relative" => probability(&vector, "share").odds(number(&vector, "at_most_times")).unwrap(),
            "limit" => probability(&vector, "at_most"),
            _ => probability(&vector, "share"),
        };
        assert!((null.get() - number(&vector, "q0")).abs() < 1e-15, "{}", vector["name"]);
        for (place, step) in vector["steps"].as_array().unwrap().iter().enumerate() {
            match step["hits"].as_u64() {
                Some(hits) => evidence.observe(null, hits, step["misses"].as_u64().unwrap()),
                None => evidence.mark(),
            }
            let (is, expected) = (evidence.log_e(), number(step, "log_e"));
            assert!((is - expected).abs() < 1e-9, "{} step {place}: {is}, expected {expected}", vector["name"]);
        }
    }
}

#[test]
fn worst_cases_are_as_the_vectors_say() {
    for vector in vectors("worst_case_times.json") {
        let bad = |field: &str| vector[field].as_u64().unwrap();
        let times = worst_case_times(bad("on_bad"), bad("off_bad"), probability(&vector, "share")).unwrap();
        let expected = number(&vector, "times");
        assert!((times / expected - 1.0).abs() < 1e-6, "{}: {times}, expected {expected}", vector["name"]);
    }
}

#[test]
fn bars_are_as_the_vectors_say() {
    for vector in vectors("bars.json") {
        let count = |field: &str| vector[field].as_u64().unwrap();
        let bar = log_bar(count("conditions"), count("epoch"), probability(&vector, "false_trips"));
        assert!((bar - number(&vector, "log_bar")).abs() < 1e-12, "{}", vector["name"]);
    }
}
