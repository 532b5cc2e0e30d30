//! A source that says what a test tells it to, and waiting with a deadline.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use esclusa::{Context, Flags};
use esclusa_sync::{Answer, Failure, Options, Policy, Request, Source, State, Syncing};

/// Everything happens soon, so that a test waits for nothing long.
pub(crate) fn soon() -> Options {
    let policy = Policy {
        interval_ms: 40,
        jitter_percent: 20,
        stale_after_ms: Some(10_000),
        backoff_min_ms: 5,
        backoff_max_ms: 40,
        spread_ms: 2,
    };
    Options { policy, timeout: Duration::from_secs(2), ..Options::default() }
}

/// Asks only when something happens.
pub(crate) fn late() -> Options {
    Options { policy: Policy { interval_ms: 3_600_000, ..soon().policy }, ..soon() }
}

pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not happen within 10 s");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) fn is_on(flags: &Flags, key: &str) -> bool {
    flags.is_enabled(key, &Context::new("ana"))
}

pub(crate) fn one(revision: u64, key: &str, enabled: bool) -> String {
    format!(r#"{{"esclusa": 1, "revision": {revision}, "flags": [{{"name": "{key}", "enabled": {enabled}}}]}}"#)
}

/// What a source is to answer from now on.
#[derive(Clone, Default)]
pub(crate) struct Script(pub(crate) Arc<Mutex<Option<Result<Answer, Failure>>>>);

impl Script {
    pub(crate) fn say(&self, answer: Result<Answer, Failure>) {
        *self.0.lock().unwrap() = Some(answer);
    }
}

impl Source for Script {
    fn name(&self) -> String {
        "script".to_owned()
    }

    async fn fetch(&mut self, _: &Request) -> Result<Answer, Failure> {
        let answer = self.0.lock().unwrap().clone();
        answer.unwrap_or_else(|| Err(Failure::new("nothing to say")))
    }
}

pub(crate) fn answer(text: String) -> Result<Answer, Failure> {
    Ok(text.into())
}

/// Replaces a file as deployment tools do.
pub(crate) fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(beside, path).unwrap();
}

pub(crate) async fn fresh(syncing: &Syncing) {
    until("fresh", || syncing.status().state == State::Fresh).await;
}
