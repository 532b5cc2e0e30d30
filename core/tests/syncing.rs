//! The protocol of staying fresh, sentence by sentence (section 11 of SEMANTICS.md), and as a simulation of many clients.
#![expect(clippy::panic, clippy::cast_precision_loss, reason = "a test stops at what is wrong")]

use esclusa::sync::{Action, MAX_RETRY_AFTER_MS, Policy, Protocol, Request, Response, State};
use esclusa::{Context, FlagSet, Flags, SnapshotError};

const POLICY: Policy = Policy {
    interval_ms: 10_000,
    jitter_percent: 20,
    stale_after_ms: 30_000,
    backoff_min_ms: 500,
    backoff_max_ms: 8_000,
};

fn parse(revision: u64) -> Result<FlagSet, SnapshotError> {
    let json = format!(r#"{{"esclusa": 1, "revision": {revision}, "flags": [{{"name": "f", "enabled": true}}]}}"#);
    FlagSet::from_json(json.as_bytes())
}

fn snapshot(revision: u64) -> Response {
    Response::Snapshot { set: parse(revision), etag: Some(format!("\"{revision}\"")) }
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

#[test]
fn it_asks_at_once_and_then_once_an_interval() {
    let (flags, mut protocol) = (Flags::new(), Protocol::new(POLICY, 7));
    assert_eq!(protocol.status(0, &flags).state, State::Starting);
    assert_eq!(request(&mut protocol, 0), Request::default());
    assert!(protocol.receive(100, snapshot(1), &flags).unwrap().is_published());
    let status = protocol.status(100, &flags);
    assert_eq!((status.state, status.revision, status.age_ms), (State::Fresh, Some(1), Some(0)));
    let due = wait(&mut protocol, 100);
    assert!((8_000..=10_000).contains(&due), "{due} ms is an interval less at most a fifth (11.3)");
    assert_eq!(request(&mut protocol, 100 + due), Request { etag: Some("\"1\"".to_owned()), revision: Some(1) });
    assert!(protocol.receive(100 + due, Response::NotModified, &flags).is_none());
    assert_eq!(protocol.status(100 + due, &flags).age_ms, Some(0), "not modified is as good as a snapshot (11.2)");
    assert_eq!(protocol.status(100 + due + 30_000, &flags).state, State::Stale);
    protocol.wake(200 + due);
    assert_eq!(wait(&mut protocol, 200 + due), 0);
}

#[test]
fn failures_back_off_and_turn_nothing_off() {
    let (flags, mut protocol) = (Flags::new(), Protocol::new(POLICY, 7));
    protocol.receive(0, snapshot(3), &flags);
    let mut now = 10_000;
    for failures in 1..=70_u32 {
        let response = match failures % 4 {
            0 => failure("connection reset"),
            1 => Response::Snapshot { set: FlagSet::from_json(b"{\"esclusa\": 1, \"fla"), etag: None },
            2 => snapshot(2),
            _ => Response::Snapshot { set: FlagSet::from_json(b"<html>"), etag: Some("x".to_owned()) },
        };
        protocol.receive(now, response, &flags);
        assert!(flags.is_enabled("f", &Context::anonymous()), "no failure turns anything off (11.8)");
        let status = protocol.status(now, &flags);
        assert_eq!((status.state, status.failures, status.revision), (State::Failing, failures, Some(3)));
        assert_eq!(status.last_error.unwrap().1, now);
        let due = wait(&mut protocol, now);
        let most = 500_u64.saturating_mul(1 << (failures - 1).min(40)).min(8_000);
        assert!(
            (most / 2..=most).contains(&due),
            "failure {failures}: {due} ms, expected {} to {most} (11.4)",
            most / 2
        );
        now += due;
        assert_eq!(
            request(&mut protocol, now).etag.as_deref(),
            Some("\"3\""),
            "the tag of the last good answer (11.5)"
        );
    }
    protocol.receive(now, snapshot(4), &flags);
    let status = protocol.status(now, &flags);
    assert_eq!((status.state, status.failures, status.revision), (State::Fresh, 0, Some(4)));
    assert!(status.last_error.is_some(), "what went wrong last can still be read");
}

#[test]
fn an_older_revision_says_so_in_the_status() {
    let (flags, mut protocol) = (Flags::new(), Protocol::new(POLICY, 7));
    protocol.receive(0, snapshot(3), &flags);
    assert!(!protocol.receive(1, snapshot(2), &flags).unwrap().is_published());
    let error = protocol.status(1, &flags).last_error.unwrap().0;
    assert_eq!(error, "revision 2 is older than the current one, 3");
}

#[test]
fn retry_after_counts_up_to_an_hour() {
    let (flags, mut protocol) = (Flags::new(), Protocol::new(POLICY, 7));
    let asked = |retry_after_ms| Response::Failure { error: "429".to_owned(), retry_after_ms: Some(retry_after_ms) };
    protocol.receive(0, asked(60_000), &flags);
    assert_eq!(wait(&mut protocol, 0), 60_000);
    protocol.receive(60_000, asked(u64::MAX), &flags);
    assert_eq!(wait(&mut protocol, 60_000), MAX_RETRY_AFTER_MS);
}

#[test]
fn not_modified_without_anything_is_a_failure_and_drops_the_tag() {
    let (flags, mut protocol) = (Flags::new(), Protocol::new(POLICY, 7));
    let _ = protocol.restore(0, parse(1).unwrap(), &flags);
    assert_eq!(protocol.status(0, &flags).state, State::Stale, "a saved copy makes nothing fresh (11.2)");
    protocol.receive(0, Response::NotModified, &flags);
    assert_eq!(protocol.status(0, &flags).state, State::Failing);
    let due = wait(&mut protocol, 0);
    assert_eq!(request(&mut protocol, due), Request::default());
    assert!(flags.is_enabled("f", &Context::anonymous()));
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let (flags, mut protocol) = (Flags::new(), Protocol::new(POLICY, 7));
    protocol.receive(50_000, snapshot(1), &flags);
    let due = wait(&mut protocol, 50_000);
    assert_eq!(wait(&mut protocol, 10), due, "no sooner and no later (11.7)");
    assert_eq!(protocol.status(10, &flags).age_ms, Some(0));
}

#[test]
fn extreme_policies_do_not_overflow() {
    let most = Policy {
        interval_ms: u64::MAX,
        jitter_percent: u64::MAX,
        stale_after_ms: u64::MAX,
        backoff_min_ms: u64::MAX,
        backoff_max_ms: u64::MAX,
    };
    let none = Policy { interval_ms: 0, jitter_percent: 0, stale_after_ms: 0, backoff_min_ms: 0, backoff_max_ms: 0 };
    for policy in [most, none] {
        let (flags, mut protocol) = (Flags::new(), Protocol::new(policy, u64::MAX));
        for now in [0, 1, u64::MAX / 2, u64::MAX] {
            protocol.receive(now, failure("x"), &flags);
            protocol.next(now);
            protocol.receive(now, snapshot(1), &flags);
            protocol.next(now);
            let _ = protocol.status(now, &flags);
        }
    }
}

/// Ten thousand clients of one store through five minutes of outage: it is not overrun when it comes back.
#[test]
fn ten_thousand_clients_make_no_thundering_herd() {
    const CLIENTS: u64 = 10_000;
    let policy = Policy::default();
    let (outage, end) = (120_000..420_000, 900_000);
    let flags = Flags::new();
    let mut due: std::collections::BinaryHeap<(std::cmp::Reverse<u64>, usize)> = Default::default();
    let mut clients: Vec<Protocol> = Vec::new();
    for client in 0..CLIENTS {
        clients.push(Protocol::new(policy, client));
        // Apps start over one interval, as a rolling deployment does.
        due.push((std::cmp::Reverse(client * policy.interval_ms / CLIENTS), clients.len() - 1));
    }
    let _ = flags.publish(parse(1).unwrap());
    let mut asks = vec![0_u64; 900];
    while let Some((std::cmp::Reverse(now), client)) = due.pop() {
        if now >= end {
            break;
        }
        let protocol = clients.get_mut(client).unwrap();
        assert!(matches!(protocol.next(now), Action::Ask(_)));
        *asks.get_mut(usize::try_from(now / 1_000).unwrap()).unwrap() += 1;
        let first = protocol.status(now, &flags).age_ms.is_none();
        let response = match outage.contains(&now) {
            true => failure("503"),
            false if first => snapshot(1),
            false => Response::NotModified,
        };
        protocol.receive(now, response, &flags);
        due.push((std::cmp::Reverse(now + wait(protocol, now)), client));
    }
    let rate = |range: std::ops::Range<usize>| asks.get(range).unwrap().iter().sum::<u64>() as f64 / 60.0;
    let steady = rate(840..900);
    let peak = *asks.get(420..900).unwrap().iter().max().unwrap() as f64;
    println!("steady {steady:.0} asks a second, peak after the outage {peak:.0}: {:.2} times", peak / steady);
    assert!(peak <= 3.0 * steady, "a peak of {peak} after the outage, {steady} when steady");
}
