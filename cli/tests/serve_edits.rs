//! `esclusa serve` changes flags: from an empty folder, through kill -9, and with the numbers of `esclusa diff`.
#![cfg(all(feature = "serve", feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

mod serving;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use esclusa_loopback::Postgres;
use serde_json::{Value, json};
use serving::Serving;

/// Uses the link, and gives the token.
fn set_up(serving: &mut Serving) -> String {
    let link = serving.after("the first admin, once: http://");
    let (_, path) = link.split_once('/').unwrap();
    let (status, page) = serving.ask("GET", &format!("/{path}"), "", "");
    assert_eq!(status, 200, "{page}");
    let code = path.split_once("code=").unwrap().1;
    let (status, page) = serving.ask("POST", "/setup", "", &format!("code={code}&name=Ana"));
    assert_eq!(status, 200, "{page}");
    page.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

fn create(serving: &Serving, token: &str, flag: &Value) {
    let (status, body) = serving.ask("POST", "/api/v1/flags", token, &json!({"flag": flag}).to_string());
    assert_eq!(status, 201, "{body}");
}

#[test]
fn in_an_empty_folder_a_link_gives_the_token_that_changes_flags() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut serving = Serving::start(folder.path(), &[("ESCLUSA_SERVE_LOG", "trace")], &[]);
    let admin = set_up(&mut serving);
    println!("the token is there after {:?}", began.elapsed());
    let server = serving.after("server token, until this ends: ");
    create(&serving, &admin, &json!({"name": "crm", "enabled": true, "client": true}));
    assert_eq!(serving.value(&server, "crm", "{}"), true.into());
    let said = serving.stop();
    let secret = admin.rsplit('_').next().unwrap();
    let code = said.split_once("/setup?code=").unwrap().1.split('\n').next().unwrap();
    assert!(!said.contains(secret), "{said}");
    assert_eq!(said.matches(code).count(), 1, "the log has the code: {said}");
    // The next start makes no link, and knows the token.
    let serving = Serving::start(folder.path(), &[], &[]);
    serving.until_ready();
    let (status, body) = serving.ask("PATCH", "/api/v1/flags/crm", &admin, r#"{"flag": {"enabled": false}}"#);
    assert_eq!(status, 200, "{body}");
    let (_, history) = serving.ask("GET", "/api/v1/history", &admin, "");
    let history: Value = serde_json::from_str(&history).unwrap();
    assert_eq!((&history["history"][0]["by"], &history["history"][0]["action"]), (&json!("Ana"), &json!("disable")));
    assert!(!serving.stop().contains("/setup"), "one admin token is there");
}

/// At the lowest level too the log holds neither a password, nor what a token or a cookie is.
#[test]
fn a_log_of_everything_holds_no_password_and_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(folder.path(), &[("ESCLUSA_SERVE_LOG", "trace")], &[]);
    let link = serving.after("the first admin, once: http://");
    let code = link.rsplit('=').next().unwrap().trim().to_owned();
    let form = format!("code={code}&name=Eva&email=eva@example.com&password=a+password+of+hers");
    assert_eq!(serving.ask("POST", "/setup", "", &form).0, 200);
    let log_in = |password: &str| {
        let body = json!({"email": "eva@example.com", "password": password});
        serving.ask("POST", "/api/v1/session", "", &body.to_string()).0
    };
    assert_eq!((log_in("a password of hers"), log_in("a wrong password of hers")), (200, 401));
    let server = serving.after("server token, until this ends: ");
    assert_eq!(serving.ask("POST", "/api/v1/session", "", &json!({"token": server}).to_string()).0, 403);
    assert_eq!(serving.ask("GET", "/v1/snapshot", &server, "").0, 200);
    let said = serving.stop();
    let secret = server.rsplit('_').next().unwrap();
    assert_eq!(said.matches(secret).count(), 1, "it is shown at the start: {said}");
    for secret in ["password of hers", "password+of+hers", "argon2id", "esclusa="] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

/// Writes until the server is killed in the middle, and gives the answered changes.
fn write_until_killed(serving: Serving, token: &str, after: Duration) -> (u32, u32) {
    let id = serving.id();
    let killer = std::thread::spawn(move || {
        std::thread::sleep(after);
        assert!(Command::new("kill").args(["-9", &id.to_string()]).status().unwrap().success());
    });
    let (mut answered, mut asked) = (0, 0);
    loop {
        asked += 1;
        let body = json!({"flag": {"description": asked.to_string()}, "reason": asked.to_string()}).to_string();
        match serving.try_to_ask("PATCH", "/api/v1/flags/crm", token, &body) {
            Some((200, _)) => answered = asked,
            None => break,
            Some((status, body)) => panic!("{status} {body}"),
        }
    }
    killer.join().unwrap();
    serving.kill();
    (answered, asked)
}

/// Everything that was answered is there, with its line in the history; the one that was cut off is there whole or not.
fn check_after_kill(serving: &Serving, token: &str, (answered, asked): (u32, u32)) {
    serving.until_ready();
    let (_, flag) = serving.ask("GET", "/api/v1/flags/crm", token, "");
    let flag: Value = serde_json::from_str(&flag).unwrap();
    let held: u32 = flag["flag"]["description"].as_str().unwrap_or("0").parse().unwrap();
    let (_, history) = serving.ask("GET", "/api/v1/flags/crm/history?limit=1", token, "");
    let history: Value = serde_json::from_str(&history).unwrap();
    println!("{answered} changes were answered, {asked} asked for; the table has {held}");
    assert!(held == answered || held == asked, "{held}, {answered} were answered");
    assert_eq!(history["history"][0]["reason"], held.to_string(), "the history belongs to the row");
}

#[test]
fn kill_9_in_the_middle_of_writing_loses_nothing_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(folder.path(), &[], &[]);
    let admin = set_up(&mut serving);
    create(&serving, &admin, &json!({"name": "crm", "enabled": true, "description": "0"}));
    for millis in [150, 333, 501] {
        let counted = write_until_killed(serving, &admin, Duration::from_millis(millis));
        serving = Serving::start(folder.path(), &[], &[]);
        check_after_kill(&serving, &admin, counted);
    }
}

