//! How things stand, for a person and for a health check.

use std::fmt;
use std::time::{Duration, SystemTime};

use esclusa::sync::{self, State};

use crate::source::MappedBy;

/// How things stand between a source and its flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// In one word: starting, fresh, stale or failing (11.1 of SEMANTICS.md).
    pub state: State,
    /// What the source is called.
    pub source: String,
    /// Whose mapping says what the columns are; none if none does.
    pub mapped_by: Option<MappedBy>,
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
