//! The guard step by step: what trips it, what does not, and what ends a trip.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use esclusa_guard::{
    Arm, Condition, Guard, Judged, Ledger, Metric, OnTrip, Policy, PolicyError, Probability, State, Trip,
};

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

fn share(share: f64) -> Option<Probability> {
    Some(Probability::new(share).unwrap())
}

fn errors() -> Policy {
    Policy::new(vec![Metric::compared("errors")]).unwrap()
}

fn limit(at_most: f64) -> Policy {
    Policy::new(vec![Metric::limited("errors", Probability::new(at_most).unwrap())]).unwrap()
}

fn bad() -> Judged {
    Judged::good().bad_for(0)
}

/// Units of both arms, one a second, until one trips the guard.
fn serve(guard: &mut Guard, random: &mut fastrand::Rng, units: u64, on: f64, off: f64) -> Option<Trip> {
    let begin = guard.status(0).on_units + guard.status(0).off_units;
    assert!(begin.abs() < f64::EPSILON, "one epoch");
    (0..units).find_map(|unit| {
        let arm = if random.f64() < 0.5 { Arm::On } else { Arm::Off };
        let failed = random.f64() < if arm == Arm::On { on } else { off };
        guard.track(unit * 1000, random.u64(..), arm, if failed { bad() } else { Judged::good() })
    })
}

/// A guard that has tripped at the fifth unit.
fn tripped() -> (Guard, Trip) {
    let mut guard = Guard::new("flag", errors(), share(0.1), 0);
    guard.track(0, 1000, Arm::Off, Judged::good());
    let trip = (0..5).find_map(|unit| guard.track(unit, unit, Arm::On, bad())).unwrap();
    (guard, trip)
}

