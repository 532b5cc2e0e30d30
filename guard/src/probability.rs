//! Probabilities and shares strictly between 0 and 1: what every test needs to be defined.

use serde::{Deserialize, Serialize};

/// A probability strictly between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Probability(f64);

impl Probability {
    /// The probability, a fraction and not a percentage, or `None` unless `0 < value < 1` (so not for NaN).
    ///
    /// ```
    /// # use esclusa_guard::Probability;
    /// assert_eq!(Probability::new(0.05).map(Probability::get), Some(0.05));
    /// assert_eq!(Probability::new(1.0), None);
    /// ```
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (value > 0.0 && value < 1.0).then_some(Self(value))
    }

    /// The value as a fraction.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// The probability whose odds are `times` as large: `q·t / (q·t + 1 − q)`. `None` if it is not strictly between 0
    /// and 1 in 64 bits, or `times` is no positive number.
    #[must_use]
    pub fn odds(self, times: f64) -> Option<Self> {
        let hit = self.0 * times;
        Self::new(hit / (hit + (1.0 - self.0)))
    }

    /// The probability that it does not happen; `None` if that is 1 in 64 bits.
    #[must_use]
    pub fn complement(self) -> Option<Self> {
        Self::new(1.0 - self.0)
    }
}

impl TryFrom<f64> for Probability {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        Self::new(value).ok_or_else(|| format!("{value} is not strictly between 0 and 1"))
    }
}

impl From<Probability> for f64 {
    fn from(probability: Probability) -> Self {
        probability.0
    }
}

/// A count as a number with a fraction; exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53, and above it only the last bits are lost")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}
