//! `/api/v1/session`: a page of this server begins a session with a token, asks who it is, and ends it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{HeaderMap, SET_COOKIE};
use axum::http::{HeaderValue, Response, StatusCode};
use esclusa::{Json, Value};

use super::{answer, bad, fields};
use crate::access::Denied;
use crate::body::read;
use crate::html::is_own;
use crate::problem::Problem;
use crate::session::{self, Session};
use crate::shared::Shared;
use crate::token::Kind;

/// `GET /api/v1/session`: who asks, and until when.
pub(crate) async fn show(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    let session = session::by_cookie(&shared, &headers).ok_or(Denied::NoSession)?;
    Ok(shown(&session))
}

/// `POST /api/v1/session`: `{"token": "esc_admin_…"}`.
pub(crate) async fn begin(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    // Otherwise another page could begin a session of its own choice in this browser.
    if !is_own(&headers) {
        return Err(Denied::Page.into());
    }
    let fields = fields(&read(body).await?, &["token"])?;
    let token = fields.iter().find_map(|(_, value)| value.as_str());
    let token = token.ok_or_else(|| bad("`token` is missing or no text, expected an admin token".to_owned()))?;
    let known = shared.tokens.find(token.trim(), shared.now()).ok_or(Denied::Unknown)?;
    if known.kind != Kind::Admin {
        return Err(Denied::Kind(Kind::Admin).into());
    }
    let (session, cookie) = session::new(&shared, known);
    Ok(with_cookie(shown(&session), &cookie))
}

/// `DELETE /api/v1/session`.
pub(crate) async fn end(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    if !is_own(&headers) {
        return Err(Denied::Page.into());
    }
    Ok(with_cookie(answer(StatusCode::NO_CONTENT, String::new()), &session::ended(&shared)))
}

fn with_cookie(mut response: Response<Body>, cookie: &str) -> Response<Body> {
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

fn shown(session: &Session) -> Response<Body> {
    let mut json = Json::default();
    json.object(|json| {
        json.name("name").text(&session.known.name);
        json.name("role").text("admin");
        json.name("may_roll_back").value(&Value::Bool(true));
        json.name("company").maybe(session.known.company.as_deref(), Json::text);
        json.name("expires").text(&session.expires.to_string());
    });
    answer(StatusCode::OK, json.into_text())
}
