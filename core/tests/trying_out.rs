//! The example `resolve` as a person or another harness uses it: lines in, lines out.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// `cargo test` builds the examples beside the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join("examples").join(format!("resolve{}", std::env::consts::EXE_SUFFIX))
}

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(program())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments may be gone before it has read anything.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn snapshot(name: &str, json: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, json).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn each_line_gets_its_answer_and_a_bad_one_an_error_in_its_place() {
    let path = snapshot(
        "trying-out.json",
        r#"[{"name": "f", "enabled": true, "target_plans": ["PREMIUM"], "start_date": "2025-01-01"},
            {"name": "bad", "enabled": true, "rollout_percentage": 150}]"#,
    );
    let input = "{\"flag\": \"f\", \"context\": {\"user\": \"u\", \"plan\": \"PREMIUM\"}, \"now\": \"2025-06-01T00:00:00Z\"}\n\
                 {\"flag\": \"f\", \"context\": {\"plan\": \"PREMIUM\"}, \"now\": 0}\n\
                 not JSON\n\
                 \n\
                 {\"context\": {}}\n\
                 {\"flag\": \"f\", \"context\": []}\n\
                 {\"flag\": \"f\", \"now\": \"tomorrow\"}\n\
                 {\"flag\": \"bad\", \"context\": {}, \"now\": 0}\n\
                 {\"flag\": \"f\", \"context\": {\"plan\": \"FREE\"}}";
    let output = run(&[&path], input.as_bytes());
    assert!(output.status.success());
    let off =
        |reason: &str| format!(r#"{{"enabled":false,"value":false,"variant":null,"reason":"{reason}","error":null}}"#);
    let wrong = |code: &str, message: &str| {
        format!(
            r#"{{"enabled":false,"value":null,"variant":null,"reason":"ERROR","error":"{code}","message":"{message}"}}"#
        )
    };
    let expected = [
        r#"{"enabled":true,"value":true,"variant":null,"reason":"TARGETING_MATCH","error":null}"#.to_owned(),
        off("DISABLED"),
        wrong("GENERAL", "line 3: column 2: is not JSON, expected a value"),
        wrong("GENERAL", "line 5: `flag` is missing or not a string, expected the key of a flag"),
        wrong(
            "INVALID_CONTEXT",
            r#"line 6: this is an array, expected a context: an object such as {\"user\": \"user-42\", \"company\": \"acme\"}"#,
        ),
        wrong("GENERAL", r#"line 7: `now` is \"tomorrow\", expected an RFC 3339 time or whole milliseconds"#),
        r#"{"enabled":false,"value":false,"variant":null,"reason":"ERROR","error":"PARSE_ERROR"}"#.to_owned(),
        off("DEFAULT"),
    ];
    let lines: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(lines, expected);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.trim(), "`/1/rollout_percentage`: 150 is out of range, expected 0 to 100");
}

#[test]
fn notices_go_to_standard_error() {
    let path = snapshot("trying-out-notices.json", r#"[{"name": "f", "is_on": 1}]"#);
    let output = run(&[&path], br#"{"flag": "f"}"#);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.starts_with("notice: ") && errors.contains("`enabled`"), "{errors}");
}

#[test]
fn with_explain_the_path_is_there_too() {
    let path = snapshot("trying-out-explain.json", r#"[{"name": "f", "enabled": true, "rollout_percentage": 50}]"#);
    let output = run(&["--explain", &path], br#"{"flag": "f", "context": {"user": "user-42"}}"#);
    let line = String::from_utf8(output.stdout).unwrap();
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    let step = value.pointer("/path/0").unwrap();
    assert_eq!(step.get("step").unwrap(), "rollout");
    assert_eq!(step.get("threshold").unwrap(), 50_000);
    assert!(step.get("bucket").unwrap().as_u64().unwrap() < 100_000);
}

#[test]
fn bad_arguments_and_refused_snapshots_have_their_exit_codes() {
    assert_eq!(run(&[], b"").status.code(), Some(2));
    assert_eq!(run(&["a", "b"], b"").status.code(), Some(2));
    assert_eq!(run(&["--wrong"], b"").status.code(), Some(2));
    assert_eq!(run(&["nowhere.json"], b"").status.code(), Some(1));
    let refused = run(&[&snapshot("trying-out-refused.json", "{\"esclusa\": 2, \"flags\": []}")], b"");
    assert_eq!(refused.status.code(), Some(1));
    let errors = String::from_utf8(refused.stderr).unwrap();
    assert!(errors.contains("refused: `/esclusa`: 2 is not a version that this engine reads, expected 1"), "{errors}");
}
