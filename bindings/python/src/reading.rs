//! Reads Python values as JSON, by copying them (sentences 12.4 and 12.5 of SEMANTICS.md).
//!
//! A value without an equivalent in JSON is null, which is missing. The limit on the depth finds an object that refers
//! to itself.

use std::borrow::Cow;

use esclusa::{Context, Value};
use pyo3::exceptions::{PyException, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PySet, PyString,
    PyTuple, PyType,
};

use crate::{instant, kinds, uuid};

/// The maximum depth of a context: that of a snapshot.
pub(crate) const MAX_DEPTH: usize = esclusa::limit::MAX_NESTING_DEPTH;

/// The fields of a plain context.
pub(crate) type Fields = Vec<(Cow<'static, str>, Value<'static>)>;

/// A context that is being read: its fields, and the fixed ones whose value is not a text (3.10).
#[derive(Clone, Default)]
pub(crate) struct Given {
    pub(crate) fields: Fields,
    unreadable: Vec<(Cow<'static, str>, String)>,
    /// The number of values so far.
    values: usize,
}

/// The maximum number of values in a context. A list may occur in many places: thirty lists, each twice in the next,
/// are a thousand million values.
pub(crate) const MAX_VALUES: usize = 1_000_000;

/// Facts collected while reading: the class of the first object without an equivalent in JSON, and the number of
/// values.
#[derive(Default)]
pub(crate) struct Lost {
    class: Option<String>,
    values: usize,
}

impl Lost {
    /// Counts a value.
    fn count(&mut self) -> PyResult<()> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(PyValueError::new_err("the context holds more than 1000000 values, expected fewer"));
        }
        Ok(())
    }

    /// Null for an object without an equivalent in JSON.
    pub(crate) fn note(&mut self, object: &Bound<'_, PyAny>) -> Value<'static> {
        self.class.get_or_insert_with(|| what(object));
        Value::Null
    }
}

/// A description of an object, for messages.
fn what(object: &Bound<'_, PyAny>) -> String {
    format!("a `{}`", object.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string()))
}

/// Whether an object that is read as this value is not a text in a field that expects one.
pub(crate) fn is_unreadable(name: &str, object: &Bound<'_, PyAny>, value: &Value<'_>) -> bool {
    !matches!(value, Value::Text(_) | Value::Integer(_))
        && matches!(name, "user" | "targetingKey" | "company" | "plan" | "region")
        && !object.is_none()
}

impl Given {
    /// Adds a field, and logs a warning for a value that cannot be used.
    ///
    /// # Errors
    /// A `ValueError` if it is nested too deep, and any error of reading it.
    pub(crate) fn put(&mut self, name: Cow<'static, str>, object: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut lost = Lost { class: None, values: self.values };
        let mut value = json(object, 1, &mut lost)?;
        self.values = lost.values;
        let py = object.py();
        if is_unreadable(&name, object, &value)
            && let Some(id) = kinds::id(object)?
        {
            (value, lost) = (id.into(), Lost::default());
        }
        if is_unreadable(&name, object, &value) {
            let consequence = match name.as_ref() {
                "plan" | "region" => "is no text: it counts as missing",
                _ => "is no text: it counts as missing, and a flag with `overrides.off` for it is off",
            };
            let what = what(object);
            kinds::warn(py, &name, &what, consequence);
            // Null would be missing, also in a copy of the context.
            if value == Value::Null {
                value = Value::Object(Vec::new());
            }
            self.unreadable.push((name.clone(), what));
        } else if let Some(what) = lost.class {
            let consequence = match object.is_instance_of::<PyString>() || value == Value::Null {
                true => "is no value of JSON: it counts as missing",
                false => "is inside and is no value of JSON: it counts as missing there",
            };
            kinds::warn(py, &name, &what, consequence);
        }
        self.fields.push((name, value));
        Ok(())
    }

    /// The engine's context of these fields.
    ///
    /// # Errors
    /// A `TypeError` if the engine refuses them.
    pub(crate) fn context(self) -> PyResult<Context<'static>> {
        let context = Context::from_value(Value::Object(self.fields))
            .map_err(|problem| PyTypeError::new_err(problem.to_string()))?;
        Ok(self.unreadable.into_iter().fold(context, |context, (name, what)| context.unreadable(&name, what)))
    }
}

