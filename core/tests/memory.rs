//! Memory: what a flag set takes, and that publishing under readers gives everything back.
#![expect(clippy::cast_precision_loss, reason = "a test stops at what is wrong")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};
use std::thread;

use esclusa::{Context, FlagSet, Flags};

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

fn live() -> isize {
    LIVE.load(Ordering::Relaxed)
}

/// Rows such as a team has them: a name of its own, and plans, roles and regions of a shared vocabulary.
fn rows(count: usize) -> String {
    let row = |flag: usize| {
        format!(
            r#"{{"id":"{flag:08x}-9c1b-4e8a-8d4f-0242ac130003","name":"feature_{flag}_of_the_crm","enabled":true,"rollout_percentage":10,"target_plans":["PREMIUM","ENTERPRISE"],"target_roles":["ADMIN","OWNER"],"target_regions":["CO","MX","AR"],"status":"active"}}"#
        )
    };
    format!("[{}]", (0..count).map(row).collect::<Vec<_>>().join(","))
}

/// One test, because what is weighed is the whole process.
#[test]
fn a_flag_set_is_smaller_than_its_json_and_replaced_ones_leave_nothing_behind() {
    let json = rows(10_000);
    let before = live();
    let set = FlagSet::from_json_strict(json.as_bytes()).unwrap();
    let taken = live() - before;
    let ratio = taken as f64 / json.len() as f64;
    assert!(ratio <= 1.2, "{ratio:.2} times the size of its JSON, expected at most 1.2");
    let arenas = isize::try_from(set.arena_bytes()).unwrap();
    assert!((taken - arenas).abs() * 20 < taken, "`arena_bytes` says {arenas}, and {taken} are live");
    drop(set);
    assert_eq!(live(), before, "dropping it gives everything back");
    println!("10,000 flags: {} bytes of JSON, {taken} live: {ratio:.2} times", json.len());

    let small = rows(200);
    let flags = Flags::new();
    let publish = |flags: &Flags| assert!(flags.publish(FlagSet::from_json(small.as_bytes()).unwrap()).is_published());
    publish(&flags);
    let done = Arc::new(AtomicBool::new(false));
    let read = |flags: Flags, done: Arc<AtomicBool>| {
        let mut reader = flags.reader();
        let context = Context::new("user-42").plan("PREMIUM").role("ADMIN").region("CO");
        while !done.load(Ordering::Relaxed) {
            flags.is_enabled("feature_7_of_the_crm", &context);
            reader.is_enabled("feature_7_of_the_crm", &context);
        }
    };
    // The first round makes what threads and locks keep for good.
    let mut settled = 0;
    for round in 0..2 {
        done.store(false, Ordering::Relaxed);
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let (flags, done) = (flags.clone(), Arc::clone(&done));
                thread::spawn(move || read(flags, done))
            })
            .collect();
        for _ in 0..1_000 {
            publish(&flags);
        }
        done.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        assert_eq!(flags.sweep(), 0);
        if round == 0 {
            settled = live();
        }
    }
    let grown = live() - settled;
    println!("after another 1,000 publishes under two readers: {grown} bytes more");
    assert!(grown.abs() < 4_096, "{grown} bytes more after 1,000 publishes, expected none");
}
