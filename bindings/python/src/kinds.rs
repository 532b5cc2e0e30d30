//! Values of Python without an equivalent in JSON that have a plain meaning: enums, numbers and lists of other
//! libraries, lazy texts, and objects with fields (sentence 12.5 of SEMANTICS.md). Any other object logs one warning.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use esclusa::{Time, Value};
use pyo3::exceptions::{PyBaseException, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyBytes, PyComplex, PyDate, PyDict, PyInt, PyMemoryView, PyString, PyType};

use crate::reading::{self, Lost};

/// The limit of a list in a snapshot: an iterator may have no end.
const MAX_ELEMENTS: usize = esclusa::limit::MAX_LIST_ENTRIES;

/// An object with all of these methods of `str` stands for a text.
const OF_TEXTS: [&str; 3] = ["encode", "startswith", "casefold"];

/// The JSON value of such an object; null if it has none, which is then lost.
///
/// # Errors
/// Any error of reading it, and a `ValueError` if it is nested too deep or has no end.
pub(crate) fn json(object: &Bound<'_, PyAny>, depth: usize, lost: &mut Lost) -> PyResult<Value<'static>> {
    let class = object.get_type();
    let is_of_none = object.is_instance_of::<PyType>()
        || object.is_instance_of::<PyBytes>()
        || object.is_instance_of::<PyByteArray>()
        || object.is_instance_of::<PyMemoryView>()
        || object.is_instance_of::<PyComplex>();
    if is_of_none {
        return Ok(lost.note(object));
    }
    let has = |name: &str| class.hasattr(name);
    if object.is_instance(enum_class(object.py())?)? {
        return reading::json(&object.getattr("value")?, depth, lost);
    }
    if has("dtype")? && has("ndim")? {
        // A numpy array has all methods of a number.
        let is_scalar = object.getattr("ndim")?.eq(0)? && has("item")?;
        return if is_scalar { scalar(object, depth, lost) } else { elements(object, depth, lost) };
    }
    if has("model_dump")? {
        return reading::json(&object.call_method0("model_dump")?, depth, lost);
    }
    if has("__dataclass_fields__")? {
        return fields(object, &class.getattr("__dataclass_fields__")?, depth, lost);
    }
    if has("__attrs_attrs__")? {
        let names = PyDict::new(object.py());
        for attribute in class.getattr("__attrs_attrs__")?.try_iter()? {
            names.set_item(attribute?.getattr("name")?, true)?;
        }
        return fields(object, &names, depth, lost);
    }
    // Also by the class that a proxy claims, such as Django's lazy objects and Werkzeug's locals.
    if object.is_instance(&object.py().get_type::<PyString>())?
        || OF_TEXTS.iter().all(|name| has(name).unwrap_or_default())
    {
        return Ok(reading::text(&object.str()?)?.into());
    }
    if has("__index__")?
        && let Some(number) = unless_type_error(object.call_method0("__index__"), object.py())?
    {
        return reading::json(number.cast_into::<PyInt>()?.as_any(), depth, lost);
    }
    if has("__iter__")? {
        return elements(object, depth, lost);
    }
    if has("__float__")? {
        return Ok(object.extract::<f64>()?.into());
    }
    Ok(lost.note(object))
}

/// The text of an object that is an id by its class's own `__str__` (3.10), as those of `bson.ObjectId` and of many
/// classes for ULIDs are. A number, a time, a collection, an exception, a class and a row of an object-relational mapper
/// are no ids: their texts are for people.
///
/// # Errors
/// Whatever its `__str__` raises.
pub(crate) fn id(object: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    const OF_OTHERS: [&str; 7] = ["__iter__", "__len__", "__getitem__", "dtype", "pk", "_meta", "__mapper__"];
    let (py, class) = (object.py(), object.get_type());
    let has = |name: &&str| class.hasattr(*name).unwrap_or(true);
    let is_other = object.is_instance_of::<PyType>()
        || object.is_instance_of::<PyDate>()
        || object.is_instance_of::<PyBaseException>()
        || object.is_instance(enum_class(py)?)?
        || OF_OTHERS.iter().any(has)
        || has(&"__float__") && !has(&"__index__");
    if is_other || class.getattr("__str__")?.is(&py.get_type::<PyAny>().getattr("__str__")?) {
        return Ok(None);
    }
    let text = reading::text(&object.str()?)?;
    // The default text of `object` contains its address in memory.
    Ok(Some(text).filter(|text| !text.is_empty() && !text.contains(" at 0x")))
}

/// None if a proxy has a method that its object does not have.
fn unless_type_error<T>(result: PyResult<T>, py: Python<'_>) -> PyResult<Option<T>> {
    match result {
        Err(error) if error.is_instance_of::<PyTypeError>(py) => Ok(None),
        result => result.map(Some),
    }
}

fn enum_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static ENUM: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    ENUM.import(py, "enum", "Enum").map(Bound::as_any)
}

/// A number, boolean, text or time of numpy.
fn scalar(object: &Bound<'_, PyAny>, depth: usize, lost: &mut Lost) -> PyResult<Value<'static>> {
    let kind = object.getattr("dtype")?.getattr_opt("kind")?;
    if kind.is_some_and(|kind| kind.eq("M").unwrap_or_default()) {
        // Its own `item` would be a number of nanoseconds.
        let text = reading::text(&object.str()?)?;
        return Ok(if Time::parse(&text).is_some() { text.into() } else { lost.note(object) });
    }
    let item = object.call_method0("item")?;
    if !item.get_type().is(object.get_type()) {
        return reading::json(&item, depth, lost);
    }
    Ok(item.extract::<f64>().map_or_else(|_| lost.note(object), Value::from))
}

/// An object of these fields.
fn fields(
    object: &Bound<'_, PyAny>,
    names: &Bound<'_, PyAny>,
    depth: usize,
    lost: &mut Lost,
) -> PyResult<Value<'static>> {
    let values = PyDict::new(object.py());
    for name in names.try_iter()? {
        let name = name?.cast_into()?;
        values.set_item(&name, object.getattr(&name)?)?;
    }
    reading::json(&values, depth, lost)
}

fn elements(object: &Bound<'_, PyAny>, depth: usize, lost: &mut Lost) -> PyResult<Value<'static>> {
    let depth = reading::deeper(depth)?;
    let mut elements = Vec::new();
    let Some(iterator) = unless_type_error(object.try_iter(), object.py())? else { return Ok(lost.note(object)) };
    for element in iterator {
        if elements.len() == MAX_ELEMENTS {
            let problem = format!("a list of the context is too long, expected at most {MAX_ELEMENTS} elements");
            return Err(PyValueError::new_err(problem));
        }
        elements.push(reading::json(&element?, depth, lost)?);
    }
    Ok(Value::List(elements))
}

/// Logs that a field of contexts has an unusable value, once for each field and class.
pub(crate) fn warn(py: Python<'_>, name: &str, what: &str, consequence: &str) {
    static WARNED: LazyLock<Mutex<HashSet<(String, String)>>> = LazyLock::new(Mutex::default);
    /// Names may come from callers, so their number is bounded.
    const MOST: usize = 1_000;
    {
        let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() >= MOST || !warned.insert((name.to_owned(), what.to_owned())) {
            return;
        }
    }
    let said = py.import("logging").and_then(|logging| {
        let text = "context: `%s` is %s, which %s";
        logging.call_method1("getLogger", ("esclusa",))?.call_method1("warning", (text, name, what, consequence))
    });
    if let Err(error) = said {
        // A log handler that raises must not make an evaluation fail.
        error.write_unraisable(py, None);
    }
}
