//! Every kind of source as an argument: real servers on loopback, asked by the tool as a person types it.

#![allow(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::path::Path;
use std::process::Command;

use esclusa_loopback::{Redis, Store};

const FLAGS: &str =
    r#"{"esclusa": 1, "revision": 3, "flags": [{"name": "crm", "enabled": true, "target_plans": ["PREMIUM"]}]}"#;

/// The output, what is said, and the exit code of a command with these variables.
fn run(folder: &Path, variables: &[(&str, &str)], words: &[&str]) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_esclusa"));
    command.current_dir(folder).env_remove("ESCLUSA_TOKEN").envs(variables.iter().copied()).args(words);
    let done = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(done.stdout), text(done.stderr), done.status.code().unwrap())
}

/// The source has the flags, and every command that reads takes it.
fn answers(variables: &[(&str, &str)], source: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let ask = |command: &[&str], rest: &[&str]| run(folder.path(), variables, &[command, source, rest].concat());
    let (out, talk, code) = ask(&["eval"], &["crm", "--plan", "PREMIUM"]);
    assert_eq!((out.as_str(), talk.as_str(), code), ("crm  on   TARGETING_MATCH\n", "", 0), "{source:?}");
    let (out, _, code) = ask(&["explain"], &["crm", "--plan", "FREE"]);
    assert!(out.contains("the plan FREE is not among the targets (PREMIUM)") && code == 0, "{source:?}: {out}");
    let (out, talk, code) = ask(&["lint"], &["--format", "json"]);
    assert!(!out.contains("\"error\"") && code == 0, "{source:?}: {out}{talk}");
}

/// The command fails, says why in one line without a secret, and gives no answer.
fn fails(variables: &[(&str, &str)], source: &[&str], expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (out, talk, code) = run(folder.path(), variables, &[&["eval"], source, &["crm"]].concat());
    assert!(talk.contains(expected) && talk.lines().count() == 1, "{source:?}: {talk}");
    assert!(!talk.contains("s3cret"), "{talk}");
    assert_eq!((out.as_str(), code), ("", 2), "{source:?}: {talk}");
}

#[tokio::test(flavor = "multi_thread")]
async fn http() {
    let store = Store::start().await.unwrap();
    fails(&[], &[&store.url()], "404");
    store.publish(FLAGS);
    answers(&[], &[&store.url()]);
    store.require(Some("Bearer s3cret".to_owned()));
    answers(&[("ESCLUSA_TOKEN", "s3cret")], &[&store.url()]);
    fails(&[("ESCLUSA_TOKEN", "s3cret-of-old")], &[&store.url()], "401");
    store.require(None);
    store.publish("[{");
    fails(&[], &[&store.url()], "the text ends inside an object");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis() {
    let mut server = Redis::start().unwrap();
    let url = server.url();
    fails(&[], &[&url], "there is no key `esclusa:flags`");
    let mut writer = esclusa_sync::Redis::new(&url).unwrap().key("flags");
    writer.put(FLAGS.as_bytes()).await.unwrap();
    answers(&[], &[&url, "--table", "flags"]);
    server.kill();
    fails(&[], &[&url, "--table", "flags"], "refused");
}

#[cfg(feature = "cloud")]
#[tokio::test(flavor = "multi_thread")]
async fn an_object_in_a_bucket() {
    let bucket = esclusa_loopback::Bucket::start("flags", "production/flags.json", "AKIATEST").await.unwrap();
    let endpoint = bucket.endpoint();
    let variables = [
        ("AWS_ENDPOINT", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "AKIATEST"),
        ("AWS_SECRET_ACCESS_KEY", "s3cret"),
    ];
    fails(&variables, &["s3://flags/production/flags.json"], "NoSuchKey");
    bucket.put(FLAGS);
    answers(&variables, &["s3://flags/production/flags.json"]);
    fails(&variables, &["s3://"], "s3://");
}
