//! What apps and pages report: counts, events and facts, to the letter of `spec/GUARD.md`; in SQLite and in Postgres alike.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod editing;
mod running;

use std::time::SystemTime;

use editing::Place;
use esclusa::Time;
use esclusa_server::{Settings, UsageSettings};
use running::{Question, Running};
use serde_json::{Value, json};

fn places() -> [Place; 2] {
    [Place::sqlite(), postgres()]
}

fn postgres() -> Place {
    let place = Place::postgres();
    place.sql("ALTER TABLE feature_flags ADD client boolean");
    place.sql(esclusa_sync::GUARD_MIGRATION);
    place.sql("SELECT esclusa.guard('public.feature_flags')");
    place
}

fn post(running: &Running, path: &str, body: &Value) -> Question {
    running.post(path, &body.to_string()).token(&running.server).header("content-type", "application/json")
}

fn from_page(running: &Running, path: &str, body: &Value) -> Question {
    running.post(path, &body.to_string()).token(&running.client).header("content-type", "application/json")
}

/// The minute so many minutes ago.
fn minute(ago: i64) -> String {
    let now = Time::from(SystemTime::now()).as_millis();
    Time::from_millis((now / 60_000 - ago) * 60_000).to_string()
}

async fn flags(running: &Running) {
    for flag in [
        json!({"name": "crm", "enabled": true, "client": true}),
        json!({"name": "hidden", "enabled": true}),
        json!({"name": "ramp", "enabled": true, "rollout_percentage": 50, "guard": {"event": "checkout", "errors": {}}}),
    ] {
        assert_eq!(running.create(flag).await.status, 201);
    }
}

/// Each number that is kept, without its hour, as one line.
fn kept(place: &Place) -> Vec<String> {
    let line =
        "flag || ' ' || origin || ' ' || variant || ' ' || reason || ' ' || event || ' ' || action || ' ' || shown
        || ' ' || arm || ' = ' || count || ' ' || errors || ' ' || value_count";
    place.lines(&format!("SELECT {line} FROM {} ORDER BY 1", place.own("usage_hour")))
}

