//! The description of the addresses, `server/openapi.json`, and the addresses themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod running;

use esclusa_server::Settings;
use running::{Running, Table};
use serde_json::Value;

const FLAGS: &str = r#"[{"name": "crm", "enabled": true}]"#;

#[tokio::test]
async fn the_description_is_there_for_everybody_and_is_of_this_version() {
    let running = Running::start(Table::new(FLAGS).source()).await;
    let reply = running.get("/api/v1/openapi.json").send().await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"));
    assert_eq!(reply.json()["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(reply.json()["servers"][0]["url"], "/");
    running.stop().await;
}

#[tokio::test]
async fn behind_a_proxy_the_description_has_the_path_that_programs_ask() {
    let public_url = Some("https://example.com/flags".to_owned());
    let running = Running::with(Table::new(FLAGS).source(), |settings| Settings { public_url, ..settings }).await;
    let description = running.get("/api/v1/openapi.json").send().await.json();
    assert_eq!(description["servers"][0]["url"], "/flags");
    running.stop().await;
}

#[tokio::test]
async fn each_address_takes_the_methods_that_are_described() {
    let running = Running::start(Table::new(FLAGS).source()).await;
    let description: Value = running.get("/api/v1/openapi.json").send().await.json();
    let mut count = 0;
    for (path, operations) in description["paths"].as_object().unwrap() {
        let address = path.replace("{key}", "crm").replace("{id}", "1").replace("{flag}", "crm");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let status = running.question(method, &address).open().await.status().as_u16();
            let is_described = operations.get(method.to_lowercase()).is_some();
            assert_eq!(status != 405, is_described, "{method} {path} is {status}");
            count += usize::from(is_described);
        }
    }
    println!("{count} operations");
    running.stop().await;
}

/// Every place in the description that another one is named by.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(place) if name == "$ref" => found.push(place.to_owned()),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn what_the_description_names_is_in_it_and_is_named() {
    let running = Running::start(Table::new(FLAGS).source()).await;
    let description: Value = running.get("/api/v1/openapi.json").send().await.json();
    let mut named = Vec::new();
    references(&description, &mut named);
    for place in &named {
        assert!(description.pointer(place.trim_start_matches('#')).is_some(), "{place} is named, and is not there");
    }
    for kind in ["schemas", "responses", "headers", "parameters"] {
        for name in description["components"][kind].as_object().unwrap().keys() {
            let place = format!("#/components/{kind}/{name}");
            assert!(named.contains(&place), "{place} is there, and nothing names it");
        }
    }
    running.stop().await;
}
