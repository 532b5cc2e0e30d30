//! Streams of server-sent events. A connection holds no queue: a reader that is slow gets the latest news, once.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Response};
use bytes::Bytes;
use futures_util::stream::unfold;
use tokio::sync::{OwnedSemaphorePermit, TryAcquireError, watch};
use tokio::time::{Instant, sleep_until};

use crate::metrics::Open;
use crate::problem::Problem;
use crate::shared::Shared;

/// How often a silent stream says that it lives: our own clients give up after 45 seconds.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Proxies such as nginx must not hold events back until a block is full.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Why a stream goes on.
enum Wake {
    /// There is news.
    Changed,
    /// The news is to be sent.
    Due,
    /// Nothing was sent for long.
    Silent,
    /// The server stops.
    Ended,
}

/// One open stream.
struct Stream<T, W> {
    news: watch::Receiver<T>,
    closing: watch::Receiver<bool>,
    write: W,
    spread: Duration,
    /// What is sent at once.
    first: Option<String>,
    /// When the news that is there is sent.
    due: Option<Instant>,
    beat: Instant,
    _open: Open,
    _permit: OwnedSemaphorePermit,
}

/// An answer that goes on: it begins with a comment and `first`, and writes each change of the news, up to `spread` later.
pub(crate) fn stream<T: Send + Sync + 'static>(
    shared: &Shared,
    news: watch::Receiver<T>,
    first: Option<String>,
    spread: Duration,
    write: impl Fn(&T) -> String + Send + 'static,
) -> Result<Response<Body>, Problem> {
    let permit = std::sync::Arc::clone(&shared.streams).try_acquire_owned().map_err(|error| match error {
        TryAcquireError::NoPermits => {
            Problem::new(axum::http::StatusCode::TOO_MANY_REQUESTS, "too many streams of events are open")
        }
        TryAcquireError::Closed => Problem::not_ready(),
    })?;
    let first = Some(format!(": esclusa\n\n{}", first.unwrap_or_default()));
    let stream = Stream {
        news,
        closing: shared.closing.subscribe(),
        write,
        spread,
        first,
        due: None,
        beat: Instant::now() + HEARTBEAT,
        _open: shared.metrics.open(),
        _permit: permit,
    };
    let pieces = unfold(stream, |mut stream| async {
        let piece = stream.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(piece)), stream))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

impl<T, W: Fn(&T) -> String> Stream<T, W> {
    /// The next piece; none when the server stops.
    async fn next(&mut self) -> Option<String> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            let piece = match self.wake().await {
                Wake::Changed => {
                    self.due = Some(Instant::now() + self.spread.mul_f64(fastrand::f64()));
                    continue;
                }
                Wake::Due => {
                    self.due = None;
                    (self.write)(&self.news.borrow_and_update())
                }
                Wake::Silent => ":\n\n".to_owned(),
                Wake::Ended => return None,
            };
            self.beat = Instant::now() + HEARTBEAT;
            return Some(piece);
        }
    }

    async fn wake(&mut self) -> Wake {
        let due = self.due;
        tokio::select! {
            biased;
            _ = self.closing.wait_for(|is_closing| *is_closing) => Wake::Ended,
            () = sleep_until(due.unwrap_or(self.beat)), if due.is_some() => Wake::Due,
            changed = self.news.changed(), if due.is_none() => changed.map_or(Wake::Ended, |()| Wake::Changed),
            () = sleep_until(self.beat) => Wake::Silent,
        }
    }
}
