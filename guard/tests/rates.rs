//! The declared rate of false alarms, in simulated rollouts with fixed seeds.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use esclusa_guard::{Arm, Guard, Judged, Metric, Policy, Probability};

/// A rollout in which each unit of an arm fails with the rate of its time: how many of `runs` are stopped.
fn stopped(runs: u64, units: u64, share: f64, rates: impl Fn(Arm, u64) -> f64) -> u64 {
    let policy = Policy::new(vec![Metric::compared("errors")]).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let mut run = || {
        let mut guard = Guard::new("flag", policy.clone(), Probability::new(share), 0);
        (0..units).any(|unit| {
            let arm = if random.f64() < share { Arm::On } else { Arm::Off };
            let failed = random.f64() < rates(arm, unit);
            let outcome = if failed { Judged::good().bad_for(0) } else { Judged::good() };
            guard.track(unit * 1000, random.u64(..), arm, outcome).is_some()
        })
    };
    (0..runs).map(|_| u64::from(run())).sum()
}

#[test]
fn at_most_one_healthy_rollout_in_a_hundred_is_stopped() {
    for (share, errors) in [(0.5, 0.02), (0.1, 0.02), (0.5, 0.1)] {
        let stopped = stopped(1000, 3000, share, |_, _| errors);
        assert!(stopped <= 10, "{stopped} of 1000 at a share of {share} with {errors} errors");
    }
}

#[test]
fn an_outage_stops_at_most_one_in_a_hundred() {
    let stopped = stopped(1000, 3000, 0.5, |_, unit| if unit < 1500 { 0.01 } else { 0.3 });
    assert!(stopped <= 10, "{stopped} of 1000");
}

#[test]
fn healthy_rollouts_are_stopped_at_times_so_the_test_above_can_fail() {
    assert!(stopped(2000, 3000, 0.5, |_, _| 0.1) > 0);
}

/// Ten days of the same 300 users, 15 of whom have an error in every third request: how many of `runs` are stopped if
/// each request counts as what `unit` says.
fn stopped_by_the_unlucky(runs: u64, unit: impl Fn(u64, &mut fastrand::Rng) -> u64) -> u64 {
    let policy = Policy::new(vec![Metric::compared("errors")]).unwrap();
    let mut random = fastrand::Rng::with_seed(9);
    let mut run = || {
        let arms: Vec<Arm> = (0..300).map(|_| if random.bool() { Arm::On } else { Arm::Off }).collect();
        let mut guard = Guard::new("flag", policy.clone(), Probability::new(0.5), 0);
        (0..10 * 3000_u64).any(|request| {
            let user = random.usize(..300);
            let arm = arms.get(user).copied().unwrap();
            let failed = user < 15 && random.f64() < 0.33;
            let outcome = if failed { Judged::good().bad_for(0) } else { Judged::good() };
            let unit = unit(user as u64, &mut random);
            guard.track(request * 28_800, unit, arm, outcome).is_some()
        })
    };
    (0..runs).map(|_| u64::from(run())).sum()
}

#[test]
fn a_few_unlucky_users_stop_nothing_however_often_they_come_back() {
    let units = stopped_by_the_unlucky(200, |user, _| user);
    assert!(units <= 2, "{units} of 200");
    let requests = stopped_by_the_unlucky(100, |_, random| random.u64(..));
    assert!(requests > 5, "{requests} of 100, so the test above can fail");
}

#[test]
fn an_outage_reaches_no_limit_while_there_is_an_off_arm() {
    let policy = Policy::new(vec![Metric::limited("errors", Probability::new(0.02).unwrap())]).unwrap();
    let mut random = fastrand::Rng::with_seed(10);
    for run in 0..1000 {
        let share = if run % 2 == 0 { 0.5 } else { 0.05 };
        let mut guard = Guard::new("flag", policy.clone(), Probability::new(share), 0);
        for unit in 0..2000_u64 {
            let arm = if random.f64() < share { Arm::On } else { Arm::Off };
            let failed = random.f64() < if unit < 1000 { 0.01 } else { 0.3 };
            let outcome = if failed { Judged::good().bad_for(0) } else { Judged::good() };
            let trip = guard.track(unit * 1000, random.u64(..), arm, outcome);
            assert_eq!(trip, None, "run {run} at a share of {share}");
        }
    }
}

#[test]
fn harm_is_found() {
    for (share, on, units) in [(0.5, 0.05, 3000), (0.5, 0.2, 500), (0.1, 0.2, 1200)] {
        let found = stopped(300, units, share, |arm, _| if arm == Arm::On { on } else { 0.01 });
        assert!(found >= 285, "{found} of 300 at a share of {share} with {on} errors within {units} units");
    }
}
