//! How long things took, as a histogram whose buckets are 10 % apart: it adds up over processes and hours, and its
//! percentiles are within 5 %.

use std::collections::BTreeMap;

/// The first bucket, in milliseconds; shorter times are in it too.
const FIRST_MS: f64 = 0.1;
/// How far buckets are apart.
const STEP: f64 = 1.1;
/// The last bucket: a day.
const LAST: i64 = 216;

/// Numbers of durations by bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Durations(BTreeMap<i64, i64>);

impl Durations {
    /// `count` durations of this length.
    pub(crate) fn add(&mut self, ms: f64, count: i64) {
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and the buckets end")]
        let bucket = ((ms / FIRST_MS).ln() / STEP.ln()).round() as i64;
        self.change(bucket.clamp(0, LAST), count);
    }

    /// Durations of which only the median and the 95th percentile are known: nine of ten count as long as the median, the
    /// others as the 95th percentile, so that the percentiles of equal minutes stay what they are.
    pub(crate) fn add_percentiles(&mut self, p50_ms: f64, p95_ms: f64, count: i64) {
        let slow = count / 10 + i64::from(count % 10 != 0);
        self.add(p50_ms, count - slow);
        self.add(p95_ms, slow);
    }

    /// Adds others, or takes them away if `times` is -1.
    pub(crate) fn merge(&mut self, other: &Durations, times: i64) {
        for (bucket, count) in &other.0 {
            self.change(*bucket, count.saturating_mul(times));
        }
    }

    fn change(&mut self, bucket: i64, count: i64) {
        let held = self.0.entry(bucket).or_default();
        *held = held.saturating_add(count);
        if *held == 0 {
            self.0.remove(&bucket);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The duration, in milliseconds, that this share of them does not exceed; none without any.
    pub(crate) fn percentile(&self, share: f64) -> Option<f64> {
        let all: i64 = self.0.values().filter(|count| **count > 0).sum();
        let mut passed = 0;
        for (bucket, count) in self.0.iter().filter(|(_, count)| **count > 0) {
            passed += count;
            #[expect(clippy::cast_precision_loss, reason = "percentiles need no more than 53 bits")]
            if passed as f64 >= all as f64 * share {
                return Some(FIRST_MS * STEP.powi(i32::try_from(*bucket).unwrap_or_default()));
            }
        }
        None
    }

    /// As it is kept: `bucket:count`, separated by spaces.
    pub(crate) fn written(&self) -> String {
        self.0.iter().map(|(bucket, count)| format!("{bucket}:{count}")).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn read(text: &str) -> Self {
        let pair = |pair: &str| {
            let (bucket, count) = pair.split_once(':')?;
            Some((bucket.parse().ok()?, count.parse().ok()?))
        };
        Durations(text.split(' ').filter_map(pair).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Durations;

    #[test]
    fn percentiles_are_within_5_percent_and_survive_being_kept() {
        let mut durations = Durations::default();
        for ms in 1..=1000 {
            durations.add(f64::from(ms), 1);
        }
        let durations = Durations::read(&durations.written());
        for (share, exact) in [(0.5, 500.0), (0.95, 950.0), (0.99, 990.0)] {
            let found = durations.percentile(share).unwrap();
            assert!((found / exact - 1.0).abs() < 0.05, "{share}: {found}");
        }
        assert_eq!(Durations::read("").percentile(0.5), None);
    }

    #[test]
    fn a_minute_that_is_reported_again_replaces_what_it_said_before() {
        let mut durations = Durations::default();
        durations.add_percentiles(80.0, 410.0, 310);
        let mut first = Durations::default();
        first.add_percentiles(80.0, 410.0, 310);
        let near = |found: Option<f64>, exact: f64| (found.unwrap() / exact - 1.0).abs() < 0.05;
        assert!(near(durations.percentile(0.5), 80.0) && near(durations.percentile(0.95), 410.0));
        durations.merge(&first, -1);
        assert!(durations.is_empty());
        durations.add(0.0, 1);
        durations.add(f64::MAX, 1);
        assert!(near(durations.percentile(1.0), 86_400_000.0), "{durations:?}");
    }
}
