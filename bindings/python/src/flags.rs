//! The handle for Python: publishing and evaluating.
//!
//! The interpreter lock is held during the swap, so that no fork can happen in the middle of it; other threads run
//! during parsing and compiling, which take long. Every method first checks whether this process is a fork, and
//! restarts the sync there.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use esclusa::{FlagSet, Reader, Time, Value, Violation};
use esclusa_guard::Guards;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList};

use crate::arguments::{chosen, copied, key_of};
use crate::asking::INVALID_CONTEXT;
use crate::gil_cell::GilCell;
use crate::guarding::Told;
use crate::instant;
use crate::mapping::{Mapped, Mapping};
use crate::process::Seen;
use crate::recent::Recent;
use crate::resolution::{Parts, Resolution};
use crate::writing::python;

/// The current flag set, shared by everything that reads it.
#[pyclass(frozen, subclass, module = "esclusa._native")]
pub(crate) struct Flags {
    pub(crate) flags: esclusa::Flags,
    pub(crate) reader: GilCell<(Reader, Recent)>,
    /// A context without any value.
    pub(crate) nobody: esclusa::Context<'static>,
    /// The number of open overrides in all threads and tasks: at 0 an evaluation looks for none. Held sets share it.
    pub(crate) overriding: Arc<AtomicUsize>,
    /// The `ContextVar` that holds the overrides of this thread or task.
    pub(crate) overrides: Py<PyAny>,
    pub(crate) seen: Seen,
    /// Called in a fork before its first evaluation.
    pub(crate) healer: GilCell<Option<Py<PyAny>>>,
    /// The time after which an evaluation waits because the process was frozen, in milliseconds since 1970; 0 for
    /// never.
    pub(crate) thaw_at_ms: AtomicI64,
    /// The current set, once `current` was called.
    pub(crate) held: GilCell<Option<Py<Flags>>>,
    pub(crate) mapped: GilCell<Mapped>,
    /// The guards of the flags, which a held set shares; none unless the app wants them.
    pub(crate) guards: Option<Guards>,
    /// Called with each outcome that the app tracks, if it listens.
    pub(crate) tracker: Arc<GilCell<Option<Py<PyAny>>>>,
}

#[pymethods]
impl Flags {
    /// A new handle, or one that holds the current set of another.
    #[new]
    #[pyo3(signature = (overrides, held=None, is_guarded=false))]
    fn new(overrides: Py<PyAny>, held: Option<&Bound<'_, Flags>>, is_guarded: bool) -> Self {
        let mapped = held.map(|held| held.get().mapped.with(held.py(), |mapped| mapped.clone()));
        let held = held.map(Bound::get);
        let flags = held.map_or_else(esclusa::Flags::new, |other| other.flags.held());
        Flags {
            reader: GilCell::new((flags.reader(), Recent::new())),
            guards: held.map_or_else(|| is_guarded.then(|| Guards::new(&flags)), |other| other.guards.clone()),
            tracker: held.map_or_else(|| Arc::new(GilCell::new(None)), |other| Arc::clone(&other.tracker)),
            flags,
            nobody: esclusa::Context::anonymous(),
            overriding: held.map_or_else(Arc::default, |other| Arc::clone(&other.overriding)),
            overrides,
            seen: Seen::new(),
            healer: GilCell::new(None),
            thaw_at_ms: AtomicI64::new(0),
            held: GilCell::new(None),
            mapped: GilCell::new(mapped.unwrap_or_default()),
        }
    }