/// An app says again what was not answered, as `spec/GUARD.md` has it.
#[test]
fn kill_9_loses_no_count_that_was_answered_and_counts_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(folder.path(), &[], &[]);
    let admin = set_up(&mut serving);
    create(&serving, &admin, &json!({"name": "crm", "enabled": true}));
    let minute = esclusa::Time::from_millis(esclusa::Time::from(std::time::SystemTime::now()).as_millis() - 60_000);
    let mut asked = 0;
    for millis in [120, 310] {
        serving.until_ready();
        let id = serving.id();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(millis));
            assert!(Command::new("kill").args(["-9", &id.to_string()]).status().unwrap().success());
        });
        let mut answered = asked;
        loop {
            asked += 1;
            let count = json!({"flag": "crm", "variant": "on", "reason": "STATIC", "minute": minute.to_string(), "count": asked});
            let body = json!({"esclusa": 1, "process": "app-1", "revision": null, "counts": [count]}).to_string();
            match serving.try_to_ask("POST", "/v1/usage", &admin, &body) {
                Some((204, _)) => answered = asked,
                None => break,
                Some((status, body)) => panic!("{status} {body}"),
            }
        }
        killer.join().unwrap();
        serving.kill();
        serving = Serving::start(folder.path(), &[], &[]);
        serving.until_ready();
        let (_, figures) = serving.ask("GET", "/api/v1/flags/crm/metrics", &admin, "");
        let figures: Value = serde_json::from_str(&figures).unwrap();
        let held = figures["evaluations"].as_i64().unwrap();
        println!("{answered} reports were answered, {asked} sent; {held} are counted");
        assert!(held == answered || held == asked, "{held}, {answered} were answered");
    }
}

