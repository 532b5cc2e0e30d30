//! The protocol of staying fresh, sentence by sentence (section 11 of SEMANTICS.md).
#![expect(clippy::panic, reason = "a test stops at what is wrong")]

use esclusa::sync::{Action, MAX_RETRY_AFTER_MS, Policy, Protocol, Request, Response, State};
use esclusa::{Context, FlagSet, Flags};

const POLICY: Policy = Policy {
    interval_ms: 10_000,
    jitter_percent: 20,
    stale_after_ms: Some(30_000),
    backoff_min_ms: 500,
    backoff_max_ms: 8_000,
    spread_ms: 200,
};

fn published(revision: u64) -> Response {
    Response::Published { revision: Some(revision), etag: Some(format!("\"{revision}\"")) }
}

/// What comes of publishing these bytes.
fn publish(flags: &Flags, json: &str) -> Response {
    match FlagSet::from_json(json.as_bytes()) {
        Ok(set) => Response::of(&flags.publish(set), Some("x".to_owned())),
        Err(error) => failure(&error.to_string()),
    }
}

fn failure(error: &str) -> Response {
    Response::Failure { error: error.to_owned(), retry_after_ms: None }
}

fn wait(protocol: &mut Protocol, now_ms: u64) -> u64 {
    match protocol.next(now_ms) {
        Action::Ask(_) => 0,
        Action::Wait { ms } => ms,
    }
}

fn request(protocol: &mut Protocol, now_ms: u64) -> Request {
    match protocol.next(now_ms) {
        Action::Ask(request) => request,
        Action::Wait { ms } => panic!("it waits {ms} ms, expected it to ask"),
    }
}

/// The request of a protocol that knows nothing yet (11.16).
const IN_FULL: Request = Request { etag: None, revision: None, in_full: true, allow_empty: false };

#[test]
fn it_asks_at_once_and_then_once_an_interval() {
    let mut protocol = Protocol::new(POLICY, 7).unwrap();
    assert_eq!(protocol.status(0).state, State::Starting);
    assert_eq!(request(&mut protocol, 0), IN_FULL);
    protocol.receive(100, published(1));
    let status = protocol.status(100);
    assert_eq!((status.state, status.revision, status.age_ms), (State::Fresh, Some(1), Some(0)));
    let due = wait(&mut protocol, 100);
    assert!((8_000..=10_000).contains(&due), "{due} ms is an interval less at most a fifth (11.3)");
    assert_eq!(
        request(&mut protocol, 100 + due),
        Request { etag: Some("\"1\"".to_owned()), revision: Some(1), in_full: false, allow_empty: false }
    );
    protocol.receive(100 + due, Response::NotModified);
    assert_eq!(protocol.status(100 + due).age_ms, Some(0), "not modified is as good as a snapshot (11.2)");
    assert_eq!(protocol.status(100 + due + 30_000).state, State::Stale);
    protocol.refresh(200 + due);
    assert_eq!(wait(&mut protocol, 200 + due), 0);
}

