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
fn a_comparison_that_is_unknown_says_why() {
    let why = |comparison: &str, context: &str| {
        let rule = format!(r#"{{"key": "r", "when": {{"attribute": "x", {comparison}}}}}"#);
        let set = set(&format!(r#"{{"name": "f", "enabled": true, "rules": [{rule}]}}"#));
        let explained = set.explain("f", &Context::from_json(context.as_bytes()).unwrap(), NOW).to_string();
        let line = explained.lines().find(|line| line.contains(": unknown")).unwrap().to_owned();
        line.split_once(": unknown").unwrap().1.trim_start_matches(", because ").to_owned()
    };
    for (comparison, context, because) in [
        (r#""op": "contains", "values": ["4"]"#, r#"{"x": 42}"#, "42 is a number, and `contains` compares texts"),
        (r#""op": "starts_with", "values": ["4"]"#, r#"{"x": 42}"#, "42 is a number, and `starts_with` compares texts"),
        (
            r#""op": "ends_with", "values": ["4"]"#,
            r#"{"x": true}"#,
            "true is a boolean, and `ends_with` compares texts",
        ),
        (
            r#""op": "in", "values": ["4"]"#,
            r#"{"x": 4.5}"#,
            "4.5 is a number, and `in` compares texts and whole numbers",
        ),
        (r#""op": "in", "values": ["4"]"#, r#"{"x": {}}"#, "`in` compares texts and whole numbers, and not an object"),
        (
            r#""op": "in", "values": ["4"]"#,
            r#"{"x": ["a", null]}"#,
            "`in` compares texts and whole numbers, and not null",
        ),
        (r#""op": "matches", "value": "4""#, r#"{"x": 42}"#, "42 is a number, and `matches` compares texts"),
        (r#""op": "is", "value": true"#, r#"{"x": "true"}"#, "\"true\" is a string, and `is` compares booleans"),
        (r#""op": "gt", "value": 9"#, r#"{"x": "10"}"#, "\"10\" is a string, and `gt` compares numbers"),
        (r#""op": "eq", "value": 9"#, r#"{"x": [1, "9"]}"#, "\"9\" is a string, and `eq` compares numbers"),
        (r#""op": "before", "value": "2025-01-01""#, r#"{"x": "soon"}"#, "\"soon\" is no time"),
        (r#""op": "after", "value": "2025-01-01""#, r#"{"x": 1e300}"#, "1e+300 is no time"),
        (r#""op": "after", "value": "2025-01-01""#, r#"{"x": true}"#, "true is a boolean, and `after` compares times"),
        (r#""op": "semver_ge", "value": "1.2.3""#, r#"{"x": "2.x"}"#, "\"2.x\" is no version"),
        (
            r#""op": "semver_ge", "value": "1.2.3""#,
            r#"{"x": 2.4}"#,
            "2.4 is a number, and `semver_ge` compares versions, which are texts",
        ),
        (r#""op": "in_cidr", "values": ["10.0.0.0/8"]"#, r#"{"x": "localhost"}"#, "\"localhost\" is no IP address"),
        (
            r#""op": "in_cidr", "values": ["10.0.0.0/8"]"#,
            r#"{"x": 10}"#,
            "10 is a number, and `in_cidr` compares addresses, which are texts",
        ),
    ] {
        assert_eq!(why(comparison, context), because, "{comparison} of {context}");
    }
    let user = set(
        r#"{"name": "f", "enabled": true, "rules": [{"key": "r", "when": {"attribute": "user", "op": "gt", "value": 5}}]}"#,
    );
    let explained = user.explain("f", &Context::new("42"), NOW).to_string();
    assert!(
        explained.contains("user (42) > 5: unknown, because \"42\" is a string, and `gt` compares numbers"),
        "{explained}"
    );
}

#[test]
fn a_field_that_holds_no_text_says_so() {
    let flag = |more: &str| set(&format!(r#"{{"name": "f", "enabled": true, {more}}}"#));
    let context = Context::from_json(br#"{"company": {"id": 7}, "user": 1.5, "roles": [true], "plan": []}"#).unwrap();
    for (more, sentence) in [
        (
            r#""overrides": {"off": {"companies": ["a"]}}"#,
            "the company is an object, which is no text, so it may be among those who are always off",
        ),
        (
            r#""overrides": {"on": {"companies": ["a"]}}, "rollout_percentage": 0"#,
            "the company is an object, which is no text, and is not among those who are always on",
        ),
        (r#""target_companies": ["a"]"#, "the company is an object, which is no text, and the targets are a"),
        (r#""target_plans": ["a"]"#, "the plan is an array, which is no text, and the targets are a"),
        (r#""target_roles": ["a"]"#, "the role is true, which is no text, and the targets are a"),
        (r#""rollout_percentage": 50"#, "its rollout needs a bucket, and the user is 1.5, which is no text"),
    ] {
        let explained = flag(more).explain("f", &context, NOW).to_string();
        assert!(explained.contains(sentence), "{explained}");
    }
    let named = Context::new("u").unreadable("company", "a `Company`");
    let explained = flag(r#""overrides": {"off": {"companies": ["a"]}}"#).explain("f", &named, NOW).to_string();
    assert!(explained.contains("the company is a `Company`, which is no text"), "{explained}");
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
