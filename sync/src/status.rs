//! The status, for a person and for a health check.

use std::fmt;
use std::time::{Duration, SystemTime};

use esclusa::sync::{self, State};

use crate::source::MappedBy;

/// The state between a source and its flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The state in one word: starting, fresh, stale or failing (11.1 of SEMANTICS.md).
    pub state: State,
    /// The name of the source.
    pub source: String,
    /// Whose mapping defines the columns; `None` without a mapping.
    pub mapped_by: Option<MappedBy>,
    /// The revision that was published last, if it has one.
    pub revision: Option<u64>,
    /// Time since the last good answer; `None` if there was none.
    pub age: Option<Duration>,
    /// Failures in a row.
    pub failures: u32,
    /// The last error; it stays when things are good again.
    pub last_error: Option<LastError>,
}

/// An error, and when it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// In one line, without secrets.
    pub error: String,
    /// By the system clock.
    pub at: SystemTime,
}

/// In one line: `failing from flags.json, revision 42, 31 s old, 3 failures, the last: connection refused` (11.22).
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = sync::Status {
            state: self.state,
            revision: self.revision,
            age_ms: self.age.map(milliseconds),
            failures: self.failures,
            last_error: self.last_error.as_ref().map(|last| (last.error.clone(), 0)),
        };
        let is_app = self.mapped_by == Some(MappedBy::AppInsteadOfStored);
        let mapping = if is_app { ", by the app's mapping instead of the stored one" } else { "" };
        f.write_str(&status.line(&format!("{}{mapping}", self.source)))
    }
}

pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
