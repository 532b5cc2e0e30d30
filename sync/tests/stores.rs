//! Postgres and Redis, real ones on loopback, broken in the ways in which they break.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use esclusa::{Context, Flags};
use esclusa_loopback::Proxy;
use esclusa_sync::{Postgres, Redis, State, sync};
use store::{NEVER, Reader, every_break, is_on, options, until};
use tokio_postgres::{Client, NoTls};

/// The table as the users' notes have it.
const TABLE: &str = "
    CREATE TABLE feature_flags (
      id UUID PRIMARY KEY DEFAULT gen_random_uuid(), name VARCHAR(255) NOT NULL, description TEXT,
      enabled BOOLEAN DEFAULT false, rollout_percentage INTEGER DEFAULT 0, target_plans TEXT[], target_roles TEXT[],
      target_companies UUID[], target_regions TEXT[], start_date TIMESTAMP WITH TIME ZONE,
      end_date TIMESTAMP WITH TIME ZONE, created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW());";
/// The history as the users' notes have it, with its references.
const HISTORY: &str = "
    CREATE TABLE users (id UUID PRIMARY KEY);
    CREATE TABLE release_history (
      id UUID PRIMARY KEY DEFAULT gen_random_uuid(), feature_flag_id UUID REFERENCES feature_flags(id),
      action VARCHAR(100), old_value JSONB, new_value JSONB, performed_by UUID REFERENCES users(id),
      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW());";
const MIGRATION: &str = include_str!("../migrations/001_esclusa.sql");
const WATCH: &str = "SELECT esclusa.watch('public.feature_flags')";
const CREATE: &str = "SELECT esclusa.create_flags('public.feature_flags')";
const LATER_COLUMNS: &str = "
    ALTER TABLE feature_flags ADD status TEXT DEFAULT 'active', ADD target_users TEXT[], ADD bucket_by TEXT,
      ADD salt TEXT, ADD variants JSONB, ADD off_value JSONB, ADD rules JSONB, ADD metrics JSONB;";
const ROW: &str = "
    INSERT INTO feature_flags (name, enabled, rollout_percentage, target_plans, target_regions, target_companies)
    VALUES ('crm', true, 100, '{PREMIUM,ENTERPRISE}', '{CO}', '{6c7a1e4f-2e19-483e-903a-a07e5a0d9812}');";
const ANA: &str = "11111111-1111-1111-1111-111111111111";

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Everything about one server, in turn: starting one takes longer than any of it.
#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let server = tokio::task::spawn_blocking(esclusa_loopback::Postgres::start).await.unwrap().unwrap();
    let admin = connect(&server.url()).await;
    let database = async |name: &str, sql: &[&str]| {
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let url = server.url().replace("/postgres?", &format!("/{name}?"));
        let client = connect(&url).await;
        for sql in sql {
            client.batch_execute(sql).await.unwrap();
        }
        (client, url)
    };

    let (client, url) = database("bare", &[TABLE, ROW]).await;
    the_table_as_it_stands(&client, &url).await;
    let (client, url) = database("told", &[TABLE, HISTORY, MIGRATION, WATCH, LATER_COLUMNS, ROW]).await;
    changes_are_told(&client, &url).await;
    let (client, _) = database("written", &[TABLE, HISTORY, MIGRATION, WATCH, MIGRATION]).await;
    history_is_written(&client).await;
    let (client, _) = database("empty", &[MIGRATION, CREATE, ROW]).await;
    rights(&client).await;
    let (_, url) = database("broken", &[TABLE, MIGRATION, WATCH, ROW]).await;
    server_breaks(&server, &url).await;
}

