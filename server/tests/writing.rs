//! Flags are changed: the same battery in SQLite and in Postgres.
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
use esclusa_server::Settings;
use running::{Running, Table};
use serde_json::{Value, json};

/// Each test in both.
macro_rules! in_both {
    ($($test:ident)*) => {
        mod sqlite { $(#[tokio::test] async fn $test() { super::$test(super::Place::sqlite()).await; })* }
        mod postgres { $(#[tokio::test] async fn $test() { super::$test(super::Place::postgres()).await; })* }
    };
}

in_both! {
    a_flag_is_made_read_changed_and_taken_away
    a_conflict_is_one_of_the_same_field
    nothing_is_saved_that_the_engine_would_set_aside
    what_is_no_change_of_a_flag_is_refused
    a_rollback_switches_off_whatever_has_changed
    two_servers_agree_within_a_second
    a_reason_may_be_required
    names_that_would_be_sql_are_names
}

async fn a_flag_is_made_read_changed_and_taken_away(place: Place) {
    let running = place.start().await;
    let made = running.create(json!({"key": "crm", "enabled": true, "target_plans": ["PREMIUM", "BASIC"]})).await;
    assert_eq!((made.status.as_u16(), made.header("location")), (201, "/api/v1/flags/crm"), "{made:?}");
    assert_eq!(made.json()["flag"]["target_plans"], json!(["PREMIUM", "BASIC"]));
    assert_eq!(made.json()["flag"]["enabled"], json!(true));
    let (flag, tag) = running.flag("crm").await;
    assert_eq!((&flag, tag.as_str()), (&made.json()["flag"], made.header("etag")));
    // What is answered is served.
    let premium = r#"{"targetingKey": "u", "plan": "PREMIUM"}"#;
    let rolled_out = running.patch("crm", &tag, json!({"rollout_percentage": 100})).await;
    assert_eq!(rolled_out.status, 200, "{rolled_out:?}");
    assert_eq!(running.all(&running.server, premium).await.flag("crm")["value"], json!(true));
    let changed = running.patch("crm", rolled_out.header("etag"), json!({"target_plans": ["FREE"]})).await;
    assert_eq!(
        (changed.status.as_u16(), &changed.json()["flag"]["target_plans"]),
        (200, &json!(["FREE"])),
        "{changed:?}"
    );
    assert_eq!(running.all(&running.server, premium).await.flag("crm")["value"], json!(false));
    // As a whole: what is not there is taken away.
    let (mut whole, tag) = running.flag("crm").await;
    whole.as_object_mut().unwrap().remove("target_plans");
    whole["description"] = json!("for sales");
    let put = running.edit("PUT", "/api/v1/flags/crm", &json!({"flag": whole, "reason": "ticket 7"}));
    let put = put.header("if-match", &tag).send().await;
    let after = put.json()["flag"].clone();
    assert_eq!(
        (put.status.as_u16(), &after["target_plans"], &after["description"]),
        (200, &Value::Null, &json!("for sales")),
        "{put:?}"
    );
    assert_eq!(after["id"], whole["id"]);
    let lines = running.history("/api/v1/flags/crm/history").await;
    let told: Vec<&str> = lines.iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(told, ["update", "update", "rollout_update", "create"]);
    assert_eq!((&lines[0]["by"], &lines[0]["reason"]), (&json!("ana"), &json!("ticket 7")));
    assert_eq!(
        (&lines[1]["old"], &lines[1]["new"]),
        (&json!({"target_plans": ["PREMIUM", "BASIC"]}), &json!({"target_plans": ["FREE"]}))
    );
    assert_eq!(lines[0]["id"], put.json()["history"]);
    let gone = running.edit("DELETE", "/api/v1/flags/crm", &Value::Null).header("if-match", put.header("etag"));
    let gone = gone.send().await;
    assert_eq!((gone.status.as_u16(), &gone.json()["flag"]), (200, &Value::Null), "{gone:?}");
    let missing = running.edit("GET", "/api/v1/flags/crm", &Value::Null).send().await;
    assert_eq!((missing.status.as_u16(), &missing.json()["detail"]), (404, &json!("there is no flag `crm`")));
    assert_eq!(running.rows().await, Vec::<Value>::new());
}

async fn a_conflict_is_one_of_the_same_field(place: Place) {
    let running = place.start().await;
    running.create(json!({"name": "crm", "enabled": false, "rollout_percentage": 10})).await;
    let (whole, tag) = running.flag("crm").await;
    assert_eq!(running.patch("crm", &tag, json!({"enabled": true})).await.status, 200);
    // Another field than the one that changed meanwhile, and what is so already.
    assert_eq!(running.patch("crm", &tag, json!({"rollout_percentage": 20})).await.status, 200);
    assert_eq!(running.patch("crm", &tag, json!({"enabled": true})).await.status, 200);
    let refused = running.patch("crm", &tag, json!({"rollout_percentage": 30, "description": "x"})).await;
    assert_eq!(refused.status, 412, "{refused:?}");
    let conflict = &refused.json()["conflicts"][0];
    assert_eq!((conflict["field"].as_str(), conflict["yours"].as_f64()), (Some("rollout_percentage"), Some(30.0)));
    assert_eq!(conflict["current"].as_f64(), Some(20.0));
    assert_eq!(running.flag("crm").await.0["description"], Value::Null, "nothing of it is saved");
    // The tag that comes with the refusal is the current one.
    let again = running.patch("crm", refused.header("etag"), json!({"rollout_percentage": 30})).await;
    assert_eq!(again.status, 200, "{again:?}");
    // By SQL, as anybody.
    let (_, tag) = running.flag("crm").await;
    place.sql("UPDATE feature_flags SET rollout_percentage = 55, updated_at = '2020-01-01' WHERE name = 'crm'");
    assert_eq!(running.patch("crm", &tag, json!({"rollout_percentage": 40})).await.status, 412);
    assert_eq!(running.patch("crm", &tag, json!({"description": "by hand"})).await.status, 200);
    // A whole flag keeps what others changed in fields that it leaves as they were.
    let mut whole = whole;
    whole["start_date"] = json!("2027-01-01T00:00:00+00:00");
    let (_, first) = (0, running.flag("crm").await.1);
    assert_ne!(first, tag);
    let put = async |flag: &Value, tag: &str| {
        let question = running.edit("PUT", "/api/v1/flags/crm", &json!({"flag": flag}));
        question.header("if-match", tag).send().await
    };
    let reply = put(&whole, &first).await;
    assert_eq!(
        reply.json()["flag"]["rollout_percentage"].as_f64(),
        Some(10.0),
        "what it says otherwise is meant: {reply:?}"
    );
    // A stale tag, none, and one of something else.
    let delete = |tag: &str| running.edit("DELETE", "/api/v1/flags/crm", &Value::Null).header("if-match", tag).send();
    assert_eq!(delete(&tag).await.status, 412);
    assert_eq!(delete("\"42\"").await.status, 412);
    assert_eq!(running.patch("crm", "\"42\"", json!({"enabled": true})).await.status, 412);
    for method in ["PATCH", "PUT", "DELETE"] {
        let body = if method == "DELETE" { Value::Null } else { json!({"flag": {"enabled": false}}) };
        let reply = running.edit(method, "/api/v1/flags/crm", &body).send().await;
        assert_eq!(reply.status, 428, "{reply:?}");
    }
    assert_eq!(running.create(json!({"name": "crm", "enabled": true})).await.status, 409);
    let make = running.edit("PUT", "/api/v1/flags/crm", &json!({"flag": {"enabled": true}}));
    assert_eq!(make.header("if-none-match", "*").send().await.status, 412);
    let make = running.edit("PUT", "/api/v1/flags/pay%2Fnow", &json!({"flag": {"enabled": true}}));
    let made = make.header("if-none-match", "*").send().await;
    assert_eq!((made.status.as_u16(), made.header("location")), (201, "/api/v1/flags/pay%2Fnow"), "{made:?}");
    assert_eq!(running.flag("pay%2Fnow").await.0["name"], "pay/now");
    assert_eq!(delete("*").await.status, 200);
}

async fn nothing_is_saved_that_the_engine_would_set_aside(place: Place) {
    let running = place.start().await;
    running.create(json!({"name": "base", "enabled": true})).await;
    running.create(json!({"name": "crm", "enabled": true, "prerequisites": [{"flag": "base", "on": true}]})).await;
    let before = running.rows().await;
    let (_, tag) = running.flag("crm").await;
    let refused = async |flag: Value| {
        let reply = running.patch("crm", &tag, flag.clone()).await;
        assert_eq!(reply.status, 422, "{flag}: {reply:?}");
        reply.json()
    };
    let said = refused(json!({"rollout_percentage": 150})).await;
    assert_eq!(said["violations"][0]["place"], "/rollout_percentage", "{said}");
    assert!(said["detail"].as_str().unwrap().contains("expected 0 to 100"), "{said}");
    refused(json!({"prerequisites": [{"flag": "nobody", "on": true}]})).await;
    refused(json!({"prerequisites": [{"flag": "crm", "on": true}]})).await;
    refused(json!({"start_date": "soon"})).await;
    refused(json!({"target_plans": {"a": 1}})).await;
    let said = refused(json!({"enabeld": true})).await;
    assert!(
        said["detail"].as_str().unwrap().starts_with("`enabeld` is no column of the table, expected one of"),
        "{said}"
    );
    refused(json!({"name": "other"})).await;
    refused(json!({"updated_at": "2027-01-01"})).await;
    // A flag that another one needs.
    let (_, base) = running.flag("base").await;
    let gone = running.edit("DELETE", "/api/v1/flags/base", &Value::Null).header("if-match", &base).send().await;
    assert_eq!(gone.status, 422, "{gone:?}");
    assert!(gone.json()["detail"].as_str().unwrap().contains("`crm`"), "{gone:?}");
    for wrong in [
        json!({"name": "x", "rollout_percentage": -1}),
        json!({"enabled": true}),
        json!({"name": ""}),
        json!({"name": 5}),
    ] {
        assert_eq!(running.create(wrong.clone()).await.status, 422, "{wrong}");
    }
    assert_eq!(running.rows().await, before);
    // A flag that was broken by SQL keeps nobody from changing another.
    place.sql("UPDATE feature_flags SET rollout_percentage = 150 WHERE name = 'crm'");
    assert_eq!(running.patch("base", &base, json!({"description": "fine"})).await.status, 200);
}

async fn what_is_no_change_of_a_flag_is_refused(place: Place) {
    let running = place.start().await;
    running.create(json!({"name": "crm", "enabled": true})).await;
    let (_, tag) = running.flag("crm").await;
    let status = async |body: &str| {
        let question = running.question("PATCH", "/api/v1/flags/crm").token(&running.admin).body(body);
        question.header("if-match", &tag).send().await.status.as_u16()
    };
    let deep = format!(r#"{{"flag": {{"target_plans": {}{}}}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let large = format!(r#"{{"flag": {{"description": "{}"}}}}"#, "x".repeat(1 << 20));
    for body in [
        "",
        "{",
        "[]",
        "7",
        "{}",
        r#"{"flag": []}"#,
        r#"{"flag": {}, "flags": 1}"#,
        r#"{"flag": {"enabled": true, "enabled": false}}"#,
        &deep,
    ] {
        assert_eq!(status(body).await, 400, "{}", &body[..body.len().min(60)]);
    }
    assert_eq!(status(&large).await, 413);
    assert_eq!(status(r#"{"flag": {}, "reason": 5}"#).await, 400);
    assert_eq!(status(r#"{"flag": {}}"#).await, 200, "no change is no conflict");
    for (method, path) in [
        ("GET", "/api/v1/flags"),
        ("GET", "/api/v1/flags/crm"),
        ("POST", "/api/v1/flags"),
        ("PATCH", "/api/v1/flags/crm"),
        ("DELETE", "/api/v1/flags/crm"),
        ("POST", "/api/v1/flags/crm/rollback"),
        ("GET", "/api/v1/history"),
        ("POST", "/api/v1/history/1/undo"),
    ] {
        for (token, expected) in [(&running.server, 403), (&running.client, 403)] {
            assert_eq!(running.question(method, path).token(token).send().await.status, expected, "{method} {path}");
        }
        assert_eq!(running.question(method, path).send().await.status, 401, "{method} {path}");
    }
    assert_eq!(
        running.get("/v1/snapshot").token(&running.admin).send().await.status,
        200,
        "an admin sees what a server sees"
    );
    assert_eq!(running.history("/api/v1/history").await.len(), 1);
    for query in ["limit=x", "limit=1001", "offset=-1"] {
        assert_eq!(running.edit("GET", &format!("/api/v1/history?{query}"), &Value::Null).send().await.status, 400);
    }
    assert_eq!(running.undo("nothing").await.status, 404);
    assert_eq!(running.edit("GET", "/api/v1/flags/%ff", &Value::Null).send().await.status, 400);
}

async fn a_rollback_switches_off_whatever_has_changed(place: Place) {
    let running = place.start().await;
    running.create(json!({"name": "crm", "enabled": true, "rollout_percentage": 50})).await;
    let stop = async |key: &str| {
        running.edit("POST", &format!("/api/v1/flags/{key}/rollback"), &json!({"reason": "fire"})).send().await
    };
    let reply = stop("crm").await;
    assert_eq!((reply.status.as_u16(), &reply.json()["flag"]["enabled"]), (200, &json!(false)), "{reply:?}");
    assert_eq!(running.all(&running.server, "{}").await.flag("crm")["value"], json!(false));
    assert_eq!(stop("crm").await.status, 200, "also if it is off");
    assert_eq!(stop("nobody").await.status, 404);
    let lines = running.history("/api/v1/flags/crm/history").await;
    assert_eq!(
        (lines.len(), &lines[0]["action"], &lines[1]["action"]),
        (3, &json!("emergency_rollback"), &json!("emergency_rollback"))
    );
    assert_eq!((&lines[1]["reason"], &lines[1]["by"]), (&json!("fire"), &json!("ana")));
    // The same cohort comes back.
    let undone = running.undo(lines[1]["id"].as_str().unwrap()).await;
    assert_eq!(
        (undone.status.as_u16(), undone.json()["flag"]["rollout_percentage"].as_f64()),
        (200, Some(50.0)),
        "{undone:?}"
    );
}

async fn two_servers_agree_within_a_second(place: Place) {
    let (one, other) = (place.start().await, place.start().await);
    one.create(json!({"name": "crm", "enabled": true, "rollout_percentage": 100})).await;
    for state in [false, true, false, true] {
        let (_, tag) = one.flag("crm").await;
        assert_eq!(one.patch("crm", &tag, json!({"enabled": state})).await.status, 200);
        let began = Instant::now();
        let context = r#"{"targetingKey": "u"}"#;
        while other.all(&other.server, context).await.flag("crm")["value"] != json!(state) {
            // SQLite tells nobody: its counter is read once a second.
            let within = if matches!(place, Place::Sqlite(_)) { 1_500 } else { 1_000 };
            assert!(began.elapsed() < Duration::from_millis(within), "the other server does not know it");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        println!("the other server knew it after {:?}", began.elapsed());
    }
    // Both write at once: each field is changed by one, and none is lost.
    let (_, tag) = one.flag("crm").await;
    let (first, second) = tokio::join!(
        one.patch("crm", &tag, json!({"description": "by one"})),
        other.patch("crm", &tag, json!({"target_roles": ["ADMIN"]}))
    );
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 200));
    let (flag, tag) = one.flag("crm").await;
    assert_eq!((&flag["description"], &flag["target_roles"]), (&json!("by one"), &json!(["ADMIN"])));
    let (first, second) = tokio::join!(
        one.patch("crm", &tag, json!({"description": "one"})),
        other.patch("crm", &tag, json!({"description": "two"}))
    );
    let mut both = [first.status.as_u16(), second.status.as_u16()];
    both.sort_unstable();
    assert_eq!(both, [200, 412]);
}

async fn a_reason_may_be_required(place: Place) {
    let running = place.with(|settings| Settings { reason_required: true, ..settings }).await;
    let flag = json!({"name": "crm", "enabled": true});
    let refused = running.create(flag.clone()).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["detail"]),
        (400, &json!("`reason` is missing, expected why this is changed"))
    );
    let make = async |reason: &str| {
        running.edit("POST", "/api/v1/flags", &json!({"flag": flag, "reason": reason})).send().await
    };
    assert_eq!(make("  ").await.status, 400);
    assert_eq!(make(&"x".repeat(1_001)).await.status, 400);
    assert_eq!(make("launch").await.status, 201);
    let stopped = running.edit("POST", "/api/v1/flags/crm/rollback", &Value::Null).send().await;
    assert_eq!(stopped.status, 200, "an emergency waits for no reason: {stopped:?}");
}

async fn names_that_would_be_sql_are_names(place: Place) {
    let running = place.start().await;
    let key = r#"a'; DROP TABLE feature_flags; --"<b>"#;
    let path = "a%27%3B%20DROP%20TABLE%20feature_flags%3B%20--%22%3Cb%3E";
    let made = running.create(json!({"name": key, "enabled": true, "description": "'\"\\"})).await;
    assert_eq!(made.status, 201, "{made:?}");
    let body = json!({"flag": {"description": "$1 ?1 %s"}, "reason": "'); DELETE FROM feature_flags; --"});
    let changed = running.edit("PATCH", &format!("/api/v1/flags/{path}"), &body).header("if-match", "*").send().await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let (flag, _) = running.flag(path).await;
    assert_eq!((&flag["name"], &flag["description"]), (&json!(key), &json!("$1 ?1 %s")));
    let lines = running.history(&format!("/api/v1/flags/{path}/history")).await;
    assert_eq!(lines[0]["reason"], json!("'); DELETE FROM feature_flags; --"));
    let wrong = running.patch(path, "*", json!({"x\" = 1; --": true})).await;
    assert_eq!(wrong.status, 422, "{wrong:?}");
    let nul = running.create(json!({"name": "a\u{0}b", "enabled": true})).await;
    assert!([201, 422].contains(&nul.status.as_u16()), "{nul:?}");
}

#[tokio::test]
async fn a_store_that_is_only_read_takes_no_change() {
    let running = Running::start(Table::new(r#"[{"name": "crm", "enabled": true}]"#).source()).await;
    let refused = running.create(json!({"name": "pay", "enabled": true})).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.json()["detail"].as_str().unwrap().contains("does not write to"));
}
