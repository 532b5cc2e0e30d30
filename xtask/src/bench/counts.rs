//! Instructions of an evaluation, counted under callgrind: the difference between three rounds and one.

use std::collections::BTreeMap;

use esclusa::Value;

use super::contender::Entry;
use super::progress::Progress;
use crate::tools::Tools;

/// By workload and contender.
#[derive(Debug, Default)]
pub(crate) struct Counts(BTreeMap<(String, String), f64>);

impl Counts {
    /// Counts for all contenders that can be counted; empty without Valgrind.
    pub(crate) fn count(
        tools: &Tools,
        entries: &[Entry],
        population: &str,
        workloads: &[&str],
        progress: &Progress,
    ) -> Result<Self, String> {
        if !tools.has(tools.program("valgrind").arg("--version")) {
            return Err("there is no Valgrind, which counts them; Debian's package is called `valgrind`".to_owned());
        }
        progress.begin("counting instructions");
        let mut counts = Counts::default();
        for workload in workloads {
            for entry in entries {
                progress.say(&format!("counting the instructions of {workload}: {}", entry.name));
                if let Some(count) = instructions(tools, entry, population, workload) {
                    counts.0.insert(((*workload).to_owned(), entry.name.clone()), count);
                }
            }
        }
        Ok(counts)
    }

    pub(crate) fn of(&self, workload: &str, name: &str) -> Option<f64> {
        self.0.get(&(workload.to_owned(), name.to_owned())).copied()
    }
}

fn instructions(tools: &Tools, entry: &Entry, population: &str, workload: &str) -> Option<f64> {
    let counted = |rounds: &str| {
        let said = tools.output(entry.counting(tools, population).args([workload, rounds])).ok()?;
        let collected: f64 = said.split("Collected : ").nth(1)?.split_whitespace().next()?.parse().ok()?;
        let answer = said.lines().find(|line| line.starts_with('{'))?;
        let evaluations = Value::from_json(answer.as_bytes()).ok()?.get("evaluations")?.as_f64()?;
        Some((collected, evaluations))
    };
    let ((few, fewer), (many, more)) = (counted("1")?, counted("3")?);
    (more > fewer).then(|| (many - few) / (more - fewer))
}
