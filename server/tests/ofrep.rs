//! OFREP 0.3, answer by answer: what the specification says, and what the clients of other people need besides.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod running;

use std::time::{Duration, SystemTime};

use esclusa::Time;
use hyper::StatusCode;
use running::{Running, Table};
use serde_json::json;

const FLAGS: &str = r#"{"esclusa": 1, "revision": 42, "flags": [
    {"name": "crm", "enabled": true, "client": true, "target_companies": ["acme"]},
    {"name": "plain", "enabled": true},
    {"name": "off", "enabled": false, "client": true},
    {"name": "share", "enabled": true, "client": true, "rollout_percentage": 50},
    {"name": "price", "enabled": true, "client": true, "off_value": 1, "bucket_by": "user",
     "variants": [{"key": "low", "value": 2, "weight": 1}, {"key": "high", "value": 2.5, "weight": 0}]},
    {"name": "limit", "enabled": true, "off_value": 1, "variants": [{"key": "all", "value": 10, "weight": 1}]},
    {"name": "nothing", "enabled": false, "variants": [{"key": "a", "value": "x", "weight": 1}]},
    {"name": "layout", "enabled": true, "variants": [{"key": "a", "value": {"columns": 2}, "weight": 1}]},
    {"name": "broken", "enabled": true, "rollout_percentage": 150},
    {"name": "a/b c", "enabled": true}
]}"#;

const ANA: &str = r#"{"context": {"targetingKey": "ana", "company": "acme"}}"#;

