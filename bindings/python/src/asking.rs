//! Evaluates one flag: on the fast path, with an override, or without an answer.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use esclusa::{FlagSet, Time};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::arguments::{copied, key_of};
use crate::caller::Context;
use crate::flags::Flags;
use crate::place;
use crate::resolution::Resolution;

/// The error code of a context of the wrong shape (12.1); the engine, which never gets such a context, does not have
/// it.
pub(crate) const INVALID_CONTEXT: &str = "INVALID_CONTEXT";

impl Flags {
    /// Whether the flag is on, on the fast path: with a prepared context, or a dict that can be read in place.
    #[inline]
    pub(crate) fn is_on(&self, key: &Bound<'_, PyAny>, context: Option<&Bound<'_, PyAny>>) -> Option<bool> {
        let key = key.cast_exact::<PyString>().ok()?;
        // Before the cell is used and the dict is read: half a surrogate pair raises an error, and allocating that may
        // run the garbage collector, and so any Python code. SAFETY: the caller holds the key during this function.
        let text = unsafe { place::text(key.as_any().as_borrowed()) }?;
        let ask = |context: &esclusa::Context<'_>| {
            self.reader.with(key.py(), |(reader, recent)| match recent.find(key, text, &self.flags) {
                Some(known) => reader.is_enabled(known, context),
                None => reader.is_enabled(text, context),
            })
        };
        let Some(context) = context else { return Some(ask(&self.nobody)) };
        if let Ok(context) = context.cast_exact::<Context>() {
            return Some(ask(&context.get().context));
        }
        if let Ok(dict) = context.cast_exact::<PyDict>() {
            // SAFETY: the engine runs no Python code and does not release the interpreter lock.
            return unsafe { place::context(dict, None) }.map(|context| ask(&context));
        }
        context.is_none().then(|| ask(&self.nobody))
    }

    /// The flag's answer at a time (by default now), or why there is none (12.1): an error of the key comes before one
    /// of the context.
    pub(crate) fn ask<'s>(
        &self,
        set: &'s FlagSet,
        key: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
        now: Option<Time>,
    ) -> PyResult<Result<esclusa::Resolution<'s>, &'static str>> {
        self.ask_with(set, key, context, None, now)
    }

    /// The same with a targeting key that replaces the context's own.
    pub(crate) fn ask_with<'s>(
        &self,
        set: &'s FlagSet,
        key: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
        targeting_key: Option<&Bound<'_, PyAny>>,
        now: Option<Time>,
    ) -> PyResult<Result<esclusa::Resolution<'s>, &'static str>> {
        // An empty key names no flag, and neither does a value that is not a string.
        let text = key_of(key)?.unwrap_or_default();
        let resolve = |context: &esclusa::Context<'_>| {
            let clock = || now.unwrap_or_else(|| SystemTime::now().into());
            let Ok(key) = key.cast_exact::<PyString>() else { return set.resolve_by(&*text, context, clock) };
            self.reader.with(key.py(), |(_, recent)| match recent.find(key, &text, &self.flags) {
                Some(known) => set.resolve_by(known, context, clock),
                None => set.resolve_by(&*text, context, clock),
            })
        };
        // Before the dict is read, as above. SAFETY: the caller holds it during this function.
        let own = targeting_key.map(|own| unsafe { place::text(own.as_borrowed()) });
        let dict = context.and_then(|context| context.cast_exact::<PyDict>().ok());
        if let Some(dict) = dict.filter(|_| own != Some(None)) {
            // SAFETY: the engine runs no Python code and does not release the interpreter lock, and the resolution
            // borrows nothing from the context.
            if let Some(context) = unsafe { place::context(dict, own.flatten()) } {
                return Ok(answered(resolve(&context)));
            }
        }
        let merged = targeting_key.map(|own| merged(context, own)).transpose()?;
        Ok(match copied(merged.as_ref().or(context))? {
            Ok(context) => answered(resolve(context.get(&self.nobody))),
            Err(_) => answered(resolve(&self.nobody)).and(Err(INVALID_CONTEXT)),
        })
    }

    /// The override of the flag in this thread or task.
    #[inline]
    pub(crate) fn overridden<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Resolution>>> {
        if self.overriding.load(Ordering::Relaxed) == 0 {
            return Ok(None);
        }
        let (Some(answers), Ok(key)) = (self.all_overridden(key.py())?, key.cast::<PyString>()) else {
            return Ok(None);
        };
        Ok(answers.get_item(key)?.map(Bound::cast_into).transpose()?)
    }

    /// All overrides of this thread or task.
    pub(crate) fn all_overridden<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        if self.overriding.load(Ordering::Relaxed) == 0 {
            return Ok(None);
        }
        let innermost = self.overrides.bind(py).call_method1("get", (py.None(),))?;
        if innermost.is_none() {
            return Ok(None);
        }
        Ok(Some(innermost.call_method0("answers")?.cast_into()?))
    }
}

/// A mapping with another targeting key.
fn merged<'py>(mapping: Option<&Bound<'py, PyAny>>, targeting_key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(targeting_key.py());
    if let Some(mapping) = mapping.filter(|mapping| !mapping.is_none()) {
        dict.update(mapping.cast()?)?;
    }
    dict.set_item("targetingKey", targeting_key)?;
    Ok(dict.into_any())
}

/// The resolution, or its error code if there is no answer (12.1).
fn answered(resolution: esclusa::Resolution<'_>) -> Result<esclusa::Resolution<'_>, &'static str> {
    match resolution.error_code() {
        Some(code) if resolution.default_stands() => Err(code.as_str()),
        _ => Ok(resolution),
    }
}
