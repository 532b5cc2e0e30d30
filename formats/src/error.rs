//! What can be wrong with a mapping, and with rows that a mapping reads: the place, the problem, what was expected.

use esclusa::SnapshotError;

/// What is wrong with a mapping, said to the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("mapping{}: {problem}", at(place))]
pub struct MappingError {
    place: String,
    problem: String,
}

/// The place behind the noun; of the mapping as a whole there is none.
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

/// Why rows were refused as a whole: nothing is published, and the last set stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes are no rows: not JSON, too large, or of another shape.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The mapping does not fit the rows.
    #[error(transparent)]
    Mapping(#[from] MappingError),
}

impl ReadError {
    /// What is wrong, as a name that does not change (9.9 of SEMANTICS.md): `invalid-mapping`, or that of the snapshot.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ReadError::Mapping(_) => "invalid-mapping",
            ReadError::Snapshot(error) => error.code(),
        }
    }

    /// Where it is, in the mapping or in the document; empty for the document as a whole.
    #[must_use]
    pub fn place(&self) -> &str {
        match self {
            ReadError::Mapping(error) => error.place(),
            ReadError::Snapshot(error) => error.violations().first().map_or("", |violation| violation.place()),
        }
    }
}

/// A name that a person wrote, in backticks and not longer than one reads.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}
