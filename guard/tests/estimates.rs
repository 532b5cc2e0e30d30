//! Estimates and plans hold what they say, in simulations with fixed seeds.

use esclusa_guard::{Arm, Estimate, Guard, Judged, Metric, Policy, Probability, Sample, difference, lift, plan};

/// In how many of 500 tests of 4,000 units the truth is ever outside of the interval.
fn lost(
    truth: f64,
    values: impl Fn(&mut fastrand::Rng) -> [f64; 2],
    of: impl Fn(&[Sample; 2]) -> Option<Estimate>,
) -> u32 {
    let mut random = fastrand::Rng::with_seed(11);
    let mut is_lost = || {
        let mut arms = [Sample::default(); 2];
        (0..2000).any(|_| {
            let values = values(&mut random);
            arms.iter_mut().zip(values).for_each(|(arm, value)| arm.add(value));
            of(&arms).is_some_and(|estimate| estimate.low > truth || estimate.high < truth)
        })
    };
    (0..500).map(|_| u32::from(is_lost())).sum()
}

fn coin(random: &mut fastrand::Rng, rate: f64) -> f64 {
    f64::from(u8::from(random.f64() < rate))
}

/// The shares of arms whose values are 0 and 1.
fn shares(arms: &[Sample; 2]) -> [Sample; 2] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "counts")]
    arms.map(|arm| Sample::of_share(arm.units(), (arm.mean() * arm.units() as f64).round() as u64))
}

#[test]
fn the_truth_is_ever_outside_in_at_most_one_of_twenty_tests() {
    for (a, b) in [(0.05, 0.05), (0.05, 0.08), (0.01, 0.02), (0.5, 0.4)] {
        let lost = lost(
            b - a,
            |random| [coin(random, a), coin(random, b)],
            |arms| {
                let [a, b] = shares(arms);
                difference(&a, &b)
            },
        );
        assert!(lost <= 25, "{lost} of 500 with shares of {a} and {b}");
    }
    let exponential = |random: &mut fastrand::Rng, mean: f64| -mean * (1.0 - random.f64()).ln();
    let lost_mean = lost(1.0, |random| [exponential(random, 2.0), exponential(random, 3.0)], |[a, b]| difference(a, b));
    assert!(lost_mean <= 25, "{lost_mean} of 500 means");
    let lost_lift = lost(0.5, |random| [exponential(random, 2.0), exponential(random, 3.0)], |[a, b]| lift(a, b));
    assert!(lost_lift <= 25, "{lost_lift} of 500 lifts");
}

#[test]
fn an_interval_for_one_look_loses_the_truth_much_more_often() {
    let plain = |[a, b]: &[Sample; 2]| {
        let sequence = difference(a, b)?;
        let rate = |arm: &Sample| arm.mean() * (1.0 - arm.mean());
        let half = 1.96 * ((rate(a) + rate(b)) / f64::from(u32::try_from(a.units()).ok()?)).sqrt();
        Some(Estimate { low: sequence.value - half, high: sequence.value + half, ..sequence })
    };
    let lost = lost(0.0, |random| [coin(random, 0.3), coin(random, 0.3)], plain);
    assert!(lost > 100, "{lost} of 500");
}

#[test]
fn looking_at_any_time_costs_half_of_the_width_again() {
    let sample = Sample::of_share(5000, 2500);
    let estimate = difference(&sample, &sample).unwrap();
    let plain = 1.959_964 * (2.0 * 0.25 / 5000.0_f64).sqrt();
    let times = estimate.high / plain;
    assert!((times - 1.56).abs() < 0.01, "{times}");
}

#[test]
fn too_little_says_nothing() {
    let (few, enough) = (Sample::of_share(19, 5), Sample::of_share(20, 5));
    assert_eq!(difference(&few, &enough), None);
    assert!(difference(&enough, &enough).is_some());
    assert_eq!(lift(&Sample::of_share(100, 0), &enough), None, "nothing to compare with");
    let mut same = Sample::default();
    (0..100).for_each(|_| same.add(3.0));
    same.add(f64::NAN);
    same.add(f64::INFINITY);
    assert_eq!((same.units(), difference(&same, &enough)), (100, None));
}

#[test]
fn a_plan_is_a_little_above_what_simulations_need() {
    let probability = |value: f64| Probability::new(value).unwrap();
    let policy = Policy::new(vec![Metric::compared("errors")]).unwrap();
    let bar = Guard::new("flag", policy.clone(), None, 0).status(0).log_bar;
    let mut random = fastrand::Rng::with_seed(13);
    for (share, times) in [(0.5, 5.0), (0.1, 5.0), (0.1, 20.0)] {
        let mut needed: Vec<u32> = (0..301)
            .map(|_| {
                let mut guard = Guard::new("flag", policy.clone(), Probability::new(share), 0);
                (0_u32..)
                    .find(|&unit| {
                        let arm = if random.f64() < share { Arm::On } else { Arm::Off };
                        let failed = random.f64() < if arm == Arm::On { 0.01 * times } else { 0.01 };
                        let outcome = if failed { Judged::good().bad_for(0) } else { Judged::good() };
                        guard.track(u64::from(unit) * 1000, random.u64(..), arm, outcome).is_some()
                    })
                    .unwrap()
            })
            .collect();
        needed.sort_unstable();
        let planned = plan(probability(share), probability(0.01), times, bar).unwrap().units;
        let above = planned / f64::from(*needed.get(150).unwrap());
        assert!((0.9..1.4).contains(&above), "{above} at a share of {share} and {times} times");
    }
    assert_eq!(plan(probability(0.5), probability(0.1), 20.0, bar), None);
    assert_eq!(plan(probability(0.5), probability(0.1), 1.0, bar), None);
}
