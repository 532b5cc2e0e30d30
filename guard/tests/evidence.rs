//! The laws of the evidence.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use esclusa_guard::{Evidence, Probability, worst_case_times};
use proptest::prelude::*;

fn probability() -> impl Strategy<Value = Probability> {
    prop_oneof![0.0001..0.9999, Just(0.5), Just(1e-12), Just(1.0 - 1e-12)].prop_map(|p| Probability::new(p).unwrap())
}

fn batches() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0..200_u64, 0..200_u64), 0..12)
}

proptest! {
    #[test]
    fn order_between_two_marks_changes_no_bit(null in probability(), before in batches(), after in batches()) {
        let path = |reversed: bool| {
            let mut evidence = Evidence::one_sided();
            for part in [&before, &after] {
                let order: Vec<_> = if reversed { part.iter().rev().collect() } else { part.iter().collect() };
                for &&(hits, misses) in &order {
                    evidence.observe(null, hits, misses);
                }
                evidence.mark();
            }
            evidence.log_e()
        };
        prop_assert_eq!(path(false).to_bits(), path(true).to_bits());
    }

    #[test]
    fn a_hit_raises_it_and_a_miss_lowers_it(null in 0.001..0.99_f64, path in batches()) {
        let null = Probability::new(null).unwrap();
        let mut evidence = Evidence::one_sided();
        for (hits, misses) in path {
            evidence.observe(null, hits, misses);
            evidence.mark();
        }
        let (mut hit, mut miss) = (evidence.clone(), evidence.clone());
        hit.observe(null, 1, 0);
        miss.observe(null, 0, 1);
        prop_assert!(hit.log_e() > evidence.log_e() && miss.log_e() < evidence.log_e());
    }

    #[test]
    fn a_fair_bet_gains_nothing_on_average(null in 0.001..0.999_f64, path in batches()) {
        let null = Probability::new(null).unwrap();
        for mut evidence in [Evidence::one_sided(), Evidence::two_sided()] {
            for &(hits, misses) in &path {
                evidence.observe(null, hits, misses);
            }
            let (now, mut hit, mut miss) = (evidence.log_e(), evidence.clone(), evidence);
            hit.observe(null, 1, 0);
            miss.observe(null, 0, 1);
            let mean = null.get() * (hit.log_e() - now).exp() + (1.0 - null.get()) * (miss.log_e() - now).exp();
            prop_assert!((mean - 1.0).abs() < 1e-9, "{mean}");
        }
    }

    #[test]
    fn it_is_always_a_number(null in probability(), path in prop::collection::vec((any::<u64>(), any::<u64>()), 0..6)) {
        for mut evidence in [Evidence::one_sided(), Evidence::two_sided()] {
            for &(hits, misses) in &path {
                evidence.observe(null, hits, misses);
                prop_assert!(evidence.log_e().is_finite());
                evidence.mark();
                prop_assert!(evidence.log_e().is_finite());
            }
        }
    }

    #[test]
    fn more_bad_units_that_are_on_raise_the_worst_case(on in 0..300_u64, off in 2..300_u64, share in 0.001..0.999_f64) {
        let share = Probability::new(share).unwrap();
        let times = worst_case_times(on, off, share).unwrap();
        prop_assert!(times.is_finite() && times > 0.0);
        prop_assert!(worst_case_times(on + 1, off, share).unwrap() >= times);
        prop_assert!(worst_case_times(on, off + 1, share).unwrap() <= times);
    }
}

#[test]
fn ten_million_single_observations_are_one_batch() {
    let null = Probability::new(0.1).unwrap();
    let (mut single, mut batch) = (Evidence::one_sided(), Evidence::one_sided());
    for number in 0..10_000_000_u64 {
        single.observe(null, u64::from(number % 10 == 0), u64::from(number % 10 != 0));
    }
    batch.observe(null, 1_000_000, 9_000_000);
    assert_eq!(single.log_e().to_bits(), batch.log_e().to_bits());
    assert!(single.log_e().is_finite() && single.log_e() < -1000.0);
}

/// The null probability changes at each observation, so that each is added to the sums by itself.
#[test]
fn ten_million_sums_lose_nothing_that_matters() {
    let nulls = [0.1, 0.25].map(|null| Probability::new(null).unwrap());
    let (mut single, mut batch) = (Evidence::one_sided(), Evidence::one_sided());
    for number in 0..5_000_000_u64 {
        single.observe(nulls[0], u64::from(number % 8 == 0), u64::from(number % 8 != 0));
        single.observe(nulls[1], u64::from(number % 3 == 0), u64::from(number % 3 != 0));
    }
    batch.observe(nulls[0], 625_000, 4_375_000);
    batch.observe(nulls[1], 1_666_667, 3_333_333);
    let (single, batch) = (single.log_e(), batch.log_e());
    assert!((single / batch - 1.0).abs() < 1e-9, "{single} and {batch}");
}

#[test]
fn harm_that_begins_late_is_found_by_the_restarts() {
    let null = Probability::new(0.5).unwrap();
    let mut evidence = Evidence::one_sided();
    for _ in 0..100 {
        evidence.observe(null, 10, 10);
        evidence.mark();
    }
    assert!(evidence.log_e() < 0.0);
    evidence.observe(null, 60, 6);
    assert!(evidence.log_e() > f64::ln(1000.0) && evidence.log_e_from_first() < 0.0);
}
