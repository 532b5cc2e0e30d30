//! Converts JSON to Python values.

use esclusa::Value;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// The Python value of a JSON value.
pub(crate) fn python<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Bool(value) => value.into_bound_py_any(py),
        Value::Integer(number) => number.into_bound_py_any(py),
        Value::Number(number) => number.into_bound_py_any(py),
        Value::Text(text) => text.as_ref().into_bound_py_any(py),
        Value::List(elements) => {
            let list = PyList::empty(py);
            elements.iter().try_for_each(|element| list.append(python(py, element)?))?;
            Ok(list.into_any())
        }
        Value::Object(fields) => {
            let dict = PyDict::new(py);
            fields.iter().try_for_each(|(name, value)| dict.set_item(name.as_ref(), python(py, value)?))?;
            Ok(dict.into_any())
        }
        // Null, and kinds that a later engine may add.
        _ => Ok(py.None().into_bound(py)),
    }
}
