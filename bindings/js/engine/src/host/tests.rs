//! What the TypeScript half relies on.

use super::*;

const ROWS: &[u8] = br#"[{"name": "crm", "enabled": true, "target_plans": ["PREMIUM"]},
    {"name": "layout", "enabled": true, "variants": [{"key": "a", "value": {"columns": 2}}]}]"#;

fn host() -> (Host, u32) {
    let mut host = Host::new(|| Time::from_millis(0));
    let flags = host.open().unwrap();
    (host, flags)
}

#[test]
fn a_slot_is_given_only_to_a_flag_that_exists() {
    let (mut host, flags) = host();
    assert_eq!(host.slot(flags, "crm"), NOT_READY);
    assert!(host.publish(flags, ROWS, Options::default()).contains(r#""outcome":"published""#));
    assert_eq!((host.slot(flags, "crm"), host.slot(flags, "other")), (0, ABSENT));
    let premium = host.context(br#"{"plan": "PREMIUM"}"#).unwrap();
    assert!(host.is_enabled(flags, 0, premium));
    assert!(!host.is_enabled(flags, 0, NOBODY));
}

#[test]
fn an_outcome_is_told_once_for_each_set() {
    let (mut host, flags) = host();
    let _ = host.publish(flags, ROWS, Options::default());
    let slot = u32::try_from(host.slot(flags, "layout")).unwrap();
    let first = host.resolve(flags, slot, NOBODY, f64::NAN);
    assert_eq!(
        host.take_outcome(flags, first),
        r#"{"enabled":true,"value":{"columns":2},"variant":"a","reason":"STATIC","error":null,"first":0,"revision":null}"#
    );
    assert_eq!(host.resolve(flags, slot, NOBODY, f64::NAN), first);
    let _ = host.publish(flags, b"[]", Options::default());
    assert_eq!(host.resolve(flags, slot, NOBODY, f64::NAN), first + 1);
    assert!(host.take_outcome(flags, first + 1).ends_with(r#""error":"FLAG_NOT_FOUND","first":1,"revision":null}"#));
}

#[test]
fn an_outcome_that_was_lost_is_told_again() {
    let (mut host, flags) = host();
    let _ = host.publish(flags, ROWS, Options::default());
    let slot = u32::try_from(host.slot(flags, "crm")).unwrap();
    assert_eq!(host.resolve(flags, slot, NOBODY, 0.0), 0);
    assert_ne!(host.take_outcome(flags, 0), "");
    assert_eq!(host.take_outcome(flags, 0), "", "nothing new");
    assert_eq!(host.resolve(flags, slot, NOBODY, 0.0), 1);
    assert!(host.take_outcome(flags, 1).ends_with(r#""first":1,"revision":null}"#));
    let premium = host.context(br#"{"plan": "PREMIUM"}"#).unwrap();
    let (lost, after) = (host.slot(flags, "layout"), host.resolve(flags, slot, premium, 0.0));
    let lost = host.resolve(flags, u32::try_from(lost).unwrap(), premium, 0.0);
    assert_eq!((after, lost), (2, 3));
    assert_eq!(host.take_outcome(flags, after), "", "another one came after it");
    assert_eq!(host.resolve(flags, slot, premium, 0.0), 4);
    assert!(host.take_outcome(flags, 4).starts_with(r#"{"enabled":true"#));
}

#[test]
fn an_answer_is_of_the_current_set_though_sets_that_were_not_asked_came_between() {
    let (mut host, flags) = host();
    let rows = |value: usize| format!(r#"[{{"name": "crm", "enabled": false, "off_value": "{value}"}}]"#);
    let _ = host.publish(flags, rows(0).as_bytes(), Options::default());
    let slot = u32::try_from(host.slot(flags, "crm")).unwrap();
    let mut told = std::collections::HashMap::new();
    for value in 1..5000 {
        // Freed sets leave their addresses to those that come after.
        for unasked in 0..value % 4 {
            let _ = host.publish(flags, rows(unasked).as_bytes(), Options::default());
            if value % 3 == 0 {
                let _ = host.is_enabled(flags, slot, NOBODY);
            }
        }
        let _ = host.publish(flags, rows(value).as_bytes(), Options::default());
        let number = host.resolve(flags, slot, NOBODY, 0.0);
        let words = told.entry(number).or_insert_with(|| host.take_outcome(flags, number));
        assert!(words.contains(&format!(r#""value":"{value}""#)), "{words}, expected {value}");
    }
}

#[test]
fn a_number_that_stands_for_nothing_gives_nothing() {
    let (mut host, flags) = host();
    host.close(flags);
    assert!(!host.is_enabled(flags, 0, NOBODY));
    assert_eq!(host.resolve(flags, 7, 9, 0.0), u32::MAX);
    assert_eq!((host.about(flags).as_str(), host.slot(flags, "crm")), ("", NOT_READY));
    host.forget(NOBODY);
    assert!(host.contexts.get(NOBODY).is_some(), "the two fixed contexts stay");
    assert_eq!(host.context(b"[]"), None);
    assert!(!host.scratch(b"7"));
}

#[cfg(feature = "sync")]
#[test]
fn a_protocol_says_what_to_do_after_each_event() {
    let (mut host, _) = host();
    let policy = r#"{"seed": 7, "interval_ms": 1000, "jitter_percent": 0, "stale_after_ms": 4000, "backoff_min_ms": 10, "backoff_max_ms": 10, "spread_ms": 0}"#;
    let protocol = host.protocol(policy).unwrap();
    let mut step = |event: &str| host.step(protocol, event);
    assert_eq!(step(r#"{"event": "next", "now_ms": 0}"#), r#"{"ask":{"etag":null,"revision":null,"in_full":true}}"#);
    assert_eq!(step(r#"{"event": "published", "now_ms": 5, "revision": 3, "etag": "e"}"#), r#"{"wait_ms":1000}"#);
    assert_eq!(step(r#"{"event": "refresh", "now_ms": 6}"#), r#"{"ask":{"etag":"e","revision":3,"in_full":false}}"#);
    let failed = r#"{"event": "failure", "now_ms": 7, "error": "away", "retry_after_ms": 3000}"#;
    assert_eq!(step(failed), r#"{"wait_ms":3000}"#);
    assert_eq!(
        step(r#"{"event": "status", "now_ms": 9}"#),
        r#"{"state":"failing","revision":3,"age_ms":4,"failures":1,"last_error":{"error":"away","at_ms":7}}"#
    );
    assert_eq!(step(r#"{"event": "not_modified", "now_ms": 10}"#), r#"{"wait_ms":1000}"#);
    assert_eq!(step(r#"{"event": "notified", "now_ms": 11}"#), r#"{"ask":{"etag":"e","revision":3,"in_full":false}}"#);
    assert!(step(r#"{"event": "older", "now_ms": 12, "revision": 2, "current": 3}"#).starts_with(r#"{"wait_ms":"#));
    assert!(step(r#"{"event": "status", "now_ms": 12}"#).contains("revision 2 is older than the current one, 3"));
    assert!(step(r#"{"event": "from_cache", "now_ms": 12, "revision": 9}"#).starts_with(r#"{"wait_ms":"#));
    assert!(step(r#"{"event": "disconnected", "now_ms": 12}"#).starts_with(r#"{"wait_ms":"#));
    assert!(!host.is_known(protocol, b"[]") && host.is_known(protocol, b"[]"));
    host.end(protocol);
    assert_eq!((host.step(protocol, "{}"), host.is_known(protocol, b"[]")), (String::new(), false));
}

#[cfg(feature = "sync")]
#[test]
fn a_stream_of_events_is_read_in_pieces_until_it_is_ended() {
    let (mut host, _) = host();
    let (one, other) = (host.stream().unwrap(), host.stream().unwrap());
    assert!(!host.has_news(one, b"data: 1\n"));
    assert!(!host.has_news(other, b"\n"), "each stream has lines of its own");
    assert!(host.has_news(one, b"\n"));
    host.end_stream(one);
    assert!(!host.has_news(one, b"data: 1\n\n") && host.has_news(other, b"data: 1\n\n"));
}
