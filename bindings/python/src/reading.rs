//! Reading what Python has as JSON, by copying it (sentences 12.4 and 12.5 of SEMANTICS.md).
//!
//! A value that JSON does not have is null, which is missing. An object that refers to itself is found by its depth.

use std::borrow::Cow;

use esclusa::{Context, Value};
use pyo3::exceptions::{PyException, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PySet, PyString,
    PyTuple, PyType,
};

use crate::{instant, uuid};

/// How deep a context may be nested: as deep as a snapshot.
pub(crate) const MAX_DEPTH: usize = esclusa::limit::MAX_NESTING_DEPTH;

/// The fields of a plain context.
pub(crate) type Fields = Vec<(Cow<'static, str>, Value<'static>)>;

/// The fields of a plain context: of a mapping.
///
/// # Errors
/// A `TypeError` if it is none, a `ValueError` if it is nested too deep, and whatever its reading raises.
pub(crate) fn fields(context: &Bound<'_, PyAny>) -> PyResult<Fields> {
    match context.cast::<PyMapping>() {
        Ok(mapping) => of_mapping(mapping, 1),
        Err(_) => Err(PyTypeError::new_err(format!(
            "expected a context: a Context, or a mapping such as {{'user': 'user-42', 'company': 'acme'}}, got {}",
            context.get_type().name()?
        ))),
    }
}

/// The engine's context of these fields: it knows what each name means.
///
/// # Errors
/// A `TypeError` if the engine takes them for no context.
pub(crate) fn context(fields: Fields) -> PyResult<Context<'static>> {
    Context::from_value(Value::Object(fields)).map_err(|problem| PyTypeError::new_err(problem.to_string()))
}

fn of_mapping(mapping: &Bound<'_, PyMapping>, depth: usize) -> PyResult<Fields> {
    // A list of its own: reading a value may run code that changes the mapping.
    let mut fields = Fields::new();
    for item in mapping.items()? {
        let (name, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        if let Ok(name) = name.cast::<PyString>() {
            fields.push((text(name)?.into(), json(&value, depth)?));
        }
    }
    Ok(fields)
}

/// The JSON value that an object is, or null for one that JSON does not have.
pub(crate) fn json(object: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value<'static>> {
    if let Ok(value) = object.cast::<PyString>() {
        return Ok(text(value)?.into());
    }
    if let Ok(value) = object.cast::<PyBool>() {
        return Ok(value.is_true().into());
    }
    if object.is_instance_of::<PyInt>() {
        // Too large even for a double is not finite, and so missing.
        return Ok(object
            .extract::<i64>()
            .map_or_else(|_| object.extract::<f64>().unwrap_or(f64::NAN).into(), Value::from));
    }
    if let Ok(value) = object.cast::<PyFloat>() {
        return Ok(value.value().into());
    }
    if let Ok(list) = object.cast::<PyList>() {
        return elements(&list.to_tuple(), depth);
    }
    if let Ok(tuple) = object.cast::<PyTuple>() {
        return elements(tuple, depth);
    }
    // Asking whether something is a mapping can run Python code of `abc`, and these are none.
    if object.is_none() || object.is_instance_of::<PyBytes>() {
        return Ok(Value::Null);
    }
    if object.is_instance_of::<PyDict>() {
        return Ok(Value::Object(of_mapping(object.cast()?, deeper(depth)?)?));
    }
    if let Ok(time) = object.cast::<PyDateTime>() {
        return Ok(instant::written(time)?.into());
    }
    if let Ok(date) = object.cast::<PyDate>() {
        return Ok(instant::day(date)?.into());
    }
    if object.is_instance_of::<PySet>() || object.is_instance_of::<PyFrozenSet>() {
        return in_order(object, depth);
    }
    if let Some(text) = uuid::written(object)? {
        return Ok(text.into());
    }
    if is_decimal(object)? {
        return decimal(object);
    }
    match object.cast::<PyMapping>() {
        Ok(mapping) => Ok(Value::Object(of_mapping(mapping, deeper(depth)?)?)),
        Err(_) => Ok(Value::Null),
    }
}

fn elements(tuple: &Bound<'_, PyTuple>, depth: usize) -> PyResult<Value<'static>> {
    let depth = deeper(depth)?;
    tuple.iter().map(|element| json(&element, depth)).collect::<PyResult<_>>().map(Value::List)
}

/// The elements of a set, sorted: a set has its texts in another order in each process. Elements that cannot be
/// compared stay in the order of the set.
fn in_order(set: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value<'static>> {
    let list = set.py().get_type::<PyList>().call1((set,))?.cast_into::<PyList>()?;
    match list.sort() {
        Err(interrupt) if !interrupt.is_instance_of::<PyException>(set.py()) => Err(interrupt),
        _ => elements(&list.to_tuple(), depth),
    }
}

fn is_decimal(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    object.is_instance(DECIMAL.import(object.py(), "decimal", "Decimal")?)
}

/// The double nearest to a `decimal.Decimal`; one that is not finite is missing.
fn decimal(object: &Bound<'_, PyAny>) -> PyResult<Value<'static>> {
    match object.extract::<f64>() {
        Ok(number) => Ok(number.into()),
        // A NaN of the kind that raises when it is touched.
        Err(error) if error.is_instance_of::<PyException>(object.py()) => Ok(Value::Null),
        Err(interrupt) => Err(interrupt),
    }
}

fn deeper(depth: usize) -> PyResult<usize> {
    if depth >= MAX_DEPTH {
        return Err(PyValueError::new_err(format!(
            "the context refers to itself or is nested too deep, expected at most {MAX_DEPTH} mappings and lists"
        )));
    }
    Ok(depth + 1)
}

/// The text of a `str`, with U+FFFD for each half of a surrogate pair.
pub(crate) fn text(text: &Bound<'_, PyString>) -> PyResult<String> {
    if let Ok(text) = text.to_str() {
        return Ok(text.to_owned());
    }
    let encoded = text.call_method1("encode", ("utf-16-le", "surrogatepass"))?;
    let units: Vec<u16> =
        encoded.cast::<PyBytes>()?.as_bytes().as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    Ok(String::from_utf16_lossy(&units))
}
