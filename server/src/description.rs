//! The description of the addresses for programs, in OpenAPI 3.1: `/api/v1/openapi.json`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};

use crate::shared::Shared;

/// The description, which is kept by hand.
pub(crate) const DOCUMENT: &str = include_str!("../openapi.json");

/// The path of the server, which its addresses begin with.
const SERVER: &str = r#""servers": [{ "url": "/""#;

/// `GET /api/v1/openapi.json`, which needs no token.
pub(crate) async fn description(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let body = match shared.prefix.as_str() {
        "" => Body::from(DOCUMENT),
        prefix => Body::from(DOCUMENT.replacen(SERVER, &format!(r#""servers": [{{ "url": "{prefix}""#), 1)),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
