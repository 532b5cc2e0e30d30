//! `/api/v1/…`: flags are changed here, by who has an admin token or a session; the gate has looked at who asks. A flag is its row, by the names of its columns.

pub(crate) mod accounts;
pub(crate) mod explain;
pub(crate) mod figures;
pub(crate) mod flags;
pub(crate) mod history;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod preview;
pub(crate) mod sessions;
pub(crate) mod tokens;
pub(crate) mod trips;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderValue, Response, StatusCode, Uri};
use esclusa::{Json, Time, Value, row};

use crate::body::read;
use crate::problem::Problem;
use crate::role::Caller;
use crate::shared::Shared;
use crate::store::{Row, Signature, Store};
use crate::version::Version;

/// The longest reason: a sentence or a link, not a document.
const MAX_REASON_CHARS: usize = 1_000;

/// A key, as the path has it.
pub(crate) type Key = Result<Path<String>, PathRejection>;

/// Who asks, where flags are written, and what the body says.
pub(crate) struct Asked {
    pub(crate) caller: Arc<Caller>,
    pub(crate) store: Store,
    pub(crate) fields: Fields,
}

/// The fields of a body; none without a body.
pub(crate) struct Fields(pub(crate) Vec<(String, Value<'static>)>);

impl Fields {
    /// Those of a body that has no others than these, and none twice.
    pub(crate) fn parse(bytes: &[u8], expected: &[&str]) -> Result<Self, Problem> {
        let fields = if bytes.is_empty() { Vec::new() } else { object(bytes)? };
        for (at, (name, _)) in fields.iter().enumerate() {
            if !expected.contains(&name.as_str()) {
                let expected: Vec<String> = expected.iter().map(|name| format!("`{name}`")).collect();
                let detail = format!("`{name}` is no field of this request, expected {}", expected.join(", "));
                return Err(bad(detail));
            }
            if fields.iter().take(at).any(|(earlier, _)| earlier == name) {
                return Err(bad(format!("`{name}` is there twice")));
            }
        }
        Ok(Fields(fields))
    }

    /// Whether it is there, be it null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| field == name)
    }

    /// One that is not null.
    pub(crate) fn field(&self, name: &str) -> Option<&Value<'static>> {
        self.0.iter().find(|(field, value)| field == name && !value.is_null()).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        let Some(value) = self.field(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| bad(format!("`{name}` is no text, expected one")))?;
        // No store keeps such a text.
        if text.contains('\0') { Err(bad(format!("`{name}` has a zero byte in it"))) } else { Ok(Some(text)) }
    }
}

impl Asked {
    /// With a body that has no other fields than these.
    pub(crate) async fn read(
        shared: &Shared,
        caller: Arc<Caller>,
        body: Body,
        expected: &[&str],
    ) -> Result<Self, Problem> {
        let store = store(shared)?;
        let bytes = read(body).await?;
        Ok(Asked { caller, store, fields: Fields::parse(&bytes, expected)? })
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Value<'static>> {
        self.fields.field(name)
    }

    /// A text of the body.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        self.fields.text(name)
    }

    /// The flag that the body has.
    pub(crate) fn flag(&self) -> Result<Vec<(String, Value<'static>)>, Problem> {
        let expected = || bad("`flag` is missing or no object, expected {\"flag\": {…}, \"reason\": \"…\"}".to_owned());
        let Some(Value::Object(fields)) = self.field("flag") else { return Err(expected()) };
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.clone().into_owned(), value.clone())).collect();
        let twice = fields
            .iter()
            .enumerate()
            .find(|(at, (name, _))| fields.iter().take(*at).any(|(earlier, _)| earlier == name));
        match twice {
            Some((_, (name, _))) => Err(bad(format!("`flag`: `{name}` is there twice"))),
            None => Ok(fields),
        }
    }

    /// Who changes something, and why.
    pub(crate) fn signature(&self, shared: &Shared, otherwise: Option<&str>) -> Result<Signature, Problem> {
        let reason = self.text("reason")?.map(str::trim).filter(|reason| !reason.is_empty()).or(otherwise);
        if reason.is_none() && shared.needs_reason {
            return Err(bad("`reason` is missing, expected why this is changed".to_owned()));
        }
        let reason = reason.unwrap_or_default();
        if reason.chars().count() > MAX_REASON_CHARS || reason.contains('\0') {
            return Err(bad(format!("`reason` is too long, expected at most {MAX_REASON_CHARS} characters")));
        }
        Ok(Signature { by: self.caller.name.clone(), reason: reason.to_owned() })
    }
}

