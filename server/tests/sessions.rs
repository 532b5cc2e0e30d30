//! Sessions of a page: begun with a token, shown, used instead of the token, and ended.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod editing;
mod running;

use editing::Place;
use esclusa_server::{Kind, Secret, Settings};
use running::{Question, Reply, Running, Table};
use serde_json::{Value, json};

fn begin(running: &Running, body: &Value) -> Question {
    running.post("/api/v1/session", &body.to_string()).header("sec-fetch-site", "same-origin")
}

/// The cookie as a browser sends it.
fn cookie(reply: &Reply) -> String {
    reply.header("set-cookie").split(';').next().unwrap().to_owned()
}

async fn status(question: Question) -> u16 {
    question.send().await.status.as_u16()
}

#[tokio::test]
async fn a_page_begins_a_session_uses_it_and_ends_it() {
    let running = Place::sqlite().start().await;
    let begun = begin(&running, &json!({"token": running.admin.text()})).send().await;
    assert_eq!(begun.status, 200, "{begun:?}");
    let set = begun.header("set-cookie");
    assert!(set.starts_with("esclusa=") && set.contains("; HttpOnly; SameSite=Strict") && !set.contains("Secure"));
    assert!(!set.contains(&running.admin.text()[20..]), "the token is not in the cookie");
    let mut body = begun.json();
    let expires = body.as_object_mut().unwrap().remove("expires").unwrap();
    assert!(esclusa::Time::parse(expires.as_str().unwrap()).is_some(), "{expires}");
    assert_eq!(body, json!({"name": "ana", "role": "admin", "may_roll_back": true, "company": null}));
    let cookie = cookie(&begun);
    let shown = running.get("/api/v1/session").header("cookie", &format!("theme=dark; {cookie}")).send().await;
    assert_eq!((shown.status.as_u16(), shown.json()), (200, begun.json()));
    let by_page = |method: &str, path: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        running.question(method, path).header("cookie", &cookie).header("sec-fetch-site", "same-origin").body(&body)
    };
    let made = by_page("POST", "/api/v1/flags", json!({"flag": {"name": "crm", "enabled": true}})).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    for path in ["/api/v1/flags", "/api/v1/flags/crm", "/api/v1/history", "/api/v1/flags/crm/history", "/stop"] {
        assert_eq!(status(running.get(path).header("cookie", &cookie)).await, 200, "{path}");
    }
    assert_eq!(status(by_page("POST", "/api/v1/explain", json!({"context": {}}))).await, 200);
    assert_eq!(status(by_page("POST", "/api/v1/preview", json!({"key": "crm", "flag": null}))).await, 200);
    assert_eq!(status(by_page("POST", "/api/v1/flags/crm/rollback", Value::Null)).await, 200);
    assert_eq!(running.history("/api/v1/history").await[0]["by"], "ana");
    let ended = by_page("DELETE", "/api/v1/session", Value::Null).send().await;
    assert_eq!((ended.status.as_u16(), ended.body.len()), (204, 0));
    assert!(ended.header("set-cookie").starts_with("esclusa=; Path=/; Max-Age=0;"), "{ended:?}");
    // Addresses for apps take no cookie.
    assert_eq!(status(running.get("/v1/snapshot").header("cookie", &cookie)).await, 401);
}

#[tokio::test]
async fn another_page_can_neither_begin_nor_use_a_session() {
    let running = Place::sqlite().start().await;
    running.create(json!({"name": "crm", "enabled": true})).await;
    let cookie = cookie(&begin(&running, &json!({"token": running.admin.text()})).send().await);
    let own = running.address.to_string();
    let others = [
        vec![("sec-fetch-site", "cross-site".to_owned())],
        vec![("sec-fetch-site", "same-site".to_owned())],
        vec![("sec-fetch-site", "cross-site".to_owned()), ("origin", format!("http://{own}"))],
        vec![("origin", "https://evil.example.com".to_owned())],
        vec![("origin", "null".to_owned())],
        vec![("origin", format!("http://{own}.evil.example.com"))],
    ];
    for headers in others {
        let ask = |method: &str, path: &str, body: &str| {
            let question = running.question(method, path).header("cookie", &cookie).body(body);
            headers.iter().fold(question, |question, (name, value)| question.header(name, value))
        };
        let flag = r#"{"flag": {"name": "new", "enabled": true}}"#;
        let asked = [
            ("POST", "/api/v1/flags", flag),
            ("PUT", "/api/v1/flags/crm", flag),
            ("PATCH", "/api/v1/flags/crm", flag),
            ("DELETE", "/api/v1/flags/crm", ""),
            ("POST", "/api/v1/flags/crm/rollback", ""),
            ("POST", "/api/v1/flags/crm/resume", ""),
            ("POST", "/api/v1/history/1/undo", ""),
            ("POST", "/api/v1/session", &json!({"token": running.admin.text()}).to_string()),
            ("DELETE", "/api/v1/session", ""),
            ("POST", "/stop", "flag=crm"),
        ];
        for (method, path, body) in asked {
            let refused = ask(method, path, body).header("if-match", "*").send().await;
            assert_eq!(refused.status, 403, "{method} {path} {headers:?}");
            assert_eq!(refused.header("set-cookie"), "", "{method} {path}");
        }
    }
    assert_eq!(running.flag("crm").await.0["enabled"], json!(true), "nothing has changed");
    let own = running.question("POST", "/api/v1/flags/crm/rollback").header("cookie", &cookie);
    assert_eq!(status(own.header("origin", &format!("http://{}", running.address))).await, 200);
    // A program sends its token itself, so its page does not matter.
    let by_token = running.edit("POST", "/api/v1/flags/crm/rollback", &Value::Null);
    assert_eq!(status(by_token.header("sec-fetch-site", "cross-site")).await, 200);
}

