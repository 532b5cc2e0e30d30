//! A mapping that is kept beside the watch of a table: its rows, those of the tables beside it and the mapping itself are
//! heard of like a flag's change, and what cannot be read leaves the last set.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

mod database;

use std::time::Duration;

use database::{Database, MIGRATION, error, server, until};
use esclusa::sync::Request;
use esclusa::{Context, Flags};
use esclusa_formats::{Mapping, Parameters};
use esclusa_sync::{Answer, Failure, MappedBy, Options, Policy, Postgres, Source, State, Syncing, sync};

const TABLES: &str =
    "CREATE TABLE flags (id bigint PRIMARY KEY, slug text, title text, is_default boolean, pct integer,
      stage text, hits_seen integer DEFAULT 0, deleted_at timestamptz, updated_at timestamptz);
    CREATE TABLE flag_tenants (flag_id bigint, tenant text, is_on boolean, last_seen_at timestamptz);
    INSERT INTO flags VALUES (1, 'crm', 'CRM', true, 100, 'production'), (2, 'pay', 'Pay', false, 100, 'production');
    INSERT INTO flag_tenants VALUES (2, 't1', true)";
const READER: &str = "GRANT SELECT ON flags, flag_tenants TO reader; SELECT esclusa.allow('reader')";

/// A mapping with these entries more.
fn mapping(more: &str) -> String {
    format!(
        r#"{{"esclusa_mapping": 1, "name": "slug", "label": "title", "default": "is_default", "rollout_percentage": "pct",
        "off_when": ["deleted_at"], "ignore": ["hits_seen"], "counts": [{{"column": "stage", "is": ["$stage"]}}],
        "side": [{{"table": "flag_tenants", "flag": "flag_id", "to": "id", "as": "company", "id": "tenant", "enabled": "is_on"}}]
        {more}}}"#
    )
}

fn watch(more: &str) -> String {
    format!("SELECT esclusa.watch('public.flags', mapping => '{}')", mapping(more))
}

async fn database(server: &esclusa_loopback::Postgres, name: &str) -> Database {
    Database::new(server, name, &[MIGRATION, TABLES, &watch(""), READER]).await
}

fn source(database: &Database) -> Postgres {
    let parameters = Parameters::default().with("stage", "production").unwrap();
    Postgres::new(&database.url_of("reader")).unwrap().parameters(parameters)
}

fn keep_fresh(source: impl Source, flags: &Flags, interval_ms: u64) -> Syncing {
    let policy = Policy { interval_ms, spread_ms: 10, backoff_min_ms: 20, backoff_max_ms: 100, ..Policy::default() };
    sync(flags, source, Options { policy, ..Options::default() })
}

fn is_on(flags: &Flags, flag: &str, company: &str) -> bool {
    flags.is_enabled(flag, &Context::new("ana").company(company))
}

/// Everything in turn on one server: starting one takes longer than any of it.
#[tokio::test(flavor = "multi_thread")]
async fn stored_mappings() {
    let server = server(&["reader"]).await;
    changes_are_heard(&database(&server, "heard").await).await;
    idle_columns_wake_nobody(&database(&server, "idle").await).await;
    history(&database(&server, "history").await).await;
    what_cannot_be_read(&database(&server, "unreadable").await).await;
    own_mapping(&database(&server, "own").await).await;
    old_readers(&database(&server, "old").await).await;
    refusals(&database(&server, "refusals").await).await;
    rollbacks(&server).await;
    backup(&server).await;
}

