//! What the tests of the stores share: soon or never, waiting with a deadline, and every way in which a server breaks.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use esclusa::{Context, Flags};
use esclusa_loopback::{Proxy, ProxyFault};
use esclusa_sync::{Options, Policy, State, Syncing};

pub(crate) fn options(interval_ms: u64) -> Options {
    let policy = Policy {
        interval_ms,
        jitter_percent: 20,
        stale_after_ms: Some(60_000),
        backoff_min_ms: 20,
        backoff_max_ms: 200,
        spread_ms: 10,
    };
    Options { policy, timeout: Duration::from_secs(5), ..Options::default() }
}

/// Asks only when it is told to, or when something broke.
pub(crate) const NEVER: u64 = 3_600_000;

pub(crate) async fn until(what: &str, syncing: &Syncing, mut holds: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what} did not happen within 20 s: {}", syncing.status());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    began.elapsed()
}

pub(crate) fn is_on(flags: &Flags) -> bool {
    let company = "6c7a1e4f-2e19-483e-903a-a07e5a0d9812";
    flags.is_enabled("crm", &Context::new("ana").plan("PREMIUM").region("CO").company(company))
}

/// Reads on and on while things break: no answer may change, and no read may wait.
pub(crate) struct Reader {
    ends: Arc<AtomicBool>,
    reads: Arc<AtomicU64>,
    wrong: Arc<Mutex<Option<String>>>,
}

impl Reader {
    pub(crate) fn start(flags: &Flags) -> Reader {
        let reader = Reader { ends: Arc::default(), reads: Arc::default(), wrong: Arc::default() };
        let (ends, reads, wrong, flags) =
            (Arc::clone(&reader.ends), Arc::clone(&reader.reads), Arc::clone(&reader.wrong), flags.clone());
        std::thread::spawn(move || {
            while !ends.load(Ordering::SeqCst) {
                if !is_on(&flags) {
                    *wrong.lock().unwrap() = Some(format!("off at revision {:?}", flags.current().revision()));
                }
                reads.fetch_add(1, Ordering::SeqCst);
                std::thread::yield_now();
            }
        });
        reader
    }

    pub(crate) fn check(&self, when: &str) {
        let before = self.reads.load(Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        assert!(self.reads.load(Ordering::SeqCst) > before, "{when}: reads go on");
        assert_eq!(*self.wrong.lock().unwrap(), None, "{when}: no answer changes");
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
    }
}

/// What breaks the way to any server, and what the status says of it, in one of these words.
pub(crate) fn breaks() -> Vec<(&'static str, ProxyFault)> {
    vec![
        ("refused", ProxyFault::Refuse),
        ("silent", ProxyFault::Silent),
        ("half open", ProxyFault::HalfOpen),
        ("reset", ProxyFault::Reset { after: 30 }),
        ("one byte at a time", ProxyFault::Slow { ms: 300 }),
    ]
}

pub(crate) async fn every_break(proxy: &Proxy, syncing: &Syncing, flags: &Flags, change: impl AsyncFn(u64)) {
    let reader = Reader::start(flags);
    for (round, (name, fault)) in breaks().into_iter().enumerate() {
        proxy.fault(Some(fault));
        let failed = until(name, syncing, || syncing.status().state == State::Failing).await;
        let error = syncing.status().last_error.unwrap().error;
        reader.check(name);
        change(round as u64).await;
        proxy.fault(None);
        let recovered = until(name, syncing, || {
            syncing.status().state == State::Fresh && flags.is_enabled(&format!("round_{round}"), &Context::anonymous())
        })
        .await;
        println!("{name}: noticed within {failed:?} ({error}), fresh {recovered:?} after it ended");
        reader.check(name);
    }
}
