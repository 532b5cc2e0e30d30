//! A build without the feature `rules` never answers differently: it sets the flags that need it aside (sentence 8.10),
//! and reads every client snapshot whole.
#![cfg(not(feature = "rules"))]
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use esclusa::{Context, FlagSet, Time};

#[test]
fn a_flag_with_rules_or_prerequisites_is_set_aside_with_a_violation_that_says_so() {
    let set = FlagSet::from_json(
        br#"{"esclusa": 1, "segments": [{"key": "s", "when": {"not": 7}}], "flags": [
            {"name": "plain", "enabled": true, "rules": [], "prerequisites": null},
            {"name": "ruled", "enabled": true, "rules": [{"key": "r", "when": {"segment": "s"}}]},
            {"name": "dependent", "enabled": true, "prerequisites": [{"flag": "plain", "on": true}]},
            {"name": "killed", "enabled": false, "rules": "?"}
        ]}"#,
    )
    .unwrap();
    let violations: Vec<String> = set.violations().iter().map(ToString::to_string).collect();
    let says = "this build leaves rules and prerequisites out, expected a build with the feature `rules`";
    let places = ["/flags/1/rules", "/flags/2/prerequisites", "/flags/3/rules"];
    let code = if cfg!(feature = "messages") { "" } else { "left-out: " };
    assert_eq!(violations, places.map(|place| format!("`{place}`: {code}{says}")));
    let (context, now) = (Context::new("user-42"), Time::from_millis(0));
    assert!(set.is_enabled("plain", &context, now));
    let error = |key: &str| set.resolve(key, &context, now).error_code().map(|code| code.as_str());
    assert_eq!(["ruled", "dependent", "killed"].map(error), [Some("PARSE_ERROR"), Some("PARSE_ERROR"), None]);
}

#[cfg(not(feature = "messages"))]
#[test]
fn what_is_wrong_has_its_place_and_json_its_line_without_messages() {
    let rows =
        br#"[{"name": "a", "enabled": "maybe", "rollout_percentage": 101, "target_plan": ["x"]}, {"name": "a"}]"#;
    let set = FlagSet::from_json(rows).unwrap();
    let mut places: Vec<&str> = set.violations().iter().map(esclusa::Violation::place).collect();
    places.sort_unstable();
    assert_eq!(places, ["/0/enabled", "/0/rollout_percentage", "/0/target_plan", "/1/name"]);
    let says = "this build leaves messages out, expected a build with the feature `messages`";
    assert!(set.violations().iter().all(|violation| violation.problem() == says));
    let refused = |snapshot: &str| FlagSet::from_json(snapshot.as_bytes()).unwrap_err().to_string();
    assert_eq!(refused(r#"{"esclusa": 2, "flags": []}"#), format!("`/esclusa`: unsupported-version: {says}"));
    assert_eq!(refused("7"), format!("not-a-snapshot: {says}"));
    assert_eq!(refused("[\n1,]"), "line 2, column 3: is not JSON that can be read");
}

#[test]
fn a_client_snapshot_is_read_whole() {
    let set = FlagSet::from_json_strict(
        br#"{"esclusa": 1, "revision": 3, "flags": [
            {"name": "open", "enabled": true, "client": true, "target_plans": ["PREMIUM"], "rollout_percentage": 50,
             "schedule": [{"at": "2025-02-01T00:00:00Z", "rollout_percentage": 100}]},
            {"name": "decided", "enabled": true, "variants": [{"key": "a", "value": {"columns": 3}}], "client": true},
            {"name": "off", "enabled": false, "off_value": "classic", "client": true}
        ]}"#,
    )
    .unwrap();
    let context = Context::new("user-42").plan("PREMIUM");
    let now = Time::parse("2025-03-01").unwrap();
    let projection = set.project(set.keys(), &context, now).to_value().to_string();
    let expected = r#"{"decided":{"enabled":true,"value":{"columns":3},"variant":"a"},"off":{"enabled":false,"value":"classic"},"open":{"enabled":true,"value":true}}"#;
    assert_eq!(projection, expected);
    assert_eq!(set.client_snapshot(set.keys(), &context, now).get("revision").unwrap().to_string(), "3");
}
