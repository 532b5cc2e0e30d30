//! Quantiles of durations beside those of the sorted values.

use esclusa_guard::Durations;
use proptest::prelude::*;

fn of(values: &[f64]) -> Durations {
    let mut durations = Durations::default();
    values.iter().for_each(|&ms| assert!(durations.add(ms)));
    durations
}

/// Milliseconds from 0.1 to 100,000, as often short as long.
fn values() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((0.1_f64.ln()..100_000_f64.ln()).prop_map(f64::exp), 1..400)
}

proptest! {
    #[test]
    fn a_quantile_is_within_one_percent_of_a_value(values in values(), percent in 1..=100_u32) {
        let durations = of(&values);
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (values.len() * percent as usize).div_ceil(100);
        let expected = sorted.get(rank - 1).unwrap();
        let quantile = durations.quantile(f64::from(percent) / 100.0).unwrap();
        // The rank of a part like 0.07 may be off by one rounding; its neighbours are allowed.
        let near = |value: &f64| (quantile / value - 1.0).abs() <= 0.010_001;
        prop_assert!(near(expected) || sorted.get(rank).is_some_and(near), "{quantile} for {expected}");
    }

    #[test]
    fn merging_is_adding_in_any_order(first in values(), second in values()) {
        let whole = of(&[first.clone(), second.clone()].concat());
        let (mut one, mut other) = (of(&first), of(&second));
        one.merge(&of(&second));
        other.merge(&of(&first));
        prop_assert_eq!(&one, &whole);
        prop_assert_eq!(&other, &whole);
        prop_assert_eq!(whole.count(), (first.len() + second.len()) as u64);
    }
}

#[test]
fn absurd_durations_are_not_counted_and_extreme_ones_are_the_ends() {
    let mut durations = Durations::default();
    assert_eq!(durations.quantile(0.5), None);
    for absurd in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(!durations.add(absurd));
    }
    assert_eq!(durations.count(), 0);
    assert!(durations.add(0.0) && (durations.quantile(0.5).unwrap() - 0.1).abs() < 1e-12);
    assert!(durations.add(f64::MAX) && durations.add(1e9));
    assert!((durations.quantile(1.0).unwrap() / 100_000.0 - 1.0).abs() < 0.02);
    assert!((durations.quantile(f64::NAN).unwrap() - 0.1).abs() < 1e-12);
}
