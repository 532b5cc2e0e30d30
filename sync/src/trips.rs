//! Stores of trips: a flag that an app has switched off is switched off for all, and stays off until a person opens it.
//!
//! A store decides by compare-and-set whether it takes a trip (2.2 of GUARD.md). What tripped is decided elsewhere.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, ready};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use esclusa::{Flags, Trip};
use tokio::sync::broadcast;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::source::Failure;

/// How often new trips are looked for, here and in the store.
const TURN: Duration = Duration::from_secs(1);
/// How long an answer of the store is waited for.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A store to which trips are proposed.
///
/// ```
/// use std::collections::BTreeMap;
/// use esclusa::Trip;
/// use esclusa_sync::{Failure, TripStore, Verdict};
///
/// /// A store that this crate does not know.
/// struct Table { trips: BTreeMap<String, Trip> }
///
/// impl TripStore for Table {
///     fn name(&self) -> String {
///         "table".to_owned()
///     }
///
///     async fn propose(&mut self, trip: &Trip) -> Result<Verdict, Failure> {
///         if self.trips.get(trip.flag()).is_some_and(|known| known.run() >= trip.run()) {
///             return Ok(Verdict::Known);
///         }
///         self.trips.insert(trip.flag().to_owned(), trip.clone());
///         Ok(Verdict::Taken)
///     }
/// }
/// ```
pub trait TripStore: Send + 'static {
    /// Its name in the log and the status, without secrets.
    fn name(&self) -> String;

    /// Proposes to switch off a flag. It is asked again until there is an answer, so a trip that comes twice counts once.
    ///
    /// # Errors
    /// When there is no answer; every error converts with `?`.
    fn propose(&mut self, trip: &Trip) -> impl Future<Output = Result<Verdict, Failure>> + Send;

    /// The trips in the store; `None` if they come with the flags, as columns of a table do.
    ///
    /// # Errors
    /// When there is no answer.
    fn trips(&mut self) -> impl Future<Output = Result<Option<Vec<Trip>>, Failure>> + Send {
        ready(Ok(None))
    }
}

/// What a store says of a trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It took the trip.
    Taken,
    /// The flag has tripped there already.
    Known,
    /// A person has begun this run since: the trip is void.
    Over(u64),
    /// There is no such flag, or it has no guard there.
    Unguarded,
}

/// What has become of a trip that was proposed to a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The key of the flag.
    pub flag: String,
    /// The run of the trip.
    pub run: u64,
    /// What the store said; `None` until it answers.
    pub verdict: Option<Verdict>,
    /// Why it has not answered the last time, in one line.
    pub error: Option<String>,
}

impl fmt::Display for Proposal {
    /// One line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the trip of run {} ", self.flag, self.run)?;
        match (&self.verdict, &self.error) {
            (Some(Verdict::Taken | Verdict::Known), _) => f.write_str("is in the store"),
            (Some(Verdict::Over(run)), _) => write!(f, "is void, because run {run} has begun"),
            (Some(Verdict::Unguarded), _) => {
                f.write_str("is not taken, because the store has no such flag with a guard")
            }
            (None, Some(error)) => write!(f, "is not in the store yet: {error}"),
            (None, None) => f.write_str("is being proposed to the store"),
        }
    }
}

/// What happens to trips, for whoever speaks of them.
#[derive(Clone, Debug)]
#[allow(dead_code, reason = "a build without webhooks has nobody who listens")]
pub(crate) enum News {
    /// A guard of this process has tripped; `is_own` unless another process of the host wrote that into their file before.
    Tripped { trip: Trip, is_own: bool },
    /// A store has answered a proposal of this process.
    Answered(Trip, Verdict),
}

/// The proposals by the keys of their flags, shared with whoever asks for the status.
pub(crate) type Proposals = Arc<Mutex<BTreeMap<String, Proposal>>>;

/// Proposes each trip of the flags to the store until it is answered, and takes the store's own.
pub(crate) async fn keep_up(
    flags: Flags,
    mut store: impl TripStore,
    proposals: Proposals,
    news: broadcast::Sender<News>,
) {
    let mut turns = interval(TURN);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut taken = BTreeMap::new();
    let (mut keeps_own, mut failures, mut pause_until) = (true, 0_u32, Instant::now());
    loop {
        turns.tick().await;
        if Instant::now() < pause_until {
            continue;
        }
        let mut turn = give(&flags, &mut store, &proposals, &news).await;
        if turn.is_ok() && keeps_own {
            match within(store.trips()).await {
                Ok(None) => keeps_own = false,
                Ok(Some(trips)) => take(&flags, trips, &mut taken),
                Err(failure) => turn = Err(failure),
            }
        }
        match turn {
            Ok(()) => failures = 0,
            Err(failure) => {
                if failures == 0 {
                    tracing::warn!(target: "esclusa", "{}: trips are not exchanged: {failure}", store.name());
                }
                failures += 1;
                let pause = TURN.saturating_mul(2_u32.saturating_pow(failures - 1)).min(LONGEST_PAUSE);
                pause_until = Instant::now() + failure.retry_after.unwrap_or(pause).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Takes the trips of the store that are new; `taken` are the runs of the others.
fn take(flags: &Flags, trips: Vec<Trip>, taken: &mut BTreeMap<String, u64>) {
    for trip in trips {
        if taken.get(trip.flag()).is_none_or(|run| *run < trip.run()) {
            taken.insert(trip.flag().to_owned(), trip.run());
            // The report says what changed; the flag says why.
            let _ = flags.trip(trip);
        }
    }
}

/// Proposes the trips that the store has not answered. One that it does not answer holds up no other.
async fn give(
    flags: &Flags,
    store: &mut impl TripStore,
    proposals: &Proposals,
    news: &broadcast::Sender<News>,
) -> Result<(), Failure> {
    let set = flags.current();
    let mut unanswered = Ok(());
    for trip in set.trips().filter_map(|(key, trip)| Trip::from_value(key, trip)) {
        let (flag, run) = (trip.flag().to_owned(), trip.run());
        let is_settled = |known: &Proposal| known.run >= run && known.verdict.is_some();
        if lock(proposals).get(&flag).is_some_and(is_settled) {
            continue;
        }
        let answer = within(store.propose(&trip)).await;
        let (verdict, error) = match &answer {
            Ok(verdict) => (Some(*verdict), None),
            Err(failure) => (None, Some(failure.error.clone())),
        };
        let proposal = Proposal { flag: flag.clone(), run, verdict, error };
        if verdict.is_some_and(|verdict| verdict != Verdict::Known) {
            tracing::warn!(target: "esclusa", "{}: {proposal}", store.name());
        }
        lock(proposals).insert(flag, proposal);
        match answer {
            // Nobody may be listening.
            Ok(verdict) => drop(news.send(News::Answered(trip, verdict))),
            Err(failure) => unanswered = Err(failure),
        }
    }
    unanswered
}

async fn within<T>(answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = |_| Failure::new(format!("no answer within {} s", TIME_LIMIT.as_secs()));
    timeout(TIME_LIMIT, answer).await.map_err(late)?
}

pub(crate) fn lock(proposals: &Proposals) -> std::sync::MutexGuard<'_, BTreeMap<String, Proposal>> {
    proposals.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A trip as a store keeps it: the `trip` of `guard_state`.
#[cfg(any(feature = "http", feature = "postgres", feature = "redis"))]
pub(crate) fn written(trip: &Trip) -> String {
    trip.to_value().to_string()
}
