//! The arguments of the methods: contexts, keys, and lists of keys.

use std::borrow::Cow;

use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::caller::Context;
use crate::reading;

/// A context, copied if necessary.
pub(crate) enum Caller<'c> {
    Nobody,
    Held(&'c esclusa::Context<'static>),
    Copied(Box<esclusa::Context<'static>>),
}

impl Caller<'_> {
    pub(crate) fn get<'a>(&'a self, nobody: &'a esclusa::Context<'static>) -> &'a esclusa::Context<'static> {
        match self {
            Caller::Nobody => nobody,
            Caller::Held(context) => context,
            Caller::Copied(context) => context,
        }
    }
}

/// The context in a form that Python code cannot change, or what is wrong with it; an interrupt is returned as an
/// error.
pub(crate) fn copied<'c>(context: Option<&'c Bound<'_, PyAny>>) -> PyResult<Result<Caller<'c>, PyErr>> {
    let Some(context) = context.filter(|context| !context.is_none()) else { return Ok(Ok(Caller::Nobody)) };
    if let Ok(context) = context.cast_exact::<Context>() {
        return Ok(Ok(Caller::Held(&context.get().context)));
    }
    match reading::given(context).and_then(reading::Given::context) {
        Ok(context) => Ok(Ok(Caller::Copied(Box::new(context)))),
        Err(error) if error.is_instance_of::<PyException>(context.py()) => Ok(Err(error)),
        Err(interrupt) => Err(interrupt),
    }
}

/// A key as text; `None` if it is not a string.
pub(crate) fn key_of<'k>(key: &'k Bound<'_, PyAny>) -> PyResult<Option<Cow<'k, str>>> {
    let Ok(key) = key.cast::<PyString>() else { return Ok(None) };
    match key.to_str() {
        Ok(text) => Ok(Some(text.into())),
        Err(_) => Ok(Some(reading::text(key)?.into())),
    }
}

/// The chosen keys; one that is not a string names no flag.
pub(crate) fn chosen(keys: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Vec<String>>> {
    let Some(keys) = keys.filter(|keys| !keys.is_none()) else { return Ok(None) };
    if keys.is_instance_of::<PyString>() {
        return Err(PyTypeError::new_err("expected the keys as a list of strings, got one string"));
    }
    let mut chosen = Vec::new();
    for key in keys.try_iter()? {
        chosen.extend(key_of(&key?)?.map(Cow::into_owned));
    }
    Ok(Some(chosen))
}
