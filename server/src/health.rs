//! How the server is: `/live`, `/ready`, `/health` and `/metrics`, open to everyone who reaches it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use esclusa::Json;

use crate::problem::Problem;
use crate::shared::Shared;

/// The process answers.
pub(crate) async fn live() -> Response<Body> {
    text("text/plain; charset=utf-8", "live\n".to_owned())
}

/// Something is published, and the server is not about to stop.
pub(crate) async fn ready(State(shared): State<Arc<Shared>>) -> Result<Response<Body>, Problem> {
    shared.edition()?;
    if *shared.closing.borrow() {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server is about to stop"));
    }
    Ok(text("text/plain; charset=utf-8", "ready\n".to_owned()))
}

/// How things stand with the store. The last error has no secrets (11.21).
pub(crate) async fn health(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let status = shared.syncing.status();
    let edition = shared.edition().ok();
    let whole = |number: u128| i64::try_from(number).unwrap_or(i64::MAX);
    let mut json = Json::default();
    json.object(|json| {
        json.name("state").text(status.state.as_str());
        json.name("source").text(&status.source);
        json.name("revision").maybe(status.revision, |json, revision| json.whole(whole(revision.into())));
        json.name("age_ms").maybe(status.age, |json, age| json.whole(whole(age.as_millis())));
        json.name("failures").whole(status.failures.into());
        json.name("last_error").maybe(status.last_error.as_ref(), |json, last| json.text(&last.error));
        json.name("flags").maybe(edition.as_ref(), |json, edition| json.whole(whole(edition.flags.len() as u128)));
        json.name("violations").maybe(edition.as_ref(), |json, edition| {
            json.whole(whole(edition.set.violations().len() as u128));
        });
        json.name("version").text(env!("CARGO_PKG_VERSION"));
    });
    text("application/json", json.into_text())
}

/// Numbers for Prometheus.
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let numbers = shared.metrics.text(&shared.syncing.status());
    text("application/openmetrics-text; version=1.0.0; charset=utf-8", numbers)
}

fn text(kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
