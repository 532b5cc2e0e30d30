//! The protocol of staying fresh (section 11 of SEMANTICS.md), for the thread that drives it in Python.
//!
//! Each call holds the interpreter lock from beginning to end, so it needs no lock of its own, and no fork can happen
//! in the middle of one.

use esclusa::sync::{self, Action, Policy, Response};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::gil_cell::GilCell;
use crate::writing::python;

/// When to ask, what to ask, and what an answer means; all times are milliseconds of one monotonic clock.
#[pyclass(frozen, module = "esclusa._native")]
pub(crate) struct Protocol(GilCell<sync::Protocol>);

#[pymethods]
impl Protocol {
    /// A protocol that asks at once.
    #[new]
    #[pyo3(signature = (seed, *, interval_ms, jitter_percent, stale_after_ms, backoff_min_ms, backoff_max_ms, spread_ms))]
    fn new(
        seed: u64,
        interval_ms: u64,
        jitter_percent: u64,
        stale_after_ms: Option<u64>,
        backoff_min_ms: u64,
        backoff_max_ms: u64,
        spread_ms: u64,
    ) -> PyResult<Self> {
        let policy = Policy { interval_ms, jitter_percent, stale_after_ms, backoff_min_ms, backoff_max_ms, spread_ms };
        let protocol = sync::Protocol::new(policy, seed).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Protocol(GilCell::new(protocol)))
    }

    /// The next action: to wait for that many milliseconds, or to send a request with this entity tag and revision, and
    /// whether in full.
    fn next<'py>(&self, py: Python<'py>, now_ms: u64) -> PyResult<Bound<'py, PyAny>> {
        match self.0.with(py, |protocol| protocol.next(now_ms)) {
            Action::Wait { ms } => Ok(ms.into_pyobject(py)?.into_any()),
            Action::Ask(request) => Ok((request.etag, request.revision, request.in_full).into_pyobject(py)?.into_any()),
        }
    }

    /// A person asked for a refresh.
    fn refresh(&self, py: Python<'_>, now_ms: u64) {
        self.0.with(py, |protocol| protocol.refresh(now_ms));
    }

    /// The source has news.
    fn notified(&self, py: Python<'_>, now_ms: u64) {
        self.0.with(py, |protocol| protocol.notified(now_ms));
    }

    /// The connection for notifications was lost.
    fn disconnected(&self, py: Python<'_>, now_ms: u64) {
        self.0.with(py, |protocol| protocol.disconnected(now_ms));
    }

    /// This process is a fork of one that had published.
    #[pyo3(signature = (now_ms, revision))]
    fn inherited(&self, py: Python<'_>, now_ms: u64, revision: Option<u64>) {
        self.0.with(py, |protocol| protocol.inherited(now_ms, revision));
    }

    /// Whether these are the bytes that the source sent last.
    fn is_known(&self, py: Python<'_>, bytes: &[u8]) -> bool {
        self.0.with(py, |protocol| protocol.is_known(bytes))
    }

    /// Something other than an answer was published.
    #[pyo3(signature = (now_ms, revision))]
    #[expect(clippy::wrong_self_convention, reason = "it is an event, named as the others are")]
    fn from_cache(&self, py: Python<'_>, now_ms: u64, revision: Option<u64>) {
        self.0.with(py, |protocol| protocol.from_cache(now_ms, revision));
    }

    /// An answer was published.
    #[pyo3(signature = (now_ms, revision, etag))]
    fn published(&self, py: Python<'_>, now_ms: u64, revision: Option<u64>, etag: Option<String>) {
        self.receive(py, now_ms, Response::Published { revision, etag });
    }

    /// An answer was not published, because its revision is older than the current one.
    fn older(&self, py: Python<'_>, now_ms: u64, revision: u64, current: u64) {
        self.receive(py, now_ms, Response::Older { revision, current });
    }

    /// The source answered that nothing has changed.
    fn not_modified(&self, py: Python<'_>, now_ms: u64) {
        self.receive(py, now_ms, Response::NotModified);
    }

    /// There was no usable answer.
    #[pyo3(signature = (now_ms, error, retry_after_ms))]
    fn failed(&self, py: Python<'_>, now_ms: u64, error: String, retry_after_ms: Option<u64>) {
        self.receive(py, now_ms, Response::Failure { error, retry_after_ms });
    }

    /// The status, as JSON (11.13).
    fn status<'py>(&self, py: Python<'py>, now_ms: u64) -> PyResult<Bound<'py, PyDict>> {
        let status = self.0.with(py, |protocol| protocol.status(now_ms));
        Ok(python(py, &status.to_value())?.cast_into()?)
    }
}

impl Protocol {
    fn receive(&self, py: Python<'_>, now_ms: u64, response: Response) {
        self.0.with(py, |protocol| protocol.receive(now_ms, response));
    }
}
