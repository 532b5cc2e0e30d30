//! Before the next step of a rollout: how probable it is that the guard trips there, and whom the step would hurt.

use crate::probability::real;
use crate::{Evidence, Probability};

/// The standard deviation of the logarithm of how many times as bad a flag is, before anything was seen of it.
const PRIOR_DEVIATION: f64 = 0.7;
/// The posterior is worked out at these steps of the logarithm, up to 150 times as bad and as little.
const GRID: i32 = 100;
const GRID_STEP: f64 = 0.05;
/// A guard trips at no fewer bad units of the on arm.
const LEAST_BAD: u64 = 5;
/// Terms of a sum below this part of it change nothing.
const NEGLIGIBLE: f64 = 1e-17;

/// What was seen of one metric in the step that is in force: units, each counted once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// The part of the units that is on.
    pub share: Probability,
    /// Units of the on arm.
    pub on_units: u64,
    /// Those of them with a bad outcome; more than there are count as all.
    pub on_bad: u64,
    /// Units of the off arm.
    pub off_units: u64,
    /// Those of them with a bad outcome.
    pub off_bad: u64,
}

/// What the next step may bring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// The probability that the evidence of the next step is at its bar when the step ends.
    pub trips: f64,
    /// Units of the on arm that are expected to have a bad outcome in the step, if nothing stops it.
    pub hurt: f64,
    /// Those of them that would have none without the flag; below 0 for a flag that does good.
    pub caused: f64,
}

/// The forecast for a step with a share of `share`, in which `units` units of both arms report, and which trips at
/// `log_bar` ([`crate::log_bar`] with the number of its epoch).
///
/// It is the posterior of how many times as bad the on arm is (a log-normal prior around "no difference", and the
/// conditional binomial likelihood of which arm a bad unit is in), and the exact chance of the next step's counts for
/// each value of it. Where flags do as much harm as the prior says, of all steps with a forecast of 30 % about 30 %
/// trip. It says when to hold; a rollout is stopped by [`Evidence`] alone, whose rate of false alarms is declared.
///
/// ```
/// # use esclusa_guard::{Probability, Seen, forecast, log_bar};
/// let part = |part| Probability::new(part).expect("between 0 and 1");
/// let seen = Seen { share: part(0.1), on_units: 1_000, on_bad: 24, off_units: 9_000, off_bad: 90 };
/// let next = forecast(seen, part(0.25), 20_000, log_bar(1, 2, part(0.01)));
/// assert!(next.trips > 0.7 && next.hurt > 100.0); // 77 %, and 113 users
/// ```
#[must_use]
pub fn forecast(seen: Seen, share: Probability, units: u64, log_bar: f64) -> Forecast {
    let cases: Vec<Case> = (-GRID..=GRID).filter_map(|step| Case::new(seen, f64::from(step) * GRID_STEP)).collect();
    let most = cases.iter().map(|case| case.log_weight).fold(f64::NEG_INFINITY, f64::max);
    let mut all = 0.0;
    let mut sum = Forecast { trips: 0.0, hurt: 0.0, caused: 0.0 };
    for case in &cases {
        let weight = (case.log_weight - most).exp();
        all += weight;
        if weight > NEGLIGIBLE {
            let on = real(units) * share.get() * case.off_rate;
            sum.trips += weight * case.trips(share, units, log_bar);
            sum.hurt += weight * on * case.times;
            sum.caused += weight * on * (case.times - 1.0);
        }
    }
    Forecast { trips: (sum.trips / all).min(1.0), hurt: sum.hurt / all, caused: sum.caused / all }
}

/// One value of how many times as bad the on arm is.
struct Case {
    times: f64,
    /// The part of the off arm that is bad, as these counts fit best.
    off_rate: f64,
    log_weight: f64,
}

impl Case {
    /// `None` if every unit of the on arm would have to be bad.
    fn new(seen: Seen, log_times: f64) -> Option<Self> {
        let times = log_times.exp();
        let on = seen.share.odds(times)?;
        let (bad, good) = (real(seen.on_bad.min(seen.on_units)), real(seen.off_bad.min(seen.off_units)));
        let units = real(seen.off_units) + real(seen.on_units) * times;
        let off_rate = (bad + good + 0.5) / (units + 1.0);
        let log_weight =
            -0.5 * (log_times / PRIOR_DEVIATION).powi(2) + bad * on.get().ln() + good * (-on.get()).ln_1p();
        (off_rate * times < 1.0).then_some(Self { times, off_rate, log_weight })
    }

    fn trips(&self, share: Probability, units: u64, log_bar: f64) -> f64 {
        let Some(on) = share.odds(self.times) else { return 0.0 };
        let bad = real(units) * self.off_rate * (share.get() * self.times + 1.0 - share.get());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
        let bad = bad.round() as u64;
        least_to_trip(share, bad, log_bar).map_or(0.0, |hits| at_least(hits, bad, on))
    }
}

/// The least number of bad units on the on arm, of `bad` in all, that reaches the bar.
fn least_to_trip(share: Probability, bad: u64, log_bar: f64) -> Option<u64> {
    let reaches = |hits: u64| {
        let mut evidence = Evidence::one_sided();
        evidence.observe(share, hits, bad - hits);
        evidence.log_e() >= log_bar
    };
    if bad < LEAST_BAD || !reaches(bad) {
        return None;
    }
    // A hit raises the evidence, so the first number that reaches it is found by halving.
    let (mut below, mut enough) = (LEAST_BAD - 1, bad);
    while enough - below > 1 {
        let middle = u64::midpoint(below, enough);
        if reaches(middle) { enough = middle } else { below = middle }
    }
    Some(enough)
}

/// The chance of at least `hits` hits in `trials`.
fn at_least(hits: u64, trials: u64, hit: Probability) -> f64 {
    if real(hits) <= real(trials) * hit.get() {
        let Some(miss) = hit.complement() else { return 1.0 };
        return 1.0 - at_least(trials - hits + 1, trials, miss);
    }
    if hits > trials {
        return 0.0;
    }
    let (hit, odds) = (hit.get(), hit.get() / (1.0 - hit.get()));
    let choose: f64 = (1..=hits.min(trials - hits)).map(|n| (real(trials - n + 1) / real(n)).ln()).sum();
    let mut term = (choose + real(hits) * hit.ln() + real(trials - hits) * (-hit).ln_1p()).exp();
    let mut sum = term;
    for more in hits..trials {
        // Above the mean each term is smaller than the one before.
        term *= odds * real(trials - more) / real(more + 1);
        sum += term;
        if term <= sum * NEGLIGIBLE {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::{Probability, at_least};

    #[test]
    fn the_chances_are_those_of_counting() {
        let hit = Probability::new(0.3).unwrap();
        let brute = |hits: u32| -> f64 {
            let draws = (0..1_u32 << 12).filter(|draw| draw.count_ones() >= hits);
            draws.map(|draw| 0.3_f64.powi(draw.count_ones() as i32) * 0.7_f64.powi(12 - draw.count_ones() as i32)).sum()
        };
        for hits in 0..=12 {
            assert!((at_least(hits.into(), 12, hit) - brute(hits)).abs() < 1e-12, "{hits}");
        }
        assert!(at_least(13, 12, hit) < 1e-300);
        let rare = at_least(600, 100_000, Probability::new(0.005).unwrap());
        assert!(rare > 5e-6 && rare < 1.2e-5, "{rare}");
    }
}
