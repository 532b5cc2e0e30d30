//! Two threads that evaluate one flag, without a publish and while a third thread publishes: each evaluation is timed
//! separately, because publishing affects the tail of the latencies and not the mean.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::session::{check_engine, engine};
use crate::workload::{Callers, Workload};
use crate::{Contender, Population, Result, Targets};

const READERS: usize = 2;
/// The minimum for each thread.
const EVALUATIONS: usize = 200_000;
/// The minimum; a fast engine finishes its evaluations before there is more than a publish.
const TIME: Duration = Duration::from_millis(300);
const BETWEEN_PUBLISHES: Duration = Duration::from_millis(10);

pub(crate) fn measure<C: Contender>(population: &'static Population) -> Result<Value> {
    let engine: &C = engine(population, Workload::Threads)?;
    let key = Targets::key(0);
    check_engine(engine, population, &key)?;
    let document = C::document(&population.targets, 1, 0)?;
    let contexts: Vec<C::Context<'_>> = population.callers(Callers::Match).iter().map(C::context).collect();
    let clock = clock();
    let (alone, _) = phase(engine, &key, &contexts, None, clock)?;
    let (publishing, publishes) = phase(engine, &key, &contexts, Some(&document), clock)?;
    check_engine(engine, population, &key)?;
    Ok(json!({ "alone": alone, "publishing": publishing, "publishes": publishes, "clock": clock }))
}

fn phase<C: Contender>(
    engine: &C,
    key: &str,
    contexts: &[C::Context<'static>],
    document: Option<&[u8]>,
    clock: u32,
) -> Result<(Value, u32)> {
    let (done, start) = (AtomicBool::new(false), Barrier::new(READERS + 1));
    let (mut times, published) = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|reader| {
                let (start, from) = (&start, reader * contexts.len() / READERS);
                scope.spawn(move || {
                    start.wait();
                    read(engine, key, contexts, from)
                })
            })
            .collect();
        let (done, start) = (&done, &start);
        let publisher = scope.spawn(move || {
            start.wait();
            document.map_or(Ok(0), |document| publish(engine, document, done))
        });
        let times: Vec<u32> = readers.into_iter().filter_map(|reader| reader.join().ok()).flatten().collect();
        done.store(true, Ordering::Relaxed);
        (times, publisher.join())
    });
    let publishes = published.map_err(|_| "publishing panicked")??;
    if times.len() < READERS * EVALUATIONS {
        return Err("a thread that asked has panicked".into());
    }
    times.sort_unstable();
    Ok((percentiles(&times, clock), publishes))
}

/// The time of each evaluation in nanoseconds, with the clock's own.
fn read<C: Contender>(engine: &C, key: &str, contexts: &[C::Context<'_>], from: usize) -> Vec<u32> {
    let mut times = Vec::with_capacity(8 * EVALUATIONS);
    let begun = Instant::now();
    for context in contexts.iter().cycle().skip(from) {
        let start = Instant::now();
        black_box(engine.is_on(black_box(key), black_box(context)));
        let end = Instant::now();
        times.push(u32::try_from((end - start).as_nanos()).unwrap_or(u32::MAX));
        if times.len() >= EVALUATIONS && end - begun >= TIME {
            break;
        }
    }
    times
}

fn publish<C: Contender>(engine: &C, document: &[u8], done: &AtomicBool) -> Result<u32> {
    let mut published = 0;
    while !done.load(Ordering::Relaxed) {
        let snapshot = C::read(document)?;
        std::thread::sleep(BETWEEN_PUBLISHES);
        engine.publish(snapshot)?;
        published += 1;
    }
    Ok(published)
}

/// The time of reading the clock twice: the median of many.
fn clock() -> u32 {
    let pair = |_| {
        let (start, end) = (Instant::now(), Instant::now());
        u32::try_from((end - start).as_nanos()).unwrap_or(u32::MAX)
    };
    let mut times: Vec<u32> = (0..100_000).map(pair).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn percentiles(sorted: &[u32], clock: u32) -> Value {
    let at = |of_10_000: usize| {
        let place = (sorted.len() * of_10_000 / 10_000).min(sorted.len() - 1);
        sorted.get(place).map(|time| time.saturating_sub(clock))
    };
    json!({ "p50": at(5_000), "p99": at(9_900), "p999": at(9_990), "p9999": at(9_999), "evaluations": sorted.len() })
}
