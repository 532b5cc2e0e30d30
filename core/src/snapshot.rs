//! Snapshots: bytes become values, and the two accepted shapes become one (section 2.1 of SEMANTICS.md).
//!
//! The module knows where the flags are, not what they contain.

use std::borrow::Cow;
use std::fmt;

use crate::code;
use crate::context::{Context, ContextError};
use crate::error::{SnapshotError, Violation, found, no_time, problem};
use crate::json::{self, Fault, Reader};
use crate::limit::{MAX_FLAGS, MAX_SNAPSHOT_BYTES};
use crate::time::Time;
use crate::value::{MAX_INTEGER, Value};

/// The version of the document that this engine reads.
pub(crate) const VERSION: i64 = 1;
/// The value of `layer` in a document that only switches flags of the layers below it (13.5).
pub(crate) const SWITCHES: &str = "switches";

/// The field in which a merged snapshot names the switches that matched no flag (13.14).
pub(crate) const UNKNOWN_SWITCHES: &str = "unknown_switches";

/// A snapshot without its flags and segments.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) revision: Option<u64>,
    pub(crate) generated_at: Option<Time>,
    /// Whether its flags are bare rows.
    pub(crate) bare: bool,
    /// Whether it only switches flags of the layers below it; by itself it is a snapshot like any other.
    pub(crate) switches: bool,
    /// The fields of flags that it ignores (2.1.10).
    pub(crate) ignored: Vec<String>,
    /// Whether `ignored` came after `flags` in the document.
    pub(crate) ignored_late: bool,
}

/// The part of a snapshot to which an entry belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Among the `flags` of a document.
    Flags,
    /// Bare rows: their places are `/0`, not `/flags/0`.
    Rows,
    /// Among the `segments` of a document.
    Segments,
    /// The names of the fields that a document ignores (2.1.10).
    Ignored,
    /// The keys of the switches that matched no flag (13.14).
    UnknownSwitches,
}

/// Called with each entry of a part, in order, and its index.
type Show<'s, 'a> = &'s mut dyn FnMut(Part, usize, &mut Value<'a>);

impl Snapshot {
    /// Reads a snapshot and shows every entry as soon as it is read: the tree of a whole snapshot is several times as
    /// large as its text, and does not fit into a cache. An error after an entry refuses the whole snapshot
    /// nevertheless.
    ///
    /// # Errors
    /// When the bytes are refused whole (2.1.7).
    pub(crate) fn from_json<'a>(bytes: &'a [u8], show: Show<'_, 'a>) -> Result<Self, SnapshotError> {
        if bytes.len() > MAX_SNAPSHOT_BYTES {
            return Err(SnapshotError::TooLarge { bytes: bytes.len() });
        }
        let mut document = Document::default();
        parse(bytes, &mut |reader| document.read(reader, show))?;
        document.head()
    }
}

/// The document without its entries: arrays and objects are kept empty.
#[derive(Default)]
struct Document<'a> {
    whole: Value<'a>,
    fields: [Option<Value<'a>>; NAMES.len()],
    segments: usize,
    flags: usize,
    /// The first field that occurred twice.
    repeated: Option<&'static str>,
    switches: bool,
    ignored_late: bool,
}

const NAMES: [&str; 7] = ["esclusa", "flags", "revision", "generated_at", "segments", "ignored", "tables"];

impl<'a> Document<'a> {
    fn read(&mut self, reader: &mut Reader<'a>, show: Show<'_, 'a>) -> Result<(), Fault> {
        self.whole = match reader.peek() {
            Some(b'[') => {
                self.flags = entries(reader, 0, Part::Rows, show)?;
                Value::List(Vec::new())
            }
            Some(b'{') => {
                let mut read = |reader: &mut Reader<'a>, name: Cow<'a, str>| self.field(reader, &name, show);
                reader.fields(0, &mut read as &mut dyn FnMut(&mut Reader<'a>, Cow<'a, str>) -> Result<(), Fault>)?;
                Value::Object(Vec::new())
            }
            _ => reader.hollow(0)?,
        };
        Ok(())
    }

