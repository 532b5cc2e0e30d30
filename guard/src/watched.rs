//! One flag that is watched: its guard, and a table by which a unit that has just reported costs no lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use esclusa::{Arm as FlagArm, Key, Value};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::Durations;
use crate::guard::Guard;
use crate::judged::Judged;
use crate::outcome::Outcome;
use crate::probability::Probability;
use crate::reading::{Bad, Rules};
use crate::status::{Status, Trip};
use crate::tally::Tallies;
use crate::units::Arm;
use crate::window::WINDOW_MS;

/// How many units are known to have reported, of those that reported last.
const RECENT: usize = 1024;

/// A flag that is watched.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) key: Key,
    /// The `guard` as it is written.
    pub(crate) written: Value<'static>,
    pub(crate) event: String,
    /// Whether outcomes count that a browser has sent.
    pub(crate) from_browser: bool,
    bad: Vec<Bad>,
    /// For each unit that reported lately its hash mixed with what would have been counted.
    recent: Box<[AtomicU64]>,
    /// When a unit reported last.
    heard_ms: AtomicU64,
    run: AtomicU64,
    /// What was counted since the process began.
    pub(crate) tallies: Tallies,
    state: Mutex<Watching>,
}

#[derive(Debug)]
struct Watching {
    guard: Guard,
    /// The epoch that the durations are of.
    epoch: u64,
    /// How long the events of the off arm took in this epoch.
    durations: Durations,
    /// The p90 of the off arm in the epoch before.
    p90_ms: Option<f64>,
    /// Whether the trip of the guard has been told.
    is_told: bool,
    /// The metrics of the trips that were told.
    told: Vec<String>,
}

impl Watched {
    pub(crate) fn new(key: Key, written: Value<'static>, rules: Rules, run: u64, now_ms: u64) -> Self {
        let guard = Guard::of_run(key.as_str(), rules.policy, run, None, now_ms);
        Self {
            key,
            written,
            event: rules.event,
            from_browser: rules.from_browser,
            bad: rules.bad,
            recent: (0..RECENT).map(|_| AtomicU64::new(0)).collect(),
            heard_ms: AtomicU64::new(0),
            run: AtomicU64::new(run),
            tallies: Tallies::default(),
            state: Mutex::new(Watching {
                guard,
                epoch: 0,
                durations: Durations::default(),
                p90_ms: None,
                is_told: false,
                told: Vec::new(),
            }),
        }
    }

    /// Counts an outcome of a unit.
    pub(crate) fn track(&self, now_ms: u64, arm: FlagArm, outcome: Outcome) {
        self.tallies.count(arm, outcome);
        // Not a maximum: of two threads that store at once either will do.
        if self.heard_ms.load(Ordering::Relaxed) < now_ms {
            self.heard_ms.store(now_ms, Ordering::Relaxed);
        }
        let place = usize::try_from(arm.unit_hash() % RECENT as u64).unwrap_or_default();
        let mark = self.mark(now_ms, arm, outcome);
        let recent = self.recent.get(place);
        if mark.is_some_and(|mark| recent.is_some_and(|recent| recent.load(Ordering::Relaxed) == mark)) {
            return;
        }
        self.lock().track(now_ms, arm, outcome, &self.bad);
        if let (Some(recent), Some(mark)) = (recent, mark) {
            recent.store(mark, Ordering::Relaxed);
        }
    }

    /// Counts an outcome that was lost on the way.
    pub(crate) fn drop_outcome(&self) {
        self.lock().guard.dropped(1);
    }

    /// A number that stays the same as long as one more outcome like this one of the unit would count for nothing: in one
    /// run, at one share, in one window. `None` if that is known under the lock alone.
    fn mark(&self, now_ms: u64, arm: FlagArm, outcome: Outcome) -> Option<u64> {
        let mut bits = self.run.load(Ordering::Relaxed) << 1 | u64::from(arm.is_on());
        for bad in &self.bad {
            let is_bad = match bad {
                Bad::Error => outcome.error,
                Bad::AboveMs(limit) => outcome.lasted_ms.is_some_and(|ms| ms > *limit),
                Bad::AboveP90(_) if outcome.lasted_ms.is_some() => return None,
                Bad::AboveP90(_) => false,
            };
            bits = bits << 1 | u64::from(is_bad);
        }
        let seed = bits << 17 | u64::from(arm.share());
        let window = now_ms / WINDOW_MS;
        Some(xxh3_64_with_seed(&arm.unit_hash().wrapping_add(window << 32).to_le_bytes(), seed))
    }

    /// Lets time pass; the trip, if the guard has tripped and that has not been told.
    pub(crate) fn tick(&self, now_ms: u64) -> Option<Trip> {
        let heard_ms = self.heard_ms.load(Ordering::Relaxed);
        let mut watching = self.lock();
        if heard_ms > 0 {
            watching.guard.hear(heard_ms);
        }
        watching.guard.tick(now_ms);
        if watching.is_told {
            return None;
        }
        watching.guard.trip().cloned()
    }

    /// The trip has been told: the flag is off.
    pub(crate) fn told(&self, trip: &Trip) {
        let mut watching = self.lock();
        watching.is_told = true;
        watching.told.push(trip.metric.clone());
    }

    /// Limits of several flags were reached at once, as in an outage: this flag stays on, and its limits act no more in this
    /// epoch.
    pub(crate) fn hold(&self) {
        self.lock().guard.hold();
    }

    /// When a limit of the flag was last reached.
    pub(crate) fn limit_reached_ms(&self) -> Option<u64> {
        self.lock().guard.limit_reached_ms()
    }

    /// How often a metric has tripped the flag since the process began.
    #[cfg(feature = "prometheus")]
    pub(crate) fn trips(&self, metric: &str) -> u64 {
        self.lock().told.iter().filter(|told| *told == metric).count() as u64
    }

    /// Begins a new run, if it is one.
    pub(crate) fn resume(&self, now_ms: u64, run: u64) {
        let mut watching = self.lock();
        let share = watching.guard.share();
        if watching.guard.resume(now_ms, run, share) {
            watching.is_told = false;
            self.run.store(run, Ordering::Relaxed);
        }
    }

    pub(crate) fn status(&self, now_ms: u64) -> Status {
        self.lock().guard.status(now_ms)
    }

    fn lock(&self) -> MutexGuard<'_, Watching> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watching {
    fn track(&mut self, now_ms: u64, arm: FlagArm, outcome: Outcome, bad: &[Bad]) {
        self.guard.set_share(now_ms, Probability::new(f64::from(arm.share()) / 100_000.0));
        if self.guard.epoch() != self.epoch {
            self.p90_ms = self.durations.quantile(0.9).or(self.p90_ms);
            (self.epoch, self.durations) = (self.guard.epoch(), Durations::default());
        }
        if let (false, Some(ms)) = (arm.is_on(), outcome.lasted_ms) {
            self.durations.add(ms);
        }
        let is_slow = |limit: Option<f64>| outcome.lasted_ms.zip(limit).is_some_and(|(ms, limit)| ms > limit);
        let judged = bad.iter().enumerate().filter(|(_, bad)| match bad {
            Bad::Error => outcome.error,
            Bad::AboveMs(limit) => is_slow(Some(*limit)),
            Bad::AboveP90(times) => is_slow(self.p90_ms.map(|p90| p90 * times)),
        });
        let judged = judged.fold(Judged::good(), |judged, (metric, _)| judged.bad_for(metric));
        let arm_of = if arm.is_on() { Arm::On } else { Arm::Off };
        self.guard.track(now_ms, arm.unit_hash(), arm_of, judged);
    }
}
