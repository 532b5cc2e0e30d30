//! Guards: outcomes that the app tracks, the tick of each second, and the trips that a file keeps.
//!
//! Everything here runs with the interpreter lock, the guards' own locks included, so that no fork finds one of them
//! taken. When to tick, and the file, are Python's.

use esclusa::Value;
use esclusa_guard::{Guards, Outcome, Trips};
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyString};

use crate::arguments::{copied, key_of};
use crate::caller::Context;
use crate::flags::Flags;
use crate::place;
use crate::writing::python;

/// No event takes longer: the limit of `duration_ms` in 1.1 of `spec/GUARD.md`.
const MAX_SECONDS: f64 = 86_400.0;

/// What the app tells of one event, as it gives it.
pub(crate) struct Told<'a, 'py> {
    pub(crate) error: Option<&'a Bound<'py, PyAny>>,
    /// In seconds.
    pub(crate) duration: Option<&'a Bound<'py, PyAny>>,
    pub(crate) value: Option<&'a Bound<'py, PyAny>>,
    pub(crate) fields: Option<&'a Bound<'py, PyDict>>,
}

impl Told<'_, '_> {
    /// The outcome; `None` if a value does not fit.
    fn outcome(&self) -> PyResult<Option<Outcome>> {
        let Some(is_error) = self.is_error() else { return Ok(None) };
        let outcome = if is_error { Outcome::error() } else { Outcome::ok() };
        if let Some(value) = given(self.value)
            && !number(value)?.is_some_and(f64::is_finite)
        {
            return Ok(None);
        }
        let Some(duration) = given(self.duration) else { return Ok(Some(outcome)) };
        let seconds = number(duration)?.filter(|seconds| (0.0..=MAX_SECONDS).contains(seconds));
        Ok(seconds.map(|seconds| outcome.lasted_ms(seconds * 1000.0)))
    }

    fn is_error(&self) -> Option<bool> {
        given(self.error).map_or(Some(false), |error| error.cast_exact::<PyBool>().ok().map(PyBoolMethods::is_true))
    }
}

/// An argument that is not None.
fn given<'a, 'py>(argument: Option<&'a Bound<'py, PyAny>>) -> Option<&'a Bound<'py, PyAny>> {
    argument.filter(|argument| !argument.is_none())
}

/// The number of an object, `None` if it has none; an interrupt is returned as an error.
fn number(object: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    if let Ok(number) = object.cast_exact::<PyFloat>() {
        return Ok(Some(number.value()));
    }
    if object.is_instance_of::<PyBool>() {
        return Ok(None);
    }
    match object.extract() {
        Ok(number) => Ok(Some(number)),
        Err(error) if error.is_instance_of::<PyException>(object.py()) => Ok(None),
        Err(interrupt) => Err(interrupt),
    }
}

impl Flags {
    /// Counts an outcome, and tells the app's listeners. What does not fit is counted as dropped.
    pub(crate) fn outcome(
        &self,
        event: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
        told: &Told<'_, '_>,
    ) -> PyResult<()> {
        let py = event.py();
        self.heal(py);
        let tracker = self.tracker.with(py, |place| place.as_ref().map(|tracker| tracker.clone_ref(py)));
        if self.guards.is_none() && tracker.is_none() {
            return Ok(());
        }
        let Some(name) = key_of(event)? else {
            self.guards.iter().for_each(|guards| guards.drop_outcome(""));
            return Ok(());
        };
        let outcome = told.outcome()?;
        let is_counted = match outcome {
            Some(outcome) => self.with_caller(context, |guards, caller| guards.track(&name, caller, outcome))?,
            None => false,
        };
        if !is_counted {
            self.guards.iter().for_each(|guards| guards.drop_outcome(&name));
        } else if let Some(tracker) = tracker {
            let error = told.is_error();
            let told = (event, context, error, given(told.duration), given(told.value), told.fields, false);
            tracker.call1(py, told)?;
        }
        Ok(())
    }

