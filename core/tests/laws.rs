//! The laws: what must hold for every flag, unit, salt and snapshot.
#![expect(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a test stops at what is wrong")]

use std::collections::BTreeSet;

use esclusa::{BUCKETS, Bucket, Context, FlagSet, Flags, Time, ranges};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const NOW: Time = Time::from_millis(1_750_000_000_000);

fn set(flags: &[Json]) -> FlagSet {
    FlagSet::from_json_strict(json!({"esclusa": 1, "flags": flags}).to_string().as_bytes()).unwrap()
}

/// The units of 0 to 1,999 that a flag is on for.
fn cohort(set: &FlagSet, key: &str) -> BTreeSet<u32> {
    (0..2_000).filter(|unit| set.is_enabled(key, &Context::new(format!("user-{unit}")), NOW)).collect()
}

fn rollout(percentage: f64) -> FlagSet {
    set(&[json!({"name": "f", "enabled": true, "rollout_percentage": percentage})])
}

fn thousandths() -> impl Strategy<Value = f64> {
    (0..=BUCKETS).prop_map(|share| f64::from(share) / 1000.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn raising_a_percentage_only_adds_units(a in thousandths(), b in thousandths()) {
        let (low, high) = (a.min(b), a.max(b));
        prop_assert!(cohort(&rollout(low), "f").is_subset(&cohort(&rollout(high), "f")));
    }

    #[test]
    fn lowering_and_raising_again_restores_the_same_set(percentage in thousandths(), lower in thousandths()) {
        let flags = Flags::new();
        let _ = flags.publish(rollout(percentage));
        let before = cohort(&flags.current(), "f");
        let _ = flags.publish(rollout(lower.min(percentage)));
        let _ = flags.publish(rollout(percentage));
        prop_assert_eq!(before, cohort(&flags.current(), "f"));
    }

    #[test]
    fn pausing_rolling_back_and_resuming_restores_the_same_cohort(percentage in thousandths(), off in prop::sample::select(vec!["draft", "paused", "rolled_back"])) {
        let with = |status: &str| set(&[json!({"name": "f", "enabled": true, "rollout_percentage": percentage, "status": status})]);
        let flags = Flags::new();
        let _ = flags.publish(with("active"));
        let before = cohort(&flags.current(), "f");
        let _ = flags.publish(with(off));
        prop_assert!(cohort(&flags.current(), "f").is_empty());
        let _ = flags.publish(with("active"));
        prop_assert_eq!(before, cohort(&flags.current(), "f"));
    }

    #[test]
    fn widening_a_rollout_never_changes_a_variant(a in thousandths(), b in thousandths(), weights in prop::collection::vec(1_u64..50, 2..6)) {
        let variants: Vec<Json> = weights.iter().enumerate().map(|(at, weight)| json!({"key": format!("v{at}"), "weight": weight})).collect();
        let with = |percentage: f64| set(&[json!({"name": "f", "enabled": true, "rollout_percentage": percentage, "variants": variants})]);
        let (low, high) = (with(a.min(b)), with(a.max(b)));
        for unit in 0..500 {
            let context = Context::new(format!("user-{unit}"));
            let (before, after) = (low.resolve("f", &context, NOW), high.resolve("f", &context, NOW));
            prop_assert!(!before.is_enabled() || before.variant() == after.variant());
        }
    }

    #[test]
    fn boundaries_cover_everything_once(weights in prop::collection::vec(0_u64..=9_007_199_254_740_991, 1..40)) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let (ranges, sum) = (ranges(&weights), weights.iter().map(|weight| u128::from(*weight)).sum::<u128>());
        prop_assert_eq!(ranges.len(), weights.len());
        let mut end = 0;
        for ((lo, hi), weight) in ranges.into_iter().zip(&weights) {
            prop_assert_eq!(lo, end);
            end = hi;
            let exact = u128::from(*weight) * u128::from(BUCKETS) / sum;
            prop_assert!(u128::from(hi - lo) == exact || u128::from(hi - lo) == exact + 1, "at most one bucket from its part");
        }
        prop_assert_eq!(end, BUCKETS);
    }

    #[test]
    fn a_company_bucketed_by_company_is_all_in_or_all_out(percentage in thousandths(), company in "[a-z]{1,20}") {
        let set = set(&[json!({"name": "f", "enabled": true, "rollout_percentage": percentage, "bucket_by": "company"})]);
        let answers: BTreeSet<bool> = (0..50).map(|user| {
            set.is_enabled("f", &Context::new(format!("user-{user}")).company(company.as_str()), NOW)
        }).collect();
        prop_assert_eq!(answers.len(), 1);
    }

    #[test]
    fn the_order_of_flags_targets_and_attributes_changes_nothing(seed in any::<u64>()) {
        let mut plans = vec!["FREE", "PREMIUM", "ENTERPRISE", "a plan of a longer name"];
        let mut flags: Vec<Json> = (0..6).map(|flag| json!({"name": format!("f{flag}"), "enabled": true, "rollout_percentage": 10 * flag, "target_plans": plans})).collect();
        let ordered = set(&flags);
        let turn = usize::try_from(seed % 4).unwrap();
        plans.rotate_left(turn);
        for flag in &mut flags {
            flag["target_plans"] = json!(plans);
        }
        flags.rotate_right(turn + 1);
        flags.reverse();
        let turned = set(&flags);
        for unit in 0..200 {
            let user = format!("user-{unit}");
            let a = Context::new(user.as_str()).plan("PREMIUM").attribute("x", 1).attribute("y", 2);
            let b = Context::anonymous().attribute("y", 2).attribute("plan", "PREMIUM").attribute("x", 1).attribute("user", user.as_str());
            for flag in 0..6 {
                let key = format!("f{flag}");
                prop_assert_eq!(ordered.resolve(&key, &a, NOW), turned.resolve(&key, &b, NOW));
            }
        }
    }

    #[test]
    fn an_edit_to_one_flag_changes_no_other_flags_answer(edited in 0..8_usize, broken in any::<bool>(), percentage in thousandths()) {
        let mut flags: Vec<Json> = (0..8).map(|flag| json!({"name": format!("f{flag}"), "enabled": true, "rollout_percentage": 50})).collect();
        let before = FlagSet::from_json(json!(flags).to_string().as_bytes()).unwrap();
        if let Some(flag) = flags.get_mut(edited) {
            flag["rollout_percentage"] = if broken { json!(150) } else { json!(percentage) };
        }
        let after = FlagSet::from_json(json!(flags).to_string().as_bytes()).unwrap();
        prop_assert_eq!(after.violations().len(), usize::from(broken));
        for flag in (0..8).filter(|flag| *flag != edited) {
            prop_assert_eq!(cohort(&before, &format!("f{flag}")), cohort(&after, &format!("f{flag}")));
        }
    }
}

