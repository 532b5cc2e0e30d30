//! Finds events in a stream of server-sent events (11.20), for the thread that reads the stream in Python.

use esclusa::sync;
use pyo3::prelude::*;

use crate::gil_cell::GilCell;

/// Reads the bytes of one stream in pieces.
#[pyclass(frozen, module = "esclusa._native")]
pub(crate) struct EventReader(GilCell<sync::EventReader>);

#[pymethods]
impl EventReader {
    #[new]
    fn new() -> Self {
        EventReader(GilCell::new(sync::EventReader::default()))
    }

    /// Whether these bytes end an event that is news.
    fn read(&self, py: Python<'_>, bytes: &[u8]) -> bool {
        self.0.with(py, |reader| reader.read(bytes))
    }
}
