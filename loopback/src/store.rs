//! An HTTP/1.1 store of snapshots: entity tags, compression, events and authorization as a good one has them, and on
//! command what bad ones do.

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream::StreamExt;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderName, IF_NONE_MATCH, LOCATION, RETRY_AFTER, VARY,
};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::answers::{Answer, json, pieces, streamed, text, with};
use crate::bomb::bomb;
use crate::events::{Broadcast, stream};

/// What comes when a store is asked for 300 MB.
const HUGE_BYTES: usize = 300 << 20;

/// What a store answers instead of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum StoreFault {
    /// 304, whatever was asked.
    NotModified,
    /// A status and a sentence.
    Status {
        /// Such as 503.
        status: u16,
        /// When to come again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<RetryAfter>,
    },
    /// A page for people, with status 200.
    Html,
    /// The first half of the snapshot, with the length of the half.
    Truncated,
    /// Nothing, with status 200.
    Empty,
    /// The snapshot that was published first.
    Older,
    /// 300 MB without a length.
    Huge,
    /// 300 MB with their length.
    HugeDeclared,
    /// A length that is greater than what comes before the connection is closed.
    LengthTooLong,
    /// A length that is smaller than the snapshot.
    LengthTooShort,
    /// A little gzip that unpacks to 300 MB.
    Bomb,
    /// Bytes that are called gzip and are not.
    BrokenGzip,
    /// A redirect to itself.
    RedirectLoop,
    /// A redirect to another port, which answers with the snapshot.
    RedirectElsewhere,
    /// The snapshot, each time under another entity tag.
    NewEtagEachTime,
    /// Bare rows without a row, as a table whose rows are hidden.
    NoRows,
    /// One row of five, with status 200 and the header `Content-Range`, as PostgREST cuts a table.
    CutTable,
    /// The same, with the total in the header only if the client asks for it.
    CutTableUncounted,
    /// One row of five, with status 206.
    PartialContent,
}

/// The forms of the header `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// The date that many seconds from now.
    Date(u64),
}

/// How requests were answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// With the snapshot.
    pub snapshots: u64,
    /// Of these, compressed.
    pub compressed: u64,
    /// With 304, because the client had the current one.
    pub not_modified: u64,
    /// By a fault.
    pub faults: u64,
    /// With 401, because of a wrong or missing `Authorization`.
    pub unauthorized: u64,
    /// With 404: for another path, or before anything was published.
    pub not_found: u64,
    /// With a stream of events.
    pub events: u64,
    /// Elsewhere, after a redirect to another origin.
    pub elsewhere: u64,
    /// Of these, with a header that only the first origin should have seen: `Authorization`, `Cookie`, or `X-…`.
    pub secrets_elsewhere: u64,
}

/// Serves until it is dropped.
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    broadcast: watch::Sender<Broadcast>,
    elsewhere: SocketAddr,
}

#[derive(Debug, Default)]
struct State {
    first: Option<Snapshot>,
    current: Option<Snapshot>,
    published: u64,
    fault: Option<StoreFault>,
    authorization: Option<String>,
    counts: Counts,
}

#[derive(Clone, Debug)]
struct Snapshot {
    plain: Bytes,
    packed: Bytes,
    /// Without quotation marks.
    tag: String,
}