fn counts(process: &str, revision: u64, counts: &Value) -> Value {
    json!({"esclusa": 1, "process": process, "revision": revision, "counts": counts})
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_minute_the_highest_count_of_a_process_stands() {
    for place in places() {
        let running = place.start().await;
        flags(&running).await;
        // One hour, whatever the time is.
        let at = minute(90);
        let count = |flag: &str, reason: &str, count: u32| json!({"flag": flag, "variant": "on", "reason": reason, "minute": at, "count": count});
        let send = async |process: &str, entries: Value| {
            let reply = post(&running, "/v1/usage", &counts(process, 3, &entries)).send().await;
            assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0), "{reply:?}");
        };
        send("app-1", json!([count("crm", "SPLIT", 1204)])).await;
        send("app-1", json!([count("crm", "SPLIT", 1204)])).await;
        send("app-1", json!([count("crm", "SPLIT", 1210), count("crm", "SPLIT", 7)])).await;
        send("app-2", json!([count("crm", "split", 5)])).await;
        assert_eq!(kept(&place), ["crm evaluation on SPLIT     = 1215 0 0"]);
        // Flags that are not there, and reasons that nobody knows, are counted without a name.
        send("app-2", json!([count("gone", "SPLIT", 2), count("lost", "SPLIT", 3), count("crm", "WHY\u{0}", 1)])).await;
        let null = json!([{"flag": "crm", "variant": null, "reason": "ERROR", "minute": at, "count": 4}]);
        send("app-2", null).await;
        let expected = [
            " evaluation on SPLIT     = 5 0 0",
            "crm evaluation  ERROR     = 4 0 0",
            "crm evaluation on SPLIT     = 1215 0 0",
            "crm evaluation on UNKNOWN     = 1 0 0",
        ];
        let mut found = kept(&place);
        found.sort();
        assert_eq!(found, expected);
        // A clock that is wrong counts nothing into another year.
        let wrong =
            json!([{"flag": "crm", "variant": "on", "reason": "SPLIT", "minute": "2999-01-01T00:00:00Z", "count": 9}]);
        send("app-3", wrong).await;
        assert_eq!(kept(&place).len(), 4);
        let outcomes = json!({
            "esclusa": 1, "process": "app-1", "revision": null, "counts": [], "dropped": 0, "outcomes": [
                {"flag": "ramp", "event": "checkout", "on": true, "minute": at, "count": 310, "errors": 4, "duration_ms": {"p50": 80, "p95": 410}},
                {"flag": "ramp", "event": "checkout", "on": false, "minute": at, "count": 300, "errors": 2}
            ]
        });
        for _ in 0..2 {
            assert_eq!(post(&running, "/v1/usage", &outcomes).send().await.status, 204);
        }
        let found: Vec<String> = kept(&place).into_iter().filter(|line| line.starts_with("ramp")).collect();
        assert_eq!(found, ["ramp app   checkout   off = 300 2 0", "ramp app   checkout   on = 310 4 0"]);
        let revision = running.edit("GET", "/api/v1/flags/crm", &Value::Null).send().await;
        assert_eq!(revision.status, 200);
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_pages_and_apps_are_counted_by_flag_variant_and_outcome() {
    for place in places() {
        let running = place.start().await;
        flags(&running).await;
        let body = json!({"esclusa": 1, "events": [
            {"event": "crm", "action": "view", "shown": "children", "variant": "on"},
            {"event": "crm", "action": "view", "shown": "children", "variant": "on"},
            {"event": "crm", "action": "click", "variant": "on", "duration_ms": 812, "fields": {"step": "payment", "n": 1}},
            {"event": "crm.feedback", "value": 4},
            {"event": "checkout", "error": true},
            {"event": "chekout"}
        ]});
        let reply = post(&running, "/v1/track", &body).send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let refused = json!([{"at": 5, "problem": "`chekout` is no flag and no event of a guard"}]);
        assert_eq!(reply.json(), json!({"taken": 5, "refused": refused}));
        // A page sees the flags that are marked for it, and no others.
        let page = from_page(&running, "/v1/track", &body).send().await;
        assert_eq!(page.json()["taken"], json!(4), "{page:?}");
        let expected = [
            "crm app   crm.feedback feedback   = 1 0 1",
            "crm app on  crm click   = 1 0 0",
            "crm app on  crm view children  = 2 0 0",
            "crm page   crm.feedback feedback   = 1 0 1",
            "crm page on  crm click   = 1 0 0",
            "crm page on  crm view children  = 2 0 0",
            "ramp app   checkout    = 1 1 0",
        ];
        let mut found = kept(&place);
        found.sort();
        assert_eq!(found, expected);
        running.stop().await;
    }
}

/// Facts are a set; those of a run that is over, or of a flag without a guard, are taken and count for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn facts_are_a_set_of_the_present_run() {
    for place in places() {
        let running = place.start().await;
        flags(&running).await;
        let now = Time::from(SystemTime::now());
        let day = now.as_millis() / 86_400_000;
        let fact = |flag: &str, run: u32, day: i64, unit: u32| {
            json!({"flag": flag, "run": run, "share": 50_000, "day": day, "metric": "tracked",
                "unit": format!("{unit:016x}"), "on": unit.is_multiple_of(2), "at": now.to_string()})
        };
        let body = json!({"esclusa": 1, "process": "app-7", "facts": [
            fact("ramp", 1, day, 1), fact("ramp", 1, day, 2), fact("ramp", 1, day, 2),
            fact("ramp", 2, day, 3), fact("crm", 1, day, 4), fact("ramp", 1, day - 9, 5)
        ]});
        for _ in 0..2 {
            let reply = post(&running, "/v1/facts", &body).send().await;
            assert_eq!((reply.status.as_u16(), reply.json()), (200, json!({"taken": 6})));
        }
        let units = format!("SELECT unit || ' ' || is_on FROM {} ORDER BY 1", place.own("usage_fact"));
        assert_eq!(place.lines(&units), ["0000000000000001 0", "0000000000000002 1"]);
        let refused = from_page(&running, "/v1/facts", &body).send().await;
        assert_eq!(refused.status, 403, "anybody can send what a page sends");
        // Of very many units those with the smallest hashes are kept.
        for batch in 0..8 {
            let facts: Vec<Value> = (0..500).map(|unit| fact("ramp", 1, day, 10_000 - batch * 500 - unit)).collect();
            let reply = post(&running, "/v1/facts", &json!({"esclusa": 1, "process": "app-7", "facts": facts}));
            assert_eq!(reply.send().await.json(), json!({"taken": 500}));
        }
        let units = format!("SELECT count(*) || ' ' || max(unit) FROM {}", place.own("usage_fact"));
        // Two, and 3,582 from 6,001 on.
        assert_eq!(place.lines(&units), [format!("3584 {:016x}", 6_001 + 3_581)]);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_body_that_is_not_of_the_form_is_refused_with_the_place() {
    let place = Place::sqlite();
    let running = place.start().await;
    flags(&running).await;
    let at = minute(1);
    let count = json!({"flag": "crm", "variant": "on", "reason": "SPLIT", "minute": at, "count": 1});
    let with = |name: &str, value: Value| {
        let mut count = count.clone();
        count[name] = value;
        counts("app-1", 1, &json!([count]))
    };
    let event = |event: Value| json!({"esclusa": 1, "events": [event]});
    for (path, body, says) in [
        ("/v1/usage", json!([]), "the body is no object"),
        ("/v1/usage", json!({}), "`esclusa` is missing or another version, expected 1"),
        ("/v1/usage", json!({"esclusa": 2}), "`esclusa` is missing or another version, expected 1"),
        ("/v1/usage", json!({"esclusa": 1, "who": 1}), "`who` is no field"),
        (
            "/v1/usage",
            json!({"esclusa": 1, "process": "", "revision": 1, "counts": []}),
            "`process` is \"\", expected a text of 1 to 200",
        ),
        ("/v1/usage", json!({"esclusa": 1, "process": "a", "counts": []}), "`revision` is missing"),
        ("/v1/usage", with("count", json!(-1)), "`counts[0].count` is -1, expected a whole number from 0 on"),
        ("/v1/usage", with("count", json!(1.5)), "`counts[0].count` is 1.5"),
        ("/v1/usage", with("minute", json!("2026-12-01")), "`counts[0].minute`"),
        ("/v1/usage", with("minute", json!("2026-12-01T14:00:00+01:00")), "expected a time in UTC"),
        ("/v1/usage", with("flag", json!("x".repeat(201))), "`counts[0].flag`"),
        ("/v1/usage", with("extra", json!(1)), "`counts[0].extra` is no field"),
        ("/v1/track", json!({"esclusa": 1, "events": []}), "a list with 1 to 100 entries"),
        ("/v1/track", event(json!({"event": "crm", "shown": "both"})), "expected `children` or `fallback`"),
        ("/v1/track", event(json!({"event": "crm", "action": null})), "`events[0].action` is null"),
        ("/v1/track", event(json!({"event": "crm", "duration_ms": -1})), "expected a number from 0 to 86400000"),
        ("/v1/track", event(json!({"event": "crm", "fields": {"a": []}})), "`events[0].fields`"),
        ("/v1/track", event(json!({"event": "crm", "user": "ana"})), "`events[0].user` is no field"),
        ("/v1/facts", json!({"esclusa": 1, "process": "a", "facts": [{"flag": "ramp"}]}), "`facts[0].run` is missing"),
    ] {
        let reply = post(&running, path, &body).send().await;
        assert_eq!(reply.status, 400, "{body} {reply:?}");
        assert!(reply.json()["detail"].as_str().unwrap().contains(says), "{says}: {reply:?}");
    }
    let plain =
        running.post("/v1/track", "{}").token(&running.server).header("content-type", "text/plain").send().await;
    assert_eq!(plain.status, 415, "{plain:?}");
    let large = event(json!({"event": "crm", "fields": {"a": "x".repeat(17_000)}}));
    assert_eq!(post(&running, "/v1/track", &large).send().await.status, 413);
    let nobody = running.post("/v1/usage", "{}").header("content-type", "application/json").send().await;
    assert_eq!(nobody.status, 401);
    assert_eq!(kept(&place), Vec::<String>::new(), "nothing of a refused body is counted");
    running.stop().await;
}

#[tokio::test]
async fn a_page_that_floods_is_told_when_to_come_again() {
    let place = Place::sqlite();
    let running = place.with(|settings| Settings { forwarded: true, ..settings }).await;
    flags(&running).await;
    let body = json!({"esclusa": 1, "events": [{"event": "crm", "action": "view"}]});
    let send = async |from: &str| from_page(&running, "/v1/track", &body).header("x-forwarded-for", from).send().await;
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(send("192.0.2.1").await.status.as_u16());
    }
    assert_eq!(statuses[..10], [200; 10]);
    assert!(statuses.iter().filter(|status| **status == 429).count() >= 15, "{statuses:?}");
    let refused = send("192.0.2.1").await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "1"), "{refused:?}");
    assert_eq!(send("192.0.2.2").await.status, 200, "another page");
    let taken = statuses.iter().filter(|status| **status == 200).count() + 1;
    assert_eq!(kept(&place), [format!("crm page   crm view   = {taken} 0 0")]);
    running.stop().await;
}

