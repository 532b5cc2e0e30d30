//! Accounts and tokens that are kept in the store, the same in SQLite and Postgres: who comes in, for how long, and what a copy
//! of the database is worth.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod editing;
mod people;
mod running;

use std::time::{Duration, Instant};

use editing::Place;
use esclusa_server::Secret;
use people::{PASSWORD, account, address, by, cookie, cookie_of, is_in, log_in, start, token};
use running::Question;
use serde_json::{Value, json};

async fn status(question: Question) -> u16 {
    question.send().await.status.as_u16()
}

#[tokio::test]
async fn an_account_comes_in_by_its_password_until_an_admin_ends_that() {
    for place in [Place::sqlite(), Place::postgres()] {
        let running = start(&place).await;
        running.create(json!({"name": "crm", "enabled": true})).await;
        let more = json!({"company": null, "locale": "es", "may_roll_back": false});
        let id = account(&running, "eva", "editor", more).await;
        account(&running, "root", "admin", json!({})).await;
        for (name, password) in [("eva", "correct horse batter"), ("eva", ""), ("nobody", PASSWORD)] {
            let refused = log_in(&running, name, password).send().await;
            assert_eq!((refused.status.as_u16(), refused.header("set-cookie")), (401, ""), "{name} {password}");
            let detail = "there is no account with this `email` and this `password`";
            assert_eq!(refused.json()["detail"], detail, "it does not say which of them is wrong");
        }
        let begun = log_in(&running, "EVA", PASSWORD).send().await;
        let eva = cookie_of(&begun);
        let mut shown = begun.json();
        shown.as_object_mut().unwrap().remove("expires").unwrap();
        assert_eq!(shown, json!({"name": "eva", "role": "editor", "may_roll_back": false, "company": null}));
        let tag = by(&running, &eva, "GET", "/api/v1/flags/crm", &Value::Null).send().await;
        let flag = json!({"flag": {"description": "hers"}, "reason": "because"});
        let patch = by(&running, &eva, "PATCH", "/api/v1/flags/crm", &flag).header("if-match", tag.header("etag"));
        assert_eq!(status(patch).await, 200);
        let line = &running.history("/api/v1/flags/crm/history").await[0];
        assert_eq!((&line["by"], &line["reason"]), (&json!("eva"), &json!("because")));
        // The list shows who is in, and neither hash nor cookie.
        let sessions = running.edit("GET", "/api/v1/sessions", &Value::Null).send().await;
        let sessions = sessions.json()["sessions"].as_array().unwrap().clone();
        assert_eq!((sessions.len(), &sessions[0]["email"]), (1, &json!("eva@example.com")));
        assert!(sessions[0]["address"].as_str().unwrap().starts_with("192.0.2."), "{sessions:?}");
        let own = sessions[0]["id"].as_str().unwrap();
        assert_eq!(status(running.edit("DELETE", &format!("/api/v1/sessions/{own}"), &Value::Null)).await, 204);
        assert!(!is_in(&running, &eva).await, "an admin has ended it");
        assert_eq!(status(running.edit("DELETE", &format!("/api/v1/sessions/{own}"), &Value::Null)).await, 404);
        // A session that its page ends does not hold any more, also for who has copied the cookie.
        let eva = cookie(&running, "eva").await;
        assert_eq!(status(by(&running, &eva, "DELETE", "/api/v1/session", &Value::Null)).await, 204);
        assert!(!is_in(&running, &eva).await);
        // Another role, company or password ends sessions; another name does not.
        let path = format!("/api/v1/accounts/{id}");
        for (at, (change, stays)) in [
            (json!({"name": "Eva López"}), true),
            (json!({"role": "viewer"}), false),
            (json!({"company": "acme"}), false),
            (json!({"company": null}), false),
            (json!({"password": "another long password"}), false),
        ]
        .into_iter()
        .enumerate()
        {
            // A name of its own for each, since a minute has five tries.
            let name = format!("eva{at}");
            let path = format!("/api/v1/accounts/{}", account(&running, &name, "editor", json!({})).await);
            let before = running.edit("PATCH", &path, &json!({"company": if change.get("company") == Some(&Value::Null) { json!("acme") } else { Value::Null }}));
            assert_eq!(status(before).await, 200);
            let password = if change.get("password").is_some() { "another long password" } else { PASSWORD };
            let eva = cookie(&running, &name).await;
            let changed = running.edit("PATCH", &path, &change).send().await;
            assert_eq!(changed.status, 200, "{changed:?}");
            assert_eq!(is_in(&running, &eva).await, stays, "{change}");
            assert_eq!(status(log_in(&running, &name, password)).await, 200, "{change}");
        }
        let changed = json!({"name": "Eva López", "role": "viewer", "password": "another long password"});
        assert_eq!(status(running.edit("PATCH", &path, &changed)).await, 200);
        let held = running.edit("GET", "/api/v1/accounts", &Value::Null).send().await.json();
        let of_eva = |account: &&Value| account["email"] == "eva@example.com";
        let mut held = held["accounts"].as_array().unwrap().iter().find(of_eva).unwrap().clone();
        held.as_object_mut().unwrap().remove("created").unwrap();
        let expected = json!({"id": id, "email": "eva@example.com", "name": "Eva López", "role": "viewer",
            "may_roll_back": false, "company": null, "locale": "es"});
        assert_eq!(held, expected);
        let path = format!("/api/v1/accounts/{}", account(&running, "zoe", "editor", json!({})).await);
        let zoe = cookie(&running, "zoe").await;
        assert_eq!(status(running.edit("DELETE", &path, &Value::Null)).await, 204);
        assert!(!is_in(&running, &zoe).await, "the account is gone");
        assert_eq!(status(log_in(&running, "zoe", PASSWORD)).await, 401);
        assert_eq!(status(running.edit("DELETE", &path, &Value::Null)).await, 404);
    }
}

