//! A snapshot of 10,000 flags: read, checked, compiled and published, beside what reading it as plain JSON takes.
#![expect(clippy::unwrap_used, reason = "a bench stops at what is wrong")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use esclusa::{FlagSet, Flags};
use esclusa_benches::rows;

fn loading(criterion: &mut Criterion) {
    let json = rows(10_000, 0);
    let compiled = || FlagSet::from_json_strict(json.as_bytes()).unwrap();
    let mut group = criterion.benchmark_group("10,000 flags");
    group.sample_size(20).throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("read, check and compile", |bench| bench.iter(compiled));
    group.bench_function("serde_json::Value", |bench| {
        bench.iter(|| serde_json::from_slice::<serde_json::Value>(json.as_bytes()).unwrap());
    });
    let flags = Flags::new();
    group.bench_function("publish", |bench| {
        bench.iter_batched(compiled, |set| flags.publish(set), BatchSize::PerIteration);
    });
    // A snapshot in which one flag has changed is read whole: nothing of the old set is taken over but what is kept.
    let changed = json.replacen(r#""rollout_percentage":10"#, r#""rollout_percentage":20"#, 1);
    let mut turn = [&json, &changed].into_iter().cycle();
    group.bench_function("one flag changed: read, check, compile and publish", |bench| {
        bench.iter(|| {
            let set = FlagSet::from_json_strict(turn.next().unwrap().as_bytes()).unwrap();
            assert!(flags.publish(set).changed().len() <= 1);
        });
    });
    group.bench_function("drop", |bench| bench.iter_batched(compiled, drop, BatchSize::PerIteration));
    group.finish();
}

criterion_group!(benches, loading);
criterion_main!(benches);
