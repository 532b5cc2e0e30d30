//! Readers and a publisher at once: no mixed set is ever seen, memory goes back to where it was, keys and readers follow.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use esclusa::{Context, FlagSet, Flags, Time};

const NOW: Time = Time::from_millis(0);
/// Miri runs far slower.
const PUBLISHES: u64 = if cfg!(miri) { 4 } else { 5_000 };
const FLAGS: u64 = if cfg!(miri) { 4 } else { 20 };

/// Flags that all say which publish they are from.
fn snapshot(number: u64) -> FlagSet {
    let flag = |flag: u64| {
        format!(r#"{{"name": "f{flag}", "enabled": true, "variants": [{{"key": "v", "value": {number}}}]}}"#)
    };
    let flags: Vec<String> = (0..FLAGS).map(flag).collect();
    let json = format!(r#"{{"esclusa": 1, "revision": {number}, "flags": [{}]}}"#, flags.join(","));
    FlagSet::from_json_strict(json.as_bytes()).unwrap()
}

#[test]
fn no_mixed_set_is_ever_seen() {
    let flags = Flags::new();
    let _ = flags.publish(snapshot(1));
    let (done, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let readers: Vec<_> = (0..2)
        .map(|by_reader| {
            let (flags, done, reads) = (flags.clone(), Arc::clone(&done), Arc::clone(&reads));
            thread::spawn(move || {
                let (mut reader, mut last) = (flags.reader(), 0);
                let context = Context::new("user-42");
                while !done.load(Ordering::Relaxed) {
                    let held = flags.current();
                    let set = if by_reader == 0 { &held } else { reader.current() };
                    let numbers: Vec<_> = set.resolve_all(&context, NOW).map(|(_, r)| r.value().as_i64()).collect();
                    let revision = set.revision().unwrap();
                    let whole = numbers.iter().all(|number| number.map(i64::unsigned_abs) == Some(revision));
                    assert!(whole, "all of one revision: {revision}, {numbers:?}");
                    assert!(revision >= last, "a set that was replaced does not come back: {last}, then {revision}");
                    last = revision;
                    reads.fetch_add(1, Ordering::Relaxed);
                }
                last
            })
        })
        .collect();
    for number in 2..=PUBLISHES {
        assert!(flags.publish(snapshot(number)).is_published());
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.join().unwrap();
    }
    assert!(reads.load(Ordering::Relaxed) > 0);
    assert_eq!(flags.sweep(), 0, "without readers no replaced set is left");
}

#[test]
fn a_replaced_set_lives_as_long_as_somebody_holds_it_and_is_freed_by_the_publisher() {
    let flags = Flags::new();
    let _ = flags.publish(snapshot(1));
    let held = flags.current();
    let weak = Arc::downgrade(&held);
    let mut idle = flags.reader();
    assert_eq!(idle.current().revision(), Some(1));
    let _ = flags.publish(snapshot(2));
    assert_eq!(held.revision(), Some(1));
    drop(held);
    assert_eq!(flags.sweep(), 1, "the idle reader still holds it");
    idle.refresh();
    assert!(weak.upgrade().is_some(), "letting go of it does not free it: that is the publisher's work");
    assert_eq!(flags.sweep(), 0);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_key_survives_publishing_and_follows_its_flag() {
    let flags = Flags::new();
    let key = flags.key("f3");
    let context = Context::new("user-42");
    let mut reader = flags.reader();
    assert!(!flags.is_enabled(&key, &context), "nothing is published yet");
    let _ = flags.publish(snapshot(1));
    assert!(flags.is_enabled(&key, &context) && reader.is_enabled(&key, &context));
    let moved = r#"[{"name": "f0"}, {"name": "f3", "enabled": true}, {"name": "f1", "enabled": true}]"#;
    let _ = flags.publish(FlagSet::from_json(moved.as_bytes()).unwrap());
    assert!(flags.is_enabled(&key, &context) && reader.is_enabled(&key.clone(), &context));
    let _ = flags.publish(FlagSet::from_json(br#"[{"name": "f1", "enabled": true}]"#).unwrap());
    assert!(!flags.is_enabled(&key, &context) && !reader.is_enabled(&key, &context));
    let _ = flags.publish(snapshot(1));
    assert!(flags.is_enabled(&key, &context));
    assert_eq!(key.as_str(), "f3");
}

#[test]
fn a_key_that_is_used_with_another_handle_finds_that_handles_flag() {
    let (one, other) = (Flags::new(), Flags::new());
    let _ = one.publish(FlagSet::from_json(br#"[{"name": "a", "enabled": true}, {"name": "b"}]"#).unwrap());
    let _ = other.publish(FlagSet::from_json(br#"[{"name": "b"}, {"name": "a", "enabled": true}]"#).unwrap());
    let key = one.key("a");
    let context = Context::anonymous();
    for _ in 0..3 {
        assert!(one.is_enabled(&key, &context));
        assert!(other.is_enabled(&key, &context), "the flag's number in one set means nothing in another");
    }
}

#[test]
fn an_older_revision_is_refused_unless_it_is_asked_for() {
    let flags = Flags::new();
    let _ = flags.publish(snapshot(5));
    let report = flags.publish(snapshot(4));
    assert!(!report.is_published());
    assert_eq!(flags.current().revision(), Some(5));
    assert!(flags.publish(snapshot(5)).is_published(), "the same revision is not older");
    assert!(flags.publish_accepting_older(snapshot(4)).is_published());
    assert_eq!(flags.current().revision(), Some(4));
}

#[test]
fn windows_go_by_the_handles_clock() {
    let rows = br#"[{"name": "f", "enabled": true, "start_date": "2025-01-01", "end_date": "2026-01-01"},
                    {"name": "g", "enabled": true, "prerequisites": [{"flag": "f", "on": true}]}]"#;
    let at = |clock: fn() -> Time| {
        let flags = Flags::with_clock(clock);
        let _ = flags.publish(FlagSet::from_json_strict(rows).unwrap());
        (flags.is_enabled("f", &Context::anonymous()), flags.is_enabled("g", &Context::anonymous()))
    };
    assert_eq!(at(|| Time::parse("2025-06-01").unwrap()), (true, true));
    assert_eq!(at(|| Time::parse("2026-01-01").unwrap()), (false, false));
}

#[test]
fn a_handle_that_holds_a_set_keeps_to_it_and_finds_the_same_keys() {
    let flags = Flags::new();
    let (key, context) = (flags.key("f0"), Context::new("user-42"));
    let empty = flags.held();
    let _ = flags.publish(snapshot(1));
    let held = flags.held();
    assert!(flags.is_enabled(&key, &context) && held.is_enabled(&key, &context) && !empty.is_enabled(&key, &context));
    let _ = flags.publish(FlagSet::from_json_strict(br#"{"esclusa": 1, "revision": 2, "flags": []}"#).unwrap());
    assert!(!flags.is_enabled(&key, &context) && held.is_enabled(&key, &context));
    assert!(held.reader().is_enabled("f0", &context));
    assert_eq!((held.current().revision(), flags.current().revision()), (Some(1), Some(2)));
    drop((held, empty));
    assert_eq!(flags.sweep(), 0, "they are no longer held");
}
