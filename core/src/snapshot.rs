//! Snapshots as they come: bytes become values, and the two accepted shapes become one (section 2.1 of SEMANTICS.md).
//!
//! It knows where the flags stand, not what is in them.

use crate::context::{Context, ContextError};
use crate::error::{SnapshotError, Violation, found, no_time};
use crate::json;
use crate::limit::{MAX_FLAGS, MAX_SNAPSHOT_BYTES};
use crate::time::Time;
use crate::value::{Fields, Value};

/// The version of the document that this engine reads.
pub(crate) const VERSION: i64 = 1;
/// What `layer` says of a document that only switches flags of the layers below it (13.5).
pub(crate) const SWITCHES: &str = "switches";

/// A snapshot whose flags and segments nobody has looked at yet.
#[derive(Debug, Default)]
pub(crate) struct Snapshot<'a> {
    pub(crate) revision: Option<u64>,
    pub(crate) generated_at: Option<Time>,
    pub(crate) segments: Vec<Value<'a>>,
    pub(crate) flags: Vec<Value<'a>>,
    /// Whether the flags are bare rows: their places are then `/0`, not `/flags/0`.
    pub(crate) bare: bool,
    /// Whether it only switches flags, as a layer over others; by itself it is a snapshot like any other.
    pub(crate) switches: bool,
}

impl<'a> Snapshot<'a> {
    /// # Errors
    /// When the bytes are refused whole (2.1.7).
    pub(crate) fn from_json(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        if bytes.len() > MAX_SNAPSHOT_BYTES {
            return Err(SnapshotError::TooLarge { bytes: bytes.len() });
        }
        match parse(bytes)? {
            Value::List(flags) => {
                at_most(flags.len(), "flags", "")?;
                Ok(Snapshot { flags, bare: true, ..Snapshot::default() })
            }
            Value::Object(fields) => Self::from_document(fields),
            other => {
                Err(wrong("", format!("{} is no snapshot, expected an object or an array of flags", found(&other))))
            }
        }
    }

    fn from_document(fields: Fields<'a>) -> Result<Self, SnapshotError> {
        let [mut version, mut flags, mut revision, mut generated_at, mut segments] = [const { None }; 5];
        let mut switches = false;
        for (name, value) in fields {
            let field = match name.as_ref() {
                "esclusa" => &mut version,
                "flags" => &mut flags,
                "revision" => &mut revision,
                "generated_at" => &mut generated_at,
                "segments" => &mut segments,
                "layer" => {
                    switches = value.as_str() == Some(SWITCHES);
                    continue;
                }
                _ => continue,
            };
            if field.replace(value).is_some() {
                return Err(wrong(&format!("/{name}"), "stands more than once, expected once"));
            }
        }
        match version {
            Some(Value::Integer(VERSION)) => {}
            Some(other) => {
                return Err(wrong(
                    "/esclusa",
                    format!("{} is not a version that this engine reads, expected {VERSION}", found(&other)),
                ));
            }
            None => {
                return Err(wrong(
                    "/esclusa",
                    format!("is missing, expected \"esclusa\": {VERSION}, or an array of flags as the whole snapshot"),
                ));
            }
        }
        let revision = match revision.unwrap_or_default() {
            Value::Null => None,
            Value::Integer(number) if number >= 0 => Some(number.unsigned_abs()),
            other => {
                return Err(wrong(
                    "/revision",
                    format!("{} is no revision, expected a whole number from 0 to 9007199254740991", found(&other)),
                ));
            }
        };
        let generated_at = match generated_at.unwrap_or_default() {
            Value::Null => None,
            other => match other.as_str().and_then(Time::parse) {
                Some(time) => Some(time),
                None => return Err(wrong("/generated_at", no_time(&other))),
            },
        };
        let segments = match segments.unwrap_or_default() {
            Value::Null => Vec::new(),
            Value::List(segments) => segments,
            other => {
                return Err(wrong("/segments", format!("{} is no list of segments, expected an array", found(&other))));
            }
        };
        let flags = match flags {
            Some(Value::List(flags)) => flags,
            Some(other) => {
                return Err(wrong("/flags", format!("{} is no list of flags, expected an array", found(&other))));
            }
            None => return Err(wrong("/flags", "is missing, expected an array of flags")),
        };
        at_most(flags.len(), "flags", "/flags")?;
        at_most(segments.len(), "segments", "/segments")?;
        Ok(Snapshot { revision, generated_at, segments, flags, bare: false, switches })
    }
}

fn at_most(count: usize, what: &str, place: &str) -> Result<(), SnapshotError> {
    if count > MAX_FLAGS {
        return Err(wrong(place, format!("{count} {what} are too many, expected at most {MAX_FLAGS}")));
    }
    Ok(())
}

fn wrong(place: &str, problem: impl Into<String>) -> SnapshotError {
    SnapshotError::Document(Violation { place: place.to_owned(), problem: problem.into() })
}

/// Any JSON, within the limit of nesting; a byte order mark may stand before it (2.1.1).
fn parse(bytes: &[u8]) -> Result<Value<'_>, SnapshotError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    json::parse(bytes).map_err(|fault| SnapshotError::Json(fault.message(bytes)))
}

impl<'a> Value<'a> {
    /// Reads any JSON that is nested at most 100 deep.
    ///
    /// # Errors
    /// When the bytes are not JSON; the message says at which line and column.
    pub fn from_json(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        parse(bytes)
    }
}

impl<'a> Context<'a> {
    /// Reads a context from JSON (section 3 of SEMANTICS.md).
    ///
    /// # Errors
    /// When the bytes are not JSON, or not an object.
    pub fn from_json(bytes: &'a [u8]) -> Result<Self, ContextError> {
        let value = parse(bytes).map_err(|error| ContextError { problem: error.to_string() })?;
        Context::from_value(value)
    }
}
