//! The context for Python: an immutable copy (sentence 12.6 of SEMANTICS.md).

use std::borrow::Cow;

use esclusa::Value;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString, PyType};

use crate::reading::{self, Fields, Given};
use crate::writing::python;

/// Everything that the app knows about the caller. Immutable, and prepared for evaluating many flags.
#[pyclass(frozen, module = "esclusa._native")]
pub(crate) struct Context {
    pub(crate) context: esclusa::Context<'static>,
    /// The fields that it was made from: the engine's context cannot return them.
    fields: Fields,
}

/// Python aligns its objects to two pointers.
const _: () = assert!(align_of::<esclusa::Context<'_>>() <= 2 * size_of::<usize>());

impl Context {
    fn new(given: Given) -> PyResult<Self> {
        Ok(Context { fields: given.fields.clone(), context: given.context()? })
    }
}

#[pymethods]
impl Context {
    #[new]
    #[pyo3(
        signature = (targeting_key=None, *, company=None, plan=None, region=None, roles=None, **attributes),
        text_signature = "(targeting_key=None, *, company=None, plan=None, region=None, roles=None, **attributes)"
    )]
    fn given(
        targeting_key: Option<&Bound<'_, PyAny>>,
        company: Option<&Bound<'_, PyAny>>,
        plan: Option<&Bound<'_, PyAny>>,
        region: Option<&Bound<'_, PyAny>>,
        roles: Option<&Bound<'_, PyAny>>,
        attributes: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        if let Some(mapping) =
            targeting_key.filter(|key| key.is_instance_of::<PyDict>() || key.cast::<PyMapping>().is_ok())
        {
            return Err(PyTypeError::new_err(format!(
                "the targeting key is a {}, expected a string; Context.from_mapping reads the fields of a mapping",
                mapping.get_type().name()?
            )));
        }
        let mut given = Given::default();
        // The argument counts before both names among the attributes (12.6), and `targetingKey` before `user`.
        let named = |name: &str| attributes.map_or(Ok(false), |attributes| attributes.contains(name));
        let key = if named("user")? || named("targetingKey")? { "targetingKey" } else { "user" };
        let fixed = [(key, targeting_key), ("company", company), ("plan", plan), ("region", region), ("roles", roles)];
        for (name, value) in fixed {
            if let Some(value) = value {
                given.put(Cow::Borrowed(name), value)?;
            }
        }
        for (name, value) in attributes.into_iter().flatten() {
            let name = reading::text(name.cast::<PyString>()?)?;
            if name != "targetingKey" || targeting_key.is_none() {
                given.put(name.into(), &value)?;
            }
        }
        Context::new(given)
    }

    /// The context that a mapping describes, such as `{"user": "user-42", "company": "acme", "seats": 12}`.
    #[classmethod]
    fn from_mapping(_class: &Bound<'_, PyType>, mapping: &Bound<'_, PyAny>) -> PyResult<Self> {
        reading::given(mapping).and_then(Context::new)
    }

    /// The string that identifies the caller, or None.
    #[getter]
    fn targeting_key(&self) -> Option<&str> {
        self.context.targeting_key()
    }

    /// The context as a dict, as `from_mapping` reads it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, value) in self.fields.iter().filter(|(_, value)| *value != Value::Null) {
            dict.set_item(name.as_ref(), python(py, value)?)?;
        }
        Ok(dict)
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, Self>) -> PyResult<bool> {
        self.to_dict(py)?.eq(other.get().to_dict(py)?)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyDict>,))> {
        Ok((slf.get_type().getattr("from_mapping")?, (slf.get().to_dict(slf.py())?,)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Context.from_mapping({})", self.to_dict(py)?.repr()?))
    }
}
