//! Who may ask what: tokens, pages of other origins, companies, and what everybody may ask.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod running;

use esclusa_server::{Kind, Secret, Settings};
use hyper::StatusCode;
use running::{Running, Table};
use serde_json::json;

const FLAGS: &str = r#"{"esclusa": 1, "revision": 7, "flags": [
    {"name": "crm", "enabled": true, "client": true, "target_companies": ["acme"]},
    {"name": "secret", "enabled": true, "description": "for the backend"}
]}"#;

/// Every address with a body, and the status that each token gets there.
#[tokio::test]
async fn each_address_takes_the_tokens_that_it_is_for() {
    let running = Running::start(Table::new(FLAGS).source()).await;
    let addresses = [
        ("POST", "/ofrep/v1/evaluate/flags", 200),
        ("POST", "/ofrep/v1/evaluate/flags/crm", 200),
        ("POST", "/v1/client-snapshot", 200),
        ("POST", "/v1/projection", 200),
        ("GET", "/openfeature/v0/manifest", 200),
        ("GET", "/ofrep/v1/events", 200),
        ("GET", "/v1/snapshot", 403),
        ("GET", "/v1/events", 403),
    ];
    let other = Secret::new(Kind::Server).unwrap();
    for (method, path, as_client) in addresses {
        let ask = |token: Option<&Secret>| {
            let question = if method == "POST" { running.post(path, "{}") } else { running.get(path) };
            match token {
                Some(token) => question.token(token),
                None => question,
            }
        };
        let status = async |token| ask(token).open().await.status().as_u16();
        assert_eq!(status(Some(&running.client)).await, as_client, "{path} with a client token");
        assert_eq!(status(Some(&running.server)).await, 200, "{path} with a server token");
        assert_eq!(status(Some(&other)).await, 401, "{path} with a token that nobody gave out");
        let refused = ask(None).send().await;
        assert_eq!((refused.status.as_u16(), refused.header("www-authenticate")), (401, "Bearer"), "{path}");
        let is_ofrep = path.starts_with("/ofrep/v1/evaluate");
        assert_eq!(refused.body.is_empty(), is_ofrep, "{path}: OFREP has no body there");
        if path.starts_with("/v1/") {
            assert_eq!(refused.header("content-type"), "application/problem+json");
            assert_eq!(refused.json()["status"], json!(401));
        }
    }
    let by_key = running.post("/v1/projection", "{}").header("x-api-key", running.client.text()).send().await;
    assert_eq!(by_key.status, StatusCode::OK);
    let both = async |key: &Secret| {
        let question = running.post("/v1/projection", "{}").token(&running.client);
        question.header("x-api-key", key.text()).send().await.status.as_u16()
    };
    assert_eq!((both(&running.client).await, both(&running.server).await, both(&other).await), (200, 401, 401));
    let by_case = running.get("/v1/snapshot").header("authorization", &format!("bearer {}", running.server.text()));
    assert_eq!(by_case.send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_whose_time_is_over_lets_nobody_in() {
    let over = |mut settings: Settings| {
        settings.tokens[0].expires = Some("2026-01-01T00:00:00Z".to_owned());
        settings
    };
    let running = Running::with(Table::new(FLAGS).source(), over).await;
    assert_eq!(running.get("/v1/snapshot").token(&running.server).send().await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(running.all(&running.client, "{}").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_of_one_company_asks_for_that_company_alone() {
    let acme = |mut settings: Settings| {
        settings.tokens[1].company = Some("acme".to_owned());
        settings
    };
    let running = Running::with(Table::new(FLAGS).source(), acme).await;
    let status = async |context: &str| running.all(&running.client, context).await.status.as_u16();
    assert_eq!(running.all(&running.client, "{}").await.flag("crm")["value"], json!(true), "its company is known");
    assert_eq!(status(r#"{"company": "acme"}"#).await, 200);
    for other in [r#""rival""#, r#""ACME""#, "1", r#"["acme"]"#, "true", "{}"] {
        let context = format!(r#"{{"company": {other}}}"#);
        assert_eq!(status(&context).await, 403, "{other}");
        assert_eq!(status(&format!(r#"{{"company": "acme", "company": {other}}}"#)).await, 403, "{other}");
        let body = format!(r#"{{"context": {context}}}"#);
        let one = running.one(&running.client, "crm", &body).await;
        assert_eq!((one.status.as_u16(), one.body.len()), (403, 0));
        for path in ["/v1/projection", "/v1/client-snapshot"] {
            let refused = running.post(path, &body).token(&running.client).send().await;
            assert_eq!(refused.json()["detail"], "the token is for another company");
        }
    }
    assert_eq!(running.all(&running.server, r#"{"company": "rival"}"#).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_browser_is_told_which_pages_may_ask() {
    let app = "https://app.example.com";
    let origins = |mut settings: Settings| {
        settings.tokens[0].origins = vec![app.to_owned()];
        settings.tokens[1].origins = vec![app.to_owned(), "http://localhost:5173".to_owned()];
        settings.tokens[2].origins = vec![app.to_owned()];
        settings
    };
    let running = Running::with(Table::new(FLAGS).source(), origins).await;
    let preflight = async |origin: &str| {
        let question = running.question("OPTIONS", "/ofrep/v1/evaluate/flags").header("origin", origin);
        let question = question.header("access-control-request-method", "POST");
        question.header("access-control-request-headers", "authorization, content-type, if-none-match").send().await
    };
    let allowed = preflight(app).await;
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (StatusCode::NO_CONTENT, app));
    assert_eq!(allowed.header("access-control-max-age"), "7200");
    for header in ["authorization", "x-api-key", "content-type", "if-none-match"] {
        assert!(allowed.header("access-control-allow-headers").contains(header), "{header}");
    }
    let refused = preflight("https://evil.example.com").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (StatusCode::FORBIDDEN, ""));
    let ask = async |origin: &str| {
        let question = running.post("/ofrep/v1/evaluate/flags", "{}").token(&running.client);
        question.header("origin", origin).send().await
    };
    let answer = ask(app).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, app));
    assert_eq!(answer.header("access-control-expose-headers"), "etag, retry-after");
    assert!(answer.header("vary").contains("origin"));
    let refused = ask("https://evil.example.com").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (StatusCode::FORBIDDEN, ""));
    // The stream that the page opens by an address without a header.
    let uri = answer.json()["eventStreams"][0]["endpoint"]["requestUri"].as_str().unwrap().to_owned();
    let stream = async |origin: &str| running.get(&uri).header("origin", origin).open().await.status().as_u16();
    assert_eq!((stream(app).await, stream("https://evil.example.com").await), (200, 403));
}

#[tokio::test]
async fn what_everybody_may_ask_tells_no_flag() {
    let running = Running::start(Table::new(FLAGS).source()).await;
    drop(running.all(&running.client, "{}").await);
    for path in ["/live", "/ready", "/health", "/metrics"] {
        let reply = running.get(path).send().await;
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        for secret in ["crm", "secret", "acme", running.client.id(), running.client.text()] {
            assert!(!text.contains(secret), "{path}: {text}");
        }
    }
    let health = running.get("/health").send().await.json();
    assert_eq!((&health["state"], &health["revision"], &health["flags"]), (&json!("fresh"), &json!(7), &json!(2)));
    let metrics = running.get("/metrics").send().await;
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    for line in [
        r#"esclusa_http_answers_total{route="/ofrep/v1/evaluate/flags",status="200"} 1"#,
        "esclusa_evaluations_total 1",
        "esclusa_revision 7",
        "esclusa_store_state 1",
        "esclusa_streams 0",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let nowhere = running.get("/v1/flags").send().await;
    assert_eq!((nowhere.status, nowhere.header("content-type")), (StatusCode::NOT_FOUND, "application/problem+json"));
    let method = running.get("/v1/projection").send().await;
    assert_eq!((method.status, method.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
}