async fn the_table_as_it_stands(client: &Client, url: &str) {
    let flags = Flags::new();
    let syncing = sync(&flags, Postgres::new(url).unwrap(), options(30));
    let published = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&published);
    syncing.on_publish(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    assert!(syncing.ready(Duration::from_secs(10)).await, "{}", syncing.status());
    assert!(is_on(&flags) && !flags.is_enabled("crm", &Context::new("eva").plan("FREE")));
    client.batch_execute("UPDATE feature_flags SET enabled = false").await.unwrap();
    until("the re-read", &syncing, || !is_on(&flags) && published.load(Ordering::SeqCst) >= 2).await;
    assert_eq!(syncing.status().state, State::Fresh);
    assert_eq!(published.load(Ordering::SeqCst), 2, "what is unchanged is not published again");

    client.batch_execute("CREATE SCHEMA app; CREATE TABLE app.\"Flags\" AS TABLE feature_flags; UPDATE app.\"Flags\" SET enabled = true").await.unwrap();
    let other = Flags::new();
    let syncing = sync(&other, Postgres::new(url).unwrap().table("app.\"Flags\""), options(30));
    assert!(syncing.ready(Duration::from_secs(10)).await && is_on(&other), "{}", syncing.status());
    let syncing = sync(&Flags::new(), Postgres::new(url).unwrap().table("nowhere"), options(30));
    until("the failure", &syncing, || syncing.status().last_error.is_some()).await;
    let error = syncing.status().last_error.unwrap().error;
    assert!(error.contains("relation \"nowhere\" does not exist"), "{error}");
}

async fn changes_are_told(client: &Client, url: &str) {
    let flags = Flags::new();
    let syncing = sync(&flags, Postgres::new(url).unwrap(), options(NEVER));
    assert!(syncing.ready(Duration::from_secs(10)).await, "{}", syncing.status());
    assert!(is_on(&flags));
    let mut slowest = Duration::ZERO;
    for enabled in [false, true, false, true] {
        let before = syncing.status().revision.unwrap();
        client.batch_execute(&format!("UPDATE feature_flags SET enabled = {enabled}")).await.unwrap();
        slowest = slowest.max(until("the change", &syncing, || is_on(&flags) == enabled).await);
        until("the revision", &syncing, || syncing.status().revision.unwrap() > before).await;
    }
    client.batch_execute("SELECT esclusa.emergency_rollback('crm', NULL)").await.unwrap();
    let took = until("the rollback", &syncing, || !is_on(&flags)).await;
    println!("told of a change within {slowest:?}, of the rollback within {took:?}");

    // Many changes at once are read once or twice, not each.
    let publishes = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&publishes);
    syncing.on_publish(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let changes = (0..100).map(|percentage| format!("UPDATE feature_flags SET rollout_percentage = {percentage}"));
    // One behind the other without waiting for the answers.
    futures_util::future::try_join_all(changes.map(async |sql| client.batch_execute(&sql).await)).await.unwrap();
    client.batch_execute("UPDATE feature_flags SET rollout_percentage = 100, enabled = true").await.unwrap();
    until("the last change", &syncing, || is_on(&flags)).await;
    assert!(publishes.load(Ordering::SeqCst) <= 80, "{publishes:?} publishes of 101 changes");

    // One bad row does not block the others, and a listener that comes and goes is no matter.
    client.batch_execute("INSERT INTO feature_flags (name, enabled, rollout_percentage) VALUES ('bad', true, 150); UPDATE feature_flags SET enabled = false WHERE name = 'crm'").await.unwrap();
    until("the change beside a bad row", &syncing, || !is_on(&flags)).await;
    assert!(!flags.is_enabled("bad", &Context::new("ana")));
}

