//! The history of tables of flags: what a statement changes, in one go, whatever the columns are called and hold.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

mod database;

use std::time::SystemTime;

use database::{CREATE, Database, MIGRATION, ROWS, connect, server};
use esclusa::{Context, FlagSet};

/// Everything in turn on one server: starting one takes longer than any of it.
#[tokio::test(flavor = "multi_thread")]
async fn history() {
    let server = server(&["app"]).await;
    words(&Database::new(&server, "words", &[MIGRATION]).await).await;
    bulk(&Database::new(&server, "bulk", &[MIGRATION, CREATE]).await).await;
    pairs(&Database::new(&server, "pairs", &[MIGRATION]).await).await;
    broken(&Database::new(&server, "broken", &[MIGRATION, CREATE, ROWS]).await).await;
    switches(&Database::new(&server, "switches", &[MIGRATION]).await).await;
    audit(&Database::new(&server, "audit", &[MIGRATION, CREATE, ROWS]).await).await;
}

/// The engine and the database read `enabled` alike (2.2.4).
async fn words(database: &Database) {
    let lists: serde_json::Value = serde_json::from_str(include_str!("../../spec/words.json")).unwrap();
    let off: Vec<&str> = lists["off"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let on = ["true", "t", "yes", "y", "on", "1", "enabled", "active"];
    let mut seen = [0, 0];
    for word in on.iter().chain(&off).chain(&["", "maybe", "10", "truee"]) {
        for word in [(*word).to_owned(), word.to_uppercase(), format!(" \t\n{word}\r\u{c} "), format!("\u{a0}{word}")] {
            let text = word.replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r").replace('\u{c}', "\\f");
            let set = FlagSet::from_json(format!(r#"[{{"name": "crm", "enabled": "{text}"}}]"#).as_bytes()).unwrap();
            let expected = set.is_enabled("crm", &Context::new("ana"), SystemTime::UNIX_EPOCH);
            let row = database.client.query_one("SELECT esclusa.is_on($1)", &[&word]).await.unwrap();
            assert_eq!(row.get::<_, bool>(0), expected, "{word:?}");
            seen[usize::from(expected)] += 1;
        }
    }
    assert_eq!(seen[1], 3 * on.len());
    // A rollback writes words for off.
    let row = database.client.query_one("SELECT esclusa.off_words()", &[]).await.unwrap();
    let written: Vec<String> = row.get(0);
    assert!(written.iter().all(|word| off.contains(&word.to_lowercase().as_str())), "{written:?}");
}

/// A statement costs its rows, not its checks times its rows.
async fn bulk(database: &Database) {
    let sql = "BEGIN; SET LOCAL track_functions = 'all';
        INSERT INTO feature_flags (name, enabled) SELECT 'f' || n, true FROM generate_series(1, 3000) AS n;
        UPDATE feature_flags SET rollout_percentage = 50; DELETE FROM feature_flags";
    database.run(sql).await;
    let calls = "SELECT string_agg(funcname || ' ' || calls, ', ' ORDER BY funcname COLLATE \"C\")
        FROM pg_stat_xact_user_functions WHERE funcname IN ('record', 'history_insert', 'distrust', 'raise_revision', 'tell')";
    let calls = database.text(calls).await;
    assert_eq!(calls, "distrust 3, history_insert 3, raise_revision 1, record 3, tell 9000");
    let written = "SELECT string_agg(action || ' ' || count, ', ' ORDER BY action) FROM (
        SELECT action::text, count(*) FROM release_history GROUP BY 1) AS counted";
    assert_eq!(database.text(written).await, "create 3000, delete 3000, rollout_update 3000");
    database.run("COMMIT").await;
}

/// Each row of history is about one flag, also where keys change, rows move, and one statement does several things.
async fn pairs(database: &Database) {
    let sql = "CREATE TABLE flags (id integer PRIMARY KEY, name text, enabled boolean, \"rolloutPercentage\" integer,
          place integer DEFAULT 1) PARTITION BY RANGE (id);
        CREATE TABLE flags_a PARTITION OF flags FOR VALUES FROM (0) TO (100);
        CREATE TABLE flags_b (LIKE flags); ALTER TABLE flags ATTACH PARTITION flags_b FOR VALUES FROM (100) TO (200);
        SELECT esclusa.watch('public.flags');
        INSERT INTO flags SELECT n, 'f' || n, n % 2 = 0, n FROM generate_series(1, 6) AS n";
    database.run(sql).await;
    let written = "SELECT string_agg(concat_ws(' ', action, flag_key, old_value ->> 'name', new_value ->> 'name',
          old_value ->> 'rolloutPercentage', new_value ->> 'rolloutPercentage', old_value ->> 'id', new_value ->> 'id'),
          ', ' ORDER BY flag_key, action) FROM release_history";
    for (sql, expected) in [
        (
            "UPDATE flags SET \"rolloutPercentage\" = 10 + id WHERE id < 4",
            "rollout_update f1 1 11, rollout_update f2 2 12, rollout_update f3 3 13",
        ),
        (
            "UPDATE flags SET id = id + 50, name = 'g' || id WHERE id IN (1, 6)",
            "update g1 f1 g1 1 51, update g6 f6 g6 6 56",
        ),
        ("UPDATE flags SET id = id + 100 WHERE id IN (4, 5, 51)", "update f4 4 104, update f5 5 105, update g1 51 151"),
        (
            "INSERT INTO flags VALUES (2, 'f2', true, 77), (8, 'f8', true, 8)
             ON CONFLICT (id) DO UPDATE SET \"rolloutPercentage\" = excluded.\"rolloutPercentage\"",
            "rollout_update f2 12 77, create f8 f8 8 8",
        ),
        (
            "WITH gone AS (DELETE FROM flags WHERE id = 8 RETURNING id)
             UPDATE flags SET enabled = NOT enabled FROM gone WHERE flags.id IN (2, 3)",
            "disable f2, enable f3, delete f8 f8 8 8",
        ),
        ("UPDATE flags_b SET enabled = true WHERE id = 105", "enable f5"),
        ("INSERT INTO flags_b (id, name, enabled) VALUES (150, 'direct', true)", "create direct direct 150"),
        ("UPDATE flags SET place = place", ""),
        (
            "CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE TRIGGER drop_row BEFORE INSERT ON flags_b FOR EACH ROW EXECUTE FUNCTION drop_row();
             UPDATE flags SET id = CASE id WHEN 2 THEN 120 ELSE 13 END WHERE id IN (2, 3); DROP TRIGGER drop_row ON flags_b",
            "delete f2 f2 77 2, create f3 f3 13 13, delete f3 f3 13 3",
        ),
        ("TRUNCATE flags_b", "delete direct direct 150, delete f4 f4 4 104, delete f5 f5 5 105, delete g1 g1 11 151"),
    ] {
        database.run("TRUNCATE release_history").await;
        database.run(sql).await;
        let written = database.client.query_one(written, &[]).await.unwrap().get::<_, Option<String>>(0);
        assert_eq!(written.unwrap_or_default(), expected, "{sql}");
    }
}

