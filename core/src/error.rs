//! What is wrong with a snapshot, for the author of the flag: the place, the problem, what was expected.

use std::borrow::Cow;
use std::fmt;

use crate::MESSAGES;
use crate::limit::MAX_SNAPSHOT_BYTES;
use crate::time::Time;
use crate::value::Value;
use crate::writing::Json;

/// One broken rule of one flag or segment.
///
/// It prints in one line, as `` `/flags/12/rollout_percentage`: 150 is out of range, expected 0 to 100 ``; what is wrong
/// with the snapshot as a whole has no place to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub(crate) place: String,
    pub(crate) code: &'static str,
    pub(crate) problem: Cow<'static, str>,
}

/// The text of every violation and notice in a build without the feature `messages` (8.14).
const UNSAID: &str = "this build leaves messages out, expected a build with the feature `messages`";

/// The text of a violation or notice. All texts go through this function, inlined, so that a build without messages
/// contains none of them.
#[inline(always)]
pub(crate) fn problem(words: impl fmt::Display) -> Cow<'static, str> {
    if MESSAGES { Cow::Owned(words.to_string()) } else { Cow::Borrowed(UNSAID) }
}

impl Violation {
    /// A violation at a place, a JSON pointer: its code in kebab-case, and the problem with the expectation.
    #[must_use]
    pub fn new(place: String, code: &'static str, problem: String) -> Self {
        Violation { place, code, problem: Cow::Owned(problem) }
    }

    /// `{"place", "code", "problem"}`.
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        Value::Object(vec![
            ("place".into(), self.place.clone().into()),
            ("code".into(), self.code.into()),
            ("problem".into(), self.problem.clone().into_owned().into()),
        ])
    }

    /// Writes the same as JSON.
    pub fn write(&self, json: &mut Json) {
        json.object(|json| {
            json.name("place").text(&self.place);
            json.name("code").text(self.code);
            json.name("problem").text(&self.problem);
        });
    }

    /// Where it is: a JSON pointer (RFC 6901) into the snapshot.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The kind of problem, as a name that does not change (9.9 of SEMANTICS.md), such as `out-of-range`. A crate that
    /// reads rows may have names of its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What is wrong, and what was expected.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl Violation {
    /// Appends its line to a text.
    fn say(&self, said: &mut String) {
        if !self.place.is_empty() {
            said.push('`');
            printable(&self.place, said);
            said.push_str("`: ");
        }
        if !MESSAGES {
            said.push_str(self.code);
            said.push_str(": ");
        }
        said.push_str(&self.problem);
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = String::new();
        self.say(&mut said);
        f.write_str(&said)
    }
}

/// How much of the author's text a message quotes, in bytes.
const MAX_QUOTED_BYTES: usize = 60;

/// The author's text in backticks and on one line, escaped as in a JSON string; a long one is cut.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("`");
    for character in text.chars() {
        let before = quoted.len();
        escape(character, &mut quoted);
        if quoted.len() > MAX_QUOTED_BYTES {
            quoted.truncate(before);
            quoted.push('…');
            break;
        }
    }
    quoted.push('`');
    quoted
}

/// The value that was found, for a message: small values in full, large ones as their kind.
pub(crate) fn found<'v>(value: &'v Value<'_>) -> impl fmt::Display + 'v {
    Said(move || match value {
        Value::List(_) | Value::Object(_) => value.kind().to_owned(),
        Value::Text(text) => in_quotes(text),
        other => other.to_string(),
    })
}

/// A closure as `Display`: the text is built when it is printed.
struct Said<F>(F);

impl<F: Fn() -> String> fmt::Display for Said<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0())
    }
}

/// The names that were expected.
pub(crate) fn one_of<'n>(names: &'n [&'n str]) -> impl fmt::Display + 'n {
    Said(move || names.join(", "))
}

/// Why a value is not a time.
pub(crate) fn no_time<'v>(value: &'v Value<'_>) -> impl fmt::Display + 'v {
    Said(move || no_time_because(value))
}

fn no_time_because(value: &Value<'_>) -> String {
    let found = found(value);
    let text = value.as_str().unwrap_or_default();
    let day = text.get(..10).filter(|day| {
        day.bytes().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() })
    });
    match day {
        Some(day) if Time::parse(day).is_none() => {
            format!("{found} is no day that exists, expected one such as 2025-01-22")
        }
        _ => format!("{found} does not fit, expected a time such as 2025-01-22T00:00:00Z or a date such as 2025-01-22"),
    }
}

/// The author's text in double quotes as JSON, or how long it is.
pub(crate) fn string(text: &str) -> impl fmt::Display {
    Said(move || in_quotes(text))
}

fn in_quotes(text: &str) -> String {
    let mut string = String::from("\"");
    for character in text.chars() {
        escape(character, &mut string);
        if string.len() > MAX_QUOTED_BYTES {
            return format!("a string of {} bytes", text.len());
        }
    }
    string.push('"');
    string
}

/// A character as it stands in a JSON string.
fn escape(character: char, text: &mut String) {
    match character {
        '"' | '\\' => text.extend(['\\', character]),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        other if unprintable(other) => {
            text.push_str("\\u");
            for shift in [12, 8, 4, 0] {
                text.extend(char::from_digit(u32::from(other) >> shift & 0xf, 16));
            }
        }
        other => text.push(other),
    }
}

/// Whether a character breaks a line or moves the characters around it: control characters, the line and paragraph
/// separators, and characters that set the direction of text.
fn unprintable(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A place on one line: only characters that would break the line are escaped.
fn printable(place: &str, printable: &mut String) {
    for character in place.chars() {
        if unprintable(character) { escape(character, printable) } else { printable.push(character) }
    }
}

/// Why a snapshot was refused whole (sentences 2.1.7 and 8.9 of SEMANTICS.md).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The text is not JSON, or is nested too deep; the message says at which line and column.
    Json(String),
    /// There are more bytes than a snapshot may have.
    TooLarge {
        /// How many bytes there are.
        bytes: usize,
    },
    /// The document itself has a violation.
    Document(Violation),
    /// Strict mode found violations: all of them.
    Violations(Vec<Violation>),
}

impl SnapshotError {
    /// The violations that it carries: all of them in strict mode, otherwise at most one.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match self {
            SnapshotError::Document(violation) => std::slice::from_ref(violation),
            SnapshotError::Violations(violations) => violations,
            _ => &[],
        }
    }

    /// The kind of refusal, as a name that does not change: `not-json`, `too-large`, or the code of the first
    /// violation.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            SnapshotError::Json(_) => "not-json",
            SnapshotError::TooLarge { .. } => "too-large",
            _ => self.violations().first().map_or("not-a-snapshot", Violation::code),
        }
    }

    /// The message; `Display` prints the same.
    #[must_use]
    pub fn message(&self) -> String {
        let mut said = String::new();
        match self {
            SnapshotError::Json(problem) => said.push_str(problem),
            SnapshotError::TooLarge { bytes } => said.push_str(&problem(format_args!(
                "the snapshot has {bytes} bytes, expected at most {MAX_SNAPSHOT_BYTES}"
            ))),
            SnapshotError::Document(violation) => violation.say(&mut said),
            SnapshotError::Violations(violations) => {
                for (at, violation) in violations.iter().enumerate() {
                    said.push_str(if at == 0 { "" } else { "; " });
                    violation.say(&mut said);
                }
            }
        }
        said
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for SnapshotError {}
