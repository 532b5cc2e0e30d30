//! How many instructions each workload takes: `cargo xtask test instructions` runs this under callgrind, once with few
//! rounds and once with more, and divides the difference; nothing else flakes less.
//!
//! `instructions` prints the names of the workloads; `instructions NAME ROUNDS` runs one.
#![expect(clippy::unwrap_used, reason = "a bench stops at what is wrong")]

use std::hint::black_box;
use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};
use esclusa::{Context, FlagSet, Flags, Time};
use esclusa_benches::{callers, context, key, limit, rows};

/// Callers of each round.
const CALLERS: u64 = 1_000;
/// Callers of each round where all flags are asked.
const FEW: u64 = 5;
const FLAGS: u32 = 200;

/// The name of each workload and how many answers a round of it gives.
const WORKLOADS: [(&str, u64); 10] = [
    ("w1-built", CALLERS),
    ("w1-prebuilt", CALLERS),
    ("w1-key", CALLERS),
    ("w2-1000", CALLERS),
    ("w2-100000", CALLERS),
    ("w3", FEW * FLAGS as u64),
    ("limit-w1-built", CALLERS),
    ("limit-w1-prebuilt", CALLERS),
    ("limit-w1-key", CALLERS),
    ("limit-w3", FEW * FLAGS as u64),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [name, rounds] => println!("{} are on", run(name, rounds.parse().unwrap())),
        _ => WORKLOADS.iter().for_each(|(name, answers)| println!("{name} {answers}")),
    }
}

fn run(name: &str, rounds: u64) -> usize {
    let key = key(7);
    let people = callers(if name.ends_with("w3") { FEW } else { CALLERS });
    if name.starts_with("limit-") {
        return by_hand(name, rounds, &key, &people);
    }
    let companies = name.strip_prefix("w2-").map_or(0, |companies| companies.parse().unwrap());
    // With companies every flag is large, so there are fewer.
    let flags = if companies == 0 { u64::from(FLAGS) } else { 8 };
    let handle = Flags::new();
    let _ = handle.publish(FlagSet::from_json_strict(rows(flags, companies).as_bytes()).unwrap());
    let (found, mut reader) = (handle.key(&key), handle.reader());
    let contexts: Vec<Context<'_>> = people.iter().map(context).collect();
    let set = handle.current();
    let mut on = 0;
    for _ in 0..rounds {
        on += match name {
            "w1-built" => people.iter().filter(|caller| handle.is_enabled(black_box(&key), &context(caller))).count(),
            "w1-key" => contexts.iter().filter(|context| reader.is_enabled(black_box(&found), context)).count(),
            "w3" => contexts
                .iter()
                .flat_map(|context| set.resolve_all(context, Time::from_millis(0)))
                .filter(|(_, resolution)| resolution.is_enabled())
                .count(),
            _ => contexts.iter().filter(|context| handle.is_enabled(black_box(&key), context)).count(),
        };
    }
    on
}

fn by_hand(name: &str, rounds: u64, key: &str, people: &[esclusa_benches::Caller]) -> usize {
    let shared: limit::Shared = Arc::new(ArcSwap::from_pointee(limit::set(FLAGS)));
    let mut view = Cache::new(Arc::clone(&shared));
    let number = shared.load().find(key).unwrap();
    let prepared: Vec<limit::Prepared> = people.iter().map(limit::Prepared::new).collect();
    let mut on = 0;
    for _ in 0..rounds {
        on += match name {
            "limit-w1-built" => people
                .iter()
                .filter(|caller| limit::is_enabled(&shared, black_box(key), &limit::Prepared::new(caller)))
                .count(),
            "limit-w1-key" => {
                let mut is_on =
                    |caller: &&limit::Prepared| limit::is_enabled_cached(&mut view, black_box(number), caller);
                prepared.iter().filter(&mut is_on).count()
            }
            "limit-w3" => prepared.iter().map(|caller| shared.load().count_on(black_box(caller))).sum(),
            _ => prepared.iter().filter(|caller| limit::is_enabled(&shared, black_box(key), caller)).count(),
        };
    }
    on
}
