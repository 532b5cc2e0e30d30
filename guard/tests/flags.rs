//! Guards of published flags, end to end: the flags, the outcomes, the trip, and the flags again.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use esclusa::{Context, FlagSet, Flags, Time};
use esclusa_guard::{Guards, Outcome, State, Trip};

/// The clock of all tests, which therefore run one after the other.
static NOW: AtomicI64 = AtomicI64::new(0);
static ONE_BY_ONE: Mutex<()> = Mutex::new(());
const BEGIN: i64 = 1_750_000_000_000;

fn clock() -> Time {
    Time::from_millis(NOW.load(Ordering::Relaxed))
}

fn begin() -> (Flags, MutexGuard<'static, ()>) {
    let turn = ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
    NOW.store(BEGIN, Ordering::Relaxed);
    (Flags::with_clock(clock), turn)
}

fn publish(flags: &Flags, rows: &str) {
    let set = FlagSet::from_json(rows.as_bytes()).unwrap();
    assert!(set.violations().is_empty(), "{:?}", set.violations());
    assert!(flags.publish(set).is_published());
}

/// A rollout at 20 %, in a run.
fn crm(run: u64) -> String {
    format!(
        r#"[{{"name": "crm", "enabled": true, "rollout_percentage": 20, "guard_state": {{"run": {run}}},
             "guard": {{"event": "checkout", "errors": {{"at_most_times": 1, "at_most": 0.1}}}}}},
            {{"name": "other", "enabled": true, "rollout_percentage": 50, "guard": {{"slow": {{"above_ms": 3000}}}}}}]"#
    )
}

/// Users track an event, one in 10 milliseconds, with the rates of errors of both arms; a tick each second.
fn serve(flags: &Flags, guards: &Guards, users: std::ops::Range<u64>, on: f64, off: f64) -> Option<(u64, String)> {
    let mut random = fastrand::Rng::with_seed(7);
    for user in users {
        NOW.fetch_add(10, Ordering::Relaxed);
        let context = Context::new(format!("user-{user}"));
        let rate = if flags.is_enabled("crm", &context) { on } else { off };
        let outcome = if random.f64() < rate { Outcome::error() } else { Outcome::ok() };
        guards.track("checkout", &context, outcome);
        if user % 100 == 99
            && let Some((flag, trip)) = guards.tick().into_iter().next()
        {
            assert_eq!(flag, "crm");
            return Some((user, trip.metric));
        }
    }
    None
}

fn cohort(flags: &Flags) -> BTreeSet<u64> {
    (0..5000).filter(|user| flags.is_enabled("crm", &Context::new(format!("user-{user}")))).collect()
}

#[test]
fn a_regression_of_the_on_arm_switches_the_flag_off_and_the_same_cohort_returns_with_a_higher_run() {
    let (flags, _turn) = begin();
    publish(&flags, &crm(1));
    let guards = Guards::new(&flags);
    let before = cohort(&flags);
    assert_eq!(serve(&flags, &guards, 0..2000, 0.01, 0.01), None);
    let (user, metric) = serve(&flags, &guards, 2000..6000, 0.2, 0.01).unwrap();
    assert!(user < 3000, "it took until {user}");
    assert_eq!(metric, "errors");
    assert!(cohort(&flags).is_empty());
    let trips: Vec<_> = flags.current().trips().map(|(key, trip)| (key.to_owned(), trip.to_string())).collect();
    let expected = r#"{"run":1,"at":"2025-06-15T15:"#;
    assert!(trips.len() == 1 && trips[0].1.starts_with(expected), "{trips:?}");
    let states = |guards: &Guards| guards.status().iter().map(|status| status.state).collect::<Vec<_>>();
    assert_eq!(states(&guards), [State::Tripped, State::Waiting]);
    // The store knows nothing of it and publishes again and again.
    publish(&flags, &crm(1));
    assert!(cohort(&flags).is_empty() && guards.tick().is_empty());
    // A person raises the run.
    publish(&flags, &crm(2));
    assert_eq!(cohort(&flags), before);
    assert_eq!(serve(&flags, &guards, 6000..8000, 0.01, 0.01), None);
    assert_eq!(states(&guards).first(), Some(&State::Waiting), "fewer than 500 users are on");
    assert_eq!(guards.status()[0].run, 2);
    // It is watched again.
    assert!(serve(&flags, &guards, 8000..14_000, 0.3, 0.01).is_some());
    assert!(cohort(&flags).is_empty());
    publish(&flags, &crm(3));
    assert_eq!(cohort(&flags), before);
}

