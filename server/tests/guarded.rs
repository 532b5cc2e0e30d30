//! Trips of guarded rollouts over HTTP: apps propose them, the flag is off everywhere, and a person begins a new run; in
//! SQLite and in Postgres alike.
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
use esclusa::{Context, FlagSet, Flags, Trip};
use esclusa_guard::{Guards, Outcome};
use esclusa_sync::{Http, TripStore, Verdict, guard};
use running::{Question, Running};
use serde_json::{Value, json};

fn places() -> [Place; 2] {
    let postgres = Place::postgres();
    postgres.sql("ALTER TABLE feature_flags ADD schedule jsonb");
    postgres.sql(esclusa_sync::GUARD_MIGRATION);
    postgres.sql("SELECT esclusa.guard('public.feature_flags')");
    [Place::sqlite(), postgres]
}

fn guarded() -> Value {
    json!({"name": "crm", "enabled": true, "rollout_percentage": 20, "guard": {"errors": {}}})
}

fn put(running: &Running, path: &str, body: &str) -> Question {
    running.question("PUT", path).token(&running.server).body(body)
}

async fn reason(running: &Running) -> Value {
    running.one(&running.server, "crm", r#"{"context": {"targetingKey": "ana"}}"#).await.json()["reason"].clone()
}

async fn becomes(running: &Running, expected: &str) {
    let began = Instant::now();
    while reason(running).await != expected {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", reason(running).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_is_taken_once_and_a_person_begins_a_new_run() {
    for place in places() {
        let running = place.start().await;
        assert_eq!(running.create(guarded()).await.status, 201);
        assert_eq!(running.create(json!({"name": "plain", "enabled": true})).await.status, 201);
        becomes(&running, "SPLIT").await;
        let trip = r#"{"run": 1, "metric": "errors", "by": "app-7", "evidence": {"log_e": 7.5}}"#;
        let taken = put(&running, "/v1/trips/crm", trip).send().await;
        assert_eq!(taken.status, 201, "{taken:?}");
        becomes(&running, "DISABLED").await;
        let again = put(&running, "/v1/trips/crm", r#"{"run": 1, "by": "app-8"}"#).send().await;
        assert_eq!((again.status.as_u16(), &again.json()["by"]), (200, &json!("app-7")), "{again:?}");
        let trips = running.get("/v1/trips").token(&running.server).send().await;
        let document = trips.json();
        assert_eq!((&document["layer"], &document["flags"][0]["name"]), (&json!("trips"), &json!("crm")), "{trips:?}");
        assert_eq!(document["flags"][0]["trip"]["evidence"]["log_e"], json!(7.5));
        let tag = trips.header("etag").to_owned();
        let known = running.get("/v1/trips").token(&running.server).header("if-none-match", &tag).send().await;
        assert_eq!(known.status, 304);

        for (path, body, status, says) in [
            ("/v1/trips/plain", r#"{"run": 1}"#, 404, "there is no flag `plain` with a guard"),
            ("/v1/trips/nobody", r#"{"run": 1}"#, 404, "there is no flag `nobody` with a guard"),
            ("/v1/trips/crm", r#"{"run": 0}"#, 400, "expected an object with a `run` from 1 on"),
            ("/v1/trips/crm", "[]", 400, "the body is no trip"),
            ("/v1/trips/crm", "{", 400, "the body cannot be read"),
        ] {
            let refused = put(&running, path, body).send().await;
            assert_eq!(refused.status, status, "{refused:?}");
            assert!(refused.json()["detail"].as_str().unwrap().contains(says), "{refused:?}");
        }
        let refused = running.question("PUT", "/v1/trips/crm").token(&running.client).body(trip).send().await;
        assert_eq!(refused.status, 403, "a browser trips nothing");
        let refused =
            running.question("POST", "/api/v1/flags/crm/resume").token(&running.server).body("{}").send().await;
        assert_eq!(refused.status, 403, "an app opens nothing that it has closed");
        let refused = running.edit("POST", "/api/v1/flags/plain/resume", &json!({})).send().await;
        assert_eq!(refused.status, 404, "{refused:?}");
        let refused = running.edit("POST", "/api/v1/flags/crm/resume", &json!({"at_step": -1})).send().await;
        assert_eq!(refused.status, 400, "{refused:?}");

        // A form saves the flag as a whole, as it was before the trip; a person undoes the line of the trip.
        let (_, tag) = running.flag("crm").await;
        let saved =
            running.edit("PUT", "/api/v1/flags/crm", &json!({"flag": guarded()})).header("if-match", &tag).send();
        assert_eq!(saved.await.status, 200);
        let refused = running.patch("crm", "*", json!({"guard_state": null})).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        let line = running.history("/api/v1/flags/crm/history").await[0].clone();
        assert_eq!(line["action"], "guard_trip");
        assert_eq!(running.undo(line["id"].as_str().unwrap()).await.status, 409);
        assert_eq!(reason(&running).await, json!("DISABLED"), "the trip stands");

        let resumed = running.edit("POST", "/api/v1/flags/crm/resume", &json!({"reason": "mended"})).send().await;
        assert_eq!((resumed.status.as_u16(), &resumed.json()["run"]), (200, &json!(2)), "{resumed:?}");
        becomes(&running, "SPLIT").await;
        let over = put(&running, "/v1/trips/crm", r#"{"run": 1}"#).send().await;
        assert_eq!((over.status.as_u16(), over.json()), (409, json!({"run": 2})));
        let history = running.history("/api/v1/flags/crm/history").await;
        let actions: Vec<&str> = history.iter().map(|line| line["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["guard_resume", "guard_trip", "create"]);
        assert_eq!((&history[0]["by"], &history[0]["reason"]), (&json!("ana"), &json!("mended")));
    }
}

/// The step before the one at which it tripped, unless who opens it says another.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_run_goes_back_by_one_step_of_the_schedule() {
    for place in places() {
        let running = place.start().await;
        let step =
            |day: u32, share: u32| json!({"at": format!("2026-01-0{day}T00:00:00Z"), "rollout_percentage": share});
        let mut flag = guarded();
        flag["schedule"] = json!([step(1, 5), step(2, 10), step(3, 50)]);
        assert_eq!(running.create(flag).await.status, 201);
        let cleared = async |run: u32, body: Value| {
            let trip = format!(r#"{{"run": {run}, "at": "2026-01-02T12:00:00Z"}}"#);
            assert_eq!(put(&running, "/v1/trips/crm", &trip).send().await.status, 201);
            let resumed = running.edit("POST", "/api/v1/flags/crm/resume", &body).send().await;
            assert_eq!(resumed.status, 200, "{resumed:?}");
            let state = running.flag("crm").await.0["guard_state"].clone();
            let state = state.as_str().map_or(state.clone(), |text| serde_json::from_str(text).unwrap());
            state["cleared_steps"].clone()
        };
        assert_eq!(cleared(1, json!({})).await, json!(1), "two had come");
        assert_eq!(cleared(2, json!({"at_step": 3})).await, json!(3));
        assert_eq!(cleared(3, json!({})).await, json!(1));
        assert_eq!(cleared(4, json!({})).await, json!(0), "one was cleared");
    }
}

/// An app that reads elsewhere tells the server by HTTP, and hears of the trips of others there.
#[tokio::test(flavor = "multi_thread")]
async fn apps_exchange_their_trips_over_http() {
    let place = Place::sqlite();
    let running = place.start().await;
    assert_eq!(running.create(guarded()).await.status, 201);
    becomes(&running, "SPLIT").await;
    let store = || {
        let http = Http::new(format!("http://{}/v1/trips", running.address)).unwrap();
        http.bearer(running.server.text()).unwrap()
    };
    let app = || {
        let flags = Flags::new();
        assert!(flags.publish(FlagSet::from_json(json!([guarded()]).to_string().as_bytes()).unwrap()).is_published());
        let guards = Guards::new(&flags);
        let guarding = guard(&guards, None).propose(store());
        (flags, guards, guarding)
    };
    let (first, guards, guarding) = app();
    let (second, _guards, _guarding) = app();
    let users = || (0..500).map(|user| Context::new(format!("user-{user}")));
    let on = |flags: &Flags| users().filter(|user| flags.is_enabled("crm", user)).count();
    assert!(on(&second) > 50);
    for user in users() {
        let outcome = if first.is_enabled("crm", &user) { Outcome::error() } else { Outcome::ok() };
        guards.track("crm", &user, outcome);
    }
    let began = Instant::now();
    while on(&second) > 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", guarding.proposals());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(guarding.proposals()[0].verdict, Some(Verdict::Taken));
    becomes(&running, "DISABLED").await;
    let mut store = store();
    assert_eq!(store.propose(&Trip::new("crm", 1)).await.unwrap(), Verdict::Known);
    assert_eq!(store.propose(&Trip::new("nobody", 1)).await.unwrap(), Verdict::Unguarded);
    running.edit("POST", "/api/v1/flags/crm/resume", &json!({})).send().await;
    assert_eq!(store.propose(&Trip::new("crm", 1)).await.unwrap(), Verdict::Over(2));
    let mut closed = Http::new(format!("http://{}/v1/trips", running.address)).unwrap().bearer("esc_wrong").unwrap();
    assert!(closed.propose(&Trip::new("crm", 2)).await.unwrap_err().error.contains("401"));
}
