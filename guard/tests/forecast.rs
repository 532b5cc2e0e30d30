//! Forecasts are as often right as they say, in simulated rollouts with a fixed seed.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use esclusa_guard::{Evidence, Probability, Seen, forecast, log_bar};

fn part(part: f64) -> Probability {
    Probability::new(part).unwrap()
}

/// A step: units of the on arm and bad ones, and the same of the off arm.
fn step(random: &mut fastrand::Rng, share: f64, units: u64, off_rate: f64, times: f64) -> [u64; 4] {
    let mut counts = [0; 4];
    for _ in 0..units {
        let is_on = random.f64() < share;
        let is_bad = random.f64() < if is_on { off_rate * times } else { off_rate };
        let [on, on_bad, off, off_bad] = &mut counts;
        let (units, bad) = if is_on { (on, on_bad) } else { (off, off_bad) };
        *units += 1;
        *bad += u64::from(is_bad);
    }
    counts
}

/// As the prior has it: a normal logarithm with a standard deviation of 0.7, from twelve uniform numbers.
fn times(random: &mut fastrand::Rng) -> f64 {
    let normal = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    (0.7 * normal).exp()
}

#[test]
fn of_the_steps_with_a_forecast_of_a_third_a_third_trips() {
    let mut random = fastrand::Rng::with_seed(11);
    let bar = log_bar(1, 2, part(0.01));
    let mut groups = [(0_u32, 0_u32, 0.0); 4];
    for _ in 0..3_000 {
        let times = times(&mut random);
        let [on_units, on_bad, off_units, off_bad] = step(&mut random, 0.1, 3_000, 0.02, times);
        let seen = Seen { share: part(0.1), on_units, on_bad, off_units, off_bad };
        let next = forecast(seen, part(0.25), 6_000, bar);
        let [_, hits, _, misses] = step(&mut random, 0.25, 6_000, 0.02, times);
        let mut evidence = Evidence::one_sided();
        evidence.observe(part(0.25), hits, misses);
        let group = match next.trips {
            trips if trips < 0.05 => 0,
            trips if trips < 0.3 => 1,
            trips if trips < 0.7 => 2,
            _ => 3,
        };
        let (steps, tripped, forecasts) = &mut groups[group];
        *steps += 1;
        *tripped += u32::from(evidence.log_e() >= bar && hits >= 5);
        *forecasts += next.trips;
    }
    for (steps, tripped, forecasts) in groups {
        let (steps, tripped) = (f64::from(steps), f64::from(tripped));
        let forecast: f64 = forecasts / steps;
        let deviation = (forecast * (1.0 - forecast) / steps).sqrt();
        println!("forecast {:.3}, {:.3} of {steps} tripped", forecast, tripped / steps);
        assert!(steps >= 100.0, "{steps} steps are no group");
        assert!(
            (tripped / steps - forecast).abs() < 3.5 * deviation + 0.02,
            "{:.3} for {forecast:.3}",
            tripped / steps
        );
    }
}

#[test]
fn more_harm_more_units_and_a_lower_bar_make_a_trip_more_probable() {
    let seen = |on_bad| Seen { share: part(0.1), on_units: 1_000, on_bad, off_units: 9_000, off_bad: 90 };
    let trips = |on_bad, units, epoch| forecast(seen(on_bad), part(0.25), units, log_bar(1, epoch, part(0.01))).trips;
    let worse: Vec<f64> = [0, 5, 10, 15, 20, 30, 60].map(|on_bad| trips(on_bad, 10_000, 2)).to_vec();
    assert!(worse.is_sorted(), "{worse:?}");
    assert!(trips(20, 5_000, 2) < trips(20, 50_000, 2));
    assert!(trips(20, 10_000, 20) < trips(20, 10_000, 2));
}

#[test]
fn whatever_was_seen_it_is_a_probability() {
    let counts = [0, 1, 5, 1_000, u64::from(u32::MAX)];
    for share in [1e-9, 0.5, 1.0 - 1e-9] {
        for on_bad in counts {
            for off_bad in counts {
                let seen = Seen { share: part(share), on_units: on_bad / 2, on_bad, off_units: off_bad, off_bad };
                let next = forecast(seen, part(0.5), 1_000, log_bar(1, 1, part(0.01)));
                assert!((0.0..=1.0).contains(&next.trips) && next.hurt.is_finite(), "{seen:?}: {next:?}");
            }
        }
    }
}
