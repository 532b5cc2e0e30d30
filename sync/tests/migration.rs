//! The migration on tables of many shapes, with several writers, and for users with few rights.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::time::{Duration, Instant};

use esclusa::{Context, Flags};
use esclusa_sync::{Options, Policy, Postgres, State, Syncing, start};
use tokio_postgres::{Client, NoTls};

const MIGRATION: &str = include_str!("../migrations/001_esclusa.sql");
const ROWS: &str = "INSERT INTO feature_flags (name, enabled, rollout_percentage)
    VALUES ('crm', true, 100), ('qr', true, 100), ('pos', true, 100)";
/// A user who may do nothing but what is granted here.
const READER: &str = "GRANT SELECT ON feature_flags TO reader";

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A database of one server, in which the users are called what they may do.
struct Database {
    url: String,
    client: Client,
}

impl Database {
    async fn new(server: &esclusa_loopback::Postgres, name: &str, sql: &[&str]) -> Database {
        connect(&server.url()).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let url = server.url().replace("/postgres?", &format!("/{name}?"));
        let database = Database { client: connect(&url).await, url };
        for sql in sql {
            database.client.batch_execute(sql).await.unwrap();
        }
        database
    }

    fn url_of(&self, user: &str) -> String {
        self.url.replace("postgres@", &format!("{user}@"))
    }

    async fn text(&self, query: &str) -> String {
        self.client.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Keeps flags fresh as this user, who asks every 30 milliseconds.
    fn start(&self, user: &str, flags: &Flags) -> Syncing {
        let policy = Policy { interval_ms: 30, backoff_min_ms: 20, backoff_max_ms: 100, ..Policy::default() };
        let source = Postgres::new(&self.url_of(user)).unwrap().timeout(Duration::from_millis(500));
        start(flags, source, Options { policy, ..Options::default() })
    }
}

async fn until(what: &str, syncing: &Syncing, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what} did not happen within 20 s: {}", syncing.status());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn is_on(flags: &Flags) -> bool {
    flags.is_enabled("crm", &Context::new("ana"))
}

fn error(syncing: &Syncing) -> String {
    syncing.status().last_error.map(|last| last.error).unwrap_or_default()
}

/// Everything in turn on one server: starting one takes longer than any of it.
#[tokio::test(flavor = "multi_thread")]
async fn migration() {
    let server = tokio::task::spawn_blocking(esclusa_loopback::Postgres::start).await.unwrap().unwrap();
    connect(&server.url()).await.batch_execute("CREATE ROLE reader LOGIN; CREATE ROLE writer LOGIN").await.unwrap();
    rights(&Database::new(&server, "rights", &[MIGRATION, ROWS, READER]).await).await;
    writers(&Database::new(&server, "writers", &[MIGRATION, ROWS]).await).await;
    rollback(&Database::new(&server, "rollback", &[MIGRATION, ROWS]).await).await;
    shapes(&server).await;
    comes_and_goes(&Database::new(&server, "later", &[MIGRATION, ROWS, READER]).await).await;
    hidden_rows(&Database::new(&server, "hidden", &[MIGRATION, ROWS, READER]).await).await;
    locks(&Database::new(&server, "locks", &[MIGRATION, ROWS, READER]).await).await;
}

/// Who may read the flags may read their revision, and who may write them may not write it.
async fn rights(database: &Database) {
    let flags = Flags::new();
    let syncing = database.start("reader", &flags);
    assert!(syncing.ready(Duration::from_secs(10)).await && is_on(&flags), "{}", syncing.status());
    assert!(syncing.status().revision.is_some(), "read by revision: {}", syncing.status());

    database.client.batch_execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO writer").await.unwrap();
    let writer = connect(&database.url_of("writer")).await;
    let changed = writer.execute("UPDATE esclusa_revision SET revision = 0", &[]).await.unwrap();
    assert_eq!(changed, 0, "also where everybody may write every table, as on hosted databases");

    let sql = "REVOKE ALL ON release_history FROM writer; DELETE FROM release_history";
    database.client.batch_execute(sql).await.unwrap();
    for _ in 0..2 {
        writer.batch_execute("SELECT emergency_rollback('crm', NULL)").await.unwrap();
    }
    let written =
        database.text("SELECT string_agg(action || ' ' || (new_value ->> 'enabled'), ', ') FROM release_history");
    assert_eq!(written.await, "emergency_rollback false, emergency_rollback false", "also of what was off already");
    until("the rollback", &syncing, || !is_on(&flags)).await;
}

