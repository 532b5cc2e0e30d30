//! OpenFeature's manifest, from which its tool writes typed code for eight languages: `/openfeature/v0/manifest`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use axum::http::{HeaderName, HeaderValue, Response};
use esclusa::{Json, Value};

use crate::definition::{Definition, Kind};
use crate::edition::Edition;
use crate::problem::{Problem, say};
use crate::shared::Shared;
use crate::token;

const CAPABILITIES: HeaderName = HeaderName::from_static("x-manifest-capabilities");

/// `GET /openfeature/v0/manifest`.
pub(crate) async fn manifest(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response<Body> {
    let known = shared.tokens.of(&headers, shared.now()).map_err(Problem::from);
    match known.and_then(|known| Ok(written(&*shared.edition()?, known.kind))) {
        Ok(json) => {
            let mut response = Response::new(Body::from(json));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            headers.insert(CAPABILITIES, HeaderValue::from_static("read"));
            response
        }
        Err(problem) => refused(&problem),
    }
}

/// The manifest's API has a shape of its own for errors.
fn refused(problem: &Problem) -> Response<Body> {
    let mut json = Json::default();
    json.object(|json| {
        json.name("error").object(|json| {
            json.name("message").text(problem.detail());
            json.name("status").whole(problem.status().as_u16().into());
        });
    });
    let mut response = Response::new(Body::from(json.into_text()));
    *response.status_mut() = problem.status();
    say(problem.status(), response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn written(edition: &Edition, kind: token::Kind) -> String {
    let mut json = Json::default();
    json.object(|json| {
        json.name("flags").list(edition.seen_by(kind), |json, flag| {
            let definition = edition.definition(&flag.key);
            json.object(|json| {
                json.name("key").text(&flag.key);
                json.name("type").text(definition.map_or(Kind::Object, |definition| definition.kind).as_str());
                if let Some(description) = definition.and_then(|definition| definition.description.as_deref()) {
                    json.name("description").text(description);
                }
                json.name("defaultValue").value(&default_value(definition));
            });
        });
    });
    json.into_text()
}

/// What an app falls back to: what the flag serves when it is off, or else nothing of the same type.
fn default_value(definition: Option<&Definition>) -> Value<'_> {
    let kind = definition.map_or(Kind::Object, |definition| definition.kind);
    let nothing = match kind {
        Kind::Boolean => Value::Bool(false),
        Kind::Integer => Value::Integer(0),
        Kind::Float => Value::Number(0.0),
        Kind::Text => Value::Text("".into()),
        Kind::Object => Value::Object(Vec::new()),
    };
    let off = definition.map(|definition| &definition.off).filter(|off| !off.is_null());
    match off {
        #[expect(clippy::cast_precision_loss, reason = "the other values of the flag are doubles")]
        Some(Value::Integer(whole)) if kind == Kind::Float => Value::Number(*whole as f64),
        Some(off) if kind != Kind::Object || matches!(off, Value::Object(_)) => off.clone(),
        _ => nothing,
    }
}
