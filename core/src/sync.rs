//! Staying fresh: when to ask a source, what to ask, and what an answer means (section 11 of SEMANTICS.md).
//!
//! A state machine without I/O and without a clock: each host passes the milliseconds of one monotonic clock of its
//! own and does what the returned [`Action`] says. So the rules of retrying are written, tested and fixed once.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::SnapshotError;
use crate::flag_set::FlagSet;
use crate::flags::Flags;
use crate::report::{Outcome, Report};

/// What a store may ask for with `Retry-After` counts for at most this long: one hour, in milliseconds.
pub const MAX_RETRY_AFTER_MS: u64 = 3_600_000;

/// How often to ask and how to retry; all in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// From one good answer to the next ask.
    pub interval_ms: u64,
    /// The part of the interval, 0 to 100 percent, of which a random share is taken off, so that apps spread out.
    pub jitter_percent: u64,
    /// Data older than this is stale.
    pub stale_after_ms: u64,
    /// The wait after the first failure; it doubles with each further one.
    pub backoff_min_ms: u64,
    /// The longest wait after a failure.
    pub backoff_max_ms: u64,
}

/// Ask every 30 seconds; stale after 2 minutes; retry after 1 second and up to every minute.
impl Default for Policy {
    fn default() -> Self {
        Policy {
            interval_ms: 30_000,
            jitter_percent: 20,
            stale_after_ms: 120_000,
            backoff_min_ms: 1_000,
            backoff_max_ms: 60_000,
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask the source now, and pass what comes to [`Protocol::receive`].
    Ask(Request),
    /// Nothing for so many milliseconds.
    Wait {
        /// How long.
        ms: u64,
    },
}

/// What to ask a source with, so that it need not send what is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The entity tag of the last good answer, for `If-None-Match`.
    pub etag: Option<String>,
    /// The revision of the last good answer.
    pub revision: Option<u64>,
}

/// What a source answered.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is moved once")]
pub enum Response {
    /// A snapshot, compiled by the host wherever it likes, and the entity tag that came with it.
    Snapshot {
        /// [`FlagSet::from_json`] of the bytes.
        set: Result<FlagSet, SnapshotError>,
        /// The entity tag.
        etag: Option<String>,
    },
    /// The source says that nothing has changed.
    NotModified,
    /// No usable answer.
    Failure {
        /// What went wrong, without secrets: it is shown in the status.
        error: String,
        /// For how long the source asks to be left alone.
        retry_after_ms: Option<u64>,
    },
}

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is published yet.
    Starting,
    /// The last answer was good, and the data is young.
    Fresh,
    /// The data is older than `stale_after_ms`, or came from a saved copy.
    Stale,
    /// The last ask failed.
    Failing,
}

impl State {
    /// `starting`, `fresh`, `stale` or `failing`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Starting => "starting",
            State::Fresh => "fresh",
            State::Stale => "stale",
            State::Failing => "failing",
        }
    }
}

/// How things stand, with what a person wants to know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// In one word.
    pub state: State,
    /// The revision that is current, if it has one.
    pub revision: Option<u64>,
    /// Milliseconds since the last good answer.
    pub age_ms: Option<u64>,
    /// Failures in a row.
    pub failures: u32,
    /// The last error and when it happened, on the host's clock; it stays when things are good again.
    pub last_error: Option<(String, u64)>,
}

/// The protocol between one source and one [`Flags`].
#[derive(Clone, Debug)]
pub struct Protocol {
    policy: Policy,
    /// Different in every process, so that they do not ask at once.
    seed: u64,
    draws: u64,
    latest_ms: u64,
    next_ask_ms: u64,
    request: Request,
    /// Whether anything from this source is published.
    answered: bool,
    available: bool,
    good_ms: Option<u64>,
    failures: u32,
    last_error: Option<(String, u64)>,
}

impl Protocol {
    /// A protocol that asks at once. The seed should differ from process to process.
    #[must_use]
    pub fn new(policy: Policy, seed: u64) -> Self {
        Protocol {
            policy,
            seed,
            draws: 0,
            latest_ms: 0,
            next_ask_ms: 0,
            request: Request::default(),
            answered: false,
            available: false,
            good_ms: None,
            failures: 0,
            last_error: None,
        }
    }