#[test]
fn an_outage_that_hits_both_arms_trips_nothing() {
    let (flags, _turn) = begin();
    publish(&flags, &crm(1));
    let guards = Guards::new(&flags);
    assert_eq!(serve(&flags, &guards, 0..3000, 0.01, 0.01), None);
    assert_eq!(serve(&flags, &guards, 3000..9000, 0.3, 0.3), None);
    assert!(!cohort(&flags).is_empty());
    let status = &guards.status()[0];
    assert_eq!(status.state, State::Suspicious, "{status}");
}

#[test]
fn one_noisy_caller_and_callers_outside_the_comparison_trip_nothing() {
    let (flags, _turn) = begin();
    publish(
        &flags,
        r#"[{"name": "crm", "enabled": true, "rollout_percentage": 20, "target_plans": ["PREMIUM"],
             "overrides": {"on": {"companies": ["acme"]}}, "guard": {"event": "checkout", "errors": {}}}]"#,
    );
    let guards = Guards::new(&flags);
    let noisy = (0..).map(|user| Context::new(format!("user-{user}")).plan("PREMIUM"));
    let noisy = noisy.into_iter().find(|user| flags.is_enabled("crm", user)).unwrap();
    for number in 0..2000 {
        guards.track("checkout", &noisy, Outcome::error());
        guards.track("checkout", &Context::new(format!("user-{number}")).plan("FREE"), Outcome::error());
        let overridden = Context::new(format!("user-{number}")).plan("PREMIUM").company("acme");
        guards.track("checkout", &overridden, Outcome::error());
        guards.track("checkout", &Context::anonymous().plan("PREMIUM"), Outcome::error());
    }
    assert!(guards.tick().is_empty());
    let status = &guards.status()[0];
    assert_eq!(status.to_string(), "crm: waiting, 1 units on and 0 off; errors: 1 bad on and 0 off");
    guards.track("no such event", &noisy, Outcome::error());
    assert_eq!(guards.unwatched(), 1);
}

