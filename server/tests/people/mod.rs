//! People with accounts: made by an admin, and what their browsers ask.
#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

use std::sync::atomic::{AtomicU8, Ordering};

use esclusa_server::{Secret, Settings};
use serde_json::{Value, json};

use crate::editing::Place;
use crate::running::{Question, Reply, Running};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A server behind a proxy that says from where requests are, so that tests are not one address.
pub(crate) async fn start(place: &Place) -> Running {
    place.with(|settings| Settings { forwarded: true, ..settings }).await
}

/// Another address each time.
pub(crate) fn address() -> String {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    format!("192.0.2.{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Makes an account with these fields, and gives its id.
pub(crate) async fn account(running: &Running, name: &str, role: &str, more: Value) -> String {
    let mut body = json!({"email": format!("{name}@example.com"), "name": name, "password": PASSWORD, "role": role});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = running.edit("POST", "/api/v1/accounts", &body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().unwrap().to_owned()
}

pub(crate) fn log_in(running: &Running, name: &str, password: &str) -> Question {
    let body = json!({"email": format!("{name}@example.com"), "password": password});
    running.post("/api/v1/session", &body.to_string()).header("x-forwarded-for", &address())
}

/// The cookie of a reply, as a browser sends it.
pub(crate) fn cookie_of(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.header("set-cookie").split(';').next().unwrap().to_owned()
}

/// The cookie of a new session.
pub(crate) async fn cookie(running: &Running, name: &str) -> String {
    cookie_of(&log_in(running, name, PASSWORD).send().await)
}

/// What the page of a person asks.
pub(crate) fn by(running: &Running, cookie: &str, method: &str, path: &str, body: &Value) -> Question {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let question = running.question(method, path).header("cookie", cookie).header("sec-fetch-site", "same-origin");
    question.body(&text)
}

/// Whether a cookie lets somebody in.
pub(crate) async fn is_in(running: &Running, cookie: &str) -> bool {
    running.get("/api/v1/session").header("cookie", cookie).send().await.status == 200
}

/// A new token, and its text.
pub(crate) async fn token(running: &Running, body: Value) -> (String, Secret) {
    let made = running.edit("POST", "/api/v1/tokens", &body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    (made["id"].as_str().unwrap().to_owned(), Secret::parse(made["token"].as_str().unwrap()).unwrap())
}
