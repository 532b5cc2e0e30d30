//! How things stand, for a person and for a health check.

use std::fmt;
use std::time::{Duration, SystemTime};

use esclusa::sync::State;

/// How things stand between a source and its flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// In one word: starting, fresh, stale or failing (11.1 of SEMANTICS.md).
    pub state: State,
    /// What the source is called.
    pub source: String,
    /// The revision that was published last, if it has one.
    pub revision: Option<u64>,
    /// How long ago the last good answer came; none if there was none.
    pub age: Option<Duration>,
    /// Failures in a row.
    pub failures: u32,
    /// What went wrong last; it stays when things are good again.
    pub last_error: Option<LastError>,
}

/// What went wrong, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// In one line, without secrets.
    pub error: String,
    /// By the clock of the machine.
    pub at: SystemTime,
}

/// In one line: `failing from flags.json, revision 42, 31 s old, 3 failures, the last: connection refused`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}, revision ", self.state.as_str(), self.source)?;
        match self.revision {
            Some(revision) => write!(f, "{revision}, ")?,
            None => f.write_str("none, ")?,
        }
        match self.age {
            Some(age) => write!(f, "{} s old", age.as_secs())?,
            None => f.write_str("never heard from")?,
        }
        match &self.last_error {
            Some(last) if self.failures > 0 => {
                let many = if self.failures == 1 { "failure" } else { "failures" };
                write!(f, ", {} {many}, the last: {}", self.failures, last.error)
            }
            _ => Ok(()),
        }
    }
}
