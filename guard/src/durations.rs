//! How long things took: quantiles within 1 %, in a room that never grows.
//!
//! The buckets are those of DDSketch (Masson, Rim, Lee, VLDB 2019, arXiv 1908.10693) with fixed ends, so that sketches of
//! several processes merge by addition. Not taken: `sketches-ddsketch` and `hdrhistogram`, whose buckets grow as values
//! come.

use crate::probability::real;

/// Each bucket is this many times as wide as the one before: (1 + 0.01) / (1 − 0.01).
const GROWTH: f64 = 1.01 / 0.99;
/// The end of the first bucket, in milliseconds.
const LEAST_MS: f64 = 0.1;
/// So many reach 100 seconds.
const BUCKETS: usize = 692;

/// Durations from 0.1 ms to 100 s, each within 1 %; what is shorter or longer counts as these.
///
/// ```
/// let mut durations = esclusa_guard::Durations::default();
/// for ms in 1..=1000 {
///     durations.add(f64::from(ms));
/// }
/// let p90 = durations.quantile(0.9).expect("there are durations");
/// assert!((p90 / 900.0 - 1.0).abs() <= 0.01);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durations {
    counts: Box<[u64]>,
}

impl Default for Durations {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS].into_boxed_slice() }
    }
}

impl Durations {
    /// Adds a duration in milliseconds. What is negative or no finite number is left out, and the answer is whether it
    /// was counted.
    pub fn add(&mut self, ms: f64) -> bool {
        if !ms.is_finite() || ms < 0.0 {
            return false;
        }
        let place = ((ms / LEAST_MS).max(1.0).ln() / GROWTH.ln()).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0, and far below 2^32")]
        let place = (place as usize).min(BUCKETS - 1);
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_add(1);
        }
        true
    }

    /// Adds the durations of another sketch, for example of another process.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
    }

    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The duration in milliseconds that this part of the durations (0 to 1) does not exceed, within 1 %. `None` without
    /// durations.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let wanted = (part.clamp(0.0, 1.0) * real(self.count())).max(1.0);
        let mut seen = 0_u64;
        let place = self.counts.iter().position(|count| {
            seen = seen.saturating_add(*count);
            real(seen) >= wanted
        })?;
        let end = LEAST_MS * (GROWTH.ln() * real(place as u64)).exp();
        // The value that is at most 1 % away from both ends.
        Some(if place == 0 { end } else { end * 2.0 / (GROWTH + 1.0) })
    }
}