    /// What to do at this time. A host asks again after every wait and every answer.
    pub fn next(&mut self, now_ms: u64) -> Action {
        let now_ms = self.advance(now_ms);
        match self.next_ask_ms.saturating_sub(now_ms) {
            0 => Action::Ask(self.request.clone()),
            ms => Action::Wait { ms },
        }
    }

    /// Something says that there is news (a notification, a person): the next action is to ask.
    pub fn wake(&mut self, now_ms: u64) {
        self.next_ask_ms = self.advance(now_ms);
    }

    /// Publishes a saved or bundled copy, so that there are answers while the source is away; it makes nothing fresh.
    pub fn restore(&mut self, now_ms: u64, set: FlagSet, flags: &Flags) -> Report {
        self.advance(now_ms);
        let report = flags.publish(set);
        self.available |= report.is_published();
        report
    }

    /// Takes an answer: publishes a good snapshot and says what changed, and decides when to ask again.
    pub fn receive(&mut self, now_ms: u64, response: Response, flags: &Flags) -> Option<Report> {
        let now_ms = self.advance(now_ms);
        match response {
            Response::Snapshot { set: Ok(set), etag } => {
                let report = flags.publish(set);
                match report.outcome() {
                    Outcome::Published => {
                        self.request = Request { etag, revision: report.revision() };
                        (self.answered, self.available) = (true, true);
                        self.succeed(now_ms);
                    }
                    Outcome::Older { current } => {
                        let offered = report.revision().unwrap_or_default();
                        self.fail(now_ms, format!("revision {offered} is older than the current one, {current}"), None);
                    }
                }
                Some(report)
            }
            Response::Snapshot { set: Err(error), .. } => {
                self.fail(now_ms, error.to_string(), None);
                None
            }
            Response::NotModified if self.answered => {
                self.succeed(now_ms);
                None
            }
            Response::NotModified => {
                self.request = Request::default();
                self.fail(now_ms, "not modified, but there is nothing yet, expected a snapshot".to_owned(), None);
                None
            }
            Response::Failure { error, retry_after_ms } => {
                self.fail(now_ms, error, retry_after_ms);
                None
            }
        }
    }

    /// How things stand at this time.
    #[must_use]
    pub fn status(&self, now_ms: u64, flags: &Flags) -> Status {
        let now_ms = now_ms.max(self.latest_ms);
        let age_ms = self.good_ms.map(|good| now_ms - good);
        let state = match age_ms {
            _ if !self.available => State::Starting,
            _ if self.failures > 0 => State::Failing,
            Some(age) if age < self.policy.stale_after_ms => State::Fresh,
            _ => State::Stale,
        };
        Status {
            state,
            revision: flags.current().revision(),
            age_ms,
            failures: self.failures,
            last_error: self.last_error.clone(),
        }
    }

    /// A clock that goes back counts as one that stands still (11.7).
    fn advance(&mut self, now_ms: u64) -> u64 {
        self.latest_ms = self.latest_ms.max(now_ms);
        self.latest_ms
    }

    fn succeed(&mut self, now_ms: u64) {
        self.failures = 0;
        self.good_ms = Some(now_ms);
        let interval = self.policy.interval_ms;
        let jitter = self.policy.jitter_percent.min(100);
        let off = self.draw(part(interval, jitter, 100));
        self.next_ask_ms = now_ms.saturating_add(interval - off);
    }

    fn fail(&mut self, now_ms: u64, error: String, retry_after_ms: Option<u64>) {
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some((error, now_ms));
        let doubled = 1_u64.checked_shl(self.failures - 1).unwrap_or(u64::MAX);
        let wait = self.policy.backoff_min_ms.saturating_mul(doubled).min(self.policy.backoff_max_ms);
        let wait = wait - self.draw(wait / 2);
        let asked_for = retry_after_ms.unwrap_or_default().min(MAX_RETRY_AFTER_MS);
        self.next_ask_ms = now_ms.saturating_add(wait.max(asked_for));
    }

    /// A number from 0 to `most`, from the seed and how many have been drawn.
    fn draw(&mut self, most: u64) -> u64 {
        self.draws += 1;
        let random = xxh3_64_with_seed(&self.draws.to_le_bytes(), self.seed);
        part(most.saturating_add(1), random >> 32, 1 << 32).min(most)
    }
}

/// `whole × share / of`, for a share that is at most `of`.
fn part(whole: u64, share: u64, of: u64) -> u64 {
    u64::try_from(u128::from(whole) * u128::from(share) / u128::from(of.max(1))).unwrap_or(whole)
}
