//! The guards of published flags: from an app's outcomes to a flag that is off.
//!
//! It asks the flags for the set, the arm and the time; what is counted and judged the [`Guard`](crate::Guard) of each
//! flag decides.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use esclusa::{Context, FlagSet, Flags, Report, Time};

use crate::condition::Condition;
use crate::outcome::Outcome;
use crate::reading::{self, GuardProblem};
use crate::status::{State, Status, Trip};
use crate::watched::Watched;

/// So many flags whose limits are reached within so long are an outage: their limits hold.
const STORM: usize = 3;
const STORM_MS: u64 = 60_000;

/// Watches the flags that have a `guard`, and switches off those that do harm.
///
/// ```
/// use esclusa::{Context, FlagSet, Flags};
/// use esclusa_guard::{Guards, Outcome};
///
/// let flags = Flags::new();
/// let _ = flags.publish(FlagSet::from_json(br#"[
///     {"name": "crm", "enabled": true, "rollout_percentage": 20, "guard": {"event": "checkout", "errors": {}}}
/// ]"#)?);
/// let guards = Guards::new(&flags);
/// for user in 0..500 {
///     let context = Context::new(format!("user-{user}"));
///     let outcome = if flags.is_enabled("crm", &context) { Outcome::error() } else { Outcome::ok() };
///     guards.track("checkout", &context, outcome);
/// }
/// let tripped = guards.tick();                                         // about once a second
/// assert_eq!(tripped.first().map(|(flag, trip)| (flag.as_str(), trip.metric.as_str())), Some(("crm", "errors")));
/// assert!((0..500).all(|user| !flags.is_enabled("crm", &Context::new(format!("user-{user}")))));
/// # Ok::<(), esclusa::SnapshotError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Guards {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    flags: Flags,
    table: RwLock<Table>,
    unwatched: AtomicU64,
    dropped: AtomicU64,
}

/// What is watched in a set.
#[derive(Debug)]
struct Table {
    set: Arc<FlagSet>,
    watched: Vec<Arc<Watched>>,
    /// For each event the flags that it counts for, by their place.
    events: BTreeMap<String, Vec<usize>>,
    problems: Vec<GuardProblem>,
}

impl Guards {
    /// Watches the flags of a handle, now and as they are published.
    #[must_use]
    pub fn new(flags: &Flags) -> Self {
        let set = flags.current();
        let table = RwLock::new(Table::of(set, flags, &[]));
        let (unwatched, dropped) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { shared: Arc::new(Shared { flags: flags.clone(), table, unwatched, dropped }) }
    }

    /// The handle whose flags are watched.
    #[must_use]
    pub fn flags(&self) -> &Flags {
        &self.shared.flags
    }

    /// Counts an outcome of an event for every flag whose guard names the event. Call it where both arms pass, not inside
    /// the `if` of the flag.
    ///
    /// It never fails: an event that no guard names is counted in [`unwatched`](Self::unwatched), and a caller for whom
    /// another step than the share decides is left out.
    pub fn track(&self, event: &str, context: &Context<'_>, outcome: Outcome) {
        self.count(event, context, outcome, |_| true);
    }

    /// Counts an outcome that a browser has sent, for every flag whose guard names the event and says
    /// `"from_browser": true`: anybody can send such outcomes. The context is the one of the session.
    pub fn track_from_browser(&self, event: &str, context: &Context<'_>, outcome: Outcome) {
        self.count(event, context, outcome, |watched| watched.from_browser);
    }

    /// Counts an outcome of an event that was lost on the way, because it could not be read or did not fit into a queue.
    /// More than 1 % make a guard blind.
    pub fn drop_outcome(&self, event: &str) {
        self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        let table = self.table();
        table.of_event(event).into_iter().flatten().for_each(|watched| watched.drop_outcome());
    }

    /// Whether the guard of a flag names the event.
    #[must_use]
    pub fn watches(&self, event: &str) -> bool {
        self.table().events.contains_key(event)
    }

