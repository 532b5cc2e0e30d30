//! Finds events in the bytes of a stream of server-sent events (section 9.2 of the HTML standard; 11.20).

/// Number of bytes of a line that are kept; the names and types that matter are shorter.
const MAX_LINE_BYTES: usize = 64;

/// Types of events that servers send only to keep the connection alive.
const QUIET: &[&[u8]] = &[b"ping", b"heartbeat", b"keep-alive", b"keepalive"];

/// Reads bytes as they arrive and keeps only the beginning of the current line, for events of any length.
#[derive(Debug, Default)]
pub struct EventReader {
    line: Vec<u8>,
    /// The last byte was a carriage return, so that a line feed belongs to it.
    after_return: bool,
    has_data: bool,
    is_quiet: bool,
}

impl EventReader {
    /// Whether these bytes end an event that is news.
    pub fn read(&mut self, bytes: &[u8]) -> bool {
        let mut is_news = false;
        for &byte in bytes {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => is_news |= self.end_line(),
                byte if self.line.len() < MAX_LINE_BYTES => self.line.push(byte),
                _ => {}
            }
        }
        is_news
    }

    fn end_line(&mut self) -> bool {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let is_news = self.has_data && !self.is_quiet;
            (self.has_data, self.is_quiet) = (false, false);
            return is_news;
        }
        let (field, value) = match line.iter().position(|byte| *byte == b':').and_then(|at| line.split_at_checked(at)) {
            Some((field, value)) => (field, value.strip_prefix(b":").unwrap_or(value)),
            None => (line.as_slice(), &[][..]),
        };
        match field {
            b"data" => self.has_data = true,
            b"event" => self.is_quiet = QUIET.contains(&value.strip_prefix(b" ").unwrap_or(value)),
            // A comment has no name; other fields are ignored.
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::EventReader;

    /// How many pieces of one byte bring news.
    fn count(stream: &str) -> usize {
        let mut reader = EventReader::default();
        stream.as_bytes().chunks(1).filter(|piece| reader.read(piece)).count()
    }

    #[test]
    fn events_with_data_are_news_however_lines_end() {
        assert_eq!(count("data: 1\n\n"), 1);
        assert_eq!(count("data: 1\r\n\r\ndata\r\n\r\n"), 2);
        assert_eq!(count("data: 1\r\rdata:2\r\r"), 2);
        assert_eq!(count("event: snapshot\nid: 7\ndata: a\ndata: b\n\n"), 1);
        let long = format!("data: {}\n\n", "x".repeat(100_000));
        assert_eq!(count(&long), 1);
        assert!(EventReader::default().read(b"data: 1\n\n: and more"), "in one piece");
    }

    #[test]
    fn comments_heartbeats_and_halves_are_none() {
        assert_eq!(count(": alive\n\n:\n\n\n\n"), 0);
        assert_eq!(count("event: ping\ndata: {}\n\nevent:heartbeat\ndata: {}\n\n"), 0);
        assert_eq!(count("event: snapshot\n\nretry: 3000\n\ndatax: 1\n\n"), 0);
        assert_eq!(count("data: 1\n"), 0, "an event that has not ended");
        assert_eq!(count("event: ping\ndata: 1\n\ndata: 2\n\n"), 1, "the type holds for one event");
    }
}
