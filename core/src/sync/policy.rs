//! How often to ask and how to retry (11.18).

/// How often to ask and how to retry; all in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// From one good answer to the next request; at least 1.
    pub interval_ms: u64,
    /// The part of the interval, 0 to 100 percent, of which a random share is subtracted, so that requests of many apps
    /// spread out.
    pub jitter_percent: u64,
    /// Data older than this is stale; four intervals by default.
    pub stale_after_ms: Option<u64>,
    /// The wait after the first failure; it doubles with each further one. At least 1.
    pub backoff_min_ms: u64,
    /// The longest wait after a failure.
    pub backoff_max_ms: u64,
    /// After a notification, the request comes within this time, at random, so that not every app asks at once.
    pub spread_ms: u64,
}

/// Asks every 30 seconds, and within 200 milliseconds of a notification; stale after 2 minutes; retries after 1 second
/// and up to every minute.
impl Default for Policy {
    fn default() -> Self {
        Policy {
            interval_ms: 30_000,
            jitter_percent: 20,
            stale_after_ms: None,
            backoff_min_ms: 1_000,
            backoff_max_ms: 60_000,
            spread_ms: 200,
        }
    }
}

/// A year. No app needs a longer time, and sums of such times stay far from the largest number.
const MAX_MS: u64 = 366 * 24 * 3_600_000;

/// A policy that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {value}, expected {least} to {most}")]
pub struct PolicyError {
    /// The field that is wrong.
    pub field: &'static str,
    /// Its value.
    pub value: u64,
    /// The least valid value: an interval or a back-off of 0 would ask a source without pause.
    pub least: u64,
    /// The greatest valid value.
    pub most: u64,
}

impl Policy {
    /// Data older than this is stale.
    #[must_use]
    pub fn stale_after_ms(&self) -> u64 {
        self.stale_after_ms.unwrap_or(self.interval_ms.saturating_mul(4))
    }

    /// # Errors
    /// When a number is out of range: an interval of 0, or a time of more than a year.
    pub fn check(&self) -> Result<(), PolicyError> {
        let ranges = [
            ("interval_ms", self.interval_ms, 1, MAX_MS),
            ("jitter_percent", self.jitter_percent, 0, 100),
            ("stale_after_ms", self.stale_after_ms.unwrap_or_default(), 0, MAX_MS),
            ("backoff_min_ms", self.backoff_min_ms, 1, MAX_MS),
            ("backoff_max_ms", self.backoff_max_ms, 0, MAX_MS),
            ("spread_ms", self.spread_ms, 0, MAX_MS),
        ];
        let wrong = ranges.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value));
        wrong.map_or(Ok(()), |(field, value, least, most)| Err(PolicyError { field, value, least, most }))
    }
}
