//! The demo as somebody runs it: what it prints, and how it ends.

#![expect(clippy::expect_used, reason = "a test that cannot run its program has failed")]

use std::process::{Command, Output};

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).output().expect("xtask runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("the output is UTF-8")
}

/// One line on stderr, nothing on stdout.
fn failure(output: &Output) -> String {
    let told = String::from_utf8(output.stderr.clone()).expect("the message is UTF-8");
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

/// A file of this test's own with this text, and its path.
fn file(name: &str, text: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("the file is written");
    path.into_os_string().into_string().expect("the path is UTF-8")
}

#[test]
fn bad_arguments_print_the_usage_and_exit_with_2() {
    let wrong: [&[&str]; 10] = [
        &[],
        &["dmeo"],
        &["demo", "--user", "5"],
        &["demo", "--users"],
        &["demo", "--users", "0"],
        &["demo", "--users", "many"],
        &["demo", "--companies", "-1"],
        &["demo", "--users", "5", "--companies", "6"],
        &["demo", "--at", "tomorrow"],
        &["demo", "200000"],
    ];
    for arguments in wrong {
        let output = xtask(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("usage: cargo xtask"), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_small_demo_prints_every_flag_and_is_right() {
    let output = xtask(&["demo", "--engine-only", "--users", "2000", "--companies", "50"]);
    let printed = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(output.stderr.is_empty(), "no progress where there is no terminal");
    assert!(!printed.contains('\x1b'), "no colours where there is no terminal");
    let rows = include_str!("../../examples/data/feature_flags.json");
    let rows = esclusa::Value::from_json(rows.as_bytes()).expect("the rows are JSON");
    let rows = rows.as_list().expect("the rows are an array");
    assert!(rows.len() >= 44);
    for row in rows {
        let key = row.get("name").and_then(esclusa::Value::as_str).expect("a row has a name");
        assert!(printed.lines().any(|line| line.trim_start().starts_with(key)), "{key}\n{printed}");
    }
    assert!(printed.contains("✓ all "), "{printed}");
    assert!(printed.contains("`crm_advanced_features` is ON for") && printed.contains("is OFF for"), "{printed}");
    assert!(printed.contains("crm_advanced_features, crm_deal_forecast"), "{printed}");
    assert!(printed.lines().all(|line| line.chars().count() <= 140), "{printed}");
}

/// Everything but what was timed.
#[test]
fn the_shares_are_the_same_in_every_run() {
    let shares = || {
        let printed = stdout(&xtask(&["demo", "--engine-only", "--users", "3000", "--companies", "60"]));
        let start = printed.find("Audience:").expect("the table is there");
        printed[start..printed.find("5  The emergency").expect("the rollback is there")].to_owned()
    };
    assert_eq!(shares(), shares());
}

#[test]
fn the_time_opens_and_closes_windows() {
    let at =
        |time: &str| stdout(&xtask(&["demo", "--engine-only", "--users", "500", "--companies", "50", "--at", time]));
    let state = |printed: &str, key: &str| {
        let line = printed.lines().find(|line| line.trim_start().starts_with(key)).expect("the flag is there");
        line.split_whitespace().nth(1).expect("the flag has a state").to_owned()
    };
    let key = "loyalty_double_points_march";
    let times = ["2026-02-28T00:00:00Z", "2026-03-10T00:00:00Z", "2026-03-20T00:00:00-05:00"];
    assert_eq!(times.map(|time| state(&at(time), key)), ["early", "active", "ended"]);
    assert!(at("2024-12-31").contains("`crm_advanced_features` is off for every user here"));
}

#[test]
fn what_cannot_be_read_is_one_line_and_exit_code_1() {
    let with_rows = |path: &str| failure(&xtask(&["demo", "--engine-only", "--rows", path]));
    assert!(with_rows("no/such/file.json").contains("no/such/file.json"));
    assert!(with_rows(&file("broken.json", "[{")).contains("line 1, column 2"));
    assert!(with_rows(&file("object.json", r#"{"esclusa": 1, "flags": []}"#)).contains("array of rows"));
    let violation = r#"[{"name": "a", "rollout_percentage": 150}]"#;
    assert!(with_rows(&file("violation.json", violation)).contains("`/0/rollout_percentage`: 150"));
    let regex = r#"[{"name": "a", "enabled": true, "rules": [{"key": "r", "when": {"attribute": "role", "op": "matches", "value": "A"}}]}]"#;
    assert!(with_rows(&file("unforeseen.json", regex)).contains("the demo cannot foresee"));
}