    fn field(&mut self, reader: &mut Reader<'a>, name: &str, show: Show<'_, 'a>) -> Result<(), Fault> {
        let known = NAMES.iter().zip(&mut self.fields).find(|(known, _)| **known == name);
        let (part, count) = match (&known, name, reader.peek()) {
            (Some((_, None)), "flags", Some(b'[')) => (Part::Flags, &mut self.flags),
            (Some((_, None)), "segments", Some(b'[')) => (Part::Segments, &mut self.segments),
            _ => {
                let mut value = Value::Null;
                if name == "ignored" {
                    reader.value(1, &mut value)?;
                    self.ignored_late |= self.flags > 0;
                    show(Part::Ignored, 0, &mut value);
                } else if name == UNKNOWN_SWITCHES {
                    reader.value(1, &mut value)?;
                    show(Part::UnknownSwitches, 0, &mut value);
                } else {
                    value = reader.hollow(1)?;
                }
                match known {
                    Some((name, Some(_))) => self.repeated = self.repeated.or(Some(name)),
                    Some((_, field)) => *field = Some(value),
                    // The last one counts: `layer` is not a field of a snapshot by itself.
                    None if name == "layer" => self.switches = value.as_str() == Some(SWITCHES),
                    None => {}
                }
                return Ok(());
            }
        };
        *count = entries(reader, 1, part, show)?;
        if let Some((_, field)) = known {
            *field = Some(Value::List(Vec::new()));
        }
        Ok(())
    }

    /// Checks everything but the entries of flags and segments, and the limits on their number.
    fn head(self) -> Result<Snapshot, SnapshotError> {
        match self.whole {
            Value::Object(_) => {}
            Value::List(_) => {
                at_most(self.flags, "flags", "")?;
                return Ok(Snapshot { bare: true, ..Snapshot::default() });
            }
            other => {
                return Err(wrong(
                    "",
                    code::NOT_A_SNAPSHOT,
                    format_args!("{} is no snapshot, expected an object or an array of flags", found(&other)),
                ));
            }
        }
        if let Some(name) = self.repeated {
            return Err(wrong(&["/", name].concat(), code::REPEATED_FIELD, "stands more than once, expected once"));
        }
        let [version, flags, revision, generated_at, segments, ignored, tables] = self.fields;
        if tables.is_some_and(|tables| !tables.is_null()) {
            return Err(wrong(
                "/tables",
                code::NEEDS_MAPPING,
                "holds rows for a mapping, expected flags: this reader has no mappings",
            ));
        }
        match version {
            Some(Value::Integer(VERSION)) => {}
            Some(other) => {
                return Err(wrong(
                    "/esclusa",
                    code::UNSUPPORTED_VERSION,
                    format_args!("{} is not a version that this engine reads, expected {VERSION}", found(&other)),
                ));
            }
            None => {
                return Err(wrong(
                    "/esclusa",
                    code::MISSING,
                    format_args!(
                        "is missing, expected \"esclusa\": {VERSION}, or an array of flags as the whole snapshot"
                    ),
                ));
            }
        }
        let revision = match revision.unwrap_or_default() {
            Value::Null => None,
            Value::Integer(number @ 0..=MAX_INTEGER) => Some(number.unsigned_abs()),
            other => {
                return Err(wrong(
                    "/revision",
                    code::TYPE_MISMATCH,
                    format_args!(
                        "{} is no revision, expected a whole number from 0 to 9007199254740991",
                        found(&other)
                    ),
                ));
            }
        };
        let generated_at = match generated_at.unwrap_or_default() {
            Value::Null => None,
            other => match other.as_str().and_then(Time::parse) {
                Some(time) => Some(time),
                None => return Err(wrong("/generated_at", code::INVALID_TIME, no_time(&other))),
            },
        };
        match segments.unwrap_or_default() {
            Value::Null => {}
            Value::List(_) => at_most(self.segments, "segments", "/segments")?,
            other => {
                return Err(wrong(
                    "/segments",
                    code::TYPE_MISMATCH,
                    format_args!("{} is no list of segments, expected an array", found(&other)),
                ));
            }
        }
        let ignored = match ignored.unwrap_or_default() {
            Value::Null => Vec::new(),
            other => match names(&other) {
                Some(names) => names,
                None => {
                    return Err(wrong(
                        "/ignored",
                        code::TYPE_MISMATCH,
                        format_args!("{} is no list of fields, expected an array of names", found(&other)),
                    ));
                }
            },
        };
        match flags {
            Some(Value::List(_)) => at_most(self.flags, "flags", "/flags")?,
            Some(other) => {
                return Err(wrong(
                    "/flags",
                    code::TYPE_MISMATCH,
                    format_args!("{} is no list of flags, expected an array", found(&other)),
                ));
            }
            None => return Err(wrong("/flags", code::MISSING, "is missing, expected an array of flags")),
        }
        let (switches, ignored_late) = (self.switches, self.ignored_late);
        Ok(Snapshot { revision, generated_at, bare: false, switches, ignored, ignored_late })
    }
}