    fn count(&self, event: &str, context: &Context<'_>, outcome: Outcome, counts: impl Fn(&Watched) -> bool) {
        let table = self.table();
        let Some(of_event) = table.of_event(event) else {
            self.shared.unwatched.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let now = self.shared.flags.now();
        for watched in of_event.filter(|watched| counts(watched)) {
            if let Some(arm) = table.set.exposed(&watched.key, context, || now) {
                watched.track(millis(now), arm, outcome);
            }
        }
    }

    /// Judges what was counted, and switches off the flags that have tripped; to be called about every second. Gives the
    /// flags that tripped since the last call, each with its trip and the ledger in it.
    pub fn tick(&self) -> Vec<(String, Trip)> {
        // The report says what changed, which the trip says already.
        self.tick_reporting(drop)
    }

    /// The same, and gives what each trip has changed in the flags.
    pub fn tick_reporting(&self, mut report: impl FnMut(Report)) -> Vec<(String, Trip)> {
        let now = self.shared.flags.now();
        let watched = self.watched();
        let mut reached: Vec<(&Arc<Watched>, Trip)> =
            watched.iter().filter_map(|watched| Some((watched, watched.tick(millis(now))?))).collect();
        // Outages reach the limits of many flags at once, and are no flag's doing.
        let is_recent = |at_ms: u64| at_ms.saturating_add(STORM_MS) > millis(now);
        if watched.iter().filter_map(|one| one.limit_reached_ms()).filter(|at_ms| is_recent(*at_ms)).count() >= STORM {
            let (held, tripped): (Vec<_>, Vec<_>) =
                reached.into_iter().partition(|(_, trip)| matches!(trip.condition, Condition::AtMost(_)));
            held.iter().for_each(|(watched, _)| watched.hold());
            reached = tripped;
        }
        let tripped = reached.into_iter().map(|(watched, trip)| {
            watched.told(&trip);
            (watched.key.as_str().to_owned(), trip)
        });
        let tripped: Vec<_> = tripped.collect();
        for (flag, trip) in &tripped {
            let taken = esclusa::Trip::new(flag.as_str(), trip.run)
                .with("at", now.to_string())
                .with("metric", trip.metric.clone())
                .with("by", format!("process {}", std::process::id()))
                .with("evidence", trip.to_value());
            report(self.shared.flags.trip(taken));
        }
        tripped
    }

    /// How the guards are, one for each watched flag, in the order of the snapshot.
    #[must_use]
    pub fn status(&self) -> Vec<Status> {
        self.reported().into_iter().map(|(status, _)| status).collect()
    }

    /// The watched flags, each with its status.
    pub(crate) fn reported(&self) -> Vec<(Status, Arc<Watched>)> {
        let now = millis(self.shared.flags.now());
        let table = self.table();
        let tripped: Vec<&str> = table.set.trips().map(|(key, _)| key).collect();
        let status = |watched: &Arc<Watched>| {
            let mut status = watched.status(now);
            if tripped.contains(&watched.key.as_str()) {
                status.state = State::Tripped;
            }
            (status, Arc::clone(watched))
        };
        table.watched.iter().map(status).collect()
    }

    /// What is wrong in the guards of the current set. A guard with a mistake guards nothing.
    #[must_use]
    pub fn problems(&self) -> Vec<GuardProblem> {
        self.table().problems.clone()
    }

    /// The number of outcomes of events that no guard names.
    #[must_use]
    pub fn unwatched(&self) -> u64 {
        self.shared.unwatched.load(Ordering::Relaxed)
    }

    /// The number of outcomes that were lost on the way.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    fn watched(&self) -> Vec<Arc<Watched>> {
        self.table().watched.clone()
    }

    /// What is watched in the current set.
    fn table(&self) -> RwLockReadGuard<'_, Table> {
        let Shared { flags, table, .. } = &*self.shared;
        let known = table.read().unwrap_or_else(PoisonError::into_inner);
        if flags.is_current(&known.set) {
            return known;
        }
        drop(known);
        let mut known = table.write().unwrap_or_else(PoisonError::into_inner);
        let set = flags.current();
        if !Arc::ptr_eq(&known.set, &set) {
            *known = Table::of(set, flags, &known.watched);
        }
        drop(known);
        self.shared.table.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// What is watched in a set. A flag whose `guard` is the same as before goes on counting, in a new run if there is one.
    fn of(set: Arc<FlagSet>, flags: &Flags, before: &[Arc<Watched>]) -> Self {
        let now_ms = millis(flags.now());
        let (mut watched, mut problems) = (Vec::new(), Vec::new());
        for flag in set.guarded() {
            let Some(policy) = flag.policy() else { continue };
            let same = before.iter().find(|one| one.key.as_str() == flag.key() && one.written == *policy);
            if let Some(same) = same {
                same.resume(now_ms, flag.run());
                watched.push(Arc::clone(same));
                continue;
            }
            match reading::read(flag.key(), policy) {
                Ok(rules) => {
                    watched.push(Arc::new(Watched::new(
                        flags.key(flag.key()),
                        policy.clone(),
                        rules,
                        flag.run(),
                        now_ms,
                    )));
                }
                Err(found) => problems.extend(found),
            }
        }
        let mut events: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, watched) in watched.iter().enumerate() {
            events.entry(watched.event.clone()).or_default().push(place);
        }
        Self { set, watched, events, problems }
    }

    /// The flags whose guards name an event; `None` if there is none.
    fn of_event(&self, event: &str) -> Option<impl Iterator<Item = &Arc<Watched>>> {
        Some(self.events.get(event)?.iter().filter_map(|place| self.watched.get(*place)))
    }
}

/// Milliseconds since 1970; a clock before that stands at its beginning.
fn millis(time: Time) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(0)
}
