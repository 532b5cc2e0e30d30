//! The answer for one flag, as a Python object.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::writing::python;

/// The answer for one flag, with its reason.
#[pyclass(frozen, module = "esclusa._native")]
pub(crate) struct Resolution {
    /// Whether the flag is on.
    #[pyo3(get)]
    pub(crate) enabled: bool,
    /// The value that is served, on or off; None without an answer.
    #[pyo3(get)]
    pub(crate) value: Py<PyAny>,
    /// The key of the variant that is served, if there is one.
    #[pyo3(get)]
    pub(crate) variant: Option<String>,
    /// The reason: OpenFeature's name of it.
    #[pyo3(get)]
    pub(crate) reason: Py<PyString>,
    /// The error code: OpenFeature's name of it, or None.
    #[pyo3(get)]
    pub(crate) error_code: Option<Cow<'static, str>>,
}

/// A value, a variant, a reason, an error code and a revision.
pub(crate) type Parts = (Py<PyAny>, Option<String>, Py<PyString>, Option<Cow<'static, str>>, Option<u64>);

impl Resolution {
    pub(crate) fn into_parts(self, revision: Option<u64>) -> Parts {
        (self.value, self.variant, self.reason, self.error_code, revision)
    }

    /// What the engine answered.
    pub(crate) fn new(py: Python<'_>, resolution: esclusa::Resolution<'_>) -> PyResult<Self> {
        Ok(Resolution {
            enabled: resolution.is_enabled(),
            value: python(py, resolution.value())?.unbind(),
            variant: resolution.variant().map(str::to_owned),
            reason: word(py, resolution.reason()),
            error_code: resolution.error_code().map(|code| code.as_str().into()),
        })
    }

    /// No answer, with this error code.
    pub(crate) fn none(py: Python<'_>, error: &'static str) -> Self {
        Resolution {
            enabled: false,
            value: py.None(),
            variant: None,
            reason: word(py, esclusa::Reason::Error),
            error_code: Some(error.into()),
        }
    }

    /// A copy with a value of its own, so that changing one does not change the other.
    pub(crate) fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        let value = py.import("copy")?.call_method1("deepcopy", (&self.value,))?;
        Ok(Resolution {
            enabled: self.enabled,
            value: value.unbind(),
            variant: self.variant.clone(),
            reason: self.reason.clone_ref(py),
            error_code: self.error_code.clone(),
        })
    }
}

#[pymethods]
impl Resolution {
    #[new]
    #[pyo3(signature = (*, enabled, value, variant=None, reason, error_code=None))]
    fn given(
        enabled: bool,
        value: Py<PyAny>,
        variant: Option<String>,
        reason: Py<PyString>,
        error_code: Option<String>,
    ) -> Self {
        Resolution { enabled, value, variant, reason, error_code: error_code.map(Cow::from) }
    }

    /// `{"enabled", "value", "variant", "reason", "error"}`, ready for `json.dumps`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("enabled", self.enabled)?;
        dict.set_item("value", &self.value)?;
        dict.set_item("variant", &self.variant)?;
        dict.set_item("reason", &self.reason)?;
        dict.set_item("error", self.error_code.as_deref())?;
        Ok(dict)
    }

    /// The arguments with which pickle and copy construct it.
    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let named = PyDict::new(py);
        named.set_item("enabled", self.enabled)?;
        named.set_item("value", &self.value)?;
        named.set_item("variant", &self.variant)?;
        named.set_item("reason", &self.reason)?;
        named.set_item("error_code", self.error_code.as_deref())?;
        Ok((PyTuple::empty(py), named))
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, Self>) -> PyResult<bool> {
        let other = other.get();
        Ok(self.enabled == other.enabled
            && self.variant == other.variant
            && self.error_code == other.error_code
            && self.reason.bind(py).as_any().eq(&other.reason)?
            && self.value.bind(py).eq(&other.value)?)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let shown = |object: Bound<'_, PyAny>| object.repr().map(|text| text.to_string());
        Ok(format!(
            "Resolution(enabled={}, value={}, variant={}, reason={}, error_code={})",
            if self.enabled { "True" } else { "False" },
            shown(self.value.bind(py).clone())?,
            shown(self.variant.as_deref().into_pyobject(py)?)?,
            shown(self.reason.bind(py).clone().into_any())?,
            shown(self.error_code.as_deref().into_pyobject(py)?)?,
        ))
    }
}

/// The name of a reason: the same `str` object for all answers, whose hash is already computed.
fn word(py: Python<'_>, reason: esclusa::Reason) -> Py<PyString> {
    static WORDS: [PyOnceLock<Py<PyString>>; 6] = [const { PyOnceLock::new() }; 6];
    let new = || PyString::intern(py, reason.as_str()).unbind();
    WORDS.get(reason as usize).map_or_else(new, |word| word.get_or_init(py, new).clone_ref(py))
}