/// By eight processes that ask once a minute: a row of either table, and the mapping.
async fn changes_are_heard(database: &Database) {
    let all: Vec<(Flags, Syncing)> = (0..8)
        .map(|_| {
            let flags = Flags::new();
            let syncing = keep_fresh(source(database), &flags, 60_000);
            (flags, syncing)
        })
        .collect();
    for (_, syncing) in &all {
        assert!(syncing.ready(Duration::from_secs(20)).await, "{}", syncing.status());
        assert_eq!(syncing.status().mapped_by, Some(MappedBy::Stored));
    }
    let first = &all.first().unwrap().0;
    assert!(is_on(first, "crm", "t9") && is_on(first, "pay", "t1") && !is_on(first, "pay", "t9"));
    for (sql, flag, company, on) in [
        ("UPDATE flag_tenants SET is_on = false", "pay", "t1", false),
        ("INSERT INTO flag_tenants VALUES (1, 't2', false)", "crm", "t2", false),
        ("UPDATE flags SET is_default = true WHERE slug = 'pay'", "pay", "t9", true),
        ("TRUNCATE flag_tenants", "pay", "t1", true),
        (&watch("").replace("\"deleted_at\"", "\"slug\""), "pay", "t1", false),
        ("SELECT esclusa.undo_mapping()", "pay", "t1", true),
        ("UPDATE flags SET stage = 'test'", "pay", "t1", false),
    ] {
        database.run(sql).await;
        for (flags, syncing) in &all {
            until(sql, syncing, || is_on(flags, flag, company) == on).await;
        }
    }
    let written =
        "SELECT string_agg(concat_ws(' ', database_user, old_mapping IS NULL, new_mapping -> 'off_when' ->> 0), ', '
        ORDER BY changed_at) FROM esclusa.mapping_history";
    assert_eq!(database.text(written).await, "postgres t deleted_at, postgres f slug, postgres f deleted_at");
}

