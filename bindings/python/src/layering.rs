//! Layers and switches (section 13 of SEMANTICS.md), and a check whether bytes are a snapshot.

use esclusa::sync::{self, LayerError, PREFIXES};
use esclusa::{Value, Violation};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyBytesMethods};

use crate::mapping::{Mapping, compiled};
use crate::process::detached;
use crate::writing::python;

/// Merges snapshots, the uppermost first; None is a layer that has not answered yet, and the result without a merged
/// snapshot.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "arguments that are converted arrive by value")]
pub(crate) fn layered<'py>(
    py: Python<'py>,
    layers: Vec<Option<Bound<'py, PyBytes>>>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let layers: Vec<Option<&[u8]>> = layers.iter().map(|layer| layer.as_ref().map(PyBytesMethods::as_bytes)).collect();
    let whole = detached(py, || sync::layered(&layers)).map_err(|LayerError { layer, error }| {
        let text = error.to_string();
        PyValueError::new_err((text, layer))
    })?;
    Ok(whole.map(|bytes| PyBytes::new(py, &bytes)))
}

/// The switches of environment variables, as a snapshot, and the violations of the others.
#[pyfunction]
#[pyo3(signature = (variables, prefixes=None))]
#[expect(clippy::needless_pass_by_value, reason = "arguments that are converted arrive by value")]
pub(crate) fn switches<'py>(
    py: Python<'py>,
    variables: Vec<(String, String)>,
    prefixes: Option<Vec<String>>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyAny>)> {
    let read = match &prefixes {
        Some(prefixes) => sync::switches(variables, prefixes),
        None => sync::switches(variables, &PREFIXES),
    };
    let violations: Vec<_> = read.violations.iter().map(Violation::to_value).collect();
    Ok((PyBytes::new(py, &read.snapshot), python(py, &violations.into())?))
}

/// A decision of staying fresh that is the same in every host, as JSON (sections 11 and 13); None for an unknown
/// question.
#[pyfunction]
pub(crate) fn decide(question: &str) -> Option<String> {
    let question = Value::from_json(question.as_bytes()).ok()?;
    sync::decide(&question).map(|answer| answer.to_json())
}

/// The revision of a valid snapshot, or of rows that a mapping reads; raises ValueError for any other.
#[pyfunction]
#[pyo3(signature = (snapshot, mapping=None))]
pub(crate) fn revision_of(
    py: Python<'_>,
    snapshot: &Bound<'_, PyBytes>,
    mapping: Option<&Bound<'_, Mapping>>,
) -> PyResult<Option<u64>> {
    let (bytes, mapping) = (snapshot.as_bytes(), mapping.map(Bound::get));
    let set = detached(py, || compiled(bytes, false, mapping));
    Ok(set.map_err(|refusal| PyValueError::new_err(refusal.to_string()))?.0.revision())
}
