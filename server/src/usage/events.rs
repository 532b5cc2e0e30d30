//! `POST /v1/track`: events of pages and apps (section 1 of `spec/GUARD.md`).

use esclusa::{Context, Json, Time, Value};

use super::form::{Form, kept};
use super::report::NAME_CHARS;
use super::series::{HOUR_MS, Origin, Series, Tallies, Tally};
use crate::edition::Edition;
use crate::problem::Problem;
use crate::token::{Kind, Known};

/// The longest body of events.
pub(super) const MAX_BYTES: usize = 16 * 1024;
const MAX_EVENTS: usize = 100;
const MAX_ACTION_CHARS: usize = 50;
/// A day.
const MAX_DURATION_MS: f64 = 86_400_000.0;
const MAX_FIELDS: usize = 20;
const FEEDBACK: &str = ".feedback";

/// What a body holds.
pub(super) struct Events {
    pub(super) tallies: Tallies,
    /// Each event as `esclusa.write_usage` takes it.
    pub(super) rows: Vec<Value<'static>>,
    taken: usize,
    refused: Vec<(usize, String)>,
}

impl Events {
    /// The arm is that of the token's company, if it is for one: a server has no sessions.
    pub(super) fn read(body: &Value<'_>, edition: &Edition, known: &Known, now: Time) -> Result<Self, Problem> {
        let form = Form::whole(body, &["esclusa", "events"])?;
        let context = known.context(Value::Object(Vec::new()))?;
        let mut events = Events { tallies: Tallies::new(), rows: Vec::new(), taken: 0, refused: Vec::new() };
        for (at, event) in form.list("events", MAX_EVENTS)?.iter().enumerate() {
            let event = Event::read(&format!("events[{at}]"), event)?;
            let flags = event.flags(edition, known.kind);
            if flags.is_empty() {
                events.refused.push((at, format!("`{}` is no flag and no event of a guard", event.event)));
                continue;
            }
            events.taken += 1;
            for flag in flags {
                let arm = arm(edition, flag, &context, now);
                let (series, tally) = event.counted(flag, known.kind, arm, now);
                events.tallies.entry(series).or_default().add(&tally);
                events.rows.push(event.row(flag, known, arm, now));
            }
        }
        Ok(events)
    }

    /// How many were taken, and why others were not.
    pub(super) fn answer(&self) -> String {
        let mut json = Json::default();
        json.object(|json| {
            json.name("taken").whole(i64::try_from(self.taken).unwrap_or_default());
            json.name("refused").list(&self.refused, |json, (at, problem)| {
                json.object(|json| {
                    json.name("at").whole(i64::try_from(*at).unwrap_or_default());
                    json.name("problem").text(problem);
                });
            });
        });
        json.into_text()
    }
}

