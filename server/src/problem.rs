//! Problem documents (RFC 9457): why a request has no answer, for programs and for people.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use esclusa::{Json, Value};

/// Why a request has no answer.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
    /// What programs read besides.
    more: Vec<(&'static str, Value<'static>)>,
    /// The entity tag of what is there now.
    tag: Option<String>,
    /// After how many seconds it may be asked again.
    retry_s: Option<u64>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Problem { status, detail: detail.into(), more: Vec::new(), tag: None, retry_s: None }
    }

    /// Nothing is published yet.
    pub(crate) fn not_ready() -> Self {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "nothing is published yet, expected an answer of the store")
    }

    /// Too many tries.
    pub(crate) fn too_often(detail: &str, wait: Duration) -> Self {
        let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
        let detail = format!("{detail}, expected the next try after {seconds} s");
        Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry(seconds)
    }

    /// There is no flag of this key.
    pub(crate) fn no_flag(key: &str) -> Self {
        Problem::new(StatusCode::NOT_FOUND, format!("there is no flag `{key}`"))
    }

    /// With a field for programs.
    pub(crate) fn with(mut self, name: &'static str, value: Value<'static>) -> Self {
        self.more.push((name, value));
        self
    }

    pub(crate) fn tag(self, tag: String) -> Self {
        Problem { tag: Some(tag), ..self }
    }

    pub(crate) fn retry(self, seconds: u64) -> Self {
        Problem { retry_s: Some(seconds), ..self }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    fn json(&self) -> String {
        let mut json = Json::default();
        json.object(|json| {
            json.name("title").text(self.status.canonical_reason().unwrap_or("Error"));
            json.name("status").whole(self.status.as_u16().into());
            json.name("detail").text(&self.detail);
            for (name, value) in &self.more {
                json.name(name).value(value);
            }
        });
        json.into_text()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.json()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        say(self.status, headers);
        if let Some(seconds) = self.retry_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(tag) = self.tag.and_then(|tag| HeaderValue::try_from(format!("\"{tag}\"")).ok()) {
            headers.insert(ETAG, tag);
        }
        response
    }
}

/// The headers that belong to a status.
pub(crate) fn say(status: StatusCode, headers: &mut axum::http::HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        _ => {}
    }
}
