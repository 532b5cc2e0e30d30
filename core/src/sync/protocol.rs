//! When to ask a source, what to ask, and what an answer means (section 11 of SEMANTICS.md).
//!
//! A state machine without I/O and without a clock: each host passes the milliseconds of its own monotonic clock,
//! carries out the returned [`Action`] and reports the result. So the rules of retrying are written, tested and fixed
//! once.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::policy::{Policy, PolicyError};
use super::status::{State, Status};
use crate::report::{Outcome, Report};
use crate::value::Value;

/// Upper limit for `Retry-After`: one hour, in milliseconds.
pub const MAX_RETRY_AFTER_MS: u64 = 3_600_000;

/// How often a store is asked for the whole answer, in milliseconds: if an entity tag stays the same although the
/// content changes, the change is late by at most this long.
pub const READ_IN_FULL_EVERY_MS: u64 = 600_000;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask the source now, publish its answer, and pass the result to [`Protocol::receive`].
    Ask(Request),
    /// Wait, in milliseconds.
    Wait {
        /// How long.
        ms: u64,
    },
}

/// The parameters of a conditional request to a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The entity tag of the last good answer, for `If-None-Match`.
    pub etag: Option<String>,
    /// The revision of the last good answer.
    pub revision: Option<u64>,
    /// Whether the whole answer is due: a store over HTTP is asked without the entity tag (11.16).
    pub in_full: bool,
    /// Whether bare rows without a row are a good answer (11.17); the host sets it, from the app's options.
    pub allow_empty: bool,
}

/// The result of asking a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Its snapshot was published.
    Published {
        /// The revision of the snapshot.
        revision: Option<u64>,
        /// The entity tag that came with it.
        etag: Option<String>,
    },
    /// Its snapshot was refused, because its revision is older than the current one.
    Older {
        /// The revision of the snapshot.
        revision: u64,
        /// The revision that is current and stays.
        current: u64,
    },
    /// Nothing has changed, or the bytes equal those of the last answer.
    NotModified,
    /// There is no usable answer.
    Failure {
        /// The error, without secrets: the status shows it.
        error: String,
        /// The wait that the source asks for.
        retry_after_ms: Option<u64>,
    },
}

impl Response {
    /// The response for a snapshot that was published or refused, with its entity tag.
    #[must_use]
    pub fn of(report: &Report, etag: Option<String>) -> Self {
        let revision = report.revision();
        match report.outcome() {
            Outcome::Published => Response::Published { revision, etag },
            Outcome::Older { current } => Response::Older { revision: revision.unwrap_or_default(), current },
        }
    }
}

/// The protocol between one source and one [`Flags`](crate::Flags).
#[derive(Clone, Debug)]
pub struct Protocol {
    policy: Policy,
    /// Different in every process, so that processes do not ask at the same moment.
    seed: u64,
    draws: u64,
    latest_ms: u64,
    next_ask_ms: u64,
    /// The end of the wait that the source asked for.
    left_alone_ms: u64,
    request: Request,
    /// When a request in full last had a good answer.
    read_in_full_ms: Option<u64>,
    /// Whether the last request was in full.
    asked_in_full: bool,
    /// Length and hash of the bytes that the source sent last.
    known: Option<(usize, u64)>,
    /// Whether anything from this source is published.
    answered: bool,
    /// Whether anything is published.
    available: bool,
    revision: Option<u64>,
    good_ms: Option<u64>,
    failures: u32,
    last_error: Option<(String, u64)>,
}

impl Protocol {
    /// A protocol that asks at once. The seed should differ from process to process.
    ///
    /// # Errors
    /// When the policy has a number that is out of range.
    pub fn new(policy: Policy, seed: u64) -> Result<Self, PolicyError> {
        policy.check()?;
        Ok(Protocol {
            policy,
            seed,
            draws: 0,
            latest_ms: 0,
            next_ask_ms: 0,
            left_alone_ms: 0,
            request: Request::default(),
            read_in_full_ms: None,
            asked_in_full: false,
            known: None,
            answered: false,
            available: false,
            revision: None,
            good_ms: None,
            failures: 0,
            last_error: None,
        })
    }

    /// The action at this time. A host calls this again after every wait and every answer.
    pub fn next(&mut self, now_ms: u64) -> Action {
        let now_ms = self.advance(now_ms);
        match self.next_ask_ms.saturating_sub(now_ms) {
            0 => {
                let is_due = self.read_in_full_ms.is_none_or(|at| now_ms - at >= READ_IN_FULL_EVERY_MS);
                self.asked_in_full = is_due;
                Action::Ask(Request { in_full: is_due, ..self.request.clone() })
            }
            ms => Action::Wait { ms },
        }
    }

    /// A person asked for a refresh: the next action is to ask.
    pub fn refresh(&mut self, now_ms: u64) {
        self.next_ask_ms = self.advance(now_ms);
    }

    /// The source has news (11.9).
    pub fn notified(&mut self, now_ms: u64) {
        let now_ms = self.advance(now_ms);
        let soon = now_ms.saturating_add(self.draw(self.policy.spread_ms)).max(self.left_alone_ms);
        self.next_ask_ms = self.next_ask_ms.min(soon);
    }