/// A transaction that stays open holds up nobody who changes another flag.
async fn writers(database: &Database) {
    let other = connect(&database.url).await;
    database.client.batch_execute("BEGIN; UPDATE feature_flags SET enabled = false WHERE name = 'qr'").await.unwrap();
    let sql = "SET lock_timeout = '2s'; SELECT emergency_rollback('crm', NULL);
        UPDATE feature_flags SET description = 'x' WHERE name = 'pos'";
    other.batch_execute(sql).await.unwrap();
    let sql = "UPDATE feature_flags SET enabled = false WHERE name = 'pos'; COMMIT";
    database.client.batch_execute(sql).await.unwrap();

    // Every commit counts once, however many statements it has, and what is taken back does not.
    let mut before = database.text("SELECT revision::text FROM esclusa_revision").await;
    for (sql, counts) in [
        ("BEGIN; UPDATE feature_flags SET enabled = true; UPDATE feature_flags SET enabled = false; COMMIT", true),
        ("BEGIN; UPDATE feature_flags SET enabled = true; ROLLBACK", false),
        ("BEGIN; SAVEPOINT s; UPDATE feature_flags SET enabled = true; ROLLBACK TO s; COMMIT", false),
        ("BEGIN; UPDATE feature_flags SET enabled = true; ALTER TABLE feature_flags ADD x text; COMMIT", true),
        ("TRUNCATE feature_flags", true),
    ] {
        database.client.batch_execute(sql).await.unwrap();
        let after = database.text("SELECT revision::text FROM esclusa_revision").await;
        assert_eq!(after > before, counts, "{sql}");
        before = after;
    }
    assert_eq!(database.text("SELECT count(*)::text FROM esclusa_change").await, "0", "nothing is left behind");
}

/// Within a larger transaction it leaves what that has said of who acts.
async fn rollback(database: &Database) {
    let ana = "11111111-1111-1111-1111-111111111111";
    let sql = format!(
        "BEGIN; SELECT set_config('esclusa.performed_by', '{ana}', true); SELECT emergency_rollback('crm', NULL);
         UPDATE feature_flags SET description = 'x' WHERE name = 'crm'; COMMIT;
         SELECT emergency_rollback(upper(id::text), '{ana}') FROM feature_flags WHERE name = 'qr'"
    );
    database.client.batch_execute(&sql).await.unwrap();
    let query = "SELECT string_agg(action, ', ' ORDER BY ctid) FROM release_history WHERE performed_by IS NOT NULL";
    assert_eq!(database.text(query).await, "emergency_rollback, update, emergency_rollback");
}

/// Other tables work, or the migration says at once why they cannot.
async fn shapes(server: &esclusa_loopback::Postgres) {
    let numbered = "CREATE TABLE feature_flags (id bigserial PRIMARY KEY, name text, enabled boolean,
        rollout_percentage integer, updated_at timestamp)";
    let database = Database::new(server, "numbered", &[numbered, MIGRATION, ROWS]).await;
    database.client.batch_execute("SELECT emergency_rollback('2', NULL)").await.unwrap();
    let query = "SELECT feature_flag_id || ' ' || action FROM release_history ORDER BY ctid DESC LIMIT 1";
    assert_eq!(database.text(query).await, "2 emergency_rollback");

    let other = "CREATE TABLE feature_flags (name text, enabled boolean, updated_at timestamptz)";
    let strict =
        "CREATE TABLE release_history (feature_flag_id uuid, action text CHECK (action IN ('enable', 'disable')),
        old_value jsonb, new_value jsonb, performed_by uuid)";
    for (name, sql, expected) in [
        ("other", &[other][..], "columns are missing: feature_flags.id, feature_flags.rollout_percentage"),
        ("strict", &[MIGRATION, ROWS, "DROP TABLE release_history", strict][..], "violates check constraint"),
    ] {
        let database = Database::new(server, name, sql).await;
        let refused = database.client.batch_execute(MIGRATION).await.unwrap_err();
        let message = refused.as_db_error().unwrap().message();
        assert!(message.contains(expected), "{name}: {message}");
    }
}

