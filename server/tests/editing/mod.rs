//! A table in SQLite or Postgres, a server that writes to it, and a person who changes flags.
#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

use std::path::PathBuf;

use esclusa_loopback::Postgres;
use esclusa_server::{Settings, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::running::{Question, Reply, Running};

/// Where the flags are.
pub(crate) enum Place {
    Sqlite(TempDir),
    Postgres(Postgres),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let place = Place::Sqlite(tempfile::tempdir().unwrap());
        drop(place.store());
        place
    }

    pub(crate) fn postgres() -> Self {
        let place = Place::Postgres(Postgres::start().unwrap());
        place.sql(esclusa_sync::MIGRATION);
        place.sql("SELECT esclusa.create_flags('public.feature_flags')");
        place.sql("ALTER TABLE feature_flags ADD variants jsonb, ADD prerequisites jsonb, ADD metrics jsonb, ALTER target_companies TYPE text[]");
        place
    }

    pub(crate) fn file(&self) -> PathBuf {
        match self {
            Place::Sqlite(folder) => folder.path().join("esclusa.db"),
            Place::Postgres(_) => panic!("no file"),
        }
    }

    pub(crate) fn store(&self) -> Store {
        match self {
            Place::Sqlite(_) => Store::sqlite(self.file(), "feature_flags").unwrap(),
            Place::Postgres(postgres) => Store::postgres(esclusa_sync::Postgres::new(&postgres.url()).unwrap(), None),
        }
    }

    pub(crate) async fn start(&self) -> Running {
        self.with(|settings| settings).await
    }

    pub(crate) async fn with(&self, change: impl FnOnce(Settings) -> Settings) -> Running {
        match self {
            Place::Sqlite(_) => {
                Running::writing(esclusa_sync::Sqlite::table(self.file(), "feature_flags"), self.store(), change).await
            }
            Place::Postgres(postgres) => {
                Running::writing(esclusa_sync::Postgres::new(&postgres.url()).unwrap(), self.store(), change).await
            }
        }
    }

    /// A table of the server's own.
    pub(crate) fn own(&self, name: &str) -> String {
        match self {
            Place::Sqlite(_) => format!("esclusa_{name}"),
            Place::Postgres(_) => format!("esclusa_server.{name}"),
        }
    }

    /// The rows of a query with one column.
    pub(crate) fn lines(&self, sql: &str) -> Vec<String> {
        match self {
            Place::Sqlite(_) => {
                let other = rusqlite::Connection::open(self.file()).unwrap();
                let mut query = other.prepare(sql).unwrap();
                let rows = query.query_map([], |row| row.get(0)).unwrap();
                rows.map(Result::unwrap).collect()
            }
            Place::Postgres(postgres) => {
                let mut psql = postgres.client("psql").unwrap();
                let done = psql.args(["-X", "-q", "-A", "-t", "-d", "postgres", "-c", sql]).output().unwrap();
                assert!(done.status.success(), "{sql}\n{}", String::from_utf8_lossy(&done.stderr));
                String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
            }
        }
    }

    /// What somebody does who knows nothing of the server.
    pub(crate) fn sql(&self, sql: &str) {
        match self {
            Place::Sqlite(_) => {
                let other = rusqlite::Connection::open(self.file()).unwrap();
                other.execute_batch(sql).unwrap();
            }
            Place::Postgres(postgres) => {
                let mut psql = postgres.client("psql").unwrap();
                psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", sql]);
                let done = psql.output().unwrap();
                assert!(done.status.success(), "{sql}\n{}", String::from_utf8_lossy(&done.stderr));
            }
        }
    }
}

/// What an admin asks.
impl Running {
    pub(crate) fn edit(&self, method: &str, path: &str, body: &Value) -> Question {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let question = self.question(method, path).token(&self.admin);
        question.body(&body)
    }

    pub(crate) async fn create(&self, flag: Value) -> Reply {
        self.edit("POST", "/api/v1/flags", &json!({"flag": flag})).send().await
    }

    /// A flag that has to be there, and its tag.
    pub(crate) async fn flag(&self, key: &str) -> (Value, String) {
        let reply = self.edit("GET", &format!("/api/v1/flags/{key}"), &Value::Null).send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        (reply.json()["flag"].clone(), reply.header("etag").to_owned())
    }

    pub(crate) async fn patch(&self, key: &str, tag: &str, flag: Value) -> Reply {
        let question = self.edit("PATCH", &format!("/api/v1/flags/{key}"), &json!({"flag": flag}));
        question.header("if-match", tag).send().await
    }

    /// The lines of the history, the newest first.
    pub(crate) async fn history(&self, path: &str) -> Vec<Value> {
        let reply = self.edit("GET", path, &Value::Null).send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["history"].as_array().unwrap().clone()
    }

    pub(crate) async fn undo(&self, id: &str) -> Reply {
        self.edit("POST", &format!("/api/v1/history/{id}/undo"), &Value::Null).send().await
    }

    /// All rows, without the columns that say when.
    pub(crate) async fn rows(&self) -> Vec<Value> {
        let reply = self.edit("GET", "/api/v1/flags", &Value::Null).send().await;
        let row = |entry: &Value| {
            let mut row = entry["flag"].clone();
            row.as_object_mut().unwrap().remove("updated_at");
            row
        };
        let mut rows: Vec<Value> = reply.json()["flags"].as_array().unwrap().iter().map(row).collect();
        rows.sort_by_key(|row| row["name"].to_string());
        rows
    }
}