#[test]
fn the_same_in_postgres_where_the_token_is_in_the_set_up() {
    let postgres = Postgres::start().unwrap();
    let sql = |sql: &str| {
        let mut psql = postgres.client("psql").unwrap();
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", sql]);
        assert!(psql.status().unwrap().success(), "{sql}");
    };
    sql(include_str!("../../sync/migrations/001_esclusa.sql"));
    sql("SELECT esclusa.create_flags('public.feature_flags')");
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(folder.path(), &[], &[&postgres.url()]);
    let made = serving.after("admin token, until this ends: ");
    create(&serving, &made, &json!({"name": "crm", "enabled": true, "description": "0"}));
    let new = Command::new(env!("CARGO_BIN_EXE_esclusa")).args(["serve", "--new-token", "admin"]).output().unwrap();
    let admin = String::from_utf8(new.stdout).unwrap().trim().to_owned();
    let counted = write_until_killed(serving, &made, Duration::from_millis(400));
    let serving = Serving::start(folder.path(), &[("ESCLUSA_SERVE_TOKENS", &admin)], &[&postgres.url()]);
    check_after_kill(&serving, &admin, counted);
}

#[test]
fn a_preview_has_the_numbers_of_diff() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(folder.path(), &[], &[]);
    let admin = set_up(&mut serving);
    let flag =
        json!({"name": "crm", "enabled": true, "rollout_percentage": 10.0, "target_plans": ["PREMIUM", "BASIC"]});
    create(&serving, &admin, &flag);
    let plans = ["PREMIUM", "BASIC", "FREE"];
    let person = |at: usize| json!({"user": format!("user-{at}"), "plan": plans[at % 3], "region": (if at.is_multiple_of(2) { "CO" } else { "MX" })});
    let people: Vec<Value> = (0..2_000).map(person).collect();
    let draft = json!({"rollout_percentage": 62.5, "target_plans": ["PREMIUM", "FREE"]});
    let at = "2026-11-30T00:00:00.000Z";
    let body = json!({"key": "crm", "flag": draft, "people": people, "at": at}).to_string();
    let (status, said) = serving.ask("POST", "/api/v1/preview", &admin, &body);
    assert_eq!(status, 200, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let mut after = flag.clone();
    after.as_object_mut().unwrap().extend(draft.as_object().unwrap().clone());
    let file = |name: &str, value: &Value| fs::write(folder.path().join(name), value.to_string()).unwrap();
    file("old.json", &json!([flag]));
    file("new.json", &json!([after]));
    file("people.json", &json!(people));
    let diff = Command::new(env!("CARGO_BIN_EXE_esclusa"))
        .args([
            "diff",
            "old.json",
            "new.json",
            "--contexts",
            "people.json",
            "--format",
            "json",
            "--at",
            at,
            "--no-config",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let diff: Value = serde_json::from_slice(&diff.stdout).unwrap();
    let mut of_diff = diff["flags"].clone();
    // Of a sample alone.
    of_diff[0]["people"].as_object_mut().unwrap().remove("interval");
    // The tool calls the value of an attribute as it calls the number of values that differ.
    let mut of_preview = said["flags"].clone();
    for group in of_preview[0]["people"]["groups"].as_array_mut().unwrap() {
        for counted in group["values"].as_array_mut().unwrap() {
            counted.as_object_mut().unwrap().remove("of").unwrap();
        }
    }
    assert_eq!(of_preview, of_diff);
    for name in ["counted", "flipped", "turned_off"] {
        assert_eq!(said["people"][name], diff["people"][name], "{name}");
    }
    assert!(said["people"]["flipped"].as_u64().unwrap() > 100);
    assert!(Path::new(&folder.path().join("esclusa.db")).exists());
}

#[test]
fn answers_are_what_the_description_of_the_server_says() {
    let Some(program) = std::env::var_os("ESCLUSA_SCHEMATHESIS") else {
        println!("left out: the description of the server needs ESCLUSA_SCHEMATHESIS");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(folder.path(), &[], &[]);
    let admin = set_up(&mut serving);
    create(&serving, &admin, &json!({"name": "crm", "enabled": true, "client": true}));
    serving.until_ready();
    let description = format!("http://{}/api/v1/openapi.json", serving.address);
    // The description cannot say which columns the table has, nor which values the engine takes; and a stream has no end.
    let words =
        ["--max-examples", "20", "--exclude-checks", "positive_data_acceptance", "--exclude-path", "/v1/events"];
    serving::schemathesis(&program, &description, folder.path(), &admin, &words);
}
