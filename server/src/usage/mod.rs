//! What apps and pages report: `POST /v1/usage`, `/v1/track` and `/v1/facts` (`spec/GUARD.md`), added up by the hour in
//! tables of the server's own.

pub(crate) mod durations;
mod events;
mod facts;
pub(crate) mod figures;
mod form;
mod hourly;
mod limit;
mod report;
pub(crate) mod series;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::HeaderMap;
use axum::http::{Response, StatusCode};
use esclusa::{Json, Value};

use crate::access::Denied;
use crate::api::{answer, store};
use crate::body::MAX_BODY_BYTES;
use crate::caller::From;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::store::Store;
use crate::token::{Kind, Known};
use events::Events;
use facts::Facts;
use form::body as read;
use hourly::Heard;
pub(crate) use limit::Peer;
use limit::RateLimits;
use report::Report;
use writer::Writer;

/// What is shared by all reports.
pub(crate) struct Usage {
    writer: Option<Writer>,
    rates: RateLimits,
    keep_days: u32,
    /// Whether events go into the users' own table too.
    has_rows: bool,
    /// Counts that apps have lost, and those of minutes that cannot be told from later ones.
    dropped: AtomicI64,
}

impl Usage {
    pub(crate) fn start(store: Option<&Store>, keep_days: u32, has_rows: bool) -> Self {
        let writer = store.map(|store| Writer::start(store.clone(), keep_days));
        Usage { writer, rates: RateLimits::new(), keep_days, has_rows, dropped: AtomicI64::new(0) }
    }

    /// Counts that are missing since this server has begun.
    pub(crate) fn dropped(&self) -> i64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// For how many days numbers are kept.
    pub(crate) fn keep_days(&self) -> u32 {
        self.keep_days
    }

    async fn add(&self, shared: &Shared, heard: Heard) -> Result<(), Problem> {
        match &self.writer {
            Some(writer) => writer.add(heard).await,
            None => store(shared).map(drop),
        }
    }
}

/// Who reports: a token of any kind.
fn reporter(shared: &Shared, headers: &HeaderMap, from: &From) -> Result<Arc<Known>, Problem> {
    let known = shared.tokens.any_of(headers, shared.now())?;
    shared.usage.rates.take(&known, &from.0)?;
    Ok(known)
}

/// `POST /v1/usage`: how often flags were evaluated, and how events ended.
pub(crate) async fn usage(
    State(shared): State<Arc<Shared>>,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let known = reporter(&shared, &headers, &from)?;
    let body = read(&headers, body, MAX_BODY_BYTES).await?;
    let edition = shared.edition()?;
    // A flag that is not there has no number of its own.
    let flag = |key: &str| edition.flag(key, known.kind).map(|flag| flag.key.clone()).unwrap_or_default();
    let report = Report::read(&body, shared.now(), flag)?;
    let missing = report.dropped.saturating_add(report.untimely);
    shared.usage.add(&shared, Heard::Report(report)).await?;
    shared.usage.dropped.fetch_add(missing, Ordering::Relaxed);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// `POST /v1/track`: events.
pub(crate) async fn track(
    State(shared): State<Arc<Shared>>,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let known = reporter(&shared, &headers, &from)?;
    let body = read(&headers, body, events::MAX_BYTES).await?;
    let mut events = Events::read(&body, &*shared.edition()?, &known, shared.now())?;
    let answered = answer(StatusCode::OK, events.answer());
    let rows = std::mem::take(&mut events.rows);
    let rows = (shared.usage.has_rows && !rows.is_empty()).then(|| Value::List(rows).to_json());
    if !events.tallies.is_empty() {
        shared.usage.add(&shared, Heard::Events(events.tallies, rows)).await?;
    }
    Ok(answered)
}

/// `POST /v1/facts`: which units were seen, for a backend.
pub(crate) async fn facts(
    State(shared): State<Arc<Shared>>,
    from: From,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let known = shared.tokens.any_of(&headers, shared.now())?;
    if !known.is_backend() && known.kind != Kind::Ingest {
        return Err(Denied::Kind(Kind::Server).into());
    }
    reporter(&shared, &headers, &from)?;
    let body = read(&headers, body, MAX_BODY_BYTES).await?;
    let facts = Facts::read(&body, &shared.edition()?.set, shared.now())?;
    let taken = i64::try_from(facts.taken).unwrap_or_default();
    shared.usage.add(&shared, Heard::Facts(facts)).await?;
    let mut json = Json::default();
    json.object(|json| json.name("taken").whole(taken));
    Ok(answer(StatusCode::OK, json.into_text()))
}