async fn history_is_written(client: &Client) {
    client.batch_execute(&format!("INSERT INTO users VALUES ('{ANA}')")).await.unwrap();
    for sql in [
        ROW,
        "UPDATE feature_flags SET enabled = false",
        "UPDATE feature_flags SET enabled = true, updated_at = now()",
        "UPDATE feature_flags SET rollout_percentage = 50",
        "UPDATE feature_flags SET updated_at = now()",
        &format!(
            "BEGIN; SELECT set_config('esclusa.performed_by', '{ANA}', true); UPDATE feature_flags SET description = 'x'; COMMIT"
        ),
        &format!("SELECT esclusa.emergency_rollback('crm', '{ANA}')"),
        &format!("SELECT esclusa.emergency_rollback('crm', '{ANA}')"),
        "DELETE FROM feature_flags",
        ROW,
        "TRUNCATE feature_flags",
    ] {
        client.batch_execute(sql).await.unwrap();
    }
    let select = "SELECT action || ' ' || coalesce(old_value ->> 'rollout_percentage', '-') || ' '
        || coalesce(new_value ->> 'rollout_percentage', '-') || ' ' || (performed_by IS NOT NULL) || ' ' || database_user
        FROM release_history ORDER BY created_at, ctid";
    let written: Vec<String> = client.query(select, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(
        written,
        [
            "create - 100 false postgres",
            "disable - - false postgres",
            "enable - - false postgres",
            "rollout_update 100 50 false postgres",
            "update - - true postgres",
            "emergency_rollback 50 0 true postgres",
            "emergency_rollback 0 0 true postgres",
            "delete 0 - false postgres",
            "create - 100 false postgres",
            "delete 100 - false postgres",
        ],
        "every change, what it was and who did it; a change of nothing but `updated_at` is none"
    );
    let error = client.batch_execute("SELECT esclusa.emergency_rollback('crn', NULL)").await.unwrap_err();
    assert!(error.as_db_error().unwrap().message().contains("there is no flag \"crn\""), "{error:?}");
}

/// A role that may only write flags needs nothing else for its changes to be told and written down.
async fn rights(client: &Client) {
    client
        .batch_execute(
            "CREATE ROLE app; GRANT SELECT, UPDATE ON feature_flags TO app; SELECT esclusa.allow('app'); SET ROLE app; SET search_path = ''",
        )
        .await
        .unwrap();
    client.batch_execute("SELECT esclusa.emergency_rollback('crm', NULL)").await.unwrap();
    client.batch_execute("RESET ROLE; RESET search_path").await.unwrap();
    let count: i64 = client
        .query_one("SELECT count(*) FROM release_history WHERE action = 'emergency_rollback'", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(count, 1);
}

async fn server_breaks(server: &esclusa_loopback::Postgres, url: &str) {
    let proxy = Proxy::start(([127, 0, 0, 1], server.port()).into()).await.unwrap();
    let by_way = url.replace(&format!(":{}/", server.port()), &format!(":{}/", proxy.address().port()));
    let flags = Flags::new();
    let source = Postgres::new(&by_way).unwrap().timeout(Duration::from_millis(500));
    let syncing = sync(&flags, source, options(100));
    assert!(syncing.ready(Duration::from_secs(10)).await, "{}", syncing.status());
    every_break(&proxy, &syncing, &flags, async |round| {
        let client = connect(url).await;
        client
            .batch_execute(&format!(
                "INSERT INTO feature_flags (name, enabled, rollout_percentage) VALUES ('round_{round}', true, 100)"
            ))
            .await
            .unwrap();
    })
    .await;

    // The machine of the server loses its power, twice.
    let reader = Reader::start(&flags);
    for _ in 0..2 {
        server.kill().unwrap();
        until("the end of the server", &syncing, || syncing.status().state == State::Failing).await;
        reader.check("no server");
        server.start_again().unwrap();
        until("the server's return", &syncing, || syncing.status().state == State::Fresh).await;
    }
    let client = connect(url).await;
    client.batch_execute("UPDATE feature_flags SET enabled = false WHERE name = 'crm'").await.unwrap();
    drop(reader);
    until("a change after all that", &syncing, || !is_on(&flags)).await;
}

#[tokio::test]
async fn nothing_secret_is_told() {
    for (name, debug) in [
        Postgres::new("postgres://app:hunter2@127.0.0.1:1/db?sslmode=disable")
            .map(|source| (name(&source), format!("{source:?}")))
            .unwrap(),
        Redis::new("redis://app:hunter2@127.0.0.1:1/3").map(|source| (name(&source), format!("{source:?}"))).unwrap(),
    ] {
        assert!(!name.contains("hunter2") && !debug.contains("hunter2"), "{name} {debug}");
        println!("{name}");
    }
    for bad in ["postgres://app:hunter2@[", "host=x hunter2", "postgres://app:hunter2@x/y?nonsense=1"] {
        let error = Postgres::new(bad).unwrap_err().error;
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = Redis::new("http://app:hunter2@x").unwrap_err().error;
    assert!(!error.contains("hunter2"), "{error}");
    let flags = Flags::new();
    for syncing in [
        sync(&flags, Postgres::new("postgres://app:hunter2@127.0.0.1:1/db").unwrap(), options(NEVER)),
        sync(&flags, Redis::new("rediss://app:hunter2@127.0.0.1:1/3").unwrap(), options(NEVER)),
    ] {
        until("the failure", &syncing, || syncing.status().last_error.is_some()).await;
        let status = syncing.status().to_string();
        println!("{status}");
        assert!(!status.contains("hunter2") && status.contains("127.0.0.1:1"), "{status}");
    }
    assert!(Postgres::new("host=x").unwrap().root_certificates(b"none").is_err());
}

fn name(source: &impl esclusa_sync::Source) -> String {
    source.name()
}