/// A statement that changes no row needs no history; one that leaves a flag on does.
async fn broken(database: &Database) {
    database.run("DROP TABLE release_history; UPDATE feature_flags SET enabled = true WHERE false").await;
    database.run("UPDATE feature_flags SET enabled = false; UPDATE feature_flags SET description = 'x'").await;
    let refused = database.refused("UPDATE feature_flags SET enabled = name = 'crm'").await;
    assert!(refused.contains("release_history"), "{refused}");
    let refused = database.refused("DELETE FROM feature_flags").await;
    assert!(refused.contains("release_history"), "{refused}");
    // The first version's name of a trigger is free again, and the history comes back.
    database.run("SELECT esclusa.watch('public.feature_flags'); UPDATE feature_flags SET enabled = true").await;
    assert_eq!(database.text("SELECT string_agg(DISTINCT action, ' ') FROM release_history").await, "enable");
}

/// A rollback finds the word that the column takes.
async fn switches(database: &Database) {
    database.run("CREATE TYPE state AS ENUM ('ENABLED', 'DISABLED'); CREATE DOMAIN flag AS boolean NOT NULL").await;
    for (number, (column, on, off)) in [
        ("boolean", "true", "false"),
        ("flag", "true", "false"),
        ("smallint", "1", "0"),
        ("numeric(1,0)", "1", "0"),
        ("bit", "1", "0"),
        ("jsonb", "true", "false"),
        ("text", "yes", "false"),
        ("state", "ENABLED", "DISABLED"),
        ("char(1) CHECK (enabled IN ('Y', 'N'))", "Y", "N"),
        ("varchar(3) CHECK (enabled IN ('on', 'off'))", "on", "off"),
        ("text CHECK (enabled IN ('Active', 'Inactive'))", "Active", "Inactive"),
    ]
    .into_iter()
    .enumerate()
    {
        let table = format!("flags_{number}");
        let sql = format!(
            "CREATE TABLE {table} (key text, enabled {column}); SELECT esclusa.watch('public.{table}');
             INSERT INTO {table} VALUES ('f{number}', '{on}'); SELECT esclusa.emergency_rollback('f{number}')"
        );
        database.run(&sql).await;
        assert_eq!(database.text(&format!("SELECT enabled::text FROM {table}")).await, off, "{column}");
        let written =
            format!("SELECT action FROM release_history WHERE flag_key = 'f{number}' ORDER BY ctid DESC LIMIT 1");
        assert_eq!(database.text(&written).await, "emergency_rollback", "{column}");
    }
    // Names that the engine does not read are not watched: every flag would be off.
    for (columns, problem) in [
        ("name text, is_enabled boolean", "has no column that switches a flag on and off, expected `enabled`"),
        ("slug text, enabled boolean", "has no column that names a flag, expected `name` or `key`"),
        ("\"Name\" text, \"Enabled\" boolean", "has no column that names a flag"),
    ] {
        database.run(&format!("CREATE TABLE other_columns ({columns})")).await;
        let refused = database.refused("SELECT esclusa.watch('public.other_columns')").await;
        assert!(refused.contains(problem) && refused.contains("a view can give columns other names"), "{refused}");
        database.run("DROP TABLE other_columns").await;
    }
}

