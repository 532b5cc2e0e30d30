//! Successful but incomplete answers (11.17), and copies of answers (11.23).

/// Whether these bytes are an array without rows: a store that hides its rows from the caller answers so.
///
/// ```
/// assert!(esclusa::sync::has_no_rows(b" [ ] "));
/// assert!(!esclusa::sync::has_no_rows(br#"{"esclusa": 1, "flags": []}"#));
/// ```
#[must_use]
pub fn has_no_rows(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    bytes.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).is_some_and(|rows| rows.trim_ascii().is_empty())
}

/// Whether an answer over HTTP holds all rows, by its status and its header `Content-Range` (sections 14.4 and 15.3.7
/// of RFC 9110; PostgREST sends the header with every table).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// It holds all rows, or has no header about rows.
    All,
    /// Its `Content-Range` has no total: ask again with `Prefer: count=exact`.
    Unknown,
    /// It holds only a part of the rows: this range.
    Part(String),
}

impl Rows {
    /// `range` is the header's value, if there is one.
    #[must_use]
    pub fn of(status: u16, range: Option<&str>) -> Self {
        let part = |what: &str| Rows::Part(["the answer holds ", what, ", expected all of them"].concat());
        let range = range.map(str::trim).filter(|range| !range.is_empty());
        let Some(range) = range else {
            return if status == 206 { part("a part of the rows (status 206)") } else { Rows::All };
        };
        // A unit may precede it: `items 0-9/20`.
        let range = range.rsplit(' ').next().unwrap_or(range);
        let Some((held, total)) = range.split_once('/') else { return part("rows of an unreadable `Content-Range`") };
        let bounds = held.split_once('-').and_then(|(first, last)| Some((number(first)?, number(last)?)));
        let held_rows = match bounds {
            Some((0, last)) => last.checked_add(1),
            Some(_) => return part(&["the rows ", held, " of ", total].concat()),
            // An answer without rows has no bounds.
            None if held == "*" => Some(0),
            None => None,
        };
        match (held_rows, number(total)) {
            (Some(held), Some(total)) if held == total => Rows::All,
            (Some(_), None) if total == "*" => Rows::Unknown,
            _ => part(&["the rows ", held, " of ", total].concat()),
        }
    }
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Whether an answer replaces a cached copy, by their revisions: an older one does not (11.23).
#[must_use]
pub fn should_save(saved: Option<u64>, new: Option<u64>) -> bool {
    !matches!((saved, new), (Some(saved), Some(new)) if new < saved)
}
