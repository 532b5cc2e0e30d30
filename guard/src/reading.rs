//! The `guard` of a flag, read and checked: this page of rules is the one that 2.2.34 of SEMANTICS.md points to.
//!
//! A guard with a mistake guards nothing, and every mistake is said; the flag itself is served all the same.

use std::fmt;

use esclusa::Value;

use crate::Probability;
use crate::policy::{Metric, OnTrip, Policy};

/// What is wrong in a flag's `guard`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardProblem {
    /// The key of the flag.
    pub flag: String,
    /// Where: `guard/errors/at_most`.
    pub place: String,
    /// What is wrong, and what is expected.
    pub problem: String,
}

impl fmt::Display for GuardProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}`: {}", self.flag, self.place, self.problem)
    }
}

/// A `guard`, checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rules {
    /// The event that it watches.
    pub(crate) event: String,
    /// Whether outcomes count that a browser has sent.
    pub(crate) from_browser: bool,
    pub(crate) policy: Policy,
    /// What each metric of the policy counts as bad, in its order.
    pub(crate) bad: Vec<Bad>,
}

/// The outcomes that a metric counts as bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bad {
    Error,
    /// It took longer than this.
    AboveMs(f64),
    /// It took longer than this many times the p90 of the off arm in the epoch before.
    AboveP90(f64),
}

const FIELDS: [&str; 8] = ["event", "errors", "slow", "false_trips", "at_least", "on_trip", "advance", "from_browser"];
const ERRORS: [&str; 3] = ["at_most_times", "at_most", "on_trip"];
const SLOW: [&str; 5] = ["above_ms", "above_p90_times", "at_most_times", "at_most", "on_trip"];
const ADVANCE: [&str; 3] = ["after", "min_units", "up_to"];

/// Reads the `guard` of a flag.
pub(crate) fn read(flag: &str, guard: &Value<'_>) -> Result<Rules, Vec<GuardProblem>> {
    let mut reader = Reader { flag, problems: Vec::new() };
    let rules = reader.rules(guard);
    match rules {
        Some(rules) if reader.problems.is_empty() => Ok(rules),
        _ => Err(reader.problems),
    }
}

struct Reader<'f> {
    flag: &'f str,
    problems: Vec<GuardProblem>,
}

impl Reader<'_> {
    fn report(&mut self, place: &str, problem: String) {
        self.problems.push(GuardProblem { flag: self.flag.to_owned(), place: place.to_owned(), problem });
    }

    fn rules(&mut self, guard: &Value<'_>) -> Option<Rules> {
        self.fields("guard", guard, &FIELDS);
        let event = self.event(guard);
        let on_trip = self.on_trip("guard", guard, OnTrip::Off);
        let mut metrics: Vec<(Metric, Bad)> = Vec::new();
        if let Some(errors) = given(guard, "errors") {
            self.fields("guard/errors", errors, &ERRORS);
            metrics.push((self.metric("guard/errors", "errors", errors, on_trip), Bad::Error));
        }
        if let Some(slow) = given(guard, "slow") {
            self.fields("guard/slow", slow, &SLOW);
            metrics.extend(self.slow(slow, on_trip));
        }
        let false_trips = self.number("guard", guard, "false_trips", "a share above 0 and below 1", is_inside);
        let at_least =
            self.number("guard", guard, "at_least", "a share from 0 to below 1", |n| (0.0..1.0).contains(&n));
        let min_units = given(guard, "advance").and_then(|advance| self.advance(advance));
        let from_browser = given(guard, "from_browser").map(Value::as_bool);
        if from_browser == Some(None) {
            self.report("guard/from_browser", "does not fit, expected true or false".to_owned());
        }
        if metrics.is_empty() && self.problems.is_empty() {
            self.report("guard", "watches nothing, expected `errors` or `slow`".to_owned());
        }
        let (metrics, bad) = metrics.into_iter().unzip();
        let policy = Policy::new(metrics)
            .and_then(|policy| policy.false_trips(false_trips.unwrap_or(0.01)))
            .and_then(|policy| policy.at_least(at_least.unwrap_or(0.002)));
        let policy = match policy {
            Ok(policy) => policy.min_units(min_units.unwrap_or(500)),
            Err(error) if self.problems.is_empty() => {
                self.report("guard", error.to_string());
                return None;
            }
            Err(_) => return None,
        };
        Some(Rules { event, from_browser: from_browser.flatten() == Some(true), policy, bad })
    }

    /// The name of the event; the key of the flag if there is none.
    fn event(&mut self, guard: &Value<'_>) -> String {
        match given(guard, "event") {
            None => self.flag.to_owned(),
            Some(Value::Text(event)) if !event.is_empty() => event.clone().into_owned(),
            Some(other) => {
                self.report("guard/event", format!("{other} does not fit, expected the name of an event"));
                String::new()
            }
        }
    }

    /// A metric; without conditions it compares the arms and tolerates no harm.
    fn metric(&mut self, place: &str, name: &str, value: &Value<'_>, on_trip: OnTrip) -> Metric {
        let at_most_times =
            self.number(place, value, "at_most_times", "a number from 1 to 100", |n| (1.0..=100.0).contains(&n));
        let at_most = self.number(place, value, "at_most", "a share above 0 and below 1", is_inside);
        Metric {
            name: name.to_owned(),
            at_most_times: at_most_times.or(at_most.is_none().then_some(1.0)),
            at_most: at_most.and_then(Probability::new),
            on_trip: self.on_trip(place, value, on_trip),
        }
    }

    /// One metric for each kind of slowness.
    fn slow(&mut self, value: &Value<'_>, on_trip: OnTrip) -> Vec<(Metric, Bad)> {
        let place = "guard/slow";
        let above_ms = self.number(place, value, "above_ms", "a number of milliseconds above 0", |n| n > 0.0);
        let above_p90 =
            self.number(place, value, "above_p90_times", "a number from 1 to 100", |n| (1.0..=100.0).contains(&n));
        if above_ms.is_none() && above_p90.is_none() && self.problems.is_empty() {
            self.report(place, "does not say what is slow, expected `above_ms` or `above_p90_times`".to_owned());
        }
        let metric = self.metric(place, "slow", value, on_trip);
        let bad = [above_ms.map(Bad::AboveMs), above_p90.map(Bad::AboveP90)];
        let named = |bad| match bad {
            Bad::AboveP90(_) => (Metric { name: "slower".to_owned(), ..metric.clone() }, bad),
            _ => (metric.clone(), bad),
        };
        bad.into_iter().flatten().map(named).collect()
    }

    /// Checks `advance`, which a store carries out; gives the number of units that an arm needs to be healthy.
    fn advance(&mut self, value: &Value<'_>) -> Option<u64> {
        let place = "guard/advance";
        self.fields(place, value, &ADVANCE);
        if given(value, "after").is_some_and(|after| !after.as_str().is_some_and(is_span)) {
            self.report("guard/advance/after", "does not fit, expected a time such as `30m`, `1h` or `2d`".to_owned());
        }
        self.number(place, value, "up_to", "a percentage from 0 to 100", |n| (0.0..=100.0).contains(&n));
        let units = given(value, "min_units")?;
        let number = units.as_i64().and_then(|units| u64::try_from(units).ok());
        if number.is_none() {
            self.report("guard/advance/min_units", format!("{units} does not fit, expected a number of units"));
        }
        number
    }

    fn on_trip(&mut self, place: &str, value: &Value<'_>, otherwise: OnTrip) -> OnTrip {
        match given(value, "on_trip").map(Value::as_str) {
            None => otherwise,
            Some(Some("off")) => OnTrip::Off,
            Some(Some("hold")) => OnTrip::Hold,
            Some(_) => {
                self.report(&format!("{place}/on_trip"), "does not fit, expected `off` or `hold`".to_owned());
                otherwise
            }
        }
    }

    fn number(
        &mut self,
        place: &str,
        value: &Value<'_>,
        name: &str,
        wanted: &str,
        fits: impl Fn(f64) -> bool,
    ) -> Option<f64> {
        let value = given(value, name)?;
        let number = value.as_f64().filter(|number| fits(*number));
        if number.is_none() {
            self.report(&format!("{place}/{name}"), format!("{value} does not fit, expected {wanted}"));
        }
        number
    }

    /// Reports a value that is not an object, and unknown fields: a guard with a mistake guards nothing.
    fn fields(&mut self, place: &str, value: &Value<'_>, known: &[&str]) {
        let Value::Object(fields) = value else {
            return self.report(place, format!("{value} does not fit, expected an object"));
        };
        for (name, _) in fields.iter().filter(|(name, _)| !known.contains(&name.as_ref()) && name != "description") {
            let problem = format!("is not a field that is known here, expected one of {}", known.join(", "));
            self.report(&format!("{place}/{name}"), problem);
        }
    }
}

/// A field that is there and not null.
fn given<'r, 'v>(value: &'r Value<'v>, name: &str) -> Option<&'r Value<'v>> {
    value.get(name).filter(|value| !value.is_null())
}

fn is_inside(number: f64) -> bool {
    number > 0.0 && number < 1.0
}

/// Whether a text is a whole number of seconds, minutes, hours or days: `30m`.
fn is_span(text: &str) -> bool {
    let number = text.strip_suffix(['s', 'm', 'h', 'd']);
    number.is_some_and(|number| number.len() <= 6 && number.parse::<u32>().is_ok_and(|number| number > 0))
}
