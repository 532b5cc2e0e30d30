//! From Postgres to Redis: one process listens to the database, and any number of apps to Redis.
//!
//! `DATABASE_URL=postgres://… REDIS_URL=redis://… cargo run -p esclusa-sync --all-features --example relay`

use std::error::Error;
use std::time::Duration;

use esclusa_sync::{Answer, Failure, Postgres, Redis, Request, Source};

/// Without a notification, the database is polled this often.
const INTERVAL: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut from = Postgres::new(&std::env::var("DATABASE_URL")?).map_err(|failure| failure.error)?;
    let mut to = Redis::new(&std::env::var("REDIS_URL")?).map_err(|failure| failure.error)?;
    let (mut request, mut snapshot) = (Request::default(), Vec::new());
    loop {
        match relay(&mut from, &mut to, &mut request, &mut snapshot).await {
            Ok(()) => drop(tokio::time::timeout(INTERVAL, from.news()).await),
            Err(failure) => {
                eprintln!("{} to {}: {failure}", from.name(), to.name());
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

async fn relay(
    from: &mut Postgres,
    to: &mut Redis,
    request: &mut Request,
    snapshot: &mut Vec<u8>,
) -> Result<(), Failure> {
    if let Answer::Snapshot { bytes, etag } = from.fetch(request).await? {
        (*snapshot, request.etag) = (bytes, etag);
    }
    // Redis may have been started empty, or have come back with what it held earlier.
    let held = to.fetch(&Request::default()).await;
    if !matches!(&held, Ok(Answer::Snapshot { bytes, .. }) if bytes == snapshot) {
        to.put(snapshot).await?;
        println!("{} bytes, {}", snapshot.len(), request.etag.as_deref().unwrap_or_default());
    }
    Ok(())
}
