//! Every vector of `spec/vectors` through the public API.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what is wrong")]

use std::fs;
use std::path::Path;

use esclusa::{Bucket, Context, FlagSet, Flags, Outcome, Time, Trip, Value, hash, ranges};
use serde_json::{Value as Json, json};

const NOW: &str = "2025-06-15T12:00:00Z";

#[test]
fn every_vector_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "json") && !path.ends_with("vectors.schema.json"));
    files.sort();
    let (mut passed, mut failed) = (0, Vec::new());
    for path in &files {
        let layer: Json = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        for vector in layer["vectors"].as_array().unwrap() {
            match check(vector) {
                Ok(()) => passed += 1,
                Err(difference) => failed.push(format!("{}: {difference}", vector["name"])),
            }
        }
    }
    println!("{passed} vectors of {} layers hold", files.len());
    assert!(failed.is_empty(), "{} vectors do not hold:\n{}", failed.len(), failed.join("\n"));
    assert!(passed >= 400, "{passed} vectors are too few, expected at least 400");
}

fn check(vector: &Json) -> Result<(), String> {
    if let Some(expected) = vector.get("hash") {
        return same(&json!(format!("{:016x}", hash(text(&vector["text"])))), expected);
    }
    if let Some(expected) = vector.get("bucket") {
        return same(&json!(Bucket::of(text(&vector["unit"]), text(&vector["salt"])).number()), expected);
    }
    if let Some(expected) = vector.get("ranges") {
        let weights: Vec<u64> = serde_json::from_value(vector["weights"].clone()).unwrap();
        return same(&json!(ranges(&weights)), expected);
    }
    if let Some(expected) = vector.get("truth") {
        return same(&json!(truth(vector)), expected);
    }
    let flags = Flags::new();
    if let Some(snapshot) = vector.get("snapshot") {
        let _ = flags.publish(FlagSet::from_json(snapshot.to_string().as_bytes()).map_err(|error| error.to_string())?);
        return resolve(&flags, vector);
    }
    for (at, step) in vector["publish"].as_array().unwrap().iter().enumerate() {
        publish(&flags, step).map_err(|difference| format!("publish {at}: {difference}"))?;
    }
    vector.get("resolve").and_then(Json::as_array).into_iter().flatten().try_for_each(|query| resolve(&flags, query))
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap()
}

fn same(got: &Json, expected: &Json) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("got {got}, expected {expected}")) }
}

/// A condition is tried as the only rule of a flag, and so is its opposite.
fn truth(vector: &Json) -> &'static str {
    let condition = &vector["condition"];
    let flag = |name: &str, when: Json| json!({"name": name, "enabled": true, "rules": [{"key": "r", "when": when}]});
    let snapshot = json!({
        "esclusa": 1,
        "segments": vector.get("segments").cloned().unwrap_or(json!([])),
        "flags": [flag("is", condition.clone()), flag("is-not", json!({"not": condition}))],
    });
    let set = FlagSet::from_json_strict(snapshot.to_string().as_bytes()).unwrap();
    let context = vector["context"].to_string();
    let context = Context::from_json(context.as_bytes()).unwrap();
    let now = Time::parse(NOW).unwrap();
    match (set.is_enabled("is", &context, now), set.is_enabled("is-not", &context, now)) {
        (true, false) => "true",
        (false, true) => "false",
        (false, false) => "unknown",
        (true, true) => "true and false",
    }
}

fn resolve(flags: &Flags, query: &Json) -> Result<(), String> {
    let context = query["context"].to_string();
    let context = Context::from_json(context.as_bytes()).unwrap();
    let now = match query.get("now").unwrap_or(&json!(NOW)) {
        Json::String(text) => Time::parse(text).unwrap(),
        number => Time::from_millis(number.as_i64().unwrap()),
    };
    let set = flags.current();
    let (key, expected) = (text(&query["flag"]), &query["expect"]);
    let resolution = set.resolve(key, &context, now);
    same(&to_json(&resolution.to_value()), expected).map_err(|difference| format!("{key}: {difference}"))?;
    let explained = set.explain(key, &context, now);
    same(&to_json(&explained.resolution().to_value()), expected).map_err(|difference| format!("explain: {difference}"))
}

fn to_json(value: &Value<'_>) -> Json {
    serde_json::from_str(&value.to_string()).unwrap()
}

fn publish(flags: &Flags, step: &Json) -> Result<(), String> {
    if let Some(trip) = step.get("take_trip") {
        let report = flags.trip(Trip::new(text(&trip["flag"]), trip["run"].as_u64().unwrap()));
        return same(&json!(report.changed()), &step["changed"]);
    }
    let bytes = match step.get("text") {
        Some(text) => text.as_str().unwrap().to_owned(),
        None => step["snapshot"].to_string(),
    };
    let set = match FlagSet::from_json(bytes.as_bytes()) {
        Ok(set) => set,
        Err(error) => {
            same(&json!(error.code()), step.get("code").unwrap_or(&json!(error.code())))?;
            return same(&json!("refused"), &step["outcome"]);
        }
    };
    let report =
        if step["accept_older"] == json!(true) { flags.publish_accepting_older(set) } else { flags.publish(set) };
    let outcome = match report.outcome() {
        Outcome::Published => "published",
        Outcome::Older { .. } => "older",
        _ => panic!("an outcome that the vectors do not know"),
    };
    same(&json!(outcome), &step["outcome"])?;
    let mut places: Vec<&str> = report.violations().iter().map(esclusa::Violation::place).collect();
    places.sort_unstable();
    let codes = report.violations().iter().map(|violation| (violation.place().to_owned(), json!(violation.code())));
    let set_aside: Vec<Json> = report
        .set_aside()
        .iter()
        .map(|flag| {
            let kept = flag.kept().map(|kept| json!({"revision": kept.revision(), "publishes": kept.publishes()}));
            json!({"key": flag.key(), "off": flag.is_killed(), "kept": kept})
        })
        .collect();
    let got = [
        ("added", json!(report.added())),
        ("removed", json!(report.removed())),
        ("changed", json!(report.changed())),
        ("set_aside", json!(set_aside)),
        ("codes", Json::Object(codes.collect())),
    ];
    for (name, got) in got {
        if let Some(expected) = step.get(name) {
            same(&got, expected).map_err(|difference| format!("{name}: {difference}"))?;
        }
    }
    if let Some(expected) = step.get("violations") {
        let mut expected: Vec<&str> = expected.as_array().unwrap().iter().map(text).collect();
        expected.sort_unstable();
        if places != expected {
            return Err(format!("violations at {places:?}, expected {expected:?}: {:?}", report.violations()));
        }
    }
    Ok(())
}
