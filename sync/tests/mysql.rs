//! MariaDB, in every way in which it or the way to it breaks.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod store;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use esclusa::{Context, Flags, Time};
use esclusa_loopback::{MariaDb, Proxy};
use esclusa_sync::{MySql, State, Syncing, sync};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use store::{Reader, every_break, is_on, options, until};

const TABLE: &str = "CREATE TABLE feature_flags (
    id BINARY(16) DEFAULT (UNHEX('00112233445566778899AABBCCDDEEFF')),
    name VARCHAR(100) NOT NULL PRIMARY KEY,
    enabled BIT(1) NOT NULL,
    status ENUM('active', 'paused') NOT NULL DEFAULT 'active',
    rollout_percentage DECIMAL(5, 2) NOT NULL DEFAULT 100.00,
    target_plans JSON,
    variants LONGTEXT,
    start_date DATETIME NULL,
    end_date TIMESTAMP NULL,
    revision_count INT(6) ZEROFILL NOT NULL DEFAULT 7,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)";
const CRM: &str = "INSERT INTO feature_flags (name, enabled, target_plans, start_date, end_date)
    VALUES ('crm', b'1', '[\"PREMIUM\"]', '2020-01-01 00:00:00', '2037-01-01 00:00:00')";
const SWITCH: &str = "UPDATE feature_flags SET enabled = NOT enabled WHERE name = 'crm'";

async fn connect(server: &MariaDb) -> Conn {
    Conn::new(Opts::from_url(&server.url_at(server.port())).unwrap()).await.unwrap()
}

fn source(server: &MariaDb, port: u16) -> MySql {
    MySql::new(&server.url_at(port)).unwrap().timeout(Duration::from_millis(500))
}

fn said(syncing: &Syncing, word: &str) -> bool {
    syncing.status().last_error.is_some_and(|last| last.error.contains(word))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_read_as_it_stands_and_a_broken_way_turns_nothing_off() {
    let mut server = MariaDb::start().unwrap();
    let mut database = connect(&server).await;
    let flags = Flags::new();
    let proxy = Proxy::start(([127, 0, 0, 1], server.port()).into()).await.unwrap();
    let syncing = sync(&flags, source(&server, proxy.address().port()), options(50));
    until("that there is no table", &syncing, || said(&syncing, "feature_flags' doesn't exist")).await;
    database.query_drop(TABLE).await.unwrap();
    until("that there is no row", &syncing, || said(&syncing, "no rows")).await;
    database.query_drop(CRM).await.unwrap();
    assert!(syncing.ready(Duration::from_secs(10)).await, "{}", syncing.status());
    let set = flags.current();
    assert!(set.violations().is_empty(), "{:?}", set.violations());
    assert!(!set.is_enabled("crm", &Context::new("ana").plan("FREE"), Time::from_millis(1_700_000_000_000)));
    assert!(!set.is_enabled("crm", &Context::new("ana").plan("PREMIUM"), Time::from_millis(0)), "it starts in 2020");

    for expected in [false, true] {
        database.query_drop(SWITCH).await.unwrap();
        until("the change", &syncing, || is_on(&flags) == expected).await;
    }
    // No row changes, and yet the flag says something else.
    database.query_drop("ALTER TABLE feature_flags CHANGE target_plans allowed_plans JSON").await.unwrap();
    until("the unknown restriction", &syncing, || !is_on(&flags)).await;
    database.query_drop("ALTER TABLE feature_flags CHANGE allowed_plans target_plans JSON").await.unwrap();
    until("the list", &syncing, || is_on(&flags)).await;

    let database = tokio::sync::Mutex::new(database);
    every_break(&proxy, &syncing, &flags, async |round| {
        let insert = format!("INSERT INTO feature_flags (name, enabled) VALUES ('round_{round}', b'1')");
        database.lock().await.query_drop(insert).await.unwrap();
    })
    .await;

    let reader = Reader::start(&flags);
    server.kill().unwrap();
    until("the failure", &syncing, || syncing.status().state == State::Failing).await;
    server.start_again().unwrap();
    until("the recovery", &syncing, || syncing.status().state == State::Fresh).await;
    reader.check("after the server was killed");
    // A table that is being altered is waited for as long as an answer may take, by the server too.
    let mut other = connect(&server).await;
    other.query_drop("LOCK TABLES feature_flags WRITE").await.unwrap();
    until("the failure", &syncing, || syncing.status().state == State::Failing).await;
    reader.check("while it is locked");
    other.query_drop("UNLOCK TABLES").await.unwrap();
    until("the recovery", &syncing, || syncing.status().state == State::Fresh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn views_tls_and_passwords_that_rotate() {
    let mut server = MariaDb::start().unwrap();
    let authority = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (authority.cert.pem(), authority.signing_key.serialize_pem());
    server.kill().unwrap();
    server.use_tls(&certificate, &key).unwrap();
    server.start_again().unwrap();
    let mut database = connect(&server).await;
    for statement in [
        TABLE,
        CRM,
        "CREATE VIEW flags AS SELECT name, enabled, target_plans FROM feature_flags",
        "CREATE USER app@'127.0.0.1' IDENTIFIED BY 'first' REQUIRE SSL",
        "GRANT SELECT ON test.* TO app@'127.0.0.1'",
    ] {
        database.query_drop(statement).await.unwrap();
    }
    let url = |mode: &str| format!("mysql://app:first@127.0.0.1:{}/test?ssl-mode={mode}", server.port());
    // The user may only read, and only by TLS.
    for (mode, expected) in
        [("DISABLED", "Access denied"), ("PREFERRED", ""), ("REQUIRED", ""), ("VERIFY_CA", "ertificate")]
    {
        let flags = Flags::new();
        let syncing = sync(&flags, MySql::new(&url(mode)).unwrap().table("test.flags"), options(20));
        if expected.is_empty() {
            assert!(syncing.ready(Duration::from_secs(10)).await && is_on(&flags), "{mode}: {}", syncing.status());
        } else {
            until(mode, &syncing, || said(&syncing, expected)).await;
        }
        assert!(!syncing.status().to_string().contains("first"), "{}", syncing.status());
    }
    let password = Arc::new(Mutex::new("wrong".to_owned()));
    let given = Arc::clone(&password);
    let source = MySql::new(&url("VERIFY_IDENTITY"))
        .and_then(|source| source.root_certificates(certificate.as_bytes()))
        .unwrap()
        .table("test.flags")
        .password(move || std::future::ready(Ok(given.lock().unwrap().clone())));
    let flags = Flags::new();
    let syncing = sync(&flags, source, options(20));
    until("the refusal", &syncing, || said(&syncing, "Access denied")).await;
    *password.lock().unwrap() = "first".to_owned();
    assert!(syncing.ready(Duration::from_secs(10)).await, "{}", syncing.status());
    // A view has no checksum, and its changes are noticed nevertheless.
    database.query_drop(SWITCH).await.unwrap();
    until("the change", &syncing, || !is_on(&flags)).await;
    database.query_drop("ALTER USER app@'127.0.0.1' IDENTIFIED BY 'second'").await.unwrap();
    let kill = "SELECT CONCAT('KILL ', id) FROM information_schema.processlist WHERE user = 'app'";
    let kills: Vec<String> = database.query(kill).await.unwrap();
    for kill in kills {
        database.query_drop(kill).await.unwrap();
    }
    until("the refusal", &syncing, || syncing.status().state == State::Failing).await;
    *password.lock().unwrap() = "second".to_owned();
    until("the recovery", &syncing, || syncing.status().state == State::Fresh).await;
}
