//! Points in time: aware datetimes, and milliseconds since 1970-01-01T00:00:00Z.

use std::time::SystemTime;

use esclusa::Time;
use pyo3::exceptions::{PyException, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDate, PyDateTime, PyFloat, PyInt, PyTzInfo};

/// The engine cannot count more milliseconds; JavaScript has the same limit.
const MOST_MILLIS: u64 = 9_000_000_000_000_000_000;

/// The given time, or the current one.
///
/// # Errors
/// A `TypeError` for a value that is not a time, a `ValueError` for a naive datetime and a number out of range.
pub(crate) fn now(now: Option<&Bound<'_, PyAny>>) -> PyResult<Time> {
    Ok(given(now)?.unwrap_or_else(|| SystemTime::now().into()))
}

/// The given time, if there is one.
///
/// # Errors
/// Those of [`now`].
pub(crate) fn given(now: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Time>> {
    now.filter(|now| !now.is_none()).map(named).transpose()
}

fn named(now: &Bound<'_, PyAny>) -> PyResult<Time> {
    if let Ok(time) = now.cast::<PyDateTime>() {
        if time.call_method0("utcoffset")?.is_none() {
            return Err(PyValueError::new_err(format!(
                "{} has no time zone, expected an aware datetime such as datetime.now(timezone.utc)",
                time.repr()?
            )));
        }
        return Ok(Time::from_millis(millis(time)?));
    }
    if now.is_instance_of::<PyInt>() && !now.is_instance_of::<PyBool>() {
        return now
            .extract()
            .ok()
            .filter(|millis: &i64| millis.unsigned_abs() < MOST_MILLIS)
            .map_or_else(|| Err(out_of_range(now)?), |millis| Ok(Time::from_millis(millis)));
    }
    if let Ok(number) = now.cast::<PyFloat>() {
        let whole = number.value().floor();
        #[expect(clippy::cast_precision_loss, reason = "it is exact")]
        if whole.abs() < MOST_MILLIS as f64 {
            #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
            return Ok(Time::from_millis(whole as i64));
        }
        return Err(out_of_range(now)?);
    }
    Err(PyTypeError::new_err(format!(
        "`now` is {}, expected an aware datetime or a number of milliseconds since 1970-01-01T00:00:00Z",
        now.get_type().name()?
    )))
}

fn out_of_range(now: &Bound<'_, PyAny>) -> PyResult<PyErr> {
    Ok(PyValueError::new_err(format!("`now` is {}, which is out of range, in milliseconds", now.str()?)))
}

/// The text of a date, which is read as its midnight in UTC.
pub(crate) fn day(date: &Bound<'_, PyDate>) -> PyResult<String> {
    date.call_method0("isoformat")?.extract()
}

/// Milliseconds since the epoch of an aware datetime, cut off towards the past.
fn millis(time: &Bound<'_, PyDateTime>) -> PyResult<i64> {
    let py = time.py();
    let utc = PyTzInfo::utc(py)?;
    let epoch = PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc))?;
    let since = time.sub(epoch)?;
    let part = |name| since.getattr(name)?.extract::<i64>();
    Ok((part("days")? * 86_400 + part("seconds")?) * 1000 + part("microseconds")? / 1000)
}

/// RFC 3339 in UTC with milliseconds, and of a naive datetime its own text, which is read as UTC; `None` outside of years
/// 1 to 9999.
pub(crate) fn written(time: &Bound<'_, PyDateTime>) -> PyResult<Option<String>> {
    let offset = match time.call_method0("utcoffset") {
        Ok(offset) => offset,
        // An object may claim to be a datetime and not be one, such as pandas' NaT.
        Err(error) if error.is_instance_of::<PyException>(time.py()) => return Ok(None),
        Err(interrupt) => return Err(interrupt),
    };
    if offset.is_none() {
        let text: String = time.call_method0("isoformat")?.extract()?;
        return Ok(Some(text).filter(|text| Time::parse(text).is_some()));
    }
    let utc = PyTzInfo::utc(time.py())?;
    let Ok(there) = time.call_method1("astimezone", (utc,)) else { return Ok(None) };
    let text: String = there.call_method1("isoformat", ("T", "milliseconds"))?.extract()?;
    Ok(text.strip_suffix("+00:00").map(|text| format!("{text}Z")))
}
