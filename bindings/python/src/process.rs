//! What the process is: a copy of another one (`fork`), or about to end.
//!
//! Both are told by the interpreter, in Python, and both concern every handle, so this is the one place with a state of
//! its own.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use pyo3::prelude::*;

/// How many forks lie between the first process and this one. Nothing else is done when a process forks.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Threads that work without the interpreter lock.
static DETACHED: AtomicUsize = AtomicUsize::new(0);

static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// The count of forks that somebody has seen.
pub(crate) struct Seen(AtomicU32);

impl Seen {
    pub(crate) fn new() -> Self {
        Seen(AtomicU32::new(FORKS.load(Ordering::Relaxed)))
    }

    /// Whether this is still the process that it was.
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.0.load(Ordering::Relaxed) == FORKS.load(Ordering::Relaxed)
    }

    /// From here on it is; says whether it was not before.
    pub(crate) fn renew(&self) -> bool {
        let forks = FORKS.load(Ordering::Relaxed);
        self.0.swap(forks, Ordering::Relaxed) != forks
    }

    /// The next call looks again.
    pub(crate) fn take_back(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Works while other threads run Python, unless the interpreter ends: before Python 3.14 it then ends each thread where
/// that asks for the lock again, which must not happen in the middle of native code.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl Send + FnOnce() -> T) -> T {
    if IS_ENDING.load(Ordering::Relaxed) {
        return work();
    }
    DETACHED.fetch_add(1, Ordering::Relaxed);
    let worked = py.detach(work);
    DETACHED.fetch_sub(1, Ordering::Relaxed);
    worked
}

/// Tells that this process is a copy; called in the copy alone. The threads of the original are not in it.
#[pyfunction]
pub(crate) fn _forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    DETACHED.store(0, Ordering::Relaxed);
}

/// Tells that the interpreter is about to end, and waits until no thread works without its lock.
#[pyfunction]
pub(crate) fn _end(py: Python<'_>) {
    IS_ENDING.store(true, Ordering::Relaxed);
    while DETACHED.load(Ordering::Relaxed) > 0 {
        py.detach(|| std::thread::sleep(Duration::from_millis(1)));
    }
}
