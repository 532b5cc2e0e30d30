//! Who may what: every address of `/api/v1`, and the page that stops flags, asked by everybody.
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

use editing::Place;
use people::{account, by, cookie, start};
use running::{Question, Running};
use serde_json::{Value, json};

/// What an address needs of who asks. An address that is not in the table fails the test.
fn need(method: &str, path: &str) -> &'static str {
    match (method, path) {
        (_, "/api/v1/openapi.json" | "/api/v1/session" | "/api/v1/session/password") => "nothing",
        ("GET", "/api/v1/flags" | "/api/v1/flags/{key}" | "/api/v1/flags/{key}/history" | "/api/v1/history") => "see",
        ("POST", "/api/v1/preview" | "/api/v1/explain")
        | ("GET", "/api/v1/people" | "/api/v1/overview" | "/api/v1/flags/{key}/metrics" | "/stop") => "see",
        ("POST", "/api/v1/flags" | "/api/v1/flags/{key}/resume" | "/api/v1/history/{id}/undo") => "change",
        ("PUT" | "PATCH" | "DELETE", "/api/v1/flags/{key}") => "change",
        ("POST", "/api/v1/flags/{key}/rollback" | "/stop") => "roll back",
        ("GET" | "POST", "/api/v1/accounts" | "/api/v1/tokens") | ("GET", "/api/v1/sessions") => "administer",
        ("PATCH" | "DELETE", "/api/v1/accounts/{id}") => "administer",
        ("DELETE", "/api/v1/tokens/{id}" | "/api/v1/sessions/{id}") => "administer",
        _ => panic!("{method} {path} is new: who may ask it?"),
    }
}

fn may(who: &str, need: &str) -> bool {
    match (who, need) {
        ("admin", _) => true,
        ("editor", need) => matches!(need, "see" | "change"),
        ("viewer", need) => need == "see",
        ("on call", need) => matches!(need, "see" | "roll back"),
        _ => false,
    }
}

async fn operations(running: &Running) -> Vec<(String, String)> {
    let description = running.get("/api/v1/openapi.json").send().await.json();
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        if path.starts_with("/api/v1/") || path == "/stop" {
            operations.extend(
                methods
                    .as_object()
                    .unwrap()
                    .keys()
                    .filter(|name| *name != "parameters")
                    .map(|method| (method.to_uppercase(), path.clone())),
            );
        }
    }
    assert!(operations.len() > 20, "{operations:?}");
    operations
}

#[tokio::test]
async fn each_address_is_for_the_roles_that_it_is_for() {
    let running = start(&Place::sqlite()).await;
    running.create(json!({"name": "crm", "enabled": true})).await;
    account(&running, "viewer", "viewer", json!({})).await;
    account(&running, "oncall", "viewer", json!({"may_roll_back": true})).await;
    account(&running, "editor", "editor", json!({})).await;
    account(&running, "admin", "admin", json!({})).await;
    let mut people = Vec::new();
    for (who, name) in [("viewer", "viewer"), ("on call", "oncall"), ("editor", "editor"), ("admin", "admin")] {
        people.push((who, cookie(&running, name).await));
    }
    for (role, name) in [("admin", "acmeadmin"), ("editor", "acmeeditor"), ("viewer", "acmeviewer")] {
        account(&running, name, role, json!({"company": "acme", "may_roll_back": true})).await;
        people.push((name, cookie(&running, name).await));
    }
    for (method, path) in operations(&running).await {
        let need = need(&method, &path);
        if need == "nothing" {
            continue;
        }
        let address = path.replace("{key}", "crm").replace("{id}", "1");
        let body = if method == "GET" { Value::Null } else { json!({}) };
        let methods = if method == "GET" { vec!["GET", "HEAD"] } else { vec![method.as_str()] };
        for method in methods {
            for (who, cookie) in &people {
                let status = by(&running, cookie, method, &address, &body).open().await.status().as_u16();
                assert!(status != 401 && status != 405, "{method} {path} by {who}: {status}");
                assert_eq!(status != 403, may(who, need), "{method} {path} needs `{need}`, by {who}: {status}");
            }
            let ask = || {
                running.question(method, &address).body(&if body.is_null() { String::new() } else { body.to_string() })
            };
            let status = async |question: Question| question.open().await.status().as_u16();
            assert_eq!(status(ask()).await, 401, "{method} {path} by nobody");
            for secret in [&running.server, &running.client] {
                assert_eq!(status(ask().token(secret)).await, 403, "{method} {path} with a {} token", secret.kind());
            }
            for wrong in ["esclusa=", "esclusa=0.0.0", &format!("esclusa={}", "0".repeat(64)), "__Host-esclusa=x"] {
                assert_eq!(status(ask().header("cookie", wrong)).await, 401, "{method} {path} {wrong}");
            }
            let (_, admin) = people.iter().find(|(who, _)| *who == "admin").unwrap();
            for site in ["cross-site", "same-site"] {
                let other = ask().header("cookie", admin).header("sec-fetch-site", site);
                // Seeing changes nothing, and the answer is not for that page.
                let is_change = method != "GET" && method != "HEAD";
                let status = status(other).await;
                assert_eq!(status == 403, is_change, "{method} {path} from a page that is {site}: {status}");
            }
        }
    }
}
