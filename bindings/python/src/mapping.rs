//! Mappings: which column of a table is which field of a flag (`spec/MAPPING.md`).

use std::sync::{Arc, Weak};

use esclusa::{FlagSet, SnapshotError, Value, Violation};
use esclusa_formats::{MappingError, Parameters, ReadError, Reading};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::process::detached;
use crate::writing::python;

/// A mapping with the parameters of the app.
#[pyclass(frozen, module = "esclusa._native")]
pub(crate) struct Mapping(esclusa_formats::Mapping);

#[pymethods]
impl Mapping {
    /// Reads TOML or JSON; the name is shown in the reading. Raises ValueError with the message, the place and the
    /// problem.
    #[new]
    #[pyo3(signature = (text, name=None))]
    fn new(text: &[u8], name: Option<String>) -> PyResult<Self> {
        let mapping = esclusa_formats::Mapping::from_text(text).map_err(|error| wrong(&error))?;
        Ok(Mapping(match name {
            Some(name) => mapping.named(name),
            None => mapping,
        }))
    }

    /// The same with one more parameter; raises ValueError as the constructor does.
    #[pyo3(name = "with_")]
    fn with(&self, name: &str, value: &str) -> PyResult<Self> {
        Ok(Mapping(self.0.clone().with(name, value).map_err(|error| wrong(&error))?))
    }

    /// Its name in the reading.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The names of its parameters.
    #[getter]
    fn parameters(&self) -> Vec<&str> {
        self.0.parameters()
    }

    /// As JSON, without parameters.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The rows as a snapshot that needs no mapping; raises ValueError as the constructor does, or with only a message
    /// if the bytes are not rows.
    fn snapshot<'py>(&self, rows: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyBytes>> {
        let (py, bytes) = (rows.py(), rows.as_bytes());
        let read = detached(py, || esclusa_formats::snapshot(bytes, &self.0).map(|snapshot| snapshot.to_json()));
        match read {
            Ok(snapshot) => Ok(PyBytes::new(py, snapshot.as_bytes())),
            Err(ReadError::Mapping(error)) => Err(wrong(&error)),
            Err(error) => Err(PyValueError::new_err(error.to_string())),
        }
    }
}

/// The mapping that comes with the rows (M34).
#[pyclass(frozen, module = "esclusa._native")]
pub(crate) struct Stored(esclusa_formats::Stored);

#[pymethods]
impl Stored {
    /// A state with parameters for the mapping that will come; raises ValueError as the constructor of a mapping does.
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "arguments that are converted arrive by value")]
    fn new(parameters: Vec<(String, String)>) -> PyResult<Self> {
        let given = parameters.iter().try_fold(Parameters::default(), |given, (name, value)| given.with(name, value));
        Ok(Stored(esclusa_formats::Stored::new(given.map_err(|error| wrong(&error))?)))
    }

    /// The mapping of these rows, None for a snapshot; raises ValueError as the constructor does, and for rows that
    /// have lost their mapping.
    fn mapping(&self, rows: &[u8]) -> PyResult<Option<Mapping>> {
        Ok(self.0.mapping(rows).map_err(|error| wrong(&error))?.map(Mapping))
    }

    /// Whether the last rows had a mapping.
    #[getter]
    fn is_mapped(&self) -> bool {
        self.0.is_mapped()
    }
}

/// Whether a document has a mapping.
#[pyfunction]
pub(crate) fn brings_mapping(rows: &[u8]) -> bool {
    esclusa::mapping_of(rows).is_some()
}

/// The error that Python converts to its own.
fn wrong(error: &MappingError) -> PyErr {
    PyValueError::new_err((error.to_string(), error.place().to_owned(), error.problem().to_owned()))
}

/// The flags of a snapshot, or of rows that a mapping reads, with the mapping's reading.
pub(crate) fn compiled(
    bytes: &[u8],
    strict: bool,
    mapping: Option<&Mapping>,
) -> Result<(FlagSet, Option<Reading>), ReadError> {
    let Some(Mapping(mapping)) = mapping else {
        let set = if strict { FlagSet::from_json_strict(bytes) } else { FlagSet::from_json(bytes) };
        return Ok((set?, None));
    };
    let (set, reading) = esclusa_formats::read(bytes, mapping)?;
    if strict && !set.violations().is_empty() {
        return Err(SnapshotError::Violations(set.violations().to_vec()).into());
    }
    Ok((set, Some(reading)))
}

/// The mapping's reading of the set that it made, which is shown only for that set.
#[derive(Clone, Default)]
pub(crate) struct Mapped(Weak<FlagSet>, Reading);

impl Mapped {
    pub(crate) fn new(set: &Arc<FlagSet>, understood: Reading) -> Self {
        Mapped(Arc::downgrade(set), understood)
    }

    /// The reading of a set (9.7).
    pub(crate) fn reading(&self, set: &Arc<FlagSet>) -> Value<'static> {
        let mut reading = set.reading().to_value();
        if std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(set)) {
            self.1.complete(&mut reading);
        }
        reading
    }
}

/// Why nothing is published, as JSON.
pub(crate) fn refused<'py>(py: Python<'py>, refusal: &ReadError) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    dict.set_item("outcome", "refused")?;
    dict.set_item("problem", refusal.to_string())?;
    dict.set_item("code", refusal.code())?;
    let violations: Vec<Value<'_>> = match refusal {
        ReadError::Snapshot(error) => error.violations().iter().map(Violation::to_value).collect(),
        _ => Vec::new(),
    };
    dict.set_item("violations", python(py, &violations.into())?)?;
    if let ReadError::Mapping(error) = refusal {
        dict.set_item("mapping", (error.place(), error.problem()))?;
    }
    Ok(dict.into_any())
}
