//! The evidence against "the flag does no harm": a number that may be looked at after every observation.
//!
//! It is an *e-process*, a bet that starts with 1 and cannot grow on average while the hypothesis is true, so that the
//! chance that it *ever* reaches `1/a` is at most `a` (Ville 1939). The bet is a mixture of likelihood ratios (Wald
//! 1945; Robbins 1970; mixtures as in Howard, Ramdas, McAuliffe, Sekhon, arXiv 1810.08240), half of it restarted at
//! each mark with weights that sum to 1, so that harm that begins late is found too (restarts as in Shin, Ramdas,
//! Rinaldo, arXiv 2203.03532). That the split of the units is known, and so the test is exact, is the idea of Lindon
//! and Malek, arXiv 2011.03567. Everything is a natural logarithm: 10^7 observations overflow nothing.

use crate::Probability;
use crate::probability::real;

/// By how many times the odds of a hit may be raised, for each bet of a one-sided test.
pub const TIMES: [f64; 5] = [1.5, 2.5, 5.0, 12.0, 40.0];

/// The same for the test of the split, which looks in both directions.
pub const SPLIT_TIMES: [f64; 10] = [0.1, 0.5, 0.8, 0.9, 0.95, 1.0 / 0.95, 1.0 / 0.9, 1.25, 2.0, 10.0];

/// The evidence that hits are more probable than they should be.
///
/// ```
/// use esclusa_guard::{Evidence, Probability};
///
/// let half = Probability::new(0.5).expect("between 0 and 1"); // the share of the units that are on
/// let mut evidence = Evidence::one_sided();
/// evidence.observe(half, 9, 8); // 9 units that are on had an error, and 8 that are off
/// assert!(evidence.log_e() < 0.0);
/// evidence.observe(half, 30, 2);
/// assert!(evidence.log_e() > f64::ln(200.0)); // reached by chance in at most 1 of 200 healthy rollouts, ever
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    bets: Vec<Bet>,
    marks: u64,
    open: Option<Batch>,
}

/// Hits and misses of one null probability since the last mark. They are kept as counts, so their order changes
/// nothing, not even a last bit, and no rounding error adds up.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Batch {
    null: Probability,
    hits: u64,
    misses: u64,
}

/// The bet on one alternative: logarithms of its likelihood ratios since the beginning, and since each mark, weighted.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bet {
    times: f64,
    first: f64,
    later: f64,
}

impl Evidence {
    /// Evidence that hits are *more* probable than the null probability.
    #[must_use]
    pub fn one_sided() -> Self {
        Self::of(&TIMES)
    }

    /// Evidence that hits are more *or less* probable than the null probability.
    #[must_use]
    pub fn two_sided() -> Self {
        Self::of(&SPLIT_TIMES)
    }

    fn of(times: &[f64]) -> Self {
        let bets = times.iter().map(|&times| Bet { times, first: 0.0, later: f64::NEG_INFINITY }).collect();
        Self { bets, marks: 0, open: None }
    }

    /// Adds `hits` and `misses` whose probability of a hit is `null` if nothing is wrong. `null` may differ from call to
    /// call, as long as it was known before these observations.
    pub fn observe(&mut self, null: Probability, hits: u64, misses: u64) {
        match &mut self.open {
            Some(batch) if batch.null == null => {
                batch.hits = batch.hits.saturating_add(hits);
                batch.misses = batch.misses.saturating_add(misses);
            }
            _ => {
                self.close();
                self.open = Some(Batch { null, hits, misses });
            }
        }
    }

    /// A mark: from here on a part of the stake is bet anew. When marks come may depend on the clock, not on what was
    /// observed.
    pub fn mark(&mut self) {
        self.close();
        self.marks = self.marks.saturating_add(1);
        let number = real(self.marks);
        let weight = -(number * (number + 1.0)).ln();
        for bet in &mut self.bets {
            bet.later = log_sum([bet.later, weight].into_iter());
        }
    }

    /// The natural logarithm of the evidence, never NaN. It starts with that of 1/2: the other half waits for marks.
    #[must_use]
    pub fn log_e(&self) -> f64 {
        log_sum(self.closed().flat_map(|bet| [bet.first, bet.later])) + (0.5 * self.weight()).ln()
    }

    /// The natural logarithm of the evidence without restarts.
    #[must_use]
    pub fn log_e_from_first(&self) -> f64 {
        log_sum(self.closed().map(|bet| bet.first)) + self.weight().ln()
    }

    fn close(&mut self) {
        self.bets = self.closed().collect();
        self.open = None;
    }

    /// The bets with what the open batch adds to them.
    fn closed(&self) -> impl Iterator<Item = Bet> + Clone {
        self.bets.iter().map(|bet| {
            let gain = self.open.map_or(0.0, |batch| batch.log_likelihood_ratio(bet.times));
            Bet { first: bet.first + gain, later: bet.later + gain, ..*bet }
        })
    }

    /// The stake of one bet.
    fn weight(&self) -> f64 {
        1.0 / real(self.bets.len() as u64)
    }
}

impl Batch {
    /// `hits·ln(q/q0) + misses·ln((1−q)/(1−q0))` for the `q` whose odds are `times` those of `q0`.
    fn log_likelihood_ratio(self, times: f64) -> f64 {
        let scale = (self.null.get() * (times - 1.0)).ln_1p();
        real(self.hits) * (times.ln() - scale) - real(self.misses) * scale
    }
}

/// The logarithm of the sum of what these are logarithms of.
fn log_sum(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + logs.map(|log| (log - largest).exp()).sum::<f64>().ln()
}