fn arm(edition: &Edition, flag: &str, context: &Context<'_>, now: Time) -> &'static str {
    match edition.set.arm(flag, context, || now) {
        None => "",
        Some(arm) if arm.is_on() => "on",
        Some(_) => "off",
    }
}

struct Event<'v> {
    event: &'v str,
    action: Option<&'v str>,
    shown: Option<&'v str>,
    variant: Option<&'v str>,
    error: bool,
    duration_ms: Option<f64>,
    value: Option<f64>,
    fields: Vec<(&'v str, &'v Value<'v>)>,
}

impl<'v> Event<'v> {
    fn read(at: &str, event: &'v Value<'v>) -> Result<Self, Problem> {
        let names = ["event", "action", "shown", "variant", "error", "duration_ms", "value", "fields"];
        let form = Form::of(at, event, &names)?;
        Ok(Event {
            event: form.text("event", NAME_CHARS)?,
            action: form.maybe_text("action", MAX_ACTION_CHARS)?,
            shown: form.one_of("shown", ["children", "fallback"])?,
            variant: form.maybe_text("variant", NAME_CHARS)?,
            error: form.maybe_flag("error")?.unwrap_or(false),
            duration_ms: form.maybe_number("duration_ms", 0.0, MAX_DURATION_MS)?,
            value: form.maybe_number("value", f64::MIN, f64::MAX)?,
            fields: form.free("fields", MAX_FIELDS)?,
        })
    }

    /// The flags that it is counted for, as far as the token sees them.
    fn flags<'e>(&self, edition: &'e Edition, kind: Kind) -> Vec<&'e str> {
        let own = self.event.strip_suffix(FEEDBACK).and_then(|flag| edition.flag(flag, kind));
        let own = edition.flag(self.event, kind).or(own).map(|flag| flag.key.as_str());
        let guarded = edition.set.guarded().filter(|guarded| {
            let event = guarded.policy().and_then(|policy| policy.get("event")).and_then(Value::as_str);
            event == Some(self.event) && Some(guarded.key()) != own
        });
        let guarded = guarded.filter_map(|guarded| edition.flag(guarded.key(), kind)).map(|flag| flag.key.as_str());
        own.into_iter().chain(guarded).collect()
    }

    fn is_feedback(&self, flag: &str) -> bool {
        self.event.strip_suffix(FEEDBACK) == Some(flag)
    }

    fn action(&self, flag: &str) -> &str {
        self.action.unwrap_or(if self.is_feedback(flag) { "feedback" } else { "" })
    }

    fn counted(&self, flag: &str, kind: Kind, arm: &str, now: Time) -> (Series, Tally) {
        let origin = if kind == Kind::Client { Origin::Page } else { Origin::App };
        let mut series = Series::new(now.as_millis().div_euclid(HOUR_MS), flag, origin);
        series.variant = kept(self.variant.unwrap_or_default(), NAME_CHARS);
        series.event = kept(self.event, NAME_CHARS);
        series.action = kept(self.action(flag), MAX_ACTION_CHARS);
        series.arm = arm.to_owned();
        series.shown = self.shown.unwrap_or_default().to_owned();
        let is_error = self.error || self.action == Some("error");
        let mut tally = Tally { count: 1, errors: is_error.into(), ..Tally::default() };
        if let Some(ms) = self.duration_ms {
            tally.durations.add(ms, 1);
        }
        if let Some(value) = self.value {
            (tally.value_count, tally.value_sum) = (1, value);
        }
        (series, tally)
    }

    fn row(&self, flag: &str, known: &Known, arm: &'static str, now: Time) -> Value<'static> {
        let text = |text: &str| Value::Text(kept(text, usize::MAX).into());
        let mut row: Vec<(std::borrow::Cow<'static, str>, Value<'static>)> =
            self.fields.iter().map(|(name, value)| (kept(name, usize::MAX).into(), free(value))).collect();
        let mut say = |name: &'static str, value: Option<Value<'static>>| {
            row.retain(|(known, _)| known != name);
            if let Some(value) = value {
                row.push((name.into(), value));
            }
        };
        say("user", None);
        say("flag", Some(text(flag)));
        say("company", known.company.as_deref().map(text));
        say("action", Some(text(Some(self.action(flag)).filter(|action| !action.is_empty()).unwrap_or("use"))));
        say("at", Some(text(&now.to_string())));
        say("event", (self.event != flag && !self.is_feedback(flag)).then(|| text(self.event)));
        say("arm", (!arm.is_empty()).then(|| text(arm)));
        say("shown", self.shown.map(text));
        say("variant", self.variant.map(text));
        say("error", self.error.then_some(Value::Bool(true)));
        say("duration_ms", self.duration_ms.map(Value::Number));
        say("value", self.value.map(Value::Number));
        say("from_browser", (known.kind == Kind::Client).then_some(Value::Bool(true)));
        Value::Object(row)
    }
}

fn free(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Text(text) => Value::Text(kept(text, usize::MAX).into()),
        other => other.clone().into_owned(),
    }
}
