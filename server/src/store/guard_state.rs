//! The `guard_state` of a row (2.2.35 of SEMANTICS.md), and how a trip and a new run change it: what 002_guard.sql does in
//! Postgres.

use std::borrow::Cow;

use esclusa::{Time, Trip, Value};

use super::Row;

type Fields = Vec<(Cow<'static, str>, Value<'static>)>;

/// The state of a flag that has a guard.
#[derive(Debug)]
pub(crate) struct GuardState {
    fields: Fields,
    /// How many steps of the schedule had come at a time.
    steps: Vec<Option<Time>>,
}

impl GuardState {
    /// That of a row; `None` without a guard, or if its run cannot be read.
    pub(crate) fn of(flag: &Row) -> Option<Self> {
        object(flag, "guard")?;
        let fields = object(flag, "guard_state").unwrap_or_default();
        let steps = match column(flag, "schedule") {
            Some(Value::List(steps)) => steps,
            _ => Vec::new(),
        };
        let at = |step: &Value<'_>| Time::parse(step.get("at")?.as_str()?);
        let state = GuardState { fields, steps: steps.iter().map(at).collect() };
        state.run().is_some().then_some(state)
    }

    fn field(&self, name: &str) -> Option<&Value<'static>> {
        self.fields.iter().find(|(field, value)| field == name && !value.is_null()).map(|(_, value)| value)
    }

    /// The run; 1 if it does not say.
    pub(crate) fn run(&self) -> Option<u64> {
        match self.field("run") {
            None => Some(1),
            Some(run) => run.as_i64().and_then(|run| u64::try_from(run).ok()).filter(|run| *run > 0),
        }
    }

    /// The trip, if it keeps the flag off.
    pub(crate) fn trip(&self) -> Option<&Value<'static>> {
        let trip = self.field("trip")?;
        let run = trip.get("run")?.as_i64().and_then(|run| u64::try_from(run).ok())?;
        (run >= self.run()?).then_some(trip)
    }

    fn set(&mut self, name: &'static str, value: Value<'static>) {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.into(), value));
    }

    /// The state with a trip.
    pub(crate) fn tripped(mut self, trip: &Trip) -> Value<'static> {
        self.set("trip", trip.to_value());
        Value::Object(self.fields)
    }

    /// The state in a new run, and its number. Of a schedule `at_step` steps are cleared; one less than at the trip without
    /// it, or as many as before if the flag has not tripped.
    pub(crate) fn resumed(mut self, at_step: Option<u64>, now: Time) -> (Value<'static>, u64) {
        let tripped = self.field("trip").and_then(|trip| trip.get("run")?.as_i64()?.try_into().ok()).unwrap_or(1);
        let run = self.run().unwrap_or(1).max(tripped).saturating_add(1);
        let cleared = at_step.or_else(|| self.steps_before(now));
        self.fields.retain(|(field, _)| field != "trip");
        self.set("run", run.into());
        if let Some(cleared) = cleared {
            self.set("cleared_steps", cleared.into());
        }
        self.set("cleared_at", now.to_string().into());
        (Value::Object(self.fields), run)
    }

    /// One step less than were in force as the flag tripped; `None` if it has not tripped, or has no schedule.
    fn steps_before(&self, now: Time) -> Option<u64> {
        let trip = self.trip().filter(|_| !self.steps.is_empty())?;
        let at = trip.get("at").and_then(Value::as_str).and_then(Time::parse).unwrap_or(now);
        let come = self.steps.iter().filter(|step| step.is_some_and(|step| step <= at)).count() as u64;
        let cleared = self.field("cleared_steps").and_then(Value::as_i64).and_then(|steps| u64::try_from(steps).ok());
        Some(cleared.map_or(come, |cleared| come.min(cleared)).saturating_sub(1))
    }
}

/// A column that holds an object, or its text.
fn object(flag: &Row, name: &str) -> Option<Fields> {
    match column(flag, name)? {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

/// A column; a text that is JSON as what it says.
fn column(flag: &Row, name: &str) -> Option<Value<'static>> {
    let value = flag.get(name).filter(|value| !value.is_null())?;
    match value {
        Value::Text(text) => Value::from_json(text.as_bytes()).ok().map(Value::into_owned),
        other => Some(other.clone()),
    }
}
