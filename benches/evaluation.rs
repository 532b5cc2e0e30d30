//! One flag for one caller: with the context built in the call, prebuilt, and with a key and a reader; with a list of
//! companies; all of 200 flags; each operator; and rarer calls: a value, an explanation, a projection.
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

/// A flag of one rule for each operator, evaluated with an attribute that fits.
const OPERATORS: [(&str, &str, &str); 12] = [
    ("in", r#""values":["one","two","three"]"#, "two"),
    ("contains", r#""values":["@acme."]"#, "ada@acme.example"),
    ("starts_with", r#""values":["ada"]"#, "ada@acme.example"),
    ("ends_with", r#""values":[".example"],"ignore_case":true"#, "ada@acme.EXAMPLE"),
    ("matches", r#""value":"^[a-z]+@acme\\.(com|example)$""#, "ada@acme.example"),
    ("is", r#""value":true"#, "true"),
    ("ge", r#""value":12"#, "12"),
    ("after", r#""value":"2025-01-22T00:00:00Z""#, "2026-01-22T00:00:00Z"),
    ("semver_ge", r#""value":"2.4.0""#, "2.10.1"),
    ("in_cidr", r#""values":["10.0.0.0/8","192.168.0.0/16"]"#, "192.168.7.7"),
    ("present", "", "anything"),
    ("percentage", "", ""),
];

fn operators(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one operator");
    for (name, operand, value) in OPERATORS {
        let when = match (name, operand) {
            ("percentage", _) => r#"{"percentage":{"of":"user","salt":"s","from":0,"to":100}}"#.to_owned(),
            (name, "") => format!(r#"{{"attribute":"x","op":"{name}"}}"#),
            (name, operand) => format!(r#"{{"attribute":"x","op":"{name}",{operand}}}"#),
        };
        let flags = published(&format!(r#"[{{"name":"{KEY}","enabled":true,"rules":[{{"key":"r","when":{when}}}]}}]"#));
        let context = Context::new("ada");
        let context = match name {
            "is" => context.attribute("x", true),
            "ge" => context.attribute("x", 12),
            _ => context.attribute("x", value),
        };
        assert!(flags.is_enabled(KEY, &context), "`{name}` does not let in who fits");
        group.bench_function(name, |bench| bench.iter(|| flags.is_enabled(black_box(KEY), black_box(&context))));
    }
    group.finish();
}

fn whole_answers(criterion: &mut Criterion) {
    let callers = callers(1_000);
    let contexts: Vec<Context<'_>> = callers.iter().map(context).collect();
    let set = FlagSet::from_json_strict(rows(200, 0).as_bytes()).unwrap();
    let now = Time::from_millis(0);
    let mut next = contexts.iter().cycle();
    let mut group = criterion.benchmark_group("whole answers");
    group.bench_function("resolve", |bench| bench.iter(|| set.resolve(black_box(KEY), next.next().unwrap(), now)));
    group.bench_function("explain", |bench| bench.iter(|| set.explain(black_box(KEY), next.next().unwrap(), now)));
    group.bench_function("project 200 flags", |bench| {
        bench.iter(|| set.project(set.keys(), next.next().unwrap(), now).to_json().len());
    });
    group.finish();
}

criterion_group!(benches, one_flag, all_flags, operators, whole_answers);
criterion_main!(benches);
