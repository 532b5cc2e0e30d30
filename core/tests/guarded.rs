//! Guards of flags as data: which flags have one, what the arm of a caller is, and what leaves the process of a flag that
//! has tripped (2.2.34, 2.2.35, 7.20, 10.2 to 10.6 of SEMANTICS.md).
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use esclusa::sync::{PREFIXES, layered, switches};
use esclusa::{Arm, Context, FlagSet, Flags, Time, hash};

const NOW: Time = Time::from_millis(1_750_000_000_000);

fn set(flags: &str) -> FlagSet {
    FlagSet::from_json(flags.as_bytes()).unwrap()
}

#[test]
fn the_flags_with_a_guard_are_told_with_their_run_and_trip() {
    let flags = Flags::new();
    let _ = flags.publish(set(
        r#"[{"name": "plain", "enabled": true, "guard_state": {"run": 1, "trip": null}},
            {"name": "watched", "enabled": true, "guard": {"event": "checkout", "event": "pay"},
             "rules": [{"key": "all", "when": {"all": []}}]},
            {"name": "tripped", "enabled": true, "guard": {}, "guard_state": {"run": 7, "trip": {"run": 7, "metric": "slow"}}},
            {"name": "again", "enabled": true, "guard_state": {"run": 8, "trip": {"run": 7}}},
            {"name": "broken", "enabled": true, "guard": {}, "salt": 7}]"#,
    ));
    let told = |flags: &Flags| -> Vec<String> {
        let text = |value: Option<&esclusa::Value<'static>>| value.map_or("none".to_owned(), ToString::to_string);
        let current = flags.current();
        let told = current
            .guarded()
            .map(|flag| format!("{} {} {} {}", flag.key(), text(flag.policy()), flag.run(), text(flag.trip())));
        told.collect()
    };
    let expected =
        [r#"watched {"event":"pay"} 1 none"#, r#"tripped {} 7 {"run":7,"metric":"slow"}"#, "again none 8 none"];
    assert_eq!(told(&flags), expected);
    // A definition that is kept has its guard still.
    let _ =
        flags.publish(set(r#"[{"name": "watched", "enabled": true, "salt": 7}, {"name": "again", "enabled": true}]"#));
    assert_eq!(told(&flags), [r#"watched {"event":"pay"} 1 none"#]);
}

#[test]
fn the_arm_is_that_of_the_flags_own_share() {
    let set = set(r#"[{"name": "by_user", "enabled": true, "rollout_percentage": 30},
            {"name": "by_company", "enabled": true, "rollout_percentage": 30, "bucket_by": "company",
             "rules": [{"key": "nobody", "when": {"any": []}}]},
            {"name": "scheduled", "enabled": true, "rollout_percentage": 0, "target_plans": ["PREMIUM"],
             "schedule": [{"at": "2025-01-01", "rollout_percentage": 12.5}]},
            {"name": "full", "enabled": true},
            {"name": "completed", "enabled": true, "status": "completed", "rollout_percentage": 30},
            {"name": "tripped", "enabled": true, "rollout_percentage": 30, "guard_state": {"trip": {"run": 1}}}]"#);
    let context = Context::new("user-1").company("acme").plan("PREMIUM");
    let arm =
        |key: &str, context: &Context<'_>| set.arm(key, context, || NOW).map(|arm| (arm.unit_hash(), arm.share()));
    assert_eq!(arm("by_user", &context), Some((hash("user-1"), 30_000)));
    assert_eq!(arm("by_company", &context), Some((hash("acme"), 30_000)), "that no rule matches is of no consequence");
    assert_eq!(arm("scheduled", &context), Some((hash("user-1"), 12_500)));
    for key in ["full", "completed", "tripped", "no-such-flag"] {
        assert_eq!(arm(key, &context), None, "{key}");
    }
    assert_eq!(arm("by_user", &Context::anonymous()), None);
    let exposed = |key: &str| set.exposed(key, &context, || NOW).map(|arm| (arm.is_on(), arm.share()));
    assert_eq!(exposed("full"), Some((true, 100_000)));
    assert_eq!([exposed("completed"), exposed("tripped")], [None, None]);
    assert_eq!(arm("scheduled", &Context::new("user-1").plan("FREE")), None);
    let users = || (0..1000).map(|user| Context::new(format!("user-{user}")));
    let on = |context: &Context<'_>| set.arm("by_user", context, || NOW).is_some_and(Arm::is_on);
    assert!(users().all(|user| on(&user) == set.is_enabled("by_user", &user, NOW)));
}

#[test]
fn a_flag_that_has_tripped_leaves_the_process_as_off() {
    let set = set(
        r#"[{"name": "open", "enabled": true, "client": true, "guard": {"errors": {}}, "off_value": "classic",
             "schedule": [{"at": "2025-01-01", "rollout_percentage": 5}, {"at": "2026-01-01", "rollout_percentage": 50}],
             "guard_state": {"run": 2, "trip": {"run": 2}, "cleared_steps": 1}},
            {"name": "personal", "enabled": true, "client": true, "target_users": ["ana"], "guard_state": {"trip": {"run": 1}}},
            {"name": "broken", "enabled": true, "client": true, "salt": 7, "guard_state": {"trip": {"run": 1}}}]"#,
    );
    let snapshot = set.client_snapshot(set.keys(), &Context::new("ana"), NOW).to_string();
    let expected = concat!(
        r#"{"esclusa":1,"flags":[{"name":"open","enabled":false,"off_value":"classic","#,
        r#""schedule":[{"at":"2025-01-01T00:00:00Z","rollout_percentage":5}],"client":true},"#,
        r#"{"name":"personal","enabled":false,"client":true}]}"#
    );
    assert_eq!(snapshot, expected);
    let projection = set.project(["open", "personal"], &Context::new("ana"), NOW).to_value().to_string();
    assert_eq!(
        projection,
        r#"{"open":{"enabled":false,"value":"classic"},"personal":{"enabled":false,"value":false}}"#
    );
}

#[test]
fn neither_a_switch_nor_a_layer_of_switches_opens_a_flag_that_has_tripped() {
    let store = br#"[{"name": "crm", "enabled": false, "guard_state": {"run": 3, "trip": {"run": 3}}}]"#;
    let layer = br#"{"esclusa": 1, "layer": "switches", "flags": [{"name": "CRM", "enabled": true}]}"#;
    let environment = switches([("ENABLE_CRM", "true")], &PREFIXES);
    for switching in [layer.as_slice(), environment.snapshot.as_slice()] {
        let whole = layered(&[Some(switching), Some(store)]).unwrap().unwrap();
        let flags = set(std::str::from_utf8(&whole).unwrap());
        let answer = flags.resolve("crm", &Context::anonymous(), NOW);
        assert_eq!((answer.is_enabled(), answer.reason().as_str()), (false, "DISABLED"));
        assert!(flags.explain("crm", &Context::anonymous(), NOW).steps().iter().any(|step| step.code() == "tripped"));
    }
}
