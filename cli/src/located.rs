//! Places in a text: which bytes a JSON pointer means.

use std::ops::Range;

use jsonc_parser::ast::{Array, ObjectProp, Value};
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

    /// The array of the rows: the document, or its field `flags`.
    pub(crate) fn array(&self) -> Option<&Array<'t>> {
        match self.root.as_ref()? {
            Value::Array(array) => Some(array),
            Value::Object(object) => {
                match &object.properties.iter().rev().find(|one| one.name.as_str() == "flags")?.value {
                    Value::Array(array) => Some(array),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The rows of a document, or bare rows.
    pub(crate) fn rows(&self) -> &[Value<'t>] {
        self.array().map_or(&[], |array| array.elements.as_slice())
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

/// How many bytes apart the marks in a long line are.
const STRIDE: usize = 1 << 10;

/// Where the lines of a text begin, and marks in long lines, so that no position takes a walk through a whole file.
#[derive(Debug)]
pub(crate) struct Lines {
    starts: Vec<usize>,
    marks: Vec<Mark>,
}

/// The position of a byte.
#[derive(Clone, Copy, Debug)]
struct Mark {
    byte: usize,
    position: Position,
}

impl Lines {
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut next = Position { line: 1, column: 1 };
        let mut last = Mark { byte: 0, position: next };
        let (mut starts, mut marks) = (vec![0], vec![last]);
        for (byte, letter) in text.iter().enumerate() {
            if is_first(*letter) {
                if byte >= last.byte + STRIDE {
                    last = Mark { byte, position: next };
                    marks.push(last);
                }
                next.column += 1;
            }
            if *letter == b'\n' {
                next = Position { line: next.line + 1, column: 1 };
                last = Mark { byte: byte + 1, position: next };
                starts.push(last.byte);
                marks.push(last);
            }
        }
        Lines { starts, marks }
    }

    /// The position of a byte of that text.
    pub(crate) fn position(&self, text: &[u8], byte: usize) -> Position {
        let mark = self.marks.partition_point(|mark| mark.byte <= byte).checked_sub(1);
        let Some(Mark { byte: start, position }) = mark.and_then(|at| self.marks.get(at).copied()) else {
            return Position { line: 1, column: 1 };
        };
        let between = text.get(start..byte).unwrap_or_default();
        Position { column: position.column + between.iter().filter(|letter| is_first(**letter)).count(), ..position }
    }

    /// The bytes of that text from the beginning of the line of one byte to the end of the line of another.
    pub(crate) fn whole(&self, text: &[u8], bytes: &Range<usize>) -> Range<usize> {
        let line = |byte: usize| self.starts.partition_point(|start| *start <= byte);
        let start = line(bytes.start).checked_sub(1).and_then(|at| self.starts.get(at)).copied().unwrap_or_default();
        let end = self.starts.get(line(bytes.end)).map_or(text.len(), |next| next - 1);
        start..end
    }
}

/// Whether a byte begins a character of UTF-8: of every other byte the upper bits are 10.
fn is_first(byte: u8) -> bool {
    byte & 0xc0 != 0x80
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

    #[test]
    fn every_byte_of_long_and_short_lines_has_its_position_and_its_line() {
        let text = ["é", "ab\n", &"xñ".repeat(2_000), "\n\n", &"日本".repeat(700), "end"].concat();
        let lines = Lines::of(text.as_bytes());
        let (mut line, mut column, mut start) = (1, 1, 0);
        for (byte, letter) in text.char_indices() {
            assert_eq!(lines.position(text.as_bytes(), byte), Position { line, column });
            let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
            assert_eq!(lines.whole(text.as_bytes(), &(byte..byte)), start..end);
            column += 1;
            if letter == '\n' {
                (line, column, start) = (line + 1, 1, byte + 1);
            }
        }
    }
}
