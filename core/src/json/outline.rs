//! What of a snapshot is only checked at first: the text of each flag, which is read by itself later.
//!
//! The grammar and its faults are the reader's; this file says what is made of what it finds.

use std::borrow::Cow;

use super::{Fault, Read, Reader};
use crate::RULES;
use crate::value::Value;

/// A value of whose arrays each entry is left to be read by itself: the tree of a whole snapshot is several times as
/// large as its text, and no cache holds it.
pub(crate) enum Outline<'a> {
    List(Vec<Raw<'a>>),
    Object(Vec<(Cow<'a, str>, Outline<'a>)>),
    Other(Value<'a>),
}

impl Outline<'_> {
    /// The value without what stands in it, if it is an array or an object.
    pub(crate) fn hollow(&self) -> Value<'static> {
        match self {
            Outline::List(_) => Value::List(Vec::new()),
            Outline::Object(_) => Value::Object(Vec::new()),
            Outline::Other(value) => value.to_owned(),
        }
    }
}

/// The text of a value, of which is known that it can be read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    pub(crate) fn value(self) -> Value<'a> {
        let mut value = Value::Null;
        let read = value.read(&mut Reader { text: self.0, bytes: self.0.as_bytes(), at: 0 }, 0);
        read.map_or(Value::Null, |()| value)
    }
}

impl Default for Outline<'_> {
    fn default() -> Self {
        Outline::Other(Value::Null)
    }
}

impl<'a> Read<'a> for Outline<'a> {
    fn read(&mut self, reader: &mut Reader<'a>, depth: usize) -> Result<(), Fault> {
        match reader.peek() {
            Some(b'{') => *self = Outline::Object(reader.object(depth)?),
            Some(b'[') => *self = Outline::List(reader.list(depth)?),
            _ => {
                let mut value = Value::Null;
                value.read(reader, depth)?;
                *self = Outline::Other(value);
            }
        }
        Ok(())
    }
}

impl<'a> Read<'a> for Raw<'a> {
    fn read(&mut self, reader: &mut Reader<'a>, depth: usize) -> Result<(), Fault> {
        let start = reader.at;
        if RULES {
            ().read(reader, depth)?;
        } else {
            // A browser's snapshots are small, and it is spared the code that only checks.
            Value::Null.read(reader, depth)?;
        }
        *self = Raw(reader.text.get(start..reader.at).unwrap_or_default());
        Ok(())
    }
}

/// Checked alone.
impl<'a> Read<'a> for () {
    fn read(&mut self, reader: &mut Reader<'a>, depth: usize) -> Result<(), Fault> {
        match reader.peek() {
            Some(b'{') => reader.fields(depth, |reader, _| ().read(reader, depth + 1)),
            Some(b'[') => reader.elements(depth, |reader| ().read(reader, depth + 1)),
            Some(b'"') => reader.string().map(|_| ()),
            _ => reader.scalar().map(|_| ()),
        }
    }
}
