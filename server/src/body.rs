//! What a request says of the caller: JSON, whatever its content type is.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use esclusa::Value;
use tokio::time::timeout;

/// How long a body may be: a thousand times what a context is.
pub(crate) const MAX_BODY_BYTES: usize = 1 << 20;

/// How long a body may take: a client that sends nothing must not hold a connection.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// Why a body cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    TooLarge,
    /// It is no JSON object, and why.
    Unreadable(String),
    /// Its context is no object.
    Context(&'static str),
}

impl Unusable {
    pub(crate) fn detail(&self) -> String {
        match self {
            Unusable::TooLarge => format!("the body is too large, expected at most {MAX_BODY_BYTES} bytes"),
            Unusable::Unreadable(problem) => format!("the body cannot be read: {problem}"),
            Unusable::Context(problem) => format!("`context` is {problem}, expected an object"),
        }
    }
}

/// Reads no more than a body may have, and waits no longer than it may take.
pub(crate) async fn read(body: Body) -> Result<Bytes, Unusable> {
    let unreadable = |problem: &str| Unusable::Unreadable(problem.to_owned());
    let read = timeout(BODY_WITHIN, to_bytes(body, MAX_BODY_BYTES)).await;
    read.map_err(|_| unreadable("it did not come in time"))?.map_err(|error| {
        let cause = std::error::Error::source(&error);
        if cause.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>) {
            Unusable::TooLarge
        } else {
            unreadable("it broke off")
        }
    })
}

/// A body that was read.
#[derive(Debug)]
pub(crate) struct Asked<'b> {
    /// An object.
    pub(crate) context: Value<'b>,
    /// The keys of the flags that are wanted; without any all are.
    pub(crate) flags: Option<Vec<String>>,
}

impl<'b> Asked<'b> {
    /// `{"context": {…}, "flags": ["key", …]}`, of which each may be missing.
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<Self, Unusable> {
        let body = Value::from_json(bytes).map_err(|error| Unusable::Unreadable(error.to_string()))?;
        let Value::Object(fields) = body else {
            return Err(Unusable::Unreadable("it is not an object, expected {\"context\": {…}}".to_owned()));
        };
        let (mut context, mut flags) = (Value::Null, None);
        for (name, value) in fields {
            match name.as_ref() {
                "context" => context = value,
                "flags" => flags = keys(&value)?,
                _ => {}
            }
        }
        match context {
            Value::Null => Ok(Asked { context: Value::Object(Vec::new()), flags }),
            context @ Value::Object(_) => Ok(Asked { context, flags }),
            Value::List(_) => Err(Unusable::Context("a list")),
            Value::Text(_) => Err(Unusable::Context("a string")),
            Value::Bool(_) => Err(Unusable::Context("a boolean")),
            _ => Err(Unusable::Context("a number")),
        }
    }
}

fn keys(value: &Value<'_>) -> Result<Option<Vec<String>>, Unusable> {
    if value.is_null() {
        return Ok(None);
    }
    let keys = value.as_list().and_then(|keys| keys.iter().map(|key| key.as_str().map(str::to_owned)).collect());
    let problem = || Unusable::Unreadable("`flags` is not a list of keys, expected [\"key\", …]".to_owned());
    keys.map(Some).ok_or_else(problem)
}
