//! Rollbacks that something stands in the way of.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what is wrong")]

mod database;

use std::time::Duration;

use database::{CREATE, Database, MIGRATION, ROWS, WATCH, connect, refused, server};

/// Everything in turn on one server: starting one takes longer than any of it.
#[tokio::test(flavor = "multi_thread")]
async fn rollbacks() {
    let server = server(&["reader", "app"]).await;
    obstacles(&server).await;
    isolation(&Database::new(&server, "isolation", &[MIGRATION, CREATE, ROWS]).await).await;
    history_is_not_waited_for(&Database::new(&server, "held", &[MIGRATION, CREATE, ROWS]).await).await;
    writers_wait_for_none(&Database::new(&server, "waiting", &[MIGRATION, CREATE, ROWS]).await).await;
}

/// What stands in the way of a rollback is a warning, and the flag is off.
async fn obstacles(server: &esclusa_loopback::Postgres) {
    let columns = "name text, enabled boolean, rollout_percentage integer";
    let ana = "11111111-1111-1111-1111-111111111111";
    let history = "feature_flag_id text, action text, old_value jsonb, new_value jsonb, performed_by uuid";
    for (name, table) in [
        (
            "checked",
            format!("CREATE TABLE feature_flags (id text, {columns} CHECK (rollout_percentage BETWEEN 1 AND 100))"),
        ),
        (
            "generated",
            "CREATE TABLE feature_flags (id text, name text, enabled boolean, wanted integer,
               rollout_percentage integer GENERATED ALWAYS AS (wanted) STORED)"
                .to_owned(),
        ),
        (
            "users",
            format!(
                "CREATE TABLE users (id uuid PRIMARY KEY); CREATE TABLE feature_flags (id text, {columns});
              CREATE TABLE release_history ({history} REFERENCES users)"
            ),
        ),
        (
            "deferred",
            format!(
                "CREATE TABLE users (id uuid PRIMARY KEY); CREATE TABLE feature_flags (id text, {columns});
              CREATE TABLE release_history ({history} REFERENCES users DEFERRABLE INITIALLY DEFERRED)"
            ),
        ),
        ("capitals", format!("CREATE TABLE feature_flags (id text, {columns})")),
        (
            "stamped",
            format!(
                "CREATE TABLE feature_flags (id text, {columns}, updated_at timestamptz);
              CREATE TABLE log (at timestamptz); CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN INSERT INTO log VALUES (now()); RETURN NEW; END';
              CREATE TRIGGER log BEFORE UPDATE ON feature_flags FOR EACH ROW EXECUTE FUNCTION log()"
            ),
        ),
        ("history_gone", format!("CREATE TABLE feature_flags (id text, {columns})")),
        ("revision_gone", format!("CREATE TABLE feature_flags (id text, {columns})")),
        ("number", "CREATE TABLE feature_flags (id text, name text, enabled integer)".to_owned()),
        ("words", "CREATE TABLE feature_flags (id text, name text, enabled text)".to_owned()),
        (
            "policies",
            format!(
                "CREATE TABLE feature_flags (id text, {columns}); CREATE TABLE admins (who text);
              INSERT INTO admins VALUES ('app'); GRANT SELECT ON admins TO app;
              CREATE FUNCTION is_admin() RETURNS boolean LANGUAGE sql AS
                'SELECT EXISTS (SELECT FROM admins WHERE who = current_user)';
              ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY;
              CREATE POLICY admins ON feature_flags USING (is_admin())"
            ),
        ),
        ("one_column", format!("CREATE TABLE feature_flags (id text, {columns})")),
        ("citext", "CREATE TABLE feature_flags (id text, name varchar(20), enabled boolean)".to_owned()),
    ] {
        let database = Database::new(server, name, &[&table, MIGRATION, WATCH]).await;
        let insert = match name {
            "generated" => "INSERT INTO feature_flags (id, name, enabled, wanted) VALUES ('CRM-1', 'crm', true, 50)",
            "number" => "INSERT INTO feature_flags (id, name, enabled) VALUES ('CRM-1', 'crm', 1)",
            "words" | "citext" => "INSERT INTO feature_flags (id, name, enabled) VALUES ('CRM-1', 'crm', 'true')",
            _ => "INSERT INTO feature_flags VALUES ('CRM-1', 'crm', true, 50)",
        };
        database.run(insert).await;
        database.run("GRANT SELECT ON feature_flags TO app; SELECT esclusa.allow('app')").await;
        let rights = if name == "one_column" { "UPDATE (enabled)" } else { "UPDATE" };
        database.run(&format!("GRANT {rights} ON feature_flags TO app")).await;
        if name == "stamped" {
            database.run("GRANT INSERT ON log TO app; ALTER TABLE feature_flags RENAME updated_at TO changed").await;
        }
        if name == "history_gone" {
            database.run("DROP TABLE release_history").await;
        }
        if name == "revision_gone" {
            database.run("ALTER TABLE esclusa.change RENAME TO gone").await;
        }
        let app = connect(&database.url_of("app")).await;
        app.batch_execute("LISTEN esclusa").await.unwrap();
        let flag = if name == "capitals" { "CRM-1" } else { "crm" };
        let sql = format!("SELECT esclusa.emergency_rollback('{flag}', '{ana}')");
        app.batch_execute(&sql).await.unwrap_or_else(|problem| panic!("{name}: {problem:?}"));
        let off = database.text("SELECT enabled::text FROM feature_flags").await;
        assert!(off == "false" || off == "0", "{name}: {off}");
        if name != "history_gone" {
            let written = "SELECT string_agg(concat_ws(' ', action, flag_key, said_by IS NOT NULL), ', ' ORDER BY ctid)
                FROM release_history WHERE action <> 'create'";
            assert_eq!(database.text(written).await, "emergency_rollback crm t", "{name}");
        }
    }
    // Without a policy that lets it be changed the reason is said.
    let sql =
        "CREATE TABLE feature_flags (name text, enabled boolean); ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY;
        INSERT INTO feature_flags VALUES ('crm', true); CREATE POLICY reads ON feature_flags FOR SELECT USING (true);
        GRANT SELECT, UPDATE ON feature_flags TO app";
    let database = Database::new(server, "no_policy", &[sql, MIGRATION, WATCH, "SELECT esclusa.allow('app')"]).await;
    let app = connect(&database.url_of("app")).await;
    let said = refused(&app, "SELECT esclusa.emergency_rollback('crm')").await;
    assert!(said.contains("`crm` of `public.feature_flags` stays on: no policy lets app change it"), "{said}");
}

