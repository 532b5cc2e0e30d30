//! Trips that a publisher lays over every set (9.11 of SEMANTICS.md): a guard closes its flag, with or without a store.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::compilation::Compiler;
use crate::flag_set::FlagSet;
use crate::value::Value;

/// A trip of a flag's guard: it keeps the flag off as long as the flag's run is not higher.
///
/// ```
/// use esclusa::{Context, FlagSet, Flags, Trip};
/// let flags = Flags::new();
/// let _ = flags.publish(FlagSet::from_json(br#"[{"name": "crm", "enabled": true, "guard": {}}]"#)?);
/// let report = flags.trip(Trip::new("crm", 1).with("metric", "errors"));
/// assert_eq!(report.changed(), ["crm"]);
/// assert!(!flags.is_enabled("crm", &Context::new("user-42")));
///
/// let again = br#"[{"name": "crm", "enabled": true, "guard": {}, "guard_state": {"run": 2}}]"#;
/// let _ = flags.publish(FlagSet::from_json(again)?);
/// assert!(flags.is_enabled("crm", &Context::new("user-42")), "a person has raised the run");
/// # Ok::<(), esclusa::SnapshotError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Trip {
    flag: String,
    run: u64,
    said: Vec<(Cow<'static, str>, Value<'static>)>,
}

impl Trip {
    /// A trip of a flag, by its key, in a run.
    #[must_use]
    pub fn new(flag: impl Into<String>, run: u64) -> Self {
        Trip { flag: flag.into(), run, said: Vec::new() }
    }

    /// A trip of a flag as the `trip` of a `guard_state` has it (2.2.35); `None` for anything else.
    ///
    /// ```
    /// use esclusa::{Trip, Value};
    /// let trip = Trip::from_value("crm", &Value::from_json(br#"{"run": 3, "metric": "errors"}"#)?);
    /// assert_eq!(trip, Some(Trip::new("crm", 3).with("metric", "errors")));
    /// assert_eq!(Trip::from_value("crm", &Value::Bool(true)), None);
    /// # Ok::<(), esclusa::SnapshotError>(())
    /// ```
    #[must_use]
    pub fn from_value(flag: &str, trip: &Value<'_>) -> Option<Self> {
        let run = trip.get("run")?.as_i64().filter(|run| *run > 0)?;
        let Value::Object(fields) = trip.clone().into_owned() else { return None };
        let said = fields.into_iter().filter(|(name, _)| name != "run").collect();
        Some(Trip { flag: flag.to_owned(), run: run.unsigned_abs(), said })
    }

    /// The same with what people want to know, such as `metric`, `at` and `by`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value<'static>>) -> Self {
        self.said.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// The key of the flag.
    #[must_use]
    pub fn flag(&self) -> &str {
        &self.flag
    }

    /// The run that is over.
    #[must_use]
    pub fn run(&self) -> u64 {
        self.run
    }

    /// The trip as the `trip` of a `guard_state` (2.2.35).
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        let run = (Cow::Borrowed("run"), Value::from(self.run));
        Value::Object(std::iter::once(run).chain(self.said.iter().cloned()).collect())
    }
}

/// The trips that a publisher has taken, by the keys of their flags.
pub(crate) type Trips = BTreeMap<String, Trip>;

/// Takes a trip, unless one of a later run is there.
#[cfg(feature = "rules")]
pub(crate) fn take(trips: &mut Trips, trip: Trip) {
    if trips.get(&trip.flag).is_none_or(|known| known.run <= trip.run) {
        trips.insert(trip.flag.clone(), trip);
    }
}

/// The set with these trips laid over it; forgets those of flags whose run is higher.
pub(crate) fn lay(set: FlagSet, trips: &mut Trips) -> FlagSet {
    let run = |key: &str| {
        let id = set.find(key)?;
        Some(set.guards.iter().find_map(|guards| guards.get(&id)).map_or(1, |guard| guard.run.unsigned_abs()))
    };
    trips.retain(|key, trip| run(key).is_none_or(|run| run <= trip.run));
    let laid: Vec<_> = trips.values().filter_map(|trip| Some((set.find(&trip.flag)?, trip.to_value()))).collect();
    if laid.is_empty() {
        return set;
    }
    let mut compiler = Compiler::reopen(set);
    for (id, trip) in laid {
        compiler.trip(id, &trip);
    }
    compiler.finish()
}
