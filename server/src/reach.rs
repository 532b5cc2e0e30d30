//! How far a change has come: when this server has published it, and when the last client asked that had not got it.

use std::collections::VecDeque;
use std::sync::Mutex;

use esclusa::{Report, Time};

use crate::tap::lock;

/// How many changes are remembered.
const MAX_CHANGES: usize = 200;
/// How many flags of one change.
const MAX_KEYS: usize = 1_000;
/// How long after a change clients are thought to ask for the first time: who comes later was away.
const CLIENTS_WITHIN_MS: i64 = 5 * 60_000;
/// The polls of how many minutes are counted.
const MINUTES: i64 = 5;
const MINUTE_MS: i64 = 60_000;
/// How far the clock of the database may be ahead.
const SKEW_MS: i64 = 2_000;

/// A change as it was published.
#[derive(Clone, Debug)]
struct Change {
    at: Time,
    keys: Vec<String>,
    late: u64,
    last: Option<Time>,
}

/// How a change of a flag has come to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    /// From the change to the answers of this server.
    pub(crate) served_ms: i64,
    /// How many clients have asked that had an earlier revision, within five minutes.
    pub(crate) clients: u64,
    /// From the change to the last of them.
    pub(crate) clients_ms: Option<i64>,
}

/// Polls of the last minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Polls {
    pub(crate) all: u64,
    /// Those that had the current revision.
    pub(crate) current: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Reach {
    changes: Mutex<VecDeque<Change>>,
    /// By minute, the newest last.
    polls: Mutex<VecDeque<(i64, Polls)>>,
}

impl Reach {
    pub(crate) fn published(&self, report: &Report, at: Time) {
        let keys = [report.added(), report.removed(), report.changed()];
        let keys: Vec<String> = keys.into_iter().flatten().take(MAX_KEYS).map(ToString::to_string).collect();
        if keys.is_empty() {
            return;
        }
        let mut changes = lock(&self.changes);
        if changes.len() >= MAX_CHANGES {
            changes.pop_front();
        }
        changes.push_back(Change { at, keys, late: 0, last: None });
    }

    pub(crate) fn polled(&self, is_current: bool, at: Time) {
        let minute = at.as_millis().div_euclid(MINUTE_MS);
        let mut polls = lock(&self.polls);
        polls.retain(|(known, _)| *known > minute - MINUTES);
        if polls.back().is_none_or(|(known, _)| *known != minute) {
            polls.push_back((minute, Polls::default()));
        }
        if let Some((_, polls)) = polls.back_mut() {
            polls.all += 1;
            polls.current += u64::from(is_current);
        }
        drop(polls);
        if !is_current
            && let Some(change) = lock(&self.changes).back_mut()
            && at.as_millis() - change.at.as_millis() < CLIENTS_WITHIN_MS
        {
            change.late += 1;
            change.last = Some(at);
        }
    }

    /// Those of the last five minutes.
    pub(crate) fn polls(&self, now: Time) -> Polls {
        let minute = now.as_millis().div_euclid(MINUTE_MS);
        let polls = lock(&self.polls);
        let recent = polls.iter().filter(|(known, _)| *known > minute - MINUTES);
        recent.fold(Polls::default(), |sum, (_, polls)| Polls {
            all: sum.all + polls.all,
            current: sum.current + polls.current,
        })
    }

    /// How a change of a flag at this time has come to everybody; none if this server has not seen it.
    pub(crate) fn reached(&self, flag: &str, changed: Time) -> Option<Reached> {
        let changes = lock(&self.changes);
        let own = || changes.iter().filter(|change| change.keys.iter().any(|key| key == flag));
        let just_before = || own().rfind(|change| change.at.as_millis() >= changed.as_millis() - SKEW_MS);
        let change = own().find(|change| change.at >= changed).or_else(just_before)?;
        let after = |at: Time| (at.as_millis() - changed.as_millis()).max(0);
        Some(Reached { served_ms: after(change.at), clients: change.late, clients_ms: change.last.map(after) })
    }
}

#[cfg(test)]
mod tests {
    use esclusa::{FlagSet, Flags, Time};

    use super::{Polls, Reach};

    #[test]
    fn a_change_is_measured_until_the_last_client_that_had_not_got_it() {
        let reach = Reach::default();
        let flags = Flags::new();
        let publish = |enabled: bool, at: i64| {
            let rows = format!(r#"[{{"name": "crm", "enabled": {enabled}}}]"#);
            let report = flags.publish(FlagSet::from_json(rows.as_bytes()).unwrap());
            reach.published(&report, Time::from_millis(at));
        };
        publish(true, 0);
        assert_eq!(reach.reached("crm", Time::from_millis(50_000)), None, "it was not published");
        publish(false, 50_040);
        for (is_current, at) in [(false, 50_100), (true, 50_150), (false, 50_900), (true, 51_000)] {
            reach.polled(is_current, Time::from_millis(at));
        }
        let reached = reach.reached("crm", Time::from_millis(50_000)).unwrap();
        assert_eq!((reached.served_ms, reached.clients, reached.clients_ms), (40, 2, Some(900)));
        assert_eq!(reach.reached("other", Time::from_millis(50_000)), None);
        assert_eq!(reach.polls(Time::from_millis(60_000)), Polls { all: 4, current: 2 });
        // Who comes hours later was away.
        reach.polled(false, Time::from_millis(9_000_000));
        assert_eq!(reach.reached("crm", Time::from_millis(50_000)), Some(reached));
        assert_eq!(reach.polls(Time::from_millis(9_000_000)), Polls { all: 1, current: 0 });
    }
}