/// A column that no answer depends on wakes no app, in either table.
async fn idle_columns_wake_nobody(database: &Database) {
    let revision = "SELECT revision::text FROM esclusa.revision";
    for (sql, is_heard) in [
        ("UPDATE flags SET hits_seen = 7, title = 'x', updated_at = now()", false),
        ("UPDATE flag_tenants SET last_seen_at = now()", false),
        ("UPDATE flag_tenants SET tenant = 't3'", true),
        ("UPDATE flags SET pct = 99, hits_seen = 8", true),
        // What a mapping reads is not idle, whatever it is called.
        (&watch(r#", "end_date": "updated_at""#), true),
        ("UPDATE flags SET updated_at = now() + interval '1 day'", true),
    ] {
        let before = database.text(revision).await;
        database.run(sql).await;
        assert_eq!(database.text(revision).await != before, is_heard, "{sql}");
    }
    // Nor does the comparison of all rows take them for a change without triggers.
    database.run("UPDATE flags SET hits_seen = 9; UPDATE esclusa.watched SET compared_at = NULL").await;
    let before = database.text(revision).await;
    assert_eq!(database.text("SELECT revision::text FROM esclusa.ask()").await, before);
    database.run("SET session_replication_role = replica; ALTER TABLE flag_tenants DISABLE TRIGGER ALL").await;
    database.run("UPDATE flag_tenants SET is_on = false; ALTER TABLE flag_tenants ENABLE TRIGGER ALL").await;
    database.run("RESET session_replication_role; SELECT esclusa.watch('public.flags')").await;
    assert_ne!(database.text("SELECT revision::text FROM esclusa.ask()").await, before);
}

/// A row of either table is a row of history about the key of its flag.
async fn history(database: &Database) {
    for (sql, expected) in [
        ("UPDATE flags SET is_default = false WHERE id = 1", "disable public.flags crm"),
        ("UPDATE flags SET pct = 5 WHERE id = 1", "rollout_update public.flags crm"),
        ("UPDATE flag_tenants SET is_on = false", "disable public.flag_tenants pay"),
        (
            "INSERT INTO flag_tenants VALUES (1, 't1', true), (77, 't1', true)",
            "create public.flag_tenants crm, create public.flag_tenants 77",
        ),
        ("DELETE FROM flag_tenants WHERE flag_id = 1", "delete public.flag_tenants crm"),
        ("TRUNCATE flag_tenants", "delete public.flag_tenants pay, delete public.flag_tenants 77"),
    ] {
        database.run("TRUNCATE release_history").await;
        database.run(sql).await;
        let written =
            "SELECT string_agg(concat_ws(' ', action, flag_table, flag_key), ', ' ORDER BY ctid) FROM release_history";
        assert_eq!(database.text(written).await, expected, "{sql}");
    }
}

/// The last set stays, and the status says what is missing.
async fn what_cannot_be_read(database: &Database) {
    let flags = Flags::new();
    let syncing = keep_fresh(source(database), &flags, 30);
    until("the start", &syncing, || is_on(&flags, "pay", "t1")).await;
    for (breaks, said, mends) in [
        (
            "ALTER TABLE flags DROP COLUMN pct",
            "`public.flags` has no column `pct`",
            "ALTER TABLE flags ADD COLUMN pct integer",
        ),
        (
            "ALTER TABLE flag_tenants RENAME COLUMN tenant TO company",
            "`public.flag_tenants` has no column `tenant`",
            "ALTER TABLE flag_tenants RENAME COLUMN company TO tenant",
        ),
        (
            "ALTER TABLE flag_tenants RENAME TO other",
            "there is no table `flag_tenants`",
            "ALTER TABLE other RENAME TO flag_tenants",
        ),
        (
            "REVOKE SELECT ON flag_tenants FROM reader",
            "reader may not read `public.flag_tenants`",
            "GRANT SELECT ON flag_tenants TO reader",
        ),
        (
            "ALTER TABLE flag_tenants ENABLE ROW LEVEL SECURITY",
            "`public.flag_tenants` shows no row while row-level security is active",
            "CREATE POLICY reads ON flag_tenants FOR SELECT TO reader USING (true)",
        ),
        (
            "UPDATE esclusa.watched SET mapping = mapping || '{\"esclusa_mapping\": 2}'; SELECT esclusa.raise_revision('public.flags')",
            "`esclusa_mapping`: 2 does not fit, expected the version 1",
            &watch(""),
        ),
        (
            &watch(r#", "target_plans": {"column": "title"}"#),
            "reads the column `title`, which `label` reads",
            "SELECT esclusa.undo_mapping()",
        ),
        (&watch("").replace("$stage", "$other"), "`$other`: has no value", "SELECT esclusa.undo_mapping()"),
    ] {
        database.run(breaks).await;
        until(breaks, &syncing, || syncing.status().state == State::Failing && error(&syncing).contains(said)).await;
        assert!(is_on(&flags, "pay", "t1") && !is_on(&flags, "pay", "t9"), "{breaks}: the last set stays");
        database.run(mends).await;
        until(mends, &syncing, || syncing.status().state == State::Fresh).await;
    }
    // Changes that are not counted are read nevertheless, with the mapping.
    database.run("DROP TRIGGER esclusa_tell ON flag_tenants; UPDATE flag_tenants SET is_on = false").await;
    until("a change that is not counted", &syncing, || !is_on(&flags, "pay", "t1")).await;
    database.run("UPDATE flag_tenants SET is_on = true").await;
    until("the next one", &syncing, || is_on(&flags, "pay", "t1")).await;
    // Rows without their mapping are no flags.
    database.run("SELECT esclusa.unwatch('public.flags')").await;
    let said = "mapping: is missing in the rows, which had one before";
    until("the end of the watch", &syncing, || error(&syncing).contains(said)).await;
    assert!(is_on(&flags, "pay", "t1"));
    let triggers = "SELECT count(*)::text FROM pg_trigger WHERE tgname ~ '^esclusa_'";
    assert_eq!(database.text(triggers).await, "0");
    database.run(&watch("")).await;
    until("the watch", &syncing, || syncing.status().state == State::Fresh).await;
}

/// An app's own mapping takes the place of the stored one, and the status says so.
async fn own_mapping(database: &Database) {
    let own = mapping("").replace("\"default\"", "\"enabled\"").replace("$stage", "production");
    let flags = Flags::new();
    let syncing = keep_fresh(source(database).mapped(Mapping::from_json(own.as_bytes()).unwrap()), &flags, 60_000);
    assert!(syncing.ready(Duration::from_secs(20)).await, "{}", syncing.status());
    assert!(is_on(&flags, "crm", "t1") && !is_on(&flags, "pay", "t1"), "the switch holds for every caller");
    assert_eq!(syncing.status().mapped_by, Some(MappedBy::AppInsteadOfStored));
    assert!(syncing.status().to_string().contains("by the app's mapping instead of the stored one"));
}

/// What `esclusa.snapshot()` gives to a reader that knows no mappings.
struct Plain(tokio_postgres::Client);

impl Source for Plain {
    fn name(&self) -> String {
        "plain".to_owned()
    }

    async fn fetch(&mut self, _: &Request) -> Result<Answer, Failure> {
        Ok(self.0.query_one("SELECT esclusa.snapshot()::text", &[]).await?.get::<_, String>(0).into())
    }
}

/// A reader without mappings refuses the whole and keeps what it has (2.1.9).
async fn old_readers(database: &Database) {
    database
        .run("ALTER TABLE flags RENAME COLUMN slug TO key; ALTER TABLE flags RENAME COLUMN is_default TO enabled")
        .await;
    database.run("ALTER TABLE flags RENAME COLUMN pct TO rollout_percentage; UPDATE flags SET stage = NULL").await;
    database.run("SELECT esclusa.watch('public.flags', mapping => 'null')").await;
    let flags = Flags::new();
    let syncing = keep_fresh(Plain(database::connect(&database.url).await), &flags, 30);
    until("the start", &syncing, || is_on(&flags, "crm", "t1")).await;
    database
        .run("SELECT esclusa.watch('public.flags', mapping => '{\"esclusa_mapping\": 1, \"label\": \"title\"}')")
        .await;
    until("the refusal", &syncing, || error(&syncing).contains("tables")).await;
    assert!(is_on(&flags, "crm", "t1") && syncing.status().state == State::Failing);
}

/// What cannot fit is refused when it is written, and nothing is changed.
async fn refusals(database: &Database) {
    database.run("CREATE TABLE bare (x text); CREATE TABLE flags_eu (slug text); CREATE SCHEMA other").await;
    database.run("CREATE TABLE other.flags (flag_id bigint, tenant text)").await;
    let side = |table: &str| {
        format!(
            r#"{{"esclusa_mapping": 1, "name": "slug", "enabled": "is_default", "side": [{{"table": "{table}", "flag": "flag_id", "as": "company", "id": "tenant"}}]}}"#
        )
    };
    for (mapping, said) in [
        ("[]".to_owned(), "expected an object with `\"esclusa_mapping\": 1`"),
        (r#"{"esclusa_mapping": 2, "name": "slug"}"#.to_owned(), "expected an object with `\"esclusa_mapping\": 1`"),
        (r#"{"esclusa_mapping": 1, "nmae": "slug"}"#.to_owned(), "mapping, `nmae`: is no entry that is known here"),
        (mapping("").replace("\"pct\"", "\"share\""), "`public.flags` has no column `share`, which the mapping names"),
        (mapping("").replace("\"pct\"", r#"{"column": "share", "of": 1}"#), "`public.flags` has no column `share`"),
        (mapping("").replace("\"is_on\"", "\"on\""), "`public.flag_tenants` has no column `on`"),
        (mapping(r#", "overrides": {"on": {"users": "vips"}}"#), "has no column `vips`"),
        (mapping(r#", "require": {"tier": {"column": "tiers"}}"#), "has no column `tiers`"),
        (mapping(r#", "fold": {"kind": {"column": "title", "id": "who", "as": {}}}"#), "has no column `who`"),
        (mapping(r#", "value": {"column": "title", "kind": "sort"}"#), "has no column `sort`"),
        (
            mapping("").replace("\"is_default\"", r#"{"all": ["is_default", {"column": "gate"}]}"#),
            "has no column `gate`",
        ),
        (side("nowhere"), "there is no table `nowhere`, which `side` of the mapping names"),
        (side("flags"), "has no column `flag_id`"),
        (mapping(r#", "table": "flags_eu""#), "`flags_eu` is another table than `public.flags`"),
        (r#"{"esclusa_mapping": 1, "enabled": "is_default"}"#.to_owned(), "mapping, `name`: is missing"),
        (r#"{"esclusa_mapping": 1, "name": "slug"}"#.to_owned(), "mapping, `enabled`: is missing"),
        ("null".to_owned(), "has no column that names a flag"),
    ] {
        let refused = database.refused(&format!("SELECT esclusa.watch('public.flags', mapping => '{mapping}')")).await;
        assert!(refused.contains(said), "{mapping}: {refused}");
    }
    // Every name of the schema is known to the database.
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../spec/mapping.schema.json")).unwrap();
    for entry in schema["properties"].as_object().unwrap().keys() {
        let sql = format!(
            "SELECT esclusa.watch('public.flags', mapping => '{{\"esclusa_mapping\": 1, \"{entry}\": \"nothing\"}}')"
        );
        let refused = database.refused(&sql).await;
        assert!(!refused.contains("is no entry that is known here"), "{refused}");
    }
    // Side tables of other schemas and spellings; each change of the mapping takes triggers away and puts them on.
    let triggers = "SELECT string_agg(DISTINCT tgrelid::regclass::text, ' ' ORDER BY tgrelid::regclass::text) FROM pg_trigger WHERE tgname ~ '^esclusa_'";
    assert_eq!(database.text(triggers).await, "flag_tenants flags");
    database.run("ALTER TABLE flag_tenants RENAME TO \"FlagTenants\"").await;
    for (table, expected) in [("other.flags", "flags other.flags"), ("FlagTenants", "\"FlagTenants\" flags")] {
        database.run(&format!("SELECT esclusa.watch('public.flags', mapping => '{}')", side(table))).await;
        assert_eq!(database.text(triggers).await, expected);
    }
    database.run("SELECT esclusa.watch('public.flags')").await;
    assert_eq!(
        database.text("SELECT mapping -> 'side' -> 0 ->> 'table' FROM esclusa.watched").await,
        "FlagTenants",
        "it stays"
    );
}

/// A flag is off for everybody, or the error says what to write and nothing is changed.
async fn rollbacks(server: &esclusa_loopback::Postgres) {
    let base = r#""esclusa_mapping": 1, "name": "slug""#;
    let side = r#""side": [{"table": "tenants", "flag": "slug", "as": "company", "id": "tenant"}]"#;
    let switched = r#""side": [{"table": "tenants", "flag": "slug", "as": "company", "id": "tenant", "enabled": {"column": "state", "on": "LIVE", "off": "DARK"}}]"#;
    for (number, (entries, said, left)) in [
        (r#""enabled": "gate""#.to_owned(), "", "gate=false"),
        (r#""enabled": {"column": "killed", "invert": true}"#.to_owned(), "", "killed=true"),
        (r#""enabled": {"column": "state", "on": "LIVE", "off": "DARK"}"#.to_owned(), "", "state=DARK"),
        (r#""enabled": {"all": ["gate", "killed"]}"#.to_owned(), "", "gate=false"),
        (format!(r#""default": "gate", {switched}"#), "", "gate=false tenant=DARK"),
        (format!(r#""enabled": "gate", {side}"#), "", "gate=false"),
        (format!(r#""default": "gate", {side}"#), "DELETE FROM public.tenants WHERE slug", ""),
        (
            r#""default": "gate", "overrides": {"on": {"users": "vips"}}"#.to_owned(),
            "UPDATE public.flags SET vips = NULL WHERE slug",
            "",
        ),
        (r#""enabled": {"column": "settings", "at": "on"}"#.to_owned(), "UPDATE public.flags SET … WHERE slug", ""),
        (r#""enabled": {"const": true}"#.to_owned(), "UPDATE public.flags SET … WHERE slug", ""),
        (
            r#""each": "field", "name": "settings", "enabled": "gate""#.to_owned(),
            "has its keys inside JSON: UPDATE public.flags",
            "",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let database = Database::new(server, &format!("rollback_{number}"), &[MIGRATION]).await;
        let entries = if entries.contains("\"name\"") {
            format!("\"esclusa_mapping\": 1, {entries}")
        } else {
            format!("{base}, {entries}")
        };
        let sql = format!(
            "CREATE TYPE state AS ENUM ('LIVE', 'DARK');
             CREATE TABLE flags (slug text, gate boolean, killed boolean, state state, vips text[], settings jsonb);
             CREATE TABLE tenants (slug text, tenant text, state state);
             INSERT INTO flags VALUES ('crm', true, false, 'LIVE', '{{ana}}', '{{\"on\": true}}'), ('pay', true, false, 'LIVE', NULL, NULL);
             INSERT INTO tenants VALUES ('crm', 't1', 'LIVE'), ('pay', 't1', 'LIVE');
             SELECT esclusa.watch('public.flags', mapping => '{{{entries}}}')"
        );
        database.run(&sql).await;
        let state =
            "SELECT concat_ws(' ', CASE WHEN NOT gate THEN 'gate=false' END, CASE WHEN killed THEN 'killed=true' END,
            CASE WHEN f.state = 'DARK' THEN 'state=DARK' END, CASE WHEN t.state = 'DARK' THEN 'tenant=DARK' END)
            FROM flags f JOIN tenants t USING (slug) WHERE slug = ";
        if said.is_empty() {
            database.run("SELECT esclusa.emergency_rollback('crm')").await;
        } else {
            let refused = database.refused("SELECT esclusa.emergency_rollback('crm')").await;
            assert!(refused.contains(said), "{entries}: {refused}");
        }
        assert_eq!(database.text(&format!("{state}'crm'")).await, left, "{entries}");
        assert_eq!(database.text(&format!("{state}'pay'")).await, "", "{entries}");
    }
}

/// A backup brings mapping and triggers along; running the file again over the version before mappings keeps everything.
async fn backup(server: &esclusa_loopback::Postgres) {
    let database = database(server, "whole").await;
    let file = std::env::temp_dir().join(format!("esclusa-mapping-{}", std::process::id()));
    let mut dump = server.client("pg_dump").unwrap();
    assert!(dump.args(["-Fc", "-d", "whole", "-f"]).arg(&file).status().unwrap().success());
    let restored = Database::new(server, "restored", &[]).await;
    let restore = server.client("pg_restore").unwrap().args(["-d", "restored"]).arg(&file).output().unwrap();
    let _ = std::fs::remove_file(&file);
    assert!(restore.status.success(), "{}", String::from_utf8_lossy(&restore.stderr));
    let flags = Flags::new();
    let syncing = keep_fresh(source(&restored), &flags, 60_000);
    until("the start", &syncing, || is_on(&flags, "pay", "t1")).await;
    restored.run("UPDATE flag_tenants SET is_on = false").await;
    until("the side row", &syncing, || !is_on(&flags, "pay", "t1")).await;
    let before = database.text("SELECT revision::text FROM esclusa.revision").await;
    database.run(MIGRATION).await;
    assert!(database.text("SELECT revision::text FROM esclusa.revision").await > before);
    assert_eq!(database.text("SELECT mapping ->> 'name' FROM esclusa.watched").await, "slug");
}
