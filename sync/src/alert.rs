//! What has become of the alerts that a process has sent.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What has become of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The key of the flag.
    pub flag: String,
    /// The run of the trip.
    pub run: u64,
    /// Whether the webhook has taken it.
    pub is_delivered: bool,
    /// Why it has not, after the last try; `None` until then.
    pub error: Option<String>,
}

impl fmt::Display for Alert {
    /// One line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the alert of run {} ", self.flag, self.run)?;
        match &self.error {
            _ if self.is_delivered => f.write_str("is delivered"),
            None => f.write_str("is being sent"),
            Some(error) => write!(f, "is lost: {error}"),
        }
    }
}

/// The alerts of this process, shared with whoever asks for the status.
pub(crate) type Alerts = Arc<Mutex<Vec<Alert>>>;

pub(crate) fn lock(alerts: &Alerts) -> MutexGuard<'_, Vec<Alert>> {
    alerts.lock().unwrap_or_else(PoisonError::into_inner)
}
