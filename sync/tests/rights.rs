//! The migration as an attacker sees it: names put in its way, rights that a hosted database gives to everyone, and
//! tables whose owner is not the owner of the schema `esclusa`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what is wrong")]

mod database;

use std::collections::BTreeSet;
use std::fmt::Write;

use database::{CREATE, Database, MIGRATION, ROWS, WATCH, connect, refused, server};

/// Takes over if a superuser runs it.
const TRAP: &str = "BEGIN
    IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user)
      THEN ALTER ROLE evil SUPERUSER; END IF;
    RETURN NULL; END";

/// Everything in turn on one server: starting one takes longer than any of it.
#[tokio::test(flavor = "multi_thread")]
async fn rights() {
    let users = ["evil", "app", "reader", "anon", "authenticated", "service_role", "deploy"];
    let server = server(&users).await;
    decoys(&Database::new(&server, "decoys", &["CREATE SCHEMA other"]).await).await;
    hosted(&Database::new(&server, "hosted", &[]).await).await;
    kept_history(&Database::new(&server, "kept", &[]).await).await;
    owners(&Database::new(&server, "owners", &[]).await).await;
    casts(&Database::new(&server, "casts", &[]).await).await;
    prepared(&Database::new(&server, "prepared", &[]).await).await;
}

async fn is_taken_over(database: &Database) -> bool {
    let query = "SELECT rolsuper::text FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) 'evil'";
    database.text(query).await == "true"
}

/// The functions that the migration calls by a name of pg_catalog's, and the operators in it.
async fn names(database: &Database) -> (BTreeSet<String>, BTreeSet<String>) {
    let words: BTreeSet<&str> =
        MIGRATION.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
    let query = "SELECT DISTINCT proname::text FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace";
    let known: BTreeSet<String> =
        database.client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let functions = known.into_iter().filter(|name| words.contains(name.as_str())).collect();
    let query = "SELECT DISTINCT oprname::text FROM pg_operator";
    let known: Vec<String> = database.client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    (functions, known.into_iter().filter(|name| MIGRATION.contains(name.as_str())).collect())
}

/// A role that has CREATE on the schema, and nothing else, puts a better match for every function and operator into it.
async fn set_traps(database: &Database) {
    let (functions, operators) = names(database).await;
    assert!(functions.len() > 40 && operators.len() > 10, "{functions:?} {operators:?}");
    // Wherever the catalog's own signature is polymorphic, a concrete one fits better; else one of the same types, which
    // only wins where the schema comes first in the path.
    let query = "SELECT proname::text, (SELECT string_agg(CASE
            WHEN kind::regtype::text IN ('anyelement', 'anynonarray', 'anycompatible', 'any') THEN concrete
            WHEN kind::regtype::text IN ('anyarray', 'anycompatiblearray') THEN concrete || '[]'
            ELSE kind::regtype::text END, ', ' ORDER BY place)
          FROM unnest(proargtypes::oid[]) WITH ORDINALITY AS argument (kind, place))
        FROM pg_proc, unnest('{jsonb,text,bigint,numeric,integer,\"char\"}'::text[]) AS concrete
        WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind IN ('f', 'a') AND proname = ANY ($1)
          AND NOT 'internal'::regtype::oid = ANY (proargtypes::oid[])";
    let functions: Vec<String> = functions.into_iter().collect();
    let mut made = BTreeSet::new();
    let evil = connect(&database.url_of("evil")).await;
    for row in database.client.query(query, &[&functions]).await.unwrap() {
        let (name, arguments): (String, Option<String>) = (row.get(0), row.get(1));
        let arguments = arguments.unwrap_or_default();
        if made.insert((name.clone(), arguments.clone())) {
            let sql = format!(
                "CREATE FUNCTION public.\"{name}\"({arguments}) RETURNS text LANGUAGE plpgsql AS $trap$ {TRAP} $trap$"
            );
            // Some types take no part in functions of users.
            let _ = evil.batch_execute(&sql).await;
        }
    }
    let types = [
        "text",
        "integer",
        "bigint",
        "numeric",
        "double precision",
        "jsonb",
        "json",
        "boolean",
        "oid",
        "name",
        "regclass",
        "timestamptz",
        "text[]",
        "varchar",
        "\"char\"",
        "interval",
    ];
    let mut sql = String::new();
    for left in types {
        for right in types {
            let function = format!("public.trap({left}, {right})");
            write!(sql, "CREATE FUNCTION {function} RETURNS boolean LANGUAGE plpgsql AS $trap$ {TRAP} $trap$;")
                .unwrap();
            for operator in &operators {
                write!(
                    sql,
                    "CREATE OPERATOR public.{operator} (LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = public.trap);"
                )
                .unwrap();
            }
        }
    }
    evil.batch_execute(&sql).await.unwrap();
    let query = "SELECT pg_catalog.count(*)::text FROM pg_proc
        WHERE pronamespace OPERATOR(pg_catalog.=) 'public'::regnamespace::oid";
    let count = database.text(query).await;
    assert!(count.parse::<u32>().unwrap() > 300, "{count} traps");
}