/// Pearson's chi-squared statistic of counts that should be equal.
fn chi_squared(counts: &[u32]) -> f64 {
    let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
}

#[test]
fn buckets_are_uniform() {
    for salt in ["crm_advanced_features", "a", "", "loyalty/variant", "ñandú"] {
        let mut counts = [0_u32; 100];
        for unit in 0..100_000 {
            let bucket = Bucket::of(&format!("user-{unit}"), salt).number();
            if let Some(count) = counts.get_mut((bucket / 1_000) as usize) {
                *count += 1;
            }
        }
        // With 99 degrees of freedom the statistic is below 160 but once in ten thousand.
        let statistic = chi_squared(&counts);
        assert!(statistic < 160.0, "chi-squared {statistic:.1} for the salt {salt:?}");
    }
}

#[test]
fn two_salts_are_independent() {
    let pairs = [("a", "b"), ("flag", "flag/variant"), ("flag", "flag/rule/r1"), ("crm_1", "crm_2")];
    for (one, other) in pairs {
        let mut counts = [0_u32; 100];
        for unit in 0..100_000 {
            let unit = format!("user-{unit}");
            let tenth = |salt| Bucket::of(&unit, salt).number() / 10_000;
            if let Some(count) = counts.get_mut((10 * tenth(one) + tenth(other)) as usize) {
                *count += 1;
            }
        }
        let statistic = chi_squared(&counts);
        assert!(statistic < 160.0, "chi-squared {statistic:.1} for the salts {one:?} and {other:?}");
    }
}

#[test]
fn publishing_the_same_bytes_twice_changes_nothing() {
    let rows = include_bytes!("../../examples/data/feature_flags.json");
    let flags = Flags::new();
    let first = flags.publish(FlagSet::from_json(rows).unwrap());
    assert!(first.added().len() >= 40 && first.violations().is_empty());
    let again = flags.publish(FlagSet::from_json(rows).unwrap());
    assert!(again.is_published());
    assert_eq!((again.added().len(), again.removed().len(), again.changed().len()), (0, 0, 0));
}

#[test]
fn bare_rows_and_the_document_answer_alike() {
    let rows = include_str!("../../examples/data/feature_flags.json");
    let document = format!("{{\"esclusa\": 1, \"revision\": 7, \"flags\": {rows}}}");
    let rows = FlagSet::from_json(rows.as_bytes()).unwrap();
    let document = FlagSet::from_json(document.as_bytes()).unwrap();
    assert_eq!(rows.keys().collect::<Vec<_>>(), document.keys().collect::<Vec<_>>());
    for unit in 0..200 {
        let plan = ["FREE", "BASIC", "PREMIUM", "ENTERPRISE"].into_iter().nth(unit % 4).unwrap();
        let region = ["CO", "MX", "AR", "US"].into_iter().nth(unit / 4 % 4).unwrap();
        let context = Context::new(format!("user-{unit}")).plan(plan).role("ADMIN").region(region);
        assert!(rows.resolve_all(&context, NOW).eq(document.resolve_all(&context, NOW)));
    }
}

#[test]
fn no_sequence_of_snapshots_turns_a_sound_flag_into_one_that_is_set_aside() {
    // Beside a sound flag another one breaks, is switched off, comes back, goes and comes again, in every order of four.
    let good = json!({"name": "good", "enabled": true, "rollout_percentage": 30});
    let others = [
        json!({"name": "other", "enabled": true, "rollout_percentage": 70}),
        json!({"name": "other", "enabled": true, "rollout_percentage": 170}),
        json!({"name": "other", "enabled": false, "status": 7}),
        json!({"key": "good", "enabled": "yes", "rolloutPercentage": 30}),
        json!({"name": "other", "enabled": true, "prerequisites": [{"flag": "nowhere", "on": true}]}),
        json!(7),
    ];
    let alone = cohort(&set(std::slice::from_ref(&good)), "good");
    for sequence in 0..6_usize.pow(4) {
        let flags = Flags::new();
        for step in 0..4 {
            let other = others.get(sequence / 6_usize.pow(step) % 6).unwrap();
            let snapshot = json!([good, other]).to_string();
            let _ = flags.publish(FlagSet::from_json(snapshot.as_bytes()).unwrap());
            let set = flags.current();
            for unit in 0..20_u32 {
                let enabled = set.is_enabled("good", &Context::new(format!("user-{unit}")), NOW);
                assert_eq!(enabled, alone.contains(&unit), "sequence {sequence}, step {step}, user {unit}");
            }
        }
    }
}
