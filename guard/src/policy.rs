//! What a guard watches and how sure it must be: what people write.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Probability;

/// What happens when a metric reaches its bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnTrip {
    /// The rollout is stopped.
    #[default]
    Off,
    /// The rollout goes no further, and people are warned.
    Hold,
}

/// One kind of bad outcome, for example errors, or answers slower than 3 seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name in trips and in the status.
    pub name: String,
    /// How many times the odds of a bad unit may be raised by the flag; 1 tolerates no harm, `None` compares no arms.
    pub at_most_times: Option<f64>,
    /// The largest part of the on arm's units that may be bad; `None` is no limit.
    pub at_most: Option<Probability>,
    /// What happens when it reaches its bar.
    #[serde(default)]
    pub on_trip: OnTrip,
}

impl Metric {
    /// A metric that compares the arms and tolerates no harm.
    #[must_use]
    pub fn compared(name: &str) -> Self {
        Self { name: name.to_owned(), at_most_times: Some(1.0), at_most: None, on_trip: OnTrip::Off }
    }

    /// A metric with a limit on the on arm alone.
    #[must_use]
    pub fn limited(name: &str, at_most: Probability) -> Self {
        Self { name: name.to_owned(), at_most_times: None, at_most: Some(at_most), on_trip: OnTrip::Off }
    }
}

/// A guard as people write it, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Policy {
    pub(crate) metrics: Vec<Metric>,
    pub(crate) false_trips: Probability,
    pub(crate) at_least: f64,
    pub(crate) min_units: u64,
}

/// A policy before it is checked.
#[derive(Serialize, Deserialize)]
struct Written {
    metrics: Vec<Metric>,
    false_trips: f64,
    at_least: f64,
    min_units: u64,
}

impl From<Policy> for Written {
    fn from(Policy { metrics, false_trips, at_least, min_units }: Policy) -> Self {
        Self { metrics, false_trips: false_trips.get(), at_least, min_units }
    }
}

impl TryFrom<Written> for Policy {
    type Error = PolicyError;

    fn try_from(written: Written) -> Result<Self, PolicyError> {
        let policy = Self::new(written.metrics)?.false_trips(written.false_trips)?.at_least(written.at_least)?;
        Ok(policy.min_units(written.min_units))
    }
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PolicyError {
    /// There is no metric, or there are more than 32.
    #[error("a guard has {0} metrics, expected 1 to 32")]
    Metrics(usize),
    /// A metric has neither `at_most_times` nor `at_most`.
    #[error("the metric `{0}` tests nothing, expected `at_most_times` or `at_most`")]
    NoCondition(String),
    /// `at_most_times` is below 1, above 100, or no number.
    #[error("`at_most_times` of the metric `{metric}` is {times}, expected 1 to 100")]
    Times {
        /// The metric.
        metric: String,
        /// What it has.
        times: f64,
    },
    /// `at_least` is negative, 1 or more, or no number.
    #[error("`at_least` is {0}, expected a difference of shares from 0 to below 1")]
    AtLeast(f64),
    /// `false_trips` is not strictly between 0 and 1.
    #[error("`false_trips` is {0}, expected a share between 0 and 1")]
    FalseTrips(f64),
}

impl Policy {
    /// A policy with the usual numbers: at most 1 in 100 healthy rollouts is ever stopped, a difference of less than 0.2
    /// percentage points stops nothing, and below 500 units in an arm the guard waits.
    ///
    /// # Errors
    /// No metric or more than 32, a metric without a condition, and tolerances outside of 1 to 100.
    pub fn new(metrics: Vec<Metric>) -> Result<Self, PolicyError> {
        if metrics.is_empty() || metrics.len() > 32 {
            return Err(PolicyError::Metrics(metrics.len()));
        }
        for metric in &metrics {
            match (metric.at_most_times, metric.at_most) {
                (None, None) => return Err(PolicyError::NoCondition(metric.name.clone())),
                (Some(times), _) if !(1.0..=100.0).contains(&times) => {
                    return Err(PolicyError::Times { metric: metric.name.clone(), times });
                }
                _ => {}
            }
        }
        let false_trips = Probability::new(0.01).ok_or(PolicyError::FalseTrips(0.01))?;
        Ok(Self { metrics, false_trips, at_least: 0.002, min_units: 500 })
    }

    /// The part of all healthy rollouts that may ever be stopped.
    ///
    /// # Errors
    /// Anything but a number strictly between 0 and 1.
    pub fn false_trips(mut self, share: f64) -> Result<Self, PolicyError> {
        self.false_trips = Probability::new(share).ok_or(PolicyError::FalseTrips(share))?;
        Ok(self)
    }

    /// The least difference of the arms' rates, a fraction, for which a comparison stops a rollout.
    ///
    /// # Errors
    /// A number that is negative, 1 or more, or NaN.
    pub fn at_least(mut self, difference: f64) -> Result<Self, PolicyError> {
        if !(0.0..1.0).contains(&difference) {
            return Err(PolicyError::AtLeast(difference));
        }
        self.at_least = difference;
        Ok(self)
    }

    /// How many units each arm must have before the guard says `healthy`. Trips do not wait for them.
    #[must_use]
    pub fn min_units(mut self, units: u64) -> Self {
        self.min_units = units;
        self
    }

    /// How many conditions share the false trips.
    pub(crate) fn conditions(&self) -> u64 {
        let of = |metric: &Metric| u64::from(metric.at_most_times.is_some()) + u64::from(metric.at_most.is_some());
        self.metrics.iter().map(of).sum()
    }
}