async fn decoys(database: &Database) {
    database.run("GRANT CREATE ON SCHEMA public TO evil").await;
    set_traps(database).await;
    assert!(!is_taken_over(database).await);
    // The traps work, or the test would prove nothing.
    let _ = database.client.batch_execute("SELECT 1::numeric * 1").await;
    assert!(is_taken_over(database).await, "a superuser who names an operator alone is caught");
    database.run("ALTER ROLE evil NOSUPERUSER").await;

    for path in ["\"$user\", public", "public, pg_catalog"] {
        for sql in [
            MIGRATION,
            "SELECT esclusa.create_flags('other.feature_flags')",
            "SELECT esclusa.watch('other.feature_flags')",
            "GRANT USAGE ON SCHEMA other TO app",
            "GRANT ALL ON other.feature_flags TO app",
            "SELECT esclusa.allow('app')",
            "SELECT esclusa.expose('other')",
        ] {
            if path != "public, pg_catalog" || !sql.contains("create_flags") {
                database.run(&format!("SET search_path = {path}; {sql}; RESET search_path")).await;
                assert!(!is_taken_over(database).await, "{sql} with {path}");
            }
        }
        let app = connect(&database.url_of("app")).await;
        for (who, client) in [("an ordinary user", &app), ("the superuser", &database.client)] {
            let first = format!("SET search_path = {path}");
            client.batch_execute(&first).await.unwrap();
            for sql in [
                "INSERT INTO other.feature_flags (name, enabled, rollout_percentage) VALUES ('crm', true, 50)",
                "UPDATE other.feature_flags SET rollout_percentage = 20",
                "UPDATE other.feature_flags SET description = 'x'",
                "SELECT * FROM esclusa.ask()",
                "SELECT * FROM esclusa.ask(1, 'other.feature_flags')",
                "SELECT esclusa.snapshot()",
                "SELECT esclusa.emergency_rollback('crm')",
                "SELECT esclusa.emergency_rollback('crm', 'ana', 'other.feature_flags')",
                "SELECT other.esclusa_ask()",
                "DELETE FROM other.feature_flags",
                "TRUNCATE other.feature_flags",
            ] {
                client.batch_execute(sql).await.unwrap_or_else(|problem| panic!("{sql}: {problem:?}"));
                assert!(!is_taken_over(database).await, "{sql} by {who} with {path}");
            }
            client.batch_execute("RESET search_path").await.unwrap();
        }
        let compare = "UPDATE esclusa.watched SET compared_at = NULL";
        database.client.batch_execute(compare).await.unwrap();
        app.batch_execute("SELECT * FROM esclusa.ask()").await.unwrap();
        assert!(!is_taken_over(database).await, "comparing with {path}");
    }
    let sql = "SELECT pg_catalog.string_agg(proname, ', ') FROM pg_catalog.pg_proc
        WHERE pronamespace OPERATOR(pg_catalog.=) pg_catalog.to_regnamespace('esclusa')::oid
          AND NOT (proconfig::text OPERATOR(pg_catalog.~) 'search_path=pg_catalog, pg_temp') IS TRUE";
    let open: Option<String> = database.client.query_one(sql, &[]).await.unwrap().get(0);
    let mut open: Vec<String> = open.unwrap_or_default().split(", ").map(str::to_owned).collect();
    open.sort();
    assert_eq!(open, ["ask", "emergency_rollback", "snapshot"], "the others find nothing but pg_catalog");
}