#[tokio::test]
async fn an_account_is_refused_that_could_not_be_one_and_the_last_admin_stays() {
    for place in [Place::sqlite(), Place::postgres()] {
        let running = start(&place).await;
        let good = json!({"email": "root@example.com", "name": "root", "password": PASSWORD, "role": "admin"});
        let with = |name: &str, value: Value| {
            let mut body = good.clone();
            body[name] = value;
            body
        };
        for wrong in [
            with("email", json!("root")),
            with("email", json!("a b@example.com")),
            with("email", json!(format!("{}@example.com", "a".repeat(250)))),
            with("name", json!("")),
            with("name", json!("a\nb")),
            with("name", json!("a\u{0}b")),
            with("name", json!("a".repeat(101))),
            with("password", json!("short pass!")),
            with("password", json!("p".repeat(1_025))),
            with("role", json!("root")),
            with("role", Value::Null),
            with("may_roll_back", json!("yes")),
            with("id", json!("00000000-0000-0000-0000-000000000000")),
            json!([]),
            json!({}),
        ] {
            let refused = running.edit("POST", "/api/v1/accounts", &wrong).send().await;
            assert_eq!(refused.status, 400, "{wrong} {refused:?}");
        }
        let id = account(&running, "root", "admin", json!({})).await;
        let again = running.edit("POST", "/api/v1/accounts", &with("email", json!("Root@Example.com"))).send().await;
        assert_eq!(again.status, 409, "{again:?}");
        let path = format!("/api/v1/accounts/{id}");
        for change in [json!({"role": "editor"}), json!({"company": "acme"})] {
            assert_eq!(status(running.edit("PATCH", &path, &change)).await, 409, "{change}");
        }
        assert_eq!(status(running.edit("DELETE", &path, &Value::Null)).await, 409, "the last admin");
        assert_eq!(status(running.edit("PATCH", &path, &json!({"name": "still root"}))).await, 200);
        let other = account(&running, "other", "admin", json!({})).await;
        let taken = running.edit("PATCH", &format!("/api/v1/accounts/{other}"), &json!({"email": "root@example.com"}));
        assert_eq!(status(taken).await, 409);
        // Two admins who take the right from each other at once: one of them stays.
        let take =
            |id: &str| running.edit("PATCH", &format!("/api/v1/accounts/{id}"), &json!({"role": "viewer"})).send();
        let (one, two) = tokio::join!(take(&id), take(&other));
        let mut both = [one.status.as_u16(), two.status.as_u16()];
        both.sort_unstable();
        assert_eq!(both, [200, 409]);
        for wrong in ["/api/v1/accounts/nobody", "/api/v1/accounts/%00", "/api/v1/accounts/'%20OR%201=1--"] {
            assert!([400, 404].contains(&status(running.edit("DELETE", wrong, &Value::Null)).await), "{wrong}");
        }
        // What is in a name is a name.
        let name = "<script>alert(1)</script>'; DROP TABLE feature_flags; --";
        running.create(json!({"name": "crm", "enabled": true})).await;
        account(&running, "eve", "admin", json!({"name": name})).await;
        let eve = cookie(&running, "eve").await;
        let stopped = by(&running, &eve, "POST", "/stop", &Value::Null).body("flag=crm").send().await;
        assert!(!String::from_utf8_lossy(&stopped.body).contains("<script"), "{stopped:?}");
        assert_eq!(running.history("/api/v1/history").await[0]["by"], name);
    }
}