/// Anybody may write the header: it says nothing unless there is a proxy that does.
#[tokio::test]
async fn a_page_cannot_be_another_one_by_its_headers() {
    let place = Place::sqlite();
    let running = place.start().await;
    flags(&running).await;
    let body = json!({"esclusa": 1, "events": [{"event": "crm", "action": "view"}]});
    let mut statuses = Vec::new();
    for number in 0..30 {
        let request = from_page(&running, "/v1/track", &body);
        statuses.push(request.header("x-forwarded-for", &format!("192.0.2.{number}")).send().await.status.as_u16());
    }
    assert!(statuses.iter().filter(|status| **status == 429).count() >= 15, "{statuses:?}");
    running.stop().await;
}

/// The 1,001st flag of an hour has no number of its own.
#[tokio::test]
async fn a_thousand_flags_have_numbers_of_their_own() {
    let place = Place::sqlite();
    place.sql(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
        INSERT INTO feature_flags (name, enabled) SELECT 'flag-' || i, 1 FROM n",
    );
    let running = place.start().await;
    let at = minute(90);
    let entry = |flag: u32| json!({"flag": format!("flag-{flag}"), "variant": "on", "reason": "STATIC", "minute": at, "count": 1});
    let all: Vec<Value> = (1..=1100).map(entry).collect();
    for _ in 0..2 {
        assert_eq!(post(&running, "/v1/usage", &counts("app-1", 1, &json!(all))).send().await.status, 204);
    }
    let numbers = format!("SELECT count(*) || ' ' || sum(count) FROM {}", place.own("usage_hour"));
    assert_eq!(place.lines(&numbers), ["1001 1100"]);
    let variants: Vec<Value> = (0..500)
        .map(|variant| json!({"flag": "flag-1", "variant": format!("v{variant}"), "reason": "SPLIT", "minute": at, "count": 1}))
        .collect();
    assert_eq!(post(&running, "/v1/usage", &counts("app-1", 1, &json!(variants))).send().await.status, 204);
    let numbers =
        format!("SELECT count(*) || ' ' || sum(count) FROM {} WHERE flag = 'flag-1'", place.own("usage_hour"));
    assert_eq!(place.lines(&numbers), ["201 501"]);
    running.stop().await;
}

