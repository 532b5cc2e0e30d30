//! One flag for one caller: with the context built in the call, prebuilt, and with a key and a reader; with a list of
//! companies; and all of 200 flags.
#![expect(clippy::unwrap_used, reason = "a bench stops at what is wrong")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use esclusa::{Context, FlagSet, Flags, Time};
use esclusa_benches::{callers, context, rows};

const KEY: &str = "feature_0_of_the_crm";

fn published(json: &str) -> Flags {
    let flags = Flags::new();
    let _ = flags.publish(FlagSet::from_json_strict(json.as_bytes()).unwrap());
    flags
}

fn one_flag(criterion: &mut Criterion) {
    let callers = callers(10_000);
    let contexts: Vec<Context<'_>> = callers.iter().map(context).collect();
    for companies in [0, 1_000] {
        let flags = published(&rows(1, companies));
        let (key, mut reader) = (flags.key(KEY), flags.reader());
        let yes = contexts.iter().filter(|context| flags.is_enabled(KEY, context)).count();
        assert!((800..1_200).contains(&yes), "{yes} of 10,000 are in, expected about a tenth");
        let mut group = criterion.benchmark_group(format!("one flag, {companies} companies"));
        group.throughput(Throughput::Elements(callers.len() as u64));
        group.bench_function("context built in the call", |bench| {
            bench.iter(|| callers.iter().filter(|caller| flags.is_enabled(KEY, &context(caller))).count());
        });
        group.bench_function("context prebuilt", |bench| {
            bench.iter(|| contexts.iter().filter(|context| flags.is_enabled(black_box(KEY), context)).count());
        });
        group.bench_function("key and reader", |bench| {
            bench.iter(|| contexts.iter().filter(|context| reader.is_enabled(black_box(&key), context)).count());
        });
        group.finish();
    }
}

fn all_flags(criterion: &mut Criterion) {
    let callers = callers(100);
    let contexts: Vec<Context<'_>> = callers.iter().map(context).collect();
    let set = FlagSet::from_json_strict(rows(200, 0).as_bytes()).unwrap();
    let mut group = criterion.benchmark_group("all of 200 flags");
    group.throughput(Throughput::Elements(200 * contexts.len() as u64));
    group.bench_function("resolve_all", |bench| {
        bench.iter(|| {
            let resolve = |context| set.resolve_all(context, Time::from_millis(0));
            contexts.iter().flat_map(resolve).filter(|(_, resolution)| resolution.is_enabled()).count()
        });
    });
    group.finish();
}

criterion_group!(benches, one_flag, all_flags);
criterion_main!(benches);