    /// The current set, for a whole request: later publishes change none of its answers.
    #[pyo3(name = "current")]
    fn held<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, flags) = (slf.py(), slf.get());
        flags.heal(py);
        if let Some(held) = flags.held.with(py, |held| held.as_ref().map(|held| held.clone_ref(py))) {
            return Ok(held.into_bound(py).into_any());
        }
        let held: Bound<'_, Flags> = slf.call_method0("_hold")?.cast_into()?;
        // Python code has run: another thread may have published, and then there is nothing to free.
        let is_current = std::ptr::eq(&*held.get().flags.current(), &*flags.flags.current());
        if is_current {
            let known = held.clone().unbind();
            let before = flags.held.with(py, |place| place.replace(known));
            drop(before);
        }
        Ok(held.into_any())
    }

    /// Whether the flag is on for this caller; `default` without an answer. It never raises.
    #[pyo3(signature = (key, context=None, default=None), text_signature = "($self, key, context=None, default=False)")]
    fn is_enabled<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.heal(py);
        // "Off" and "no answer" are distinguished only if that makes a difference.
        if default.is_none_or(|default| default.is(PyBool::new(py, false)))
            && self.overriding.load(Ordering::Relaxed) == 0
            && let Some(enabled) = self.is_on(key, context)
        {
            return Ok(PyBool::new(py, enabled).to_owned().into_any());
        }
        let otherwise = || default.cloned().unwrap_or_else(|| PyBool::new(py, false).to_owned().into_any());
        if let Some(answer) = self.overridden(key)? {
            return Ok(PyBool::new(py, answer.get().enabled).to_owned().into_any());
        }
        let set = self.flags.current();
        let answer = self.ask(&set, key, context, None)?;
        Ok(answer.map_or_else(|_| otherwise(), |it| PyBool::new(py, it.is_enabled()).to_owned().into_any()))
    }

    /// The value that the flag serves to this caller; `default` without an answer. It never raises.
    #[pyo3(signature = (key, context=None, default=None))]
    fn value<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(answer) = self.overridden(key)? {
            return Ok(answer.get().copy(py)?.value.into_bound(py));
        }
        let set = self.current(py);
        match self.ask(&set, key, context, None)? {
            Ok(resolution) => python(py, resolution.value()),
            Err(_) => Ok(default.cloned().unwrap_or_else(|| py.None().into_bound(py))),
        }
    }

    /// The key of the variant that the flag serves to this caller, None if it serves none; `default` without an answer.
    /// It never raises.
    #[pyo3(signature = (key, context=None, default=None))]
    fn variant<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(answer) = self.overridden(key)? {
            return Ok(answer.get().variant.as_deref().into_pyobject(py)?);
        }
        let set = self.current(py);
        match self.ask(&set, key, context, None)? {
            Ok(resolution) => Ok(resolution.variant().into_pyobject(py)?),
            Err(_) => Ok(default.cloned().unwrap_or_else(|| py.None().into_bound(py))),
        }
    }

    /// The answer of the flag for this caller, with its reason and error code.
    #[pyo3(signature = (key, context=None, now=None))]
    fn resolve(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Resolution> {
        let now = instant::given(now)?;
        if let Some(answer) = self.overridden(key)? {
            return answer.get().copy(py);
        }
        let set = self.current(py);
        match self.ask(&set, key, context, now)? {
            Ok(resolution) => Resolution::new(py, resolution),
            Err(error) => Ok(Resolution::none(py, error)),
        }
    }

    /// The value, variant, reason, error code and the snapshot's revision, with a targeting key that replaces the
    /// context's own: for an OpenFeature provider, without an object for each answer.
    fn _details(
        &self,
        py: Python<'_>,
        key: &Bound<'_, PyAny>,
        context: &Bound<'_, PyAny>,
        targeting_key: &Bound<'_, PyAny>,
    ) -> PyResult<Parts> {
        if let Some(answer) = self.overridden(key)? {
            return Ok(answer.get().copy(py)?.into_parts(None));
        }
        let set = self.current(py);
        let targeting_key = Some(targeting_key).filter(|key| !key.is_none());
        let answer = match self.ask_with(&set, key, Some(context), targeting_key, None)? {
            Ok(resolution) => Resolution::new(py, resolution)?,
            Err(error) => Resolution::none(py, error),
        };
        Ok(answer.into_parts(set.revision()))
    }

    /// Counts an outcome of an event for the guards; the duration is in seconds. It never raises.
    #[pyo3(
        signature = (event, context=None, *, error=None, duration=None, value=None, **fields),
        text_signature = "($self, event, context=None, *, error=False, duration=None, value=None, **fields)"
    )]
    fn track(
        &self,
        event: &Bound<'_, PyAny>,
        context: Option<&Bound<'_, PyAny>>,
        error: Option<&Bound<'_, PyAny>>,
        duration: Option<&Bound<'_, PyAny>>,
        value: Option<&Bound<'_, PyAny>>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        self.outcome(event, context, &Told { error, duration, value, fields })
    }

    /// The answers of all flags for this caller, by key.
    #[pyo3(signature = (context=None, now=None))]
    fn resolve_all<'py>(
        &self,
        py: Python<'py>,
        context: Option<&Bound<'py, PyAny>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (now, set, answers) = (instant::now(now)?, self.current(py), PyDict::new(py));
        match copied(context)? {
            Ok(context) => {
                for (key, resolution) in set.resolve_all(context.get(&self.nobody), now) {
                    answers.set_item(key, Resolution::new(py, resolution)?)?;
                }
            }
            Err(_) => set.keys().try_for_each(|key| answers.set_item(key, Resolution::none(py, INVALID_CONTEXT)))?,
        }
        for (key, answer) in self.all_overridden(py)?.into_iter().flatten() {
            answers.set_item(key, answer.cast::<Resolution>()?.get().copy(py)?)?;
        }
        Ok(answers)
    }

    /// The values of the chosen flags (by default all), without reasons: what may be sent to a browser.
    #[pyo3(signature = (context=None, keys=None, now=None))]
    fn project<'py>(
        &self,
        py: Python<'py>,
        context: Option<&Bound<'py, PyAny>>,
        keys: Option<&Bound<'py, PyAny>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (now, keys, set) = (instant::now(now)?, chosen(keys)?, self.current(py));
        let projection = PyDict::new(py);
        if let Ok(context) = copied(context)? {
            let context = context.get(&self.nobody);
            let value = match &keys {
                Some(keys) => set.project(keys.iter().map(String::as_str), context, now).to_value(),
                None => set.project(set.keys(), context, now).to_value(),
            };
            projection.update(python(py, &value)?.cast()?)?;
        }
        for (key, answer) in self.all_overridden(py)?.into_iter().flatten() {
            let name: String = key.extract()?;
            if keys.as_ref().is_none_or(|keys| keys.contains(&name)) {
                let answer = answer.cast::<Resolution>()?.get().copy(py)?;
                let entry = PyDict::new(py);
                entry.set_item("enabled", answer.enabled)?;
                entry.set_item("value", &answer.value)?;
                answer.variant.iter().try_for_each(|variant| entry.set_item("variant", variant))?;
                projection.set_item(key, entry)?;
            }
        }
        Ok(projection)
    }

    /// A snapshot, as JSON, for the browser of this caller: of the chosen flags (by default all) those that are marked
    /// `client`.
    #[pyo3(signature = (context=None, keys=None, now=None))]
    fn client_snapshot(
        &self,
        py: Python<'_>,
        context: Option<&Bound<'_, PyAny>>,
        keys: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let (now, keys, set) = (instant::now(now)?, chosen(keys)?, self.current(py));
        let snapshot = match (copied(context)?, keys) {
            (Ok(context), Some(keys)) => {
                set.client_snapshot(keys.iter().map(String::as_str), context.get(&self.nobody), now)
            }
            (Ok(context), None) => set.client_snapshot(set.keys(), context.get(&self.nobody), now),
            // The caller is unknown, so no flag is included.
            (Err(_), _) => set.client_snapshot([], &self.nobody, now),
        };
        Ok(snapshot.to_string())
    }

    /// The keys of all flags, in the order of the snapshot.
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let set = self.current(py);
        PyList::new(py, set.keys().collect::<Vec<_>>())
    }

    /// The revision of the current snapshot, or None.
    #[getter]
    fn revision(&self, py: Python<'_>) -> Option<u64> {
        self.current(py).revision()
    }

    /// Whether something was published.
    #[getter]
    fn is_ready(&self, py: Python<'_>) -> bool {
        self.current(py).is_ready()
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.current(py).len()
    }

    /// A handle is true, for any number of flags.
    fn __bool__(&self) -> bool {
        true
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let set = self.current(key.py());
        Ok(key_of(key)?.is_some_and(|key| set.contains(&key)))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let set = slf.get().current(slf.py());
        let revision = set.revision().map_or("None".to_owned(), |revision| revision.to_string());
        Ok(format!("<{} revision={revision} len={}>", slf.get_type().name()?, set.len()))
    }

    /// The report of publishing, or why it was refused, as JSON.
    #[pyo3(name = "_publish")]
    fn publish<'py>(
        &self,
        py: Python<'py>,
        snapshot: &Bound<'py, PyAny>,
        strict: bool,
        accept_older: bool,
        mapping: Option<&Bound<'py, Mapping>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.swap(py, snapshot, strict, accept_older, mapping.map(Bound::get))
    }

    /// The answer with every step, as JSON beside the `Resolution`.
    #[pyo3(name = "_explain")]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (now, set, explained) = (instant::now(now)?, self.current(py), PyDict::new(py));
        let name = key_of(key)?.unwrap_or_default();
        if let Some(answer) = self.overridden(key)? {
            explained.set_item("resolution", answer.get().copy(py)?)?;
            return Ok(explained);
        }
        let context = copied(context)?;
        let nobody = &self.nobody;
        let known = context.as_ref().map_or(nobody, |context| context.get(nobody));
        let explanation = set.explain(&name, known, now);
        if let Err(problem) = &context
            && !explanation.resolution().default_stands()
        {
            explained.set_item("resolution", Resolution::none(py, INVALID_CONTEXT))?;
            explained.set_item("problem", problem.value(py).str()?)?;
            return Ok(explained);
        }
        explained.set_item("resolution", Resolution::new(py, explanation.resolution())?)?;
        explained.set_item("text", explanation.to_string())?;
        let value = explanation.to_value();
        for name in ["first_no", "first_no_code", "path"] {
            explained.set_item(name, python(py, value.get(name).unwrap_or(&Value::Null))?)?;
        }
        Ok(explained)
    }

    /// The violations of the current snapshot, as JSON.
    #[pyo3(name = "_violations")]
    fn violations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        python(py, &self.current(py).violations().iter().map(Violation::to_value).collect::<Vec<_>>().into())
    }

    /// The reading of the current snapshot, as JSON (9.7).
    #[pyo3(name = "_reading")]
    fn reading<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let set = self.current(py);
        python(py, &self.mapped.with(py, |mapped| mapped.reading(&set)))
    }

    /// When the store made the current snapshot, in milliseconds since 1970-01-01T00:00:00Z.
    #[pyo3(name = "_generated_at")]
    fn generated_at(&self, py: Python<'_>) -> Option<i64> {
        self.current(py).generated_at().map(Time::as_millis)
    }

    /// Sets what is called in a fork before its first evaluation, and after a thaw, with that as its argument.
    #[pyo3(name = "_on_fork")]
    fn on_fork(&self, py: Python<'_>, healer: Py<PyAny>) {
        // The old one is dropped after the cell is released, because that may run Python code.
        let before = self.healer.with(py, |place| place.replace(healer));
        drop(before);
    }

    /// The check that every method makes first: restarts the sync in a fork.
    #[pyo3(name = "_heal")]
    fn heal_by_hand(&self, py: Python<'_>) {
        self.heal(py);
    }

    /// Makes evaluations after this time, in milliseconds since 1970, wait: the thread that moves the time on was
    /// frozen. 0 means never.
    #[pyo3(name = "_thaws_at")]
    fn thaws_at(&self, millis: i64) {
        self.thaw_at_ms.store(millis, Ordering::Relaxed);
    }

    /// Counts an override.
    #[pyo3(name = "_begin_override")]
    fn begin_override(&self) {
        self.overriding.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the end of an override.
    #[pyo3(name = "_end_override")]
    fn end_override(&self) {
        self.overriding.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Flags {
    /// The current set, in a fork as in the parent.
    fn current(&self, py: Python<'_>) -> Arc<FlagSet> {
        self.heal(py);
        self.flags.current()
    }
}