/// What an app may say only as a whole is in the users' own table too, if that is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_events_go_into_the_users_own_table_if_asked() {
    let place = postgres();
    place.sql("SELECT esclusa.usage()");
    let usage = UsageSettings { raw_rows: true, ..UsageSettings::default() };
    let running = place.with(|settings| Settings { usage, ..settings }).await;
    assert_eq!(running.create(json!({"name": "crm", "enabled": true, "client": true})).await.status, 201);
    let body = json!({"esclusa": 1, "events": [
        {"event": "crm", "action": "click", "error": true, "duration_ms": 81, "fields": {"step": "payment", "user": "eva"}}
    ]});
    let reply = from_page(&running, "/v1/track", &body).send().await;
    assert_eq!(reply.json()["taken"], json!(1), "{reply:?}");
    let rows = "SELECT coalesce(user_id, 'nobody') || ' ' || action || ' ' || (metadata - 'from_browser')::text FROM feature_usage";
    assert_eq!(place.lines(rows), [r#"nobody click {"step": "payment", "error": true, "duration_ms": 81.0}"#]);
    // Without its table the numbers are added up all the same.
    place.sql("DROP TABLE feature_usage CASCADE");
    let reply = post(&running, "/v1/track", &body).send().await;
    assert_eq!(reply.json()["taken"], json!(1), "{reply:?}");
    assert_eq!(kept(&place), ["crm app   crm click   = 1 1 0", "crm page   crm click   = 1 1 0"]);
    running.stop().await;
    let refused = esclusa_server::Server::start_writing(
        esclusa_sync::Bundled::new("[]"),
        Place::sqlite().store(),
        &Settings { usage, ..Settings::default() },
    );
    assert!(refused.unwrap_err().to_string().contains("expected a table in Postgres"));
}

/// Two servers on one Postgres add up the same numbers, and make their tables once.
#[tokio::test(flavor = "multi_thread")]
async fn two_servers_lose_nothing_to_each_other() {
    let place = Place::postgres();
    let one = place.start().await;
    assert_eq!(one.create(json!({"name": "crm", "enabled": true})).await.status, 201);
    let two = place.start().await;
    let at = minute(90);
    let send = async |running: &Running, name: &str| {
        for count in 1..=20 {
            let entry = json!([{"flag": "crm", "variant": "on", "reason": "SPLIT", "minute": at, "count": count}]);
            let reply = post(running, "/v1/usage", &counts("app-1", 1, &entry)).send().await;
            assert_eq!(reply.status, 204, "{reply:?}");
            let reply = post(running, "/v1/usage", &counts(name, 1, &entry)).send().await;
            assert_eq!(reply.status, 204, "{reply:?}");
        }
    };
    tokio::join!(send(&one, "app-2"), send(&two, "app-3"));
    assert_eq!(kept(&place), ["crm evaluation on SPLIT     = 60 0 0"]);
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn a_server_that_only_reads_says_so() {
    let running = Running::start(running::Table::new(r#"[{"name": "crm", "enabled": true}]"#).source()).await;
    let reply = post(&running, "/v1/usage", &counts("app-1", 1, &json!([]))).send().await;
    assert_eq!(reply.status, 409, "{reply:?}");
    running.stop().await;
}
