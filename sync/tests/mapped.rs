//! Rows that a mapping reads come from any source, are saved as they are, and lie between other layers.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod client;
mod listener;

use std::sync::{Arc, Mutex, PoisonError};

use client::{Client, OPTIONS};
use esclusa::Context;
use esclusa::sync::Request;
use esclusa_formats::{Mapping, Parameters};
use esclusa_sync::{Answer, Cached, Failure, Layers, Mapped, MappedBy, Source, State};
use listener::{LOG, Listener};

/// Rows that the test changes.
#[derive(Clone, Debug)]
struct Rows(Arc<Mutex<&'static str>>);

impl Source for Rows {
    fn name(&self) -> String {
        "rows".to_owned()
    }

    async fn fetch(&mut self, _: &Request) -> Result<Answer, Failure> {
        Ok((*self.0.lock().unwrap()).to_owned().into())
    }
}

fn rows(text: &'static str) -> Rows {
    Rows(Arc::new(Mutex::new(text)))
}

fn mapping() -> Mapping {
    Mapping::from_toml(
        "esclusa_mapping = 1\nname = 'slug'\nenabled = 'is_active'\n\
         rollout_percentage = { column = 'share', of = 1 }\ntarget_plans = { column = 'plans', split = ',' }",
    )
    .unwrap()
}

const GOOD: &str = r#"[{"slug": "crm", "is_active": 1, "share": 1, "plans": "PRO, TEAM"}]"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_reads_the_rows_of_a_source() {
    let source = rows(GOOD);
    let client = Client::start(source.clone().mapped(mapping()), OPTIONS);
    client.until("it is fresh", |status| status.state == State::Fresh).await;
    let is_on = |plan| client.flags.is_enabled("crm", &Context::new("ana").plan(plan));
    assert!(is_on("PRO") && is_on("TEAM") && !is_on("FREE"));
    // A column that is renamed opens nothing: the last set stays, and the message names the column.
    *source.0.lock().unwrap() = r#"[{"slug": "crm", "is_active": 1, "share": 1, "plan_list": "FREE"}]"#;
    client.until("it fails", |status| status.failures > 0).await;
    assert!(client.syncing.status().last_error.unwrap().error.contains("plans"));
    assert!(is_on("PRO") && !is_on("FREE"));
    *source.0.lock().unwrap() = r#"[{"slug": "crm", "is_active": 0, "share": 1, "plans": ""}]"#;
    client.until("it is fresh again", |status| status.state == State::Fresh).await;
    assert!(!is_on("PRO"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cached_copy_holds_the_rows_and_is_read_by_the_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    let client = Client::start(Cached::new(rows(GOOD).mapped(mapping()), &path), OPTIONS);
    client.until("it is fresh", |status| status.state == State::Fresh).await;
    client::until("the copy is written", || std::fs::read_to_string(&path).is_ok_and(|copy| copy == GOOD)).await;
    drop(client);
    let client = Client::start(Cached::new(rows("broken").mapped(mapping()), &path), OPTIONS);
    client.until("it fails", |status| status.failures > 0).await;
    assert!(client.flags.is_enabled("crm", &Context::new("ana").plan("PRO")));
    assert!(!client.flags.is_enabled("crm", &Context::new("ana").plan("FREE")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mapped_rows_are_a_layer_like_any_other() {
    // The revision and the segments of a document stay.
    let document = r#"{"esclusa": 1, "revision": 7, "segments": [{"key": "vips", "when": {"attribute": "vip", "op": "is", "value": true}}],
        "tables": {"flags": [{"slug": "beta", "is_active": 1, "share": 1, "plans": "", "rules": [{"key": "vip", "when": {"segment": "vips"}}]}]}}"#;
    let client = Client::start(Layers::new().layer(rows(document).mapped(mapping())), OPTIONS);
    client.until("it is fresh", |status| status.state == State::Fresh).await;
    assert!(client.flags.is_enabled("beta", &Context::new("ana").attribute("vip", true)));
    assert!(!client.flags.is_enabled("beta", &Context::new("ana").attribute("vip", false)));
    let below = r#"[{"name": "crm", "enabled": false}, {"name": "billing", "enabled": true}]"#;
    let layers = Layers::new().layer(rows(GOOD).mapped(mapping())).layer(rows(below));
    let client = Client::start(layers, OPTIONS);
    client.until("it is fresh", |status| status.state == State::Fresh).await;
    let ana = Context::new("ana").plan("PRO");
    assert!(client.flags.is_enabled("crm", &ana) && client.flags.is_enabled("billing", &ana));
    assert!(!client.flags.is_enabled("crm", &Context::new("ana").plan("FREE")));
}

/// What is logged of the first publish names the mapping and the rows that do not count (11.24), and the status whose mapping
/// it is, through layers and copies too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_and_the_status_say_whose_mapping_it_is() {
    let _ = tracing::subscriber::set_global_default(Listener);
    let document = r#"{"esclusa": 1, "mapping": {"esclusa_mapping": 1, "name": "slug", "enabled": "is_active", "counts": [{"column": "env", "is": ["$env"]}]},
        "tables": {"flags": [{"slug": "crm", "is_active": 1, "env": "live"}, {"slug": "old", "is_active": 1, "env": "test"}]}}"#;
    let own = || {
        let text = "esclusa_mapping = 1\nname = 'slug'\nenabled = 'is_active'\nignore = ['env']";
        Mapping::from_toml(text).unwrap().named("own.toml")
    };
    let stored = || Mapped::as_stored(rows(document), Parameters::default().with("env", "live").unwrap());
    let none = || rows(r#"[{"name": "native", "enabled": true}]"#);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("flags.json");
    let (by_app, by_rows, over) = (MappedBy::App, MappedBy::Stored, MappedBy::AppInsteadOfStored);
    let plain = r#"[{"slug": "crm", "is_active": 1, "env": "live"}]"#;
    for (name, client, expected) in [
        ("none", Client::start(none(), OPTIONS), None),
        ("own", Client::start(rows(plain).mapped(own()), OPTIONS), Some(by_app)),
        ("stored", Client::start(Cached::new(stored(), &copy), OPTIONS), Some(by_rows)),
        ("over", Client::start(rows(document).mapped(own()), OPTIONS), Some(over)),
        ("layers of none", Client::start(Layers::new().layer(none()), OPTIONS), None),
        ("layers", Client::start(Layers::new().layer(none()).layer(stored()), OPTIONS), Some(by_rows)),
        (
            "layers in layers",
            Client::start(
                Layers::new().layer(stored()).layer(Layers::new().layer(rows(document).mapped(own()))),
                OPTIONS,
            ),
            Some(over),
        ),
    ] {
        client.until(name, |status| status.state == State::Fresh).await;
        let status = client.syncing.status();
        assert_eq!(status.mapped_by, expected, "{name}");
        assert_eq!(status.to_string().contains("by the app's mapping instead of"), expected == Some(over), "{name}");
    }
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(log.contains("by own.toml: 1 row, 1 flag"), "{log}");
    assert!(log.contains("by stored-mapping: 2 rows"), "{log}");
    assert!(log.contains("\n  left out  1 row by env"), "{log}");
}
