//! By how much two arms differ, for A/B tests: intervals that may be looked at after every unit.
//!
//! They are asymptotic confidence sequences (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, arXiv 2103.06476, equation 9),
//! as GrowthBook has them, tuned to be tightest at 5,000 units. They say how large an effect is; what stops a rollout is
//! the exact test of [`crate::Evidence`]. Compare arms only over a time in which the share was constant: where it
//! changes together with the rates, pooled rates mislead (Simpson's paradox).

use crate::probability::real;

/// How often the truth may ever be outside.
const ALPHA: f64 = 0.05;
/// Below this many units in an arm nothing is said.
const LEAST_UNITS: u64 = 20;
/// The number of units at which the interval is tightest.
const TUNED_FOR: f64 = 5000.0;

/// What was measured of an arm's units, each unit once.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    units: u64,
    mean: f64,
    squares: f64,
}

impl Sample {
    /// A sample of units of which some converted (or failed). More conversions than units are as many as units.
    #[must_use]
    pub fn of_share(units: u64, converted: u64) -> Self {
        let converted = converted.min(units);
        let mean = if units == 0 { 0.0 } else { real(converted) / real(units) };
        // The variance with one unit more of each kind (Agresti and Caffo 2000): otherwise it is 0 before the first.
        let smoothed = (real(converted) + 1.0) / (real(units) + 2.0);
        let squares = smoothed * (1.0 - smoothed) * (real(units) - 1.0).max(0.0);
        Self { units, mean, squares }
    }

    /// Adds the value of one more unit (Welford 1962). A value that is not finite is left out.
    pub fn add(&mut self, value: f64) {
        if value.is_finite() {
            self.units += 1;
            let from_mean = value - self.mean;
            self.mean += from_mean / real(self.units);
            self.squares += from_mean * (value - self.mean);
        }
    }

    /// How many units were measured.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.units
    }

    /// Their mean, or the share that converted.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The variance of the mean.
    fn variance(&self) -> Option<f64> {
        let variance = self.squares / (real(self.units) - 1.0) / real(self.units);
        (self.units >= LEAST_UNITS && variance > 0.0 && variance.is_finite()).then_some(variance)
    }
}

/// An estimate with an interval that holds the truth at all times together with a probability of 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The best guess.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// By how much the mean (or the share) of `b` is above that of `a`. `None` below 20 units in an arm, or where all values
/// of an arm are equal.
///
/// ```
/// # use esclusa_guard::{Sample, difference};
/// let estimate = difference(&Sample::of_share(8000, 400), &Sample::of_share(8000, 560)).expect("enough units");
/// assert!(estimate.low > 0.007 && estimate.high < 0.033); // 0.7 to 3.3 points more (95 %, at any time)
/// ```
#[must_use]
pub fn difference(a: &Sample, b: &Sample) -> Option<Estimate> {
    Some(around(b.mean - a.mean, a.variance()? + b.variance()?, a.units.saturating_add(b.units)))
}

/// By which part the mean (or the share) of `b` is above that of `a`: 0.1 is 10 % more. By the delta method; `None` also
/// where the mean of `a` may be 0 or is negative.
#[must_use]
pub fn lift(a: &Sample, b: &Sample) -> Option<Estimate> {
    let (variance_a, variance_b) = (a.variance()?, b.variance()?);
    if around(a.mean, variance_a, a.units).low <= 0.0 {
        return None;
    }
    let ratio = b.mean / a.mean;
    let variance = (variance_b + ratio * ratio * variance_a) / (a.mean * a.mean);
    Some(around(ratio - 1.0, variance, a.units.saturating_add(b.units)))
}

/// The interval around an estimate after `units` units, from its variance.
fn around(value: f64, variance: f64, units: u64) -> Estimate {
    let tail = -2.0 * ALPHA.ln();
    let rho = (tail + tail.ln_1p()) / TUNED_FOR;
    let scaled = real(units) * rho + 1.0;
    let width = (variance * 2.0 * scaled / (real(units) * rho) * (scaled.sqrt() / ALPHA).ln()).sqrt();
    Estimate { value, low: value - width, high: value + width }
}
