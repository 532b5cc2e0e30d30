//! The migration on tables of many shapes, with several writers, and for users with few rights.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod database;

use std::time::Duration;

use database::{CREATE, Database, MIGRATION, READER, ROWS, WATCH, connect, error, is_on, server, until};
use esclusa::Flags;
use esclusa_sync::State;

/// Everything in turn on one server: starting one takes longer than any of it.
#[tokio::test(flavor = "multi_thread")]
async fn migration() {
    let server = server(&["reader", "writer"]).await;
    rights(&Database::new(&server, "rights", &[MIGRATION, CREATE, ROWS, READER]).await).await;
    writers(&Database::new(&server, "writers", &[MIGRATION, CREATE, ROWS]).await).await;
    rollback(&Database::new(&server, "rollback", &[MIGRATION, CREATE, ROWS]).await).await;
    shapes(&server).await;
    comes_and_goes(&Database::new(&server, "later", &[MIGRATION, CREATE, ROWS, READER]).await).await;
    hidden_rows(&Database::new(&server, "hidden", &[MIGRATION, CREATE, ROWS, READER]).await).await;
    locks(&Database::new(&server, "locks", &[MIGRATION, CREATE, ROWS, READER]).await).await;
    pooled(&server).await;
}

/// Who may read the flags may read their revision, and who may write them may not write it.
async fn rights(database: &Database) {
    let flags = Flags::new();
    let syncing = database.start("reader", &flags);
    assert!(syncing.ready(Duration::from_secs(10)).await && is_on(&flags), "{}", syncing.status());
    assert!(syncing.status().revision.is_some(), "read by revision: {}", syncing.status());

    database
        .client
        .batch_execute("GRANT ALL ON feature_flags TO writer; SELECT esclusa.allow('writer')")
        .await
        .unwrap();
    let writer = connect(&database.url_of("writer")).await;
    let sql = "DELETE FROM release_history";
    database.client.batch_execute(sql).await.unwrap();
    for _ in 0..2 {
        writer.batch_execute("SELECT esclusa.emergency_rollback('crm', NULL)").await.unwrap();
    }
    let written =
        database.text("SELECT string_agg(action || ' ' || (new_value ->> 'enabled'), ', ') FROM release_history");
    assert_eq!(written.await, "emergency_rollback false, emergency_rollback false", "also of what was off already");
    until("the rollback", &syncing, || !is_on(&flags)).await;
}

/// A transaction that stays open does not block changes of other flags.
async fn writers(database: &Database) {
    let other = connect(&database.url).await;
    database.client.batch_execute("BEGIN; UPDATE feature_flags SET enabled = false WHERE name = 'qr'").await.unwrap();
    let sql = "SET lock_timeout = '2s'; SELECT esclusa.emergency_rollback('crm', NULL);
        UPDATE feature_flags SET description = 'x' WHERE name = 'pos'";
    other.batch_execute(sql).await.unwrap();
    let sql = "UPDATE feature_flags SET enabled = false WHERE name = 'pos'; COMMIT";
    database.client.batch_execute(sql).await.unwrap();

    // Every commit counts once, however many statements it has, and what is taken back does not.
    let mut before = database.text("SELECT revision::text FROM esclusa.revision").await;
    for (sql, counts) in [
        ("BEGIN; UPDATE feature_flags SET enabled = true; UPDATE feature_flags SET enabled = false; COMMIT", true),
        ("UPDATE feature_flags SET enabled = true WHERE false", false),
        ("UPDATE feature_flags SET updated_at = now(), description = 'y'", false),
        ("BEGIN; UPDATE feature_flags SET enabled = true; ROLLBACK", false),
        ("BEGIN; SAVEPOINT s; UPDATE feature_flags SET enabled = true; ROLLBACK TO s; COMMIT", false),
        ("BEGIN; UPDATE feature_flags SET enabled = true; ALTER TABLE feature_flags ADD x text; COMMIT", true),
        ("TRUNCATE feature_flags", true),
    ] {
        database.client.batch_execute(sql).await.unwrap();
        let after = database.text("SELECT revision::text FROM esclusa.revision").await;
        assert_eq!(after > before, counts, "{sql}");
        before = after;
    }
    // The changed columns are another change.
    database.client.batch_execute("SELECT revision FROM esclusa.ask()").await.unwrap();
    before = database.text("SELECT revision::text FROM esclusa.revision").await;
    let sql = "UPDATE esclusa.watched SET compared_at = NULL; SELECT revision FROM esclusa.ask()";
    database.client.batch_execute(sql).await.unwrap();
    assert_eq!(database.text("SELECT count(*)::text FROM esclusa.change").await, "0", "nothing is left behind");
    assert_eq!(database.text("SELECT revision::text FROM esclusa.revision").await, before, "nor is anything lost");
}