/// A flag without concurrent changes can be rolled back in any isolation, and where the flag itself is contested the
/// error says how.
async fn isolation(database: &Database) {
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        database.run("UPDATE feature_flags SET enabled = true").await;
        let other = connect(&database.url).await;
        let begin = format!("BEGIN ISOLATION LEVEL {level}; SELECT 1");
        other.batch_execute(&begin).await.unwrap();
        let sql = "SELECT count(*) FROM feature_flags WHERE name = 'pos'";
        other.batch_execute(sql).await.unwrap();
        // Another flag is changed, and its revision counted, meanwhile.
        database.run("UPDATE feature_flags SET enabled = false WHERE name = 'qr'").await;
        other.batch_execute("SELECT esclusa.emergency_rollback('crm'); COMMIT").await.unwrap();
        assert_eq!(
            database.text("SELECT enabled::text FROM feature_flags WHERE name = 'crm'").await,
            "false",
            "{level}"
        );
        other.batch_execute(&begin).await.unwrap();
        other.batch_execute(sql).await.unwrap();
        database.run("UPDATE feature_flags SET enabled = true WHERE name = 'crm'").await;
        let said = refused(&other, "SELECT esclusa.emergency_rollback('crm')").await;
        assert!(
            said.contains("could not serialize") && said.contains("ISOLATION LEVEL READ COMMITTED"),
            "{level}: {said}"
        );
        other.batch_execute("ROLLBACK").await.unwrap();
    }
}

/// Nor does a rollback wait for its history, or for the user who is named in it.
async fn history_is_not_waited_for(database: &Database) {
    let other = connect(&database.url).await;
    let ana = "11111111-1111-1111-1111-111111111111";
    let sql = format!(
        "CREATE TABLE users (id uuid PRIMARY KEY); INSERT INTO users VALUES ('{ana}');
        ALTER TABLE release_history ADD FOREIGN KEY (performed_by) REFERENCES users"
    );
    database.run(&sql).await;
    for (held, expected) in [("LOCK TABLE release_history", "0"), ("DELETE FROM users", "1")] {
        database.run("UPDATE feature_flags SET enabled = true; DELETE FROM release_history").await;
        database.run(&format!("BEGIN; {held}")).await;
        let roll_back = format!("SELECT esclusa.emergency_rollback('crm', '{ana}')");
        tokio::time::timeout(Duration::from_secs(10), other.batch_execute(&roll_back)).await.expect("in time").unwrap();
        database.run("ROLLBACK").await;
        assert_eq!(
            database.text("SELECT enabled::text FROM feature_flags WHERE name = 'crm'").await,
            "false",
            "{held}"
        );
        assert_eq!(database.text("SELECT count(*)::text FROM release_history").await, expected, "{held}");
    }
}

/// Neither constraints that are checked at once nor many at a time make one writer wait for another.
async fn writers_wait_for_none(database: &Database) {
    let sql = "BEGIN; SET CONSTRAINTS ALL IMMEDIATE; UPDATE feature_flags SET enabled = false WHERE name = 'qr'";
    database.run(sql).await;
    let other = connect(&database.url).await;
    other.batch_execute("SET lock_timeout = '1s'; SELECT esclusa.emergency_rollback('crm')").await.unwrap();
    database.run("COMMIT").await;
    let mut all = Vec::new();
    for _ in 0..20 {
        let client = connect(&database.url).await;
        all.push(tokio::spawn(async move { client.batch_execute("SELECT esclusa.emergency_rollback('pos')").await }));
    }
    for each in all {
        tokio::time::timeout(Duration::from_secs(20), each).await.unwrap().unwrap().unwrap();
    }
    let written = "SELECT count(*)::text FROM release_history WHERE flag_key = 'pos' AND action = 'emergency_rollback'";
    assert_eq!(database.text(written).await, "20");
}
