//! What a page in a browser gets for its caller: client snapshots (10.3) and projections (10.2).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap};
use axum::http::{HeaderValue, Response, StatusCode};
use xxhash_rust::xxh3::xxh3_64;

use crate::body::{Asked, Unusable, read};
use crate::edition::Edition;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::tag;
use crate::token::Kind;

impl From<Unusable> for Problem {
    fn from(unusable: Unusable) -> Self {
        let status = match unusable {
            Unusable::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        Problem::new(status, unusable.detail())
    }
}

/// `POST /v1/client-snapshot`: a document that the page evaluates by itself.
pub(crate) async fn client_snapshot(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    answer(&shared, &headers, body, |edition, keys, context| {
        edition.set.client_snapshot(keys, context, shared.now()).to_json()
    })
    .await
}

/// `POST /v1/projection`: the values, and nothing about why.
pub(crate) async fn projection(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    answer(&shared, &headers, body, |edition, keys, context| edition.set.project(keys, context, shared.now()).to_json())
        .await
}

async fn answer(
    shared: &Shared,
    headers: &HeaderMap,
    body: Body,
    write: impl FnOnce(&Edition, Vec<&str>, &esclusa::Context<'_>) -> String,
) -> Result<Response<Body>, Problem> {
    let known = shared.tokens.of(headers, shared.now())?;
    let edition = shared.edition()?;
    let body = read(body).await?;
    let asked = Asked::parse(&body)?;
    let context = known.context(asked.context)?;
    let keys = chosen(&edition, asked.flags.as_deref(), known.kind);
    shared.metrics.evaluated(keys.len());
    let json = write(&edition, keys, &context);
    let tag = format!("{:016x}", xxh3_64(json.as_bytes()));
    let is_known = tag::is_known(headers, &tag);
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(json) });
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(tag) = HeaderValue::try_from(format!("\"{tag}\"")) {
        headers.insert(ETAG, tag);
    }
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(response)
}

/// The wanted flags that the token sees; one that it does not see is as if it did not exist.
fn chosen<'e>(edition: &'e Edition, wanted: Option<&[String]>, kind: Kind) -> Vec<&'e str> {
    let key = |flag: &'e crate::edition::Flag| flag.key.as_str();
    match wanted {
        Some(wanted) => wanted.iter().filter_map(|one| edition.flag(one, kind).map(key)).collect(),
        None => edition.seen_by(kind).map(key).collect(),
    }
}
