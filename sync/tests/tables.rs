//! Tables of every kind that can be watched, and changes that fire no trigger.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod database;

use database::{CREATE, Database, MIGRATION, READER, ROWS, WATCH, connect, error, is_on, server, until};
use esclusa::{Context, Flags};
use esclusa_sync::State;

const REVISION: &str = "SELECT revision::text FROM esclusa.ask()";

/// Everything in turn on one server: starting one takes longer than any of it.
#[tokio::test(flavor = "multi_thread")]
async fn tables() {
    let server = server(&["reader", "app"]).await;
    kinds(&server).await;
    several(&Database::new(&server, "several", &[MIGRATION]).await).await;
    refuses(&Database::new(&server, "refuses", &[MIGRATION]).await).await;
    unseen(&Database::new(&server, "unseen", &[MIGRATION, CREATE, ROWS, READER]).await).await;
    structure(&Database::new(&server, "structure", &[MIGRATION, CREATE, ROWS, READER]).await).await;
    twins(&Database::new(&server, "twins", &[]).await).await;
    people(&Database::new(&server, "people", &[]).await).await;
    replicated(&server).await;
}

/// The files by which `compose.yaml` fills its database, in their order, and the app that reads it.
#[tokio::test(flavor = "multi_thread")]
async fn compose() {
    let server = server(&[]).await;
    let rows = include_str!("../../examples/postgres/flags.sql");
    let database = Database::new(&server, "compose", &[MIGRATION, rows]).await;
    let (flags, caller) = (Flags::new(), Context::new("ana").plan("PREMIUM"));
    let syncing = database.start("app", &flags);
    until("the flag on", &syncing, || flags.is_enabled("crm_advanced_features", &caller)).await;
    database.run("SELECT esclusa.emergency_rollback('crm_advanced_features')").await;
    until("the rollback", &syncing, || !flags.is_enabled("crm_advanced_features", &caller)).await;
}