/// Where flags are written.
pub(crate) fn store(shared: &Shared) -> Result<Store, Problem> {
    let missing = || {
        let detail =
            "this server reads from a store that it does not write to, expected Postgres with the migration, or SQLite";
        Problem::new(StatusCode::CONFLICT, detail)
    };
    shared.store.clone().ok_or_else(missing)
}

/// A text of a path, as a store takes it.
pub(crate) fn plain(name: &str, text: &str) -> Result<String, Problem> {
    if text.contains('\0') { Err(bad(format!("`{name}` has a zero byte in it"))) } else { Ok(text.to_owned()) }
}

/// The key in a path.
pub(crate) fn key(key: Key) -> Result<String, Problem> {
    key.map(|Path(key)| key).map_err(|_| bad("the key of the flag is not UTF-8".to_owned()))
}

pub(crate) fn bad(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

/// The moment in the field `at`.
pub(crate) fn time(asked: &Asked, now: Time) -> Result<Time, Problem> {
    let Some(at) = asked.text("at")? else { return Ok(now) };
    Time::parse(at).ok_or_else(|| bad(format!("`at` is `{at}`, expected a time such as 2026-02-01T00:00:00Z")))
}

/// A number of the address's query.
pub(crate) fn number(uri: &Uri, name: &str, default: u32, most: u32) -> Result<u32, Problem> {
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let Some((_, text)) = pairs.into_iter().find(|(given, _)| given == name) else { return Ok(default) };
    let number = text.parse().ok().filter(|number| *number <= most);
    number.ok_or_else(|| bad(format!("`{name}` is `{text}`, expected a number up to {most}")))
}

fn object(bytes: &[u8]) -> Result<Vec<(String, Value<'static>)>, Problem> {
    let body = Value::from_json(bytes).map_err(|error| bad(format!("the body cannot be read: {error}")))?;
    match body.into_owned() {
        Value::Object(fields) => Ok(fields.into_iter().map(|(name, value)| (name.into_owned(), value)).collect()),
        _ => Err(bad("the body is not an object, expected one in JSON".to_owned())),
    }
}

/// The row of a flag.
pub(crate) fn row_of<'r>(rows: &'r [Row], key: &str) -> Result<Option<&'r Row>, Problem> {
    let mut own = rows.iter().filter(|row| row::key(row) == Some(key));
    let first = own.next();
    match own.count() {
        0 => Ok(first),
        others => {
            let detail = format!("there are {} rows of `{key}`, expected one; nothing is changed", others + 1);
            Err(Problem::new(StatusCode::CONFLICT, detail))
        }
    }
}

pub(crate) fn answer(status: StatusCode, json: String) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A flag with its tag, and what was recorded of the change, if it was one.
pub(crate) fn flag(status: StatusCode, row: Option<&Row>, history: Option<&str>) -> Response<Body> {
    let mut json = Json::default();
    json.object(|json| {
        json.name("flag").maybe(row, Json::value);
        if let Some(history) = history {
            json.name("history").text(history);
        }
    });
    let mut response = answer(status, json.into_text());
    if let Some(tag) = row.and_then(|row| HeaderValue::try_from(format!("\"{}\"", Version::of(row).tag())).ok()) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
