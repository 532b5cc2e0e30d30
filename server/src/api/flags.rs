//! `/api/v1/flags`: flags are read, made, changed and taken away, each by a transaction that holds the table.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{HeaderMap, IF_NONE_MATCH, LOCATION};
use axum::http::{HeaderValue, Response, StatusCode};
use esclusa::{Json, Value, row};

use super::{Asked, Key, answer, flag, key, row_of, store};
use crate::caller::By;
use crate::checked::check;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::store::{Purpose, Row, Signature, Store, Table};
use crate::version::{Seen, Version, is_same, is_told};

/// The fields of a body that changes a flag.
const BODY: [&str; 2] = ["flag", "reason"];
/// The longest key: the column of most tables.
const MAX_KEY_CHARS: usize = 255;

/// A field, and what it is to hold.
type Field = (String, Value<'static>);

/// A flag after its change, and the id of the line in the history.
pub(crate) struct Changed {
    pub(crate) row: Option<Row>,
    pub(crate) history: Option<String>,
}

/// `GET /api/v1/flags`.
pub(crate) async fn list(State(shared): State<Arc<Shared>>, _: By) -> Result<Response<Body>, Problem> {
    let rows = store(&shared)?.run(Purpose::Reading, |table| table.rows()).await?;
    let mut json = Json::default();
    json.object(|json| {
        json.name("flags").list(rows.iter().filter_map(|row| Some((row::key(row)?, row))), |json, (key, row)| {
            json.object(|json| {
                json.name("key").text(key);
                json.name("etag").text(&format!("\"{}\"", Version::of(row).tag()));
                json.name("flag").value(row);
            });
        });
    });
    Ok(answer(StatusCode::OK, json.into_text()))
}

/// `GET /api/v1/flags/{key}`.
pub(crate) async fn one(State(shared): State<Arc<Shared>>, of: Key, _: By) -> Result<Response<Body>, Problem> {
    let key = key(of)?;
    let rows = store(&shared)?.run(Purpose::Reading, |table| table.rows()).await?;
    let row = row_of(&rows, &key)?.ok_or_else(|| Problem::no_flag(&key))?;
    Ok(flag(StatusCode::OK, Some(row), None))
}

/// `POST /api/v1/flags`: makes one.
pub(crate) async fn create(
    State(shared): State<Arc<Shared>>,
    By(caller): By,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let asked = Asked::read(&shared, caller, body, &BODY).await?;
    let (fields, signature) = (asked.flag()?, asked.signature(&shared, None)?);
    let purpose = Purpose::Writing(signature);
    let changed = asked.store.run(purpose, move |table| insert(table, fields, None)).await?;
    made(&shared, &changed).await
}

/// `PUT /api/v1/flags/{key}`: a flag as a whole. With `If-None-Match: *` it makes one.
pub(crate) async fn put(
    State(shared): State<Arc<Shared>>,
    of: Key,
    By(caller): By,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let asked = Asked::read(&shared, caller, body, &BODY).await?;
    let (key, fields, signature) = (key(of)?, asked.flag()?, asked.signature(&shared, None)?);
    let purpose = Purpose::Writing(signature);
    if headers.get(IF_NONE_MATCH).is_some_and(|tag| tag == "*") {
        let changed = asked.store.run(purpose, move |table| insert(table, fields, Some(&key))).await?;
        return made(&shared, &changed).await;
    }
    let seen = seen(&headers)?;
    let change = Change { key, fields, seen, is_whole: true };
    changed(&shared, &asked.store.run(purpose, move |table| change.write(table)).await?).await
}

/// `PATCH /api/v1/flags/{key}`: the fields that the body names.
pub(crate) async fn patch(
    State(shared): State<Arc<Shared>>,
    of: Key,
    By(caller): By,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let asked = Asked::read(&shared, caller, body, &BODY).await?;
    let (key, fields, signature) = (key(of)?, asked.flag()?, asked.signature(&shared, None)?);
    let change = Change { key, fields, seen: seen(&headers)?, is_whole: false };
    let done = asked.store.run(Purpose::Writing(signature), move |table| change.write(table)).await?;
    changed(&shared, &done).await
}

/// `DELETE /api/v1/flags/{key}`.
pub(crate) async fn delete(
    State(shared): State<Arc<Shared>>,
    of: Key,
    By(caller): By,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let asked = Asked::read(&shared, caller, body, &["reason"]).await?;
    let (key, seen, signature) = (key(of)?, seen(&headers)?, asked.signature(&shared, None)?);
    let done = asked.store.run(Purpose::Writing(signature), move |table| remove(table, &key, &seen)).await?;
    changed(&shared, &done).await
}

/// `POST /api/v1/flags/{key}/rollback`: off for everybody, whatever has changed meanwhile.
pub(crate) async fn roll_back(
    State(shared): State<Arc<Shared>>,
    of: Key,
    By(caller): By,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let asked = Asked::read(&shared, caller, body, &["reason"]).await?;
    // In an emergency nobody has to find a reason first.
    let (key, signature) = (key(of)?, asked.signature(&shared, Some("emergency rollback"))?);
    changed(&shared, &stop(&asked.store, &key, signature).await?).await
}

/// Switches a flag off, and reads what has become of it. That it cannot be read is no reason to leave the flag on.
pub(crate) async fn stop(store: &Store, key: &str, signature: Signature) -> Result<Changed, Problem> {
    let of = key.to_owned();
    store.run(Purpose::Stopping(signature), move |table| table.switch_off(&of)).await?;
    let of = key.to_owned();
    let read = move |table: &mut dyn Table| {
        let (rows, history) = (table.rows()?, table.last_record(&of)?);
        Ok(Changed { row: row_of(&rows, &of)?.cloned(), history })
    };
    let read = store.run(Purpose::Reading, read).await;
    Ok(read.unwrap_or(Changed { row: None, history: None }))
}

/// What the client has seen.
fn seen(headers: &HeaderMap) -> Result<Seen, Problem> {
    let missing = || {
        let detail = "`If-Match` is missing, expected the entity tag of the flag as you have seen it, or `*`";
        Problem::new(StatusCode::PRECONDITION_REQUIRED, detail)
    };
    Seen::of(headers).ok_or_else(missing)
}

async fn made(shared: &Shared, changed: &Changed) -> Result<Response<Body>, Problem> {
    shared.changed().await;
    let mut response = flag(StatusCode::CREATED, changed.row.as_ref(), changed.history.as_deref());
    let key = changed.row.as_ref().and_then(row::key).unwrap_or_default();
    let segment: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    let path = format!("{}/api/v1/flags/{}", shared.prefix, segment.replace('+', "%20"));
    if let Ok(path) = HeaderValue::try_from(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    Ok(response)
}

pub(crate) async fn changed(shared: &Shared, changed: &Changed) -> Result<Response<Body>, Problem> {
    shared.changed().await;
    Ok(flag(StatusCode::OK, changed.row.as_ref(), changed.history.as_deref()))
}

/// The columns that fields name, by their own names or by what they mean.
pub(crate) fn in_columns(table: &mut dyn Table, fields: Vec<Field>) -> Result<Vec<Field>, Problem> {
    let (columns, keys) = (table.columns()?, table.keys());
    let meaning = |name: &str| row::field(name).unwrap_or(name).to_owned();
    let column = |field: &str| {
        let own = columns.iter().find(|column| *column == field);
        let same = || columns.iter().find(|column| meaning(column) == meaning(field));
        // What names a flag may be `key` in one table and `name` in another.
        let named = || keys.first().filter(|_| ["key", "name"].contains(&field));
        own.or_else(same).or_else(named).cloned()
    };
    let mut found: Vec<Field> = Vec::new();
    for (field, value) in fields {
        let Some(column) = column(&field) else {
            let detail = format!("`{field}` is no column of the table, expected one of {}", columns.join(", "));
            return Err(
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail).with("place", format!("/{field}").into())
            );
        };
        if found.iter().any(|(known, _)| *known == column) {
            return Err(super::bad(format!("`flag`: `{column}` is there twice")));
        }
        found.push((column, value));
    }
    Ok(found)
}

/// A row of these fields.
fn object(fields: &[Field]) -> Row {
    Value::Object(fields.iter().map(|(name, value)| (name.clone().into(), value.clone())).collect())
}

fn insert(table: &mut dyn Table, fields: Vec<Field>, of: Option<&str>) -> Result<Changed, Problem> {
    let mut fields = in_columns(table, fields)?;
    let keys = table.keys();
    if let (Some(key), Some(column)) = (of, keys.first())
        && fields.iter().all(|(name, _)| !keys.contains(name))
    {
        fields.push((column.clone(), key.to_owned().into()));
    }
    let row = object(&fields);
    let key = row::key(&row).filter(|key| !key.trim().is_empty() && key.chars().count() <= MAX_KEY_CHARS);
    let Some(key) = key.map(str::to_owned).filter(|key| of.is_none_or(|of| of == key)) else {
        let named = keys.first().map_or("name", String::as_str);
        let detail = match of {
            Some(of) => format!("`{named}` is another key than that of the address, expected `{of}`"),
            None => {
                format!("`{named}` is missing, expected the key of the flag, of at most {MAX_KEY_CHARS} characters")
            }
        };
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    };
    let before = table.rows()?;
    if let Some(row) = row_of(&before, &key)? {
        let status = if of.is_some() { StatusCode::PRECONDITION_FAILED } else { StatusCode::CONFLICT };
        return Err(Problem::new(status, format!("there is a flag `{key}` already")).tag(Version::of(row).tag()));
    }
    let mut after = before.clone();
    after.push(row.clone());
    check(&before, &after, &key)?;
    let columns: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let earlier = table.last_record(&key)?;
    table.insert(&columns, &row.to_json())?;
    checked(table, &before, &key, earlier.as_deref())
}

fn remove(table: &mut dyn Table, key: &str, seen: &Seen) -> Result<Changed, Problem> {
    let before = table.rows()?;
    let row = row_of(&before, key)?.ok_or_else(|| Problem::no_flag(key))?;
    let is_other = match seen {
        Seen::Anything => false,
        Seen::Version(version) => *version != Version::of(row),
        Seen::Unknown => true,
    };
    if is_other {
        let detail = format!("`{key}` has changed since you have seen it, nothing is changed");
        return Err(stale(row, &detail, Vec::new()));
    }
    let after: Vec<Row> = before.iter().filter(|row| row::key(row) != Some(key)).cloned().collect();
    check(&before, &after, key)?;
    let earlier = table.last_record(key)?;
    table.delete(key)?;
    written(table, key, earlier.as_deref())
}

/// A change of a flag that is there.
pub(crate) struct Change {
    pub(crate) key: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) seen: Seen,
    /// Whether columns that the body does not name lose what they hold.
    pub(crate) is_whole: bool,
}

