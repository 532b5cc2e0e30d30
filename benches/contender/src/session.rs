//! A running contender: it sets a workload up on first use, checks the answers, warms up, and then runs a round each
//! time.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

use serde_json::{Value, json};

use crate::rounds::{Lap, Rounds, SetUp, Tally};
use crate::workload::{Context, Workload};
use crate::{Caller, Contender, Population, Result, Targets, loading, threads};

/// Long compared with the clock, short compared with other work of the machine.
const ROUND: Duration = Duration::from_millis(20);
const WARM_UP: Duration = Duration::from_millis(50);
/// How many callers' answers are checked, and for how long at most.
const CHECKED: usize = 2_000;
const CHECKING: Duration = Duration::from_secs(2);
/// The maximum relative distance between the share of checked callers who are on and the expected one: 0.1 of 2,000
/// differs by 0.007 one time in three, so a larger distance means a hash that does not spread, or a condition that is
/// ignored.
const MARGIN: f64 = 0.3;
/// The same for a few callers, if a slow engine answers few in that time or most callers do not fit: in standard
/// deviations.
const DEVIATIONS: f64 = 4.0;
/// Whom a counted round asks about one flag, and whom about 200, so that each round is some thousands of evaluations.
const COUNTED: usize = 1_000;
const COUNTED_OF_ALL: usize = 10;

pub(crate) struct Session {
    population: &'static Population,
    ready: HashMap<Workload, Box<dyn Rounds>>,
    /// The document of 10,000 flags, when loading it was checked.
    document: Option<Vec<u8>>,
}

impl Session {
    pub(crate) fn new(population: &'static Population) -> Self {
        Session { population, ready: HashMap::new(), document: None }
    }

    /// One round.
    pub(crate) fn round<C: Contender>(&mut self, workload: Workload) -> Result<Value> {
        if let Some(reason) = C::skip(workload) {
            return Ok(json!({ "skip": reason }));
        }
        match workload {
            Workload::Load => loading::round::<C>(self.document::<C>()?),
            Workload::Memory => loading::memory_of_a_new_process(C::NAME),
            Workload::Threads => threads::measure::<C>(self.population),
            _ => {
                let Some(rounds) = self.rounds::<C>(workload)? else {
                    return Ok(json!({ "skip": "there is no look-up before the call" }));
                };
                let tally = rounds.last(ROUND);
                Ok(json!({ "ns": tally.ns(), "evaluations": tally.evaluations, "yes": tally.share() }))
            }
        }
    }

    /// That many rounds, the same each time, untimed: for counting instructions.
    pub(crate) fn count<C: Contender>(&self, workload: Workload, rounds: usize) -> Result<Value> {
        let Some(mut lap) = prepare::<C>(self.population, workload)? else {
            return Err("there is no look-up before the call".into());
        };
        let callers = if workload == Workload::All { COUNTED_OF_ALL } else { COUNTED };
        let laps: Vec<Tally> = (0..rounds).map(|_| lap.first(callers)).collect();
        let [evaluations, yes] =
            [laps.iter().map(|lap| lap.evaluations).sum::<u64>(), laps.iter().map(|lap| lap.yes).sum()];
        Ok(json!({ "rounds": rounds, "evaluations": evaluations, "yes": yes }))
    }

    fn document<C: Contender>(&mut self) -> Result<&[u8]> {
        let document = match self.document.take() {
            Some(document) => document,
            None => loading::document::<C>(self.population)?,
        };
        Ok(self.document.insert(document))
    }

    fn rounds<C: Contender>(&mut self, workload: Workload) -> Result<Option<&mut Box<dyn Rounds>>> {
        if !self.ready.contains_key(&workload) {
            let Some(rounds) = checked::<C>(self.population, workload)? else { return Ok(None) };
            self.ready.insert(workload, rounds);
        }
        Ok(self.ready.get_mut(&workload))
    }
}

/// An engine with the flags of a workload. It stays for as long as the process: readers may borrow it.
pub(crate) fn engine<C: Contender>(population: &Population, workload: Workload) -> Result<&'static C> {
    let document = C::document(&population.targets, workload.flags(), workload.companies())?;
    Ok(Box::leak(Box::new(C::new(C::read(&document)?)?)))
}

/// Rounds of a workload, once the contender's answers are as expected and it is warm.
pub(crate) fn checked<C: Contender>(population: &'static Population, workload: Workload) -> SetUp {
    let Some(mut rounds) = prepare::<C>(population, workload)? else { return Ok(None) };
    check(rounds.as_mut(), population.expected(workload.callers()))?;
    rounds.last(WARM_UP);
    Ok(Some(rounds))
}

fn prepare<C: Contender>(population: &'static Population, workload: Workload) -> SetUp {
    let engine: &C = engine(population, workload)?;
    let callers = population.callers(workload.callers());
    let key = Targets::key(0);
    let contexts = || callers.iter().map(C::context).collect();
    Ok(Some(match workload {
        Workload::One(Context::Built, _) => {
            let items: Vec<&Caller> = callers.iter().collect();
            let step = move |caller: &&'static Caller| usize::from(engine.is_on(black_box(&key), &C::context(caller)));
            Box::new(Lap { items, at: 0, evaluations: 1, step })
        }
        Workload::One(Context::Key, _) => {
            let Some(mut by_key) = engine.by_key(&key) else { return Ok(None) };
            let step = move |context: &C::Context<'static>| usize::from(by_key(context));
            Box::new(Lap { items: contexts(), at: 0, evaluations: 1, step })
        }
        Workload::All => {
            let keys: Vec<String> = Targets::keys(workload.flags()).collect();
            let evaluations = keys.len();
            let step = move |context: &C::Context<'static>| engine.count_on(black_box(&keys), context);
            Box::new(Lap { items: contexts(), at: 0, evaluations, step })
        }
        _ => {
            let step = move |context: &C::Context<'static>| usize::from(engine.is_on(black_box(&key), context));
            Box::new(Lap { items: contexts(), at: 0, evaluations: 1, step })
        }
    }))
}

/// An engine that answers fast and wrong is refused.
#[expect(clippy::cast_precision_loss, reason = "thousands of answers")]
pub(crate) fn check(rounds: &mut dyn Rounds, expected: f64) -> Result<()> {
    let sample = rounds.sample(CHECKED, CHECKING);
    let deviation = (expected * (1.0 - expected) / sample.evaluations as f64).sqrt();
    let margin = (MARGIN * expected).max(DEVIATIONS * deviation);
    let share = sample.share();
    if (share - expected).abs() > margin {
        return Err(format!("{share:.3} of the answers are yes, expected {expected:.3} ± {margin:.3}").into());
    }
    Ok(())
}

/// The same check of an engine that runs no rounds.
pub(crate) fn check_engine<C: Contender>(engine: &C, population: &Population, key: &str) -> Result<()> {
    let callers = population.callers(crate::Callers::Match);
    let items = callers.get(..CHECKED).unwrap_or(callers).iter().map(C::context).collect();
    let step = |context: &C::Context<'_>| usize::from(engine.is_on(key, context));
    check(&mut Lap { items, at: 0, evaluations: 1, step }, population.expected(crate::Callers::Match))
}
