//! From the first version of the migration to the present one, and from one server to another by a backup.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod database;

use database::{CREATE, Database, MIGRATION, READER, ROWS, WATCH, connect, is_on, server, until};
use esclusa::Flags;

/// What kept its objects beside `feature_flags`.
const FIRST: &str = include_str!("database/first_version.sql");
/// What turns the present version into the one before mappings.
const BEFORE_MAPPINGS: &str = include_str!("database/before_mappings.sql");
/// How an app of the first version reads: it is told by `LISTEN esclusa`, and asks for what has another revision.
const FIRST_READS: &str = "SELECT revision::text, esclusa_snapshot()::text,
    NOT EXISTS (SELECT FROM feature_flags) AND row_security_active('feature_flags'), EXISTS (
    SELECT FROM pg_class flags, pg_class revision, pg_trigger
    WHERE flags.oid = to_regclass('feature_flags') AND revision.oid = to_regclass('esclusa_revision')
      AND revision.relnamespace = flags.relnamespace AND has_table_privilege(revision.oid, 'SELECT')
      AND tgrelid = flags.oid AND tgname = 'esclusa_tell' AND tgenabled IN ('O', 'A')) FROM esclusa_revision";

#[tokio::test(flavor = "multi_thread")]
async fn upgrade() {
    let server = server(&["reader", "writer"]).await;
    from_the_first_version(&Database::new(&server, "first", &[FIRST, ROWS]).await).await;
    from_the_version_before_mappings(&server).await;
    backup(&server).await;
}

/// Rows, rights, history, triggers and the revision stay, apps that run go on, and nothing of the version before is left.
async fn from_the_version_before_mappings(server: &esclusa_loopback::Postgres) {
    let database = Database::new(server, "earlier", &[MIGRATION, CREATE, ROWS, READER]).await;
    let fresh = Database::new(server, "fresh", &[MIGRATION]).await;
    let sql = "GRANT SELECT, UPDATE ON feature_flags TO writer; SELECT esclusa.allow('writer');
        CREATE TABLE \"Parts\" (name text, enabled boolean, place text) PARTITION BY LIST (place);
        CREATE TABLE parts_eu PARTITION OF \"Parts\" FOR VALUES IN ('eu');
        SELECT esclusa.watch('public.\"Parts\"'); INSERT INTO \"Parts\" VALUES ('eu_only', true, 'eu')";
    database.run(sql).await;
    database.run(BEFORE_MAPPINGS).await;
    let kept = "SELECT concat_ws('; ', (SELECT string_agg(f::text, ', ' ORDER BY name) FROM feature_flags f),
        (SELECT string_agg(concat_ws(' ', action, flag_key), ', ' ORDER BY ctid) FROM release_history),
        (SELECT string_agg(concat_ws(' ', tgrelid::regclass, tgname, tgenabled), ', ' ORDER BY tgrelid, tgname)
         FROM pg_trigger WHERE tgname ~ '^esclusa_'),
        (SELECT string_agg(concat_ws(' ', r.rolname, proname), ', ' ORDER BY r.rolname, proname) FROM pg_proc, pg_roles r
         WHERE pronamespace = 'esclusa'::regnamespace AND r.rolname IN ('reader', 'writer')
           AND proname IN ('allow', 'ask', 'create_flags', 'emergency_rollback', 'expose', 'snapshot', 'watch')
           AND has_function_privilege(r.oid, pg_proc.oid, 'EXECUTE')))";
    let functions =
        "SELECT string_agg(format('%s(%s) %s', proname, pg_get_function_identity_arguments(oid), prorettype::regtype),
        ', ' ORDER BY oid::regprocedure::text) FROM pg_proc WHERE pronamespace = 'esclusa'::regnamespace";
    let revision = "SELECT revision::text FROM esclusa.revision WHERE name = 'public.feature_flags'";
    let (before, was) = (database.text(kept).await, database.text(revision).await);
    assert!(
        before.contains("create crm") && before.contains("esclusa_tell A") && before.contains("writer ask"),
        "{before}"
    );
    database.run(MIGRATION).await;
    assert_eq!(database.text(kept).await, before);
    assert_eq!(database.text(functions).await, fresh.text(functions).await);
    assert!(database.text(revision).await > was);
    let flags = Flags::new();
    let syncing = database.start("reader", &flags);
    until("the start", &syncing, || is_on(&flags) && syncing.status().revision.is_some()).await;
    let writer = connect(&database.url_of("writer")).await;
    writer.batch_execute("SELECT esclusa.emergency_rollback('crm')").await.unwrap();
    until("the rollback", &syncing, || !is_on(&flags)).await;
    database.run("SELECT esclusa.watch('public.feature_flags', mapping => '{\"esclusa_mapping\": 1}')").await;
    assert_eq!(database.text("SELECT count(*)::text FROM esclusa.mapping_history").await, "1");
    database.run("SELECT esclusa.emergency_rollback('eu_only', NULL, 'public.\"Parts\"')").await;
    assert_eq!(database.text("SELECT enabled::text FROM \"Parts\"").await, "false");
}

