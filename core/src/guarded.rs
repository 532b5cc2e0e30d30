//! What a flag says of the guard that watches it (2.2.34 and 2.2.35 of SEMANTICS.md).
//!
//! It holds `guard` as it is written: what is in it `esclusa-guard` reads and checks. That a tripped flag is off is
//! decided where flags are read.

use std::borrow::Cow;

use crate::RULES;
use crate::flag_set::{Fate, FlagSet};
use crate::value::Value;

/// In a build without rules no flag keeps its guard; a tripped one is off there too.
pub(crate) const GUARDS: usize = if RULES { 1 } else { 0 };

/// The guard of a flag that has one, or whose run is not the first.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Guard<'a> {
    pub(crate) policy: Option<Cow<'a, Value<'a>>>,
    pub(crate) run: i64,
    /// The trip that keeps the flag off.
    pub(crate) trip: Option<Cow<'a, Value<'a>>>,
}

impl Guard<'_> {
    pub(crate) fn owned(&self) -> Guard<'static> {
        let owned = |value: &Option<Cow<'_, Value<'_>>>| value.as_deref().map(|value| Cow::Owned(value.to_owned()));
        Guard { policy: owned(&self.policy), run: self.run, trip: owned(&self.trip) }
    }

    pub(crate) fn borrowed(&self) -> Guard<'_> {
        let borrowed = |value| Option::as_deref(value).map(Cow::Borrowed);
        Guard { policy: borrowed(&self.policy), run: self.run, trip: borrowed(&self.trip) }
    }
}

/// A flag that has a `guard`, or a `guard_state` that says more than that this is its first run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guarded<'s> {
    key: &'s str,
    policy: Option<&'s Value<'static>>,
    run: i64,
    trip: Option<&'s Value<'static>>,
}

impl<'s> Guarded<'s> {
    /// The key of the flag.
    #[must_use]
    pub fn key(&self) -> &'s str {
        self.key
    }

    /// Its `guard`, an object, as it is written.
    #[must_use]
    pub fn policy(&self) -> Option<&'s Value<'static>> {
        self.policy
    }

    /// The number of the attempt to release it, from 1 on.
    #[must_use]
    pub fn run(&self) -> u64 {
        self.run.unsigned_abs()
    }

    /// The trip that keeps it off, an object with `run` and what else its writer says.
    #[must_use]
    pub fn trip(&self) -> Option<&'s Value<'static>> {
        self.trip
    }
}

impl FlagSet {
    /// The flags that have a guard or have had one, in the order of the snapshot. Those that are set aside without a
    /// definition have none.
    ///
    /// ```
    /// use esclusa::FlagSet;
    /// let set = FlagSet::from_json(br#"[
    ///     {"name": "crm", "enabled": true, "rollout_percentage": 10, "guard": {"errors": {"at_most_times": 1}}},
    ///     {"name": "billing", "enabled": true, "guard_state": {"run": 2, "trip": {"run": 2, "metric": "errors"}}}
    /// ]"#)?;
    /// let guarded: Vec<_> = set.guarded().map(|flag| (flag.key(), flag.run(), flag.trip().is_some())).collect();
    /// assert_eq!(guarded, [("crm", 1, false), ("billing", 2, true)]);
    /// # Ok::<(), esclusa::SnapshotError>(())
    /// ```
    pub fn guarded(&self) -> impl Iterator<Item = Guarded<'_>> {
        let all = self.guards.iter().flatten();
        let defined = all.filter(|(id, _)| !matches!(self.origin(**id).fate, Fate::SetAside { kept: None, .. }));
        defined.map(|(id, guard)| Guarded {
            key: self.key(*id),
            policy: guard.policy.as_deref(),
            run: guard.run,
            trip: guard.trip.as_deref(),
        })
    }

    /// The trips that keep flags off, each with the key of its flag: those of the snapshot, and those that the publisher has
    /// laid over it (9.11).
    pub fn trips(&self) -> impl Iterator<Item = (&str, &Value<'static>)> {
        self.guarded().filter_map(|flag| Some((flag.key, flag.trip?)))
    }
}
