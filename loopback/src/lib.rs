//! Real servers on 127.0.0.1 that fail on command: every language tests its sources with them.
//!
//! [`Store`] is an HTTP store of snapshots, [`Proxy`] a TCP proxy for it or for any other server, and [`FAULTS`] the
//! one list of what they can do to a client and what the client must report. Tests in Rust use this library; the other
//! languages drive the binary `esclusa-loopback`.
#![forbid(unsafe_code)]

mod answers;
mod bomb;
mod bucket;
mod cluster;
mod events;
mod faults;
mod mariadb;
mod pooler;
mod postgres;
mod proxy;
mod redis;
mod server;
mod store;
mod table;

pub use bucket::{Bucket, BucketFault};
pub use cluster::Cluster;
pub use faults::{Case, Expected, FAULTS, Fault, MAX_BYTES, SILENCE_MS, TIMEOUT_MS};
pub use mariadb::MariaDb;
pub use pooler::Pooler;
pub use postgres::Postgres;
pub use proxy::{Proxy, ProxyFault};
pub use redis::Redis;
pub use store::{Counts, RetryAfter, Store, StoreFault};
pub use table::Table;

/// A port that was free a moment ago.
fn port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
