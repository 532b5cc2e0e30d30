//! Guards of flags, and whether they have tripped (2.2.34 and 2.2.35 of SEMANTICS.md).

use std::borrow::Cow;

use super::given;
use crate::guarded::{GUARDS, Guard};
use crate::reading::{Place, Reading, Unknown};
use crate::value::Value;

/// What `guard_state` says.
pub(super) struct State<'r, 'v> {
    run: i64,
    /// The trip that keeps the flag off.
    trip: Option<&'r Value<'v>>,
    /// How many steps of the schedule count.
    pub(super) cleared: usize,
}

impl State<'_, '_> {
    pub(super) fn has_tripped(&self) -> bool {
        self.trip.is_some()
    }
}

/// Reads `guard_state`; `None` if it cannot be read.
pub(super) fn state<'r, 'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    value: Option<&'r Value<'v>>,
) -> Option<State<'r, 'v>> {
    let Some(value) = given(value) else { return Some(State { run: 1, trip: None, cleared: usize::MAX }) };
    let before = reading.count();
    let [run, trip, cleared] = reading.fields(place, value, ["run", "trip", "cleared_steps"], Unknown::Ignored)?;
    let place = &place.object(value);
    let run = given(run).map_or(Some(1), |run| whole(reading, &place.field("run"), run, 1));
    let cleared =
        given(cleared).map_or(Some(i64::MAX), |steps| whole(reading, &place.field("cleared_steps"), steps, 0));
    let trip = given(trip);
    let tripped = trip.map_or(Some(0), |trip| tripped_run(reading, &place.field("trip"), trip));
    let (run, cleared, tripped) = (run?, usize::try_from(cleared?).unwrap_or(usize::MAX), tripped?);
    (reading.count() == before).then_some(State { run, trip: trip.filter(|_| tripped >= run), cleared })
}

/// The run of a trip.
fn tripped_run(reading: &mut Reading, place: &Place<'_>, trip: &Value<'_>) -> Option<i64> {
    let [run] = reading.fields(place, trip, ["run"], Unknown::Ignored)?;
    match given(run) {
        Some(run) => whole(reading, &place.field("run"), run, 1),
        None => reading.missing(&place.field("run"), FROM_1),
    }
}

const FROM_1: &str = "a whole number from 1 on";

fn whole(reading: &mut Reading, place: &Place<'_>, value: &Value<'_>, least: i64) -> Option<i64> {
    let wanted = if least > 0 { FROM_1 } else { "a whole number from 0 on" };
    value.as_i64().filter(|number| *number >= least).or_else(|| reading.expected(place, value, wanted))
}

/// The guard, if there is anything to say of it.
pub(super) fn definition<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    guard: Option<&Value<'v>>,
    state: Option<State<'_, 'v>>,
) -> [Option<Box<Guard<'v>>>; GUARDS] {
    let policy = given(guard).filter(|value| match value {
        Value::Object(_) => true,
        _ => reading.expected::<()>(place, value, "an object").is_some(),
    });
    let (run, trip) = state.map_or((1, None), |state| (state.run, state.trip));
    let is_any = policy.is_some() || run > 1 || trip.is_some();
    let copy = |value: &Value<'v>| Cow::Owned(value.last_of_each());
    let guard = is_any.then(|| Box::new(Guard { policy: policy.map(copy), run, trip: trip.map(copy) }));
    std::array::from_fn(|_| guard.clone())
}
