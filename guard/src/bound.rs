//! What the evidence is compared with, and what it excludes.

use crate::probability::real;
use crate::{Evidence, Probability};

/// The natural logarithm of the bar that the evidence must reach in an epoch: `conditions · epoch · (epoch + 1) /
/// false_trips`.
///
/// The reciprocals of `epoch · (epoch + 1)` sum to 1 and each condition has an equal part, so by the union bound at most
/// `false_trips` of all healthy rollouts ever reach one of their bars, whatever depends on what. Epochs count from 1.
///
/// ```
/// # use esclusa_guard::{Probability, log_bar};
/// let one_in_a_hundred = Probability::new(0.01).expect("between 0 and 1");
/// assert!((log_bar(2, 1, one_in_a_hundred).exp() - 400.0).abs() < 1e-9);
/// ```
#[must_use]
pub fn log_bar(conditions: u64, epoch: u64, false_trips: Probability) -> f64 {
    let (conditions, epoch) = (real(conditions.max(1)), real(epoch.max(1)));
    (conditions * epoch * (epoch + 1.0) / false_trips.get()).ln()
}

/// How many times as bad the on arm is at most, with 95 % confidence at any time; `None` while nothing is excluded.
///
/// `on_bad` and `off_bad` are units that had a bad outcome in this epoch, and `share` is the share that is on. The answer
/// is the least `r` for which the evidence that the on arm is *less* than `r` times as bad reaches 20.
///
/// ```
/// # use esclusa_guard::{Probability, worst_case_times};
/// let half = Probability::new(0.5).expect("between 0 and 1");
/// let times = worst_case_times(200, 210, half).expect("enough was seen");
/// assert!(times > 1.3 && times < 1.31);
/// assert_eq!(worst_case_times(0, 1, half), None);
/// ```
#[must_use]
pub fn worst_case_times(on_bad: u64, off_bad: u64, share: Probability) -> Option<f64> {
    const LARGEST: f64 = 30.0; // as a logarithm: 10^13 times as bad is no bound worth having
    let excluded = |log_times: f64| {
        let off = share.complement().and_then(|off| off.odds((-log_times).exp()));
        off.is_some_and(|off| {
            let mut evidence = Evidence::one_sided();
            evidence.observe(off, off_bad, on_bad);
            evidence.log_e_from_first() >= 20_f64.ln()
        })
    };
    if !excluded(LARGEST) {
        return None;
    }
    let (mut low, mut high) = (-LARGEST, LARGEST);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if excluded(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high.exp())
}
