//! What needs a process of its own: variables of the environment, and being killed in the middle of writing.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use esclusa::{Context, FlagSet, Flags};
use esclusa_sync::{Answer, Bundled, Cached, Environment, Failure, Layers, Options, Policy, Request, Source, sync};

/// Set for the process that a test starts: what it is to do.
const ROLE: &str = "ESCLUSA_TEST_ROLE";

/// Runs this test binary again, with only the given role.
fn child(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "what_a_child_does", "--nocapture", "--test-threads=1"]).env(ROLE, role);
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}

#[test]
fn what_a_child_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match std::env::var(ROLE).as_deref() {
        Ok("environment") => runtime.block_on(switched()),
        Ok("saving") => runtime.block_on(saving()),
        // The test runner has come by, not a test.
        _ => {}
    }
}

async fn switched() {
    let flags = Flags::new();
    let store = Bundled::new(
        r#"[{"name": "crm", "enabled": false, "target_plans": ["PREMIUM"]}, {"name": "qr-generator", "enabled": true}]"#,
    );
    let syncing = sync(&flags, Layers::new().layer(Environment::default()).layer(store), Options::default());
    let asked = Instant::now();
    while syncing.status().failures == 0 && syncing.status().age.is_none() && asked.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let on = |key: &str, plan: &str| flags.is_enabled(key, &Context::new("ana").plan(plan));
    println!(
        "said: {} {} {} {}",
        on("crm", "PREMIUM"),
        on("crm", "FREE"),
        on("qr-generator", "FREE"),
        on("metrics_cache", "FREE")
    );
}

#[test]
fn the_environment_switches_flags_and_lets_nobody_in_whom_the_store_keeps_out() {
    let output = child("environment")
        .envs([("FEATURE_CRM", "true"), ("ENABLE_QR_GENERATOR", "false"), ("ENABLE_METRICS_CACHE", "1")])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("said: true false false true"), "{said}");
}

/// A snapshot whose every byte tells which it is.
fn filled(revision: u64) -> String {
    let filling = char::from(b'a' + u8::try_from(revision % 26).unwrap()).to_string().repeat(300_000);
    format!(
        r#"{{"esclusa": 1, "revision": {revision}, "flags": [{{"name": "f", "enabled": true, "description": "{filling}"}}]}}"#
    )
}

/// Saves one snapshot after the other until it is killed.
async fn saving() {
    struct Counting(u64);
    impl Source for Counting {
        fn name(&self) -> String {
            "counting".to_owned()
        }
        async fn fetch(&mut self, _: &Request) -> Result<Answer, Failure> {
            self.0 += 1;
            Ok(filled(self.0).into())
        }
    }
    let path = std::env::var_os("ESCLUSA_TEST_COPY").unwrap();
    let before = std::fs::read(&path).ok().and_then(|bytes| FlagSet::from_json(&bytes).ok()?.revision());
    let flags = Flags::new();
    let policy = Policy { interval_ms: 1, ..Policy::default() };
    let source = Cached::new(Counting(before.unwrap_or_default()), path);
    let _syncing = sync(&flags, source, Options { policy, ..Options::default() });
    println!("saving");
    std::future::pending::<()>().await;
}

#[test]
fn killed_in_the_middle_of_writing_two_hundred_times() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.json");
    let (mut last, mut moved) = (0, 0);
    for round in 0..200_u64 {
        let mut child = child("saving").env("ESCLUSA_TEST_COPY", &copy).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("saving")), "the child begins");
        // Anywhere in the milliseconds that a few rounds of writing take, and sometimes before the first.
        std::thread::sleep(Duration::from_micros(round * 7_919 % 40_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let Ok(bytes) = std::fs::read(&copy) else {
            assert_eq!(last, 0, "a copy never goes away");
            continue;
        };
        let revision = FlagSet::from_json(&bytes).unwrap().revision().unwrap();
        assert!(revision >= last, "{revision} after {last}: the copy went back");
        assert_eq!(String::from_utf8(bytes).unwrap(), filled(revision), "the old copy or the new one, whole");
        moved += u64::from(revision > last);
        last = revision;
    }
    assert!(moved >= 20, "the copy was written in {moved} of 200 rounds, expected many");
    let left = std::fs::read_dir(folder.path()).unwrap().count() - 1;
    println!("{last} copies written, {left} unfinished files left by 200 kills");
    assert!(left > 0, "no kill hit the middle of writing, so this test shows nothing");
}
