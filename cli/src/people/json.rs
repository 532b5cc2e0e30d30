//! People in JSON: one in each line, or all in an array.

use std::io::{self, BufRead, Read};

use super::{Show, Tally};

/// The longest that one person may be, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// One object in each line.
pub(super) fn lines(reader: &mut dyn BufRead, mut line: u64, tally: &mut Tally, show: &mut Show<'_>) -> io::Result<()> {
    let mut text = Vec::new();
    loop {
        text.clear();
        let limit = MAX_BYTES as u64 + 1;
        if reader.take(limit).read_until(b'\n', &mut text)? == 0 {
            return Ok(());
        }
        if text.len() > MAX_BYTES && text.last() != Some(&b'\n') {
            tally.count(line, Err(too_long()));
            skip_line(reader)?;
        } else if !text.trim_ascii().is_empty() {
            tally.line(line, text.trim_ascii(), show);
        }
        line += 1;
    }
}

fn too_long() -> String {
    format!("is longer than {MAX_BYTES} bytes")
}

fn skip_line(reader: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let bytes = reader.fill_buf()?;
        let (end, is_last) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (bytes.len(), bytes.is_empty()),
        };
        reader.consume(end);
        if is_last {
            return Ok(());
        }
    }
}

/// An array, of which one element is held at a time.
pub(super) fn array(reader: &mut dyn BufRead, line: u64, tally: &mut Tally, show: &mut Show<'_>) -> io::Result<()> {
    reader.consume(1);
    let mut element = Element { text: Vec::new(), starts: line, depth: 0, is_text: false, is_escaped: false };
    let (mut line, mut is_first) = (line, true);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            let end = "the array has no end, expected `]`";
            tally.count(line, Err(end.to_owned()));
            return Ok(());
        }
        let mut used = 0;
        let mut ended = None;
        for byte in bytes {
            used += 1;
            line += u64::from(*byte == b'\n');
            if let Some(end) = element.push(*byte, line) {
                ended = Some(end);
                break;
            }
        }
        reader.consume(used);
        let Some(end) = ended else { continue };
        if !(is_first && end == End::Array && element.text.is_empty()) {
            if element.text.len() > MAX_BYTES {
                tally.count(element.starts, Err(too_long()));
            } else {
                tally.line(element.starts, element.text.trim_ascii_end(), show);
            }
        }
        element.text.clear();
        is_first = false;
        if end == End::Array {
            return rest(reader, line, tally);
        }
    }
}

/// What stands behind the array.
fn rest(reader: &mut dyn BufRead, line: u64, tally: &mut Tally) -> io::Result<()> {
    let mut start = Vec::new();
    while start.is_empty() {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        start = bytes.trim_ascii_start().to_vec();
        let length = bytes.len();
        reader.consume(length);
    }
    tally.count(line, Err("text stands behind the array".to_owned()));
    Ok(())
}

/// The element that is being read.
struct Element {
    text: Vec<u8>,
    /// The line that it starts in.
    starts: u64,
    depth: usize,
    is_text: bool,
    is_escaped: bool,
}

/// What an element ends with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Element,
    Array,
}

impl Element {
    /// Takes one byte more; says what has ended with it.
    fn push(&mut self, byte: u8, line: u64) -> Option<End> {
        if self.is_text {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_text = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => self.is_text = true,
                b'{' | b'[' => self.depth += 1,
                b']' if self.depth == 0 => return Some(End::Array),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                b',' if self.depth == 0 => return Some(End::Element),
                _ => {}
            }
        }
        if self.text.is_empty() {
            if byte.is_ascii_whitespace() {
                return None;
            }
            self.starts = line;
        }
        if self.text.len() <= MAX_BYTES {
            self.text.push(byte);
        }
        None
    }
}
