//! `POST /api/v1/explain`: every step to an answer for a pasted context, now or at a past moment, out of the history.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use esclusa::{Context, FlagSet, Json, Time, Value, row};
use esclusa_impact::before;

use super::history::Line;
use super::{Asked, answer, bad, time};
use crate::caller::By;
use crate::checked::set;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::store::{Purpose, Row, Table};

/// `{"context": {…}, "flag": "crm", "at": "2026-02-01T00:00:00Z"}`; without `flag` all flags, without `at` now. A moment
/// that is past is asked of the flags as they were.
pub(crate) async fn explain(
    State(shared): State<Arc<Shared>>,
    By(caller): By,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let asked = Asked::read(&shared, caller, body, &["context", "flag", "at"]).await?;
    let now = shared.now();
    let (flag, at) = (asked.text("flag")?.map(str::to_owned), time(&asked, now)?);
    let context = asked.field("context").cloned().unwrap_or_else(|| Value::Object(Vec::new()));
    if !matches!(context, Value::Object(_)) {
        return Err(bad("`context` is no object, expected one such as {\"user\": \"…\", \"plan\": \"…\"}".to_owned()));
    }
    let context = Context::from_value(context).map_err(|error| bad(format!("`context`: {error}")))?;
    if at >= now {
        let edition = shared.edition()?;
        return Ok(answer(StatusCode::OK, explained(&edition.set, flag.as_deref(), &context, at)?));
    }
    let rows = asked.store.run(Purpose::Reading, move |table| as_of(table, at)).await?;
    Ok(answer(StatusCode::OK, explained(&set(&rows)?, flag.as_deref(), &context, at)?))
}

/// The rows at a moment: today's, with every change since put back.
fn as_of(table: &mut dyn Table, at: Time) -> Result<Vec<Row>, Problem> {
    let keyed = |row: Row| Some((row::key(&row)?.to_owned(), row));
    let mut rows: BTreeMap<String, Row> = table.rows()?.into_iter().filter_map(keyed).collect();
    for recorded in table.recorded_since(&at.to_string())? {
        let Line { recorded, old, new } = Line::of(recorded, table)?;
        // It may have had another key.
        if let Some((key, row)) = before(rows.remove(&recorded.flag), old, &new).and_then(keyed) {
            rows.insert(key, row);
        }
    }
    Ok(rows.into_values().collect())
}

fn explained(set: &FlagSet, flag: Option<&str>, context: &Context<'_>, at: Time) -> Result<String, Problem> {
    if let Some(flag) = flag.filter(|flag| !set.contains(flag)) {
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("there was no flag `{flag}` at {at}")));
    }
    let mut keys: Vec<&str> = set.keys().filter(|key| flag.is_none_or(|flag| flag == *key)).collect();
    keys.sort_unstable();
    let mut json = Json::default();
    json.object(|json| {
        json.name("at").text(&at.to_string());
        json.name("flags").list(keys, |json, key| {
            json.object(|json| {
                json.name("flag").text(key);
                json.name("explanation").value(&set.explain(key, context, at).to_value());
            });
        });
    });
    Ok(json.into_text())
}
