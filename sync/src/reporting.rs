//! What was counted, on its way to a server: once a minute as `POST /v1/usage` (section 4 of `spec/GUARD.md`).
//!
//! Through an outage the counts of a report grow, so that it takes no more room; it keeps its minute, of which the highest
//! count stands, so that a report of which nobody knows whether it has arrived is not counted twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use esclusa::{Json, Time};
use tokio::sync::Mutex as Turn;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use crate::counting::{Counted, Counting};
use crate::http::Http;
use crate::source::Failure;

const EVERY: Duration = Duration::from_secs(60);
/// How long the server may take.
const WITHIN: Duration = Duration::from_secs(15);
const MINUTE_MS: i64 = 60_000;
/// After this time a report gets a new minute, since a server forgets the minutes before yesterday.
const OLDEST_MS: i64 = 24 * 60 * MINUTE_MS;
/// How many numbers wait: through an outage there may come more of them.
const MAX_SERIES: usize = 10_000;
/// How many of them are one body, which is then smaller than 1 MiB.
const TOGETHER: usize = 1_900;

/// How reports have gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// Reports that the server has taken.
    pub taken: u64,
    /// Evaluations that are counted and not reported yet.
    pub waiting: u64,
    /// Evaluations that are in no report: their number of flags, variants and reasons was too large, or the server refused
    /// the report.
    pub dropped: u64,
    /// Why the last report was not taken; none if it was.
    pub problem: Option<String>,
}

/// Reports until this is dropped.
#[derive(Debug)]
#[must_use = "it reports until it is dropped"]
pub struct Reporting {
    task: JoinHandle<()>,
    sending: Arc<Sending>,
}

impl Reporting {
    /// How reports have gone.
    #[must_use]
    pub fn reported(&self) -> Reported {
        self.sending.reported.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reports now what has been counted: before an app ends.
    ///
    /// # Errors
    /// When the server does not take it; it is then part of the next report.
    pub async fn flush(&self) -> Result<(), Failure> {
        self.sending.send().await
    }
}

impl Drop for Reporting {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reports what is counted to a server once a minute. The URL is that of the reports:
/// `Http::new("https://flags.example.com/v1/usage")`. A server that is away delays no evaluation.
///
/// # Panics
/// Outside a tokio runtime with time enabled.
pub fn report(counting: &Counting, server: Http) -> Reporting {
    let random = fastrand::u64(..);
    let sending = Arc::new(Sending {
        counting: counting.clone(),
        process: format!("{}-{random:016x}", std::process::id()),
        turn: Turn::new((server, Ledger::default())),
        reported: Mutex::default(),
    });
    let own = Arc::clone(&sending);
    let task = tokio::spawn(async move {
        // Processes that begin together do not report together.
        let first = tokio::time::Instant::now() + EVERY.mul_f64(0.5 + fastrand::f64() / 2.0);
        let mut ticks = interval_at(first, EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(failure) = own.send().await {
                tracing::warn!(target: "esclusa", "counts are not reported: {}", failure.error);
            }
        }
    });
    Reporting { task, sending }
}

#[derive(Debug)]
struct Sending {
    counting: Counting,
    process: String,
    turn: Turn<(Http, Ledger)>,
    reported: Mutex<Reported>,
}

impl Sending {
    async fn send(&self) -> Result<(), Failure> {
        let mut turn = self.turn.lock().await;
        let (server, ledger) = &mut *turn;
        let now = Time::from(SystemTime::now());
        let (counts, dropped) = self.counting.take();
        ledger.take(counts, dropped, now);
        let mut answer = Ok(());
        let mut sent = 0;
        for body in ledger.bodies(&self.process, self.counting.flags().current().revision()) {
            let late = |_| (Failure::new(format!("no answer within {} s", WITHIN.as_secs())), false);
            answer = timeout(WITHIN, server.report(body)).await.map_err(late).flatten();
            if answer.is_err() {
                break;
            }
            sent += 1;
        }
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        reported.dropped = reported.dropped.saturating_add(dropped);
        reported.taken += sent;
        // What is wrong with a report stays wrong.
        let is_refused = answer.as_ref().is_err_and(|(_, is_refused)| *is_refused);
        if is_refused {
            reported.dropped = reported.dropped.saturating_add(ledger.waiting());
        }
        if is_refused || answer.is_ok() {
            ledger.taken(now);
        }
        let done = answer.map_err(|(failure, _)| failure);
        reported.waiting = ledger.waiting();
        reported.problem = done.as_ref().err().map(|failure| failure.error.clone());
        done
    }
}

/// What was counted and not taken yet.
#[derive(Debug, Default)]
struct Ledger {
    /// The minute under which it is reported.
    minute: i64,
    counts: HashMap<Counted, u64>,
    /// What was dropped since the last report was taken.
    dropped: u64,
    /// How much of it the server has: the minute is not over yet.
    known: u64,
}

impl Ledger {
    fn take(&mut self, counts: HashMap<Counted, u64>, dropped: u64, now: Time) {
        let minute = now.as_millis().div_euclid(MINUTE_MS);
        if self.waiting() == 0 && minute > self.minute {
            // A new minute: what the server has is not said again.
            (self.counts, self.known) = (HashMap::new(), 0);
        }
        let is_old = self.known == 0 && now.as_millis() - self.minute * MINUTE_MS > OLDEST_MS;
        if self.counts.is_empty() || is_old {
            self.minute = minute;
        }
        self.dropped = self.dropped.saturating_add(dropped);
        for (series, count) in counts {
            let is_full = self.counts.len() >= MAX_SERIES && !self.counts.contains_key(&series);
            let sum = if is_full { &mut self.dropped } else { self.counts.entry(series).or_default() };
            *sum = sum.saturating_add(count);
        }
    }

