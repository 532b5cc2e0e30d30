//! A cell that is accessed under the interpreter lock.
//!
//! A mutex would cost as much as the operation that it protects here: loading the current flag set.

use std::cell::UnsafeCell;

use pyo3::Python;

/// A value that only the holder of the interpreter lock can access.
pub(crate) struct GilCell<T>(UnsafeCell<T>);

// SAFETY: `with` needs the interpreter lock, and the module declares that it needs one (`gil_used`).
unsafe impl<T: Send> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    pub(crate) fn new(inner: T) -> Self {
        GilCell(UnsafeCell::new(inner))
    }

    /// Runs a function with the value. The function must neither run Python code, nor release the lock, nor use this
    /// cell again: it is a function of the engine, which knows no Python.
    #[inline]
    pub(crate) fn with<R>(&self, _lock: Python<'_>, turn: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the lock is held until the function returns.
        turn(unsafe { &mut *self.0.get() })
    }
}
