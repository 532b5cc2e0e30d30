//! Apps count their evaluations, and report them to the server through its absence: none is lost, and none counts twice.
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
use esclusa::{Context, FlagSet, Flags};
use esclusa_sync::{CountedFlags, Http, report};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn counts_of_an_app_survive_the_absence_of_the_server() {
    let place = Place::sqlite();
    let running = place.start().await;
    assert_eq!(running.create(json!({"name": "crm", "enabled": true})).await.status, 201);
    let flags = Flags::new();
    assert!(flags.publish(FlagSet::from_json(br#"[{"name": "crm", "enabled": true}]"#).unwrap()).is_published());
    let counting = flags.counting();
    let server = |address: std::net::SocketAddr, token: &str| {
        Http::new(format!("http://{address}/v1/usage")).unwrap().bearer(token).unwrap()
    };
    let reporting = report(&counting, server(running.address, running.server.text()));
    let count = |times: u32| (0..times).for_each(|_| assert!(counting.is_enabled("crm", &Context::anonymous())));
    let sum = || place.lines("SELECT CAST(sum(count) AS text) FROM esclusa_usage_hour WHERE flag = 'crm'")[0].clone();
    count(1_000);
    reporting.flush().await.unwrap();
    assert_eq!(sum(), "1000");
    count(500);
    reporting.flush().await.unwrap();
    reporting.flush().await.unwrap();
    assert_eq!((sum().as_str(), reporting.reported().taken), ("1500", 2));

    // The server is away, and so is its port for anybody else.
    let (address, token) = (running.address, running.server.clone());
    running.stop().await;
    count(300);
    assert!(reporting.flush().await.is_err());
    count(40);
    assert!(reporting.flush().await.is_err());
    let reported = reporting.reported();
    assert_eq!((reported.waiting, reported.dropped), (340, 0), "{reported:?}");
    assert!(reported.problem.is_some());
    let source = esclusa_sync::Sqlite::table(place.file(), "feature_flags");
    let again = running::Running::again(address, token, source, place.store()).await;
    reporting.flush().await.unwrap();
    assert_eq!((sum().as_str(), reporting.reported().waiting, reporting.reported().problem), ("1840", 0, None));
    let figures = again.edit("GET", "/api/v1/flags/crm/metrics", &Value::Null).send().await.json();
    assert_eq!(figures["reasons"], json!({"STATIC": 1840}));

    // A token that is wrong may be another one tomorrow.
    let refused = report(&counting, server(address, "esc_wrong"));
    count(7);
    assert!(refused.flush().await.unwrap_err().error.contains("401"));
    assert_eq!((refused.reported().waiting, refused.reported().dropped), (7, 0));
    again.stop().await;
}
