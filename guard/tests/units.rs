//! The laws of the set of units.

use esclusa_guard::{Arm, Units};
use proptest::prelude::*;

fn arm(hash: u64) -> Arm {
    if hash.count_ones().is_multiple_of(2) { Arm::On } else { Arm::Off }
}

fn units(hashes: &[u64]) -> Units {
    let mut units = Units::default();
    for &hash in hashes {
        units.insert(hash, arm(hash));
    }
    units
}

/// A few thousand hashes by their seed, so that most sets are samples.
fn hashes() -> impl Strategy<Value = Vec<u64>> {
    (any::<u64>(), 0..6000_usize).prop_map(|(seed, count)| {
        let mut random = fastrand::Rng::with_seed(seed % 4);
        (0..count).map(|_| random.u64(..)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_union_is_the_same_in_any_order(first in hashes(), second in hashes(), third in hashes()) {
        let whole = units(&[first.clone(), second.clone(), third.clone()].concat());
        let (first, second, third) = (units(&first), units(&second), units(&third));
        let mut one = first.clone();
        one.merge(&second);
        one.merge(&third);
        let mut other = third;
        other.merge(&second);
        other.merge(&first);
        other.merge(&one);
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(&one, &whole);
    }
}

#[test]
fn a_unit_is_new_once() {
    let mut units = Units::default();
    assert!(units.insert(5, Arm::On) && !units.insert(5, Arm::On));
    assert!((units.count(Arm::On) - 1.0).abs() < 1e-9 && units.count(Arm::Off).abs() < 1e-9);
}

#[test]
fn a_million_units_are_counted_within_five_percent() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut units = Units::default();
    for number in 0..1_000_000 {
        units.insert(random.u64(..), if number % 10 == 0 { Arm::On } else { Arm::Off });
    }
    let (on, off) = (units.count(Arm::On), units.count(Arm::Off));
    assert!(((on + off) / 1e6 - 1.0).abs() < 0.05, "{on} and {off}");
    assert!((on / (on + off) - 0.1).abs() < 0.02, "{on} and {off}");
}
