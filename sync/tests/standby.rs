//! A standby: it is read, cannot listen, and cannot compare; after its promotion it is like any other.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod database;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use database::{CREATE, Database, MIGRATION, READER, ROWS, is_on, server, until};
use esclusa::Flags;
use esclusa_sync::{Answer, Options, Policy, Postgres, Request, Source, sync};

#[tokio::test(flavor = "multi_thread")]
async fn standby() {
    let primary = server(&["reader"]).await;
    let there = Database::new(&primary, "app", &[MIGRATION, CREATE, ROWS, READER]).await;
    let (primary, copy) = tokio::task::spawn_blocking(move || {
        let copy = primary.standby().unwrap();
        (primary, copy)
    })
    .await
    .unwrap();
    let url = copy.url().replace("postgres@", "reader@").replace("/postgres?", "/app?");
    // Asked so seldom that what comes sooner than that was notified of.
    let policy = Policy { interval_ms: 5_000, jitter_percent: 0, spread_ms: 0, ..Policy::default() };
    let flags = Flags::new();
    let syncing = sync(&flags, Postgres::new(&url).unwrap(), Options { policy, ..Options::default() });
    until("the start", &syncing, || is_on(&flags)).await;
    let here = Database::open(&copy, "app").await;
    let compared = "SELECT is_compared::text FROM esclusa.ask()";
    assert_eq!(here.text(compared).await, "false", "the app has to read all rows now and then");
    // The primary compares first: what was granted meanwhile has changed the shape of the table.
    there.run("SELECT FROM esclusa.ask(); UPDATE feature_flags SET enabled = false").await;
    until("the change on the primary", &syncing, || !is_on(&flags)).await;
    let mut source = Postgres::new(&url.replace("reader@", "postgres@")).unwrap();
    assert!(reads_in_full(&mut source).await, "a standby cannot compare");
    // An address that changes, as after a failover.
    let address = Arc::new(Mutex::new(there.url_of("reader")));
    let current = Arc::clone(&address);
    let mut moving = Postgres::from_address(move || {
        let address = current.lock().unwrap().clone();
        async { Ok(address) }
    });
    assert_eq!(moving.name(), "postgres");
    moving.fetch(&Request::default()).await.unwrap();
    assert!(moving.name().contains(&primary.port().to_string()), "{}", moving.name());

    primary.kill().unwrap();
    let copy = tokio::task::spawn_blocking(move || {
        copy.promote().unwrap();
        copy
    })
    .await
    .unwrap();
    assert!(moving.fetch(&Request::default()).await.is_err(), "that server is gone");
    url.clone_into(&mut address.lock().unwrap());
    moving.fetch(&Request::default()).await.unwrap();
    assert!(moving.name().contains(&copy.port().to_string()), "{}", moving.name());
    drop(moving);
    let asked = Instant::now();
    // By then the connection has sent another query, and listens.
    let listens =
        "SELECT count(*)::text FROM pg_stat_activity WHERE usename = 'reader' AND query ~ 'LISTEN|esclusa.ask'";
    syncing.refresh();
    until("the promotion", &syncing, || syncing.status().age.is_some_and(|age| age < asked.elapsed())).await;
    assert_eq!(here.text(listens).await, "1", "it is the connection of before");
    for enabled in [true, false, true] {
        let changed = Instant::now();
        here.run(&format!("UPDATE feature_flags SET enabled = {enabled}")).await;
        until("the notification", &syncing, || is_on(&flags) == enabled).await;
        assert!(changed.elapsed() < Duration::from_secs(3), "{:?}", changed.elapsed());
    }
    assert_eq!(here.text(compared).await, "true");
    // The first answer says that the database compares now.
    source.fetch(&Request::default()).await.unwrap();
    assert!(!reads_in_full(&mut source).await);
    drop(copy);
}

/// Whether all rows are read when that is due (11.16), although the revision is the same.
async fn reads_in_full(source: &mut Postgres) -> bool {
    let Answer::Snapshot { etag, .. } = source.fetch(&Request::default()).await.unwrap() else { return false };
    let mut request = Request { etag, ..Request::default() };
    assert_eq!(source.fetch(&request).await, Ok(Answer::NotModified));
    request.in_full = true;
    source.fetch(&request).await != Ok(Answer::NotModified)
}
