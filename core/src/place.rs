//! Places in a snapshot: JSON pointers (RFC 6901) as linked parts on the stack.
//!
//! This module knows the spellings of a field, not its meaning.

use std::fmt;

use crate::value::Value;
use crate::whole::write_whole;

/// A place in the snapshot; `Display` prints it as a JSON pointer (RFC 6901). It stays on the stack until there is a
/// violation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'p> {
    Root,
    Field(&'p Place<'p>, &'p str),
    Entry(&'p Place<'p>, usize),
    /// The object at a place: its fields are named as the author spelled them.
    Object(&'p Place<'p>, &'p Value<'p>),
}

impl<'p> Place<'p> {
    pub(crate) fn field(&'p self, name: &'p str) -> Place<'p> {
        Place::Field(self, name)
    }

    pub(crate) fn entry(&'p self, at: usize) -> Place<'p> {
        Place::Entry(self, at)
    }

    pub(crate) fn object(&'p self, value: &'p Value<'p>) -> Place<'p> {
        Place::Object(self, value)
    }

    /// The author's spelling of a field: its name, or the name in camelCase (2.2.30).
    fn written(&self, name: &'p str) -> &'p str {
        let Place::Object(_, Value::Object(fields)) = self else { return name };
        let mut names = fields.iter().map(|(name, _)| name.as_ref());
        if names.clone().any(|written| written == name) {
            return name;
        }
        names.find(|written| is_camel_case(name, written)).unwrap_or(name)
    }

    pub(crate) fn pointer(&self) -> String {
        match self {
            Place::Root => String::new(),
            Place::Object(place, _) => place.pointer(),
            Place::Field(parent, name) => {
                let mut pointer = parent.pointer() + "/";
                for character in parent.written(name).chars() {
                    match character {
                        '~' => pointer.push_str("~0"),
                        '/' => pointer.push_str("~1"),
                        other => pointer.push(other),
                    }
                }
                pointer
            }
            Place::Entry(parent, at) => {
                let mut pointer = parent.pointer() + "/";
                write_whole(i64::try_from(*at).unwrap_or(i64::MAX), &mut pointer);
                pointer
            }
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pointer())
    }
}

/// Whether that is the name of a field in camelCase: `rolloutPercentage` for `rollout_percentage` (2.2.30).
pub(crate) fn is_camel_case(name: &str, written: &str) -> bool {
    let (mut name, mut written) = (name.bytes(), written.bytes());
    while let Some(byte) = name.next() {
        let byte = if byte == b'_' { name.next().map(|byte| byte.to_ascii_uppercase()) } else { Some(byte) };
        if written.next() != byte {
            return false;
        }
    }
    written.next().is_none()
}