    /// How much the server has not got.
    fn waiting(&self) -> u64 {
        self.counts.values().sum::<u64>().saturating_sub(self.known)
    }

    /// The server has all of it. In the same minute it is said again, with what comes.
    fn taken(&mut self, now: Time) {
        self.dropped = 0;
        self.known = self.counts.values().sum();
        if now.as_millis().div_euclid(MINUTE_MS) > self.minute {
            (self.counts, self.known) = (HashMap::new(), 0);
        }
    }

    fn bodies(&self, process: &str, revision: Option<u64>) -> Vec<String> {
        if self.waiting() == 0 && self.dropped == 0 {
            return Vec::new();
        }
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let minute = Time::from_millis(self.minute * MINUTE_MS).to_string();
        let counts: Vec<_> = self.counts.iter().collect();
        // One without counts says what was dropped.
        let parts: Vec<&[_]> = if counts.is_empty() { vec![&[]] } else { counts.chunks(TOGETHER).collect() };
        let body = |(at, part): (usize, &[(&Counted, &u64)])| {
            let mut json = Json::default();
            json.object(|json| {
                json.name("esclusa").whole(1);
                json.name("process").text(process);
                json.name("revision").maybe(revision, |json, revision| json.whole(whole(revision)));
                json.name("counts").list(part, |json, ((flag, variant, reason), count)| {
                    json.object(|json| {
                        json.name("flag").text(flag);
                        json.name("variant").maybe(variant.as_deref(), Json::text);
                        json.name("reason").text(reason);
                        json.name("minute").text(&minute);
                        json.name("count").whole(whole(**count));
                    });
                });
                json.name("dropped").whole(if at == 0 { whole(self.dropped) } else { 0 });
            });
            json.into_text()
        };
        parts.into_iter().enumerate().map(body).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use esclusa::Time;

    use super::{Ledger, MINUTE_MS};

    fn at(minute: i64) -> Time {
        Time::from_millis(minute * MINUTE_MS + 100)
    }

    fn counts(count: u64) -> HashMap<super::Counted, u64> {
        HashMap::from([(("crm".to_owned(), Some("on".to_owned()), "STATIC"), count)])
    }

    fn said(ledger: &Ledger) -> String {
        ledger.bodies("app", None).concat()
    }

    #[test]
    fn a_report_grows_through_an_outage_and_keeps_its_minute() {
        let mut ledger = Ledger::default();
        ledger.take(counts(10), 0, at(5));
        let first = said(&ledger);
        assert!(first.contains(r#""minute":"1970-01-01T00:05:00Z","count":10"#), "{first}");
        ledger.take(counts(7), 2, at(6));
        let again = said(&ledger);
        assert!(again.contains(r#""minute":"1970-01-01T00:05:00Z","count":17}],"dropped":2"#), "{again}");
        ledger.taken(at(6));
        assert_eq!((said(&ledger), ledger.waiting()), (String::new(), 0));
        ledger.take(counts(1), 0, at(7));
        assert!(said(&ledger).contains(r#""minute":"1970-01-01T00:07:00Z","count":1}"#), "{}", said(&ledger));
    }

    #[test]
    fn in_one_minute_a_report_says_all_of_it_again() {
        let mut ledger = Ledger::default();
        ledger.take(counts(10), 0, at(5));
        ledger.taken(at(5));
        ledger.take(counts(5), 0, at(5));
        assert!(said(&ledger).contains(r#""count":15"#));
        // It was not taken, and the minute is over.
        ledger.take(counts(2), 0, at(6));
        assert!(said(&ledger).contains(r#""minute":"1970-01-01T00:05:00Z","count":17}"#), "{}", said(&ledger));
        assert_eq!(ledger.waiting(), 7);
    }

    #[test]
    fn after_a_day_a_report_has_a_new_minute_and_many_numbers_are_several_bodies() {
        let mut ledger = Ledger::default();
        ledger.take(counts(10), 0, at(5));
        ledger.take(counts(1), 0, at(2_000));
        assert!(said(&ledger).contains(r#""minute":"1970-01-02T09:20:00Z","count":11}"#), "{}", said(&ledger));
        let many = (0..12_000).map(|key| ((format!("key-{key}"), None, "ERROR"), 1));
        ledger.take(many.collect(), 0, at(2_000));
        let bodies = ledger.bodies("app", Some(3));
        assert_eq!(bodies.len(), 6);
        assert!(bodies.iter().all(|body| body.len() < 1024 * 1024));
        assert_eq!((bodies[0].contains(r#""dropped":2001"#), bodies[1].contains(r#""dropped":0"#)), (true, true));
    }
}
