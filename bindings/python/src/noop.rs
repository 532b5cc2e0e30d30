//! A method that does nothing, to measure calls against: only with the feature `noop`, which no wheel has.

use pyo3::prelude::*;

/// What a call costs by itself.
#[pyclass(frozen, module = "esclusa._native")]
pub(crate) struct Noop;

#[pymethods]
impl Noop {
    #[new]
    fn new() -> Self {
        Noop
    }

    /// Takes two arguments and does nothing with them.
    fn call(&self, _key: &Bound<'_, PyAny>, _context: &Bound<'_, PyAny>) -> bool {
        false
    }
}
