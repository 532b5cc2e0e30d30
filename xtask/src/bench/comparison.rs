//! A comparison: contenders asked in turns, round by round, so that the noise of the machine meets all of them alike.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use esclusa::Value;

use super::contender::{Entry, Running};
use super::progress::Progress;
use crate::tools::Tools;

/// A contender that has taken so long for a workload is asked for no further round of it.
const PATIENCE: Duration = Duration::from_secs(4);

/// What the contenders of one language took.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) entries: Vec<Entry>,
    /// By workload and contender.
    scores: BTreeMap<(String, String), Score>,
    /// Workloads that a contender has no number for, and why.
    pub(crate) left_out: Vec<(String, String, String)>,
    /// Answers that are no times: memory and latencies.
    others: BTreeMap<(String, String), Value<'static>>,
}

/// The rounds of one contender in one workload, in nanoseconds an evaluation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Score {
    rounds: Vec<f64>,
    pub(crate) yes: Option<f64>,
}

impl Score {
    pub(crate) fn best(&self) -> f64 {
        self.quantile(0.0)
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The fastest is 0, the slowest 1.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        quantile(self.rounds.clone(), share)
    }

    /// The median of the ratios to another's rounds, each to the round beside it.
    pub(crate) fn against(&self, other: &Score) -> f64 {
        quantile(self.rounds.iter().zip(&other.rounds).map(|(one, other)| one / other).collect(), 0.5)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a short list"
)]
fn quantile(mut numbers: Vec<f64>, share: f64) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let at = (share * numbers.len().saturating_sub(1) as f64).round() as usize;
    numbers.get(at).copied().unwrap_or(f64::NAN)
}

impl Comparison {
    /// Asks everybody for each timed workload, in turns.
    pub(crate) fn of(
        tools: &Tools,
        entries: Vec<Entry>,
        population: &str,
        workloads: &[&str],
        rounds: usize,
        progress: &mut Progress,
    ) -> Result<Self, String> {
        let mut comparison = Comparison::default();
        let mut running = Vec::new();
        for entry in entries {
            progress.say(&format!("starting {}", entry.name));
            match entry.start(tools, population) {
                Ok(process) => running.push((entry.name.clone(), process)),
                Err(problem) => comparison.left_out.push((entry.name.clone(), "all".to_owned(), problem)),
            }
            comparison.entries.push(entry);
        }
        for workload in workloads {
            comparison.compare(workload, &mut running, rounds, progress);
        }
        Ok(comparison)
    }

    fn compare(&mut self, workload: &str, running: &mut [(String, Running)], rounds: usize, progress: &mut Progress) {
        let mut spent: BTreeMap<String, Duration> = BTreeMap::new();
        let mut out: Vec<String> = Vec::new();
        for round in 0..rounds {
            for (name, process) in running.iter_mut() {
                let spent = spent.entry(name.clone()).or_default();
                if out.contains(name) || *spent > PATIENCE {
                    continue;
                }
                progress.say(&format!("{workload}, round {} of {rounds}: {name}", round + 1));
                let begin = Instant::now();
                let answer = process.ask(workload);
                *spent += begin.elapsed();
                if let Err(why) = self.note(workload, name, answer) {
                    self.left_out.push((name.clone(), workload.to_owned(), why));
                    out.push(name.clone());
                }
            }
        }
    }

    fn note(&mut self, workload: &str, name: &str, answer: Result<Value<'static>, String>) -> Result<(), String> {
        let answer = answer?;
        for why in ["skip", "error"] {
            if let Some(words) = answer.get(why).and_then(Value::as_str) {
                return Err(if why == "skip" { words.to_owned() } else { format!("failed: {words}") });
            }
        }
        let place = (workload.to_owned(), name.to_owned());
        match answer.get("ns").and_then(Value::as_f64) {
            Some(ns) => {
                let score = self.scores.entry(place).or_default();
                score.rounds.push(ns);
                score.yes = answer.get("yes").and_then(Value::as_f64);
            }
            None => drop(self.others.insert(place, answer)),
        }
        Ok(())
    }

    /// Asks each contender once, in a process of its own, for something that is no time.
    pub(crate) fn ask_alone(&mut self, tools: &Tools, population: &str, workload: &str, progress: &mut Progress) {
        for entry in self.entries.clone() {
            progress.say(&format!("{workload}: {}", entry.name));
            let answer = entry.start(tools, population).and_then(|mut process| process.ask(workload));
            if let Err(why) = self.note(workload, &entry.name, answer) {
                self.left_out.push((entry.name, workload.to_owned(), why));
            }
        }
    }

    pub(crate) fn score(&self, workload: &str, name: &str) -> Option<&Score> {
        self.scores.get(&(workload.to_owned(), name.to_owned()))
    }

    /// A number of an answer that is no time, by the names that lead to it.
    pub(crate) fn number(&self, workload: &str, name: &str, path: &[&str]) -> Option<f64> {
        let answer = self.others.get(&(workload.to_owned(), name.to_owned()))?;
        path.iter().try_fold(answer, |value, name| value.get(name))?.as_f64()
    }

    /// Those who have a score, the fastest first.
    pub(crate) fn ranking(&self, workload: &str) -> Vec<(&Entry, &Score)> {
        let mut ranking: Vec<(&Entry, &Score)> = Vec::new();
        for entry in &self.entries {
            ranking.extend(self.score(workload, &entry.name).map(|score| (entry, score)));
        }
        ranking.sort_by(|(_, one), (_, other)| one.median().total_cmp(&other.median()));
        ranking
    }

    /// The fastest engine of others.
    pub(crate) fn fastest_peer(&self, workload: &str) -> Option<(&Entry, &Score)> {
        self.ranking(workload).into_iter().find(|(entry, _)| entry.is_peer())
    }
}
