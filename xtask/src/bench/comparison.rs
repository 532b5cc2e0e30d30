//! A comparison: contenders run in turns, round by round, so that noise of the machine affects all of them alike.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use esclusa::Value;

use super::contender::{Entry, Running};
use super::progress::Progress;
use crate::tools::Tools;

/// A contender that has taken this long for a workload runs no further round of it.
const PATIENCE: Duration = Duration::from_secs(4);
/// Passes over all callers of contenders that take turns within one process.
const PASSES: usize = 101;

/// The names of Esclusa's contenders; a browser has only the second.
const OURS: [&str; 2] = ["esclusa", "esclusa-wasm"];

/// The available contenders, and the missing ones.
#[derive(Debug, Default)]
pub(crate) struct Contenders {
    pub(crate) entries: Vec<Entry>,
    /// Contenders that could not be installed or listed, and why.
    pub(crate) missing: Vec<(String, String)>,
}

/// The results of the contenders of one language.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) entries: Vec<Entry>,
    /// By workload and contender.
    scores: BTreeMap<(String, String), Score>,
    /// Contenders that could not be started or built, and why.
    pub(crate) not_run: Vec<(String, String)>,
    /// Workloads for which a contender has no number, and why.
    pub(crate) left_out: Vec<(String, String, String)>,
    /// The passes of contenders in one process, by workload and contender.
    turns: BTreeMap<(String, String), Score>,
    /// Results that are not times: memory and latencies.
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

    /// 0 is the fastest, 1 the slowest.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        quantile(self.rounds.clone(), share)
    }

    /// The median of the ratios to another's rounds, each to the neighbouring round.
    pub(crate) fn against(&self, other: &Score) -> f64 {
        quantile(self.rounds.iter().zip(&other.rounds).map(|(one, other)| one / other).collect(), 0.5)
    }

    /// The same without the time of the empty loop.
    pub(crate) fn without(&self, turn: &Score) -> Score {
        let rounds = self.rounds.iter().zip(&turn.rounds).map(|(one, turn)| one - turn).collect();
        Score { rounds, yes: self.yes }
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
    /// Runs all contenders for each timed workload, in turns.
    pub(crate) fn of(
        tools: &Tools,
        contenders: Contenders,
        population: &str,
        workloads: &[&str],
        rounds: usize,
        progress: &Progress,
    ) -> Self {
        let mut comparison = Comparison { not_run: contenders.missing, ..Comparison::default() };
        let mut running = Vec::new();
        for entry in contenders.entries {
            progress.say(&format!("starting {}", entry.name));
            match entry.start(tools, population) {
                Ok(process) => {
                    running.push((entry.name.clone(), process));
                    comparison.entries.push(entry);
                }
                // If it could not be installed, the installer has reported why.
                Err(_) if comparison.not_run.iter().any(|(name, _)| name.split("==").next() == Some(&entry.name)) => {}
                Err(problem) => comparison.not_run.push((entry.name, problem)),
            }
        }
        for (name, problem) in &comparison.not_run {
            progress.done(&format!("{name}: not run: {}", problem.trim_end()));
        }
        for workload in workloads {
            progress.begin(&format!("{workload}, {} contenders in turns", running.len()));
            comparison.compare(workload, &mut running, rounds, progress);
        }
        comparison
    }

    fn compare(&mut self, workload: &str, running: &mut [(String, Running)], rounds: usize, progress: &Progress) {
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

    /// Runs contenders of one program in turns within one process.
    pub(crate) fn ask_in_turns(
        &mut self,
        tools: &Tools,
        population: &str,
        names: &[&str],
        workloads: &[&str],
        progress: &Progress,
    ) {
        let Some(entry) = self.entries.iter().find(|entry| names.contains(&entry.name.as_str())).cloned() else {
            return;
        };
        progress.begin(&format!("{} in turns within one process", names.join(" and ")));
        for workload in workloads {
            progress.say(workload);
            match entry.in_turns(tools, population, (workload, PASSES), names) {
                Ok(taken) => {
                    for name in names {
                        let passes = taken.get(name).and_then(Value::as_list).unwrap_or_default();
                        let rounds = passes.iter().filter_map(Value::as_f64).collect();
                        let place = ((*workload).to_owned(), (*name).to_owned());
                        self.turns.insert(place, Score { rounds, yes: None });
                    }
                }
                Err(why) => self.left_out.push((names.join(" beside "), (*workload).to_owned(), why)),
            }
        }
    }

    /// Runs each contender once, in a process of its own, for a result that is not a time.
    pub(crate) fn ask_alone(&mut self, tools: &Tools, population: &str, workload: &str, progress: &Progress) {
        progress.begin(&format!("{workload}, one contender after the other"));
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

    /// The result of one that ran in turns with others in one process.
    pub(crate) fn turn(&self, workload: &str, name: &str) -> Option<&Score> {
        self.turns.get(&(workload.to_owned(), name.to_owned()))
    }

    /// A number in a result that is not a time, by its path.
    pub(crate) fn number(&self, workload: &str, name: &str, path: &[&str]) -> Option<f64> {
        let answer = self.others.get(&(workload.to_owned(), name.to_owned()))?;
        path.iter().try_fold(answer, |value, name| value.get(name))?.as_f64()
    }

    /// The contenders with a score, the fastest first.
    pub(crate) fn ranking(&self, workload: &str) -> Vec<(&Entry, &Score)> {
        let mut ranking: Vec<(&Entry, &Score)> = Vec::new();
        for entry in &self.entries {
            ranking.extend(self.score(workload, &entry.name).map(|score| (entry, score)));
        }
        ranking.sort_by(|(_, one), (_, other)| one.median().total_cmp(&other.median()));
        ranking
    }

    /// Esclusa in the form for comparisons; in a browser, the build that a browser loads.
    pub(crate) fn ours(&self, workload: &str) -> Option<&Score> {
        OURS.iter().find_map(|name| self.score(workload, name))
    }

    /// The fastest engine of others.
    pub(crate) fn fastest_peer(&self, workload: &str) -> Option<(&Entry, &Score)> {
        self.ranking(workload).into_iter().find(|(entry, _)| entry.is_peer())
    }
}
