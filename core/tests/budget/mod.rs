//! A budget of time for each byte, and texts to spend it on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Nanoseconds for each byte of a snapshot: reading and compiling a plain one takes about 5.
const NANOSECONDS_PER_BYTE: u64 = 250;
/// Milliseconds that any input may take, however short it is.
const FLOOR: Duration = Duration::from_millis(40);

/// The fastest of three runs, because other processes only ever make a run slower.
pub(crate) fn fastest<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let timed = |run: &mut dyn FnMut() -> T| {
        let begin = Instant::now();
        let result = run();
        (begin.elapsed(), result)
    };
    let mut best = timed(&mut run);
    for _ in 0..2 {
        let next = timed(&mut run);
        if next.0 < best.0 {
            best = next;
        }
    }
    best
}

pub(crate) fn within_budget(what: &str, bytes: usize, took: Duration) {
    let budget = FLOOR + Duration::from_nanos(NANOSECONDS_PER_BYTE * bytes as u64);
    println!("{what:<64} {:>9} bytes {:>8.1} ms of {:.0}", bytes, took.as_secs_f64() * 1e3, budget.as_secs_f64() * 1e3);
    assert!(took <= budget, "{what}: {bytes} bytes took {took:?}, expected at most {budget:?}");
}

/// One case at a time, or they would slow each other down.
static ALONE: Mutex<()> = Mutex::new(());

pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn rows(count: usize, row: impl Fn(usize) -> String) -> String {
    let rows: Vec<String> = (0..count).map(row).collect();
    format!("[{}]", rows.join(","))
}

pub(crate) fn quoted(texts: impl IntoIterator<Item = String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| format!("\"{text}\"")).collect();
    texts.join(",")
}
