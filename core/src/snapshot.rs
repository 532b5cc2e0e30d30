//! Snapshots as they come: bytes become values, and the two accepted shapes become one (section 2.1 of SEMANTICS.md).
//!
//! It knows where the flags stand, not what is in them.

use std::borrow::Cow;
use std::fmt;

use crate::RULES;
use crate::context::{Context, ContextError};
use crate::error::{SnapshotError, Violation, found, no_time, problem};
use crate::json::{self, Outline, Raw, Read};
use crate::limit::{MAX_FLAGS, MAX_SNAPSHOT_BYTES};
use crate::time::Time;
use crate::value::Value;

/// The version of the document that this engine reads.
pub(crate) const VERSION: i64 = 1;
/// What `layer` says of a document that only switches flags of the layers below it (13.5).
pub(crate) const SWITCHES: &str = "switches";

/// A snapshot whose flags and segments nobody has looked at yet.
#[derive(Debug, Default)]
pub(crate) struct Snapshot<'a> {
    pub(crate) revision: Option<u64>,
    pub(crate) generated_at: Option<Time>,
    pub(crate) segments: Vec<Raw<'a>>,
    pub(crate) flags: Vec<Raw<'a>>,
    /// Whether the flags are bare rows: their places are then `/0`, not `/flags/0`.
    pub(crate) bare: bool,
    /// Whether it only switches flags, as a layer over others; by itself it is a snapshot like any other.
    pub(crate) switches: bool,
}

/// The fields of a document.
type Fields<'a> = Vec<(Cow<'a, str>, Outline<'a>)>;

impl<'a> Snapshot<'a> {
    /// # Errors
    /// When the bytes are refused whole (2.1.7).
    pub(crate) fn from_json(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        if bytes.len() > MAX_SNAPSHOT_BYTES {
            return Err(SnapshotError::TooLarge { bytes: bytes.len() });
        }
        match parse(bytes)? {
            Outline::List(flags) => {
                at_most(flags.len(), "flags", "")?;
                Ok(Snapshot { flags, bare: true, ..Snapshot::default() })
            }
            Outline::Object(fields) => Self::from_document(fields),
            Outline::Other(other) => Err(wrong(
                "",
                format_args!("{} is no snapshot, expected an object or an array of flags", found(&other)),
            )),
        }
    }

    fn from_document(fields: Fields<'a>) -> Result<Self, SnapshotError> {
        let mut snapshot = head(&fields)?;
        for (name, value) in fields {
            match (name.as_ref(), value) {
                ("flags", Outline::List(flags)) => snapshot.flags = flags,
                ("segments", Outline::List(segments)) if RULES => snapshot.segments = segments,
                _ => {}
            }
        }
        Ok(snapshot)
    }
}

/// Everything but the flags and segments, which are arrays of at most as many as there may be.
fn head<'a>(fields: &Fields<'_>) -> Result<Snapshot<'a>, SnapshotError> {
    const NAMES: [&str; 5] = ["esclusa", "flags", "revision", "generated_at", "segments"];
    let mut places: [Option<&Outline<'_>>; 5] = [None; 5];
    for (name, value) in fields {
        let named = NAMES.iter().zip(&mut places).find(|(known, _)| *known == name);
        if let Some((name, place)) = named
            && place.replace(value).is_some()
        {
            return Err(wrong(&["/", name].concat(), "stands more than once, expected once"));
        }
    }
    let [version, flags, revision, generated_at, segments] = places;
    match version.map(Outline::hollow) {
        Some(Value::Integer(VERSION)) => {}
        Some(other) => {
            return Err(wrong(
                "/esclusa",
                format_args!("{} is not a version that this engine reads, expected {VERSION}", found(&other)),
            ));
        }
        None => {
            return Err(wrong(
                "/esclusa",
                format_args!("is missing, expected \"esclusa\": {VERSION}, or an array of flags as the whole snapshot"),
            ));
        }
    }
    let revision = match revision.map(Outline::hollow).unwrap_or_default() {
        Value::Null => None,
        Value::Integer(number) if number >= 0 => Some(number.unsigned_abs()),
        other => {
            return Err(wrong(
                "/revision",
                format_args!("{} is no revision, expected a whole number from 0 to 9007199254740991", found(&other)),
            ));
        }
    };
    let generated_at = match generated_at.map(Outline::hollow).unwrap_or_default() {
        Value::Null => None,
        other => match other.as_str().and_then(Time::parse) {
            Some(time) => Some(time),
            None => return Err(wrong("/generated_at", no_time(&other))),
        },
    };
    match segments {
        None | Some(Outline::Other(Value::Null)) => {}
        Some(Outline::List(segments)) => at_most(segments.len(), "segments", "/segments")?,
        Some(other) => {
            let other = other.hollow();
            return Err(wrong(
                "/segments",
                format_args!("{} is no list of segments, expected an array", found(&other)),
            ));
        }
    }
    match flags {
        Some(Outline::List(flags)) => at_most(flags.len(), "flags", "/flags")?,
        Some(other) => {
            return Err(wrong(
                "/flags",
                format_args!("{} is no list of flags, expected an array", found(&other.hollow())),
            ));
        }
        None => return Err(wrong("/flags", "is missing, expected an array of flags")),
    }
    let layer = fields.iter().rev().find(|(name, _)| name == "layer");
    let switches = matches!(layer, Some((_, Outline::Other(Value::Text(text)))) if text == SWITCHES);
    Ok(Snapshot { revision, generated_at, switches, ..Snapshot::default() })
}

fn at_most(count: usize, what: &str, place: &str) -> Result<(), SnapshotError> {
    if count > MAX_FLAGS {
        return Err(wrong(place, format_args!("{count} {what} are too many, expected at most {MAX_FLAGS}")));
    }
    Ok(())
}

#[inline(always)]
fn wrong(place: &str, words: impl fmt::Display) -> SnapshotError {
    refused(place, problem(words))
}

#[cold]
#[inline(never)]
fn refused(place: &str, problem: Cow<'static, str>) -> SnapshotError {
    SnapshotError::Document(Violation { place: place.to_owned(), problem })
}

/// Any JSON, within the limit of nesting; a byte order mark may stand before it (2.1.1).
fn parse<'a, T: Read<'a>>(bytes: &'a [u8]) -> Result<T, SnapshotError> {
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
        let value = parse(bytes).map_err(|error| ContextError { problem: problem(error) })?;
        Context::from_value(value)
    }
}
