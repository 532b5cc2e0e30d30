//! What is wrong with a mapping, or with the rows that it reads: the place, the problem, what was expected.

use esclusa::SnapshotError;

/// An error in a mapping, for its author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("mapping{}: {problem}", at(place))]
pub struct MappingError {
    place: String,
    problem: String,
}

/// The place after the noun; empty for the mapping as a whole.
fn at(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(", `{place}`") }
}

impl MappingError {
    pub(crate) fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        MappingError { place: place.into(), problem: problem.into() }
    }

    /// Where it is: the entry and its options, joined by dots as in TOML.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong, and what was expected.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

/// Why rows were refused as a whole: nothing is published, and the current set stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes are not rows: not JSON, too large, or of another shape.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The mapping does not fit the rows.
    #[error(transparent)]
    Mapping(#[from] MappingError),
}

impl ReadError {
    /// The kind of error, as a name that does not change (9.9 of SEMANTICS.md): `invalid-mapping`, or that of the
    /// snapshot.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ReadError::Mapping(_) => "invalid-mapping",
            ReadError::Snapshot(error) => error.code(),
        }
    }

    /// The place in the mapping or in the document; empty for the document as a whole.
    #[must_use]
    pub fn place(&self) -> &str {
        match self {
            ReadError::Mapping(error) => error.place(),
            ReadError::Snapshot(error) => error.violations().first().map_or("", |violation| violation.place()),
        }
    }
}

/// A name from the mapping or the rows in backticks, cut if it is long.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}
