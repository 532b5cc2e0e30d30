//! A guarded rollout as a state machine without I/O and without a clock: the caller brings outcomes and the time.
//!
//! An *epoch* is a span in which a unit counts once for each metric. It ends when the share changes, when a new run
//! begins, and after 24 hours. Each epoch has a higher bar, so that the declared rate holds for the guard's whole life,
//! over all its runs.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::bound::{log_bar, worst_case_times};
use crate::condition::{Condition, Trial};
use crate::judged::Judged;
use crate::policy::{OnTrip, Policy};
use crate::status::{Counts, MetricStatus, State, Status, Trip};
use crate::units::{Arm, Units};
use crate::window::Windows;
use crate::{Probability, probability::real};

/// How long an epoch lasts at most: units come back day after day, and one that is bad today is bad tomorrow.
const EPOCH_MS: u64 = 86_400_000;
/// How often a part of the stake is bet anew.
const MARK_MS: u64 = 600_000;
/// How many different units must be bad in the on arm: one broken caller is not a broken feature.
const LEAST_BAD: f64 = 5.0;
/// Evidence of a wrong split that makes a guard blind.
const WRONG_SPLIT: f64 = 1000.0;
/// Evidence that the on arm is worse at all, which a limit waits for: with 1000, one outage of 4000 tripped it.
const WORSE: f64 = 10_000.0;
/// Evidence that makes a guard suspicious, and below which it is healthy again.
const SUSPICION: (f64, f64) = (20.0, 3.0);

/// Silence is this many times the longest gap between outcomes of the epoch, or of this if that is longer.
const SILENT: (u64, u64) = (3, 60_000);

/// The guard of one flag.
///
/// It is saved and read again with serde, epoch and trip included, so that a process that restarts again and again has
/// no new chance of a false alarm each time.
///
/// ```
/// use esclusa_guard::{Arm, Guard, Metric, Judged, Policy, Probability, State};
///
/// let policy = Policy::new(vec![Metric::compared("errors")])?;
/// let mut guard = Guard::new("checkout", policy, Probability::new(0.1), 0);
/// let mut trip = None;
/// for unit in 0..600 {
///     let arm = if unit % 10 == 0 { Arm::On } else { Arm::Off };
///     let failed = if arm == Arm::On { Judged::good().bad_for(0) } else { Judged::good() };
///     trip = trip.or(guard.track(1_000 * unit, unit, arm, failed));   // 1 second apart
/// }
/// let trip = trip.ok_or("every unit that is on fails")?;
/// assert_eq!((trip.metric.as_str(), trip.at_ms), ("errors", 40_000)); // the fifth unit that is on
/// assert_eq!(guard.status(600_000).state, State::Tripped);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Guard {
    flag: String,
    policy: Policy,
    run: u64,
    trip: Option<Trip>,
    epoch: Epoch,
    windows: Windows,
    now_ms: u64,
}

/// What is forgotten when an epoch ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Epoch {
    number: u64,
    began_ms: u64,
    share: Option<Probability>,
    seed: u64,
    marks: u64,
    tracked: Units,
    dropped: u64,
    heard_ms: Option<u64>,
    longest_gap_ms: u64,
    split: Trial,
    watched: Vec<Watched>,
    suspicious: bool,
    /// When limits were found to be reached by an outage, which they do not act on.
    #[serde(default)]
    held_ms: Option<u64>,
}

/// One metric in an epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Watched {
    bad: Units,
    /// Whether the on arm is worse at all: no condition of its own, but what a limit waits for.
    worse: Trial,
    relative: Option<Trial>,
    limit: Option<Trial>,
}

impl Guard {
    /// A guard in its first run and epoch. `share` is the part of the units that is on, `None` where there are no arms
    /// (0 % or 100 %): limits alone are tested then. Times are milliseconds of one clock.
    #[must_use]
    pub fn new(flag: &str, policy: Policy, share: Option<Probability>, now_ms: u64) -> Self {
        Self::of_run(flag, policy, 1, share, now_ms)
    }

    /// The same in a later run. Each run before had an epoch at least, so the bar is at least as high as after them.
    #[must_use]
    pub fn of_run(flag: &str, policy: Policy, run: u64, share: Option<Probability>, now_ms: u64) -> Self {
        let run = run.max(1);
        let mut windows = Windows::of(policy.metrics.len());
        windows.advance(now_ms);
        let epoch = Epoch::new(&policy, flag, run, run, share, now_ms);
        Self { flag: flag.to_owned(), policy, run, trip: None, epoch, windows, now_ms }
    }

