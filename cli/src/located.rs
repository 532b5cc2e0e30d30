//! Places in a text: which bytes a JSON pointer means.

use std::ops::Range;

use jsonc_parser::ast::{ObjectProp, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};

/// A text as a tree of places.
#[derive(Debug)]
pub(crate) struct Located<'t> {
    root: Option<Value<'t>>,
}

impl<'t> Located<'t> {
    /// The places of a text; none of one that is not JSON.
    pub(crate) fn new(text: &'t str) -> Self {
        let collect = CollectOptions { comments: CommentCollectionStrategy::Off, tokens: false };
        let root = parse_to_ast(text, &collect, &ParseOptions::default()).ok().and_then(|parsed| parsed.value);
        Located { root }
    }

    /// The value at a pointer (RFC 6901), or the nearest one round it.
    pub(crate) fn find(&self, pointer: &str) -> Option<Range<usize>> {
        let mut value = self.root.as_ref()?;
        for token in pointer.split('/').skip(1) {
            let name = token.replace("~1", "/").replace("~0", "~");
            let inner = match value {
                // The last of several fields with one name.
                Value::Object(object) => {
                    object.properties.iter().rev().find(|one| one.name.as_str() == name).map(inside)
                }
                Value::Array(array) => name.parse::<usize>().ok().and_then(|at| array.elements.get(at)),
                _ => None,
            };
            let Some(inner) = inner else { break };
            value = inner;
        }
        let range = value.range();
        Some(match value {
            // Of what spans lines the beginning is enough.
            Value::Object(_) | Value::Array(_) if range.end > range.start => range.start..range.start + 1,
            _ => range.start..range.end,
        })
    }

    /// The first string with this text.
    pub(crate) fn find_text(&self, text: &str) -> Option<Range<usize>> {
        first_text(self.root.as_ref()?, text)
    }
}

fn inside<'v, 't>(property: &'v ObjectProp<'t>) -> &'v Value<'t> {
    &property.value
}

fn first_text(value: &Value<'_>, text: &str) -> Option<Range<usize>> {
    match value {
        Value::StringLit(string) if string.value == text => Some(string.range.start..string.range.end),
        Value::Array(array) => array.elements.iter().find_map(|inner| first_text(inner, text)),
        Value::Object(object) => object.properties.iter().find_map(|one| first_text(&one.value, text)),
        _ => None,
    }
}

/// A place as a person counts: from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Number of the line.
    pub(crate) line: usize,
    /// Number of the character in it.
    pub(crate) column: usize,
}

/// Where the lines of a text begin.
#[derive(Debug)]
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    pub(crate) fn of(text: &[u8]) -> Self {
        let after = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        Lines(std::iter::once(0).chain(after).collect())
    }

    /// The position of a byte of that text.
    pub(crate) fn position(&self, text: &[u8], byte: usize) -> Position {
        let line = self.0.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).and_then(|at| self.0.get(at)).copied().unwrap_or_default();
        let before = text.get(start..byte).unwrap_or_default();
        // Of a character in UTF-8 every byte but the first begins with 10.
        let column = before.iter().filter(|byte| **byte & 0xc0 != 0x80).count() + 1;
        Position { line, column }
    }
}

/// The byte at a line and a column that counts bytes, as the messages of JSON have them.
pub(crate) fn byte_at(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut byte = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

#[cfg(test)]
mod tests {
    use super::{Lines, Located, Position, byte_at};

    const TEXT: &str = "{\"flags\": [\n  {\"name\": \"á\", \"a/b\": 1, \"x\": 2, \"x\": 3}]}";

    #[test]
    fn a_pointer_finds_its_bytes_and_the_last_of_two_fields() {
        let located = Located::new(TEXT);
        let at = |pointer: &str| located.find(pointer).map(|range| &TEXT[range]);
        assert_eq!(at("/flags/0/name"), Some("\"á\""));
        assert_eq!(at("/flags/0/a~1b"), Some("1"));
        assert_eq!(at("/flags/0/x"), Some("3"));
        assert_eq!(at("/flags/0/absent"), Some("{"), "a field that is absent is shown at its object");
        assert_eq!(located.find_text("á"), located.find("/flags/0/name"));
    }

    #[test]
    fn a_byte_has_a_line_and_a_column_of_characters() {
        let byte = TEXT.find("\"a/b\"").unwrap();
        assert_eq!(Lines::of(TEXT.as_bytes()).position(TEXT.as_bytes(), byte), Position { line: 2, column: 17 });
        assert_eq!(byte_at(TEXT, 2, 18), byte, "messages of JSON count bytes");
    }
}