#[tokio::test]
async fn one_flag_is_answered_with_everything_that_clients_look_for() {
    let table = Table::new(FLAGS);
    let running = Running::start(table.source()).await;
    let answer = async |key: &str, body: &str| {
        let reply = running.one(&running.server, key, body).await;
        assert_eq!(reply.header("content-type"), "application/json");
        (reply.status.as_u16(), reply.json())
    };
    let metadata = json!({ "version": "42" });
    let served = |key: &str, value: serde_json::Value, reason: &str, variant: &str| json!({ "key": key, "value": value, "reason": reason, "variant": variant, "metadata": metadata });
    assert_eq!(answer("crm", ANA).await, (200, served("crm", json!(true), "TARGETING_MATCH", "on")));
    assert_eq!(answer("plain", ANA).await, (200, served("plain", json!(true), "STATIC", "on")));
    assert_eq!(answer("off", ANA).await, (200, served("off", json!(false), "DISABLED", "off")));
    assert_eq!(answer("limit", ANA).await.1["value"], json!(10));
    assert_eq!(answer("layout", ANA).await.1["value"], json!({ "columns": 2 }));
    // A null is no value: the default of the code stands.
    let nothing = json!({ "key": "nothing", "reason": "DISABLED", "variant": "off", "metadata": metadata });
    assert_eq!(answer("nothing", ANA).await, (200, nothing));
    // A caller without a key is a caller; only a share needs one.
    for body in ["{}", r#"{"context": null}"#, r#"{"context": {}}"#] {
        assert_eq!(answer("plain", body).await.0, 200, "{body}");
        let (status, failed) = answer("share", body).await;
        assert_eq!(
            (status, &failed["errorCode"], &failed["key"]),
            (400, &json!("TARGETING_KEY_MISSING"), &json!("share"))
        );
        assert!(failed["errorDetails"].is_string());
    }
    let (status, failed) = answer("missing", ANA).await;
    assert_eq!((status, &failed["errorCode"], &failed["key"]), (404, &json!("FLAG_NOT_FOUND"), &json!("missing")));
    assert!(failed["errorDetails"].is_string());
    let (status, failed) = answer("broken", ANA).await;
    assert_eq!((status, &failed["errorCode"], &failed["key"]), (400, &json!("PARSE_ERROR"), &json!("broken")));
    for (key, body, code) in [
        ("plain", "", "PARSE_ERROR"),
        ("plain", "[]", "PARSE_ERROR"),
        ("plain", "{", "PARSE_ERROR"),
        ("none", r#"{"context": 1}"#, "INVALID_CONTEXT"),
        ("plain", r#"{"context": []}"#, "INVALID_CONTEXT"),
    ] {
        let (status, failed) = answer(key, body).await;
        assert_eq!((status, &failed["errorCode"], &failed["key"]), (400, &json!(code), &json!(key)), "{body}");
        assert!(failed["errorDetails"].is_string());
    }
    for key in ["a/b%20c", "a%2Fb%20c"] {
        assert_eq!(answer(key, ANA).await.1["key"], "a/b c", "{key}");
    }
    running.stop().await;
}

#[tokio::test]
async fn whole_numbers_of_a_flag_with_fractions_have_one_too() {
    let running = Running::start(Table::new(FLAGS).source()).await;
    let text = async |key: &str| String::from_utf8(running.one(&running.server, key, ANA).await.body.to_vec()).unwrap();
    assert!(text("price").await.contains(r#""value":2.0,"#), "{}", text("price").await);
    assert!(text("limit").await.contains(r#""value":10,"#), "{}", text("limit").await);
    let all = running.all(&running.client, r#"{"targetingKey": "ana"}"#).await;
    assert!(String::from_utf8(all.body.to_vec()).unwrap().contains(r#""value":2.0,"#));
}

#[tokio::test]
async fn a_body_that_is_too_large_or_too_deep_is_a_bad_request() {
    let running = Running::start(Table::new(FLAGS).source()).await;
    let large = format!(r#"{{"context": {{"a": "{}"}}}}"#, "x".repeat(1 << 20));
    let deep = format!(r#"{{"context": {{"a": {}1{}}}}}"#, "[".repeat(1_000), "]".repeat(1_000));
    for body in [large, deep] {
        let reply = running.one(&running.server, "plain", &body).await;
        assert_eq!((reply.status, &reply.json()["errorCode"]), (StatusCode::BAD_REQUEST, &json!("PARSE_ERROR")));
        let reply = running.post("/ofrep/v1/evaluate/flags", &body).token(&running.server).send().await;
        assert_eq!((reply.status, &reply.json()["errorCode"]), (StatusCode::BAD_REQUEST, &json!("PARSE_ERROR")));
    }
}

#[tokio::test]
async fn a_client_token_sees_the_flags_that_are_marked_for_clients() {
    let running = Running::start(Table::new(FLAGS).source()).await;
    let keys = async |token| {
        let all = running.all(token, r#"{"targetingKey": "ana", "company": "acme"}"#).await.json();
        all["flags"].as_array().unwrap().iter().map(|flag| flag["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&running.client).await, ["crm", "off", "price", "share"]);
    assert_eq!(keys(&running.server).await.len(), 10);
    let hidden = running.one(&running.client, "plain", ANA).await;
    assert_eq!((hidden.status, &hidden.json()["errorCode"]), (StatusCode::NOT_FOUND, &json!("FLAG_NOT_FOUND")));
}

/// The web client keeps its entity tag when anything but the targeting key changes.
#[tokio::test]
async fn the_entity_tag_is_that_of_the_answers_and_not_of_the_revision() {
    let table = Table::new(FLAGS);
    let running = Running::start(table.source()).await;
    let ask = async |context: &str, tag: &str| {
        let body = format!(r#"{{"context": {context}}}"#);
        running.post("/ofrep/v1/evaluate/flags", &body).token(&running.client).header("if-none-match", tag).send().await
    };
    let (acme, rival) =
        (r#"{"targetingKey": "ana", "company": "acme"}"#, r#"{"targetingKey": "ana", "company": "rival"}"#);
    let first = ask(acme, "").await;
    assert_eq!(first.flag("crm")["value"], json!(true));
    let tag = first.header("etag").to_owned();
    let other = ask(rival, &tag).await;
    assert_eq!(
        (other.status, &other.flag("crm")["value"]),
        (StatusCode::OK, &json!(false)),
        "answers of the other company"
    );
    for same in
        [tag.clone(), format!("W/{tag}"), tag.replace("\"", ""), format!("{}-gzip\"", tag.trim_end_matches('"'))]
    {
        let again = ask(acme, &same).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{same}");
        assert_eq!(again.header("etag"), tag);
    }
    // Another revision with the same answers for this caller, and then with another answer.
    let mut events = running.get(stream_of(&first).as_str()).events().await;
    table.set(FLAGS.replace("42", "43").replace(r#"["acme"]"#, r#"["acme", "globex"]"#));
    events.next().await.unwrap();
    let again = ask(acme, &tag).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED, "another revision");
    table.set(FLAGS.replace("42", "44").replace(r#"["acme"]"#, r#"["globex"]"#));
    events.next().await.unwrap();
    let changed = ask(acme, &tag).await;
    assert_eq!((changed.status, &changed.flag("crm")["value"]), (StatusCode::OK, &json!(false)));
    assert_eq!(changed.json()["metadata"]["version"], "44");
}

/// The address of the stream that an answer names.
fn stream_of(reply: &running::Reply) -> String {
    let streams = reply.json()["eventStreams"].clone();
    assert_eq!(streams[0]["type"], "sse");
    assert!(streams[0].get("url").is_none() && streams[0]["endpoint"].get("origin").is_none(), "{streams}");
    streams[0]["endpoint"]["requestUri"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_stream_asks_for_another_fetch_at_each_change_and_ends_with_the_server() {
    let table = Table::new(FLAGS);
    let public_url = Some("https://flags.example.com/tools".to_owned());
    let running = Running::with(table.source(), |settings| esclusa_server::Settings { public_url, ..settings }).await;
    let all = running.all(&running.client, "{}").await;
    let address = stream_of(&all);
    let path = address.strip_prefix("/tools").expect("the path of the public address");
    assert_eq!(stream_of(&running.all(&running.client, "{}").await), address, "it stays the same");
    assert!(!address.contains(running.client.text()) && !address.contains(&running.client.sha256()));
    let mut events = running.get(path).events().await;
    table.set(FLAGS.replace(r#""plain", "enabled": true"#, r#""plain", "enabled": false"#).replace("42", "43"));
    let event = events.next().await.unwrap();
    assert!(event.starts_with("id: ") && event.contains("\nevent: message\n"), "{event}");
    let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(data).unwrap(), json!({ "type": "refetchEvaluation" }));
    assert_eq!(running.one(&running.server, "plain", ANA).await.json()["value"], json!(false), "it is there by then");
    for wrong in ["/ofrep/v1/events", "/ofrep/v1/events?t=", &path.replace("?t=", "?t=0")] {
        assert_eq!(running.get(wrong).send().await.status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    running.stop().await;
    assert_eq!(events.next().await, None, "the server has stopped");
}

#[tokio::test]
async fn a_stream_tells_of_what_changes_by_the_time_alone() {
    let start = Time::from(SystemTime::now() + Duration::from_secs(2));
    let flags = format!(r#"[{{"name": "sale", "enabled": true, "client": true, "start_date": "{start}"}}]"#);
    let running = Running::start(Table::new(flags).source()).await;
    let all = running.all(&running.client, "{}").await;
    assert_eq!(all.flag("sale")["value"], json!(false));
    let mut events = running.get(&stream_of(&all)).events().await;
    events.next().await.unwrap();
    assert_eq!(running.all(&running.client, "{}").await.flag("sale")["value"], json!(true));
}