/// Who did it: what was said, whom the token names, and who was connected, each for itself.
async fn audit(database: &Database) {
    let (ana, bob) = ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222");
    database.run("GRANT SELECT, UPDATE ON feature_flags TO app; SELECT esclusa.allow('app')").await;
    let app = connect(&database.url_of("app")).await;
    let claims = format!("SET request.jwt.claims = '{{\"sub\": \"{ana}\"}}'");
    for sql in [
        claims.as_str(),
        &format!("SELECT esclusa.emergency_rollback('crm', '{bob}')"),
        "UPDATE feature_flags SET enabled = true WHERE name = 'crm'",
        "SET request.jwt.claims = '{\"sub\": \"auth0|42\"}'",
        "UPDATE feature_flags SET rollout_percentage = 7 WHERE name = 'crm'",
        "SET request.jwt.claims = 'no JSON'; SET esclusa.action = 'emergency_rollback'",
        "UPDATE feature_flags SET enabled = true, rollout_percentage = 8 WHERE name = 'crm'",
        "SET esclusa.action = ''; SELECT esclusa.emergency_rollback('qr', 'nobody at all')",
    ] {
        app.batch_execute(sql).await.unwrap();
    }
    let query = "SELECT concat_ws(' ', action, flag_key, coalesce(left(performed_by::text, 1), '-'),
        coalesce(left(said_by, 6), '-'), coalesce(left(token_subject, 8), '-'), database_user)
        FROM release_history WHERE action <> 'create' ORDER BY ctid";
    let written: Vec<String> = database.client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(
        written,
        [
            "emergency_rollback crm 2 222222 11111111 app",
            "enable crm 1 - 11111111 app",
            "rollout_update crm - - auth0|42 app",
            "rollout_update crm - - - app",
            "emergency_rollback qr - nobody - app",
        ]
    );
}
