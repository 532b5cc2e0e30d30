//! What people did with features, in the users' own table: no row spoils another, nobody who reads flags hears of it, and the
//! figures are what the rows say.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod database;

use database::{CREATE, Database, MIGRATION, READER, refused, server};
use esclusa_sync::GUARD_MIGRATION;

/// The table of the users' notes.
const TABLES: &str = "CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid PRIMARY KEY); CREATE TABLE companies (id uuid PRIMARY KEY);
    INSERT INTO auth.users VALUES ('11111111-1111-1111-1111-111111111111'), ('22222222-2222-2222-2222-222222222222');
    CREATE TABLE feature_usage (id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      feature_flag_id uuid REFERENCES feature_flags(id), user_id uuid REFERENCES auth.users(id),
      company_id uuid REFERENCES companies(id), action varchar(100), metadata jsonb, created_at timestamptz DEFAULT now());
    INSERT INTO feature_flags (name, enabled) VALUES ('crm', true), ('quiet', true)";
const ANA: &str = "11111111-1111-1111-1111-111111111111";
const EVA: &str = "22222222-2222-2222-2222-222222222222";

#[tokio::test(flavor = "multi_thread")]
async fn usage() {
    let server = server(&["reader", "boss"]).await;
    let own = Database::new(&server, "own", &[MIGRATION, CREATE, TABLES, GUARD_MIGRATION]).await;
    assert_eq!(own.text("SELECT esclusa.usage()").await, "public.feature_usage");
    own.run(READER).await;
    let app = database::connect(&own.url_of("reader")).await;
    assert!(refused(&app, "SELECT esclusa.write_usage('[]')").await.contains("permission denied"));
    own.run("SELECT esclusa.allow_guard('reader', '{write_usage}')").await;
    let write = async |rows: String| -> i64 {
        app.query_one("SELECT esclusa.write_usage($1::text::jsonb)", &[&rows]).await.unwrap().get(0)
    };
    let revision = own.text("SELECT revision::text FROM esclusa.revision").await;

    let rows = format!(
        r#"[{{"flag": "crm", "user": "{ANA}", "action": "view", "arm": "on"}},
            {{"flag": "crm", "user": "{ANA}", "action": "view", "arm": "on"}},
            {{"flag": "crm", "user": "{ANA}", "action": "click", "arm": "on", "duration_ms": 100}},
            {{"flag": "crm", "user": "{ANA}", "action": "feedback", "value": 4, "arm": "on"}},
            {{"flag": "crm", "user": "{EVA}", "action": "use", "arm": "off", "duration_ms": 50}},
            {{"flag": "crm", "user": "nobody", "company": "acme", "action": "error", "arm": "on", "at": "2999-01-01T00:00:00Z"}},
            {{"flag": "gone", "user": "{EVA}", "action": "view", "step": "payment"}}]"#
    );
    assert_eq!(write(rows).await, 6, "who has seen it today is not written again");
    let view = format!(r#"[{{"flag": "crm", "user": "{ANA}", "action": "view", "arm": "on"}}]"#);
    assert_eq!(write(view).await, 0);
    let unknown = "SELECT metadata::text FROM feature_usage WHERE user_id IS NULL";
    assert_eq!(own.text(unknown).await, r#"{"arm": "on", "user": "nobody", "company": "acme"}"#);
    let gone = "SELECT metadata::text FROM feature_usage WHERE feature_flag_id IS NULL";
    assert_eq!(own.text(gone).await, r#"{"flag": "gone", "step": "payment"}"#);
    assert_eq!(own.text("SELECT count(*)::text FROM feature_usage WHERE created_at > now()").await, "0");
    let figures =
        "SELECT concat_ws(' ', usage_count, error_rate, performance_impact, adoption_rate, user_feedback_score)
        FROM esclusa.metrics WHERE flag = 'crm'";
    assert_eq!(own.text(figures).await, "4 0.5 1 0.5 4");
    let quiet = "SELECT usage_count || coalesce(error_rate::text, ' none') FROM esclusa.metrics WHERE flag = 'quiet'";
    assert_eq!(own.text(quiet).await, "0 none");

    // One unknown user among 500.
    let row = |at: usize| {
        let user = if at == 7 { "somebody" } else { EVA };
        format!(r#"{{"flag": "crm", "user": "{user}", "action": "use", "arm": "on"}}"#)
    };
    let all = |count: usize| format!("[{}]", (0..count).map(row).collect::<Vec<_>>().join(","));
    assert_eq!(write(all(500)).await, 500);
    assert_eq!(own.text("SELECT count(*)::text FROM feature_usage WHERE user_id IS NULL").await, "2");
    for (rows, says) in [
        (all(501), "at most 500 objects"),
        ("{}".to_owned(), "expected an array"),
        ("[1]".to_owned(), "expected an array"),
    ] {
        let said = refused(&app, &format!("SELECT esclusa.write_usage('{rows}')")).await;
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(own.text("SELECT revision::text FROM esclusa.revision").await, revision, "no app hears of usage");

    // Who sees the figures is said by people, and stays so.
    let boss = database::connect(&own.url_of("boss")).await;
    assert!(refused(&boss, "SELECT * FROM esclusa.metrics").await.contains("permission denied"));
    own.run("GRANT USAGE ON SCHEMA esclusa TO boss; GRANT SELECT ON esclusa.metrics TO boss").await;
    own.run(MIGRATION).await;
    own.run(GUARD_MIGRATION).await;
    own.run("GRANT USAGE ON SCHEMA esclusa TO boss; SELECT esclusa.usage()").await;
    boss.query("SELECT * FROM esclusa.metrics", &[]).await.unwrap();
    assert_eq!(write(all(1)).await, 1);

    // Without a table of one's own, it is made.
    let made = Database::new(&server, "made", &[MIGRATION, CREATE, GUARD_MIGRATION]).await;
    made.run("INSERT INTO feature_flags (name, enabled) VALUES ('crm', true)").await;
    assert!(
        made.refused("SELECT esclusa.write_usage('[]')").await.contains("SELECT esclusa.usage('public.feature_flags')")
    );
    made.run("SELECT esclusa.usage(); SELECT esclusa.write_usage('[{\"flag\": \"crm\", \"user\": \"ana\", \"action\": \"view\"}]')").await;
    assert_eq!(made.text("SELECT user_id FROM feature_usage").await, "ana");
}
