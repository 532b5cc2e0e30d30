//! The tool where output is no plain file: a reader that goes away, terminals, locales, and files that change meanwhile.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what is wrong")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value as Json;

/// How long a change may take to be seen.
const LIMIT: Duration = Duration::from_secs(30);

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/files")
}

fn tool(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_esclusa"));
    command.args(arguments).current_dir(files()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for variable in ["NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "GITHUB_STEP_SUMMARY"] {
        command.env_remove(variable);
    }
    command
}

/// What a command shows on a terminal with this number of columns.
fn on_terminal(columns: u32, line: &str) -> String {
    let line = format!("stty cols {columns} rows 40; {} {line}", env!("CARGO_BIN_EXE_esclusa"));
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(files()).stdin(Stdio::null());
    let done = command.env("TERM", "xterm").env_remove("NO_COLOR").output().unwrap();
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn a_reader_that_goes_away_is_a_success() {
    for arguments in [
        ["lint", "bad.json", "--format", "json"].as_slice(),
        &["eval", "good.json", "--all"],
        &["diff", "before.json", "after.json", "--contexts", "people.csv"],
        &["diff", "before.json", "after.json", "--format", "markdown"],
        &["test", "tests/failing.yaml"],
    ] {
        let mut child = tool(arguments).spawn().unwrap();
        drop(child.stdout.take());
        let done = child.wait_with_output().unwrap();
        let talk = String::from_utf8(done.stderr).unwrap();
        assert!(!talk.contains("error") && !talk.contains("panicked"), "{arguments:?}: {talk}");
        assert_eq!(done.status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn colours_are_for_terminals_and_for_those_who_want_them() {
    let output = |command: &mut Command| String::from_utf8(command.output().unwrap().stdout).unwrap();
    let diff = ["diff", "before.json", "after.json"];
    let plain = output(&mut tool(&diff));
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(output(tool(&diff).args(["--color", "always"])).contains('\u{1b}'));
    assert!(on_terminal(80, "diff before.json after.json").contains('\u{1b}'));
    assert!(!on_terminal(80, "diff before.json after.json --color never").contains('\u{1b}'));
    // A locale without UTF-8 changes nothing.
    assert_eq!(output(tool(&diff).env("LC_ALL", "C").env("LANG", "C")), plain);
    // `script` itself asks for no colours, so the variable is given to the tool alone.
    let line = format!("NO_COLOR=1 {} diff before.json after.json", env!("CARGO_BIN_EXE_esclusa"));
    let done =
        Command::new("script").args(["-qec", &line, "/dev/null"]).current_dir(files()).stdin(Stdio::null()).output();
    assert!(!String::from_utf8(done.unwrap().stdout).unwrap().contains('\u{1b}'));
}

#[test]
fn a_narrow_terminal_is_respected() {
    let text = on_terminal(40, "lint bad.json --at 2026-06-01 --color never");
    let is_source = |line: &&str| line.starts_with(|letter: char| letter.is_ascii_digit()) && line.contains(" | ");
    let widest = text.lines().filter(is_source).map(|line| line.trim_end().chars().count()).max();
    assert!(widest.is_some_and(|widest| widest <= 40), "{widest:?}\n{text}");
    let text = on_terminal(40, "diff before.json after.json --color never");
    assert!(text.contains("crm_advanced  changed"), "{text}");
}

#[test]
fn tests_run_again_when_a_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &str| fs::copy(files().join(from), folder.path().join(to)).unwrap();
    copy("before.json", "before.json");
    copy("tests/flags/crm.yaml", "crm.yaml");
    let mut child = tool(&["test", "crm.yaml", "--watch"]).current_dir(folder.path()).spawn().unwrap();
    let talk = BufReader::new(child.stderr.take().unwrap());
    let (tell, said) = mpsc::channel();
    std::thread::spawn(move || talk.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
    let first = said.recv_timeout(LIMIT);
    let flags = fs::read_to_string(folder.path().join("before.json")).unwrap();
    let flags = flags.replace("\"rollout_percentage\": 10}", "\"rollout_percentage\": 9}");
    fs::write(folder.path().join("before.json"), flags).unwrap();
    // What was read in the middle of being written is an error, and is read again.
    let second = std::iter::from_fn(|| said.recv_timeout(LIMIT).ok()).find(|line| line.contains("failed ("));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(first.is_ok_and(|line| line.starts_with("5 passed, 0 failed")));
    assert!(second.is_some_and(|line| line.starts_with("3 passed, 2 failed")));
}

/// The parts of SARIF 2.1.0 that its schema requires of what is written.
#[test]
fn sarif_has_what_its_schema_requires() {
    let done = tool(&["lint", "bad.json", "good.json", "--format", "sarif"]).output().unwrap();
    let log: Json = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(log.get("version").and_then(Json::as_str), Some("2.1.0"));
    let runs = log.get("runs").and_then(Json::as_array).unwrap();
    let text = |value: &Json, pointer: &str| value.pointer(pointer).and_then(Json::as_str).map(ToOwned::to_owned);
    for run in runs {
        assert!(text(run, "/tool/driver/name").is_some_and(|name| !name.is_empty()));
        let rules = run.pointer("/tool/driver/rules").and_then(Json::as_array).unwrap();
        let ids: Vec<String> = rules.iter().map(|rule| text(rule, "/id").unwrap()).collect();
        let (mut unique, count) = (ids.clone(), ids.len());
        unique.dedup();
        assert_eq!(unique.len(), count, "rules are unique");
        let results = run.get("results").and_then(Json::as_array).unwrap();
        assert!(!results.is_empty());
        for result in results {
            assert!(text(result, "/message/text").is_some_and(|text| !text.is_empty()), "{result}");
            assert!(ids.contains(&text(result, "/ruleId").unwrap()), "{result}");
            assert!(["none", "note", "warning", "error"].contains(&text(result, "/level").unwrap().as_str()));
            let prints = result.get("partialFingerprints").and_then(Json::as_object).unwrap();
            assert!(prints.values().all(Json::is_string));
            for location in result.get("locations").and_then(Json::as_array).unwrap() {
                let uri = text(location, "/physicalLocation/artifactLocation/uri").unwrap();
                assert!(!uri.contains('\\') && !uri.starts_with('/'), "{uri}");
                let number = |name: &str| {
                    let region = location.pointer("/physicalLocation/region").unwrap();
                    region.get(name).and_then(Json::as_u64).unwrap()
                };
                let from = (number("startLine"), number("startColumn"));
                let to = (number("endLine"), number("endColumn"));
                assert!(from.0 >= 1 && from.1 >= 1 && from <= to, "{location}");
            }
        }
    }
}
