//! `POST /v1/usage`: what an app has counted (section 4 of `spec/GUARD.md`). A report may come again: of each minute the
//! highest count stands.

use std::collections::BTreeMap;

use esclusa::{Json, Time, Value};

use super::form::{Form, kept};
use super::series::{HOUR_MS, Origin, Series, Tallies, Tally};
use crate::problem::Problem;

/// How old a minute may be: that of an app that was cut off. Reports of earlier minutes are not remembered, so they cannot
/// be told from those that come again.
pub(super) const REMEMBERED_HOURS: i64 = 48;
/// How far the clock of an app may be ahead.
const AHEAD_MS: i64 = 10 * 60_000;
const MINUTE_MS: i64 = 60_000;
/// The longest name.
pub(super) const NAME_CHARS: usize = 200;
/// The reasons of answers; any other is `UNKNOWN`.
const REASONS: [&str; 9] =
    ["STATIC", "TARGETING_MATCH", "SPLIT", "DEFAULT", "DISABLED", "ERROR", "CACHED", "STALE", "UNKNOWN"];

/// What one process says of one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Minute {
    count: i64,
    errors: i64,
    /// The median and the 95th percentile of durations, in milliseconds.
    percentiles: Option<(f64, f64)>,
}

/// The minutes of an hour, from 0 to 59, by what they are of.
pub(super) type Minutes = BTreeMap<(Series, i64), Minute>;

/// A body.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) process: String,
    /// That of the set which the process has.
    pub(super) revision: Option<i64>,
    /// What the process has not counted.
    pub(super) dropped: i64,
    /// Counts of minutes that are too old, or in the future.
    pub(super) untimely: i64,
    pub(super) hours: BTreeMap<i64, Minutes>,
}

impl Report {
    /// Reads a body; `flag` gives the name under which a flag is counted.
    pub(super) fn read(body: &Value<'_>, now: Time, flag: impl Fn(&str) -> String) -> Result<Self, Problem> {
        let form = Form::whole(body, &["esclusa", "process", "revision", "counts", "outcomes", "dropped"])?;
        let process = kept(form.text("process", NAME_CHARS)?, NAME_CHARS);
        let (revision, dropped) = (form.nullable_count("revision")?, form.maybe_count("dropped")?.unwrap_or(0));
        // By the names as they are written: the highest stands before anything is added up.
        let mut said = BTreeMap::<(String, Series, i64), Minute>::new();
        let mut untimely = 0_i64;
        let oldest = now.as_millis() - REMEMBERED_HOURS * HOUR_MS;
        let mut say = |key: &str, mut series: Series, at: Time, minute: Minute| {
            let ms = at.as_millis();
            if ms < oldest || ms > now.as_millis() + AHEAD_MS {
                untimely = untimely.saturating_add(minute.count);
                return;
            }
            series.hour = ms.div_euclid(HOUR_MS);
            let place = ms.rem_euclid(HOUR_MS) / MINUTE_MS;
            said.entry((key.to_owned(), series, place)).or_default().rise(&minute);
        };
        for (at, entry) in form.needed_list("counts")?.iter().enumerate() {
            let form = Form::of(&format!("counts[{at}]"), entry, &["flag", "variant", "reason", "minute", "count"])?;
            let key = form.text("flag", NAME_CHARS)?;
            let mut series = Series::new(0, &flag(key), Origin::Evaluation);
            series.variant = kept(form.nullable_text("variant")?.unwrap_or_default(), NAME_CHARS);
            series.reason = reason(form.any_text("reason")?);
            let minute = Minute { count: form.count("count", 0, i64::MAX)?, ..Minute::default() };
            say(key, series, form.time("minute")?, minute);
        }
        for (at, entry) in form.any_list("outcomes")?.unwrap_or_default().iter().enumerate() {
            let names = ["flag", "event", "on", "minute", "count", "errors", "duration_ms"];
            let form = Form::of(&format!("outcomes[{at}]"), entry, &names)?;
            let key = form.text("flag", NAME_CHARS)?;
            let mut series = Series::new(0, &flag(key), Origin::App);
            series.event = kept(form.text("event", NAME_CHARS)?, NAME_CHARS);
            series.arm = (if form.flag("on")? { "on" } else { "off" }).to_owned();
            let (count, errors) = (form.count("count", 0, i64::MAX)?, form.count("errors", 0, i64::MAX)?);
            let percentiles = match form.field("duration_ms") {
                None => None,
                Some(durations) => {
                    let form = Form::of(&form.place("duration_ms"), durations, &["p50", "p95"])?;
                    Some((form.number("p50", 0.0, f64::MAX)?, form.number("p95", 0.0, f64::MAX)?))
                }
            };
            say(key, series, form.time("minute")?, Minute { count, errors, percentiles });
        }
        let mut hours = BTreeMap::<i64, Minutes>::new();
        for ((_, series, place), minute) in said {
            hours.entry(series.hour).or_default().entry((series, place)).or_default().add(&minute);
        }
        Ok(Report { process, revision, dropped, untimely, hours })
    }
}

