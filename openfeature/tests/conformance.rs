//! The evaluation cases of OpenFeature's specification, from the folder `openfeature-gherkin` of `CONFORMANCE_DIR`.
//!
//! A flag of `test-flags.json` is read as the row that says the same. The default is what stands behind an `Err`: the SDK
//! has no argument for it. What is left out, and why, is in [`LEFT_OUT`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test stops at what is wrong"
)]

mod steps;

use std::path::{Path, PathBuf};

use esclusa::{FlagSet, Flags};
use gherkin::{Feature, GherkinEnv, Scenario, Step};
use serde_json::{Value, json};
use steps::World;

/// The tags and names of scenarios that cannot hold, each with the reason.
const LEFT_OUT: [(&str, &str); 8] = [
    ("provider-status-fatal", "the SDK has no fatal state"),
    ("Provider status accessibility", "a fatal state again; the states that there are have tests of their own"),
    ("Flag metadata in evaluation details", "a flag has no metadata of its own"),
    ("Returns metadata", "a flag has no metadata of its own"),
    ("reason-codes-cached", "nothing is cached"),
    ("reason-codes-disabled", "a flag that serves no value is an error, and the SDK gives no reason with an error"),
    ("Evaluation context immutability", "the types see to it"),
    ("Evaluation options with hooks", "the steps name no hook; the feature `hooks` does"),
];

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("CONFORMANCE_DIR");
    if folder.is_none() {
        println!("left out: the cases of OpenFeature's specification need CONFORMANCE_DIR");
    }
    Some(Path::new(&folder?).join("openfeature-gherkin"))
}

/// A row that says what a flag of the specification's says.
fn row(key: &str, flag: &Value) -> Value {
    let mut variants: Vec<Value> = Vec::new();
    let default = flag["defaultVariant"].as_str();
    for (variant, value) in flag["variants"].as_object().unwrap() {
        let weight = u8::from(Some(variant.as_str()) == default);
        variants.push(json!({"key": variant, "value": value, "weight": weight}));
    }
    if default.is_none() {
        variants.insert(0, json!({"key": "none", "value": null}));
    }
    let mut row = json!({"name": key, "enabled": flag["disabled"] != true, "variants": variants});
    if let Some(condition) = flag["contextEvaluator"].as_str() {
        let email = json!({"attribute": "email", "op": "in", "values": ["ballmer@macrosoft.com"]});
        let (variant, when) = if condition.contains("customer") {
            let customer = json!({"attribute": "customer", "op": "is", "value": true});
            let age = json!({"attribute": "age", "op": "gt", "value": 10});
            ("internal", json!({"all": [{"not": customer}, email, age]}))
        } else {
            ("zero", email)
        };
        row["rules"] = json!([{"key": "condition", "when": when, "variant": variant}]);
        row["off_value"] = flag["variants"][default.unwrap()].clone();
    }
    row
}

fn flags(folder: &Path) -> Flags {
    let text = std::fs::read(folder.join("test-flags.json")).unwrap();
    let given: Value = serde_json::from_slice(&text).unwrap();
    let rows: Vec<Value> = given.as_object().unwrap().iter().map(|(key, flag)| row(key, flag)).collect();
    let flags = Flags::new();
    let report = flags.publish(FlagSet::from_json(Value::from(rows).to_string().as_bytes()).unwrap());
    assert!(report.violations().is_empty(), "{:?}", report.violations());
    flags
}

/// The scenarios, those of an outline once for each line of its examples.
fn cases(scenario: &Scenario) -> Vec<Vec<Step>> {
    if scenario.examples.is_empty() {
        return vec![scenario.steps.clone()];
    }
    let tables = scenario.examples.iter().filter_map(|examples| examples.table.as_ref());
    tables
        .flat_map(|table| {
            let (names, lines) = table.rows.split_first().unwrap();
            lines.iter().map(|line| scenario.steps.iter().map(|step| filled(step, names, line)).collect())
        })
        .collect()
}

fn filled(step: &Step, names: &[String], line: &[String]) -> Step {
    let value = names
        .iter()
        .zip(line)
        .fold(step.value.clone(), |text, (name, value)| text.replace(&format!("<{name}>"), value));
    Step { value, ..step.clone() }
}

/// The parser knows no `\"` in a table; others leave it as it is.
fn readable(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim_start().starts_with('|') {
        true => line.replace(r#"\""#, r#"\\""#),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

async fn hold(name: &str, least: usize) {
    let Some(folder) = folder() else { return };
    let flags = flags(&folder);
    let text = readable(&std::fs::read_to_string(folder.join(name)).unwrap());
    let feature = Feature::parse(text, GherkinEnv::default()).unwrap();
    let (mut held, mut wrong) = (0, Vec::new());
    for scenario in &feature.scenarios {
        let is_out = |what: &str| scenario.name == what || scenario.tags.iter().any(|tag| tag == what);
        if let Some((_, why)) = LEFT_OUT.iter().find(|(what, _)| is_out(what)) {
            println!("left out: {}: {why}", scenario.name);
            continue;
        }
        for case in cases(scenario) {
            let background = feature.background.iter().flat_map(|background| &background.steps);
            let mut world = World::new(&flags);
            let steps: Vec<&Step> = background.chain(&case).collect();
            match world.take(&steps).await {
                Ok(()) => held += 1,
                Err(problem) => wrong.push(format!("{}: {problem}", scenario.name)),
            }
        }
    }
    println!("{name}: {held} cases hold");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(held >= least, "{held} cases of {name} were found, expected at least {least}");
}

#[tokio::test]
async fn evaluations() {
    hold("evaluation_v2.feature", 60).await;
}

#[tokio::test]
async fn hooks() {
    hold("hooks.feature", 3).await;
}

#[tokio::test]
async fn metadata() {
    hold("metadata.feature", 4).await;
}
