//! Layers and switches (section 13 of SEMANTICS.md), and whether bytes are a snapshot at all.

use esclusa::sync::{self, LayerError, PREFIXES};
use esclusa::{Value, Violation};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyBytesMethods};

use crate::mapping::{Mapping, compiled};
use crate::process::detached;
use crate::writing::python;

/// Lays snapshots one over the other, the uppermost first, and gives the one that they make; None is a layer that has
/// said nothing yet, and no whole at all.
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

/// The switches among the variables of an environment, as a snapshot, and what is wrong with the others.
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

/// A decision of staying fresh that every host takes alike, as JSON (sections 11 and 13); None for no such question.
#[pyfunction]
pub(crate) fn decide(question: &str) -> Option<String> {
    let question = Value::from_json(question.as_bytes()).ok()?;
    sync::decide(&question).map(|answer| answer.to_json())
}

/// The revision of a snapshot that could be published, or of rows that a mapping reads; raises ValueError for any other.
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
