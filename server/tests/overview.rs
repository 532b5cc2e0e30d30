//! What people see of releases: the numbers of all flags and of one, in SQLite and in Postgres alike.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod editing;
mod running;

use std::time::{Duration, Instant, SystemTime};

use editing::Place;
use esclusa::Time;
use running::{Running, Table};
use serde_json::{Value, json};

fn places() -> [Place; 2] {
    let postgres = Place::postgres();
    postgres.sql("ALTER TABLE feature_flags ADD client boolean, ADD schedule jsonb, ADD status text");
    postgres.sql(esclusa_sync::GUARD_MIGRATION);
    postgres.sql("SELECT esclusa.guard('public.feature_flags')");
    [Place::sqlite(), postgres]
}

fn at(minutes: i64) -> String {
    Time::from_millis(Time::from(SystemTime::now()).as_millis() + minutes * 60_000).to_string()
}

async fn send(running: &Running, method: &str, path: &str, body: &Value) {
    let question = running.question(method, path).token(&running.server).header("content-type", "application/json");
    let reply = question.body(&body.to_string()).send().await;
    assert!(reply.status.is_success(), "{reply:?}");
}

async fn get(running: &Running, path: &str) -> Value {
    let reply = running.edit("GET", path, &Value::Null).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

/// The overview, once it is as expected.
async fn until(running: &Running, is: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let overview = get(running, "/api/v1/overview").await;
        if is(&overview) {
            return overview;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{overview:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_says_how_releases_are() {
    for place in places() {
        let running = place.start().await;
        let step = |minutes: i64, share: u32| json!({"at": at(minutes), "rollout_percentage": share});
        for flag in [
            json!({"name": "live", "enabled": true, "client": true}),
            json!({"name": "off", "enabled": false}),
            json!({"name": "draft", "enabled": true, "status": "draft"}),
            json!({"name": "soon", "enabled": true, "start_date": at(60)}),
            json!({"name": "ramp", "enabled": true, "schedule": [step(-60, 10), step(60, 50), step(120, 100)]}),
            json!({"name": "guarded", "enabled": true, "rollout_percentage": 20, "guard": {"errors": {}}}),
        ] {
            let reply = running.create(flag).await;
            assert_eq!(reply.status, 201, "{reply:?}");
        }
        let overview = until(&running, |overview| overview["features"]["all"] == 6).await;
        assert_eq!(overview["features"], json!({"all": 6, "active": 3}));
        assert_eq!(overview["pending_releases"], json!({"all": 4, "drafts": 1, "windows": 1, "steps": 2}));
        assert_eq!(overview["tripped_guards"], json!([]));
        let fine = "the flags are fresh, and nothing has tripped";
        assert_eq!(overview["health"], json!({"state": "green", "reasons": [fine]}));
        assert_eq!((&overview["rollback"], &overview["adoption_rate"]["now"]), (&Value::Null, &Value::Null));

        send(&running, "PUT", "/v1/trips/guarded", &json!({"run": 1, "metric": "errors"})).await;
        let overview = until(&running, |overview| overview["tripped_guards"] != json!([])).await;
        assert_eq!(overview["tripped_guards"][0]["flag"], json!("guarded"));
        assert_eq!(overview["tripped_guards"][0]["trip"]["metric"], json!("errors"));
        let reason = json!(["the guard of `guarded` has switched it off"]);
        assert_eq!((&overview["health"]["state"], &overview["health"]["reasons"]), (&json!("yellow"), &reason));

        // Two of three processes have the current revision.
        let revision = &overview["revision"];
        for (process, revision) in [("app-1", revision), ("app-2", revision), ("app-3", &json!(0))] {
            let count = json!({"flag": "live", "variant": "on", "reason": "STATIC", "minute": at(0), "count": 100});
            let body = json!({"esclusa": 1, "process": process, "revision": revision, "counts": [count], "dropped": 2});
            send(&running, "POST", "/v1/usage", &body).await;
        }
        let event = |event: Value| json!({"esclusa": 1, "events": [event]});
        let view = json!({"event": "live", "action": "view", "shown": "children"});
        let click = json!({"event": "live", "action": "click"});
        let wrong = json!({"event": "live", "action": "save", "error": true});
        for one in [&view, &view, &view, &view, &click, &wrong] {
            send(&running, "POST", "/v1/track", &event(one.clone())).await;
        }
        let overview = get(&running, "/api/v1/overview").await;
        assert_eq!(overview["processes"], json!({"all": 3, "current": 2, "share": 2.0 / 3.0}));
        assert_eq!(overview["evaluations"], json!({"now": 300, "before": 0}));
        assert_eq!(overview["adoption_rate"], json!({"now": 0.25, "before": null}));
        assert_eq!(overview["error_rate"], json!({"now": 0.5, "before": null}));
        let errors = json!([{"flag": "live", "uses": 2, "errors": 1, "error_rate": 0.5}]);
        assert_eq!((&overview["errors_by_feature"], &overview["missing_counts"]), (&errors, &json!(6)));

        // A client that had the flag hears of its rollback at its next poll.
        let poll = async |tag: &str| {
            running.get("/v1/snapshot").token(&running.server).header("if-none-match", tag).send().await
        };
        let tag = poll("\"none\"").await.header("etag").to_owned();
        assert_eq!(poll(&tag).await.status, 304);
        let reply = running.edit("POST", "/api/v1/flags/live/rollback", &json!({})).send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let overview = until(&running, |overview| !overview["rollback"]["served_ms"].is_null()).await;
        let rollback = &overview["rollback"];
        assert_eq!(
            (&rollback["flag"], &rollback["by"], &rollback["clients"]),
            (&json!("live"), &json!("ana"), &json!(0))
        );
        assert!(rollback["served_ms"].as_i64().unwrap() < 5_000, "{rollback}");
        assert_eq!(poll(&tag).await.status, 200);
        let overview = get(&running, "/api/v1/overview").await;
        assert_eq!(overview["rollback"]["clients"], json!(1));
        assert!(overview["rollback"]["clients_ms"].as_i64() >= overview["rollback"]["served_ms"].as_i64());
        assert_eq!((&overview["polls"]["all"], &overview["polls"]["current"]), (&json!(3), &json!(1)));
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_has_the_figures_of_its_hours() {
    for place in places() {
        let running = place.start().await;
        let guard = json!({"event": "checkout", "errors": {}});
        let flag = json!({"name": "ramp", "enabled": true, "rollout_percentage": 50, "guard": guard});
        assert_eq!(running.create(flag).await.status, 201);
        until(&running, |overview| overview["features"]["all"] == 1).await;
        let empty = get(&running, "/api/v1/flags/ramp/metrics").await;
        assert_eq!(
            (&empty["usage_count"], &empty["error_rate"], &empty["last_updated"]),
            (&json!(0), &Value::Null, &Value::Null)
        );
        let count = |minutes: i64, variant: &str, reason: &str, count: u32| json!({"flag": "ramp", "variant": variant, "reason": reason, "minute": at(minutes), "count": count});
        let outcome = |minutes: i64, on: bool, count: u32, errors: u32, p95: u32| json!({"flag": "ramp", "event": "checkout", "on": on, "minute": at(minutes), "count": count, "errors": errors, "duration_ms": {"p50": 80, "p95": p95}});
        let body = json!({
            "esclusa": 1, "process": "app-1", "revision": 1,
            "counts": [count(-70, "on", "SPLIT", 60), count(0, "off", "SPLIT", 40), count(0, "on", "STATIC", 1)],
            "outcomes": [outcome(-70, true, 100, 10, 600), outcome(0, true, 100, 10, 600), outcome(0, false, 100, 2, 400)]
        });
        send(&running, "POST", "/v1/usage", &body).await;
        let feedback = |value: u32| json!({"event": "ramp.feedback", "value": value});
        send(&running, "POST", "/v1/track", &json!({"esclusa": 1, "events": [feedback(5), feedback(2)]})).await;
        let figures = get(&running, "/api/v1/flags/ramp/metrics?hours=48").await;
        assert_eq!((&figures["usage_count"], &figures["error_rate"]), (&json!(200), &json!(0.1)), "{figures:#}");
        assert_eq!((&figures["user_feedback_score"], &figures["feedback_count"]), (&json!(3.5), &json!(2)));
        // Buckets are 10 % apart: 600 ms to 400 ms is 1.5 within two halves of a bucket.
        let impact = figures["performance_impact"].as_f64().unwrap();
        assert!((impact - 0.5).abs() < 0.16, "{impact}");
        assert_eq!((&figures["evaluations"], &figures["reasons"]), (&json!(101), &json!({"SPLIT": 100, "STATIC": 1})));
        assert_eq!((&figures["arms"]["off"]["uses"], &figures["arms"]["off"]["errors"]), (&json!(100), &json!(2)));
        let p50 = figures["arms"]["on"]["p50_ms"].as_f64().unwrap();
        assert!((p50 / 80.0 - 1.0).abs() < 0.05, "{p50}");
        let hours = figures["hours"].as_array().unwrap();
        assert!(hours.len() >= 2, "{figures:#}");
        assert_eq!(hours.iter().map(|hour| hour["evaluations"].as_i64().unwrap()).sum::<i64>(), 101);
        let on = figures["variants"].as_array().unwrap().iter().find(|one| one["variant"] == "on").unwrap();
        assert_eq!(on["evaluations"], json!(61));
        assert_eq!((&figures["guard"]["run"], &figures["guard"]["trip"]), (&json!(1), &Value::Null));
        let first = get(&running, "/api/v1/flags/ramp/metrics?hours=1").await;
        assert_eq!(first["hours"].as_array().unwrap().len(), 1, "{first:#}");

        for (path, status) in [
            ("/api/v1/flags/gone/metrics", 404),
            ("/api/v1/flags/ramp/metrics?hours=0", 400),
            ("/api/v1/flags/ramp/metrics?hours=many", 400),
            ("/api/v1/overview?hours=99999", 400),
        ] {
            let reply = running.edit("GET", path, &Value::Null).send().await;
            assert_eq!(reply.status, status, "{path} {reply:?}");
        }
        let refused = running.get("/api/v1/overview").token(&running.server).send().await;
        assert_eq!(refused.status, 403);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_server_without_a_store_has_no_overview() {
    let running = Running::start(Table::new(r#"[{"name": "crm", "enabled": true}]"#).source()).await;
    let reply = running.edit("GET", "/api/v1/overview", &Value::Null).send().await;
    assert_eq!(reply.status, 409, "{reply:?}");
    running.stop().await;
}
