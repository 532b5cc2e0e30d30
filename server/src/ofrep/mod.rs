//! OFREP 0.3, OpenFeature's protocol for any language: `/ofrep/v1/…`.

mod answer;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use bytes::Bytes;
use esclusa::{Context, Json, Value};
use xxhash_rust::xxh3::xxh3_64;

use crate::access::Denied;
use crate::body::{Asked, Unusable, read};
use crate::edition::Edition;
use crate::problem::{Problem, say};
use crate::shared::Shared;
use crate::stream::stream;
use crate::tag;
use crate::token::Known;
use answer::{Failed, write};

/// For how long a hidden page keeps its stream: the protocol's default.
const INACTIVITY_SECONDS: i64 = 120;

/// `POST /ofrep/v1/evaluate/flags/{key}`.
pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    key: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Refused> {
    let Ok(Path(key)) = key else {
        return Err(Refused::Key);
    };
    let asking = Asking::read(&shared, &headers, body, Some(&key)).await?;
    let context = asking.context(Some(&key))?;
    let Asking { known, edition, .. } = &asking;
    shared.metrics.evaluated(1);
    let mut json = Json::default();
    let Some(flag) = edition.flag(&key, known.kind) else {
        Failed::NOT_FOUND.write(&mut json, &key);
        return Ok(answered(StatusCode::NOT_FOUND, json.into_text()));
    };
    let resolution = edition.set.resolve_by(key.as_str(), &context, || shared.now());
    let written = write(&mut json, flag, &resolution, version(edition).as_deref());
    Ok(answered(written.err().map_or(StatusCode::OK, |failed| failed.status), json.into_text()))
}

/// `POST /ofrep/v1/evaluate/flags`.
pub(crate) async fn all(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Refused> {
    let asking = Asking::read(&shared, &headers, body, None).await?;
    let context = asking.context(None)?;
    let Asking { known, edition, .. } = &asking;
    let flags = flags(&shared, edition, known, &context);
    // Of the answers alone: a tag of the revision would let a caller keep what another company was answered.
    let tag = format!("{:016x}", xxh3_64(flags.as_bytes()));
    let mut response = if tag::is_known(&headers, &tag) {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        answered(StatusCode::OK, joined(flags, &around(&shared, edition, known)))
    };
    if let Ok(tag) = HeaderValue::try_from(format!("\"{tag}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

/// `GET /ofrep/v1/events?t=…`: says that the answers have to be fetched again.
pub(crate) async fn events(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let now = shared.now();
    let ticket = uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("t="));
    let known = match ticket {
        Some(ticket) => shared.tokens.of_ticket(ticket, now).ok_or(Denied::Unknown),
        None => shared.tokens.of(&headers, now),
    };
    let origin = headers.get(axum::http::header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let known = known.and_then(|known| if known.allows(origin) { Ok(known) } else { Err(Denied::Origin) });
    if let Err(denied) = known {
        return Problem::from(denied).into_response();
    }
    let written = |moved: &u64| format!("id: {moved}\nevent: message\ndata: {{\"type\":\"refetchEvaluation\"}}\n\n");
    stream(&shared, shared.moved.subscribe(), None, shared.spread, written).into_response()
}

/// A request for answers.
struct Asking {
    known: Arc<Known>,
    edition: Arc<Edition>,
    body: Bytes,
}

impl Asking {
    async fn read(shared: &Shared, headers: &HeaderMap, body: Body, key: Option<&str>) -> Result<Self, Refused> {
        let known = shared.tokens.of(headers, shared.now()).map_err(Refused::Denied)?;
        let edition = shared.edition().map_err(Refused::NotReady)?;
        let body = read(body).await.map_err(|unusable| Refused::Unusable(key.map(str::to_owned), unusable))?;
        Ok(Asking { known, edition, body })
    }

    fn context(&self, key: Option<&str>) -> Result<Context<'_>, Refused> {
        let asked = Asked::parse(&self.body).map_err(|unusable| Refused::Unusable(key.map(str::to_owned), unusable))?;
        self.known.context(asked.context).map_err(Refused::Denied)
    }
}

/// Why there is no answer.
pub(crate) enum Refused {
    Denied(Denied),
    NotReady(Problem),
    /// The key of the flag is not UTF-8.
    Key,
    /// With the key of the flag, if one was asked for.
    Unusable(Option<String>, Unusable),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        match self {
            Refused::Denied(denied) => empty(denied.status()),
            Refused::NotReady(problem) => broken(&problem),
            Refused::Key => refused(None, "PARSE_ERROR", "the key of the flag is not UTF-8"),
            Refused::Unusable(key, unusable) => {
                let code = if matches!(unusable, Unusable::Context(_)) { "INVALID_CONTEXT" } else { "PARSE_ERROR" };
                refused(key.as_deref(), code, &unusable.detail())
            }
        }
    }
}

/// The answers of all flags that the token sees, as an object with nothing else.
fn flags(shared: &Shared, edition: &Edition, known: &Known, context: &Context<'_>) -> String {
    let mut json = Json::default();
    let (now, mut count) = (shared.now(), 0);
    json.object(|json| {
        json.name("flags").list(edition.seen_by(known.kind), |json, flag| {
            count += 1;
            let resolution = edition.set.resolve_by(flag.key.as_str(), context, || now);
            // In a list a failure is an entry like any other.
            _ = write(json, flag, &resolution, None);
        });
    });
    shared.metrics.evaluated(count);
    json.into_text()
}

/// The fields beside the answers.
fn around(shared: &Shared, edition: &Edition, known: &Known) -> String {
    let mut json = Json::default();
    json.object(|json| {
        if let Some(version) = version(edition) {
            json.name("metadata").object(|json| json.name("version").text(&version));
        }
        json.name("eventStreams").list([known.ticket(shared.now())], |json, ticket| {
            json.object(|json| {
                json.name("type").text("sse");
                // Without an origin: a client takes that of the address which it asks.
                json.name("endpoint").object(|json| {
                    json.name("requestUri").text(&format!("{}/ofrep/v1/events?t={ticket}", shared.prefix));
                });
                json.name("inactivityDelaySec").whole(INACTIVITY_SECONDS);
            });
        });
    });
    json.into_text()
}

/// One object with the fields of two, neither of which is empty.
fn joined(mut object: String, other: &str) -> String {
    object.pop();
    object.push(',');
    object.push_str(other.get(1..).unwrap_or_default());
    object
}

fn version(edition: &Edition) -> Option<String> {
    edition.revision().map(|revision| revision.to_string())
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    say(status, response.headers_mut());
    response
}

fn answered(status: StatusCode, json: String) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

fn refused(key: Option<&str>, code: &str, details: &str) -> Response<Body> {
    let mut fields = Vec::new();
    fields.extend(key.map(|key| ("key".into(), Value::from(key.to_owned()))));
    fields.push(("errorCode".into(), code.to_owned().into()));
    fields.push(("errorDetails".into(), details.to_owned().into()));
    answered(StatusCode::BAD_REQUEST, Value::Object(fields).to_json())
}

/// The protocol knows no status for a server that is not ready.
fn broken(problem: &Problem) -> Response<Body> {
    let details = vec![("errorDetails".into(), problem.detail().to_owned().into())];
    answered(StatusCode::INTERNAL_SERVER_ERROR, Value::Object(details).to_json())
}
