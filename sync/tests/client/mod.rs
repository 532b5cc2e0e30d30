//! What the tests over a network share: flags that are kept fresh from a loopback store, and waiting with a deadline.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::time::{Duration, Instant};

use esclusa::{Context, Flags};
use esclusa_sync::{Options, Policy, Source, Status, Syncing, sync};

/// How long a test waits for what is to happen; on a busy machine everything takes its time.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Asks so often, and retries so soon, that nothing takes long.
pub(crate) const OPTIONS: Options = Options {
    policy: Policy {
        interval_ms: 50,
        jitter_percent: 20,
        stale_after_ms: Some(3_600_000),
        backoff_min_ms: 20,
        backoff_max_ms: 100,
        spread_ms: 5,
    },
    timeout: Duration::from_secs(30),
    allow_empty: false,
    thaw: Duration::ZERO,
};

/// Asks once an hour: what comes sooner was told by the store.
pub(crate) const HOURLY: Options = Options { policy: Policy { interval_ms: 3_600_000, ..OPTIONS.policy }, ..OPTIONS };

/// Flags and what keeps them fresh.
pub(crate) struct Client {
    pub(crate) flags: Flags,
    pub(crate) syncing: Syncing,
}

impl Client {
    pub(crate) fn start(source: impl Source, options: Options) -> Self {
        let flags = Flags::new();
        let syncing = sync(&flags, source, options);
        Client { flags, syncing }
    }

    pub(crate) fn is_enabled(&self, key: &str) -> bool {
        self.flags.is_enabled(key, &Context::new("ana"))
    }

    /// Waits until the status is as it should be.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Status) -> bool) -> Status {
        let begin = Instant::now();
        loop {
            let status = self.syncing.status();
            if is_so(&status) {
                return status;
            }
            assert!(begin.elapsed() < DEADLINE, "{what}: {status}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until this revision is published and fresh.
    pub(crate) async fn until_fresh(&self, revision: u64) -> Status {
        let what = format!("expected revision {revision}, fresh");
        self.until(&what, |status| status.state.as_str() == "fresh" && status.revision == Some(revision)).await
    }
}

/// Waits until something else is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < DEADLINE, "{what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A snapshot in which `steady` is on and `newest` is on from the third revision on.
pub(crate) fn snapshot(revision: u64) -> String {
    let newest = revision >= 3;
    format!(
        r#"{{"esclusa": 1, "revision": {revision}, "flags": [{{"name": "steady", "enabled": true}}, {{"name": "newest", "enabled": {newest}}}]}}"#
    )
}

/// The error of a status, in small letters.
pub(crate) fn error(status: &Status) -> String {
    status.last_error.as_ref().map(|last| last.error.to_lowercase()).unwrap_or_default()
}