#[test]
fn slow_answers_of_the_on_arm_switch_the_flag_off() {
    for (slow, metric, on_ms) in
        [(r#"{"above_ms": 3000}"#, "slow", 3500), (r#"{"above_p90_times": 1.5}"#, "slower", 400)]
    {
        let (flags, _turn) = begin();
        let row = |share: u32| {
            format!(
                r#"[{{"name": "crm", "enabled": true, "rollout_percentage": {share}, "guard": {{"slow": {slow}}}}}]"#
            )
        };
        let guards = Guards::new(&flags);
        let mut tripped = None;
        for user in 0..4000_u64 {
            // The p90 is that of the epoch before: a step of the rollout ends it.
            match user {
                0 => publish(&flags, &row(10)),
                1000 => publish(&flags, &row(20)),
                _ => {}
            }
            NOW.fetch_add(10, Ordering::Relaxed);
            let context = Context::new(format!("user-{user}"));
            let is_slow = user > 1500 && user % 4 == 0 && flags.is_enabled("crm", &context);
            let ms = if is_slow { on_ms } else { 100 + user % 20 };
            guards.track("crm", &context, Outcome::ok().lasted(Duration::from_millis(ms)));
            tripped = tripped.or(guards.tick().pop());
        }
        let (flag, trip) = tripped.unwrap();
        assert_eq!((flag.as_str(), trip.metric.as_str()), ("crm", metric));
        assert!(cohort(&flags).is_empty());
    }
}

#[test]
fn a_limit_acts_where_everybody_is_on_and_a_guard_that_holds_never_trips() {
    for (on_trip, expected) in [("off", true), ("hold", false)] {
        let (flags, _turn) = begin();
        let guard = format!(r#"{{"errors": {{"at_most": 0.05, "on_trip": "{on_trip}"}}}}"#);
        publish(&flags, &format!(r#"[{{"name": "crm", "enabled": true, "guard": {guard}}}]"#));
        let guards = Guards::new(&flags);
        for user in 0..400 {
            let outcome = if user % 3 == 0 { Outcome::error() } else { Outcome::ok() };
            guards.track("crm", &Context::new(format!("user-{user}")), outcome);
        }
        assert_eq!(guards.tick().len() == 1, expected, "{on_trip}");
        assert_eq!(cohort(&flags).is_empty(), expected, "{on_trip}");
    }
}

#[test]
fn a_guard_with_a_mistake_guards_nothing_and_says_what_is_wrong() {
    let wrong = [
        (r#"{}"#, "guard`: watches nothing, expected `errors` or `slow`"),
        (r#"{"errors": true}"#, "guard/errors`: true does not fit, expected an object"),
        (
            r#"{"error": {}}"#,
            "guard/error`: is not a field that is known here, expected one of event, errors, slow, false_trips, at_least, on_trip, advance, from_browser",
        ),
        (
            r#"{"errors": {"at_most": 1}}"#,
            "guard/errors/at_most`: 1 does not fit, expected a share above 0 and below 1",
        ),
        (
            r#"{"errors": {"at_most_times": 0.5}}"#,
            "guard/errors/at_most_times`: 0.5 does not fit, expected a number from 1 to 100",
        ),
        (
            r#"{"errors": {}, "false_trips": 0}"#,
            "guard/false_trips`: 0 does not fit, expected a share above 0 and below 1",
        ),
        (r#"{"errors": {}, "at_least": -1}"#, "guard/at_least`: -1 does not fit, expected a share from 0 to below 1"),
        (r#"{"errors": {}, "event": 7}"#, "guard/event`: 7 does not fit, expected the name of an event"),
        (r#"{"errors": {}, "on_trip": "stop"}"#, "guard/on_trip`: does not fit, expected `off` or `hold`"),
        (r#"{"slow": {}}"#, "guard/slow`: does not say what is slow, expected `above_ms` or `above_p90_times`"),
        (
            r#"{"slow": {"above_ms": "3000"}}"#,
            "guard/slow/above_ms`: \"3000\" does not fit, expected a number of milliseconds above 0",
        ),
        (
            r#"{"errors": {}, "advance": {"after": "soon"}}"#,
            "guard/advance/after`: does not fit, expected a time such as `30m`, `1h` or `2d`",
        ),
        (
            r#"{"errors": {}, "advance": {"min_units": -1}}"#,
            "guard/advance/min_units`: -1 does not fit, expected a number of units",
        ),
        (
            r#"{"errors": {}, "advance": {"up_to": 101}}"#,
            "guard/advance/up_to`: 101 does not fit, expected a percentage from 0 to 100",
        ),
    ];
    for (guard, problem) in wrong {
        let (flags, _turn) = begin();
        publish(
            &flags,
            &format!(r#"[{{"name": "crm", "enabled": true, "rollout_percentage": 50, "guard": {guard}}}]"#),
        );
        let guards = Guards::new(&flags);
        let problems: Vec<String> = guards.problems().iter().map(ToString::to_string).collect();
        assert_eq!(problems, [format!("crm: `{problem}")], "{guard}");
        for user in 0..200 {
            guards.track("crm", &Context::new(format!("user-{user}")), Outcome::error());
        }
        assert!(guards.tick().is_empty() && guards.status().is_empty());
        assert!(!cohort(&flags).is_empty(), "the flag is served all the same");
    }
    let (flags, _turn) = begin();
    publish(
        &flags,
        r#"[{"name": "crm", "enabled": true, "guard": {"event": "pay", "errors": {"at_most_times": 1.2}, "slow": {"above_ms": 3000, "above_p90_times": 1.5},
             "false_trips": 0.005, "at_least": 0.01, "on_trip": "hold", "advance": {"after": "1h", "min_units": 100, "up_to": 50}, "from_browser": true, "description": "ask Ana"}}]"#,
    );
    let guards = Guards::new(&flags);
    assert!(guards.problems().is_empty(), "{:?}", guards.problems());
    let metrics: Vec<String> = guards.status()[0].metrics.iter().map(|metric| metric.name.clone()).collect();
    assert_eq!(metrics, ["errors", "slow", "slower"]);
}

/// One page sends as many errors as it likes, for as many events as it likes; the other arm is fine.
fn forge(guard: &str) -> (usize, Vec<(String, State)>) {
    let (flags, _turn) = begin();
    publish(&flags, &format!(r#"[{{"name": "crm", "enabled": true, "rollout_percentage": 50, "guard": {guard}}}]"#));
    let guards = Guards::new(&flags);
    let mut trips = 0;
    for sent in 0..100_000 {
        NOW.fetch_add(1, Ordering::Relaxed);
        let context = Context::new(format!("user-{}", sent % 500));
        let outcome = if flags.is_enabled("crm", &context) { Outcome::error() } else { Outcome::ok() };
        guards.track_from_browser("crm", &context, outcome);
        if sent % 1000 == 0 {
            trips += guards.tick().len();
        }
    }
    (trips, guards.status().into_iter().map(|status| (status.to_string(), status.state)).collect())
}

#[test]
fn a_trip_that_is_given_to_hosts_as_a_value_is_read_by_serde() {
    let (flags, _turn) = begin();
    publish(&flags, &crm(1));
    let guards = Guards::new(&flags);
    // Long enough for a mark in the ledger.
    assert_eq!(serve(&flags, &guards, 0..2000, 0.01, 0.01), None);
    NOW.fetch_add(700_000, Ordering::Relaxed);
    serve(&flags, &guards, 2000..6000, 0.2, 0.01).unwrap();
    let status = guards.status().remove(0);
    let trip = status.trip.clone().unwrap();
    let text = trip.to_value().to_string();
    assert_eq!(serde_json::from_str::<Trip>(&text).unwrap(), trip);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(value["ledger"].as_array().unwrap().iter().any(|entry| entry == "mark"), "{value}");
    let status: serde_json::Value = serde_json::from_str(&status.to_value().to_string()).unwrap();
    assert_eq!((&status["trip"], &status["state"]), (&value, &serde_json::Value::from("tripped")));
    assert!(status["line"].as_str().unwrap().starts_with("crm: tripped, "), "{status}");
}

#[test]
fn what_browsers_send_counts_only_for_a_guard_that_says_so() {
    let (trips, status) = forge(r#"{"errors": {"at_most_times": 1, "at_most": 0.01}}"#);
    assert_eq!(trips, 0);
    let expected = "crm: waiting, 0 units on and 0 off; errors: 0 bad on and 0 off".to_owned();
    assert_eq!(status, [(expected, State::Waiting)]);
    let (trips, _) = forge(r#"{"errors": {}, "from_browser": false}"#);
    assert_eq!(trips, 0);
    let (trips, status) = forge(r#"{"errors": {}, "from_browser": true}"#);
    assert_eq!(trips, 1);
    assert_eq!(status.first().map(|(_, state)| *state), Some(State::Tripped));
}

#[test]
fn outcomes_that_are_lost_make_a_guard_blind() {
    let (flags, _turn) = begin();
    publish(&flags, &crm(1));
    let guards = Guards::new(&flags);
    assert!(guards.watches("checkout") && guards.watches("other") && !guards.watches("crm"));
    assert_eq!(serve(&flags, &guards, 0..900, 0.01, 0.01), None);
    for _ in 0..9 {
        guards.drop_outcome("checkout");
    }
    assert_ne!(guards.status().first().map(|status| status.state), Some(State::Blind));
    guards.drop_outcome("checkout");
    guards.drop_outcome("an event without a guard");
    let states: Vec<State> = guards.status().iter().map(|status| status.state).collect();
    assert_eq!((guards.dropped(), states), (11, vec![State::Blind, State::Waiting]));
}

/// Flags that everybody has, each with a limit.
fn limited(flags: u32) -> String {
    let flag = |at| {
        format!(
            r#"{{"name": "flag{at}", "enabled": true, "guard": {{"event": "e{at}", "errors": {{"at_most": 0.1}}}}}}"#
        )
    };
    format!("[{}]", (0..flags).map(flag).collect::<Vec<_>>().join(","))
}

#[test]
fn an_outage_that_reaches_the_limits_of_many_flags_at_once_undoes_none_of_them() {
    for (count, trips) in [(5_u32, 0), (3, 0), (2, 2), (1, 1)] {
        let (flags, _turn) = begin();
        publish(&flags, &limited(count));
        let guards = Guards::new(&flags);
        let mut tripped = 0;
        // Ten minutes in which everything fails.
        for user in 0..600 {
            NOW.fetch_add(1_000, Ordering::Relaxed);
            for at in 0..count {
                guards.track(&format!("e{at}"), &Context::new(format!("user-{user}")), Outcome::error());
            }
            tripped += guards.tick().len();
        }
        assert_eq!(tripped, trips, "{count} flags");
        let states: Vec<_> = guards.status().iter().map(|status| status.state).collect();
        let expected = if trips == 0 { State::Suspicious } else { State::Tripped };
        assert!(states.iter().all(|state| *state == expected), "{states:?}");
        assert_eq!(flags.is_enabled("flag0", &Context::new("ana")), trips == 0);
    }
}

#[test]
fn numbers_that_are_no_times_count_as_none() {
    let (flags, _turn) = begin();
    publish(
        &flags,
        r#"[{"name": "crm", "enabled": true, "rollout_percentage": 50, "guard": {"slow": {"above_ms": 1}}}]"#,
    );
    let guards = Guards::new(&flags);
    for (user, ms) in (0..200).zip([f64::NAN, f64::INFINITY, -5.0, f64::NEG_INFINITY].into_iter().cycle()) {
        guards.track("crm", &Context::new(format!("user-{user}")), Outcome::ok().lasted_ms(ms));
    }
    assert!(guards.tick().is_empty());
    let status = guards.status()[0].to_string();
    assert!(status.ends_with("slow: 0 bad on and 0 off"), "{status}");
}

#[test]
fn clocks_that_jump_trip_nothing() {
    let (flags, _turn) = begin();
    publish(&flags, &crm(1));
    let guards = Guards::new(&flags);
    for jump in [-86_400_000_000, 9_000_000_000_000, -20_000_000_000_000, 1] {
        assert_eq!(serve(&flags, &guards, 0..300, 0.05, 0.05), None);
        NOW.fetch_add(jump, Ordering::Relaxed);
        assert!(guards.tick().is_empty());
    }
    assert!(!cohort(&flags).is_empty());
}
