//! What clients get that evaluate by themselves, and what a page gets for its caller.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod running;

use std::io::Read;

use esclusa::{Context, FlagSet, Flags, Time};
use esclusa_server::Settings;
use esclusa_sync::{Http, Options, sync};
use flate2::read::GzDecoder;
use hyper::StatusCode;
use running::{PATIENCE, Running, Table};
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;

fn flags(revision: u64, companies: &str) -> String {
    format!(
        r#"{{"esclusa": 1, "revision": {revision}, "flags": [
        {{"name": "crm", "enabled": true, "client": true, "description": " CRM ", "target_companies": {companies}}},
        {{"name": "price", "enabled": true, "off_value": 1, "variants": [{{"key": "a", "value": 2.5, "weight": 1}}]}},
        {{"name": "secret", "enabled": true}}]}}"#
    )
}

#[tokio::test]
async fn a_snapshot_is_the_document_with_a_tag_packed_or_not() {
    let table = Table::new(flags(1, r#"["acme"]"#));
    let running =
        Running::with(table.source(), |settings| Settings { cache: "max-age=5".to_owned(), ..settings }).await;
    let ask = |tag: &str, coding: &str| {
        let question = running.get("/v1/snapshot").token(&running.server);
        question.header("if-none-match", tag).header("accept-encoding", coding)
    };
    let plain = ask("", "identity, gzip;q=0").send().await;
    assert_eq!(plain.body, flags(1, r#"["acme"]"#));
    assert_eq!((plain.header("content-encoding"), plain.header("cache-control")), ("", "max-age=5"));
    assert!(plain.header("etag").starts_with("\"1-"), "{}", plain.header("etag"));
    let packed = ask("", "br, gzip").send().await;
    assert_eq!((packed.header("content-encoding"), packed.header("content-type")), ("gzip", "application/json"));
    assert_ne!(packed.header("etag"), plain.header("etag"), "other bytes");
    let mut text = String::new();
    GzDecoder::new(packed.body.as_ref()).read_to_string(&mut text).unwrap();
    assert_eq!(text.as_bytes(), plain.body);
    for tag in [plain.header("etag"), packed.header("etag")] {
        let known = ask(tag, "gzip").send().await;
        assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0), "{tag}");
    }
    let head = running.question("HEAD", "/v1/snapshot").token(&running.server).send().await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn events_tell_the_revision_and_what_was_missed() {
    let table = Table::new(flags(1, r#"["acme"]"#));
    let running = Running::start(table.source()).await;
    let open = |last: Option<&str>| {
        let question = running.get("/v1/events").token(&running.server);
        last.map_or_else(|| running.get("/v1/events").token(&running.server), |id| question.header("last-event-id", id))
    };
    let mut events = open(None).events().await;
    table.set(flags(2, r#"["globex"]"#));
    let event = events.next().await.unwrap();
    assert_eq!(event, "id: 2\nevent: snapshot\ndata: {\"revision\":2}");
    // A publish that changes no answer is another snapshot all the same.
    table.set(flags(3, r#"["globex"]"#));
    assert!(events.next().await.unwrap().ends_with("{\"revision\":3}"));
    assert!(open(Some("2")).events().await.next().await.unwrap().ends_with("{\"revision\":3}"), "what was missed");
    // An older snapshot is not published, and not handed on.
    table.set(flags(2, r#"["rival"]"#));
    let refused = async {
        while running.get("/health").send().await.json()["last_error"].is_null() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, refused).await.expect("the older snapshot was refused");
    assert_eq!(running.get("/v1/snapshot").token(&running.server).send().await.body, flags(3, r#"["globex"]"#));
    table.set(flags(4, "[]"));
    assert!(events.next().await.unwrap().ends_with("{\"revision\":4}"));
    running.stop().await;
    assert_eq!(events.next().await, None);
}

/// The crate `esclusa-sync` as an app uses it.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_clients_are_told_of_each_change_and_outlive_the_server() {
    let table = Table::new(flags(1, r#"["acme"]"#));
    let running = Running::start(table.source()).await;
    let url = |path: &str| format!("http://{}{path}", running.address);
    let http = Http::new(url("/v1/snapshot")).unwrap().events(url("/v1/events")).unwrap();
    let app = Flags::new();
    let syncing = sync(&app, http.bearer(running.server.text()).unwrap(), Options::default());
    let (sender, mut changes) = unbounded_channel();
    assert!(syncing.ready(PATIENCE).await, "{}", syncing.status());
    syncing.on_publish(move |report| _ = sender.send(report.revision()));
    let (acme, globex) = (Context::new("ana").company("acme"), Context::new("ana").company("globex"));
    assert!(app.is_enabled("crm", &acme) && !app.is_enabled("crm", &globex));
    table.set(flags(2, r#"["globex"]"#));
    let heard = async { while changes.recv().await != Some(Some(2)) {} };
    timeout(PATIENCE, heard).await.expect("the change arrives");
    assert!(!app.is_enabled("crm", &acme) && app.is_enabled("crm", &globex));
    running.stop().await;
    assert!(syncing.refresh().within(PATIENCE).await.is_err(), "the server is away");
    assert!(app.is_enabled("crm", &globex), "nobody flips");
}

#[tokio::test]
async fn a_page_gets_what_is_for_its_caller_and_nothing_else() {
    let running = Running::start(Table::new(flags(1, r#"["acme"]"#)).source()).await;
    let body = r#"{"context": {"targetingKey": "ana", "company": "acme"}, "flags": ["crm", "secret", "missing"]}"#;
    let ask = |path: &str, token, tag: &str| running.post(path, body).token(token).header("if-none-match", tag);
    let projection = ask("/v1/projection", &running.client, "").send().await;
    assert_eq!(projection.json(), json!({ "crm": { "enabled": true, "value": true } }));
    let same = ask("/v1/projection", &running.client, projection.header("etag")).send().await;
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let whole = ask("/v1/projection", &running.server, "").send().await.json();
    assert_eq!(whole.as_object().unwrap().keys().collect::<Vec<_>>(), ["crm", "secret"]);
    let snapshot = ask("/v1/client-snapshot", &running.client, "").send().await;
    let set = FlagSet::from_json(&snapshot.body).unwrap();
    assert_eq!((set.len(), set.revision()), (1, Some(1)));
    assert!(set.is_enabled("crm", &Context::anonymous(), Time::from_millis(0)), "as it is decided for acme");
    for wrong in ["", "1", r#"{"flags": "crm"}"#, r#"{"flags": [1]}"#, r#"{"context": 1}"#] {
        let refused = running.post("/v1/projection", wrong).token(&running.client).send().await;
        assert_eq!(
            (refused.status, refused.header("content-type")),
            (StatusCode::BAD_REQUEST, "application/problem+json")
        );
    }
    let large = running.post("/v1/projection", &" ".repeat((1 << 20) + 1)).token(&running.client).send().await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn the_manifest_tells_types_and_what_code_falls_back_to() {
    let running = Running::start(Table::new(flags(1, "[]")).source()).await;
    let ask = async |token| running.get("/openfeature/v0/manifest").token(token).send().await;
    let whole = ask(&running.server).await;
    assert_eq!(whole.header("x-manifest-capabilities"), "read");
    let flags = json!([
        { "key": "crm", "type": "boolean", "description": "CRM", "defaultValue": false },
        { "key": "price", "type": "float", "defaultValue": 1.0 },
        { "key": "secret", "type": "boolean", "defaultValue": false },
    ]);
    assert_eq!(whole.json(), json!({ "flags": flags }));
    assert_eq!(ask(&running.client).await.json()["flags"].as_array().unwrap().len(), 1);
    let refused = running.get("/openfeature/v0/manifest").send().await;
    assert_eq!((refused.status, &refused.json()["error"]["status"]), (StatusCode::UNAUTHORIZED, &json!(401)));
}

#[tokio::test]
async fn there_are_no_more_streams_than_there_may_be() {
    let running =
        Running::with(Table::new(flags(1, "[]")).source(), |settings| Settings { max_streams: 1, ..settings }).await;
    let open = async || running.get("/v1/events").token(&running.server).open().await;
    let first = open().await;
    let second = open().await;
    assert_eq!(
        (second.status(), &second.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"2".parse().unwrap())
    );
    drop(first);
    let open_again = async {
        while open().await.status() != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, open_again).await.expect("the first one has ended");
}
