//! Ten thousand apps and one store, as a simulation of the protocol: through an outage and its end, through a
//! deployment, with and without notifications. `docs/SCALE.md` quotes what it prints.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a test stops at what is wrong, and shows rates to people"
)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use esclusa::sync::{Action, Policy, Protocol, Response};

const CLIENTS: u64 = 10_000;
/// Until when the simulation runs, in milliseconds.
const END_MS: u64 = 1_200_000;
/// When the store is away.
const OUTAGE_MS: Range<u64> = 300_000..600_000;

/// What happens to the store and its clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Story {
    /// The store is asked once an interval, and is away for five minutes.
    Polling,
    /// The same with clients that hold a connection for notifications: all are cut off at once when the outage begins.
    Disconnected,
    /// The connections break, and the store is there all the time (a restart, a failover).
    Restart,
    /// Every client starts in the same second.
    Deployment,
}

struct Asks {
    /// Asks in each second.
    per_second: Vec<u64>,
    /// The longest that any client took from the end of the outage to a good answer.
    slowest_recovery_ms: u64,
}

impl Asks {
    fn steady(&self) -> f64 {
        let seconds = self.per_second.get(240..300).unwrap();
        seconds.iter().sum::<u64>() as f64 / seconds.len() as f64
    }

    /// The most in one second from the beginning of the outage on.
    fn peak(&self, from_ms: u64) -> f64 {
        let from = usize::try_from(from_ms / 1_000).unwrap();
        *self.per_second.get(from..).unwrap().iter().max().unwrap() as f64
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at_ms: Reverse<u64>,
    client: usize,
    /// Only the latest plan of a client counts.
    plan: u64,
}

fn simulate(story: Story) -> Asks {
    let policy = Policy::default();
    let mut clients: Vec<(Protocol, u64)> =
        (0..CLIENTS).map(|seed| (Protocol::new(policy, seed).unwrap(), 0)).collect();
    let mut due = BinaryHeap::new();
    for client in 0..clients.len() {
        // Apps start over one interval, as a rolling deployment does, or all in one second.
        let over = if story == Story::Deployment { 1_000 } else { policy.interval_ms };
        due.push(Due { at_ms: Reverse(client as u64 * over / CLIENTS), client, plan: 0 });
    }
    let mut asks = Asks { per_second: vec![0; usize::try_from(END_MS / 1_000).unwrap()], slowest_recovery_ms: 0 };
    let mut is_cut = matches!(story, Story::Disconnected | Story::Restart);
    while let Some(Due { at_ms: Reverse(now), client, plan }) = due.pop() {
        if now >= END_MS {
            break;
        }
        if is_cut && now >= OUTAGE_MS.start {
            is_cut = false;
            for (client, (protocol, plan)) in clients.iter_mut().enumerate() {
                protocol.disconnected(OUTAGE_MS.start);
                *plan += 1;
                if let Action::Wait { ms } = protocol.next(OUTAGE_MS.start) {
                    due.push(Due { at_ms: Reverse(OUTAGE_MS.start + ms), client, plan: *plan });
                }
            }
        }
        let (protocol, current) = clients.get_mut(client).unwrap();
        if plan != *current {
            continue;
        }
        assert!(matches!(protocol.next(now), Action::Ask(_)), "it is asked for what is due");
        *asks.per_second.get_mut(usize::try_from(now / 1_000).unwrap()).unwrap() += 1;
        let status = protocol.status(now);
        let is_away = OUTAGE_MS.contains(&now) && matches!(story, Story::Polling | Story::Disconnected);
        let response = match status.age_ms {
            _ if is_away => Response::Failure { error: "503".to_owned(), retry_after_ms: None },
            None => Response::Published { revision: Some(1), etag: None },
            Some(_) => Response::NotModified,
        };
        if !is_away && status.failures > 0 {
            asks.slowest_recovery_ms = asks.slowest_recovery_ms.max(now - OUTAGE_MS.end);
        }
        protocol.receive(now, response);
        let Action::Wait { ms } = protocol.next(now) else { continue };
        due.push(Due { at_ms: Reverse(now + ms), client, plan });
    }
    asks
}

#[test]
fn no_thundering_herd() {
    println!("10,000 apps, asks of the store per second");
    for story in [Story::Polling, Story::Disconnected, Story::Restart] {
        let asks = simulate(story);
        let (steady, during) = (asks.steady(), asks.peak(OUTAGE_MS.start));
        let after = asks.peak(OUTAGE_MS.end);
        println!(
            "{story:?}: steady {steady:.0}, at most {during:.0} ({:.2} times) from the break on, {after:.0} ({:.2} times) \
             after its end; all have an answer {:.0} s after it",
            during / steady,
            after / steady,
            asks.slowest_recovery_ms as f64 / 1_000.0
        );
        let per_second = |seconds: &[u64]| seconds.iter().sum::<u64>() / seconds.len() as u64;
        let drawn: Vec<u64> = asks.per_second.get(240..720).unwrap().chunks(20).map(per_second).collect();
        println!("  on average in each 20 s from 240 s on: {drawn:?}");
        assert!(during <= 3.0 * steady, "{story:?}: {during} asks in one second, {steady} when steady");
        let most = Policy::default().backoff_max_ms;
        assert!(asks.slowest_recovery_ms <= most, "{story:?}: recovered after {} ms", asks.slowest_recovery_ms);
    }
}

/// Apps that all start in one second ask in one second; after that they spread out by themselves.
#[test]
fn a_deployment_spreads_out() {
    let asks = simulate(Story::Deployment);
    let steady = asks.steady();
    let tenth_minute = *asks.per_second.get(270..300).unwrap().iter().max().unwrap() as f64;
    println!(
        "Deployment: {} in the first second, at most {tenth_minute:.0} in a second of the fifth minute, {steady:.0} on average",
        asks.per_second.first().unwrap()
    );
    assert!(tenth_minute <= 3.0 * steady, "{tenth_minute} in one second of the fifth minute, {steady} on average");
}
