//! The state of the process: whether it is a fork, and whether it is about to end.
//!
//! The interpreter reports both, through Python, and both concern every handle, so this is the only module with a state
//! of its own.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use pyo3::prelude::*;

/// The number of forks between the first process and this one. A fork does nothing else.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Threads that work without the interpreter lock.
static DETACHED: AtomicUsize = AtomicUsize::new(0);

static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// A count of forks that was seen before.
pub(crate) struct Seen(AtomicU32);

impl Seen {
    pub(crate) fn new() -> Self {
        Seen(AtomicU32::new(FORKS.load(Ordering::Relaxed)))
    }

    /// Whether this process has not forked since.
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.0.load(Ordering::Relaxed) == FORKS.load(Ordering::Relaxed)
    }

    /// Stores the current count; returns whether it had changed.
    pub(crate) fn renew(&self) -> bool {
        let forks = FORKS.load(Ordering::Relaxed);
        self.0.swap(forks, Ordering::Relaxed) != forks
    }

    /// Makes the next call check again.
    pub(crate) fn take_back(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Works while other threads run Python, unless the interpreter is ending: before Python 3.14 it then ends each thread
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

/// Called in a fork: the threads of the parent do not exist in it.
#[pyfunction]
pub(crate) fn _forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    DETACHED.store(0, Ordering::Relaxed);
}

/// Called when the interpreter is about to end; waits until no thread works without its lock.
#[pyfunction]
pub(crate) fn _end(py: Python<'_>) {
    IS_ENDING.store(true, Ordering::Relaxed);
    while DETACHED.load(Ordering::Relaxed) > 0 {
        py.detach(|| std::thread::sleep(Duration::from_millis(1)));
    }
}
