//! How much stack reading, publishing and evaluating take at the limits of nesting: threads of apps may be small.

#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::fmt::Write;

use esclusa::limit::{MAX_CONDITION_DEPTH, MAX_NESTING_DEPTH, MAX_PREREQUISITE_CHAIN};
use esclusa::{Context, FlagSet, Flags, Time};

/// In bytes. An optimized build takes between 80 and 88 KiB; `MAX_NESTING_DEPTH` promises that this is enough.
const STACK: usize = 128 * 1024;

/// How deep a document is around a condition.
const AROUND: usize = 5;

/// A chain of prerequisites of flags with a condition as deep as may be, by way of two segments.
fn snapshot(open: &str, close: &str, levels: usize) -> String {
    let nested = |inner: &str, levels: usize| format!("{}{inner}{}", open.repeat(levels), close.repeat(levels));
    // Each mention of a segment and the innermost condition are a level of their own.
    let below = MAX_CONDITION_DEPTH as usize - levels - 3;
    let mut text = format!(
        r#"{{"esclusa":1,"segments":[{{"key":"s","when":{}}},{{"key":"t","when":{}}}],"flags":["#,
        nested(r#"{"segment":"t"}"#, below / 2),
        nested(r#"{"attribute":"plan","op":"present"}"#, below - below / 2)
    );
    for number in 0..=MAX_PREREQUISITE_CHAIN {
        let deep = nested(r#"{"segment":"s"}"#, levels);
        let asked = if number == 0 {
            String::new()
        } else {
            format!(r#","prerequisites":[{{"flag":"f{}","on":true}}]"#, number - 1)
        };
        write!(
            text,
            r#"{{"key":"f{number}","enabled":true,"client":true,"rules":[{{"key":"r","when":{deep}}}]{asked}}},"#
        )
        .unwrap();
    }
    text.pop();
    text + "]}"
}

#[test]
fn a_small_thread_is_enough() {
    // What is left for the condition, which ends in an object; a list is a level of its own.
    let left = MAX_NESTING_DEPTH - AROUND - 1;
    let snapshots = [
        snapshot(r#"{"all":["#, "]}", left / 2),
        snapshot(r#"{"any":["#, "]}", left / 2),
        snapshot(r#"{"not":"#, "}", left),
    ];
    for snapshot in &snapshots {
        let set = FlagSet::from_json(snapshot.as_bytes()).unwrap();
        assert_eq!(set.violations(), []);
    }
    let run = move || {
        for snapshot in snapshots {
            let flags = Flags::new();
            for _ in 0..2 {
                let _ = flags.publish(FlagSet::from_json(snapshot.as_bytes()).unwrap());
            }
            let context = Context::new("ana").plan("PREMIUM");
            let (set, now) = (flags.current(), Time::from_millis(0));
            let key = format!("f{MAX_PREREQUISITE_CHAIN}");
            let _ = set.is_enabled(&key, &context, now);
            let _ = set.explain(&key, &context, now);
            let _ = set.client_snapshot([key.as_str()], &context, now);
        }
        let too_deep = "[".repeat(1_000_000);
        let _ = FlagSet::from_json(too_deep.as_bytes());
    };
    std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
}
