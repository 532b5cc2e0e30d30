//! Trips of guarded rollouts: apps propose them under `/v1/trips` (section 2 of GUARD.md), people begin a new run.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ETAG, HeaderMap};
use axum::http::{HeaderValue, Response, StatusCode};
use esclusa::{Trip, Value, hash};
use esclusa_guard::Trips;

use super::{Asked, Key, answer, bad, key, store};
use crate::body::read;
use crate::caller::By;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::store::{Purpose, Signature, Tripping};
use crate::tag;

/// `GET /v1/trips`: the trips that keep flags off.
pub(crate) async fn all(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response<Body>, Problem> {
    shared.tokens.of_server(&headers, shared.now())?;
    let mut trips = Trips::default();
    trips.take_from(&shared.edition()?.set);
    let text = trips.to_string();
    let tag = format!("{:016x}", hash(&text));
    let mut response = if tag::is_known(&headers, &tag) {
        answer(StatusCode::NOT_MODIFIED, String::new())
    } else {
        answer(StatusCode::OK, text)
    };
    if let Ok(tag) = HeaderValue::try_from(format!("\"{tag}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

/// `PUT /v1/trips/{flag}`: switches off a flag whose guard has tripped in an app.
pub(crate) async fn propose(
    State(shared): State<Arc<Shared>>,
    of: Key,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let known = shared.tokens.of_server(&headers, shared.now())?;
    let (store, key) = (store(&shared)?, key(of)?);
    let bytes = read(body).await?;
    let trip = Value::from_json(&bytes).map_err(|error| bad(format!("the body cannot be read: {error}")))?;
    let expected = || bad("the body is no trip, expected an object with a `run` from 1 on".to_owned());
    let trip = Trip::from_value(&key, &trip).ok_or_else(expected)?;
    let signature = Signature { by: known.name.clone(), reason: String::new() };
    match store.run(Purpose::Stopping(signature), move |table| table.trip(&trip)).await? {
        Tripping::Taken => Ok(answer(StatusCode::CREATED, "{}".to_owned())),
        Tripping::Known(trip) => Ok(answer(StatusCode::OK, trip.to_json())),
        Tripping::Over(run) => {
            let run = Value::Object(vec![("run".into(), run.into())]);
            Ok(answer(StatusCode::CONFLICT, run.to_json()))
        }
    }
}

/// `POST /api/v1/flags/{key}/resume`: begins a new run, of which `at_step` steps of the schedule are cleared.
pub(crate) async fn resume(
    State(shared): State<Arc<Shared>>,
    of: Key,
    By(caller): By,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let asked = Asked::read(&shared, caller, body, &["reason", "at_step"]).await?;
    let at_step = match asked.field("at_step") {
        None => None,
        Some(step) => {
            let number = step.as_i64().and_then(|step| u64::try_from(step).ok());
            Some(number.ok_or_else(|| bad(format!("`at_step` is {step}, expected a number of steps from 0 on")))?)
        }
    };
    let (key, signature, now) = (key(of)?, asked.signature(&shared, None)?, shared.now());
    let run = asked.store.run(Purpose::Writing(signature), move |table| table.resume(&key, at_step, now)).await?;
    Ok(answer(StatusCode::OK, Value::Object(vec![("run".into(), run.into())]).to_json()))
}
