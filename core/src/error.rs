//! What can be wrong with a snapshot, said to the author of the flag: the place, the problem, what was expected.

use std::fmt;

use crate::limit::MAX_SNAPSHOT_BYTES;

/// One broken rule of one flag or segment.
///
/// It prints as `` `/flags/12/rollout_percentage`: 150 is out of range, expected 0 to 100 ``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub(crate) place: String,
    pub(crate) problem: String,
}

impl Violation {
    /// Where it is: a JSON pointer (RFC 6901) into the snapshot.
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

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.place, self.problem)
    }
}

/// Why a snapshot was refused whole (sentences 2.1.7 and 8.9 of SEMANTICS.md).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The text is not JSON, or is nested too deep; the message says at which line and column.
    #[error("{0}")]
    Json(String),
    /// There are more bytes than a snapshot may have.
    #[error("the snapshot has {bytes} bytes, expected at most {MAX_SNAPSHOT_BYTES}")]
    TooLarge {
        /// How many bytes there are.
        bytes: usize,
    },
    /// The document itself is not as it must be.
    #[error("{0}")]
    Document(Violation),
    /// Strict mode found violations; here they all are.
    #[error("{}", Listed(.0))]
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
}

/// Violations in one line.
struct Listed<'v>(&'v [Violation]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for violation in self.0 {
            write!(f, "{separator}{violation}")?;
            separator = "; ";
        }
        Ok(())
    }
}