/// Rows of a query of one's own, as a tool asks for people.
async fn people(database: &Database) {
    let people = || esclusa_sync::Postgres::new(&database.url).unwrap();
    let mut shown = Vec::new();
    let query =
        "SELECT id AS user, ARRAY['A', 'B'] AS roles, NULL AS plan FROM generate_series(1, 20000) AS id; -- all\n;";
    people().each_row(query, |row| shown.push(row.to_owned())).await.unwrap_err();
    let query = query.replace(" -- all\n;", " ");
    people().each_row(&query, |row| shown.push(row.to_owned())).await.unwrap();
    assert_eq!(shown.len(), 20_000);
    assert_eq!(shown.get(41).map(String::as_str), Some(r#"{"user":42,"roles":["A","B"],"plan":null}"#));
    let refused = people().each_row("SELECT id FROM nowhere", |_| {}).await.unwrap_err();
    assert!(refused.error.contains("nowhere"), "{refused:?}");
}

/// What is watched, by which name, and a change each that has to be counted.
async fn kinds(server: &esclusa_loopback::Postgres) {
    let minimal = "CREATE TABLE flags (key text, enabled boolean); INSERT INTO flags VALUES ('crm', true)";
    let prisma = "CREATE TABLE \"FeatureFlag\" (id serial, name text, enabled boolean, \"rolloutPercentage\" integer,
        \"updatedAt\" timestamp); INSERT INTO \"FeatureFlag\" VALUES (1, 'crm', true, 100)";
    let odd =
        "CREATE SCHEMA \"My \"\"App's %s\"; CREATE TABLE \"My \"\"App's %s\".\"fla'gs\" (name text, enabled boolean);
        INSERT INTO \"My \"\"App's %s\".\"fla'gs\" VALUES ('crm', true)";
    let parts = "CREATE TABLE flags (name text, enabled boolean, place text) PARTITION BY LIST (place);
        CREATE TABLE flags_a PARTITION OF flags FOR VALUES IN ('a') PARTITION BY LIST (name);
        CREATE TABLE flags_a_crm PARTITION OF flags_a FOR VALUES IN ('crm');
        INSERT INTO flags VALUES ('crm', true, 'a')";
    let child = "CREATE TABLE flags (name text, enabled boolean); CREATE TABLE child () INHERITS (flags);
        INSERT INTO child VALUES ('crm', true)";
    let view = "CREATE TABLE toggle (slug text, is_on boolean); CREATE TABLE tenant (slug text, plans text[]);
        CREATE VIEW inner_view AS SELECT slug AS name, is_on AS enabled FROM toggle;
        CREATE VIEW flags AS SELECT name, enabled, plans AS target_plans FROM inner_view LEFT JOIN tenant ON slug = name;
        INSERT INTO toggle VALUES ('crm', true)";
    let functions = "CREATE TABLE toggle (name text, enabled boolean); CREATE TABLE salt (word text);
        INSERT INTO salt VALUES ('x'); INSERT INTO toggle VALUES ('crm', true);
        CREATE FUNCTION word() RETURNS text LANGUAGE sql AS 'SELECT word FROM salt';
        CREATE VIEW flags AS SELECT name, enabled, word() AS salt FROM toggle";
    let behind = "CREATE TABLE toggle (name text); CREATE TABLE hidden (is_on boolean); INSERT INTO hidden VALUES (true);
        INSERT INTO toggle VALUES ('crm'); CREATE FUNCTION is_on() RETURNS boolean LANGUAGE sql AS 'SELECT is_on FROM hidden';
        CREATE VIEW flags AS SELECT name, is_on() AS enabled FROM toggle";
    let expiring = "CREATE TABLE toggle (name text, until timestamptz);
        INSERT INTO toggle VALUES ('crm', now() + interval '1 second'), ('other', 'infinity');
        CREATE VIEW flags AS SELECT name, true AS enabled FROM toggle WHERE until > now()";
    let policy = "CREATE TABLE flags (name text, enabled boolean); INSERT INTO flags VALUES ('crm', true), ('other', true);
        CREATE TABLE members (who text); INSERT INTO members VALUES ('reader'); ALTER TABLE flags ENABLE ROW LEVEL SECURITY;
        CREATE POLICY members ON flags USING (name = 'other' OR EXISTS (SELECT FROM members WHERE who = current_user))";
    let switched = "UPDATE flags SET enabled = false";
    for (name, table, called, sql, change) in [
        ("minimal", "public.flags", "public.flags", minimal, switched),
        ("unqualified", "flags", "public.flags", minimal, switched),
        ("prisma", "\"FeatureFlag\"", "public.\"FeatureFlag\"", prisma, "UPDATE \"FeatureFlag\" SET enabled = false"),
        (
            "odd",
            "\"My \"\"App's %s\".\"fla'gs\"",
            "\"My \"\"App's %s\".\"fla'gs\"",
            odd,
            "UPDATE \"My \"\"App's %s\".\"fla'gs\" SET enabled = false",
        ),
        ("parts", "public.flags", "public.flags", parts, switched),
        ("part", "public.flags", "public.flags", parts, "UPDATE flags_a_crm SET enabled = false"),
        ("part_truncate", "public.flags", "public.flags", parts, "TRUNCATE flags_a_crm"),
        (
            "new_part",
            "public.flags",
            "public.flags",
            parts,
            "CREATE TABLE flags_b PARTITION OF flags FOR VALUES IN ('b');
            DELETE FROM flags; INSERT INTO flags_b VALUES ('crm', false, 'b')",
        ),
        ("detached", "public.flags", "public.flags", parts, "ALTER TABLE flags DETACH PARTITION flags_a"),
        ("inheriting", "public.flags", "public.flags", child, "UPDATE child SET enabled = false"),
        ("child_moved", "public.flags", "public.flags", child, "ALTER TABLE child NO INHERIT flags"),
        ("view_switch", "public.flags", "public.flags", view, "UPDATE toggle SET is_on = false"),
        ("view_side", "public.flags", "public.flags", view, "INSERT INTO tenant VALUES ('crm', '{PREMIUM}')"),
        (
            "view_new",
            "public.flags",
            "public.flags",
            view,
            "CREATE OR REPLACE VIEW flags AS SELECT name, false AS enabled, NULL::text[] AS target_plans FROM inner_view",
        ),
        ("functions", "public.flags", "public.flags", functions, "UPDATE toggle SET enabled = false"),
        ("behind_functions", "public.flags", "public.flags", behind, "UPDATE hidden SET is_on = false"),
        ("expiring", "public.flags", "public.flags", expiring, "SELECT pg_sleep(0.1)"),
        ("policy", "public.flags", "public.flags", policy, "DELETE FROM members"),
    ] {
        let database = Database::new(server, name, &[sql, MIGRATION]).await;
        let watch = format!("SELECT esclusa.watch('{}')", table.replace('\'', "''"));
        assert_eq!(database.text(&watch).await, called, "{name}");
        let may_read = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; SELECT esclusa.allow('reader')";
        database.run(may_read).await;
        if name == "odd" {
            let sql = "GRANT USAGE ON SCHEMA \"My \"\"App's %s\" TO reader; GRANT SELECT ON \"My \"\"App's %s\".\"fla'gs\" TO reader";
            database.run(sql).await;
        }
        let flags = Flags::new();
        let syncing = database.start("reader", &flags);
        until(name, &syncing, || is_on(&flags) && syncing.status().revision.is_some()).await;
        database.run(change).await;
        until(name, &syncing, || !is_on(&flags)).await;
        assert_eq!(error(&syncing), "", "{name}");
        if name == "odd" {
            let sql = format!("UPDATE {called} SET enabled = true; SELECT esclusa.emergency_rollback('crm')");
            database.run(&sql).await;
            assert_eq!(database.text(&format!("SELECT enabled::text FROM {called}")).await, "false");
        }
    }
}

/// Each watch has a revision of its own; a rollback reaches every table that has the flag.
async fn several(database: &Database) {
    let sql = "CREATE TABLE flags (id serial, name text, enabled boolean); CREATE SCHEMA app;
        CREATE TABLE app.flags (id serial, name text, enabled boolean, rollout_percentage integer);
        SELECT esclusa.watch('public.flags'), esclusa.watch('app.flags');
        INSERT INTO flags (name, enabled) VALUES ('crm', true), ('1', true), ('Only', true);
        INSERT INTO app.flags (name, enabled) VALUES ('crm', true)";
    database.run(sql).await;
    assert!(database.refused(REVISION).await.contains("several tables are watched"));
    assert!(database.refused("SELECT esclusa.watch('flags')").await.contains("there is `app.flags`, `public.flags`"));
    let revisions = "SELECT string_agg(revision::text, ' ' ORDER BY name) FROM esclusa.revision";
    let before = database.text(revisions).await;
    database.run("UPDATE app.flags SET enabled = false").await;
    let after = database.text(revisions).await;
    let [app, public] =
        [before, after].map(|both| both.split_once(' ').map(|(a, p)| (a.to_owned(), p.to_owned())).unwrap());
    assert!(app.0 != public.0 && app.1 == public.1, "{app:?} {public:?}");

    // The flag called `1` is meant, and not the one whose id that is; ids are looked for where no key fits.
    database.run("UPDATE app.flags SET enabled = true; SELECT esclusa.emergency_rollback('1')").await;
    let on = "SELECT string_agg(name, ' ' ORDER BY name) FROM (SELECT name, enabled FROM flags
        UNION ALL SELECT 'app.' || name, enabled FROM app.flags) AS both_tables WHERE enabled";
    assert_eq!(database.text(on).await, "Only app.crm crm");
    database.run("SELECT esclusa.emergency_rollback('3')").await;
    assert_eq!(database.text(on).await, "app.crm crm");
    // Who may change one of the tables only is not kept from that.
    database.run("GRANT SELECT, UPDATE ON flags TO app; SELECT esclusa.allow('app')").await;
    let app = connect(&database.url_of("app")).await;
    app.batch_execute("SELECT esclusa.emergency_rollback('crm')").await.unwrap();
    assert_eq!(database.text(on).await, "app.crm");
    database.run("UPDATE flags SET enabled = true; SELECT esclusa.emergency_rollback('crm', NULL, 'app.flags')").await;
    assert_eq!(database.text(on).await, "1 Only crm");
    database.run("SELECT esclusa.emergency_rollback('crm')").await;
    let share = "SELECT rollout_percentage::text FROM app.flags";
    assert_eq!(database.text(share).await, "0");
    assert!(database.refused("SELECT esclusa.emergency_rollback('crn')").await.contains("there is no flag \"crn\""));
}

/// What cannot be watched is named, and nothing is made beside what a person could have meant.
async fn refuses(database: &Database) {
    let sql = "CREATE TABLE base (name text, enabled boolean); CREATE MATERIALIZED VIEW seen AS TABLE base;
        CREATE VIEW over_it AS TABLE seen; CREATE SCHEMA app; CREATE TABLE app.\"FeatureFlags\" (name text, enabled boolean);
        CREATE VIEW nothing AS SELECT 'x' AS name, true AS enabled";
    database.run(sql).await;
    for (sql, expected) in [
        (
            "SELECT esclusa.watch('public.seen')",
            "`public.seen` shows rows of `public.seen`, whose changes call no trigger",
        ),
        ("SELECT esclusa.watch('public.over_it')", "shows rows of `public.seen`, whose changes call no trigger"),
        ("SELECT esclusa.watch('public.nothing')", "shows rows of no table"),
        ("SELECT esclusa.watch('public.feature_flags')", "there is `app.\"FeatureFlags\"`"),
        ("SELECT esclusa.watch('feature_flag')", "there is `app.\"FeatureFlags\"`"),
        ("SELECT esclusa.create_flags('public.feature_flags')", "there is `app.\"FeatureFlags\"` already"),
        ("SELECT esclusa.create_flags('feature_flags')", "has no schema"),
        ("SELECT esclusa.watch('app.\"FeatureFlags\"', '{}')", "expected an object with `\"esclusa_mapping\": 1`"),
        ("SELECT esclusa.watch('public.base'); SELECT esclusa.ask(1, 'app.\"FeatureFlags\"')", "is not watched"),
        ("SELECT esclusa.ask()", "no table is watched"),
    ] {
        let said = database.refused(sql).await;
        assert!(said.contains(expected), "{sql}: {said}");
    }
    assert_eq!(database.text("SELECT count(*)::text FROM pg_class WHERE relname ~ 'release_history'").await, "0");
}

/// Changes that fire no trigger are detected nevertheless, with the next request of any client.
async fn unseen(database: &Database) {
    let flags = Flags::new();
    let syncing = database.start("reader", &flags);
    until("the start", &syncing, || is_on(&flags)).await;
    for change in [
        "SET session_replication_role = replica; ALTER TABLE feature_flags DISABLE TRIGGER esclusa_tell;
         UPDATE feature_flags SET enabled = NOT enabled; ALTER TABLE feature_flags ENABLE ALWAYS TRIGGER esclusa_tell;
         RESET session_replication_role",
        "BEGIN; ALTER TABLE feature_flags DISABLE TRIGGER ALL; UPDATE feature_flags SET enabled = NOT enabled;
         ALTER TABLE feature_flags ENABLE TRIGGER ALL; ALTER TABLE feature_flags ENABLE ALWAYS TRIGGER esclusa_tell,
         ENABLE ALWAYS TRIGGER esclusa_tell_truncate; COMMIT",
    ] {
        let was = is_on(&flags);
        let before = database.text("SELECT revision::text FROM esclusa.revision").await;
        database.run(change).await;
        assert_eq!(database.text("SELECT revision::text FROM esclusa.revision").await, before, "not counted: {change}");
        // The ten minutes are over.
        database.run("UPDATE esclusa.watched SET compared_at = now() - interval '11 minutes'").await;
        until(change, &syncing, || is_on(&flags) != was).await;
        assert!(database.text("SELECT revision::text FROM esclusa.revision").await > before, "{change}");
        let due = "SELECT (compared_at > now() - interval '1 minute')::text FROM esclusa.watched";
        assert_eq!(database.text(due).await, "true", "it is compared once for all");
    }
    // What was counted is not taken for a change without triggers, however the rows are printed.
    let sql = "UPDATE feature_flags SET start_date = now(), enabled = true;
        UPDATE esclusa.watched SET compared_at = now() - interval '11 minutes'";
    database.run(sql).await;
    database.run(REVISION).await;
    let before = database.text(REVISION).await;
    let sql = "UPDATE esclusa.watched SET compared_at = now() - interval '11 minutes'; SET timezone = 'Asia/Kathmandu';
        SET datestyle = 'German'; SET bytea_output = 'escape'";
    database.run(sql).await;
    assert_eq!(database.text(REVISION).await, before);
    // While triggers run for this server's own changes only, everything is read each time.
    let sql = "ALTER TABLE feature_flags DISABLE TRIGGER ALL; ALTER TABLE feature_flags ENABLE TRIGGER ALL";
    database.run(sql).await;
    let whole = "SELECT (snapshot IS NOT NULL)::text FROM esclusa.ask((SELECT revision FROM esclusa.revision))";
    assert_eq!(database.text(whole).await, "true");
    database.run(WATCH).await;
    assert_eq!(database.text(whole).await, "false");
    // A trigger that is lost is an error, and for this source a reason to read row by row.
    for lost in ["ALTER TABLE feature_flags DISABLE TRIGGER esclusa_tell", "DROP TRIGGER esclusa_tell ON feature_flags"]
    {
        database.run(lost).await;
        assert!(database.refused(REVISION).await.contains("that counts its changes SELECT esclusa.watch("), "{lost}");
        database.run("UPDATE feature_flags SET enabled = false").await;
        until(lost, &syncing, || !is_on(&flags)).await;
        database.run(&format!("{WATCH}; UPDATE feature_flags SET enabled = true")).await;
        until("watched again", &syncing, || is_on(&flags) && syncing.status().revision.is_some()).await;
    }
}

/// Columns, policies and grants change answers without a row being written: at the next ask.
async fn structure(database: &Database) {
    let flags = Flags::new();
    let syncing = database.start("reader", &flags);
    until("the start", &syncing, || is_on(&flags)).await;
    for (off, on) in [
        ("ALTER TABLE feature_flags ADD status text DEFAULT 'paused'", "ALTER TABLE feature_flags DROP status"),
        (
            "ALTER TABLE feature_flags ALTER rollout_percentage TYPE integer USING 0",
            "UPDATE feature_flags SET rollout_percentage = 100",
        ),
        (
            "ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY;
             CREATE POLICY others ON feature_flags FOR SELECT USING (name <> 'crm')",
            "ALTER POLICY others ON feature_flags USING (true)",
        ),
    ] {
        database.run(off).await;
        until(off, &syncing, || !is_on(&flags)).await;
        database.run(on).await;
        until(on, &syncing, || is_on(&flags)).await;
    }
    assert!(syncing.status().last_error.is_none(), "{}", syncing.status());
    // Without the key or the switch every flag would be off: that is an error, and flags stay.
    for column in ["name", "enabled"] {
        database.run(&format!("ALTER TABLE feature_flags RENAME {column} TO renamed")).await;
        until(column, &syncing, || error(&syncing).contains("`public.feature_flags` has lost a column")).await;
        assert!(is_on(&flags), "{column}");
        database.run(&format!("ALTER TABLE feature_flags RENAME renamed TO {column}")).await;
        until(column, &syncing, || syncing.status().state == State::Fresh).await;
    }
}

/// Rows of one key come in one order, whatever was changed last.
async fn twins(database: &Database) {
    let sql = "CREATE TABLE feature_flags (description text, id serial, name text, enabled boolean);
        INSERT INTO feature_flags (description, name, enabled) VALUES ('b', 'crm', true), ('a', 'crm', false)";
    database.run(sql).await;
    database.run(MIGRATION).await;
    database.run(WATCH).await;
    let order =
        "SELECT string_agg(flag ->> 'enabled', ' ') FROM esclusa.ask(), json_array_elements(snapshot -> 'flags') flag";
    for description in ["a", "z", "b", ""] {
        for id in [1, 2] {
            let sql = format!("UPDATE feature_flags SET description = '{description}' WHERE id = {id}");
            database.run(&sql).await;
            assert_eq!(database.text(order).await, "true false", "{sql}");
        }
    }
    database.run("SELECT esclusa.emergency_rollback('crm')").await;
    assert_eq!(database.text(order).await, "false false", "both are switched off");
}

/// A subscription writes without ordinary triggers.
async fn replicated(server: &esclusa_loopback::Postgres) {
    let table = "CREATE TABLE feature_flags (id integer PRIMARY KEY, name text, enabled boolean)";
    let source =
        Database::new(server, "publisher", &[table, "INSERT INTO feature_flags VALUES (1, 'crm', true)"]).await;
    source.run("CREATE PUBLICATION flags FOR TABLE feature_flags").await;
    source.run("SELECT pg_create_logical_replication_slot('flags', 'pgoutput')").await;
    let target = Database::new(server, "subscriber", &[table, MIGRATION, WATCH, READER]).await;
    let flags = Flags::new();
    let port = server.port();
    let subscribe = format!(
        "CREATE SUBSCRIPTION flags CONNECTION 'host=127.0.0.1 port={port} user=postgres
        dbname=publisher' PUBLICATION flags WITH (create_slot = false, slot_name = 'flags')"
    );
    target.run(&subscribe).await;
    let syncing = target.start("reader", &flags);
    until("the first copy", &syncing, || is_on(&flags)).await;
    let before = syncing.status().revision;
    source.run("UPDATE feature_flags SET enabled = false").await;
    until("the change on the publisher", &syncing, || !is_on(&flags) && syncing.status().revision > before).await;
    target.run("ALTER SUBSCRIPTION flags DISABLE").await;
    target.run("ALTER SUBSCRIPTION flags SET (slot_name = NONE)").await;
    target.run("DROP SUBSCRIPTION flags").await;
}
