//! Every fault of the list: it is noticed and said, turns nothing off, and is over when it is over.
#![expect(clippy::expect_used, reason = "a test stops at what is wrong")]

mod client;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use client::{Client, OPTIONS, error, snapshot, until};
use esclusa::{Context, Flags};
use esclusa_loopback::{Case, Expected, FAULTS, Fault, MAX_BYTES, Proxy, Store, StoreFault, TIMEOUT_MS};
use esclusa_sync::{Http, State, Status};
use futures_util::StreamExt;

/// How many faults happen at the same time, each to servers and clients of its own.
const AT_ONCE: usize = 6;
/// How often the flags are read while a fault lasts.
const READS: u64 = 1_000;

/// A thread that reads flags again and again and remembers when an answer was not the one that it should be.
struct Reader {
    reads: Arc<AtomicU64>,
    wrong: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Reader {
    /// `steady` is to be on, and `newest` off as long as `may_change` is false.
    fn start(flags: &Flags, may_change: &Arc<AtomicBool>) -> Self {
        let (reads, wrong) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let is_over = Arc::<AtomicBool>::default();
        let thread = thread::spawn({
            let (flags, may_change) = (flags.clone(), Arc::clone(may_change));
            let (reads, wrong, is_over) = (Arc::clone(&reads), Arc::clone(&wrong), Arc::clone(&is_over));
            move || {
                let context = Context::new("ana");
                while !is_over.load(Ordering::SeqCst) {
                    let may_change = may_change.load(Ordering::SeqCst);
                    let is_right =
                        flags.is_enabled("steady", &context) && (may_change || !flags.is_enabled("newest", &context));
                    wrong.fetch_add(u64::from(!is_right), Ordering::SeqCst);
                    if reads.fetch_add(1, Ordering::SeqCst).is_multiple_of(100) {
                        // The others need the processor, too.
                        thread::sleep(Duration::from_millis(1));
                    }
                }
            }
        });
        Reader { reads, wrong, is_over, thread: Some(thread) }
    }

    /// Waits until it has read so often again.
    async fn read(&self, what: &str) {
        let before = self.reads.load(Ordering::SeqCst);
        until(what, || self.reads.load(Ordering::SeqCst) >= before + READS).await;
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

fn source(proxy: &Proxy) -> Http {
    let timeout = Duration::from_millis(TIMEOUT_MS);
    let url = format!("http://{}/flags.json", proxy.address());
    Http::new(url).expect("it is a URL").timeout(timeout).connect_timeout(timeout).max_bytes(MAX_BYTES)
}

async fn run(case: &Case) {
    let name = case.name;
    let store = Store::start().await.expect("there is a port");
    let proxy = Proxy::start(store.address()).await.expect("there is a port");
    store.publish(snapshot(1));
    store.publish(snapshot(2));
    let client = Client::start(source(&proxy), OPTIONS);
    client.until_fresh(2).await;
    let may_change = Arc::<AtomicBool>::default();
    let reader = Reader::start(&client.flags, &may_change);

    may_change.store(case.expected == Expected::Fresh, Ordering::SeqCst);
    match case.fault {
        Fault::Store(fault) => store.fault(Some(fault)),
        Fault::Proxy(fault) => proxy.fault(Some(fault)),
    }
    // What the store has to give from now on must not come through a fault in pieces.
    store.publish(snapshot(3));
    let late = Client::start(source(&proxy), OPTIONS);
    let says = |status: &Status| case.says.iter().all(|word| error(status).contains(word));
    // A client that has nothing yet takes an old snapshot for what it is.
    let expected = match case.fault {
        Fault::Store(StoreFault::Older) => Expected::Fresh,
        _ => case.expected,
    };
    if expected == Expected::Fresh {
        late.until(name, |status| status.state == State::Fresh).await;
    } else {
        late.until(name, |status| status.state == State::Starting && status.failures > 1 && says(status)).await;
        assert_eq!(late.syncing.status().revision, None, "{name}: nothing is published");
    }
    match case.expected {
        Expected::Failing => {
            client.until(name, |status| status.state == State::Failing && status.failures > 1 && says(status)).await;
            reader.read(name).await;
            let status = client.until(name, |status| status.state == State::Failing).await;
            assert_eq!(status.revision, Some(2), "{name}");
        }
        Expected::Starting => {
            reader.read(name).await;
            client.until_fresh(2).await;
        }
        Expected::Fresh => {
            client.until_fresh(3).await;
            reader.read(name).await;
            assert_eq!(client.syncing.status().failures, 0, "{name}");
        }
    }
    assert_eq!(reader.wrong.load(Ordering::SeqCst), 0, "{name}: answers that changed");

    may_change.store(true, Ordering::SeqCst);
    store.fault(None);
    proxy.fault(None);
    for client in [&client, &late] {
        client.until_fresh(3).await;
        assert!(client.is_enabled("newest"), "{name}");
    }
    reader.read(name).await;
    assert_eq!(reader.wrong.load(Ordering::SeqCst), 0, "{name}: answers that changed");
    assert_eq!(store.counts().secrets_elsewhere, 0, "{name}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_turns_anything_off_and_each_is_told_and_survived() {
    assert!(FAULTS.len() > 25, "the list is there");
    futures_util::stream::iter(FAULTS).for_each_concurrent(AT_ONCE, run).await;
}
