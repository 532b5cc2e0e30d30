//! The rows of a document, one by one: a tree of all rows would be several times as large as their text.
//!
//! The module knows where rows are: in an array, in the `flags` of a document, or in the `tables` of rows for a mapping
//! (2.1.9).

use std::borrow::Cow;

use crate::error::SnapshotError;
use crate::json::{Fault, Reader};
use crate::limit::MAX_SNAPSHOT_BYTES;
use crate::snapshot::parse;
use crate::value::Value;

/// Called with the table (`None` for bare rows, else its name, `flags` for those of a document), the index of a row in
/// it, and the row.
pub type ShowRow<'s, 'a> = &'s mut dyn FnMut(Option<&str>, usize, &mut Value<'a>);

/// Shows every row of a document, and returns the rest of it: an object with the other fields, in which each table is
/// an empty array; an empty array for bare rows; or the value, if the document is neither.
///
/// # Errors
/// When the bytes are not JSON, or there are too many of them (2.1.7).
pub fn rows<'a>(bytes: &'a [u8], show: ShowRow<'_, 'a>) -> Result<Value<'a>, SnapshotError> {
    if bytes.len() > MAX_SNAPSHOT_BYTES {
        return Err(SnapshotError::TooLarge { bytes: bytes.len() });
    }
    let mut rest = Value::Null;
    parse(bytes, &mut |reader| {
        rest = match reader.peek() {
            Some(b'[') => {
                reader.entries(0, &mut |at, row| show(None, at, row))?;
                Value::List(Vec::new())
            }
            Some(b'{') => Value::Object(fields(reader, show)?),
            _ => {
                let mut other = Value::Null;
                reader.value(0, &mut other)?;
                other
            }
        };
        Ok(())
    })?;
    Ok(rest)
}

/// The mapping in the field `mapping` of a document; `None` for a document without one, for bare rows, and for other
/// bytes.
///
/// It stops after the mapping, so only [`rows`] finds an error in the JSON after it.
#[must_use]
pub fn mapping_of(bytes: &[u8]) -> Option<Value<'_>> {
    let mut found = Value::Null;
    // The reader ends with this fault; a real fault is found by the reader of the rows.
    let enough = Fault::new(0, "the mapping is enough");
    drop(parse(bytes, &mut |reader| match reader.peek() {
        Some(b'{') => reader.fields(0, |reader, name| match name.as_ref() {
            "mapping" => reader.value(1, &mut found).and(Err(enough)),
            "flags" => Err(enough),
            _ => reader.hollow(1).map(drop),
        }),
        _ => Ok(()),
    }));
    Some(found).filter(|mapping| !mapping.is_null())
}

type Fields<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

fn fields<'a>(reader: &mut Reader<'a>, show: ShowRow<'_, 'a>) -> Result<Fields<'a>, Fault> {
    let mut rest: Fields<'a> = Vec::new();
    reader.fields(0, |reader, name| {
        let value = match (name.as_ref(), reader.peek()) {
            ("flags", Some(b'[')) => {
                reader.entries(1, &mut |at, row| show(Some("flags"), at, row))?;
                Value::List(Vec::new())
            }
            ("tables", Some(b'{')) => Value::Object(tables(reader, show)?),
            _ => {
                let mut other = Value::Null;
                reader.value(1, &mut other)?;
                other
            }
        };
        rest.push((name, value));
        Ok(())
    })?;
    Ok(rest)
}

fn tables<'a>(reader: &mut Reader<'a>, show: ShowRow<'_, 'a>) -> Result<Fields<'a>, Fault> {
    let mut tables: Fields<'a> = Vec::new();
    reader.fields(1, |reader, name| {
        let value = if reader.peek() == Some(b'[') {
            reader.entries(2, &mut |at, row| show(Some(&name), at, row))?;
            Value::List(Vec::new())
        } else {
            let mut other = Value::Null;
            reader.value(2, &mut other)?;
            other
        };
        tables.push((name, value));
        Ok(())
    })?;
    Ok(tables)
}