impl Store {
    /// A store without a snapshot, on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start() -> io::Result<Store> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, elsewhere) = (listener.local_addr()?, other.local_addr()?);
        let broadcast = watch::Sender::new(Broadcast::default());
        let shared = Arc::new(Shared { state: Mutex::default(), broadcast, elsewhere });
        let tasks = [
            tokio::spawn(serve(listener, Arc::clone(&shared), false)),
            tokio::spawn(serve(other, Arc::clone(&shared), true)),
        ];
        Ok(Store { shared, address, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the snapshot is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/flags.json", self.address)
    }

    /// Where the events are.
    #[must_use]
    pub fn events_url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// Makes this the current snapshot and sends an event.
    pub fn publish(&self, json: impl Into<String>) {
        let plain = Bytes::from(json.into());
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        let packed = packer.write_all(&plain).and_then(|()| packer.finish()).unwrap_or_default().into();
        let mut state = self.shared.state();
        state.published += 1;
        let snapshot = Snapshot { plain, packed, tag: state.published.to_string() };
        state.first.get_or_insert_with(|| snapshot.clone());
        state.current = Some(snapshot);
        drop(state);
        self.shared.broadcast.send_modify(|broadcast| broadcast.published += 1);
    }

    /// Misbehaves from now on, or behaves again. The events are not concerned.
    pub fn fault(&self, fault: Option<StoreFault>) {
        self.shared.state().fault = fault;
    }

    /// Answers 401 unless a request has exactly this header, such as `Bearer …`.
    pub fn require(&self, authorization: Option<String>) {
        self.shared.state().authorization = authorization;
    }

    /// How often the streams of events say that the server lives; every 15 seconds unless told otherwise.
    pub fn heartbeat(&self, every: Duration) {
        self.shared.broadcast.send_modify(|broadcast| broadcast.heartbeat = every);
    }

    /// The streams of events stay open and say nothing any more, or speak again.
    pub fn silence_events(&self, is_silent: bool) {
        self.shared.broadcast.send_modify(|broadcast| broadcast.is_silent = is_silent);
    }

    /// Ends the streams of events that are open.
    pub fn end_events(&self) {
        self.shared.broadcast.send_modify(|broadcast| broadcast.ends += 1);
    }

    /// How many streams of events are open.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.shared.broadcast.receiver_count()
    }

    /// How requests were answered since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.state().counts
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, is_elsewhere: bool) {
    let mut connections = JoinSet::new();
    loop {
        let client = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => client,
                Err(_) => continue,
            },
            Some(_) = connections.join_next() => continue,
        };
        let _ = client.set_nodelay(true);
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| {
            let answer = if is_elsewhere { shared.elsewhere(&request) } else { shared.answer(&request) };
            async move { Ok::<_, Infallible>(answer) }
        });
        // A client that goes away in the middle of an answer is what these tests are about.
        connections.spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(client), service).await;
        });
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request<Incoming>) -> Answer {
        let mut state = self.state();
        let sent = request.headers().get(AUTHORIZATION).map(hyper::header::HeaderValue::as_bytes);
        if state.authorization.is_some() && state.authorization.as_deref().map(str::as_bytes) != sent {
            state.counts.unauthorized += 1;
            return text(401, "not authorized");
        }
        match request.uri().path() {
            "/flags.json" => {}
            "/events" => {
                state.counts.events += 1;
                return events(&self.broadcast);
            }
            _ => {
                state.counts.not_found += 1;
                return text(404, "not found");
            }
        }
        if let Some(fault) = state.fault {
            state.counts.faults += 1;
            let number = state.counts.faults;
            return self.misbehave(fault, &state, request.headers(), number);
        }
        let Some(snapshot) = state.current.clone() else {
            state.counts.not_found += 1;
            return text(404, "nothing is published");
        };
        let answer = snapshot.answer(request.headers(), &snapshot.tag);
        if answer.status() == 304 {
            state.counts.not_modified += 1;
        } else {
            state.counts.snapshots += 1;
            state.counts.compressed += u64::from(answer.headers().contains_key(CONTENT_ENCODING));
        }
        answer
    }

    fn elsewhere(&self, request: &Request<Incoming>) -> Answer {
        let mut state = self.state();
        state.counts.elsewhere += 1;
        let is_secret =
            |name: &HeaderName| matches!(name.as_str(), "authorization" | "cookie") || name.as_str().starts_with("x-");
        state.counts.secrets_elsewhere += u64::from(request.headers().keys().any(is_secret));
        match &state.current {
            Some(snapshot) => snapshot.answer(request.headers(), &snapshot.tag),
            None => text(404, "nothing is published"),
        }
    }

    fn misbehave(&self, fault: StoreFault, state: &State, headers: &HeaderMap, number: u64) -> Answer {
        let whole = state.current.as_ref().map(|snapshot| snapshot.plain.clone()).unwrap_or_default();
        match fault {
            StoreFault::NotModified => with(text(304, ""), ETAG, "\"304\""),
            StoreFault::Status { status, retry_after: None } => text(status, "no snapshot today"),
            StoreFault::Status { status, retry_after: Some(retry_after) } => {
                let when = match retry_after {
                    RetryAfter::Seconds(seconds) => seconds.to_string(),
                    RetryAfter::Date(seconds) => {
                        httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(seconds))
                    }
                };
                with(text(status, "no snapshot today"), RETRY_AFTER, &when)
            }
            StoreFault::Html => with(
                json(Bytes::from_static(b"<!doctype html><title>Please log in</title>")),
                CONTENT_TYPE,
                "text/html; charset=utf-8",
            ),
            StoreFault::Truncated => json(whole.slice(..whole.len() / 2)),
            StoreFault::Empty => json(Bytes::new()),
            StoreFault::NoRows => json(Bytes::from_static(b"[]")),
            StoreFault::CutTable => with(json(ONE_ROW), CONTENT_RANGE, "0-0/5"),
            StoreFault::CutTableUncounted => {
                let prefer = headers.get("prefer").and_then(|value| value.to_str().ok()).unwrap_or_default();
                let total = if prefer.contains("count=exact") { "5" } else { "*" };
                with(json(ONE_ROW), CONTENT_RANGE, &format!("0-0/{total}"))
            }
            StoreFault::PartialContent => {
                let mut answer = json(ONE_ROW);
                *answer.status_mut() = hyper::StatusCode::PARTIAL_CONTENT;
                answer
            }
            StoreFault::Older => match &state.first {
                Some(first) => json(first.plain.clone()),
                None => text(404, "nothing is published"),
            },
            StoreFault::Huge => pieces(HUGE_BYTES),
            StoreFault::HugeDeclared => with(pieces(HUGE_BYTES), CONTENT_LENGTH, &HUGE_BYTES.to_string()),
            StoreFault::LengthTooLong => {
                let length = (whole.len() + 1000).to_string();
                with(streamed(vec![whole]), CONTENT_LENGTH, &length)
            }
            StoreFault::LengthTooShort => {
                let length = (whole.len() / 2).to_string();
                with(streamed(vec![whole]), CONTENT_LENGTH, &length)
            }
            StoreFault::Bomb => with(json(bomb()), CONTENT_ENCODING, "gzip"),
            StoreFault::BrokenGzip => with(json(whole), CONTENT_ENCODING, "gzip"),
            StoreFault::RedirectLoop => with(text(302, ""), LOCATION, &format!("/flags.json?again={number}")),
            StoreFault::RedirectElsewhere => {
                with(text(307, ""), LOCATION, &format!("http://{}/moved.json?token=secret", self.elsewhere))
            }
            StoreFault::NewEtagEachTime => match &state.current {
                Some(snapshot) => snapshot.answer(headers, &format!("{}-{number}", snapshot.tag)),
                None => text(404, "nothing is published"),
            },
        }
    }
}

