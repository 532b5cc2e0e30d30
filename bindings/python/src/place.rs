//! Reads a plain dict in place: texts are borrowed, and nothing is copied.
//!
//! This is sound only while no Python code runs, so that the dict cannot change. It reads only exact `dict`, `list`,
//! `tuple`, `str`, `int`, `float`, `bool`, `None` and `uuid.UUID`, whose reading runs no Python code. For anything else
//! (a subclass, a time, another mapping, half a surrogate pair) it returns `None`, and `reading` copies instead.

use std::borrow::Cow;
use std::ffi::c_int;
use std::ptr;

use esclusa::{Context, Value};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use pyo3::{Borrowed, ffi};

use crate::reading::{MAX_DEPTH, MAX_VALUES, is_unreadable};
use crate::uuid;

/// The context of a dict, with a given targeting key in place of its own; `None` if the dict cannot be read in place.
///
/// # Safety
/// While the context lives, no Python code may run, and the interpreter lock may not be released.
pub(crate) unsafe fn context<'a>(dict: &'a Bound<'_, PyDict>, targeting_key: Option<&'a str>) -> Option<Context<'a>> {
    // SAFETY: the caller promises that the dict does not change.
    let mut fields = unsafe { entries(dict.as_borrowed(), 1, &mut { MAX_VALUES }) }?;
    // Of two fields with one name the last counts.
    fields.extend(targeting_key.map(|key| (Cow::Borrowed("targetingKey"), key.into())));
    Context::from_value(Value::Object(fields)).ok()
}

/// The fields of the JSON object of a dict; `None` if it cannot be read in place, or has more than `left` values.
unsafe fn entries<'a>(
    dict: Borrowed<'a, '_, PyDict>,
    depth: usize,
    left: &mut usize,
) -> Option<Vec<(Cow<'a, str>, Value<'a>)>> {
    *left = left.checked_sub(dict.len())?;
    let (py, mut at, mut fields) = (dict.py(), 0, Vec::with_capacity(dict.len() + 1));
    let (mut name, mut value) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `dict` is a dict that does not change, and the pointers are to variables of this function.
    while unsafe { ffi::PyDict_Next(dict.as_ptr(), &raw mut at, &raw mut name, &raw mut value) } != 0 {
        // SAFETY: the dict holds both, and does not change during 'a.
        let (name, value) =
            unsafe { (Borrowed::<'a, '_, PyAny>::from_ptr(py, name), Borrowed::<'a, '_, PyAny>::from_ptr(py, value)) };
        // SAFETY: as above.
        let name = unsafe { text(name) }?;
        // SAFETY: as above; a name that is not a text may have run Python code, and then nothing more is read.
        let read = unsafe { json(value, depth, left) }?;
        // Python code warns of a value that is not a text where one is expected.
        if depth == 1 && is_unreadable(name, &value, &read) {
            return None;
        }
        fields.push((Cow::Borrowed(name), read));
    }
    Some(fields)
}

/// The text of a `str`; `None` for any other object and for half a surrogate pair.
pub(crate) unsafe fn text<'a>(object: Borrowed<'a, '_, PyAny>) -> Option<&'a str> {
    let text = object.cast_exact::<PyString>().ok()?;
    let mut bytes = 0;
    // SAFETY: `text` is a `str`.
    let start = unsafe { ffi::PyUnicode_AsUTF8AndSize(text.as_ptr(), &raw mut bytes) };
    if start.is_null() {
        // SAFETY: clears the error that was just raised.
        unsafe { ffi::PyErr_Clear() };
        return None;
    }
    let bytes = usize::try_from(bytes).ok()?;
    // SAFETY: Python keeps the UTF-8 form of a `str` as long as the `str` itself, which is held during 'a.
    Some(unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(start.cast(), bytes)) })
}

/// The JSON value of an object; `None` if it cannot be read in place, or has more than `left` values.
unsafe fn json<'a>(object: Borrowed<'a, '_, PyAny>, depth: usize, left: &mut usize) -> Option<Value<'a>> {
    if object.cast_exact::<PyString>().is_ok() {
        // SAFETY: as this function's.
        return unsafe { text(object) }.map(Value::from);
    }
    if object.is_none() {
        return Some(Value::Null);
    }
    if let Ok(value) = object.cast_exact::<PyBool>() {
        return Some(value.is_true().into());
    }
    if object.cast_exact::<PyInt>().is_ok() {
        let mut beyond: c_int = 0;
        // SAFETY: `object` is an `int`.
        let number = unsafe { ffi::PyLong_AsLongLongAndOverflow(object.as_ptr(), &raw mut beyond) };
        return (beyond == 0).then(|| number.into());
    }
    if let Ok(number) = object.cast_exact::<PyFloat>() {
        return Some(number.value().into());
    }
    if depth >= MAX_DEPTH {
        return None;
    }
    if let Ok(list) = object.cast_exact::<PyList>() {
        *left = left.checked_sub(list.len())?;
        // SAFETY: the index is below the length, and the list holds its elements during 'a.
        let element =
            |at| unsafe { Borrowed::<'a, '_, PyAny>::from_ptr(list.py(), ffi::PyList_GetItem(list.as_ptr(), at)) };
        // SAFETY: as this function's.
        return (0..length(list.len())?)
            .map(|at| unsafe { json(element(at), depth + 1, left) })
            .collect::<Option<_>>()
            .map(Value::List);
    }
    if let Ok(tuple) = object.cast_exact::<PyTuple>() {
        *left = left.checked_sub(tuple.len())?;
        // SAFETY: the index is below the length, and the tuple holds its elements during 'a.
        let element =
            |at| unsafe { Borrowed::<'a, '_, PyAny>::from_ptr(tuple.py(), ffi::PyTuple_GetItem(tuple.as_ptr(), at)) };
        // SAFETY: as this function's.
        return (0..length(tuple.len())?)
            .map(|at| unsafe { json(element(at), depth + 1, left) })
            .collect::<Option<_>>()
            .map(Value::List);
    }
    if let Ok(dict) = object.cast_exact::<PyDict>() {
        // SAFETY: as this function's.
        return unsafe { entries(dict, depth + 1, left) }.map(Value::Object);
    }
    uuid::in_place(object).map(Value::from)
}

fn length(len: usize) -> Option<ffi::Py_ssize_t> {
    len.try_into().ok()
}
