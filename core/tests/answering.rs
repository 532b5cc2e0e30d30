//! What explanations and projections say (section 10 of SEMANTICS.md), and when there is no answer (12.1).
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use esclusa::{Context, ErrorCode, FlagSet, Flags, Json, StepOutcome, Time, Value};

const NOW: Time = Time::from_millis(1_750_000_000_000);

fn set(flags: &str) -> FlagSet {
    FlagSet::from_json(format!("{{\"esclusa\": 1, \"flags\": [{flags}]}}").as_bytes()).unwrap()
}

/// The first thing that said no to a flag, as its step and its sentence.
fn first_no(flag: &str, context: &Context<'_>) -> (&'static str, String) {
    let set = set(&format!(r#"{{"name": "f", "enabled": true, {flag}}}, {{"name": "other"}}"#));
    let explained = set.explain("f", context, NOW);
    assert_eq!(explained.resolution(), set.resolve("f", context, NOW));
    let no = explained.first_no().unwrap();
    assert!(explained.to_string().contains(no.sentence()), "the first line gives the reason: {explained}");
    (no.name(), no.sentence().to_owned())
}

#[test]
fn the_first_thing_that_said_no_is_named() {
    let caller = Context::new("user-42").company("acme").plan("FREE").role("AGENT").role("ANALYST");
    let cases = [
        (r#""status": "paused""#, "state", "the flag is off for everybody (`status` is paused)"),
        (r#""rollout_percentage": 150"#, "state", "the flag has a mistake in its definition and never had a good one"),
        (
            r#""end_date": "2025-01-01""#,
            "window",
            "it ended at 2025-01-01T00:00:00Z, and now it is 2025-06-15T15:06:40Z",
        ),
        (
            r#""prerequisites": [{"flag": "other", "on": true}]"#,
            "prerequisite",
            "the flag `other` must be on, and it is off",
        ),
        (
            r#""overrides": {"off": {"companies": ["acme"]}}"#,
            "override",
            "the company acme is among those who are always off",
        ),
        (
            r#""target_plans": ["PREMIUM", "ENTERPRISE"]"#,
            "target",
            "the plan FREE is not among the targets (ENTERPRISE, PREMIUM)",
        ),
        (r#""target_roles": ["ADMIN"]"#, "target", "the roles AGENT, ANALYST do not meet the targets (ADMIN)"),
        (r#""target_regions": ["CO"]"#, "target", "the context has no region, and the targets are CO"),
        (r#""rollout_percentage": 0"#, "rollout", "its rollout is 0 %: nobody"),
        (
            r#""rollout_percentage": 50, "bucket_by": "account""#,
            "rollout",
            "its rollout needs a bucket, and the context has no account",
        ),
        (
            r#""rules": [{"key": "premium", "when": {"attribute": "plan", "op": "in", "values": ["PREMIUM"]}}]"#,
            "rule",
            "the rule premium does not match",
        ),
        (
            r#""rules": [{"key": "co", "when": {"attribute": "region", "op": "in", "values": ["CO"]}}]"#,
            "rule",
            "the rule co does not match: something it asks for is unknown",
        ),
    ];
    for (flag, step, sentence) in cases {
        assert_eq!(first_no(flag, &caller), (step, sentence.to_owned()), "{flag}");
    }
}

#[test]
fn an_explanation_shows_the_bucket_the_threshold_and_the_parts_of_a_condition() {
    let set = set(r#"{"name": "f", "enabled": true, "rollout_percentage": 99.999, "rules": [{"key": "r", "when":
        {"all": [{"attribute": "seats", "op": "ge", "value": 10}, {"not": {"attribute": "plan", "op": "in", "values": ["FREE"]}}]}}]}"#);
    let context = Context::new("user-42").plan("PREMIUM").attribute("seats", 12);
    let explained = set.explain("f", &context, NOW);
    assert!(explained.resolution().is_enabled() && explained.first_no().is_none());
    let [rollout, rule] = explained.steps() else { unreachable!() };
    assert_eq!((rollout.name(), rollout.outcome()), ("rollout", StepOutcome::Yes));
    let bucket = esclusa::Bucket::of("user-42", "f").number();
    assert!(rollout.sentence().contains(&format!("bucket {bucket} of 100000, below 99999")), "{}", rollout.sentence());
    let [all] = rule.inner() else { unreachable!() };
    let names: Vec<(&str, StepOutcome)> = all.inner().iter().map(|part| (part.name(), part.outcome())).collect();
    assert_eq!(names, [("comparison", StepOutcome::Yes), ("not", StepOutcome::Yes)]);
    assert_eq!(explained.to_value().get("path").unwrap().as_list().unwrap().len(), 2);
}

#[test]
fn a_projection_holds_the_values_of_the_chosen_flags_and_nothing_about_why() {
    let set = set(
        r#"{"name": "crm", "enabled": true, "target_companies": ["acme", "umbrella"], "overrides": {"on": {"users": ["user-7"]}}},
           {"name": "layout", "enabled": true, "variants": [{"key": "b", "value": {"columns": 2}}]},
           {"name": "off", "off_value": "classic"},
           {"name": "no-unit", "enabled": true, "rollout_percentage": 50, "bucket_by": "account"},
           {"name": "broken", "enabled": true, "rollout_percentage": 150},
           {"name": "not-asked-for", "enabled": true}"#,
    );
    let context = Context::new("user-42").company("acme");
    let chosen = ["off", "layout", "crm", "no-unit", "broken", "nowhere", "crm"];
    let projection = set.project(chosen, &context, NOW);
    let expected = concat!(
        r#"{"broken":{"enabled":false,"value":false},"crm":{"enabled":true,"value":true},"#,
        r#""layout":{"enabled":true,"value":{"columns":2},"variant":"b"},"#,
        r#""no-unit":{"enabled":false,"value":false},"off":{"enabled":false,"value":"classic"}}"#,
    );
    assert_eq!(projection.to_value().to_string(), expected);
    assert_eq!(projection.get("layout").unwrap().variant(), Some("b"));
    assert!(projection.get("nowhere").is_none(), "the caller's default stands");
    assert_eq!(projection.iter().count(), 5);
    assert_eq!(projection.get("off").unwrap().value(), &Value::from("classic"));
}

#[test]
fn an_explanation_says_whether_there_is_no_flag_or_nothing_at_all() {
    let context = Context::new("user-42");
    let before = esclusa::Flags::new().current().explain("crm", &context, NOW).to_string();
    assert!(before.starts_with("`crm` is OFF for user-42: nothing is published yet"), "{before}");
    let after = set("").explain("crm", &context, NOW).to_string();
    assert!(after.starts_with("`crm` is OFF for user-42: there is no flag `crm`"), "{after}");
}

#[test]
fn the_callers_default_stands_where_there_is_no_answer_and_nowhere_else() {
    let handle = Flags::new();
    let before = handle.current();
    assert!(!before.is_ready() && before.resolve("half", &Context::anonymous(), NOW).default_stands());
    let report = handle.publish(set(r#"{"name": "half", "enabled": true, "rollout_percentage": 50},
                          {"name": "broken", "enabled": true, "rollout_percentage": 150}"#));
    let set = handle.current();
    assert!(report.is_published() && set.is_ready() && FlagSet::from_json(b"[]").unwrap().is_ready());
    for (key, error, exists) in [
        ("half", Some(ErrorCode::TargetingKeyMissing), true),
        ("broken", Some(ErrorCode::ParseError), true),
        ("nowhere", Some(ErrorCode::FlagNotFound), false),
    ] {
        let resolution = set.resolve(key, &Context::anonymous(), NOW);
        let is = (resolution.error_code(), resolution.default_stands(), set.contains(key));
        assert_eq!(is, (error, !exists, exists), "{key}");
    }
    assert!(!set.resolve("half", &Context::new("user-42"), NOW).default_stands());
}

#[test]
fn what_is_written_as_json_is_what_the_values_say() {
    let flags = Flags::new();
    let before =
        r#"{"name": "kept", "enabled": true, "off_value": [1.5, "\u0001\"\\\n", {"": null}]}, {"name": "gone"}"#;
    let _ = flags.publish(set(before));
    let report = flags.publish(set(r#"{"name": "kept", "enabled": true, "status": "?", "salt/~": 1, "target_x": 2},
        {"name": "killed", "rollout_percentage": 101}, {"name": "a", "enabled": true, "variants": [{"key": "é"}]}"#));
    assert_eq!(report.to_json(), report.to_value().to_json());
    assert_eq!((report.set_aside().len(), report.removed().len()), (2, 1));
    let (set, context) = (flags.current(), Context::new("user-42"));
    let projection = set.project(set.keys(), &context, NOW);
    assert_eq!(projection.to_json(), projection.to_value().to_json());
    for key in ["kept", "killed", "a", "nowhere"] {
        let resolution = set.resolve(key, &context, NOW);
        let mut json = Json::default();
        json.object(|json| resolution.write_fields(json));
        assert_eq!(json.into_text(), resolution.to_value().to_json());
    }
    for violation in set.violations() {
        let mut json = Json::default();
        violation.write(&mut json);
        assert_eq!(json.into_text(), violation.to_value().to_json());
    }
}
