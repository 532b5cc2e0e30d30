//! A bucket with the part of S3 that reading an object needs: `GET` with entity tags, and errors in XML.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LAST_MODIFIED};
use hyper::{Request, StatusCode};

use crate::answers::{Answer, json, text, with};
use crate::server::Server;

/// What a bucket answers instead of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketFault {
    /// 503, S3's answer for too many requests.
    SlowDown,
    /// 403, S3's answer for a key that may not read.
    AccessDenied,
    /// The object, with fewer bytes than its declared length.
    Torn,
}

/// Serves until it is dropped.
#[derive(Debug)]
pub struct Bucket {
    shared: Arc<Shared>,
    server: Server,
}

#[derive(Debug)]
struct Shared {
    /// The path, with the name of the bucket.
    path: String,
    key_id: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    object: Option<(Bytes, u64)>,
    fault: Option<BucketFault>,
    counts: (u64, u64),
}

impl Bucket {
    /// A bucket with at most one object, for this access key.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(bucket: &str, object: &str, key_id: &str) -> io::Result<Self> {
        let (path, key_id) = (format!("/{bucket}/{object}"), key_id.to_owned());
        let shared = Arc::new(Shared { path, key_id, state: Mutex::default() });
        let asked = Arc::clone(&shared);
        let server = Server::start(move |request| asked.answer(request)).await?;
        Ok(Bucket { shared, server })
    }

    /// The endpoint for S3's clients.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Replaces the object.
    pub fn put(&self, bytes: impl Into<Bytes>) {
        let mut state = self.shared.state();
        let version = state.object.as_ref().map_or(1, |(_, version)| version + 1);
        state.object = Some((bytes.into(), version));
    }

    /// Sets the fault, until the next call.
    pub fn fault(&self, fault: Option<BucketFault>) {
        self.shared.state().fault = fault;
    }

    /// How often the object was sent, and how often the client already had it.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        self.shared.state().counts
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request<Incoming>) -> Answer {
        let header = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        // Signature 4 names the key first; that it fits is for S3 to say.
        let signed = format!("AWS4-HMAC-SHA256 Credential={}/", self.key_id);
        let is_signed = header(AUTHORIZATION).is_some_and(|value| value.starts_with(&signed));
        let mut state = self.state();
        match state.fault {
            Some(BucketFault::SlowDown) => return error(503, SLOW_DOWN),
            Some(BucketFault::AccessDenied) => return error(403, ACCESS_DENIED),
            _ if !is_signed => return error(403, ACCESS_DENIED),
            Some(BucketFault::Torn) | None => {}
        }
        let Some((bytes, version)) = state.object.clone().filter(|_| request.uri().path() == self.path) else {
            return error(404, NO_SUCH_KEY);
        };
        let etag = format!("\"{version:032x}\"");
        if header(IF_NONE_MATCH) == Some(etag.as_str()) {
            state.counts.1 += 1;
            return with(text(StatusCode::NOT_MODIFIED.as_u16(), ""), ETAG, &etag);
        }
        state.counts.0 += 1;
        let answer = if state.fault == Some(BucketFault::Torn) {
            let (half, length) = (bytes.slice(..bytes.len() / 2), bytes.len());
            with(crate::answers::streamed(vec![half]), hyper::header::CONTENT_LENGTH, &length.to_string())
        } else {
            json(bytes)
        };
        let now = httpdate::fmt_http_date(SystemTime::now());
        with(with(answer, ETAG, &etag), LAST_MODIFIED, &now)
    }
}

const SLOW_DOWN: &str = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
const ACCESS_DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
const NO_SUCH_KEY: &str = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>";

fn error(status: u16, xml: &'static str) -> Answer {
    with(text(status, xml), CONTENT_TYPE, "application/xml")
}
