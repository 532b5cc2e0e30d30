//! Outcomes and guards: what happens to callers is counted, and a flag that does harm is switched off.
//!
//! What an outcome means and when a flag trips `esclusa-guard` decides.

use std::time::Duration;

use esclusa::{Json, Report, Value};
use esclusa_guard::{GuardProblem, Guards, Outcome, Status, Trips};

use super::Host;

impl Host {
    /// Watches the flags from now on, in every thread that holds them; false if there are no such flags.
    pub fn guard(&mut self, flags: u32) -> bool {
        self.handles.get(flags).map(|handle| handle.flags.guard()).is_some()
    }

    /// Whether any thread watches the flags.
    #[must_use]
    pub fn is_guarded(&self, flags: u32) -> bool {
        self.guards(flags).is_some()
    }

    /// The slot of an event, for [`track`](Self::track); each call gives a new one.
    pub fn event(&mut self, flags: u32, event: &str) -> Option<u32> {
        let handle = self.handles.get_mut(flags)?;
        let slot = u32::try_from(handle.events.len()).ok()?;
        handle.events.push(event.to_owned());
        Some(slot)
    }

    /// Frees all slots of events.
    pub fn forget_events(&mut self, flags: u32) {
        if let Some(handle) = self.handles.get_mut(flags) {
            handle.events.clear();
        }
    }

    /// Counts an outcome of an event for a context; `NaN` if it is not known how long it took.
    #[inline]
    pub fn track(&mut self, flags: u32, event: u32, context: u32, is_error: bool, lasted_ms: f64) {
        let (Some(handle), Some(context)) = (self.handles.get(flags), self.contexts.get(context)) else { return };
        if let (Some(guards), Some(event)) = (handle.flags.guards(), handle.events.get(event as usize)) {
            guards.track(event, context, outcome(is_error, lasted_ms));
        }
    }

    /// The same for an event that a browser reports.
    pub fn track_from_browser(&mut self, flags: u32, event: &str, context: u32, is_error: bool, lasted_ms: f64) {
        if let (Some(guards), Some(context)) = (self.guards(flags), self.contexts.get(context)) {
            guards.track_from_browser(event, context, outcome(is_error, lasted_ms));
        }
    }

    /// Counts an outcome of an event that cannot be used.
    pub fn drop_outcome(&mut self, flags: u32, event: &str) {
        if let Some(guards) = self.guards(flags) {
            guards.drop_outcome(event);
        }
    }

    /// Whether the guard of a flag names this event.
    #[must_use]
    pub fn watches(&self, flags: u32, event: &str) -> bool {
        self.guards(flags).is_some_and(|guards| guards.watches(event))
    }

    /// Judges what was counted, if no thread has for this time; to be called about every second. Gives the flags that it
    /// switched off, each with its metric, and what that changed: the JSON `{"tripped": [{"flag", "metric"}…], "reports"}`.
    #[must_use]
    pub fn judge(&mut self, flags: u32, after: Duration) -> String {
        let mut reports = Vec::new();
        let tick = |guards: &Guards| guards.tick_reporting(|report| reports.push(report.to_json()));
        let shared = self.flags(flags).filter(|shared| shared.is_due(after));
        let tripped = shared.and_then(|shared| shared.guards()).map(tick).unwrap_or_default();
        self.settle(flags);
        let mut json = Json::default();
        json.list(tripped, |json, (flag, trip)| {
            json.object(|json| {
                json.name("flag").text(&flag);
                json.name("metric").text(&trip.metric);
            });
        });
        format!(r#"{{"tripped":{},"reports":[{}]}}"#, json.into_text(), reports.join(","))
    }

    /// How the guards are, as JSON; empty if nothing watches the flags.
    #[must_use]
    pub fn guards_status(&self, flags: u32) -> String {
        let Some(guards) = self.guards(flags) else { return String::new() };
        let problem = |GuardProblem { flag, place, problem }| {
            let fields = [("flag", flag), ("place", place), ("problem", problem)];
            Value::Object(fields.into_iter().map(|(name, text)| (name.into(), text.into())).collect())
        };
        let fields = [
            ("flags", Value::List(guards.status().iter().map(Status::to_value).collect())),
            ("problems", Value::List(guards.problems().into_iter().map(problem).collect())),
            ("dropped", guards.dropped().into()),
            ("unwatched", guards.unwatched().into()),
            ("exposition", guards.exposition().into()),
        ];
        Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect()).to_string()
    }

    /// Takes the trips of a document: the JSON `{"problem", "reports"}`.
    pub fn take_trips(&mut self, flags: u32, document: &str) -> String {
        let Some(handle) = self.handles.get(flags) else { return String::new() };
        let (problem, reports) = match Trips::from_json(document.as_bytes()) {
            Ok(trips) => (None, trips.iter().map(|trip| handle.flags.trip(trip.clone())).collect()),
            Err(error) => (Some(error.to_string()), Vec::new()),
        };
        self.settle(flags);
        let changed = reports.iter().filter(|report: &&Report| !report.changed().is_empty());
        let reports = changed.map(Report::to_json).collect::<Vec<_>>().join(",");
        let mut json = Json::default();
        json.maybe(problem.as_deref(), Json::text);
        format!(r#"{{"problem":{},"reports":[{reports}]}}"#, json.into_text())
    }

    /// A document of the trips of a document and of those that the flags have beyond them; empty if they have none.
    #[must_use]
    pub fn more_trips(&self, flags: u32, known: &str) -> String {
        let Some(handle) = self.handles.get(flags) else { return String::new() };
        let mut all = Trips::from_json(known.as_bytes()).unwrap_or_default();
        if all.take_from(&handle.flags.current()) { all.to_string() } else { String::new() }
    }

    fn guards(&self, flags: u32) -> Option<&Guards> {
        self.handles.get(flags)?.flags.guards()
    }
}

fn outcome(is_error: bool, lasted_ms: f64) -> Outcome {
    let outcome = if is_error { Outcome::error() } else { Outcome::ok() };
    outcome.lasted_ms(lasted_ms)
}