#[tokio::test]
async fn what_is_no_admin_token_begins_no_session_and_a_forged_cookie_is_none() {
    let place = Place::sqlite();
    let over = Secret::new(Kind::Admin).unwrap();
    let mut token = over.token();
    token.expires = Some("2026-01-01T00:00:00Z".to_owned());
    let running = place
        .with(|mut settings: Settings| {
            settings.tokens.push(token);
            settings
        })
        .await;
    let (server, client) = (running.server.text(), running.client.text());
    let stranger = Secret::new(Kind::Admin).unwrap();
    for (body, expected) in [
        (json!({"token": server}), 403),
        (json!({"token": client}), 403),
        (json!({"token": stranger.text()}), 401),
        (json!({"token": over.text()}), 401),
        (json!({"token": ""}), 401),
        (json!({"token": 1}), 400),
        (json!({}), 400),
        (json!({"token": running.admin.text(), "role": "admin"}), 400),
        (json!([]), 400),
    ] {
        let refused = begin(&running, &body).send().await;
        assert_eq!((refused.status.as_u16(), refused.header("set-cookie")), (expected, ""), "{body}");
    }
    // Where no session is kept, the cookie is a proof.
    let running = Running::start(Table::new(r#"[{"name": "crm", "enabled": true}]"#).source()).await;
    let begun = begin(&running, &json!({"token": running.admin.text()})).send().await;
    let cookie = cookie(&begun);
    assert_eq!(status(running.get("/api/v1/session").header("cookie", &cookie)).await, 200);
    let parts: Vec<&str> = cookie.trim_start_matches("esclusa=").split('.').collect();
    let [id, until, proof] = parts[..] else { panic!("{cookie}") };
    let later = until.parse::<i64>().unwrap() + 1;
    for forged in [
        format!("esclusa={id}.{later}.{proof}"),
        format!("esclusa={}.{until}.{proof}", running.server.id()),
        format!("esclusa={id}.{until}."),
        format!("esclusa={id}.{until}.{}", &proof[2..]),
        format!("esclusa={id}.1.{proof}"),
        format!("esclusa={}", running.admin.text()),
        format!("__Host-esclusa={id}.{until}.{proof}"),
        "esclusa=".to_owned(),
    ] {
        for path in ["/api/v1/session", "/api/v1/flags", "/stop"] {
            assert_eq!(status(running.get(path).header("cookie", &forged)).await, 401, "{path} {forged}");
        }
    }
    // A wrong token is not made up for by a cookie.
    let both = running.get("/api/v1/flags").header("cookie", &cookie).token(&stranger);
    assert_eq!(status(both).await, 401);
    assert_eq!(status(running.get("/api/v1/session")).await, 401);
}

#[tokio::test]
async fn where_pages_come_by_https_only_this_host_sets_the_cookie() {
    let public_url = Some("https://flags.example.com".to_owned());
    let running = Place::sqlite().with(|settings| Settings { public_url, ..settings }).await;
    let begun = begin(&running, &json!({"token": running.admin.text()})).send().await;
    let set = begun.header("set-cookie");
    assert!(set.starts_with("__Host-esclusa=") && set.contains("Path=/;") && set.ends_with("; Secure"), "{set}");
    assert_eq!(status(running.get("/api/v1/flags").header("cookie", &cookie(&begun))).await, 200);
}
