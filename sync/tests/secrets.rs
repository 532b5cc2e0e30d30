//! Neither errors nor the status nor the log, down to its finest level, tell what authorizes.
#![expect(clippy::expect_used, reason = "a test stops at what is wrong")]

mod client;
mod listener;

use std::sync::PoisonError;
use std::time::Duration;

use client::{Client, OPTIONS, snapshot, until};
use esclusa_loopback::{Case, Expected, FAULTS, Fault, MAX_BYTES, Proxy, Store, TIMEOUT_MS};
use esclusa_sync::{Http, State};
use futures_util::StreamExt;
use listener::{LOG, Listener, write};

async fn run(case: &Case) {
    let store = Store::start().await.expect("there is a port");
    let proxy = Proxy::start(store.address()).await.expect("there is a port");
    store.publish(snapshot(1));
    store.publish(snapshot(2));
    match case.fault {
        Fault::Store(fault) => store.fault(Some(fault)),
        Fault::Proxy(fault) => proxy.fault(Some(fault)),
    }
    let timeout = Duration::from_millis(TIMEOUT_MS);
    let base = format!("http://s3cret:s3cret@{}", proxy.address());
    let source = Http::new(format!("{base}/flags.json?token=s3cret#s3cret"))
        .and_then(|http| http.header("X-Api-Key", "s3cret"))
        .and_then(|http| http.events(format!("{base}/events?token=s3cret")))
        .expect("all of it is right")
        .timeout(timeout)
        .connect_timeout(timeout)
        .max_bytes(MAX_BYTES)
        .heartbeat(Duration::from_millis(200));
    store.heartbeat(Duration::from_millis(50));
    write(format_args!("{source:?}"));
    let client = Client::start(source, OPTIONS);
    client
        .until(case.name, |status| match case.expected {
            Expected::Fresh => status.state == State::Fresh,
            _ => status.failures > 0 || status.revision == Some(1),
        })
        .await;
    write(format_args!("{0} {0:?} {1:?}", client.syncing.status(), client.syncing));
    store.fault(None);
    proxy.fault(None);
    client.until_fresh(2).await;
    until("it listens", || store.listeners() == 1 || store.counts().events > 0).await;
    store.end_events();
    write(format_args!("{0} {0:?}", client.syncing.status()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_tells_secrets() {
    tracing::subscriber::set_global_default(Listener).expect("nobody listens yet");
    log::set_logger(&Listener).expect("nobody listens yet");
    log::set_max_level(log::LevelFilter::Trace);
    futures_util::stream::iter(FAULTS).for_each_concurrent(8, run).await;
    // Without any server, the error could show the URL of the connection itself.
    let nobody = Client::start(Http::new("http://s3cret:s3cret@s3cret.invalid:1/?s3cret").expect("a URL"), OPTIONS);
    nobody.until("a failure", |status| status.failures > 0).await;
    drop(nobody);
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner).replace("s3cret.invalid", "");
    assert!(log.contains("the answer broke off") && log.contains("reqwest"), "it was listened to:\n{log}");
    assert!(log.contains("\n  read      name, enabled"), "what was understood is told (11.24):\n{log}");
    let told: Vec<&str> = log.lines().filter(|line| line.contains("s3cret") || line.contains("czNjcmV0")).collect();
    assert!(told.is_empty(), "{told:#?}");
}
