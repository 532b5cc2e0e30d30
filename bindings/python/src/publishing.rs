//! Publishing: from bytes to the current set.
//!
//! The interpreter lock is held during the swap, so that no fork can happen in the middle of it; other threads run
//! during parsing and compiling, which take long.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arguments::key_of;
use crate::flags::Flags;
use crate::mapping::{Mapped, Mapping, compiled, refused};
use crate::process::detached;
use crate::writing::python;

impl Flags {
    /// Publishes a snapshot; the report, or why it was refused, as JSON.
    pub(crate) fn swap<'py>(
        &self,
        py: Python<'py>,
        snapshot: &Bound<'py, PyAny>,
        strict: bool,
        accept_older: bool,
        mapping: Option<&Mapping>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.heal(py);
        let text;
        let bytes = if let Ok(bytes) = snapshot.cast::<PyBytes>() {
            bytes.as_bytes()
        } else if let Some(given) = key_of(snapshot)? {
            text = given;
            text.as_bytes()
        } else {
            let kind = snapshot.get_type();
            return Err(PyTypeError::new_err(format!("expected the snapshot as str or bytes, got {}", kind.name()?)));
        };
        let (set, understood) = match detached(py, || compiled(bytes, strict, mapping)) {
            Ok(compiled) => compiled,
            Err(refusal) => return refused(py, &refusal),
        };
        let report = if accept_older { self.flags.publish_accepting_older(set) } else { self.flags.publish(set) };
        let mut said = report.to_value();
        if let Some(understood) = understood {
            understood.complete_report(&mut said);
            if report.is_published() {
                let mapped = Mapped::new(&self.flags.current(), understood);
                self.mapped.with(py, |place| *place = mapped);
            }
        }
        self.release(py);
        python(py, &said)
    }

    /// Releases the set that was replaced, so that it is freed.
    pub(crate) fn release(&self, py: Python<'_>) {
        self.reader.with(py, |(reader, _)| reader.refresh());
        let held = self.held.with(py, Option::take);
        drop(held);
        self.flags.sweep();
    }
}