impl Change {
    fn write(self, table: &mut dyn Table) -> Result<Changed, Problem> {
        let before = table.rows()?;
        let current = row_of(&before, &self.key)?.ok_or_else(|| Problem::no_flag(&self.key))?.clone();
        let fields = self.fields(table, &current)?;
        if fields.is_empty() {
            return Ok(Changed { row: Some(current), history: None });
        }
        let after = replaced(&before, &self.key, &fields);
        check(&before, &after, &self.key)?;
        let columns: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let earlier = table.last_record(&self.key)?;
        table.update(&self.key, &columns, &object(&fields).to_json())?;
        checked(table, &before, &self.key, earlier.as_deref())
    }

    /// What is to be written: where the client wants something else than is there.
    ///
    /// # Errors
    /// When one of these fields holds something else than the client has seen.
    pub(crate) fn fields(&self, table: &mut dyn Table, current: &Row) -> Result<Vec<Field>, Problem> {
        let mut wanted = in_columns(table, self.fields.clone())?;
        if self.is_whole {
            for column in table.columns()? {
                if is_told(&column) && wanted.iter().all(|(name, _)| *name != column) && !table.keys().contains(&column)
                {
                    wanted.push((column, Value::Null));
                }
            }
        }
        let (mut fields, mut conflicts) = (Vec::new(), Vec::new());
        for (name, value) in wanted {
            let held = current.get(&name).unwrap_or(&Value::Null);
            let is_as_seen = self.is_whole && self.seen != Seen::Anything && self.seen.has(&name, &value);
            if is_same(&value, held) || is_as_seen {
                continue;
            }
            if !is_told(&name) {
                // A whole row has them as they were read.
                if self.is_whole {
                    continue;
                }
                let detail = format!("`{name}` is written by the table alone, expected another field");
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
            }
            if self.seen.has(&name, held) {
                fields.push((name, value));
            } else {
                conflicts.push(Value::Object(vec![
                    ("field".into(), name.clone().into()),
                    ("current".into(), held.clone()),
                    ("yours".into(), value),
                ]));
            }
        }
        if !conflicts.is_empty() {
            let names: Vec<String> =
                conflicts.iter().filter_map(|one| one.get("field")?.as_str().map(|name| format!("`{name}`"))).collect();
            let detail = format!("{} has changed since you have seen it, nothing is changed", names.join(", "));
            return Err(stale(current, &detail, conflicts));
        }
        let after = replaced(std::slice::from_ref(current), &self.key, &fields);
        if after.iter().any(|row| row::key(row) != Some(&self.key)) {
            let detail = format!("a flag keeps its key, expected `{}`", self.key);
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
        Ok(fields)
    }
}

/// Rows with other fields in one of them.
pub(crate) fn replaced(rows: &[Row], key: &str, fields: &[Field]) -> Vec<Row> {
    let changed = |row: &Row| match row {
        Value::Object(held) if row::key(row) == Some(key) => {
            let mut held = held.clone();
            for (name, value) in fields {
                match held.iter_mut().find(|(known, _)| *known == name.as_str()) {
                    Some((_, place)) => *place = value.clone(),
                    None => held.push((name.clone().into(), value.clone())),
                }
            }
            Value::Object(held)
        }
        other => other.clone(),
    };
    rows.iter().map(changed).collect()
}

fn stale(current: &Row, detail: &str, conflicts: Vec<Value<'static>>) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, detail)
        .with("conflicts", Value::List(conflicts))
        .with("current", current.clone())
        .tag(Version::of(current).tag())
}

/// What the table has made of a change: defaults and triggers may have written something else.
pub(crate) fn checked(
    table: &mut dyn Table,
    before: &[Row],
    key: &str,
    earlier: Option<&str>,
) -> Result<Changed, Problem> {
    let after = table.rows()?;
    check(before, &after, key)?;
    changed_row(table, &after, key, earlier)
}

/// The same without the check.
pub(crate) fn written(table: &mut dyn Table, key: &str, earlier: Option<&str>) -> Result<Changed, Problem> {
    let after = table.rows()?;
    changed_row(table, &after, key, earlier)
}

fn changed_row(table: &mut dyn Table, after: &[Row], key: &str, earlier: Option<&str>) -> Result<Changed, Problem> {
    let history = table.last_record(key)?.filter(|id| Some(id.as_str()) != earlier);
    Ok(Changed { row: row_of(after, key)?.cloned(), history })
}