/// A table that was cut after its first row.
const ONE_ROW: Bytes = Bytes::from_static(br#"[{"name": "steady", "enabled": false}]"#);

impl Snapshot {
    /// The answer of a good store: 304 to a client that has the snapshot, compressed if the client accepts that.
    fn answer(&self, headers: &HeaderMap, tag: &str) -> Answer {
        let text_of = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_packed = text_of(ACCEPT_ENCODING).split(',').any(|coding| coding.trim().starts_with("gzip"));
        // A compressed answer is another representation, so it has a tag of its own (8.8.3.3 of RFC 9110).
        let etag = if is_packed { format!("\"{tag}-gzip\"") } else { format!("\"{tag}\"") };
        let mut answer = if text_of(IF_NONE_MATCH).split(',').any(|known| known.trim() == etag) {
            text(304, "")
        } else if is_packed {
            with(json(self.packed.clone()), CONTENT_ENCODING, "gzip")
        } else {
            json(self.plain.clone())
        };
        for (name, value) in [(ETAG, etag.as_str()), (CACHE_CONTROL, "no-cache"), (VARY, "Accept-Encoding")] {
            answer = with(answer, name, value);
        }
        answer
    }
}

fn events(broadcast: &watch::Sender<Broadcast>) -> Answer {
    let body = BodyExt::boxed(StreamBody::new(sync(stream(broadcast.subscribe()))));
    with(with(Response::new(body), CONTENT_TYPE, "text/event-stream"), CACHE_CONTROL, "no-store")
}

/// A body has to be `Sync`, which a future is not; behind a mutex it is.
fn sync<S: futures_util::Stream + Send>(stream: S) -> impl futures_util::Stream<Item = S::Item> + Send + Sync {
    let stream = Mutex::new(Box::pin(stream));
    futures_util::stream::poll_fn(move |context| {
        stream.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context)
    })
}