    /// Takes an outcome of a unit (the hash of its id) that is in an arm; the trip, if this outcome is the one that trips.
    /// After a trip, outcomes count for nothing.
    pub fn track(&mut self, now_ms: u64, unit: u64, arm: Arm, outcome: Judged) -> Option<Trip> {
        if self.trip.is_some() {
            return None;
        }
        self.advance(now_ms);
        self.epoch.hear(self.now_ms);
        self.epoch.count(unit, arm, outcome);
        let limited = self.epoch.watched.iter().any(|watched| watched.limit.is_some());
        if limited && self.windows.is_first(self.epoch.hash(unit), arm) {
            for (metric, watched) in self.epoch.watched.iter_mut().enumerate() {
                let bad = outcome.is_bad_for(metric);
                self.windows.add(metric, arm, bad);
                if let (Arm::On, Some(limit)) = (arm, &mut watched.limit) {
                    limit.observe(self.epoch.share.map_or(1.0, Probability::get), bad);
                }
            }
        }
        if outcome == Judged::good() { None } else { self.judge() }
    }

    /// Outcomes that were lost on the way. More than 1 % make the guard blind.
    pub fn dropped(&mut self, outcomes: u64) {
        self.epoch.dropped = self.epoch.dropped.saturating_add(outcomes);
    }

    /// Lets time pass; to be called about every second.
    pub fn tick(&mut self, now_ms: u64) -> Option<Trip> {
        if self.trip.is_some() {
            return None;
        }
        self.advance(now_ms);
        self.judge()
    }

    /// The share that is in force from now on. A different one begins an epoch.
    pub fn set_share(&mut self, now_ms: u64, share: Option<Probability>) {
        self.advance(now_ms);
        if share != self.epoch.share {
            self.begin(self.epoch.number.saturating_add(1), share);
        }
    }

    /// Begins a new run, which a person has decided: the trip is over. Whether `run` is higher than the present one;
    /// otherwise nothing changes.
    pub fn resume(&mut self, now_ms: u64, run: u64, share: Option<Probability>) -> bool {
        if run <= self.run {
            return false;
        }
        self.now_ms = self.now_ms.max(now_ms);
        self.run = run;
        self.trip = None;
        self.begin(self.epoch.number.saturating_add(1), share);
        true
    }