#[test]
fn failures_back_off_and_turn_nothing_off() {
    let (flags, mut protocol) = (Flags::new(), Protocol::new(POLICY, 7).unwrap());
    let good = |revision: u64| {
        format!(r#"{{"esclusa": 1, "revision": {revision}, "flags": [{{"name": "f", "enabled": true}}]}}"#)
    };
    protocol.receive(0, publish(&flags, &good(3)));
    let mut now = 10_000;
    for failures in 1..=70_u32 {
        let response = match failures % 4 {
            0 => failure("connection reset"),
            1 => publish(&flags, "{\"esclusa\": 1, \"fla"),
            2 => publish(&flags, &good(2)),
            _ => publish(&flags, "<html>"),
        };
        protocol.receive(now, response);
        assert!(flags.is_enabled("f", &Context::anonymous()), "no failure turns anything off (11.8)");
        let status = protocol.status(now);
        assert_eq!((status.state, status.failures, status.revision), (State::Failing, failures, Some(3)));
        assert_eq!(status.last_error.unwrap().1, now);
        let due = wait(&mut protocol, now);
        // There are answers, so half the interval is the least.
        let most = 500_u64.saturating_mul(1 << (failures - 1).min(40)).clamp(5_000, 8_000);
        assert!(
            (most / 2..=most).contains(&due),
            "failure {failures}: {due} ms, expected {} to {most} (11.4)",
            most / 2
        );
        now += due;
        assert_eq!(request(&mut protocol, now).etag.as_deref(), Some("x"), "the tag of the last good answer (11.5)");
    }
    protocol.receive(now, publish(&flags, &good(4)));
    let status = protocol.status(now);
    assert_eq!((status.state, status.failures, status.revision), (State::Fresh, 0, Some(4)));
    assert!(status.last_error.is_some(), "what went wrong last can still be read");
}

#[test]
fn without_answers_the_first_retries_come_quickly() {
    let mut protocol = Protocol::new(POLICY, 7).unwrap();
    let waits = [500, 1_000, 2_000, 4_000, 8_000, 8_000].map(|most| {
        protocol.receive(0, failure("away"));
        (wait(&mut protocol, 0), most)
    });
    assert!(waits.iter().all(|(ms, most)| (most / 2..=*most).contains(ms)), "(11.4): {waits:?}");
}

#[test]
fn an_older_revision_says_so_in_the_status() {
    let mut protocol = Protocol::new(POLICY, 7).unwrap();
    protocol.receive(0, published(3));
    protocol.receive(1, Response::Older { revision: 2, current: 3 });
    let status = protocol.status(1).to_value().to_string();
    let error = r#"{"error":"revision 2 is older than the current one, 3","at_ms":1}"#;
    assert_eq!(
        status,
        format!(r#"{{"state":"failing","revision":3,"age_ms":1,"failures":1,"last_error":{error}}}"#),
        "(11.13)"
    );
}

#[test]
fn retry_after_counts_up_to_an_hour() {
    let mut protocol = Protocol::new(POLICY, 7).unwrap();
    let asked = |retry_after_ms| Response::Failure { error: "429".to_owned(), retry_after_ms: Some(retry_after_ms) };
    protocol.receive(0, asked(60_000));
    assert_eq!(wait(&mut protocol, 0), 60_000);
    protocol.notified(1);
    assert_eq!(wait(&mut protocol, 1), 59_999, "a notification does not shorten it (11.9)");
    protocol.receive(60_000, asked(u64::MAX));
    assert_eq!(wait(&mut protocol, 60_000), MAX_RETRY_AFTER_MS);
    protocol.refresh(60_000);
    assert_eq!(wait(&mut protocol, 60_000), 0, "a person may refresh at any time (11.9)");
}

#[test]
fn a_notification_is_followed_soon_and_at_different_times() {
    let waits: Vec<u64> = (0..200)
        .map(|seed| {
            let mut protocol = Protocol::new(POLICY, seed).unwrap();
            protocol.receive(0, published(1));
            protocol.notified(1_000);
            wait(&mut protocol, 1_000)
        })
        .collect();
    assert!(waits.iter().all(|ms| *ms <= 200), "within the spread (11.9): {waits:?}");
    let early = waits.iter().filter(|ms| **ms < 100).count();
    assert!((60..=140).contains(&early), "{early} of 200 in the first half, expected about half");

    let mut protocol = Protocol::new(POLICY, 7).unwrap();
    (0..10).for_each(|now| protocol.receive(now, failure("away")));
    assert!(wait(&mut protocol, 9) > 200);
    protocol.notified(9);
    assert!(wait(&mut protocol, 9) <= 200, "also while the source fails (11.9)");
    protocol.receive(10, published(2));
    (0..100).for_each(|now| protocol.notified(10 + now));
    assert!(wait(&mut protocol, 110) <= 100, "further notifications put nothing off");
}

#[test]
fn a_way_that_is_cut_off_brings_the_next_ask_forward_but_no_retry() {
    let waits: Vec<u64> = (0..200)
        .map(|seed| {
            let mut protocol = Protocol::new(POLICY, seed).unwrap();
            protocol.receive(0, published(1));
            protocol.disconnected(0);
            wait(&mut protocol, 0)
        })
        .collect();
    assert!(waits.iter().all(|ms| *ms <= 6_666), "within two thirds of the interval (11.10): {waits:?}");
    assert!(waits.iter().any(|ms| *ms < 1_000) && waits.iter().any(|ms| *ms > 5_000), "spread out: {waits:?}");
    let mut protocol = Protocol::new(POLICY, 7).unwrap();
    (0..10).for_each(|now| protocol.receive(now, failure("away")));
    let due = wait(&mut protocol, 9);
    protocol.disconnected(9);
    assert_eq!(wait(&mut protocol, 9), due, "(11.10)");
}

#[test]
fn not_modified_without_anything_is_a_failure_and_drops_the_tag() {
    let mut protocol = Protocol::new(POLICY, 7).unwrap();
    protocol.from_cache(0, Some(1));
    let status = protocol.status(0);
    assert_eq!((status.state, status.revision), (State::Stale, Some(1)), "a cached copy makes nothing fresh (11.2)");
    protocol.receive(0, Response::NotModified);
    assert_eq!(protocol.status(0).state, State::Failing);
    let due = wait(&mut protocol, 0);
    assert_eq!(request(&mut protocol, due), IN_FULL);
}

#[test]
fn the_same_bytes_are_known_once_they_were_taken() {
    let mut protocol = Protocol::new(POLICY, 7).unwrap();
    protocol.from_cache(0, None);
    assert!(!protocol.is_known(b"[]"), "a cached copy is not what the source said");
    protocol.receive(0, published(1));
    assert!(protocol.is_known(b"[]"), "(11.11)");
    assert!(!protocol.is_known(b"[{}]"));
    protocol.receive(1, failure("refused"));
    assert!(!protocol.is_known(b"[{}]"), "bytes that were refused are looked at again");
}

#[test]
fn copies_of_a_process_have_answers_and_do_not_ask_at_the_same_moment() {
    let mut dues: Vec<u64> = (0..1000)
        .map(|seed| {
            let mut protocol = Protocol::new(POLICY, seed).unwrap();
            protocol.inherited(5_000, Some(3));
            let status = protocol.status(5_000);
            assert_eq!((status.state, status.revision), (State::Stale, Some(3)));
            match protocol.next(5_000) {
                Action::Wait { ms } => ms,
                Action::Ask(request) => {
                    assert_eq!(request, IN_FULL, "what the original knows is not known here");
                    0
                }
            }
        })
        .collect();
    dues.sort_unstable();
    assert!(dues.last().is_some_and(|last| *last <= POLICY.spread_ms), "(11.14)");
    dues.dedup();
    assert!(dues.len() > usize::try_from(POLICY.spread_ms).unwrap_or(usize::MAX) / 2, "{} moments", dues.len());
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let mut protocol = Protocol::new(POLICY, 7).unwrap();
    protocol.receive(50_000, published(1));
    let due = wait(&mut protocol, 50_000);
    assert_eq!(wait(&mut protocol, 10), due, "no sooner and no later (11.7)");
    assert_eq!(protocol.status(10).age_ms, Some(0));
}

#[test]
fn extreme_policies_do_not_overflow() {
    let all = |ms, jitter_percent| Policy {
        interval_ms: ms,
        jitter_percent,
        stale_after_ms: Some(ms),
        backoff_min_ms: ms,
        backoff_max_ms: ms,
        spread_ms: ms,
    };
    assert!(Protocol::new(all(u64::MAX, 0), 0).is_err() && Protocol::new(all(0, 0), 0).is_err());
    for policy in [all(366 * 24 * 3_600_000, 100), all(1, 0)] {
        let mut protocol = Protocol::new(policy, u64::MAX).unwrap();
        for now in [0, 1, u64::MAX / 2, u64::MAX] {
            protocol.receive(now, failure("x"));
            protocol.next(now);
            protocol.notified(now);
            protocol.disconnected(now);
            protocol.receive(now, published(1));
            protocol.next(now);
            let _ = protocol.status(now);
        }
    }
}