/// The texts of an array of texts.
pub(crate) fn names(value: &Value<'_>) -> Option<Vec<String>> {
    value.as_list()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Entries beyond the limit are not shown.
fn entries<'a>(reader: &mut Reader<'a>, depth: usize, part: Part, show: Show<'_, 'a>) -> Result<usize, Fault> {
    reader.entries(depth, &mut |at, entry| {
        if at < MAX_FLAGS {
            show(part, at, entry);
        }
    })
}

pub(crate) fn at_most(count: usize, what: &str, place: &str) -> Result<(), SnapshotError> {
    if count > MAX_FLAGS {
        return Err(wrong(
            place,
            code::TOO_MANY,
            format_args!("{count} {what} are too many, expected at most {MAX_FLAGS}"),
        ));
    }
    Ok(())
}

#[inline(always)]
fn wrong(place: &str, code: &'static str, words: impl fmt::Display) -> SnapshotError {
    refused(place, code, problem(words))
}

#[cold]
#[inline(never)]
fn refused(place: &str, code: &'static str, problem: Cow<'static, str>) -> SnapshotError {
    SnapshotError::Document(Violation { place: place.to_owned(), code, problem })
}

/// Reads any JSON within the limit of nesting; a byte order mark is skipped (2.1.1).
pub(crate) fn parse<'a>(
    bytes: &'a [u8],
    read: &mut dyn FnMut(&mut Reader<'a>) -> Result<(), Fault>,
) -> Result<(), SnapshotError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    json::parse(bytes, read).map_err(|fault| SnapshotError::Json(fault.message(bytes)))
}

impl<'a> Value<'a> {
    /// Reads any JSON that is nested at most 100 deep.
    ///
    /// # Errors
    /// When the bytes are not JSON; the message says at which line and column.
    pub fn from_json(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        let mut value = Value::Null;
        parse(bytes, &mut |reader| reader.row(0, &mut value))?;
        Ok(value)
    }
}

impl<'a> Context<'a> {
    /// Reads a context from JSON (section 3 of SEMANTICS.md).
    ///
    /// # Errors
    /// When the bytes are not JSON, or not an object.
    pub fn from_json(bytes: &'a [u8]) -> Result<Self, ContextError> {
        let value = Value::from_json(bytes).map_err(|error| ContextError { problem: problem(error) })?;
        Context::from_value(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "it reads six million entries")]
    fn no_more_entries_are_shown_than_there_may_be_and_then_all_are_refused() {
        let entries = |count: usize| ["[", &vec!["0"; count].join(","), "]"].concat();
        let documents = |count: usize| {
            let entries = entries(count);
            let segments = ["{\"segments\":", &entries, ",\"esclusa\":1,\"flags\":[]}"].concat();
            let flags = ["{\"flags\":", &entries, ",\"esclusa\":1}"].concat();
            [(entries, Part::Rows, ""), (segments, Part::Segments, "/segments"), (flags, Part::Flags, "/flags")]
        };
        for (most, fits) in [(MAX_FLAGS, true), (MAX_FLAGS + 1, false)] {
            for (document, part, place) in documents(most) {
                let mut shown = 0;
                let snapshot = Snapshot::from_json(document.as_bytes(), &mut |of, at, _| {
                    assert_eq!((of, at), (part, shown));
                    shown += 1;
                });
                assert_eq!((shown, snapshot.is_ok()), (MAX_FLAGS, fits));
                assert!(snapshot.err().is_none_or(|error| error.violations().iter().all(|one| one.place == place)));
            }
        }
    }
}
