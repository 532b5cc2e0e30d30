//! Work per byte: a snapshot in which one piece is repeated takes time in proportion to its length, whatever is repeated.
//!
//! The input is three lines: what comes before, the piece, and what comes after; `#` in the piece is a number of its
//! own each time. A step that compares every two pieces takes a hundred times the budget.
#![no_main]

use std::time::{Duration, Instant};

use esclusa::{Context, FlagSet, Flags, Time};
use libfuzzer_sys::fuzz_target;

/// The length of the snapshot that is made.
const BYTES: usize = 1 << 20;
/// Instrumented, a plain snapshot of 1 MB takes about 150 ms.
const NANOSECONDS_PER_BYTE: u64 = 1_000;
const FLOOR: Duration = Duration::from_millis(300);

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let (Some(before), Some(piece), Some(after)) = (lines.next(), lines.next(), lines.next()) else { return };
    if piece.is_empty() {
        return;
    }
    let mut snapshot = before.to_owned();
    for number in 0.. {
        if snapshot.len() >= BYTES {
            break;
        }
        snapshot.push_str(&piece.replace('#', &number.to_string()));
    }
    snapshot.push_str(after);
    let budget = FLOOR + Duration::from_nanos(NANOSECONDS_PER_BYTE * snapshot.len() as u64);
    // Other processes only ever make a run slower, so it has three tries.
    let took = (0..3).map(|_| time(snapshot.as_bytes())).find(|took| *took <= budget);
    assert!(took.is_some(), "{} bytes take longer than {budget:?}", snapshot.len());
});

fn time(snapshot: &[u8]) -> Duration {
    let began = Instant::now();
    let flags = Flags::new();
    for _ in 0..2 {
        let Ok(set) = FlagSet::from_json(snapshot) else { break };
        let _ = flags.publish(set);
    }
    let set = flags.current();
    let context = Context::new("user-42").company("acme").attribute("a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    let now = Time::from_millis(1_750_000_000_000);
    if let Some((key, resolution)) = set.resolve_all(&context, now).last() {
        assert_eq!(set.explain(key, &context, now).resolution(), resolution);
    }
    began.elapsed()
}
