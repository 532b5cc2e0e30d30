//! Ten thousand times a fault and its end: neither memory nor tasks nor open files grow.
#![expect(clippy::expect_used, reason = "a test stops at what is wrong")]

mod client;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;

use client::{Client, DEADLINE, until};
use esclusa_loopback::{Fault, Proxy, ProxyFault, Store, StoreFault};
use esclusa_sync::{Http, Options, Policy};
use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

struct Weighing;

static LIVE: AtomicIsize = AtomicIsize::new(0);

fn weigh(layout: Layout, sign: isize) {
    LIVE.fetch_add(sign * isize::try_from(layout.size()).unwrap_or(isize::MAX), Ordering::Relaxed);
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Weighing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        weigh(layout, 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        weigh(layout, -1);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static WEIGHING: Weighing = Weighing;

const CYCLES: u64 = 10_000;
/// Number of clients that go through them at the same time, each with servers of its own.
const LANES: u64 = 4;
/// From here on nothing may grow.
const SETTLED: u64 = 1_000;
/// Buffers of connections come and go; one leaked answer a hundred cycles would be more than this.
const SLACK_BYTES: isize = 64 * 1024;
/// A connection that is being closed, and the one that takes its place.
const SLACK_FILES: usize = 8;
const SLACK_TASKS: usize = 8;

const FAULTS: &[Fault] = &[
    Fault::Store(StoreFault::Status { status: 500, retry_after: None }),
    Fault::Store(StoreFault::Html),
    Fault::Store(StoreFault::Truncated),
    Fault::Proxy(ProxyFault::Reset { after: 50 }),
    Fault::Store(StoreFault::Empty),
    Fault::Store(StoreFault::LengthTooLong),
    Fault::Store(StoreFault::BrokenGzip),
    Fault::Proxy(ProxyFault::Cut),
    Fault::Store(StoreFault::Older),
    Fault::Store(StoreFault::RedirectLoop),
    Fault::Store(StoreFault::Huge),
    Fault::Proxy(ProxyFault::Refuse),
];
/// Faults that last until a time-out are slow, so they come now and then.
const SLOW: &[ProxyFault] = &[ProxyFault::HalfOpen, ProxyFault::Silent, ProxyFault::Slow { ms: 50 }];
const SLOW_EVERY: u64 = 100;

/// Always of the same length, so that what is live does not depend on how far it came.
fn snapshot(revision: u64) -> String {
    let flags: Vec<String> = (0..50)
        .map(|flag| {
            format!(r#"{{"name": "flag_{flag}", "enabled": {}, "rollout_percentage": 50}}"#, revision.is_multiple_of(2))
        })
        .collect();
    format!(r#"{{"esclusa": 1, "revision": {}, "flags": [{}]}}"#, 1_000_000 + revision, flags.join(","))
}

/// What must not grow.
#[derive(Clone, Copy, Debug)]
struct Weight {
    bytes: isize,
    tasks: usize,
    files: usize,
}

impl Weight {
    fn now() -> Self {
        // Only Linux tells; elsewhere tasks and memory are looked at.
        let files = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        Weight { bytes: LIVE.load(Ordering::Relaxed), tasks: Handle::current().metrics().num_alive_tasks(), files }
    }

    fn is_within(self, first: Weight) -> bool {
        self.bytes <= first.bytes + SLACK_BYTES
            && self.tasks <= first.tasks + SLACK_TASKS
            && self.files <= first.files + SLACK_FILES
    }

    /// The least that it comes down to while nothing happens but asking.
    async fn at_rest() -> Self {
        let mut least = Weight::now();
        for _ in 0..50 {
            sleep(Duration::from_millis(4)).await;
            let now = Weight::now();
            least = Weight {
                bytes: least.bytes.min(now.bytes),
                tasks: least.tasks.min(now.tasks),
                files: least.files.min(now.files),
            };
        }
        least
    }
}

/// A client behind servers that misbehave, cycle after cycle.
struct Lane {
    store: Store,
    proxy: Proxy,
    client: Client,
    cycle: u64,
}

impl Lane {
    async fn start() -> Self {
        let store = Store::start().await.expect("there is a port");
        let proxy = Proxy::start(store.address()).await.expect("there is a port");
        let timeout = Duration::from_millis(150);
        let source = Http::new(format!("http://{}/flags.json", proxy.address()))
            .and_then(|http| http.events(format!("http://{}/events", proxy.address())))
            .expect("they are URLs")
            .heartbeat(Duration::from_millis(100))
            .timeout(timeout)
            .connect_timeout(timeout)
            .max_bytes(1 << 20);
        store.heartbeat(Duration::from_millis(20));
        store.publish(snapshot(0));
        let policy =
            Policy { interval_ms: 1, backoff_min_ms: 1, backoff_max_ms: 2, spread_ms: 1, ..client::OPTIONS.policy };
        let client = Client::start(source, Options { policy, ..client::OPTIONS });
        Lane { store, proxy, client, cycle: 0 }
    }

    async fn run(&mut self, cycles: u64) {
        let mut slow = SLOW.iter().cycle();
        let mut quick = FAULTS.iter().cycle();
        for _ in 0..cycles {
            self.cycle += 1;
            let fault = if self.cycle.is_multiple_of(SLOW_EVERY) {
                slow.next().copied().map(Fault::Proxy)
            } else {
                quick.next().copied()
            };
            match fault.expect("the lists are endless") {
                Fault::Store(fault) => self.store.fault(Some(fault)),
                Fault::Proxy(fault) => self.proxy.fault(Some(fault)),
            }
            self.client.until("it fails", |status| status.failures > 0).await;
            self.store.publish(snapshot(self.cycle));
            self.store.fault(None);
            self.proxy.fault(None);
            self.client.until_fresh(1_000_000 + self.cycle).await;
        }
        // The same connections are open whenever it is weighed: one that asks and one that listens.
        until("it listens", || self.store.listeners() == 1 && self.proxy.connections() == 2).await;
    }
}

/// One test, because what is weighed is the whole process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_faults_leave_nothing_behind() {
    let mut lanes: Vec<Lane> = join_all((0..LANES).map(|_| Lane::start())).await;
    join_all(lanes.iter_mut().map(|lane| lane.run(SETTLED / LANES))).await;
    let settled = Weight::at_rest().await;
    join_all(lanes.iter_mut().map(|lane| lane.run((CYCLES - SETTLED) / LANES))).await;
    assert_eq!(lanes.iter().map(|lane| lane.cycle).sum::<u64>(), CYCLES);
    let begin = Instant::now();
    loop {
        let last = Weight::at_rest().await;
        if last.is_within(settled) {
            println!("after {SETTLED} cycles {settled:?}, after {CYCLES} {last:?}");
            break;
        }
        assert!(begin.elapsed() < DEADLINE, "after {SETTLED} cycles {settled:?}, after {CYCLES} {last:?}");
    }
    assert!(settled.files > 0 || !cfg!(target_os = "linux"), "files are counted");
}
