//! The check that every method makes first: restarts the sync in a fork, and waits once after a thaw.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use esclusa::Time;
use pyo3::prelude::*;

use crate::flags::Flags;

impl Flags {
    /// Restarts the sync if this process is a fork: its thread does not exist here.
    #[inline]
    pub(crate) fn heal(&self, py: Python<'_>) {
        if !self.seen.is_current() {
            self.begin_anew(py);
        }
        if self.thaw_at_ms.load(Ordering::Relaxed) != 0 {
            self.thaw(py);
        }
    }

    /// Waits once if the process was frozen: the sync did not run when it was due.
    #[cold]
    fn thaw(&self, py: Python<'_>) {
        let now: Time = SystemTime::now().into();
        let due = self.thaw_at_ms.load(Ordering::Relaxed);
        let is_first = || self.thaw_at_ms.compare_exchange(due, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if now.as_millis() > due && is_first() {
            self.call_healer(py, true);
        }
    }

    #[cold]
    fn begin_anew(&self, py: Python<'_>) {
        // Once in each forked process, and never in its sync thread: other threads wait for that one.
        if !self.seen.renew() {
            return;
        }
        if !self.call_healer(py, false) {
            self.seen.take_back();
        }
    }

    /// False if the wait is to be repeated; true also if there is nothing to wait for.
    fn call_healer(&self, py: Python<'_>, is_thawed: bool) -> bool {
        let healer = self.healer.with(py, |place| place.as_ref().map(|healer| healer.clone_ref(py)));
        let Some(healer) = healer else { return true };
        healer.call1(py, (is_thawed,)).and_then(|has_waited| has_waited.is_truthy(py)).unwrap_or_else(|error| {
            error.write_unraisable(py, Some(healer.bind(py)));
            true
        })
    }
}