/// Within a larger transaction it leaves what that has said of who acts.
async fn rollback(database: &Database) {
    let ana = "11111111-1111-1111-1111-111111111111";
    let sql = format!(
        "BEGIN; SELECT set_config('esclusa.performed_by', '{ana}', true); SELECT esclusa.emergency_rollback('crm', NULL);
         UPDATE feature_flags SET description = 'x' WHERE name = 'crm'; COMMIT;
         SELECT esclusa.emergency_rollback(upper(id::text), '{ana}') FROM feature_flags WHERE name = 'qr'"
    );
    database.client.batch_execute(&sql).await.unwrap();
    let query = "SELECT string_agg(action, ', ' ORDER BY ctid) FROM release_history WHERE performed_by IS NOT NULL";
    assert_eq!(database.text(query).await, "emergency_rollback, update, emergency_rollback");
}

/// Other tables work, or the migration says at once why they cannot.
async fn shapes(server: &esclusa_loopback::Postgres) {
    let numbered = "CREATE TABLE feature_flags (id bigserial PRIMARY KEY, name text, enabled boolean,
        rollout_percentage integer, updated_at timestamp)";
    let database = Database::new(server, "numbered", &[numbered, MIGRATION, WATCH, ROWS]).await;
    database.client.batch_execute("SELECT esclusa.emergency_rollback('2', NULL)").await.unwrap();
    let query = "SELECT feature_flag_id || ' ' || action FROM release_history ORDER BY ctid DESC LIMIT 1";
    assert_eq!(database.text(query).await, "2 emergency_rollback");

    let strict =
        "CREATE TABLE release_history (feature_flag_id uuid, action text CHECK (action IN ('enable', 'disable')),
        old_value jsonb, new_value jsonb, performed_by uuid)";
    let other_history = "CREATE TABLE feature_flags (name text, enabled boolean); CREATE TABLE \"ReleaseHistory\" ()";
    for (name, sql, expected) in [
        ("no_switch", &["CREATE TABLE feature_flags (name text)"][..], "has no column that switches a flag on and off"),
        ("no_key", &["CREATE TABLE feature_flags (enabled boolean)"], "has no column that names a flag"),
        ("strict", &["CREATE TABLE feature_flags (name text, enabled boolean)", strict], "violates check constraint"),
        ("history", &[other_history], "expected a history to be called `public.release_history`"),
        ("prisma", &["CREATE TABLE \"FeatureFlag\" (name text, enabled boolean)"], "there is no table"),
    ] {
        let database = Database::new(server, name, sql).await;
        database.client.batch_execute(MIGRATION).await.unwrap();
        let refused = database.client.batch_execute(WATCH).await.unwrap_err();
        let message = refused.as_db_error().unwrap().message();
        assert!(message.contains(expected), "{name}: {message}");
    }
}

/// A reader notices when the table loses its triggers, and when it gets them.
async fn comes_and_goes(database: &Database) {
    let flags = Flags::new();
    let syncing = database.start("reader", &flags);
    assert!(syncing.ready(Duration::from_secs(10)).await && syncing.status().revision.is_some());
    let anew = "BEGIN; CREATE TABLE anew AS TABLE feature_flags; DROP TABLE feature_flags;
        ALTER TABLE anew RENAME TO feature_flags; GRANT SELECT ON feature_flags TO reader; COMMIT";
    database.client.batch_execute(anew).await.unwrap();
    database.client.batch_execute("UPDATE feature_flags SET enabled = false").await.unwrap();
    until("the change without triggers", &syncing, || !is_on(&flags)).await;
    database.client.batch_execute(WATCH).await.unwrap();
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

/// Behind a pooler each transaction has another connection: no notification comes, and everything else works.
async fn pooled(server: &esclusa_loopback::Postgres) {
    let database = Database::new(server, "pooled", &[MIGRATION, CREATE, ROWS]).await;
    let pooler = esclusa_loopback::Pooler::start(server).unwrap();
    let pooled = Database { url: server.url_at(pooler.port()).replace("/postgres?", "/pooled?"), ..database };
    let flags = Flags::new();
    let syncing = pooled.start("reader", &flags);
    until("the start", &syncing, || is_on(&flags) && syncing.status().revision.is_some()).await;
    for enabled in [false, true, false] {
        pooled.run(&format!("UPDATE feature_flags SET enabled = {enabled}")).await;
        until("the change", &syncing, || is_on(&flags) == enabled).await;
    }
    assert_eq!(error(&syncing), "");
}
