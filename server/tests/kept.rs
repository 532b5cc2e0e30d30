//! Where accounts and tokens are kept: by two servers on one store, in a dump that somebody has, and by a role with few rights.
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
use people::{PASSWORD, account, by, cookie, cookie_of, is_in, log_in, start, token};
use running::{Question, Running};
use serde_json::{Value, json};

async fn status(question: Question) -> u16 {
    question.send().await.status.as_u16()
}

/// Two servers on one store make its tables at once, and agree within a second about who may come in.
#[tokio::test]
async fn two_servers_agree_who_comes_in() {
    for place in [Place::sqlite(), Place::postgres()] {
        let (one, two) = tokio::join!(start(&place), start(&place));
        let make = |running: &Running, name: &str| {
            let body =
                json!({"email": format!("{name}@example.com"), "name": name, "password": PASSWORD, "role": "viewer"});
            running.edit("POST", "/api/v1/accounts", &body).send()
        };
        let (first, second) = tokio::join!(make(&one, "eva"), make(&two, "bo"));
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201), "{first:?} {second:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
        let eva = cookie(&two, "eva").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(is_in(&one, &eva).await, "a session of the other server");
        let (id, server) = token(&one, json!({"kind": "server"})).await;
        let until = async |running: &Running, expected: u16| {
            let began = Instant::now();
            while status(running.get("/v1/snapshot").token(&server)).await != expected {
                assert!(began.elapsed() < Duration::from_secs(10), "{expected}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            began.elapsed()
        };
        println!("a new token after {:?}", until(&two, 200).await);
        assert_eq!(status(one.edit("DELETE", &format!("/api/v1/tokens/{id}"), &Value::Null)).await, 204);
        println!("a token that is gone after {:?}", until(&two, 401).await);
        assert_eq!(status(by(&one, &eva, "DELETE", "/api/v1/session", &Value::Null)).await, 204);
        let began = Instant::now();
        while is_in(&two, &eva).await {
            assert!(began.elapsed() < Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("a session that has ended after {:?}", began.elapsed());
    }
}

/// A copy of the database lets nobody in, and no other role reads the tables.
#[tokio::test]
async fn a_dump_of_the_database_holds_no_secret() {
    for place in [Place::sqlite(), Place::postgres()] {
        let running = start(&place).await;
        account(&running, "eva", "admin", json!({})).await;
        let session = cookie(&running, "eva").await;
        let (_, made) = token(&running, json!({"kind": "admin"})).await;
        let dump = match &place {
            Place::Sqlite(_) => {
                let read =
                    |ending: &str| std::fs::read(place.file().display().to_string() + ending).unwrap_or_default();
                [read(""), read("-wal")].concat()
            }
            Place::Postgres(postgres) => {
                let done = postgres.client("pg_dump").unwrap().args(["-d", "postgres"]).output().unwrap();
                assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
                done.stdout
            }
        };
        let has = |text: &str| dump.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(has("eva@example.com") && has("$argon2id$v=19$m=19456,t=2,p=1$") && has(&made.sha256()));
        let secret = made.text().rsplit('_').next().unwrap();
        for secret in [PASSWORD, secret, session.trim_start_matches("esclusa=")] {
            assert!(!has(secret), "{secret}");
        }
        // What is in it is no cookie and no token.
        assert!(!is_in(&running, &format!("esclusa={}", made.sha256())).await);
        let Place::Postgres(postgres) = &place else { continue };
        place.sql("CREATE ROLE anon LOGIN");
        place.sql(
            "GRANT USAGE ON SCHEMA esclusa_server TO anon; GRANT SELECT ON ALL TABLES IN SCHEMA esclusa_server TO anon",
        );
        for table in ["account", "token", "session"] {
            let read = |sql: String| {
                let mut psql = postgres.client("psql").unwrap();
                let done = psql.args(["-X", "-A", "-t", "-d", "postgres", "-c", &sql]).output().unwrap();
                String::from_utf8(done.stdout).unwrap() + &String::from_utf8_lossy(&done.stderr)
            };
            let rows = read(format!("SET ROLE anon; SELECT count(*) FROM esclusa_server.{table}"));
            assert_eq!(
                rows.trim_end().lines().last(),
                Some("0"),
                "{table}: row-level security is on, without a policy"
            );
        }
        place.sql("REVOKE ALL ON ALL TABLES IN SCHEMA esclusa_server FROM anon; REVOKE ALL ON SCHEMA esclusa_server FROM anon");
        let denied = "SET ROLE anon; DO $$ BEGIN PERFORM 1 FROM esclusa_server.account; RAISE 'read'; \
            EXCEPTION WHEN insufficient_privilege THEN NULL; END $$";
        place.sql(denied);
    }
}

/// A role that may make no schema serves flags as before, and says what is missing.
#[tokio::test]
async fn a_role_that_may_keep_no_accounts_says_so() {
    let place = Place::postgres();
    let Place::Postgres(postgres) = &place else { panic!() };
    place.sql("CREATE ROLE flags_server LOGIN; SELECT esclusa.allow('flags_server')");
    place.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON feature_flags TO flags_server; GRANT SELECT ON release_history TO flags_server");
    let url = postgres.url().replace("postgres@", "flags_server@");
    let source = || esclusa_sync::Postgres::new(&url).unwrap();
    place.sql("INSERT INTO feature_flags (name, enabled) VALUES ('crm', true)");
    let store = esclusa_server::Store::postgres(source(), None);
    let running = Running::writing(source(), store, |settings| settings).await;
    let body = json!({"email": "eva@example.com", "name": "eva", "password": PASSWORD, "role": "viewer"});
    let refused = running.edit("POST", "/api/v1/accounts", &body).send().await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.json()["detail"].as_str().unwrap().contains("CREATE SCHEMA esclusa_server"), "{refused:?}");
    let begun = running.post("/api/v1/session", &json!({"token": running.admin.text()}).to_string()).send().await;
    let page = cookie_of(&begun);
    assert_eq!(status(by(&running, &page, "GET", "/api/v1/flags", &Value::Null)).await, 200, "a session of a token");
    assert_eq!(running.patch("crm", "*", json!({"enabled": false})).await.status, 200);
    place.sql("CREATE SCHEMA esclusa_server AUTHORIZATION flags_server");
    let made = running.edit("POST", "/api/v1/accounts", &body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(status(log_in(&running, "eva", PASSWORD)).await, 200);
    // A store that is away locks nobody out.
    let eva = cookie(&running, "eva").await;
    postgres.kill().unwrap();
    assert!(is_in(&running, &eva).await);
    assert_eq!(status(running.edit("GET", "/api/v1/accounts", &Value::Null)).await, 503);
    assert_eq!(status(log_in(&running, "eva", PASSWORD)).await, 503, "a session that cannot be kept is none");
}
