//! Trips that a publisher takes (9.11 of SEMANTICS.md): they act as if they stood in the flag's `guard_state`, hold over
//! every later set, and end with a higher run.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test stops at what is wrong"
)]
#![allow(dead_code, reason = "the generator is that of other tests too")]

mod generator;

use std::collections::BTreeSet;

use esclusa::{Context, ErrorCode, FlagSet, Flags, Time, Trip, Value};
use generator::Sequence;

const NOW: Time = Time::from_millis(1_750_000_000_000);

fn set(flags: &str) -> FlagSet {
    FlagSet::from_json(flags.as_bytes()).unwrap()
}

/// A rollout at its second step, with this run and this number of cleared steps.
fn rollout(run: u64, cleared: &str) -> FlagSet {
    set(&format!(
        r#"[{{"name": "crm", "enabled": true, "rollout_percentage": 0, "guard": {{"errors": {{"at_most_times": 1}}}},
             "schedule": [{{"at": "2025-01-01", "rollout_percentage": 5}}, {{"at": "2025-02-01", "rollout_percentage": 20}}],
             "guard_state": {{"run": {run}, "cleared_steps": {cleared}}}}},
            {{"name": "child", "enabled": true, "prerequisites": [{{"flag": "crm", "on": true}}]}},
            {{"name": "other", "enabled": true}}]"#
    ))
}

fn cohort(flags: &Flags) -> BTreeSet<u32> {
    let set = flags.current();
    (0..2000).filter(|user| set.is_enabled("crm", &Context::new(format!("user-{user}")), NOW)).collect()
}

#[test]
fn a_trip_holds_until_the_run_is_higher_and_then_the_same_cohort_returns() {
    let flags = Flags::new();
    let _ = flags.publish(rollout(3, "null"));
    let before = cohort(&flags);
    assert!((300..500).contains(&before.len()), "{}", before.len());
    let report = flags.trip(Trip::new("crm", 3).with("metric", "errors"));
    assert_eq!(report.changed(), ["child", "crm"]);
    let told =
        |flags: &Flags| -> Vec<String> { flags.current().trips().map(|(key, trip)| format!("{key} {trip}")).collect() };
    for _ in 0..3 {
        assert!(cohort(&flags).is_empty());
        assert_eq!(told(&flags), [r#"crm {"run":3,"metric":"errors"}"#]);
        let answer = flags.current().resolve("crm", &Context::new("user-3"), NOW).reason().as_str();
        assert_eq!(answer, "DISABLED");
        let report = flags.publish(rollout(3, "null"));
        assert!(report.changed().is_empty(), "{:?}", report.changed());
    }
    let _ = flags.publish(rollout(2, "null"));
    assert!(cohort(&flags).is_empty(), "a set of an earlier run opens nothing");
    let _ = flags.publish(set(r#"[{"name": "other", "enabled": true}]"#));
    assert!(told(&flags).is_empty());
    let _ = flags.publish(rollout(3, "null"));
    assert!(cohort(&flags).is_empty(), "a flag that was away for a time is off again");
    // A person resumes one step earlier, and then clears the step that tripped.
    assert_eq!(flags.publish(rollout(4, "1")).changed(), ["child", "crm"]);
    let resumed = cohort(&flags);
    assert!(!resumed.is_empty() && resumed.is_subset(&before));
    let _ = flags.publish(rollout(4, "2"));
    assert_eq!(cohort(&flags), before);
    let _ = flags.publish(rollout(3, "null"));
    assert_eq!(cohort(&flags), before, "the trip is forgotten");
}

#[test]
fn a_trip_of_an_earlier_run_or_of_no_flag_changes_nothing() {
    let flags = Flags::new();
    assert!(flags.trip(Trip::new("crm", 1)).changed().is_empty(), "nothing is published yet");
    assert!(!flags.current().is_ready());
    let _ = flags.publish(rollout(2, "null"));
    let before = cohort(&flags);
    assert!(!before.is_empty());
    for trip in [Trip::new("crm", 1), Trip::new("no-such-flag", 9), Trip::new("CRM", 2)] {
        assert!(flags.trip(trip).changed().is_empty());
        assert_eq!(cohort(&flags), before);
    }
    // What comes late changes nothing of what was taken.
    let _ = flags.trip(Trip::new("crm", 2));
    let _ = flags.trip(Trip::new("crm", 1));
    assert!(cohort(&flags).is_empty());
    let held = flags.held();
    let _ = flags.publish(rollout(3, "null"));
    assert_eq!(cohort(&flags), before);
    assert!(cohort(&held).is_empty(), "a handle that holds a set keeps to it");
}

#[test]
fn a_trip_that_waits_holds_from_the_first_set_on() {
    let flags = Flags::new();
    let _ = flags.trip(Trip::new("crm", 2));
    let report = flags.publish(rollout(2, "null"));
    assert_eq!(report.added(), ["child", "crm", "other"]);
    assert!(cohort(&flags).is_empty());
}

/// The snapshot with a trip of the first run in the `guard_state` of a flag.
fn tripped(text: &str, key: &str) -> Option<String> {
    let mut snapshot = Value::from_json(text.trim_start_matches('\u{feff}').as_bytes()).ok()?;
    let flags = match &mut snapshot {
        Value::List(flags) => flags,
        Value::Object(fields) => match fields.iter_mut().find(|(name, _)| name == "flags") {
            Some((_, Value::List(flags))) => flags,
            _ => return None,
        },
        _ => return None,
    };
    let is_named = |flag: &Value<'_>| flag.get("key").or(flag.get("name")).and_then(Value::as_str) == Some(key);
    for flag in flags.iter_mut().filter(|flag| is_named(flag)) {
        let Value::Object(fields) = flag else { continue };
        fields.retain(|(name, _)| name != "guard_state" && name != "guardState");
        let state = Value::from_json(br#"{"trip": {"run": 1}}"#).ok()?;
        fields.push(("guard_state".into(), state));
    }
    Some(snapshot.to_string())
}

#[test]
fn a_trip_that_is_taken_acts_as_one_that_is_written() {
    let mut compared = 0;
    for seed in 0..300 {
        let sequence = Sequence::random(seed);
        for snapshot in &sequence.snapshots {
            let text = snapshot.text();
            let Ok(before) = FlagSet::from_json(text.as_bytes()) else { continue };
            let runs: Vec<_> =
                before.guarded().filter(|flag| flag.run() > 1).map(|flag| flag.key().to_owned()).collect();
            let steps = text.contains("leared");
            // One that is set aside stays as it is.
            let is_taken = |key: &&str| {
                let error = before.resolve(key, &Context::anonymous(), NOW).error_code();
                !runs.iter().any(|run| run == key) && error != Some(ErrorCode::ParseError)
            };
            let Some(key) = before.keys().find(is_taken).map(str::to_owned) else { continue };
            let Some(written) = tripped(&text, &key).filter(|_| !steps) else { continue };
            let [taken, other] = [Flags::new(), Flags::new()];
            let _ = taken.publish(before);
            let _ = taken.trip(Trip::new(key.as_str(), 1));
            let _ = other.publish(set(&written));
            let [taken, other] = [taken.current(), other.current()];
            for context in sequence.contexts.iter().map(ToString::to_string) {
                let context = Context::from_json(context.as_bytes()).unwrap();
                for key in taken.keys() {
                    let [one, two] = [&taken, &other].map(|set| set.resolve(key, &context, NOW));
                    assert_eq!(one, two, "seed {seed}: {key} of {text}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 1000, "{compared}");
}
