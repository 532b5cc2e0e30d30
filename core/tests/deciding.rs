//! The vectors of `spec/vectors/sync`: what every host must decide alike while it stays fresh.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

use std::fs;
use std::path::Path;

use esclusa::Value;
use esclusa::sync::{Action, Policy, Protocol, Request, Response, decide};
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
        "restored" => protocol.restored(now_ms, revision),
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
