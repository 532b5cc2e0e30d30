//! Resolving allocates nothing: a counting allocator watches every resolution that the vectors ask for, and a list of
//! plain flags for each operator, reason and path besides.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use esclusa::{Context, FlagSet, Flags, Time};
use serde_json::{Value as Json, json};

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

/// Resolves in every way there is; even the first call may allocate nothing. Returns what was answered.
fn watch(flags: &Flags, key: &str, context: &Json, now: Time, what: &str) -> String {
    let text = context.to_string();
    let context = Context::from_json(text.as_bytes()).unwrap();
    let (set, known, mut reader) = (flags.current(), flags.key(key), flags.reader());
    let mut answer = set.resolve("", &Context::anonymous(), now);
    // An expression with a Unicode word boundary needs scratch space, which its first search makes and later ones reuse.
    if what.contains("word-boundary") {
        drop(set.resolve(key, &context, now));
    }
    // A thread's first look at the current set registers the thread; that is not part of an evaluation.
    flags.is_enabled("", &context);
    assert_eq!(allocations(|| answer = set.resolve(key, &context, now)), 0, "resolve: {what}");
    assert_eq!(allocations(|| drop(set.is_enabled(key, &context, now))), 0, "is_enabled: {what}");
    assert_eq!(allocations(|| drop(flags.is_enabled(key, &context))), 0, "Flags::is_enabled: {what}");
    assert_eq!(allocations(|| drop(flags.is_enabled(&known, &context))), 0, "with a key: {what}");
    assert_eq!(allocations(|| drop(reader.is_enabled(&known, &context))), 0, "with a reader: {what}");
    assert_eq!(allocations(|| set.resolve_all(&context, now).for_each(drop)), 0, "resolve_all: {what}");
    format!("{} {}", answer.reason(), answer.error_code().map_or("", |code| code.as_str()))
}

fn drop<T>(_: T) {}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1_u8]))), 1);
}

#[test]
fn no_vector_allocates() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors");
    let (mut watched, mut answers, mut operators) = (0, BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(folder).unwrap() {
        // The vectors of other sections are in folders of their own.
        let Ok(text) = fs::read_to_string(entry.unwrap().path()) else { continue };
        let Ok(layer) = serde_json::from_str::<Json>(&text) else { continue };
        for vector in layer["vectors"].as_array().into_iter().flatten() {
            let flags = Flags::new();
            let mut queries = Vec::new();
            if let Some(condition) = vector.get("condition") {
                let rules = json!([{"key": "r", "when": condition}]);
                let segments = vector.get("segments").cloned().unwrap_or(json!([]));
                let flag = json!({"name": "f", "enabled": true, "rules": rules});
                let snapshot = json!({"esclusa": 1, "segments": segments, "flags": [flag]}).to_string();
                let _ = flags.publish(FlagSet::from_json(snapshot.as_bytes()).unwrap());
                queries.push(json!({"flag": "f", "context": vector["context"]}));
                operators.extend(text_of_operators(condition));
            }
            if let Some(snapshot) = vector.get("snapshot") {
                let _ = flags.publish(FlagSet::from_json(snapshot.to_string().as_bytes()).unwrap());
                queries.push(vector.clone());
            }
            for step in vector.get("publish").and_then(Json::as_array).into_iter().flatten() {
                let bytes =
                    step.get("text").and_then(Json::as_str).map_or_else(|| step["snapshot"].to_string(), str::to_owned);
                if let Ok(set) = FlagSet::from_json(bytes.as_bytes()) {
                    let _ = flags.publish(set);
                }
            }
            queries.extend(vector.get("resolve").and_then(Json::as_array).into_iter().flatten().cloned());
            for query in queries {
                let now = match &query["now"] {
                    Json::String(text) => Time::parse(text).unwrap(),
                    number => Time::from_millis(number.as_i64().unwrap_or(1_750_000_000_000)),
                };
                let key = query["flag"].as_str().unwrap();
                answers.insert(watch(&flags, key, &query["context"], now, &vector["name"].to_string()));
                watched += 1;
            }
        }
    }
    println!("{watched} resolutions watched: {answers:?}, operators {operators:?}");
    for answer in ["STATIC ", "TARGETING_MATCH ", "SPLIT ", "DEFAULT ", "DISABLED ", "ERROR FLAG_NOT_FOUND"] {
        assert!(answers.contains(answer), "{answer} was never reached");
    }
    for code in ["ERROR PARSE_ERROR", "ERROR TARGETING_KEY_MISSING"] {
        assert!(answers.contains(code), "{code} was never reached");
    }
    assert_eq!(operators.len(), 20, "every operator is watched: {operators:?}");
}

/// The operators that a condition names.
fn text_of_operators(condition: &Json) -> Vec<String> {
    match condition {
        Json::Object(fields) => {
            let own = fields.get("op").and_then(Json::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(text_of_operators)).collect()
        }
        Json::Array(parts) => parts.iter().flat_map(text_of_operators).collect(),
        _ => Vec::new(),
    }
}
