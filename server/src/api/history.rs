//! `/api/v1/history`: who changed what, when and why; and each of it undone.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use esclusa::{Json, Value};

use super::flags::{Changed, changed, checked, written};
use super::{Asked, Key, answer, key, number, row_of, store};
use crate::caller::By;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::store::{Purpose, Recorded, Row, Table, parsed};
use crate::version::{is_same, is_told};

/// How many lines there are at once, unless the address says otherwise, and at most.
const LINES: u32 = 50;
const MAX_LINES: u32 = 1_000;

/// `GET /api/v1/history`.
pub(crate) async fn all(State(shared): State<Arc<Shared>>, _: By, uri: Uri) -> Result<Response<Body>, Problem> {
    lines(&shared, &uri, None).await
}

/// `GET /api/v1/flags/{key}/history`.
pub(crate) async fn of_flag(
    State(shared): State<Arc<Shared>>,
    of: Key,
    _: By,
    uri: Uri,
) -> Result<Response<Body>, Problem> {
    lines(&shared, &uri, Some(key(of)?)).await
}

/// `POST /api/v1/history/{id}/undo`.
pub(crate) async fn undo(
    State(shared): State<Arc<Shared>>,
    id: Key,
    By(caller): By,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let asked = Asked::read(&shared, caller, body, &["reason"]).await?;
    let id = key(id)?;
    let signature = asked.signature(&shared, Some(&format!("undo of {id}")))?;
    let done = asked.store.run(Purpose::Writing(signature), move |table| undone(table, &id)).await?;
    changed(&shared, &done).await
}

async fn lines(shared: &Shared, uri: &Uri, flag: Option<String>) -> Result<Response<Body>, Problem> {
    let (limit, skipped) = (number(uri, "limit", LINES, MAX_LINES)?, number(uri, "offset", 0, u32::MAX)?);
    let read = move |table: &mut dyn Table| {
        let lines = table.recorded(flag.as_deref(), limit, skipped)?;
        lines.into_iter().map(|line| Line::of(line, table)).collect::<Result<Vec<_>, _>>()
    };
    let lines = store(shared)?.run(Purpose::Reading, read).await?;
    let mut json = Json::default();
    json.object(|json| json.name("history").list(&lines, |json, line| line.write(json)));
    Ok(answer(StatusCode::OK, json.into_text()))
}

/// A line of the history, with what it says as values.
pub(crate) struct Line {
    pub(crate) recorded: Recorded,
    pub(crate) old: Row,
    pub(crate) new: Row,
}

impl Line {
    pub(crate) fn of(recorded: Recorded, table: &dyn Table) -> Result<Self, Problem> {
        let value = |json: &Option<String>| json.as_ref().map_or(Ok(Value::Null), |json| parsed(json));
        let (old, new) = (table.shown(value(&recorded.old)?), table.shown(value(&recorded.new)?));
        Ok(Line { recorded, old, new })
    }

    fn write(&self, json: &mut Json) {
        let Recorded { id, at, flag, table, action, by, reason, .. } = &self.recorded;
        json.object(|json| {
            let mut text = |name: &str, value: &Option<String>| {
                json.name(name).maybe(value.as_deref(), Json::text);
            };
            text("id", id);
            text("at", &Some(at.clone()));
            text("flag", &Some(flag.clone()));
            text("table", table);
            text("action", &Some(action.clone()));
            text("by", by);
            text("reason", reason);
            json.name("old").value(&self.old);
            json.name("new").value(&self.new);
        });
    }
}

/// Puts back what a line of the history says was there before. What has changed since in the same fields is a conflict;
/// the line that this writes can be undone as any other.
fn undone(table: &mut dyn Table, id: &str) -> Result<Changed, Problem> {
    let recorded = table.record(id)?;
    let recorded = recorded
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("there is no line `{id}` in the history")))?;
    let (key, old_json) = (recorded.flag.clone(), recorded.old.clone().unwrap_or_default());
    let line = Line::of(recorded, table)?;
    let before = table.rows()?;
    let current = row_of(&before, &key)?;
    let (columns, earlier) = (table.columns()?, table.last_record(&key)?);
    match (&line.old, &line.new) {
        (Value::Object(old), Value::Null) => {
            if current.is_some() {
                return Err(conflict(&key, "there is a flag of this key again", Vec::new()));
            }
            let written_columns: Vec<&str> = old
                .iter()
                .map(|(name, _)| name.as_ref())
                .filter(|name| columns.iter().any(|column| column == name))
                .collect();
            let is_lost = |(name, value): &&(std::borrow::Cow<'_, str>, Row)| {
                is_told(name) && !value.is_null() && !written_columns.contains(&name.as_ref())
            };
            if let Some((name, _)) = old.iter().find(is_lost) {
                return Err(conflict(&key, &format!("the table has no column `{name}` any more"), Vec::new()));
            }
            table.insert(&written_columns, &old_json)?;
            checked(table, &before, &key, earlier.as_deref())
        }
        (old, Value::Object(new)) => {
            let Some(current) = current else { return Err(conflict(&key, "the flag is gone", Vec::new())) };
            let differs = |(name, value): &&(std::borrow::Cow<'_, str>, Row)| {
                is_told(name) && !is_same(value, current.get(name).unwrap_or(&Value::Null))
            };
            let mut conflicts: Vec<String> =
                new.iter().filter(differs).map(|(name, _)| name.clone().into_owned()).collect();
            let Value::Object(old) = old else {
                // It came: what it holds beyond that has come since.
                let Value::Object(held) = current else { return Err(Problem::no_flag(&key)) };
                let later = held.iter().filter(|(name, value)| {
                    is_told(name) && !value.is_null() && new.iter().all(|(known, _)| known != name)
                });
                conflicts.extend(later.map(|(name, _)| name.clone().into_owned()));
                if !conflicts.is_empty() {
                    return Err(conflict(&key, "has changed since then", conflicts));
                }
                let after: Vec<Row> =
                    before.iter().filter(|row| esclusa::row::key(row) != Some(&key)).cloned().collect();
                crate::checked::check(&before, &after, &key)?;
                table.delete(&key)?;
                return written(table, &key, earlier.as_deref());
            };
            if !conflicts.is_empty() {
                return Err(conflict(&key, "has changed since then", conflicts));
            }
            // A trip is not undone: a person begins a new run.
            let names: Vec<&str> = old.iter().map(|(name, _)| name.as_ref()).filter(|name| is_told(name)).collect();
            if names.is_empty() {
                return Err(conflict(&key, "the line says nothing that could be put back", Vec::new()));
            }
            if let Some(name) = names.iter().find(|name| columns.iter().all(|column| column != *name)) {
                return Err(conflict(&key, &format!("the table has no column `{name}` any more"), Vec::new()));
            }
            table.update(&key, &names, &old_json)?;
            checked(table, &before, &key, earlier.as_deref())
        }
        _ => Err(conflict(&key, "the line says nothing that could be put back", Vec::new())),
    }
}

fn conflict(key: &str, problem: &str, fields: Vec<String>) -> Problem {
    let named = if fields.is_empty() { String::new() } else { format!("{} ", fields.join(", ")) };
    let detail = format!("`{key}`: {named}{problem}, nothing is changed");
    let fields = Value::List(fields.into_iter().map(Value::from).collect());
    Problem::new(StatusCode::CONFLICT, detail).with("conflicts", fields)
}
