//! The questions of `inspect`, as on a terminal: Enter takes the narrower answer, and an input that ends writes nothing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what is wrong")]

use std::path::Path;

use clap::Parser;
use esclusa::Time;
use esclusa_cli::{Arguments, Desk, Findings, Trouble};

const ROWS: &str =
    r#"[{"slug": "crm", "is_on": 1, "tenant_ids": "7,8"}, {"slug": "inbox", "is_on": 0, "tenant_ids": null}]"#;

/// Runs `esclusa inspect rows.json --out new.toml` in a folder with this input: what came of it, the data, and the talk.
fn inspect(folder: &Path, mut input: &[u8]) -> (Result<Findings, Trouble>, String, String) {
    std::fs::write(folder.join("rows.json"), ROWS).unwrap();
    let line = ["esclusa", "inspect", "rows.json", "--out", "new.toml"];
    let arguments = Arguments::try_parse_from(line).unwrap_or_else(|error| panic!("{error}"));
    let (mut out, mut talk) = (Vec::new(), Vec::new());
    let mut desk = Desk {
        out: &mut out,
        talk: &mut talk,
        input: &mut input,
        can_ask: true,
        colours: false,
        width: 100,
        now: Time::from_millis(0),
        folder: folder.to_path_buf(),
        variable: &|_| None,
    };
    let done = arguments.command.run(&mut desk);
    (done, String::from_utf8(out).unwrap(), String::from_utf8(talk).unwrap())
}

#[test]
fn enter_takes_the_narrower_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (done, out, talk) = inspect(folder.path(), b"\n");
    assert_eq!(done.unwrap(), Findings::None);
    assert!(talk.contains("1 of 1") && talk.contains("only these are in") && talk.contains("wrote new.toml"), "{talk}");
    assert!(out.contains("with this mapping: 1 on for somebody, 1 off, 0 withheld"), "{out}");
    let written = std::fs::read_to_string(folder.path().join("new.toml")).unwrap();
    assert!(written.contains("\ntarget_companies = { column = \"tenant_ids\", split = \",\" }\n"), "{written}");
}

#[test]
fn another_answer_is_asked_again_until_it_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let (done, _, talk) = inspect(folder.path(), b"yes\n9\n2\n");
    assert_eq!(done.unwrap(), Findings::None);
    assert!(talk.contains("`yes` is not an answer") && talk.contains("`9` is not an answer"), "{talk}");
    let written = std::fs::read_to_string(folder.path().join("new.toml")).unwrap();
    assert!(written.contains("\noverrides.on.companies = "), "{written}");
}

#[test]
fn a_question_may_stay_open() {
    let folder = tempfile::tempdir().unwrap();
    let (done, ..) = inspect(folder.path(), b"s\n");
    assert_eq!(done.unwrap(), Findings::None);
    let written = std::fs::read_to_string(folder.path().join("new.toml")).unwrap();
    assert!(written.contains("\n# target_companies = "), "{written}");
}

#[test]
fn an_input_that_ends_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (done, ..) = inspect(folder.path(), b"yes\n");
    assert!(done.unwrap_err().to_string().contains("nothing is written"));
    assert!(!folder.path().join("new.toml").exists());
}
