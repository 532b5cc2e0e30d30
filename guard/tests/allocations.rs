//! Tracking allocates nothing for a unit that has just reported: a counting allocator watches it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use esclusa::{Context, FlagSet, Flags, Time};
use esclusa_guard::{Guards, Outcome};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[test]
fn a_known_unit_is_tracked_without_an_allocation() {
    // No window ends meanwhile.
    let flags = Flags::with_clock(|| Time::from_millis(1_750_000_000_000));
    let rows = r#"[{"name": "crm", "enabled": true, "rollout_percentage": 20, "target_plans": ["PREMIUM"], "guard": GUARD},
                   {"name": "qr", "enabled": true, "guard": GUARD}]"#;
    let guard =
        r#"{"event": "checkout", "errors": {"at_most": 0.5}, "slow": {"above_ms": 3000, "above_p90_times": 2}}"#;
    let _ = flags.publish(FlagSet::from_json(rows.replace("GUARD", guard).as_bytes()).unwrap());
    let guards = Guards::new(&flags);
    let users: Vec<_> = (0..200).map(|user| Context::new(format!("user-{user}")).plan("PREMIUM")).collect();
    let outcomes = [Outcome::ok(), Outcome::error(), Outcome::ok().lasted(Duration::from_millis(5))];
    let all = || {
        for outcome in outcomes {
            users.iter().for_each(|user| guards.track("checkout", user, outcome));
        }
    };
    all();
    assert_eq!(allocations(all), 0);
    let one = Context::new("user-1").plan("PREMIUM");
    assert_eq!(allocations(|| guards.track("no such event", &one, Outcome::ok())), 0);
    assert!(allocations(|| guards.track("checkout", &Context::new("new").plan("PREMIUM"), Outcome::ok())) > 0);
}