#[tokio::test]
async fn a_password_is_tried_five_times_a_minute_by_account_and_by_address() {
    let running = start(&Place::sqlite()).await;
    account(&running, "eva", "viewer", json!({})).await;
    account(&running, "bo", "viewer", json!({})).await;
    let from = |name: &str, password: &str, address: &str| {
        let body = json!({"email": format!("{name}@example.com"), "password": password});
        running.post("/api/v1/session", &body.to_string()).header("x-forwarded-for", &format!("10.0.0.1, {address}"))
    };
    for _ in 0..5 {
        assert_eq!(status(log_in(&running, "eva", "wrong wrong wrong")).await, 401);
    }
    let refused = log_in(&running, "eva", PASSWORD).send().await;
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!(refused.status == 429 && (1..=12).contains(&wait), "{refused:?}");
    assert_eq!(status(log_in(&running, "bo", PASSWORD)).await, 200, "another account is not held up");
    let one = address();
    for _ in 0..5 {
        assert_eq!(status(from("nobody", PASSWORD, &one)).await, 401);
    }
    assert_eq!(status(from("bo", PASSWORD, &one)).await, 429, "the address is held up for every account");
    let form = running.post("/stop/session", "email=bo@example.com&password=correct+horse+battery");
    assert_eq!(status(form.header("x-forwarded-for", &one)).await, 429);
    // What the client writes itself does not count.
    assert_eq!(status(from("bo", PASSWORD, &address())).await, 200);
    assert_eq!(status(running.edit("GET", "/api/v1/flags", &Value::Null)).await, 200, "tokens are not held up");
}

#[tokio::test]
async fn who_has_an_account_changes_the_password_and_other_sessions_end() {
    for place in [Place::sqlite(), Place::postgres()] {
        let running = start(&place).await;
        account(&running, "eva", "viewer", json!({"company": "acme"})).await;
        let (one, other) = (cookie(&running, "eva").await, cookie(&running, "eva").await);
        let change = |old: &str, new: &str| {
            let body = json!({"old": old, "new": new});
            by(&running, &one, "PUT", "/api/v1/session/password", &body).header("x-forwarded-for", &address())
        };
        assert_eq!(status(change("wrong wrong wrong", "another long password")).await, 403);
        assert_eq!(status(change(PASSWORD, "short")).await, 400);
        let body = json!({"old": PASSWORD, "new": "another long password"});
        let elsewhere = running.question("PUT", "/api/v1/session/password").header("cookie", &one);
        assert_eq!(status(elsewhere.header("sec-fetch-site", "cross-site").body(&body.to_string())).await, 403);
        assert_eq!(status(change(PASSWORD, "another long password")).await, 204);
        assert_eq!((is_in(&running, &one).await, is_in(&running, &other).await), (true, false));
        // Five tries of this minute are over.
        account(&running, "bo", "viewer", json!({})).await;
        let (one, body) = (cookie(&running, "bo").await, json!({"old": PASSWORD, "new": "another long password"}));
        assert_eq!(status(by(&running, &one, "PUT", "/api/v1/session/password", &body)).await, 204);
        assert_eq!(status(log_in(&running, "bo", PASSWORD)).await, 401);
        assert_eq!(status(log_in(&running, "bo", "another long password")).await, 200);
        let begun = running.post("/api/v1/session", &json!({"token": running.admin.text()}).to_string()).send().await;
        let of_token = by(&running, &cookie_of(&begun), "PUT", "/api/v1/session/password", &body);
        assert_eq!(status(of_token).await, 400, "a token has no password");
    }
}