    /// The connection for notifications was lost, and news may have been missed (11.10).
    pub fn disconnected(&mut self, now_ms: u64) {
        let now_ms = self.advance(now_ms);
        let soon = now_ms.saturating_add(self.draw(part(self.policy.interval_ms, 2, 3)));
        if self.failures == 0 {
            self.next_ask_ms = self.next_ask_ms.min(soon);
        }
    }

    /// Whether these are the bytes that the source sent last, which need not be published again. Call it before the
    /// answer is received.
    pub fn is_known(&mut self, bytes: &[u8]) -> bool {
        // The seed is the process's own, so other bytes with the same hash cannot be made on purpose.
        let known = (bytes.len(), xxh3_64_with_seed(bytes, self.seed));
        let before = self.known.replace(known);
        self.answered && before == Some(known)
    }

    /// Something other than an answer was published: a cached copy, or the merged snapshot while a layer is missing.
    /// Flags then have answers, but the data is not fresh.
    pub fn from_cache(&mut self, now_ms: u64, revision: Option<u64>) {
        self.advance(now_ms);
        (self.available, self.revision) = (true, revision);
    }

    /// This process is a fork of one that had published, and this protocol is new in it (11.14): flags have answers,
    /// and the source is asked within `spread`, because many forks may start at the same moment.
    pub fn inherited(&mut self, now_ms: u64, revision: Option<u64>) {
        self.from_cache(now_ms, revision);
        let spread = self.draw(self.policy.spread_ms);
        self.next_ask_ms = self.latest_ms.saturating_add(spread);
    }

    /// Takes the result of a request, and decides when to ask again.
    pub fn receive(&mut self, now_ms: u64, response: Response) {
        let now_ms = self.advance(now_ms);
        match response {
            Response::Published { revision, etag } => {
                self.request = Request { etag, revision, ..Request::default() };
                (self.answered, self.available, self.revision) = (true, true, revision);
                self.succeed(now_ms);
            }
            Response::NotModified if self.answered => self.succeed(now_ms),
            Response::NotModified => {
                self.request = Request::default();
                self.fail(now_ms, "not modified, but there is nothing yet, expected a snapshot".to_owned(), None);
            }
            Response::Older { revision, current } => {
                let [revision, current] = [revision, current].map(|number| Value::from(number).to_json());
                self.fail(
                    now_ms,
                    ["revision ", &revision, " is older than the current one, ", &current].concat(),
                    None,
                );
            }
            Response::Failure { error, retry_after_ms } => self.fail(now_ms, error, retry_after_ms),
        }
    }

    /// The status at this time.
    #[must_use]
    pub fn status(&self, now_ms: u64) -> Status {
        let now_ms = now_ms.max(self.latest_ms);
        let age_ms = self.good_ms.map(|good| now_ms - good);
        let state = match age_ms {
            _ if !self.available => State::Starting,
            _ if self.failures > 0 => State::Failing,
            Some(age) if age < self.policy.stale_after_ms() => State::Fresh,
            _ => State::Stale,
        };
        Status { state, revision: self.revision, age_ms, failures: self.failures, last_error: self.last_error.clone() }
    }

    /// A clock that goes back counts as stopped (11.7).
    fn advance(&mut self, now_ms: u64) -> u64 {
        self.latest_ms = self.latest_ms.max(now_ms);
        self.latest_ms
    }

    fn succeed(&mut self, now_ms: u64) {
        (self.failures, self.left_alone_ms) = (0, 0);
        self.good_ms = Some(now_ms);
        if self.asked_in_full {
            self.read_in_full_ms = Some(now_ms);
        }
        let interval = self.policy.interval_ms;
        let off = self.draw(part(interval, self.policy.jitter_percent, 100));
        self.next_ask_ms = now_ms.saturating_add(interval - off);
    }

    fn fail(&mut self, now_ms: u64, error: String, retry_after_ms: Option<u64>) {
        // The answer was refused, so the same bytes are read again.
        self.known = None;
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some((error, now_ms));
        let doubled = 1_u64.checked_shl(self.failures - 1).unwrap_or(u64::MAX);
        // Clients with data back off longer, so retries cannot overload a failing store.
        let least = if self.available { self.policy.interval_ms / 2 } else { 0 };
        let wait = self.policy.backoff_min_ms.saturating_mul(doubled).max(least).min(self.policy.backoff_max_ms);
        let wait = wait - self.draw(wait / 2);
        let asked_for = retry_after_ms.unwrap_or_default().min(MAX_RETRY_AFTER_MS);
        self.left_alone_ms = now_ms.saturating_add(asked_for);
        self.next_ask_ms = now_ms.saturating_add(wait).max(self.left_alone_ms);
    }

    /// The next pseudo-random number from 0 to `most`.
    fn draw(&mut self, most: u64) -> u64 {
        self.draws += 1;
        let random = xxh3_64_with_seed(&self.draws.to_le_bytes(), self.seed);
        part(most.saturating_add(1), random >> 32, 1 << 32).min(most)
    }
}

/// `whole × share / of`, for a share that is at most `of`, which is at most 2^32: so there is no overflow, and a
/// browser needs no 128-bit division.
fn part(whole: u64, share: u64, of: u64) -> u64 {
    let of = of.max(1);
    whole / of * share + whole % of * share / of
}