    /// Gives the guards, if there are any, the context of a caller; false for a context that cannot be read.
    fn with_caller(
        &self,
        context: Option<&Bound<'_, PyAny>>,
        count: impl Fn(&Guards, &esclusa::Context<'_>),
    ) -> PyResult<bool> {
        let count = |caller: &esclusa::Context<'_>| self.guards.iter().for_each(|guards| count(guards, caller));
        if let Some(context) = context {
            if let Ok(context) = context.cast_exact::<Context>() {
                count(&context.get().context);
                return Ok(true);
            }
            // SAFETY: the guards run no Python code and do not release the interpreter lock.
            if let Ok(dict) = context.cast_exact::<PyDict>()
                && let Some(context) = unsafe { place::context(dict, None) }
            {
                count(&context);
                return Ok(true);
            }
        }
        let Ok(caller) = copied(context)? else { return Ok(false) };
        count(caller.get(&self.nobody));
        Ok(true)
    }
}

/// Counts an outcome that a browser has sent, of the session's caller; False for a context that cannot be read.
#[pyfunction]
#[pyo3(name = "_track_from_browser")]
pub(crate) fn track_from_browser(
    flags: &Bound<'_, Flags>,
    event: &Bound<'_, PyString>,
    context: &Bound<'_, PyAny>,
    error: bool,
    duration_ms: Option<f64>,
) -> PyResult<bool> {
    let outcome = if error { Outcome::error() } else { Outcome::ok() };
    let outcome = duration_ms.map_or(outcome, |ms| outcome.lasted_ms(ms));
    let name = key_of(event.as_any())?.unwrap_or_default();
    flags.get().with_caller(Some(context), |guards, caller| guards.track_from_browser(&name, caller, outcome))
}

/// Whether an event is one that a page may send: the key of a flag, that key with `.feedback`, or an event that the guard
/// of a flag names (1.1 of `spec/GUARD.md`).
#[pyfunction]
#[pyo3(name = "_names_event")]
pub(crate) fn names_event(flags: &Bound<'_, Flags>, event: &Bound<'_, PyString>) -> PyResult<bool> {
    let (py, flags) = (flags.py(), flags.get());
    flags.heal(py);
    let set = flags.flags.current();
    let name = key_of(event.as_any())?.unwrap_or_default();
    let is_flag = |key: &str| set.contains(key);
    let is_watched = |event: &str| {
        let of = |policy: &Value<'_>| policy.get("event").and_then(Value::as_str).is_some_and(|name| name == event);
        set.guarded().any(|flag| flag.policy().is_some_and(of))
    };
    Ok(is_flag(&name) || name.strip_suffix(".feedback").is_some_and(is_flag) || is_watched(&name))
}

/// Sets what is called with each outcome that the app tracks.
#[pyfunction]
#[pyo3(name = "_listen")]
pub(crate) fn listen(flags: &Bound<'_, Flags>, tracker: Option<Py<PyAny>>) {
    // The old one is dropped after the cell is released, because that may run Python code.
    let before = flags.get().tracker.with(flags.py(), |place| std::mem::replace(place, tracker));
    drop(before);
}

/// Judges what was counted: the trips since the last call, and the reports of what they changed.
#[pyfunction]
#[pyo3(name = "_tick")]
pub(crate) fn tick<'py>(flags: &Bound<'py, Flags>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let (py, flags) = (flags.py(), flags.get());
    let mut reports = Vec::new();
    let tripped = flags.guards.as_ref().map(|guards| guards.tick_reporting(|report| reports.push(report.to_value())));
    if !reports.is_empty() {
        flags.release(py);
    }
    let tripped = tripped.into_iter().flatten();
    let tripped: Vec<_> = tripped.map(|(flag, trip)| Value::List(vec![flag.into(), trip.to_value()])).collect();
    Ok((python(py, &tripped.into())?, python(py, &reports.into())?))
}

/// Takes the trips of a document; the reports of what they changed. Raises ValueError for any other text.
#[pyfunction]
#[pyo3(name = "_take_trips")]
pub(crate) fn take_trips<'py>(
    flags: &Bound<'py, Flags>,
    document: &Bound<'py, PyBytes>,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, flags) = (flags.py(), flags.get());
    let trips = trips(document)?;
    let reports: Vec<_> = trips.iter().map(|trip| flags.flags.trip(trip.clone()).to_value()).collect();
    flags.release(py);
    python(py, &reports.into())
}

/// A document with the trips that keep flags off beside those that it has; None if it has all of them.
#[pyfunction]
#[pyo3(name = "_trips_of")]
pub(crate) fn trips_of(flags: &Bound<'_, Flags>, document: Option<&Bound<'_, PyBytes>>) -> PyResult<Option<String>> {
    let mut trips = document.map(trips).transpose()?.unwrap_or_default();
    let is_new = trips.take_from(&flags.get().flags.current());
    Ok(is_new.then(|| trips.to_string()))
}

fn trips(document: &Bound<'_, PyBytes>) -> PyResult<Trips> {
    Trips::from_json(document.as_bytes()).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// How the guards are, as JSON; None without guards.
#[pyfunction]
#[pyo3(name = "_guards_of")]
pub(crate) fn guards_of<'py>(flags: &Bound<'py, Flags>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let (py, flags) = (flags.py(), flags.get());
    flags.heal(py);
    let Some(guards) = &flags.guards else { return Ok(None) };
    let status: Vec<_> = guards.status().iter().map(esclusa_guard::Status::to_value).collect();
    let problems = guards.problems().into_iter();
    let problems: Vec<_> =
        problems.map(|it| Value::List(vec![it.flag.into(), it.place.into(), it.problem.into()])).collect();
    let all = Value::Object(vec![
        ("flags".into(), status.into()),
        ("problems".into(), problems.into()),
        ("unwatched".into(), guards.unwatched().into()),
        ("dropped".into(), guards.dropped().into()),
        ("exposition".into(), guards.exposition().into()),
    ]);
    python(py, &all).map(Some)
}