impl Minute {
    /// The highest count stands, and what was said with it.
    fn rise(&mut self, other: &Minute) {
        if other.count >= self.count {
            *self = Minute { errors: other.errors.max(self.errors), ..*other };
        }
    }

    /// Two flags that are counted under one name.
    fn add(&mut self, other: &Minute) {
        self.count = self.count.saturating_add(other.count);
        self.errors = self.errors.saturating_add(other.errors);
        self.percentiles = self.percentiles.or(other.percentiles);
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally { count: self.count, errors: self.errors, ..Tally::default() };
        if let Some((p50_ms, p95_ms)) = self.percentiles {
            tally.durations.add_percentiles(p50_ms, p95_ms, self.count);
        }
        tally
    }
}

fn reason(said: &str) -> String {
    let known = REASONS.into_iter().find(|reason| reason.eq_ignore_ascii_case(said));
    known.unwrap_or("UNKNOWN").to_owned()
}

/// Adds to the tallies what minutes say beyond what was known of them, and keeps it as known.
pub(super) fn beyond(known: &mut Minutes, said: &Minutes, tallies: &mut Tallies) {
    for (place, minute) in said {
        let before = known.get(place).copied().unwrap_or_default();
        let mut after = before;
        after.rise(minute);
        if after == before {
            continue;
        }
        known.insert(place.clone(), after);
        let (before, after) = (before.tally(), after.tally());
        let mut more = Tally { count: after.count - before.count, errors: after.errors - before.errors, ..after };
        more.durations.merge(&before.durations, -1);
        tallies.entry(place.0.clone()).or_default().add(&more);
    }
}

/// Minutes as they are kept: a list for each.
pub(super) fn written(minutes: &Minutes) -> String {
    let mut json = Json::default();
    json.list(minutes, |json, ((series, place), minute)| {
        let text = |text: &str| Value::Text(text.to_owned().into());
        let (p50_ms, p95_ms) = minute.percentiles.unzip();
        let number = |number: Option<f64>| number.map_or(Value::Null, Value::Number);
        json.value(&Value::List(vec![
            text(&series.flag),
            text(series.origin.as_str()),
            text(&series.variant),
            text(&series.reason),
            text(&series.event),
            text(&series.arm),
            Value::Integer(*place),
            Value::Integer(minute.count),
            Value::Integer(minute.errors),
            number(p50_ms),
            number(p95_ms),
        ]));
    });
    json.into_text()
}

/// The minutes of an hour that were kept; none that cannot be read.
pub(super) fn kept_minutes(text: &str, hour: i64) -> Minutes {
    let Ok(Value::List(entries)) = Value::from_json(text.as_bytes()) else { return Minutes::new() };
    let entry = |entry: &Value<'_>| {
        let [flag, origin, variant, reason, event, arm, place, count, errors, p50_ms, p95_ms] = entry.as_list()? else {
            return None;
        };
        let owned = |value: &Value<'_>| value.as_str().map(str::to_owned);
        let mut series = Series::new(hour, flag.as_str()?, Origin::named(origin.as_str()?)?);
        (series.variant, series.reason) = (owned(variant)?, owned(reason)?);
        (series.event, series.arm) = (owned(event)?, owned(arm)?);
        let percentiles = p50_ms.as_f64().zip(p95_ms.as_f64());
        Some(((series, place.as_i64()?), Minute { count: count.as_i64()?, errors: errors.as_i64()?, percentiles }))
    };
    entries.iter().filter_map(entry).collect()
}