/// Supabase's roles, and what it grants them of everything that is made.
const HOSTED: &str = "
    GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;";

/// Whatever a role may do with what the migration has made.
const RIGHTS: &str = "SELECT coalesce(string_agg(what, ', ' ORDER BY what), '') FROM (
    SELECT oid::regclass::text || ' ' || need AS what
    FROM pg_class, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS need
    WHERE relnamespace IN ('public'::regnamespace, 'esclusa'::regnamespace) AND relkind IN ('r', 'v', 'p')
      AND has_table_privilege($1, oid, need)
    UNION ALL SELECT oid::regprocedure::text FROM pg_proc
    WHERE pronamespace IN ('public'::regnamespace, 'esclusa'::regnamespace) AND has_function_privilege($1, oid, 'EXECUTE')
    UNION ALL SELECT nspname || ' ' || need FROM pg_namespace, unnest('{USAGE,CREATE}'::text[]) AS need
    WHERE nspname = 'esclusa' AND has_schema_privilege($1, oid, need)) AS rights";

async fn hosted(database: &Database) {
    let rights = async |role: &str| {
        let row = database.client.query_one(RIGHTS, &[&role]).await.unwrap();
        row.get::<_, String>(0)
    };
    for sql in [HOSTED, MIGRATION, CREATE, ROWS, "SELECT esclusa.expose('public')", MIGRATION] {
        database.run(sql).await;
    }
    for role in ["anon", "authenticated", "service_role", "app"] {
        assert_eq!(rights(role).await, "", "{role}");
        let client = connect(&database.url_of(role)).await;
        for sql in [
            "SELECT new_value FROM release_history",
            "INSERT INTO release_history (action) VALUES ('emergency_rollback')",
            "DELETE FROM release_history",
            "TRUNCATE release_history",
            "INSERT INTO feature_flags (name, enabled) VALUES ('x', true)",
            "TRUNCATE feature_flags",
            "TRUNCATE esclusa.watched",
            "SELECT * FROM esclusa.revision",
            "SELECT esclusa.ask()",
            "SELECT esclusa.emergency_rollback('crm')",
            "SELECT esclusa.raise_revision('public.feature_flags')",
            "SELECT esclusa_ask()",
        ] {
            assert!(refused(&client, sql).await.contains("permission denied"), "{role}: {sql}");
        }
    }
    database.run("SELECT esclusa.allow('anon')").await;
    let allowed = rights("anon").await;
    for closed in
        ["watch(", "allow(", "tell(", "record(", "raise_revision(", "history_insert(", "INSERT", "TRUNCATE", "CREATE"]
    {
        assert!(!allowed.contains(closed), "{closed} in {allowed}");
    }
    assert!(allowed.contains("esclusa.ask(") && allowed.contains("esclusa_ask("), "{allowed}");
    // Everything that `ask` calls for the caller takes no more than the caller's rights.
    let anon = connect(&database.url_of("anon")).await;
    assert!(refused(&anon, "SELECT * FROM esclusa.ask()").await.contains("permission denied for table feature_flags"));
    let sql = "GRANT SELECT ON feature_flags TO anon; ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY";
    database.run(sql).await;
    assert!(refused(&anon, "SELECT * FROM esclusa.ask()").await.contains("row-level security is active"));
    assert!(refused(&anon, "SELECT esclusa_ask()").await.contains("row-level security is active"));
    let sql = "CREATE POLICY one ON feature_flags FOR SELECT TO anon USING (name = 'qr'); RESET ROLE";
    database.run(sql).await;
    let seen: String = anon.query_one("SELECT esclusa_ask()::text", &[]).await.unwrap().get(0);
    assert!(seen.contains("\"qr\"") && !seen.contains("\"crm\""), "{seen}");
    // A wrapper of PostgREST answers with an entity tag, and with 304 to who has it.
    let sql = "BEGIN; SELECT set_config('request.headers', json_build_object('if-none-match', format('W/\"%s\"', revision))::text, true)
        FROM esclusa.revision; SELECT esclusa_ask()";
    anon.batch_execute(sql).await.unwrap();
    let told = anon.query_one("SELECT current_setting('response.status') || current_setting('response.headers')", &[]);
    let told: String = told.await.unwrap().get(0);
    assert!(told.starts_with("304") && told.contains("ETag"), "{told}");
    assert!(database.refused("SELECT esclusa.allow('public')").await.contains("nothing is granted to PUBLIC"));
}