/// A plain context: a mapping.
///
/// # Errors
/// A `TypeError` if it is not one, a `ValueError` if it is nested too deep, and any error of reading it.
pub(crate) fn given(context: &Bound<'_, PyAny>) -> PyResult<Given> {
    let Ok(mapping) = context.cast::<PyMapping>() else {
        return Err(PyTypeError::new_err(format!(
            "expected a context: a Context, or a mapping such as {{'user': 'user-42', 'company': 'acme'}}, got {}",
            context.get_type().name()?
        )));
    };
    let mut given = Given::default();
    for_each(mapping, |name, value| given.put(name.into(), value))?;
    Ok(given)
}

fn for_each(
    mapping: &Bound<'_, PyMapping>,
    mut each: impl FnMut(String, &Bound<'_, PyAny>) -> PyResult<()>,
) -> PyResult<()> {
    // A copied list: reading a value may run code that changes the mapping.
    for item in mapping.items()? {
        let (name, value) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        if let Ok(name) = name.cast::<PyString>() {
            each(text(name)?, &value)?;
        }
    }
    Ok(())
}

fn of_mapping(mapping: &Bound<'_, PyMapping>, depth: usize, lost: &mut Lost) -> PyResult<Fields> {
    let mut fields = Fields::new();
    for_each(mapping, |name, value| {
        fields.push((name.into(), json(value, depth, lost)?));
        Ok(())
    })?;
    Ok(fields)
}

/// The JSON value of an object, or null if it has none.
pub(crate) fn json(object: &Bound<'_, PyAny>, depth: usize, lost: &mut Lost) -> PyResult<Value<'static>> {
    lost.count()?;
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
        return elements(&list.to_tuple(), depth, lost);
    }
    if let Ok(tuple) = object.cast::<PyTuple>() {
        return elements(tuple, depth, lost);
    }
    if object.is_none() {
        return Ok(Value::Null);
    }
    if object.is_instance_of::<PyDict>() {
        return Ok(Value::Object(of_mapping(object.cast()?, deeper(depth)?, lost)?));
    }
    if let Ok(time) = object.cast::<PyDateTime>() {
        return Ok(instant::written(time)?.map_or_else(|| lost.note(object), Value::from));
    }
    if let Ok(date) = object.cast::<PyDate>() {
        return Ok(instant::day(date)?.into());
    }
    if object.is_instance_of::<PySet>() || object.is_instance_of::<PyFrozenSet>() {
        return in_order(object, depth, lost);
    }
    if let Some(text) = uuid::written(object)? {
        return Ok(text.into());
    }
    if is_decimal(object)? {
        return decimal(object, lost);
    }
    // The check whether something is a mapping can run Python code of `abc`.
    match object.cast::<PyMapping>() {
        Ok(mapping) => Ok(Value::Object(of_mapping(mapping, deeper(depth)?, lost)?)),
        Err(_) => kinds::json(object, depth, lost),
    }
}

fn elements(tuple: &Bound<'_, PyTuple>, depth: usize, lost: &mut Lost) -> PyResult<Value<'static>> {
    let depth = deeper(depth)?;
    tuple.iter().map(|element| json(&element, depth, lost)).collect::<PyResult<_>>().map(Value::List)
}

/// The elements of a set, sorted: the order of texts in a set differs between processes. Elements that cannot be
/// compared stay in the set's order.
fn in_order(set: &Bound<'_, PyAny>, depth: usize, lost: &mut Lost) -> PyResult<Value<'static>> {
    let list = set.py().get_type::<PyList>().call1((set,))?.cast_into::<PyList>()?;
    match list.sort() {
        Err(interrupt) if !interrupt.is_instance_of::<PyException>(set.py()) => Err(interrupt),
        _ => elements(&list.to_tuple(), depth, lost),
    }
}

fn is_decimal(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    object.is_instance(DECIMAL.import(object.py(), "decimal", "Decimal")?)
}

/// The whole number of a `decimal.Decimal`, or the nearest double; one that is not finite is missing.
fn decimal(object: &Bound<'_, PyAny>, lost: &mut Lost) -> PyResult<Value<'static>> {
    match object.extract::<f64>() {
        Ok(number) if number.is_finite() => {
            // Small enough to be written out in digits quickly.
            let whole = (number.abs() < 1e19).then(|| object.call_method0("__int__")).transpose()?;
            let whole = whole.filter(|whole| whole.eq(object).unwrap_or_default());
            Ok(whole.and_then(|whole| whole.extract::<i64>().ok()).map_or_else(|| number.into(), Value::from))
        }
        Ok(_) => Ok(lost.note(object)),
        // A signalling NaN raises on any use.
        Err(error) if error.is_instance_of::<PyException>(object.py()) => Ok(lost.note(object)),
        Err(interrupt) => Err(interrupt),
    }
}

pub(crate) fn deeper(depth: usize) -> PyResult<usize> {
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
