//! Something that threads use in turns, and the interpreter lock says whose turn it is.
//!
//! A mutex would do too, and costs as much as what it would protect here: a look at the current flag set.

use std::cell::UnsafeCell;

use pyo3::Python;

/// Something that only who holds the interpreter lock gets at.
pub(crate) struct GilCell<T>(UnsafeCell<T>);

// SAFETY: `with` needs the interpreter lock, and the module declares that it needs one (`gil_used`).
unsafe impl<T: Send> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    pub(crate) fn new(inner: T) -> Self {
        GilCell(UnsafeCell::new(inner))
    }

    /// Uses it. What is done must neither run Python code, nor let go of the lock, nor take another turn: it is a
    /// function of the engine, which knows no Python.
    #[inline]
    pub(crate) fn with<R>(&self, _lock: Python<'_>, turn: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the lock is held, and is not let go of before the turn is over.
        turn(unsafe { &mut *self.0.get() })
    }
}