    /// The number of the epoch, from 1 on.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch.number
    }

    /// The share in force; `None` where there are no arms.
    #[must_use]
    pub fn share(&self) -> Option<Probability> {
        self.epoch.share
    }

    /// Why the rollout is stopped, if it is.
    #[must_use]
    pub fn trip(&self) -> Option<&Trip> {
        self.trip.as_ref()
    }

    /// Takes back a trip by a limit: limits of other flags were reached too. No limit acts any more in this epoch.
    pub(crate) fn hold(&mut self) {
        self.epoch.held_ms = self.limit_reached_ms();
        self.trip = None;
    }

    /// When a limit was reached, if it has tripped the flag or is held.
    pub(crate) fn limit_reached_ms(&self) -> Option<u64> {
        let limit = self.trip.as_ref().filter(|trip| matches!(trip.condition, Condition::AtMost(_)));
        limit.map(|trip| trip.at_ms).or(self.epoch.held_ms)
    }

    /// Says that outcomes came at this time that count for nothing, so that the guard does not take that for silence.
    pub(crate) fn hear(&mut self, now_ms: u64) {
        if self.epoch.heard_ms.is_none_or(|heard| heard < now_ms) {
            self.epoch.hear(now_ms);
        }
    }

    /// How things are at this time.
    pub fn status(&mut self, now_ms: u64) -> Status {
        self.tick(now_ms);
        let state = self.state();
        let metrics = self.policy.metrics.iter().zip(&self.epoch.watched);
        Status {
            flag: self.flag.clone(),
            state,
            run: self.run,
            epoch: self.epoch.number,
            share: self.epoch.share.map(Probability::get),
            on_units: self.epoch.tracked.count(Arm::On),
            off_units: self.epoch.tracked.count(Arm::Off),
            log_split: self.epoch.split.log_e(),
            log_bar: self.log_bar(),
            metrics: metrics
                .map(|(metric, watched)| MetricStatus {
                    name: metric.name.clone(),
                    on_bad: watched.bad.count(Arm::On),
                    off_bad: watched.bad.count(Arm::Off),
                    log_relative: watched.relative.as_ref().map(Trial::log_e),
                    log_limit: watched.limit.as_ref().map(Trial::log_e),
                    worst_case_times: watched.worst_case_times(self.epoch.share),
                })
                .collect(),
            trip: self.trip.clone(),
        }
    }

    fn state(&self) -> State {
        let (on, off) = (self.epoch.tracked.count(Arm::On), self.epoch.tracked.count(Arm::Off));
        let least = if self.epoch.share.is_some() { on.min(off) } else { on };
        if self.trip.is_some() {
            State::Tripped
        } else if self.epoch.is_blind() || self.epoch.is_silent(self.now_ms) {
            State::Blind
        } else if self.epoch.suspicious || self.epoch.held_ms.is_some() {
            State::Suspicious
        } else if least < real(self.policy.min_units) || self.epoch.share.is_none() {
            State::Waiting
        } else {
            State::Healthy
        }
    }

    fn log_bar(&self) -> f64 {
        log_bar(self.policy.conditions(), self.epoch.number, self.policy.false_trips)
    }

    /// Lets time pass; a clock that goes back is ignored.
    fn advance(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
        self.windows.advance(self.now_ms);
        let lasted = self.now_ms.saturating_sub(self.epoch.began_ms);
        if lasted >= EPOCH_MS {
            self.begin(self.epoch.number.saturating_add(1), self.epoch.share);
        } else {
            self.epoch.mark_until(lasted / MARK_MS);
        }
    }

    fn begin(&mut self, number: u64, share: Option<Probability>) {
        self.epoch = Epoch::new(&self.policy, &self.flag, self.run, number, share, self.now_ms);
        self.windows = Windows::of(self.policy.metrics.len());
        self.windows.advance(self.now_ms);
    }

    /// Looks at the evidence of every metric.
    fn judge(&mut self) -> Option<Trip> {
        let bar = self.log_bar();
        let (mut suspicious, mut calm, mut tripped) = (false, true, None);
        for (place, (metric, watched)) in self.policy.metrics.iter().zip(&self.epoch.watched).enumerate() {
            for trial in [&watched.relative, &watched.limit].into_iter().flatten() {
                let log_e = trial.log_e();
                suspicious |= log_e >= bar.min(SUSPICION.0.ln());
                calm &= log_e < SUSPICION.1.ln();
                let reached = log_e >= bar && watched.bad.count(Arm::On) >= LEAST_BAD && metric.on_trip == OnTrip::Off;
                if reached && tripped.is_none() && self.acts(place, watched, trial.condition) {
                    tripped = Some((place, trial.condition));
                }
            }
        }
        self.epoch.suspicious = suspicious || (self.epoch.suspicious && !calm);
        let (place, condition) = tripped?;
        self.trip = self.record(place, condition);
        self.trip.clone()
    }

    /// Whether a condition whose bar is reached may stop the rollout.
    fn acts(&self, place: usize, watched: &Watched, condition: Condition) -> bool {
        match condition {
            Condition::AtMost(limit) => self.epoch.held_ms.is_none() && self.limit_acts(place, watched, limit),
            _ => self.both_report() && !self.epoch.is_blind() && self.matters(watched),
        }
    }

    /// Whether a comparison means anything: a guard to which one arm reports nothing compares nothing.
    fn both_report(&self) -> bool {
        self.epoch.tracked.count(Arm::On) > 0.0 && self.epoch.tracked.count(Arm::Off) > 0.0
    }

    /// Whether the difference of the arms' rates is large enough to matter.
    fn matters(&self, watched: &Watched) -> bool {
        let rate = |arm: Arm| watched.bad.count(arm) / self.epoch.tracked.count(arm);
        rate(Arm::On) - rate(Arm::Off) >= self.policy.at_least
    }

    /// Whether a limit is still exceeded, and by the flag: the off arm is below the limit, and the on arm is worse.
    fn limit_acts(&self, place: usize, watched: &Watched, limit: Probability) -> bool {
        let above = |arm: Arm| self.windows.rate(place, arm).is_some_and(|rate| rate > limit.get());
        let worse = self.epoch.share.is_none() || watched.worse.log_e() >= WORSE.ln();
        above(Arm::On) && !above(Arm::Off) && worse
    }

    fn record(&self, place: usize, condition: Condition) -> Option<Trip> {
        let (metric, watched) = (self.policy.metrics.get(place)?, self.epoch.watched.get(place)?);
        let trials = [&watched.relative, &watched.limit];
        let trial = trials.into_iter().flatten().find(|trial| trial.condition == condition)?;
        let counts = |arm: Arm| Counts { units: self.epoch.tracked.count(arm), bad: watched.bad.count(arm) };
        Some(Trip {
            run: self.run,
            epoch: self.epoch.number,
            at_ms: self.now_ms,
            since_ms: self.epoch.began_ms,
            metric: metric.name.clone(),
            condition,
            on: counts(Arm::On),
            off: counts(Arm::Off),
            share: self.epoch.share.map(Probability::get),
            log_e: trial.log_e(),
            log_bar: self.log_bar(),
            worst_case_times: watched.worst_case_times(self.epoch.share),
            ledger: trial.ledger.clone(),
        })
    }
}