#[test]
fn from_the_ledger_of_a_trip_its_evidence_is_computed_again() {
    let mut guard = Guard::new("flag", errors(), share(0.5), 0);
    let trip = serve(&mut guard, &mut fastrand::Rng::with_seed(1), 20_000, 0.03, 0.01).unwrap();
    let text = serde_json::to_string(&trip.ledger).unwrap();
    assert!(text.contains(r#""mark""#), "{text}");
    let ledger: Ledger = serde_json::from_str(&text).unwrap();
    let again = ledger.evidence(trip.condition).unwrap().log_e();
    assert_eq!(again.to_bits(), trip.log_e.to_bits());
    assert!(trip.log_e >= trip.log_bar);
    let other: Ledger = serde_json::from_str(&text.replacen(",1,", ",2,", 1).replacen(",0]", ",1]", 1)).unwrap();
    assert!(other == ledger || other.evidence(trip.condition).unwrap().log_e().to_bits() != again.to_bits());
}

#[test]
fn a_guard_that_was_saved_goes_on_as_if_it_had_not_stopped() {
    let metric = Metric { at_most: Probability::new(0.02), ..Metric::compared("errors") };
    let mut guard = Guard::new("flag", Policy::new(vec![metric]).unwrap(), share(0.5), 0);
    let mut random = fastrand::Rng::with_seed(5);
    assert_eq!(serve(&mut guard, &mut random, 9000, 0.01, 0.01), None);
    let text = serde_json::to_string(&guard).unwrap();
    let mut restored: Guard = serde_json::from_str(&text).unwrap();
    assert_eq!(restored.status(9_000_000), guard.status(9_000_000));
    let mut trips = [&mut guard, &mut restored].map(|guard| {
        let mut random = random.clone();
        (9000..12_000_u64).find_map(|unit| {
            let arm = if random.bool() { Arm::On } else { Arm::Off };
            guard.track(unit * 1000, random.u64(..), arm, if arm == Arm::On { bad() } else { Judged::good() })
        })
    });
    let [first, second] = trips.each_mut().map(|trip| trip.take().unwrap());
    assert_eq!(first, second);
    assert_eq!(first.log_e.to_bits(), second.log_e.to_bits());
    let latched: Guard = serde_json::from_str(&serde_json::to_string(&restored).unwrap()).unwrap();
    assert_eq!(latched.clone().status(12_000_000).trip, Some(second));

    assert!(serde_json::from_str::<Guard>(text.split_at(text.len() / 2).0).is_err());
    let nowhere = text.replace(r#""at_least":0.002"#, r#""at_least":2.0"#);
    let error = serde_json::from_str::<Guard>(&nowhere).unwrap_err().to_string();
    assert!(error.starts_with("`at_least` is 2, expected a difference of shares from 0 to below 1"), "{error}");
}

#[test]
fn a_broken_ledger_is_an_error_and_no_evidence() {
    for text in [r#"["stop"]"#, "[[0.5, -1, 2]]", "[[0.5, 1]]", "[[null, 1, 2]]", "{}"] {
        assert!(serde_json::from_str::<Ledger>(text).is_err(), "{text}");
    }
    let ledger: Ledger = serde_json::from_str("[[2.5, 1, 2]]").unwrap();
    assert_eq!(ledger.evidence(Condition::AtMostTimes(1.0)), None);
}

#[test]
fn one_noisy_caller_trips_nothing() {
    let mut guard = Guard::new("flag", errors(), share(0.1), 0);
    guard.track(0, 7, Arm::Off, Judged::good());
    for time in 0..100_000 {
        assert_eq!(guard.track(time, 42, Arm::On, bad()), None);
    }
    let status = guard.status(100_000);
    assert_eq!(status.to_string(), "flag: waiting, 1 units on and 1 off; errors: 1 bad on and 0 off");
}

#[test]
fn four_bad_units_trip_nothing_and_the_fifth_does() {
    let (mut guard, trip) = tripped();
    assert_eq!((trip.run, trip.epoch, trip.at_ms, trip.metric.as_str()), (1, 1, 4, "errors"));
    assert_eq!(guard.status(5).state, State::Tripped);
    assert_eq!(guard.track(6, 99, Arm::On, bad()), None, "it trips once");
}

#[test]
fn only_a_higher_run_ends_a_trip_and_the_bar_is_higher_then() {
    let (mut guard, trip) = tripped();
    guard.set_share(DAY, share(0.5));
    guard.tick(3 * DAY);
    assert!(!guard.resume(3 * DAY, 1, share(0.1)));
    assert_eq!(guard.status(3 * DAY).state, State::Tripped);
    assert!(guard.resume(3 * DAY, 2, share(0.1)));
    let status = guard.status(3 * DAY);
    assert_eq!((status.state, status.run, status.trip), (State::Waiting, 2, None));
    assert!(status.log_bar > trip.log_bar);
}

#[test]
fn an_epoch_ends_with_the_share_and_after_a_day() {
    let mut guard = Guard::new("flag", errors(), share(0.1), 0);
    guard.track(0, 1, Arm::Off, bad());
    guard.set_share(MINUTE, share(0.1));
    assert_eq!(guard.status(MINUTE).epoch, 1);
    guard.set_share(2 * MINUTE, share(0.2));
    let status = guard.status(2 * MINUTE);
    assert_eq!(status.epoch, 2);
    assert!(status.off_units.abs() < f64::EPSILON);
    assert_eq!(guard.status(DAY + MINUTE).epoch, 2);
    assert_eq!(guard.status(DAY + 2 * MINUTE).epoch, 3);
    assert_eq!(guard.status(0).epoch, 3, "a clock that goes back ends nothing");
    assert_eq!(guard.status(u64::MAX).epoch, 4);
}

#[test]
fn where_only_the_on_arm_reports_the_guard_is_blind_and_trips_nothing() {
    for (part, units) in [(0.5, 20), (0.1, 7), (0.01, 7)] {
        let mut guard = Guard::new("flag", errors(), share(part), 0);
        for unit in 0..units {
            assert_eq!(guard.track(unit, unit, Arm::On, bad()), None);
        }
        assert_eq!(guard.status(units).state, State::Blind, "at {part}");
        assert_eq!(guard.track(units, 1000, Arm::Off, Judged::good()), None);
        assert_eq!(guard.track(units, 1001, Arm::On, bad()), None);
    }
}

#[test]
fn lost_outcomes_make_it_blind_but_a_limit_still_acts() {
    let mut guard = Guard::new("flag", errors(), share(0.1), 0);
    guard.dropped(1);
    guard.track(0, 1000, Arm::Off, Judged::good());
    assert_eq!((0..9).find_map(|unit| guard.track(unit, unit, Arm::On, bad())), None);
    assert_eq!(guard.status(9).state, State::Blind);
    let mut guard = Guard::new("flag", limit(0.05), share(0.1), 0);
    guard.dropped(1000);
    assert!((0..9).find_map(|unit| guard.track(unit, unit, Arm::On, bad())).is_some());
}

#[test]
fn a_metric_that_holds_makes_suspicious_and_trips_nothing() {
    let metric = Metric { on_trip: OnTrip::Hold, ..Metric::compared("slow") };
    let mut guard = Guard::new("flag", Policy::new(vec![metric]).unwrap(), share(0.3), 0);
    for unit in 0..60 {
        let arm = if unit % 3 == 0 { Arm::On } else { Arm::Off };
        let outcome = if arm == Arm::On { bad() } else { Judged::good() };
        assert_eq!(guard.track(unit, unit, arm, outcome), None);
    }
    assert_eq!(guard.status(60).state, State::Suspicious);
    for unit in 1000..1300 {
        guard.track(unit, unit, Arm::Off, bad());
    }
    assert_ne!(guard.status(1300).state, State::Suspicious, "it calms down");
}

#[test]
fn a_difference_that_matters_to_nobody_trips_nothing() {
    let tolerant = errors().at_least(0.9).unwrap();
    let mut guard = Guard::new("flag", tolerant, share(0.5), 0);
    let trip = serve(&mut guard, &mut fastrand::Rng::with_seed(2), 4000, 0.3, 0.01);
    assert_eq!(trip, None);
    assert_eq!(guard.status(4_000_000).state, State::Suspicious);
}

#[test]
fn enough_good_units_are_healthy() {
    let mut guard = Guard::new("flag", errors(), share(0.5), 0);
    assert_eq!(serve(&mut guard, &mut fastrand::Rng::with_seed(3), 3000, 0.0, 0.0), None);
    assert_eq!(guard.status(3_000_000).state, State::Healthy);
    assert!(guard.status(3_000_000).to_string().starts_with("flag: healthy, 1"));
}

#[test]
fn a_guard_that_hears_nothing_any_more_is_blind_until_it_does() {
    for gap in [1000, 10 * MINUTE] {
        let mut guard = Guard::new("flag", errors().min_units(10), share(0.5), 0);
        assert_eq!(guard.status(50 * MINUTE).state, State::Waiting, "it has heard nothing yet");
        let begin = 50 * MINUTE;
        for unit in 0..60 {
            let arm = if unit % 2 == 0 { Arm::On } else { Arm::Off };
            guard.track(begin + unit * gap, unit, arm, Judged::good());
        }
        let last = begin + 59 * gap;
        let allowed = 3 * gap.max(MINUTE);
        assert_eq!(guard.status(last + allowed).state, State::Healthy);
        assert_eq!(guard.status(last + allowed + 1).state, State::Blind);
        guard.track(last + allowed + 2, 100, Arm::On, Judged::good());
        assert_eq!(guard.status(last + allowed + 2).state, State::Healthy);
    }
}

#[test]
fn a_limit_without_an_off_arm_acts_until_it_is_over() {
    let fail = |guard: &mut Guard, from: u64, outcome: Judged| {
        (0..20).find_map(|unit| guard.track(from + unit, from + unit, Arm::On, outcome))
    };
    let trip = fail(&mut Guard::new("flag", limit(0.05), None, 0), 0, bad()).unwrap();
    assert_eq!((trip.at_ms, trip.share), (4, None));
    assert_eq!(trip.ledger.evidence(trip.condition).unwrap().log_e().to_bits(), trip.log_e.to_bits());

    // Each unit is bad, but only in its second outcome of the window: the first is what counts.
    let mut guard = Guard::new("flag", limit(0.05), None, 0);
    assert_eq!(fail(&mut guard, 0, Judged::good()), None);
    assert_eq!(fail(&mut guard, 0, bad()), None);
}

#[test]
fn a_limit_that_both_arms_exceed_is_an_outage_and_trips_nothing() {
    let mut random = fastrand::Rng::with_seed(4);
    for _ in 0..1000 {
        let mut guard = Guard::new("flag", limit(0.02), share(0.5), 0);
        assert_eq!(serve(&mut guard, &mut random, 1000, 0.3, 0.3), None);
        assert_eq!(guard.status(1_000_000).state, State::Suspicious);
    }
}

#[test]
fn a_policy_that_makes_no_sense_is_refused() {
    let message = |result: Result<Policy, PolicyError>| result.unwrap_err().to_string();
    assert_eq!(message(Policy::new(vec![])), "a guard has 0 metrics, expected 1 to 32");
    let none = Metric { at_most_times: None, ..Metric::compared("errors") };
    let expected = "the metric `errors` tests nothing, expected `at_most_times` or `at_most`";
    assert_eq!(message(Policy::new(vec![none])), expected);
    for times in [0.5, 101.0, f64::NAN] {
        let metric = Metric { at_most_times: Some(times), ..Metric::compared("errors") };
        let expected = format!("`at_most_times` of the metric `errors` is {times}, expected 1 to 100");
        assert_eq!(message(Policy::new(vec![metric])), expected);
    }
    for wrong in [-0.1, 1.0, f64::NAN, f64::INFINITY] {
        assert!(errors().false_trips(wrong).is_err() && errors().at_least(wrong).is_err());
    }
}
