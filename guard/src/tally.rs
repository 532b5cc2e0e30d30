//! How often an event came out how, and how long it took, in each arm since the process began: for pictures, not for
//! judgements.

use std::sync::atomic::{AtomicU64, Ordering};

use esclusa::Arm;

use crate::outcome::Outcome;

/// Upper ends of the buckets of durations, in milliseconds: those that Prometheus' clients have.
pub(crate) const ENDS_MS: [f64; 11] = [5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0];

/// The outcomes of both arms.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    pub(crate) on: Tally,
    pub(crate) off: Tally,
}

/// The outcomes of one arm. Each number is right, several of them together may be of slightly different times.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) ok: AtomicU64,
    pub(crate) errors: AtomicU64,
    /// Durations in each bucket; the last is of those that are longer than all ends.
    pub(crate) durations: [AtomicU64; ENDS_MS.len() + 1],
    pub(crate) sum_us: AtomicU64,
}

impl Tallies {
    pub(crate) fn count(&self, arm: Arm, outcome: Outcome) {
        let tally = if arm.is_on() { &self.on } else { &self.off };
        let number = if outcome.error { &tally.errors } else { &tally.ok };
        number.fetch_add(1, Ordering::Relaxed);
        if let Some(ms) = outcome.lasted_ms {
            let place = ENDS_MS.iter().take_while(|end| ms > **end).count();
            if let Some(bucket) = tally.durations.get(place) {
                bucket.fetch_add(1, Ordering::Relaxed);
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time, never negative")]
            tally.sum_us.fetch_add((ms * 1_000.0) as u64, Ordering::Relaxed);
        }
    }
}