/// A history that exists keeps its rights; what makes it forgeable is said, and what would run with more rights is not
/// written.
async fn kept_history(database: &Database) {
    let history = "CREATE TABLE feature_flags (id serial PRIMARY KEY, name text, enabled boolean);
        CREATE TABLE release_history (feature_flag_id integer, action text, old_value jsonb, new_value jsonb,
          performed_by uuid);
        CREATE POLICY all_may ON release_history USING (true); GRANT ALL ON release_history TO anon;
        GRANT SELECT ON release_history TO reader";
    for sql in [history, MIGRATION, WATCH] {
        database.run(sql).await;
    }
    let kept = database
        .text(
            "SELECT has_table_privilege('reader', 'release_history', 'SELECT')::text
        || has_table_privilege('anon', 'release_history', 'INSERT')::text",
        )
        .await;
    assert_eq!(kept, "truetrue");
    // Who may put a trigger on it would have it run with the rights of the owner of `esclusa`.
    let sql = format!(
        "CREATE FUNCTION pg_temp.trap() RETURNS trigger LANGUAGE plpgsql AS $trap$ {TRAP} $trap$;
        CREATE TRIGGER trap BEFORE INSERT ON release_history FOR EACH ROW EXECUTE FUNCTION pg_temp.trap()"
    );
    let anon = connect(&database.url_of("anon")).await;
    anon.batch_execute(&sql.replace("ALTER ROLE evil", "ALTER ROLE anon")).await.unwrap();
    let problem = database.refused("INSERT INTO feature_flags (name, enabled) VALUES ('crm', true)").await;
    assert!(problem.contains("has the trigger `trap`, whose function belongs to anon"), "{problem}");
    drop(anon);
    let supers = "SELECT string_agg(rolname::text, ', ') FROM pg_roles WHERE rolsuper";
    assert_eq!(database.text(supers).await, "postgres");
    // Switching off is never refused for the sake of the history.
    let sql = "ALTER TABLE feature_flags DISABLE TRIGGER esclusa_record_insert;
        INSERT INTO feature_flags (name, enabled) VALUES ('crm', true);
        ALTER TABLE feature_flags ENABLE TRIGGER esclusa_record_insert;
        CREATE FUNCTION app_function() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        ALTER FUNCTION app_function() OWNER TO app;
        CREATE TRIGGER app_trigger BEFORE INSERT ON release_history FOR EACH ROW EXECUTE FUNCTION app_function();
        SELECT esclusa.emergency_rollback('crm')";
    database.run(sql).await;
    assert_eq!(database.text("SELECT enabled::text FROM feature_flags").await, "false");
}

