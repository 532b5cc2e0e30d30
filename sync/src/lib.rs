//! Keeps a [`Flags`](esclusa::Flags) fresh from any store: files, the environment, HTTP, Postgres, MySQL, SQLite, Redis, object stores, or a
//! [`Source`] of your own.
//!
//! ```
//! use std::time::Duration;
//! use esclusa::{Context, Flags};
//! use esclusa_sync::{Bundled, Layers, Options, sync};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let flags = Flags::new();
//! // The first layer lies on top; what the app was built with lies below the store.
//! let bundled = Bundled::new(r#"[{"name": "crm_advanced_features", "enabled": true}]"#);
//! let syncing = sync(&flags, Layers::new().layer(bundled), Options::default());
//!
//! syncing.ready(Duration::from_secs(5)).await;                // there are answers, or the time is over
//! println!("{}", syncing.status());                           // fresh from bundled, revision none, 0 s old
//! assert!(flags.is_enabled("crm_advanced_features", &Context::new("ana")));
//! # }
//! ```
//!
//! When to ask, how to retry and what an answer means is decided by [`esclusa::sync`], which every host shares; this
//! crate drives it with tokio and does the asking. A failing store turns nothing off, and a read never waits for it.
#![forbid(unsafe_code)]

#[cfg(feature = "guard")]
mod alert;
mod bundled;
mod cached;
#[cfg(any(feature = "http", feature = "mysql", feature = "postgres", feature = "redis"))]
mod certificates;
#[cfg(feature = "http")]
mod counting;
mod disk;
#[cfg(feature = "environment")]
mod environment;
#[cfg(feature = "file")]
mod file;
#[cfg(feature = "guard")]
mod guarding;
#[cfg(feature = "http")]
mod http;
mod layers;
#[cfg(feature = "mapping")]
mod mapped;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "object-store")]
mod object;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod refresh;
#[cfg(feature = "http")]
mod reporting;
#[cfg(any(feature = "mysql", feature = "sqlite"))]
mod rows;
mod source;
#[cfg(feature = "sqlite")]
mod sqlite;
mod status;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "redis"))]
mod supplied;
mod syncing;
#[cfg(feature = "guard")]
mod trips;
#[cfg(any(feature = "http", feature = "postgres"))]
mod trust;
#[cfg(all(feature = "guard", feature = "http"))]
mod webhook;

#[cfg(feature = "redis")]
pub use crate::redis::Redis;
#[cfg(feature = "guard")]
pub use alert::Alert;
pub use bundled::Bundled;
pub use cached::Cached;
#[cfg(feature = "http")]
pub use counting::{CountedFlags, Counting};
#[cfg(feature = "environment")]
pub use environment::Environment;
pub use esclusa::sync::{Policy, Request, State};
#[cfg(feature = "file")]
pub use file::File;
#[cfg(feature = "guard")]
pub use guarding::{Guarding, guard};
#[cfg(feature = "http")]
pub use http::{Http, HttpError};
pub use layers::Layers;
#[cfg(feature = "mapping")]
pub use mapped::Mapped;
#[cfg(feature = "mysql")]
pub use mysql::MySql;
#[cfg(feature = "object-store")]
pub use object::Object;
#[cfg(feature = "object-store")]
pub use object_store;
#[cfg(feature = "postgres")]
pub use postgres::{Column, GUARD_MIGRATION, MIGRATION, Opened, Postgres, Recorded, Watch, WatchError, sign};
pub use refresh::Refresh;
#[cfg(feature = "http")]
pub use reporting::{Reported, Reporting, report};
pub use source::{Answer, Failure, MappedBy, News, Source, Translation};
#[cfg(feature = "sqlite")]
pub use sqlite::{Sqlite, sqlite_rows};
pub use status::{LastError, Status};
pub use syncing::{Options, Syncing, sync};
#[cfg(feature = "postgres")]
pub use tokio_postgres;
#[cfg(feature = "guard")]
pub use trips::{Proposal, TripStore, Verdict};
#[cfg(all(feature = "guard", feature = "http"))]
pub use webhook::Webhook;

/// The example of the README compiles.
#[cfg(all(
    doctest,
    feature = "environment",
    feature = "guard",
    feature = "http",
    feature = "mapping",
    feature = "postgres"
))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The Rust example of the repository's README runs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct FirstPage;
