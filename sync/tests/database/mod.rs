//! What the tests of the migration share: databases of one server, and flags that are kept fresh from them.
#![allow(dead_code, clippy::panic, reason = "each test binary uses a part of it, and stops at what is wrong")]

use std::time::{Duration, Instant};

use esclusa::{Context, Flags};
use esclusa_sync::{Options, Policy, Postgres, Syncing, sync};
use tokio_postgres::{Client, NoTls};

pub(crate) const MIGRATION: &str = include_str!("../../migrations/001_esclusa.sql");
pub(crate) const CREATE: &str = "SELECT esclusa.create_flags('public.feature_flags')";
pub(crate) const WATCH: &str = "SELECT esclusa.watch('public.feature_flags')";
pub(crate) const ROWS: &str = "INSERT INTO feature_flags (name, enabled, rollout_percentage)
    VALUES ('crm', true, 100), ('qr', true, 100), ('pos', true, 100)";
/// A user who may do nothing but what is granted here.
pub(crate) const READER: &str = "GRANT SELECT ON feature_flags TO reader; SELECT esclusa.allow('reader')";

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A server with the users of these names.
pub(crate) async fn server(users: &[&str]) -> esclusa_loopback::Postgres {
    let server = tokio::task::spawn_blocking(esclusa_loopback::Postgres::start).await.unwrap().unwrap();
    let client = connect(&server.url()).await;
    for user in users {
        client.batch_execute(&format!("CREATE ROLE {user} LOGIN")).await.unwrap();
    }
    server
}

/// A database of one server, in which the users are called what they may do.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) client: Client,
}

impl Database {
    pub(crate) async fn new(server: &esclusa_loopback::Postgres, name: &str, sql: &[&str]) -> Database {
        connect(&server.url()).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let database = Database::open(server, name).await;
        for sql in sql {
            database.run(sql).await;
        }
        database
    }

    /// One that is there already.
    pub(crate) async fn open(server: &esclusa_loopback::Postgres, name: &str) -> Database {
        let url = server.url().replace("/postgres?", &format!("/{name}?"));
        Database { client: connect(&url).await, url }
    }

    pub(crate) fn url_of(&self, user: &str) -> String {
        self.url.replace("postgres@", &format!("{user}@"))
    }

    pub(crate) async fn run(&self, sql: &str) {
        if let Err(problem) = self.client.batch_execute(sql).await {
            panic!("{problem:?}\n{sql}");
        }
    }

    pub(crate) async fn text(&self, query: &str) -> String {
        self.client.query_one(query, &[]).await.unwrap_or_else(|problem| panic!("{problem:?}\n{query}")).get(0)
    }

    /// What the server says against this.
    pub(crate) async fn refused(&self, sql: &str) -> String {
        refused(&self.client, sql).await
    }

    /// Keeps flags fresh as this user, who asks every 30 milliseconds.
    pub(crate) fn start(&self, user: &str, flags: &Flags) -> Syncing {
        let policy = Policy { interval_ms: 30, backoff_min_ms: 20, backoff_max_ms: 100, ..Policy::default() };
        let source = Postgres::new(&self.url_of(user)).unwrap().timeout(Duration::from_millis(500));
        sync(flags, source, Options { policy, ..Options::default() })
    }
}

pub(crate) async fn refused(client: &Client, sql: &str) -> String {
    match client.batch_execute(sql).await {
        Ok(()) => panic!("not refused: {sql}"),
        Err(problem) => {
            let problem = problem.as_db_error().unwrap();
            format!("{} {}", problem.message(), problem.hint().unwrap_or_default())
        }
    }
}

pub(crate) async fn until(what: &str, syncing: &Syncing, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what} did not happen within 20 s: {}", syncing.status());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub(crate) fn is_on(flags: &Flags) -> bool {
    flags.is_enabled("crm", &Context::new("ana"))
}

pub(crate) fn error(syncing: &Syncing) -> String {
    syncing.status().last_error.map(|last| last.error).unwrap_or_default()
}
