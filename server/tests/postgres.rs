//! Flags are changed in a Postgres that is away, slow, changed under us, or closed to this role.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod editing;
mod running;

use std::time::{Duration, Instant};

use editing::Place;
use esclusa_server::Store;
use running::Running;
use serde_json::{Value, json};

/// The store is away, changed under us, or closed to this role: a clear answer, and nothing is half done.
#[tokio::test]
async fn a_postgres_that_is_away_or_closed_is_said_so() {
    let place = Place::postgres();
    let Place::Postgres(postgres) = &place else { panic!() };
    let running = place.start().await;
    running.create(json!({"name": "crm", "enabled": true})).await;
    place.sql("ALTER DATABASE postgres SET default_transaction_read_only = on");
    place.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'esclusa'");
    let refused = running.patch("crm", "*", json!({"enabled": false})).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.json()["detail"].as_str().unwrap().contains("read-only"), "{refused:?}");
    place.sql("SET transaction_read_only = off; ALTER DATABASE postgres RESET default_transaction_read_only");
    place.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'esclusa'");
    place.sql("ALTER TABLE feature_flags DROP COLUMN target_plans");
    let refused = running.patch("crm", "*", json!({"target_plans": ["FREE"]})).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let changed = running.patch("crm", "*", json!({"enabled": false})).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    postgres.kill().unwrap();
    let refused = running.patch("crm", "*", json!({"enabled": true})).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "2"), "{refused:?}");
    assert_eq!(running.all(&running.server, "{}").await.status, 200, "what is published stays");
    postgres.start_again().unwrap();
    let changed = running.patch("crm", "*", json!({"description": "back"})).await;
    assert_eq!(changed.status, 200, "{changed:?}");
}

/// The rights of the database decide, also where the server's token would do.
#[tokio::test]
async fn rights_of_the_database_decide() {
    let place = Place::postgres();
    let Place::Postgres(postgres) = &place else { panic!() };
    place.sql("INSERT INTO feature_flags (name, enabled, rollout_percentage) VALUES ('crm', true, 100), ('hidden', true, 100)");
    place.sql("CREATE ROLE editor LOGIN; CREATE ROLE viewer LOGIN; CREATE ROLE stopper LOGIN");
    place.sql("SELECT esclusa.allow('editor'), esclusa.allow('viewer'), esclusa.allow('stopper')");
    place.sql(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON feature_flags TO editor; GRANT SELECT ON release_history TO editor",
    );
    place.sql("GRANT SELECT ON feature_flags TO viewer, stopper; GRANT UPDATE (enabled, rollout_percentage, updated_at) ON feature_flags TO stopper");
    place.sql("ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY; CREATE POLICY sees ON feature_flags USING (name <> 'hidden')");
    let start = async |role: &str| {
        let url = postgres.url().replace("postgres@", &format!("{role}@"));
        let source = || esclusa_sync::Postgres::new(&url).unwrap();
        Running::writing(source(), Store::postgres(source(), None), |settings| settings).await
    };
    let editor = start("editor").await;
    let changed = editor.patch("crm", "*", json!({"rollout_percentage": 50})).await;
    assert_eq!((changed.status.as_u16(), changed.json()["history"].is_string()), (200, true), "{changed:?}");
    assert_eq!(editor.create(json!({"name": "new", "enabled": true})).await.status, 201);
    let hidden = editor.patch("hidden", "*", json!({"enabled": false})).await;
    assert_eq!(hidden.status, 404, "{hidden:?}");
    assert_eq!(editor.create(json!({"name": "hidden", "enabled": true})).await.status, 403, "the policy refuses it");
    assert_eq!(editor.undo(changed.json()["history"].as_str().unwrap()).await.status, 200);
    let viewer = start("viewer").await;
    assert_eq!(viewer.flag("crm").await.0["rollout_percentage"], json!(100));
    let refused = viewer.patch("crm", "*", json!({"enabled": false})).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let stop = async |running: &Running| running.edit("POST", "/api/v1/flags/crm/rollback", &Value::Null).send().await;
    assert_eq!(stop(&viewer).await.status, 403);
    assert_eq!(viewer.edit("GET", "/api/v1/history", &Value::Null).send().await.status, 403);
    // Who may do nothing but switch off can do that.
    let stopper = start("stopper").await;
    assert_eq!(stopper.patch("crm", "*", json!({"description": "x"})).await.status, 403);
    let stopped = stop(&stopper).await;
    assert_eq!((stopped.status.as_u16(), &stopped.json()["flag"]["enabled"]), (200, &json!(false)), "{stopped:?}");
}

/// Somebody's open transaction holds a change up for five seconds at most, and an emergency rollback not at all.
#[tokio::test]
async fn an_open_transaction_holds_no_rollback_up() {
    let place = Place::postgres();
    let Place::Postgres(postgres) = &place else { panic!() };
    let running = place.start().await;
    running.create(json!({"name": "crm", "enabled": true})).await;
    running.create(json!({"name": "other", "enabled": true})).await;
    let mut psql = postgres.client("psql").unwrap();
    let sql = "BEGIN; UPDATE feature_flags SET description = 'slow' WHERE name = 'other'; SELECT pg_sleep(30)";
    let mut open = psql.args(["-X", "-q", "-d", "postgres", "-c", sql]).spawn().unwrap();
    let holds =
        "SELECT 1 / count(*) FROM pg_stat_activity WHERE query LIKE 'BEGIN; UPDATE%' AND wait_event = 'PgSleep'";
    let mut tries = 0;
    while !postgres
        .client("psql")
        .unwrap()
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", holds])
        .output()
        .unwrap()
        .status
        .success()
    {
        tries += 1;
        assert!(tries < 200, "the other transaction does not begin");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let waiting = running.patch("crm", "*", json!({"description": "x"}));
    let stopping = async {
        let began = Instant::now();
        let reply = running.edit("POST", "/api/v1/flags/crm/rollback", &Value::Null).send().await;
        (reply, began.elapsed())
    };
    let (refused, (stopped, took)) = tokio::join!(waiting, stopping);
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "2"), "{refused:?}");
    assert_eq!((stopped.status.as_u16(), &stopped.json()["flag"]["enabled"]), (200, &json!(false)), "{stopped:?}");
    assert!(took < Duration::from_secs(4), "{took:?}");
    open.kill().unwrap();
    open.wait().unwrap();
}