/// Tables of an owner who is not the owner of `esclusa`: nothing of theirs runs with its rights.
async fn owners(database: &Database) {
    let sql = "GRANT ALL ON SCHEMA public TO app; CREATE SCHEMA app AUTHORIZATION app; SET ROLE app;
        CREATE TABLE app.feature_flags (id uuid DEFAULT gen_random_uuid(), name text, enabled boolean);
        CREATE TABLE app.release_history (feature_flag_id uuid, action text, old_value jsonb, new_value jsonb,
          performed_by uuid); RESET ROLE";
    database.run(sql).await;
    database.run(MIGRATION).await;
    let problem = database.refused("SELECT esclusa.watch('app.feature_flags')").await;
    assert!(problem.contains("`app.release_history` belongs to app") && problem.contains("postgres"), "{problem}");
    database.run("DROP TABLE app.release_history; SELECT esclusa.watch('app.feature_flags')").await;
    let app = connect(&database.url_of("app")).await;
    app.batch_execute("INSERT INTO app.feature_flags (name, enabled) VALUES ('crm', true)").await.unwrap();
    assert_eq!(database.text("SELECT action::text FROM app.release_history").await, "create");
    // The owner of the schema puts another history in the place of the first.
    let sql = format!(
        "DROP TABLE app.release_history;
        CREATE TABLE app.release_history (feature_flag_id uuid, action text, old_value jsonb, new_value jsonb,
          performed_by uuid, database_user text, said_by text, token_subject text, flag_table text, flag_key text);
        CREATE FUNCTION app.trap() RETURNS trigger LANGUAGE plpgsql AS $trap$ {TRAP} $trap$;
        CREATE TRIGGER trap BEFORE INSERT ON app.release_history FOR EACH ROW EXECUTE FUNCTION app.trap()"
    );
    app.batch_execute(&sql).await.unwrap();
    let problem = refused(&app, "INSERT INTO app.feature_flags (name, enabled) VALUES ('qr', true)").await;
    assert!(problem.contains("`app.release_history` belongs to app"), "{problem}");
    app.batch_execute("UPDATE app.feature_flags SET enabled = false").await.unwrap();
    // A view in the place of the table is not read when the rows are compared.
    let sql = format!(
        "ALTER TABLE app.feature_flags RENAME TO old; CREATE FUNCTION app.reads() RETURNS text
          LANGUAGE plpgsql AS $trap$ {TRAP} $trap$;
        CREATE VIEW app.feature_flags AS SELECT id, app.reads() AS name, enabled FROM app.old"
    );
    app.batch_execute(&sql).await.unwrap();
    database.run("UPDATE esclusa.watched SET compared_at = NULL; SELECT esclusa.allow('app')").await;
    app.batch_execute("SELECT * FROM esclusa.ask()").await.unwrap();
    let compared = database.text("SELECT (compared_at IS NOT NULL)::text FROM esclusa.watched").await;
    assert_eq!(compared, "true", "the rows of the table below were compared");
    assert!(!is_taken_over(database).await);
    let beside = database.refused(CREATE).await;
    assert!(beside.contains("there is `app.feature_flags` already"), "no table beside one that is meant: {beside}");
    // The migration runs without a superuser too, and its owner's own history is written.
    let sql = "CREATE SCHEMA own AUTHORIZATION deploy; DROP SCHEMA esclusa CASCADE";
    database.run(sql).await;
    database.run("GRANT CREATE ON DATABASE owners TO deploy").await;
    let deploy = connect(&database.url_of("deploy")).await;
    deploy.batch_execute(MIGRATION).await.unwrap();
    let sql = "SELECT esclusa.create_flags('own.toggles');
        INSERT INTO own.toggles (name, enabled) VALUES ('crm', true); SELECT esclusa.emergency_rollback('crm')";
    deploy.batch_execute(sql).await.unwrap();
    let written = database.text("SELECT string_agg(action, ' ' ORDER BY action::text) FROM own.release_history").await;
    assert_eq!(written, "create emergency_rollback");
    // Rows that this owner may not all read are not compared, and `ask` says so.
    let compared = "SELECT string_agg(is_compared::text, ' ') FROM esclusa.ask()";
    let is_compared: String = deploy.query_one(compared, &[]).await.unwrap().get(0);
    let sql = "ALTER TABLE own.toggles ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY all_rows ON own.toggles USING (name <> 'x')";
    deploy.batch_execute(sql).await.unwrap();
    let is_compared_later: String = deploy.query_one(compared, &[]).await.unwrap().get(0);
    assert_eq!([is_compared, is_compared_later], ["true", "false"]);
}

