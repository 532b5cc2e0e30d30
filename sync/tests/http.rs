//! HTTP against a store on the loopback: entity tags, compression, what authorizes, limits, redirects and events.
#![expect(clippy::expect_used, reason = "a test stops at what is wrong")]

mod client;

use std::time::Duration;

use client::{Client, DEADLINE, HOURLY, OPTIONS, error, snapshot, until};
use esclusa_loopback::{Proxy, ProxyFault, Store, StoreFault};
use esclusa_sync::{Answer, Failure, Http, News, Request, Source};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

async fn store() -> Store {
    let store = Store::start().await.expect("there is a port");
    store.publish(snapshot(1));
    store
}

fn http(url: &str) -> Http {
    Http::new(url).expect("it is a URL")
}

async fn fetch(http: &mut Http) -> Result<Answer, Failure> {
    http.fetch(&Request::default()).await
}

/// The next news, which has to come.
async fn news(http: &mut Http) -> News {
    timeout(DEADLINE, http.news()).await.expect("there is news in time")
}

#[tokio::test]
async fn a_snapshot_is_sent_once_packed_and_then_not_modified() {
    let store = store().await;
    let client = Client::start(http(&store.url()), OPTIONS);
    let status = client.until_fresh(1).await;
    assert_eq!((status.source, status.last_error), (store.url(), None));
    until("it asks again", || store.counts().not_modified >= 3).await;
    let counts = store.counts();
    assert_eq!((counts.snapshots, counts.compressed), (1, 1), "{counts:?}");
    store.publish(snapshot(3));
    client.until_fresh(3).await;
    assert!(client.is_enabled("newest"));
    assert_eq!(store.counts().snapshots, 2);
}

#[tokio::test]
async fn entity_tags_go_back_as_they_came() {
    let store = store().await;
    let mut http = http(&store.url());
    let Ok(Answer::Snapshot { bytes, etag }) = fetch(&mut http).await else { panic!("expected a snapshot") };
    assert_eq!((bytes, etag.as_deref()), (snapshot(1).into_bytes(), Some("\"1-gzip\"")));
    let answer = http.fetch(&Request { etag, revision: Some(1), ..Request::default() }).await;
    assert_eq!(answer, Ok(Answer::NotModified));
    let weak = Request { etag: Some("W/\"1-gzip\"".to_owned()), revision: None, ..Request::default() };
    assert!(matches!(http.fetch(&weak).await, Ok(Answer::Snapshot { .. })), "a weak tag is another, for this store");
    let odd = Request { etag: Some("\n".to_owned()), revision: None, ..Request::default() };
    assert!(matches!(http.fetch(&odd).await, Ok(Answer::Snapshot { .. })), "what cannot be sent is left out");
}

