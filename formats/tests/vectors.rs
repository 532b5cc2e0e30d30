//! The vectors of `spec/vectors/mapping`, which the second implementation in `spec/reference` runs as well.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod support;

use esclusa::{Context, Flags, Time};
use esclusa_formats::{Mapping, native, read};
use serde_json::Value as Json;
use support::{mapping_of, same_flags};

#[test]
fn every_vector_holds() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/mapping");
    let (mut run, mut wrong) = (0, Vec::new());
    let files_of = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files_of(&folder).chain(files_of(&folder.join("stored"))).collect();
    files.retain(|file| file.is_file());
    files.sort();
    for file in files {
        let layer: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for vector in layer["vectors"].as_array().unwrap() {
            run += 1;
            if let Err(problem) = check(vector) {
                wrong.push(format!("{}: {problem}", vector["name"]));
            }
        }
    }
    println!("{run} vectors");
    assert!(wrong.is_empty(), "{} of {run} vectors fail:\n{}", wrong.len(), wrong.join("\n"));
    assert!(run > 60, "the vectors are there");
}

fn check(vector: &Json) -> Result<(), String> {
    let rows = if vector["document"].is_null() { &vector["rows"] } else { &vector["document"] };
    let bytes = rows.to_string();
    let refused = vector["refused"].as_str();
    let mapping = match mapping_of(vector) {
        Ok(mapping) => mapping,
        Err(error) if refused == Some(error.place()) => return Ok(()),
        Err(error) => return Err(format!("{error}")),
    };
    let (set, reading) = match read(bytes.as_bytes(), &mapping) {
        Err(error) if refused == Some(error.place()) => return Ok(()),
        Err(error) => return Err(format!("is refused at `{}`: {error}", error.place())),
        Ok(_) if refused.is_some() => return Err(format!("is not refused, expected it at {refused:?}")),
        Ok(done) => done,
    };
    let got: Json = serde_json::from_str(&native(bytes.as_bytes(), &mapping).unwrap().to_json()).unwrap();
    if !vector["native"].is_null() && !same_flags(&got, &vector["native"]) {
        return Err(format!("becomes {got}, expected {}", vector["native"]));
    }
    if let Some(left_out) = vector["left_out"].as_u64() {
        let rows: u64 = reading.rows_left_out().iter().map(|one| one.rows).sum();
        if rows != left_out {
            return Err(format!("leaves out {rows} rows, expected {left_out}"));
        }
    }
    if let Some(places) = vector["violations"].as_array() {
        let mut got: Vec<&str> = set.violations().iter().map(esclusa::Violation::place).collect();
        got.sort_unstable();
        let mut places: Vec<&str> = places.iter().map(|place| place.as_str().unwrap()).collect();
        places.sort_unstable();
        if got != places {
            return Err(format!("has violations {:?}, expected {places:?}", set.violations()));
        }
    }
    let flags = Flags::new();
    let _ = flags.publish(set);
    let set = flags.current();
    for query in vector["resolve"].as_array().into_iter().flatten() {
        let context = query["context"].to_string();
        let context = Context::from_json(context.as_bytes()).unwrap();
        let now = Time::parse(query["now"].as_str().unwrap_or("2025-06-15T12:00:00Z")).unwrap();
        let resolution = set.resolve(query["flag"].as_str().unwrap(), &context, now);
        let error = resolution.error_code().map(esclusa::ErrorCode::as_str);
        let value = &query["value"];
        if resolution.is_enabled() != query["enabled"].as_bool().unwrap()
            || (query.get("error").is_some() && error != query["error"].as_str())
            || (!value.is_null() && serde_json::from_str::<Json>(&resolution.value().to_json()).unwrap() != *value)
        {
            return Err(format!("answers {resolution:?} to {query}"));
        }
    }
    Ok(())
}

#[test]
fn a_mapping_says_the_same_in_toml_and_json() {
    let toml = Mapping::from_toml("esclusa_mapping = 1\nname = 'slug'\nenabled = { column = 'on', invert = true }\n");
    let json = Mapping::from_json(br#"{"esclusa_mapping":1,"name":"slug","enabled":{"column":"on","invert":true}}"#);
    let rows = br#"[{"slug":"a","on":false}]"#;
    assert_eq!(native(rows, &toml.unwrap()).unwrap(), native(rows, &json.unwrap()).unwrap());
    let broken = Mapping::from_toml("esclusa_mapping = 1\nname = \n").unwrap_err();
    assert_eq!(broken.place(), "line 2");
}
