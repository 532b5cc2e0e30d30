//! Layers and the environment, sentence by sentence (section 13 of SEMANTICS.md).
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use esclusa::sync::{PREFIXES, layered, switches};
use esclusa::{Context, FlagSet, Time, Value};

/// The whole of some layers, the uppermost first.
fn whole(layers: &[Option<&str>]) -> String {
    let layers: Vec<Option<&[u8]>> = layers.iter().map(|layer| layer.map(str::as_bytes)).collect();
    String::from_utf8(layered(&layers).unwrap().unwrap()).unwrap()
}

/// Which flags are on for somebody of this plan.
fn on(snapshot: &str, plan: &str) -> Vec<String> {
    let set = FlagSet::from_json(snapshot.as_bytes()).unwrap();
    let caller = Context::new("ana").plan(plan);
    let on = |key: &&str| set.resolve(key, &caller, Time::from_millis(0)).is_enabled();
    set.keys().filter(on).map(str::to_owned).collect()
}

#[test]
fn of_one_key_the_uppermost_counts_whole() {
    let store = r#"{"esclusa": 1, "revision": 7, "flags": [{"name": "crm", "enabled": true}]}"#;
    let bundled =
        r#"[{"name": "crm", "enabled": true, "target_plans": ["PREMIUM"]}, {"name": "billing", "enabled": true}]"#;
    let both = whole(&[Some(store), Some(bundled)]);
    assert_eq!(
        both, r#"{"esclusa":1,"revision":7,"flags":[{"name":"crm","enabled":true},{"name":"billing","enabled":true}]}"#,
        "(13.1)"
    );
    let other_way_round = whole(&[Some(bundled), Some(store)]);
    assert!(other_way_round.contains("PREMIUM") && other_way_round.contains(r#""revision":7"#));
}

#[test]
fn segments_are_laid_over_too() {
    let flag = |key: &str| {
        format!(r#"{{"name": "{key}", "enabled": true, "rules": [{{"key": "r", "when": {{"segment": "vip"}}}}]}}"#)
    };
    let segment = |plan: &str| {
        format!(r#"{{"key": "vip", "when": {{"attribute": "plan", "operator": "equals", "values": ["{plan}"]}}}}"#)
    };
    let document = |key: &str, plan: &str| {
        format!(r#"{{"esclusa": 1, "segments": [{}], "flags": [{}]}}"#, segment(plan), flag(key))
    };
    let both = whole(&[Some(&document("a", "GOLD")), Some(&document("b", "SILVER"))]);
    let value = Value::from_json(both.as_bytes()).unwrap();
    assert_eq!(value.get("segments").unwrap().as_list().unwrap().len(), 1, "(13.2): {both}");
    assert!(both.contains("GOLD") && !both.contains("SILVER"));
}

#[test]
fn a_key_that_cannot_be_read_hides_nothing() {
    let both = whole(&[Some(r#"[{"enabled": true}, 7, {"name": 5}]"#), Some(r#"[{"name": "f"}, {"x": 1}]"#)]);
    assert_eq!(both, r#"{"esclusa":1,"flags":[{"enabled":true},7,{"name":5},{"name":"f"},{"x":1}]}"#, "(13.3)");
}

#[test]
fn the_revision_is_that_of_the_uppermost_layer_that_has_one() {
    let at = |revision: u64| {
        format!(r#"{{"esclusa": 1, "revision": {revision}, "generated_at": "2025-01-22T00:00:00Z", "flags": []}}"#)
    };
    let [three, nine] = [at(3), at(9)];
    let full = r#"{"esclusa":1,"revision":3,"generated_at":"2025-01-22T00:00:00Z","flags":[]}"#;
    assert_eq!(whole(&[Some("[]"), Some(&three), Some(&nine)]), full, "(13.4)");
    assert_eq!(whole(&[None, Some(&three)]), r#"{"esclusa":1,"flags":[]}"#, "a layer has said nothing yet");
    assert_eq!(whole(&[Some(&three), None]), r#"{"esclusa":1,"flags":[]}"#);
}

const STORE: &str = r#"[
    {"name": "crm-advanced", "enabled": false, "target_plans": ["PREMIUM"]},
    {"name": "billing", "enabled": true},
    {"name": "gone", "enabled": true, "rollout_percentage": 0},
    {"name": "draft", "enabled": true, "status": "draft"}
]"#;

#[test]
fn a_switch_turns_a_flag_and_leaves_whom_it_targets() {
    let environment =
        switches([("FEATURE_CRM_ADVANCED", "true"), ("ENABLE_BILLING", "false"), ("FEATURE_GONE", "true")], &PREFIXES);
    assert_eq!(environment.violations, []);
    let snapshot = String::from_utf8(environment.snapshot).unwrap();
    let whole = whole(&[Some(&snapshot), Some(STORE)]);
    assert_eq!(on(&whole, "PREMIUM"), ["crm-advanced"], "(13.5, 13.6): {whole}");
    assert_eq!(on(&whole, "FREE"), Vec::<String>::new(), "the store may restrict the flag, so it is on for no caller");
    assert_eq!(on(&snapshot, "FREE"), ["crm_advanced", "gone"], "by itself it is a snapshot like any other (13.5)");
}

#[test]
fn a_switch_for_a_flag_that_nobody_knows_lets_nobody_in_before_everybody_has_spoken() {
    let environment = r#"{"esclusa": 1, "layer": "switches", "flags": [{"name": "new", "enabled": true}, {"name": "old", "enabled": false}]}"#;
    assert_eq!(on(&whole(&[Some(environment), Some("[]")]), "FREE"), ["new"], "(13.7)");
    let partial = whole(&[Some(environment), None, Some("[]")]);
    assert_eq!(partial, r#"{"esclusa":1,"flags":[{"name":"old","enabled":false}]}"#, "(13.7)");
    let above = whole(&[None, Some(environment), Some("[]")]);
    assert_eq!(on(&above, "FREE"), ["new"], "a layer above it does not matter");
    let alone = |below: &[Option<&[u8]>]| layered(&[&[Some(environment.as_bytes())], below].concat()).unwrap();
    assert_eq!(alone(&[None]), None, "(13.12)");
    assert!(alone(&[]).is_some());
}

#[test]
fn a_layer_that_is_no_snapshot_is_named() {
    let error = layered(&[Some(b"[]"), Some(b"<html>")]).unwrap_err();
    assert_eq!(error.layer, 1, "(13.8)");
    assert!(error.to_string().contains("line 1"), "{error}");
}

#[test]
fn values_of_variables() {
    let read = |value: &str| {
        let read = switches([("FEATURE_X", value)], &PREFIXES);
        let flags = Value::from_json(&read.snapshot).unwrap().get("flags").unwrap().to_string();
        (flags, read.violations.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    for value in ["true", "TRUE", " on ", "1", "Yes", "enabled", "\"true\"", "' On '", "Active", "t"] {
        assert_eq!(read(value), (r#"[{"name":"x","enabled":true}]"#.to_owned(), vec![]), "{value} (13.10)");
    }
    for value in ["false", "0", "Off", "no", "\"false\"", "'0'", " \"OFF\" ", "disabled", "inactive", "N"] {
        assert_eq!(read(value), (r#"[{"name":"x","enabled":false}]"#.to_owned(), vec![]), "{value} (13.10)");
    }
    for empty in [" ", "\"\"", "' '"] {
        assert_eq!(read(empty), ("[]".to_owned(), vec![]));
    }
    let expected = "`FEATURE_X`: does not fit and is ignored, expected true or false (or 1 or 0, on or off, yes or no, enabled or disabled)";
    for wrong in ["hunter2", "\"false", "'false\"", "\"\"false\"\"", "\""] {
        assert_eq!(read(wrong), ("[]".to_owned(), vec![expected.to_owned()]), "the value is not told: {wrong}");
    }
}

fn switched(variables: &[(&str, &str)], store: &str) -> String {
    let environment = switches(variables.iter().copied(), &PREFIXES);
    whole(&[Some(&String::from_utf8(environment.snapshot).unwrap()), Some(store)])
}

#[test]
fn a_switch_with_an_affix_is_for_the_key_without_it() {
    let store = |key: &str| format!(r#"[{{"name": "{key}", "enabled": true}}]"#);
    for variable in [
        "FEATURE_CRM_ENABLED",
        "FEATURE_CRM_ACTIVE",
        "ENABLE_CRM_FLAG",
        "ENABLE_FEATURE_CRM",
        "FEATURE_FLAG_CRM",
        "FEATURE_FLAG_CRM_ENABLED",
    ] {
        for key in ["crm", "CRM"] {
            assert_eq!(on(&switched(&[(variable, "false")], &store(key)), "FREE"), Vec::<String>::new(), "{variable}");
        }
    }
    let both = r#"[{"name": "crm", "enabled": true}, {"name": "crm-enabled", "enabled": true}]"#;
    assert_eq!(on(&switched(&[("FEATURE_CRM_ENABLED", "off")], both), "FREE"), ["crm"], "a flag of that key is meant");
    for variables in [
        [("FEATURE_CRM", "on"), ("FEATURE_CRM_ENABLED", "off")],
        [("FEATURE_CRM", "off"), ("FEATURE_CRM_ENABLED", "on")],
    ] {
        let whole = switched(&variables, &store("crm"));
        assert_eq!(on(&whole, "FREE"), Vec::<String>::new(), "one that switches off counts");
    }
}

#[test]
fn a_switch_that_meets_no_flag_is_named() {
    let store = r#"[{"key": "crm", "name": "CRM", "enabled": true}]"#;
    let unknown =
        |whole: &str| Value::from_json(whole.as_bytes()).unwrap().get("unknown_switches").map(ToString::to_string);
    let variables = [("FEATURE_CRM", "off"), ("FEATURE_CMR", "off"), ("FEATURE_X_ENABLED", "on")];
    assert_eq!(unknown(&switched(&variables, store)).as_deref(), Some(r#"["x_enabled","cmr"]"#), "(13.14)");
    assert_eq!(unknown(&switched(&variables[..1], store)), None);
    let set = FlagSet::from_json(switched(&variables, store).as_bytes()).unwrap();
    let notice = set.reading().notices().iter().find(|notice| notice.code() == "unknown-switch").unwrap();
    assert_eq!(notice.problem(), "no flag below has the key of these switches: x_enabled, cmr");
    let environment = String::from_utf8(switches([("FEATURE_X", "off")], &PREFIXES).snapshot).unwrap();
    assert_eq!(unknown(&whole(&[Some(&environment), None, Some(store)])), None, "a layer has said nothing yet");
    assert_eq!(unknown(&whole(&[Some(&environment)])), None, "there is nothing below");
}

#[test]
fn a_flag_of_a_layer_is_found_by_its_key_and_not_by_its_label() {
    let store = r#"[{"key": "crm", "name": "billing", "enabled": true}]"#;
    assert_eq!(on(&switched(&[("FEATURE_BILLING", "off")], store), "FREE"), ["crm"], "(2.2.2)");
    assert_eq!(on(&whole(&[Some(r#"[{"name": "crm"}]"#), Some(store)]), "FREE"), Vec::<String>::new(), "(13.1)");
}

#[test]
fn names_of_variables() {
    let read = |variables: &[(&str, &str)], prefixes: &[&str]| {
        let read = switches(variables.iter().copied(), prefixes);
        Value::from_json(&read.snapshot).unwrap().get("flags").unwrap().to_string()
    };
    let all =
        [("NEXT_PUBLIC_FEATURE_A", "1"), ("FEATURE_B", "1"), ("ENABLE_C", "1"), ("FEATURE_", "1"), ("OTHER_D", "1")];
    let on = |key: &str| format!(r#"{{"name":"{key}","enabled":true}}"#);
    assert_eq!(read(&all, &PREFIXES), format!("[{},{},{}]", on("a"), on("b"), on("c")), "(13.9)");
    assert_eq!(read(&all, &["OTHER_"]), format!("[{}]", on("d")));
    assert_eq!(read(&[("FEATURE_X_Y", "1")], &["FEATURE_", "FEATURE_X_"]), format!("[{}]", on("y")), "the longest");
    let off = r#"[{"name":"x","enabled":false}]"#;
    for pair in [[("FEATURE_X", "1"), ("ENABLE_X", "0")], [("FEATURE_X", "0"), ("ENABLE_X", "1")]] {
        assert_eq!(read(&pair, &PREFIXES), off, "one that switches off counts (13.10)");
    }
}

#[test]
fn a_layer_ignores_fields_of_its_own_flags_alone() {
    let store = r#"{"esclusa": 1, "flags": [{"name": "crm", "enabled": true, "scope": "team"}],
        "ignored": ["scope", "target_plans", "targetPlans"]}"#;
    let bundled = r#"[{"name": "billing", "enabled": true, "scope": "team"},
        {"name": "old", "enabled": true, "targetPlans": ["PREMIUM"]}]"#;
    let both = whole(&[Some(store), Some(bundled)]);
    assert_eq!(on(&both, "BASIC"), ["crm"], "(2.1.10)");
    assert_eq!(on(&whole(&[Some(bundled), Some(store)]), "PREMIUM"), ["old", "crm"]);
}

#[test]
fn rows_of_one_key_in_a_layer_are_rows_of_one_key_in_the_whole() {
    let rows = r#"[{"name": "crm", "enabled": true}, {"name": "crm", "enabled": true, "rollout_percentage": 5}]"#;
    let below = r#"[{"name": "crm", "enabled": true}, {"name": "other", "enabled": true}]"#;
    assert_eq!(on(&whole(&[Some(rows), Some(below)]), "BASIC"), ["other"], "(8.2, 13.1)");
    assert_eq!(on(&whole(&[Some(below), Some(rows)]), "BASIC"), ["crm", "other"], "(13.1)");
}