#[tokio::test]
async fn a_plain_file_server_and_bare_rows_will_do() {
    let folder = tempfile::tempdir().expect("there is a folder");
    let file = folder.path().join("flags.json");
    std::fs::write(&file, r#"[{"name": "steady", "enabled": true}]"#).expect("it is written");
    let mut server = tokio::process::Command::new("python3")
        .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
        .arg(folder.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("python3 is there, the reference evaluator needs it too");
    let mut lines = BufReader::new(server.stdout.take().expect("it has an output")).lines();
    // Serving HTTP on 127.0.0.1 port 40123 (http://127.0.0.1:40123/) ...
    let line = lines.next_line().await.expect("it speaks").expect("it says where it is");
    let port = line.split(" port ").nth(1).and_then(|rest| rest.split(' ').next()).expect("it names the port");
    let client = Client::start(http(&format!("http://127.0.0.1:{port}/flags.json")), OPTIONS);
    assert!(client.syncing.ready(DEADLINE).await);
    assert!(client.is_enabled("steady"));
    let whole = r#"[{"name": "steady", "enabled": true}, {"name": "newest", "enabled": true}]"#;
    std::fs::write(folder.path().join("next"), whole).expect("it is written");
    std::fs::rename(folder.path().join("next"), &file).expect("it is replaced");
    until("the change is seen", || client.is_enabled("newest")).await;
}

#[tokio::test]
async fn what_authorizes_is_sent() {
    let store = store().await;
    store.require(Some("Bearer s3cret".to_owned()));
    let failure = fetch(&mut http(&store.url())).await.expect_err("nothing was sent");
    assert_eq!(failure.error, "the answer has the status 401 Unauthorized, expected 200");
    let mut authorized = http(&store.url()).bearer("s3cret").expect("it can be sent");
    assert!(fetch(&mut authorized).await.is_ok());
    let mut header = http(&store.url()).header("authorization", "Bearer s3cret").expect("it can be sent");
    assert!(fetch(&mut header).await.is_ok());
    // user:pa ss
    store.require(Some("Basic dXNlcjpwYSBzcw==".to_owned()));
    let url = store.url().replace("http://", "http://user:pa%20ss@");
    assert!(fetch(&mut http(&url)).await.is_ok());
}

#[tokio::test]
async fn what_authorizes_stays_at_home() {
    let store = store().await;
    store.require(Some("Bearer s3cret".to_owned()));
    store.fault(Some(StoreFault::RedirectElsewhere));
    let url = store.url().replace("http://", "http://user:pass@");
    let mut http =
        http(&url).bearer("s3cret").and_then(|http| http.header("X-Api-Key", "s3cret")).expect("they can be sent");
    assert!(matches!(fetch(&mut http).await, Ok(Answer::Snapshot { .. })));
    let mut elsewhere = self::http(&url).bearer("s3cret").expect("it can be sent");
    store.fault(None);
    assert!(fetch(&mut elsewhere).await.is_ok(), "at home the header counts, not the user");
    let counts = store.counts();
    assert_eq!((counts.elsewhere, counts.secrets_elsewhere, counts.unauthorized), (1, 0, 0), "{counts:?}");
}

#[tokio::test]
async fn an_answer_may_have_so_many_bytes_and_no_more() {
    let store = store().await;
    // The store sends it packed, and what counts is the length when it is unpacked.
    let long = format!("[{}]", " ".repeat(100_000));
    store.publish(long.clone());
    assert!(fetch(&mut http(&store.url()).max_bytes(long.len())).await.is_ok());
    let failure = fetch(&mut http(&store.url()).max_bytes(long.len() - 1)).await.expect_err("a byte too much");
    assert_eq!(failure.error, "the answer is too long, expected at most 100001 bytes");
    for fault in [StoreFault::Huge, StoreFault::HugeDeclared, StoreFault::Bomb] {
        store.fault(Some(fault));
        let failure = fetch(&mut http(&store.url()).max_bytes(1 << 20)).await.expect_err("300 MB");
        assert!(failure.error.ends_with("expected at most 1048576 bytes"), "{fault:?}: {}", failure.error);
    }
}

#[tokio::test]
async fn a_store_may_ask_to_be_left_alone() {
    use esclusa_loopback::RetryAfter::{Date, Seconds};
    let store = store().await;
    let mut http = http(&store.url());
    for status in [429, 500, 503] {
        store.fault(Some(StoreFault::Status { status, retry_after: None }));
        assert_eq!(fetch(&mut http).await.expect_err("a fault").retry_after, None);
        store.fault(Some(StoreFault::Status { status, retry_after: Some(Seconds(7)) }));
        assert_eq!(fetch(&mut http).await.expect_err("a fault").retry_after, Some(Duration::from_secs(7)));
        store.fault(Some(StoreFault::Status { status, retry_after: Some(Date(100)) }));
        let asked = fetch(&mut http).await.expect_err("a fault").retry_after.expect("it asks").as_secs();
        // The header Date and the date in Retry-After are whole seconds of two moments.
        assert!((98..=101).contains(&asked), "{asked} s");
    }
}

#[tokio::test]
async fn redirects_end() {
    let store = store().await;
    store.fault(Some(StoreFault::RedirectLoop));
    let failure = fetch(&mut http(&store.url())).await.expect_err("a loop");
    assert_eq!((failure.error.as_str(), store.counts().faults), ("redirected more often than 5 times", 6));
}

#[tokio::test]
async fn events_bring_news_between_two_asks() {
    let store = store().await;
    let source = http(&store.url()).events(store.events_url()).expect("it is a URL");
    let client = Client::start(source, HOURLY);
    client.until_fresh(1).await;
    until("it listens", || store.listeners() == 1).await;
    for revision in 2..5 {
        store.publish(snapshot(revision));
        client.until_fresh(revision).await;
    }
    assert_eq!(store.counts().events, 1);
    drop(client);
    until("it listens no more", || store.listeners() == 0).await;
}

#[tokio::test]
async fn what_changes_before_the_first_event_is_not_missed() {
    let store = store().await;
    let mut http = http(&store.url()).events(store.events_url()).expect("it is a URL");
    assert!(timeout(Duration::from_millis(20), http.news()).await.is_err(), "nothing is opened before the first ask");
    fetch(&mut http).await.expect("it answers");
    assert_eq!(news(&mut http).await, News::Changed, "it listens now, so the snapshot is requested again");
    assert!(timeout(Duration::from_millis(20), http.news()).await.is_err(), "nothing happened since");
    // This event arrives while no future waits, and futures that wait are dropped.
    store.publish(snapshot(2));
    let mut count = 0;
    let counting = async {
        while count < 1 {
            count += usize::from(timeout(Duration::from_millis(1), http.news()).await == Ok(News::Changed));
        }
    };
    timeout(DEADLINE, counting).await.expect("the event is not lost");
    assert!(timeout(Duration::from_millis(20), http.news()).await.is_err(), "and told once");
}

#[tokio::test]
async fn events_that_end_or_fall_silent_are_told_once_and_tried_again() {
    let store = store().await;
    let proxy = Proxy::start(store.address()).await.expect("there is a port");
    let events = format!("http://{}/events", proxy.address());
    let heartbeat = Duration::from_millis(800);
    store.heartbeat(Duration::from_millis(50));
    let mut http = http(&store.url()).events(events).expect("it is a URL").heartbeat(heartbeat);
    let silent = || store.silence_events(true);
    let half_open = || proxy.fault(Some(ProxyFault::HalfOpen));
    let ways: [(&str, &dyn Fn()); 4] = [
        ("the server ends them", &|| store.end_events()),
        ("the connection is cut", &|| proxy.cut()),
        ("the server falls silent", &silent),
        ("the connection is half open", &half_open),
    ];
    for (what, happen) in ways {
        // It is tried again at an ask, once a heartbeat has passed since it was tried last.
        let open = async {
            loop {
                fetch(&mut http).await.expect("it answers");
                if let Ok(News::Changed) = timeout(heartbeat / 4, http.news()).await {
                    return;
                }
            }
        };
        timeout(DEADLINE, open).await.expect(what);
        // Heartbeats keep it open for longer than it may be silent.
        assert!(timeout(heartbeat * 3 / 2, http.news()).await.is_err(), "{what}: comments are no news");
        happen();
        assert_eq!(news(&mut http).await, News::Disconnected, "{what}");
        assert!(timeout(heartbeat / 4, http.news()).await.is_err(), "{what}: it is told once");
        store.silence_events(false);
        proxy.fault(None);
    }
}

#[tokio::test]
async fn without_events_the_clock_alone_brings_what_is_new() {
    let store = store().await;
    store.heartbeat(Duration::from_millis(20));
    let proxy = Proxy::start(store.address()).await.expect("there is a port");
    let events = format!("http://{}/events", proxy.address());
    let source = http(&store.url()).events(events).expect("it is a URL").heartbeat(Duration::from_millis(200));
    let client = Client::start(source, OPTIONS);
    until("it listens", || store.listeners() == 1).await;
    proxy.fault(Some(ProxyFault::Refuse));
    until("it listens no more", || store.listeners() == 0).await;
    store.publish(snapshot(2));
    let status = client.until_fresh(2).await;
    assert_eq!(status.failures, 0, "events that are away are no failure: {status}");
    proxy.fault(None);
    until("it listens again", || store.listeners() == 1).await;
}

#[tokio::test]
async fn what_is_no_stream_of_events_is_left_alone() {
    let store = store().await;
    let source = http(&store.url()).events(store.url()).expect("it is a URL").heartbeat(Duration::from_millis(100));
    let client = Client::start(source, OPTIONS);
    client.until_fresh(1).await;
    store.publish(snapshot(2));
    let status = client.until_fresh(2).await;
    assert_eq!(error(&status), "");
}