async fn from_the_first_version(database: &Database) {
    let sql = "GRANT SELECT ON feature_flags TO reader; GRANT SELECT, UPDATE ON feature_flags TO writer;
        UPDATE esclusa_revision SET revision = 9000000000000 /* ahead of the clock */";
    database.run(sql).await;
    let flags = Flags::new();
    let syncing = database.start("reader", &flags);
    until("the first version", &syncing, || syncing.status().revision == Some(9_000_000_000_000)).await;
    let reader = connect(&database.url_of("reader")).await;
    let first = reader.prepare(FIRST_READS).await.unwrap();

    database.run(MIGRATION).await;
    let revision =
        database.text("SELECT revision::text FROM esclusa.revision WHERE name = 'public.feature_flags'").await;
    assert!(revision.parse::<u64>().unwrap() > 9_000_000_000_000, "{revision} goes on from before");
    assert_eq!(database.text("SELECT count(*)::text FROM release_history").await, "3", "the history stays");
    until("the upgrade", &syncing, || syncing.status().revision.is_some_and(|new| new.to_string() >= revision)).await;
    // Apps of both versions hear of a rollback, whichever way it is called.
    for rollback in ["SELECT emergency_rollback('crm', NULL)", "SELECT esclusa.emergency_rollback('crm')"] {
        let writer = connect(&database.url_of("writer")).await;
        let sql = "UPDATE feature_flags SET enabled = true, rollout_percentage = 100";
        writer.batch_execute(sql).await.unwrap();
        until("on again", &syncing, || is_on(&flags)).await;
        let before = reader.query_one(&first, &[]).await.unwrap();
        assert!(before.get::<_, String>(1).contains("\"enabled\": true") && before.get::<_, bool>(3));
        writer.batch_execute(rollback).await.unwrap();
        until("the rollback", &syncing, || !is_on(&flags)).await;
        let after = reader.query_one(&first, &[]).await.unwrap();
        assert!(after.get::<_, String>(0) > before.get::<_, String>(0) && !after.get::<_, bool>(2));
    }
    let left = "SELECT string_agg(proname::text, ' ' ORDER BY proname) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace";
    assert_eq!(database.text(left).await, "emergency_rollback esclusa_snapshot", "nothing else is left of it");
    // It may be run again.
    database.run(MIGRATION).await;
    let rights = "SELECT (has_function_privilege('reader', 'esclusa.ask(bigint,text)', 'EXECUTE')
        AND has_table_privilege('reader', 'esclusa_revision', 'SELECT'))::text";
    assert_eq!(database.text(rights).await, "true");
    database.run("SELECT emergency_rollback('qr', NULL)").await;
    assert_eq!(reader.query_one(&first, &[]).await.unwrap().len(), 4);
}

/// A backup brings everything along; one of the table alone leaves a table that is read row by row.
async fn backup(server: &esclusa_loopback::Postgres) {
    let database = Database::new(server, "source", &[MIGRATION, CREATE, ROWS, READER]).await;
    let partitions = "CREATE TABLE \"Parts\" (name text, enabled boolean, place text) PARTITION BY LIST (place);
        CREATE TABLE parts_eu PARTITION OF \"Parts\" FOR VALUES IN ('eu');
        SELECT esclusa.watch('public.\"Parts\"'); INSERT INTO \"Parts\" VALUES ('eu_only', true, 'eu')";
    database.run(partitions).await;
    let revision = "SELECT revision::text FROM esclusa.ask(NULL, 'public.feature_flags')";
    let before = database.text(revision).await;
    let folder = std::env::temp_dir().join(format!("esclusa-backup-{}", std::process::id()));
    for (name, only) in [("whole", None), ("alone", Some("feature_flags"))] {
        let file = folder.with_extension(name);
        let mut dump = server.client("pg_dump").unwrap();
        dump.args(["-Fc", "-d", "source", "-f"]).arg(&file);
        if let Some(table) = only {
            dump.args(["-t", table]);
        }
        assert!(dump.status().unwrap().success());
        let restored = Database::new(server, name, &[]).await;
        let mut restore = server.client("pg_restore").unwrap();
        let output = restore.args(["-d", name]).arg(&file).output().unwrap();
        let _ = std::fs::remove_file(&file);
        assert_eq!(output.status.success(), only.is_none(), "{}", String::from_utf8_lossy(&output.stderr));
        if only.is_some() {
            restored.run("GRANT SELECT ON feature_flags TO reader").await;
        } else {
            let after = restored.text(revision).await;
            assert!(after > before, "the revision goes on: {before}, then {after}");
            restored
                .run("SELECT esclusa.emergency_rollback('eu_only'); UPDATE feature_flags SET description = 'x'")
                .await;
            let written = "SELECT string_agg(action::text, ' ' ORDER BY ctid) FROM release_history";
            let written = restored.text(written).await;
            assert!(written.ends_with("emergency_rollback update update update"), "{written}");
        }
        let flags = Flags::new();
        let syncing = restored.start("reader", &flags);
        until("the start", &syncing, || is_on(&flags) && syncing.status().age.is_some()).await;
        assert_eq!(syncing.status().revision.is_some(), only.is_none(), "{}", syncing.status());
        restored.run("UPDATE feature_flags SET enabled = false").await;
        until("the change", &syncing, || !is_on(&flags)).await;
        // A restore of rows into a table that is there, as pg_restore does it, fires no trigger as it should.
        if only.is_none() {
            let sql = "ALTER TABLE feature_flags DISABLE TRIGGER ALL; UPDATE feature_flags SET enabled = true;
                ALTER TABLE feature_flags ENABLE TRIGGER ALL";
            restored.run(sql).await;
            until("the rows without triggers", &syncing, || is_on(&flags)).await;
            restored.run(WATCH).await;
        }
    }
}
