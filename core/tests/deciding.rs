//! The vectors of `spec/vectors/sync`: what every host must decide alike while it stays fresh.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

use std::fs;
use std::path::Path;

use esclusa::Value;
use esclusa::sync::{Action, PREFIXES, Policy, Protocol, Request, Response, decide, layered, switches};
use serde_json::{Value as Json, json};

fn vectors(name: &str) -> Vec<Json> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/sync").join(name);
    let layer: Json = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    layer["vectors"].as_array().unwrap().clone()
}

#[test]
fn every_decision_is_as_the_vectors_say() {
    let vectors = vectors("decisions.json");
    assert!(vectors.len() >= 60);
    for vector in vectors {
        let question = vector["question"].to_string();
        let answer = decide(&Value::from_json(question.as_bytes()).unwrap()).unwrap();
        let answer: Json = serde_json::from_str(&answer.to_json()).unwrap();
        assert_eq!(answer, vector["answer"], "{}", vector["name"]);
    }
    assert_eq!(decide(&Value::from_json(br#"{"decide": "lunch"}"#).unwrap()), None);
}

/// What a layer of a vector says: a text as it is, anything else as JSON.
fn said(layer: &Json) -> Option<Vec<u8>> {
    match layer {
        Json::Null => None,
        Json::String(text) => Some(text.clone().into_bytes()),
        other => Some(other.to_string().into_bytes()),
    }
}

#[test]
fn layers_make_what_the_vectors_say() {
    for vector in vectors("layers.json") {
        let layers: Vec<_> = vector["layers"].as_array().unwrap().iter().map(said).collect();
        let layers: Vec<_> = layers.iter().map(Option::as_deref).collect();
        let name = &vector["name"];
        match layered(&layers) {
            Ok(whole) => {
                let whole = whole.map_or(Json::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
                assert_eq!(whole, vector["whole"], "{name}");
            }
            Err(refusal) => assert_eq!(json!(refusal.layer), vector["refused"], "{name}: {refusal}"),
        }
    }
}

#[test]
fn environments_hold_the_switches_that_the_vectors_say() {
    for vector in vectors("environment.json") {
        let variables =
            vector["variables"].as_object().unwrap().iter().map(|(name, value)| (name, value.as_str().unwrap()));
        let read = match vector["prefixes"].as_array() {
            Some(prefixes) => {
                switches(variables, &prefixes.iter().map(|prefix| prefix.as_str().unwrap()).collect::<Vec<_>>())
            }
            None => switches(variables, &PREFIXES),
        };
        let document: Json = serde_json::from_slice(&read.snapshot).unwrap();
        let found: Json = document["flags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|flag| (flag["name"].as_str().unwrap().to_owned(), flag["enabled"].clone()))
            .collect::<serde_json::Map<_, _>>()
            .into();
        assert_eq!(found, vector["switches"], "{}", vector["name"]);
        let named: Vec<_> = read.violations.iter().map(|violation| violation.place().to_owned()).collect();
        assert_eq!(json!(named), vector["violations"], "{}", vector["name"]);
    }
}

#[test]
fn the_protocol_goes_as_the_vectors_say() {
    for vector in vectors("protocol.json") {
        let ms = |name: &str| vector["policy"][name].as_u64();
        let policy = Policy {
            interval_ms: ms("interval_ms").unwrap(),
            jitter_percent: ms("jitter_percent").unwrap(),
            stale_after_ms: ms("stale_after_ms"),
            backoff_min_ms: ms("backoff_min_ms").unwrap(),
            backoff_max_ms: ms("backoff_max_ms").unwrap(),
            spread_ms: ms("spread_ms").unwrap(),
        };
        let mut protocol = Protocol::new(policy, ms("seed").unwrap()).unwrap();
        for step in vector["steps"].as_array().unwrap() {
            let result = happen(&mut protocol, &step[0]);
            assert!(step[1].is_null() || result == step[1], "{}: {} gave {result}", vector["name"], step[0]);
        }
    }
}

fn happen(protocol: &mut Protocol, event: &Json) -> Json {
    let now_ms = event["now_ms"].as_u64().unwrap();
    let text = |name: &str| event[name].as_str().map(str::to_owned);
    let revision = event["revision"].as_u64();
    match event["event"].as_str().unwrap() {
        "status" => return serde_json::from_str(&protocol.status(now_ms).to_value().to_json()).unwrap(),
        "refresh" => protocol.refresh(now_ms),
        "from_cache" => protocol.from_cache(now_ms, revision),
        "published" => protocol.receive(now_ms, Response::Published { revision, etag: text("etag") }),
        "not_modified" => protocol.receive(now_ms, Response::NotModified),
        "failure" => {
            let retry_after_ms = event["retry_after_ms"].as_u64();
            protocol.receive(now_ms, Response::Failure { error: text("error").unwrap(), retry_after_ms });
        }
        _ => {}
    }
    match protocol.next(now_ms) {
        Action::Wait { ms } => json!({ "wait_ms": ms }),
        Action::Ask(Request { etag, revision, in_full, .. }) => {
            json!({ "ask": { "etag": etag, "revision": revision, "in_full": in_full } })
        }
    }
}