impl Epoch {
    fn new(policy: &Policy, flag: &str, run: u64, number: u64, share: Option<Probability>, now_ms: u64) -> Self {
        let watched = policy.metrics.iter().map(|metric| Watched {
            bad: Units::default(),
            worse: Trial::of(Condition::AtMostTimes(1.0)),
            relative: metric.at_most_times.map(|times| Trial::of(Condition::AtMostTimes(times))),
            limit: metric.at_most.map(|limit| Trial::of(Condition::AtMost(limit))),
        });
        Self {
            number,
            began_ms: now_ms,
            share,
            // Not the hash of the bucket: its low end would be in one arm.
            seed: xxh3_64(format!("{flag}\n{run}\n{number}").as_bytes()),
            marks: 0,
            tracked: Units::default(),
            dropped: 0,
            heard_ms: None,
            longest_gap_ms: 0,
            split: Trial::of(Condition::Split),
            watched: watched.collect(),
            suspicious: false,
            held_ms: None,
        }
    }

    fn hash(&self, unit: u64) -> u64 {
        xxh3_64_with_seed(&unit.to_le_bytes(), self.seed)
    }

    /// Counts a unit once as tracked, and once as bad for each metric.
    fn count(&mut self, unit: u64, arm: Arm, outcome: Judged) {
        let (hash, hit) = (self.hash(unit), arm == Arm::On);
        let share = self.share.map(Probability::get);
        if self.tracked.insert(hash, arm)
            && let Some(share) = share
        {
            self.split.observe(share, hit);
        }
        for (metric, watched) in self.watched.iter_mut().enumerate() {
            if outcome.is_bad_for(metric)
                && watched.bad.insert(hash, arm)
                && let Some(share) = share
            {
                watched.worse.observe(share, hit);
                if let Some(relative) = &mut watched.relative {
                    relative.observe(share, hit);
                }
            }
        }
    }

    fn hear(&mut self, now_ms: u64) {
        let gap = self.heard_ms.map_or(0, |heard| now_ms.saturating_sub(heard));
        self.longest_gap_ms = self.longest_gap_ms.max(gap);
        self.heard_ms = Some(now_ms);
    }

    /// Whether outcomes came and come no more. The longest gap is the measure and not the usual one, because of random
    /// gaps every twentieth is three times as long as the mean.
    fn is_silent(&self, now_ms: u64) -> bool {
        let allowed = self.longest_gap_ms.max(SILENT.1).saturating_mul(SILENT.0);
        self.heard_ms.is_some_and(|heard| now_ms.saturating_sub(heard) > allowed)
    }

    fn mark_until(&mut self, due: u64) {
        while self.marks < due {
            self.marks += 1;
            self.split.mark();
            for watched in &mut self.watched {
                let trials = [watched.relative.as_mut(), watched.limit.as_mut(), Some(&mut watched.worse)];
                trials.into_iter().flatten().for_each(Trial::mark);
            }
        }
    }

    /// Whether what arrives cannot be what the flag's randomisation makes, or too much of it is lost.
    fn is_blind(&self) -> bool {
        let tracked = self.tracked.count(Arm::On) + self.tracked.count(Arm::Off);
        let lost = real(self.dropped) > 0.01 * (tracked + real(self.dropped));
        self.share.is_some() && (lost || self.split.log_e() >= WRONG_SPLIT.ln())
    }
}

impl Watched {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of units, never negative")]
    fn worst_case_times(&self, share: Option<Probability>) -> Option<f64> {
        worst_case_times(self.bad.count(Arm::On) as u64, self.bad.count(Arm::Off) as u64, share?)
    }
}
