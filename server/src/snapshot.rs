//! Snapshots and their events, for clients that evaluate by themselves: `/v1/snapshot`, `/v1/events`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, VARY,
};
use axum::http::{HeaderValue, Response, StatusCode};
use bytes::Bytes;
use tokio::task::spawn_blocking;

use crate::document::Document;
use crate::edition::Edition;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::stream::stream;
use crate::tag;

/// What a client has seen last, when it opens a stream again.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// `GET /v1/snapshot`: everything, for a backend.
pub(crate) async fn snapshot(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    shared.tokens.of_server(&headers, shared.now())?;
    let document = Arc::clone(&shared.edition()?.document);
    let is_known = tag::is_known(&headers, document.tag());
    if tag::is_asked(&headers) {
        shared.metrics.polled(is_known);
        shared.reach.polled(is_known, shared.now());
    }
    let is_packed = accepts_gzip(&headers);
    let mut response = if is_known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let bytes = if is_packed { packed(&document).await? } else { document.plain() };
        let mut response = Response::new(Body::from(bytes));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if is_packed {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    };
    let answer = response.headers_mut();
    answer.insert(CACHE_CONTROL, shared.cache.clone());
    answer.append(VARY, HeaderValue::from_static("accept-encoding"));
    // Packed bytes are other bytes.
    let ending = if is_packed { "-gzip" } else { "" };
    if let Ok(tag) = HeaderValue::try_from(format!("\"{}{ending}\"", document.tag())) {
        answer.insert(ETAG, tag);
    }
    Ok(response)
}

/// Packs without holding up other requests.
async fn packed(document: &Arc<Document>) -> Result<Bytes, Problem> {
    if let Some(packed) = document.packed_before() {
        return Ok(packed);
    }
    let document = Arc::clone(document);
    let failed = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the snapshot cannot be packed");
    spawn_blocking(move || document.packed()).await.map_err(failed)
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f64>().ok()) == Some(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

/// `GET /v1/events`: says that there is another snapshot.
pub(crate) async fn events(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    shared.tokens.of_server(&headers, shared.now())?;
    let mut news = shared.current.subscribe();
    let current = news.borrow_and_update().clone();
    let seen = headers.get(&LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let is_behind = seen.is_some_and(|seen| current.as_ref().is_none_or(|edition| id(edition) != seen));
    let first = is_behind.then(|| written(&current));
    stream(&shared, news, first, Duration::ZERO, written)
}

/// The revision, or what tells snapshots apart that have none.
fn id(edition: &Edition) -> String {
    edition.revision().map_or_else(|| edition.document.tag().to_owned(), |revision| revision.to_string())
}

fn written(edition: &Option<Arc<Edition>>) -> String {
    let Some(edition) = edition else { return ":\n\n".to_owned() };
    let revision = edition.revision().map_or_else(|| "null".to_owned(), |revision| revision.to_string());
    format!("id: {}\nevent: snapshot\ndata: {{\"revision\":{revision}}}\n\n", id(edition))
}
