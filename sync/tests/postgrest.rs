//! The wrapper for PostgREST, called by the statements that PostgREST sends: the program itself is not run here.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod database;

use database::{CREATE, Database, MIGRATION, ROWS, connect, server};
use tokio_postgres::Client;

/// What PostgREST makes an answer of.
#[derive(Debug, PartialEq)]
struct Answer {
    body: String,
    headers: Option<String>,
    status: Option<String>,
}

/// As PostgREST 12 calls a function: a transaction, which is read-only for `GET`; the role of the token and what the request
/// holds as settings; the arguments as JSON in one parameter; and the response out of settings.
async fn call(
    client: &Client,
    role: &str,
    method: &str,
    headers: &str,
    arguments: &str,
) -> Result<Answer, tokio_postgres::Error> {
    let access = if method == "GET" { "READ ONLY" } else { "READ WRITE" };
    client.batch_execute(&format!("BEGIN ISOLATION LEVEL READ COMMITTED {access}")).await?;
    let settings = "SELECT set_config('search_path', $1, true), set_config('role', $2, true),
        set_config('request.jwt.claims', $3, true), set_config('request.method', $4, true),
        set_config('request.path', $5, true), set_config('request.headers', $6, true),
        set_config('request.cookies', $7, true)";
    let claims = r#"{"role": "anon", "sub": "11111111-1111-1111-1111-111111111111"}"#;
    client.query(settings, &[&"\"public\"", &role, &claims, &method, &"/rpc/esclusa_ask", &headers, &"{}"]).await?;
    let function = r#"WITH pgrst_source AS (
          SELECT pgrst_call.pgrst_scalar FROM (SELECT $1::text::json AS json_data) pgrst_payload,
          LATERAL (SELECT "known", "watched" FROM json_to_record(pgrst_payload.json_data)
            AS _("known" bigint, "watched" text) LIMIT 1) pgrst_body,
          LATERAL (SELECT "public"."esclusa_ask"("known" := pgrst_body."known", "watched" := pgrst_body."watched")
            AS pgrst_scalar) pgrst_call)
        SELECT coalesce(json_agg(_postgrest_t.pgrst_scalar)->0, 'null')::text AS body,
          nullif(current_setting('response.headers', true), '') AS response_headers,
          nullif(current_setting('response.status', true), '') AS response_status
        FROM (SELECT pgrst_source.* FROM pgrst_source) _postgrest_t"#;
    let answered = client.query_one(function, &[&arguments]).await;
    client.batch_execute(if answered.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    answered.map(|row| Answer { body: row.get(0), headers: row.get(1), status: row.get(2) })
}

#[tokio::test(flavor = "multi_thread")]
async fn postgrest() {
    let server = server(&["authenticator"]).await;
    let roles = "ALTER ROLE authenticator NOINHERIT; CREATE ROLE anon; GRANT anon TO authenticator;
        GRANT SELECT ON feature_flags TO anon; SELECT esclusa.allow('anon'); SELECT esclusa.expose('public')";
    let database = Database::new(&server, "app", &[MIGRATION, CREATE, ROWS, roles]).await;
    let client = connect(&database.url_of("authenticator")).await;
    // What is granted later is compared by the first who may write.
    database.run("GRANT SELECT ON feature_flags TO authenticator").await;
    let tag =
        database.text("SELECT json_build_object('if-none-match', revision::text)::text FROM esclusa.revision").await;
    for method in ["GET", "POST"] {
        assert!(call(&client, "anon", method, &tag, "{}").await.unwrap().body.contains("\"crm\""), "{method}");
    }
    for (method, arguments) in [("GET", "{}"), ("POST", "{}"), ("GET", r#"{"watched": "public.feature_flags"}"#)] {
        let whole = call(&client, "anon", method, "{}", arguments).await.unwrap();
        assert!(whole.body.contains("\"crm\"") && whole.status.is_none(), "{whole:?}");
        let revision = database.text("SELECT revision::text FROM esclusa.revision").await;
        assert_eq!(whole.headers, Some(format!(r#"[{{"ETag" : "\"{revision}\""}}]"#)));
        // The entity tag as a client sends it, and as a proxy that packs makes it weak.
        for tag in [format!(r#"\"{revision}\""#), format!(r#"W/\"{revision}\""#)] {
            let headers = format!(r#"{{"if-none-match": "{tag}", "accept": "application/json"}}"#);
            let same = call(&client, "anon", method, &headers, arguments).await.unwrap();
            assert_eq!((same.body.as_str(), same.status.as_deref()), ("null", Some("304")), "{method} {tag}");
        }
        let other = call(&client, "anon", method, r#"{"if-none-match": "\"1\""}"#, arguments).await.unwrap();
        assert!(other.body.contains("\"crm\"") && other.status.is_none(), "{other:?}");
        // One connection serves many requests: nothing of one is left for the next.
        let left = "SELECT concat(current_setting('response.status', true), current_setting('response.headers', true))";
        assert_eq!(client.query_one(left, &[]).await.unwrap().get::<_, String>(0), "");
        database.run("UPDATE feature_flags SET enabled = NOT enabled WHERE name = 'qr'").await;
        let headers = format!(r#"{{"if-none-match": "\"{revision}\""}}"#);
        let changed = call(&client, "anon", method, &headers, arguments).await.unwrap();
        assert!(changed.body.contains("\"crm\"") && changed.status.is_none(), "{changed:?}");
    }
    // What cannot be answered is an error, which PostgREST answers with a status that is no success.
    database.run("ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY").await;
    let refused = call(&client, "anon", "GET", "{}", "{}").await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("row-level security is active"), "{refused:?}");
    database
        .run("ALTER TABLE feature_flags DISABLE ROW LEVEL SECURITY; DROP TRIGGER esclusa_tell ON feature_flags")
        .await;
    let refused = call(&client, "anon", "POST", "{}", "{}").await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "ES001");
}

/// The SQL on the first page of the repository, for a table and the roles that Supabase has.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_page() {
    let page = include_str!("../../README.md");
    let blocks: Vec<&str> = page.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let [three_steps, roll_back] = blocks[..] else { panic!("{blocks:?}") };
    let server = server(&["authenticator"]).await;
    let before = "ALTER ROLE authenticator NOINHERIT; CREATE ROLE service_role BYPASSRLS; CREATE ROLE anon;
        GRANT service_role, anon TO authenticator; GRANT USAGE ON SCHEMA public TO service_role;
        CREATE TABLE feature_flags (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text UNIQUE, enabled boolean);
        ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY; GRANT ALL ON feature_flags TO service_role;
        INSERT INTO feature_flags (name, enabled) VALUES ('crm_advanced_features', true)";
    let database = Database::new(&server, "app", &[before, MIGRATION, three_steps]).await;
    let client = connect(&database.url_of("authenticator")).await;
    let flag = async || call(&client, "service_role", "GET", "{}", "{}").await.unwrap().body.replace(' ', "");
    let published = flag().await;
    assert!(published.contains(r#""enabled":true"#), "{published}");
    database.run(roll_back).await;
    let published = flag().await;
    assert!(published.contains(r#""enabled":false"#), "{published}");
    let history = "SELECT concat_ws(' ', action, said_by) FROM release_history";
    assert_eq!(database.text(history).await, "emergency_rollback ana@acme.com");
    let refused = call(&client, "anon", "GET", "{}", "{}").await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("permission denied"), "{refused:?}");
}