/// `to_jsonb` calls the casts of a row's types, and `::text` those of the row: its owner could have such one run.
async fn casts(database: &Database) {
    let cast = |from: &str, to: &str| {
        let name = from.replace(['.', '"', '[', ']'], "_") + to;
        let trap = TRAP.replace("RETURN NULL", "RETURN '1'");
        format!(
            "CREATE FUNCTION app.{name}({from}) RETURNS {to} LANGUAGE plpgsql AS $trap$ {trap} $trap$;
             CREATE CAST ({from} AS {to}) WITH FUNCTION app.{name}({from});"
        )
    };
    let casts: String = [
        ("app.mood", "json"),
        ("app.mood", "jsonb"),
        ("app.mood", "text"),
        ("app.word", "text"),
        ("app.feature_flags", "text"),
        ("app.feature_flags", "json"),
    ]
    .iter()
    .map(|(from, to)| cast(from, to))
    .collect();
    let sql = format!(
        "CREATE SCHEMA app AUTHORIZATION app; SET ROLE app; CREATE TYPE app.mood AS ENUM ('ok');
        CREATE TYPE app.word AS ENUM ('crm', 'qr'); CREATE TYPE app.inner AS (mood app.mood);
        CREATE TABLE app.feature_flags (id app.mood DEFAULT 'ok', name app.word, enabled boolean); {casts} RESET ROLE;
        INSERT INTO app.feature_flags VALUES ('ok', 'crm', true)"
    );
    database.run(&sql).await;
    database.run("SELECT f::text FROM app.feature_flags f").await;
    assert!(is_taken_over(database).await, "the traps work");
    database.run("ALTER ROLE evil NOSUPERUSER").await;
    database.run(MIGRATION).await;
    database.run("SELECT esclusa.watch('app.feature_flags'); SELECT esclusa.allow('app')").await;
    assert!(!is_taken_over(database).await, "watching");
    let app = connect(&database.url_of("app")).await;
    for kind in ["app.mood", "app.mood[]", "app.inner"] {
        let value = match kind {
            "app.mood" => "'ok'",
            "app.mood[]" => "'{ok}'",
            _ => "'(ok)'",
        };
        let sql = format!(
            "ALTER TABLE app.feature_flags ADD mood {kind} DEFAULT {value};
            INSERT INTO app.feature_flags (name, enabled) VALUES ('crm', true);
            UPDATE app.feature_flags SET enabled = false; DELETE FROM app.feature_flags; TRUNCATE app.feature_flags;
            INSERT INTO app.feature_flags (name, enabled) VALUES ('qr', true);
            SELECT esclusa.compare('app.feature_flags'); SELECT esclusa.ask();
            ALTER TABLE app.feature_flags DROP mood"
        );
        app.batch_execute(&sql).await.unwrap();
        assert!(!is_taken_over(database).await, "{kind}");
    }
}

/// A schema that somebody else has made is not built on.
async fn prepared(database: &Database) {
    database.run("CREATE SCHEMA esclusa AUTHORIZATION evil").await;
    assert!(database.refused(MIGRATION).await.contains("belongs to evil"));
    let sql = "ALTER SCHEMA esclusa OWNER TO postgres; CREATE FUNCTION esclusa.spelling(name text) RETURNS text
        LANGUAGE sql AS 'SELECT 1::text'; ALTER FUNCTION esclusa.spelling(text) OWNER TO evil";
    database.run(sql).await;
    assert!(database.refused(MIGRATION).await.contains("belongs to evil"));
}