#[tokio::test]
async fn tokens_of_four_kinds_are_made_used_and_taken_away() {
    for place in [Place::sqlite(), Place::postgres()] {
        if let Place::Postgres(_) = place {
            place.sql("ALTER TABLE feature_flags ADD client boolean");
        }
        let running = start(&place).await;
        running.create(json!({"name": "crm", "enabled": true, "client": true})).await;
        running.create(json!({"name": "secret", "enabled": true})).await;
        let (server_id, server) = token(&running, json!({"kind": "server"})).await;
        let origins =
            json!({"kind": "client", "name": "web", "origins": ["https://app.example.com"], "company": "acme"});
        let (_, client) = token(&running, origins).await;
        let (_, ingest) = token(&running, json!({"kind": "ingest"})).await;
        let (_, editor) = token(&running, json!({"kind": "admin", "name": "ci", "role": "editor"})).await;
        assert_eq!(status(running.get("/v1/snapshot").token(&server)).await, 200);
        let seen = running.all(&client, "{}").await.json()["flags"].as_array().unwrap().len();
        assert_eq!(seen, 1, "a client sees what is marked so");
        assert_eq!(running.all(&client, r#"{"company": "rival"}"#).await.status, 403);
        let evil = running.post("/v1/projection", "{}").token(&client).header("origin", "https://evil.example.com");
        assert_eq!(status(evil).await, 403);
        for (method, path) in [
            ("POST", "/ofrep/v1/evaluate/flags"),
            ("POST", "/ofrep/v1/evaluate/flags/crm"),
            ("POST", "/v1/projection"),
            ("POST", "/v1/client-snapshot"),
            ("GET", "/v1/snapshot"),
            ("GET", "/v1/events"),
            ("GET", "/v1/trips"),
            ("PUT", "/v1/trips/crm"),
            ("GET", "/openfeature/v0/manifest"),
            ("GET", "/ofrep/v1/events"),
            ("GET", "/api/v1/flags"),
            ("GET", "/stop"),
        ] {
            let asked = running.question(method, path).body(if method == "GET" { "" } else { "{}" }).token(&ingest);
            assert_eq!(asked.open().await.status().as_u16(), 403, "{method} {path}: an ingest token sees no flag");
        }
        for (path, expected) in [("/v1/usage", 400), ("/v1/track", 400), ("/v1/facts", 400)] {
            let asked = running.post(path, "{}").header("content-type", "application/json").token(&ingest);
            let reply = asked.send().await;
            assert!(reply.status.as_u16() == expected || reply.status == 200, "{path} is what it is for: {reply:?}");
            assert_eq!(status(running.post(path, "{}")).await, 401, "{path}");
        }
        let change = |secret: &Secret| {
            let question = running.question("PATCH", "/api/v1/flags/crm").token(secret).header("if-match", "*");
            question.body(r#"{"flag": {"description": "x"}}"#)
        };
        assert_eq!((status(change(&editor)).await, status(change(&server)).await), (200, 403));
        assert_eq!(running.history("/api/v1/history").await[0]["by"], "ci");
        let stop = running.question("POST", "/api/v1/flags/crm/rollback").token(&editor);
        assert_eq!(status(stop).await, 403, "rolling back is a right of its own");
        let trip = running.question("PUT", "/v1/trips/crm").token(&editor).body(r#"{"run": 1}"#);
        assert_eq!(status(trip).await, 403, "an editor is no backend");
        for wrong in [
            json!({"kind": "root"}),
            json!({"kind": "server", "company": "acme"}),
            json!({"kind": "client", "role": "viewer"}),
            json!({"kind": "client", "origins": ["https://app.example.com/"]}),
            json!({"kind": "client", "origins": "https://app.example.com"}),
            json!({"kind": "client", "expires": "soon"}),
            json!({"kind": "client", "expires": "2026-01-01T00:00:00Z"}),
            json!({"kind": "client", "id": "1"}),
            json!({}),
        ] {
            assert_eq!(status(running.edit("POST", "/api/v1/tokens", &wrong)).await, 400, "{wrong}");
        }
        // Its time comes while the server runs.
        let soon = esclusa::Time::from_millis(running_now() + 1_500).to_string();
        let (_, short) = token(&running, json!({"kind": "server", "expires": soon})).await;
        assert_eq!(status(running.get("/v1/snapshot").token(&short)).await, 200);
        tokio::time::sleep(Duration::from_millis(1_600)).await;
        assert_eq!(status(running.get("/v1/snapshot").token(&short)).await, 401);
        let list = running.edit("GET", "/api/v1/tokens", &Value::Null).send().await;
        let text = String::from_utf8_lossy(&list.body).into_owned();
        for secret in [&server, &client, &ingest, &editor] {
            assert!(text.contains(secret.id()) && !text.contains(secret.text()) && !text.contains(&secret.sha256()));
        }
        let sessions = json!({"token": editor.text()}).to_string();
        let begun = running.post("/api/v1/session", &sessions).send().await;
        let page = cookie_of(&begun);
        assert_eq!(begun.json()["role"], "editor");
        assert_eq!(status(running.edit("DELETE", &format!("/api/v1/tokens/{}", editor.id()), &Value::Null)).await, 204);
        assert_eq!(status(change(&editor)).await, 401);
        assert!(!is_in(&running, &page).await, "its session ends with it");
        assert_eq!(status(running.edit("DELETE", &format!("/api/v1/tokens/{server_id}"), &Value::Null)).await, 204);
        assert_eq!(status(running.get("/v1/snapshot").token(&server)).await, 401);
        let own = format!("/api/v1/tokens/{}", running.admin.id());
        assert_eq!(status(running.edit("DELETE", &own, &Value::Null)).await, 404, "the configuration has that one");
        // When a token was used is written down.
        let began = Instant::now();
        loop {
            let list = running.edit("GET", "/api/v1/tokens", &Value::Null).send().await.json();
            let tokens = list["tokens"].as_array().unwrap().clone();
            if tokens.iter().any(|token| token["id"] == client.id() && token["used"].is_string()) {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{tokens:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

fn running_now() -> i64 {
    esclusa::Time::from(std::time::SystemTime::now()).as_millis()
}