/// Whoever reads notices that the table has lost its triggers, or has got them.
async fn comes_and_goes(database: &Database) {
    let flags = Flags::new();
    let syncing = database.start("reader", &flags);
    assert!(syncing.ready(Duration::from_secs(10)).await && syncing.status().revision.is_some());
    let anew = "BEGIN; CREATE TABLE anew AS TABLE feature_flags; DROP TABLE feature_flags;
        ALTER TABLE anew RENAME TO feature_flags; GRANT SELECT ON feature_flags TO reader; COMMIT";
    database.client.batch_execute(anew).await.unwrap();
    database.client.batch_execute("UPDATE feature_flags SET enabled = false").await.unwrap();
    until("the change without triggers", &syncing, || !is_on(&flags)).await;
    database.client.batch_execute(MIGRATION).await.unwrap();
    until("the revision", &syncing, || syncing.status().revision.is_some()).await;

    // The migration of one schema says nothing of a table in another.
    let sql = "CREATE SCHEMA reader AUTHORIZATION reader; CREATE TABLE reader.feature_flags AS TABLE feature_flags;
        UPDATE reader.feature_flags SET enabled = true; GRANT SELECT ON reader.feature_flags TO reader";
    database.client.batch_execute(sql).await.unwrap();
    let own = Flags::new();
    let syncing = database.start("reader", &own);
    assert!(syncing.ready(Duration::from_secs(10)).await && is_on(&own), "{}", syncing.status());
}

/// Row-level security without a policy hides every row without an error; nothing is turned off by that.
async fn hidden_rows(database: &Database) {
    let flags = Flags::new();
    let syncing = database.start("reader", &flags);
    assert!(syncing.ready(Duration::from_secs(10)).await && is_on(&flags));
    for is_counted in [true, false] {
        database.client.batch_execute("ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY").await.unwrap();
        until("the failure", &syncing, || syncing.status().state == State::Failing).await;
        assert!(is_on(&flags) && error(&syncing).contains("row-level security is active"), "{}", syncing.status());
        database.client.batch_execute("CREATE POLICY reads ON feature_flags FOR SELECT USING (true)").await.unwrap();
        until("the recovery", &syncing, || syncing.status().state == State::Fresh).await;
        database.client.batch_execute("DROP POLICY reads ON feature_flags").await.unwrap();
        if is_counted {
            database.client.batch_execute("DROP TRIGGER esclusa_tell ON feature_flags").await.unwrap();
        }
    }
}

/// A table that is locked for long must not use up the connections of the server.
async fn locks(database: &Database) {
    let flags = Flags::new();
    let syncing = database.start("reader", &flags);
    assert!(syncing.ready(Duration::from_secs(10)).await && is_on(&flags));
    database.client.batch_execute("BEGIN; LOCK TABLE feature_flags; SELECT pg_notify('esclusa', '')").await.unwrap();
    until("several failures", &syncing, || syncing.status().failures >= 4).await;
    let query = "SELECT count(*)::text FROM pg_stat_activity WHERE usename = 'reader' AND datname = 'locks'";
    let held: usize = database.text(query).await.parse().unwrap();
    assert!(held <= 2, "{held} connections of one source");
    assert!(is_on(&flags) && !error(&syncing).contains('\n'), "{}", syncing.status());
    database.client.batch_execute("COMMIT").await.unwrap();
    until("the recovery", &syncing, || syncing.status().state == State::Fresh).await;
}
