//! Instruction counts under callgrind: they do not depend on the load of the machine, so a test can check them.
//!
//! Each workload runs with few rounds and with more, and the difference is divided by its evaluations. The newest
//! `benches/records/…-instructions.md` has the last counts; a workload may take 5 % more.

use std::collections::BTreeMap;
use std::fs;

use super::suite::Outcome;
use crate::tools::Tools;

const FEW_ROUNDS: u64 = 1;
const MANY_ROUNDS: u64 = 3;
/// Maximum increase over the record, in percent.
const TOLERANCE: u64 = 5;

pub(super) fn run(tools: &Tools) -> Outcome {
    let mut step = tools.step("instructions");
    let has_valgrind = || tools.has(tools.program("valgrind").arg("--version"));
    if !has_valgrind() && (tools.install_package("valgrind").is_err() || !has_valgrind()) {
        return Outcome::Skipped("needs Valgrind: `apt-get install --yes --no-install-recommends valgrind`");
    }
    let build = ["build", "--quiet", "--profile", "bench", "--package", "esclusa-benches", "--example", "instructions"];
    step.run(tools.cargo(build));
    let (workloads, recorded) = match (workloads(tools), recorded(tools)) {
        (Ok(workloads), Ok(recorded)) => (workloads, recorded),
        (Err(problem), _) | (_, Err(problem)) => return step.fail(&problem),
    };
    for (name, answers) in workloads {
        let (label, right) = match (count(tools, &name, answers), recorded.get(&name)) {
            (Ok(counted), None) => (name, Err(format!("{counted} instructions an answer, and no record of it"))),
            (Ok(counted), Some(before)) if counted * 100 > before * (100 + TOLERANCE) => (
                name,
                Err(format!("{counted} instructions an answer, expected {before} and at most {TOLERANCE} % more")),
            ),
            (Ok(counted), Some(before)) => {
                (format!("{name}: {counted} instructions an answer, {before} recorded"), Ok(()))
            }
            (Err(problem), _) => (name, Err(problem)),
        };
        step.check(&label, right);
    }
    step.outcome()
}

/// The names of the workloads, and the number of evaluations in a round.
fn workloads(tools: &Tools) -> Result<Vec<(String, u64)>, String> {
    let said = tools.must(tools.program(program(tools)))?;
    let lines = said.lines().map(|line| {
        let pair = line.split_once(' ').and_then(|(name, answers)| Some((name.to_owned(), answers.parse().ok()?)));
        pair.ok_or_else(|| format!("`{line}` names no workload"))
    });
    lines.collect()
}

fn program(tools: &Tools) -> std::path::PathBuf {
    tools.target().join("release/examples/instructions")
}

fn count(tools: &Tools, name: &str, answers: u64) -> Result<u64, String> {
    let collected = |rounds: u64| {
        let valgrind = tools.program("valgrind").args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        let said = tools.output(valgrind.arg(program(tools)).arg(name).arg(rounds.to_string()))?;
        let number = said.split("Collected : ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| format!("callgrind counted nothing: {said}"))
    };
    let (few, many): (u64, u64) = (collected(FEW_ROUNDS)?, collected(MANY_ROUNDS)?);
    Ok(many.saturating_sub(few) / (MANY_ROUNDS - FEW_ROUNDS) / answers.max(1))
}

/// The counts of the newest record: rows of a table that begin with a workload and a number.
fn recorded(tools: &Tools) -> Result<BTreeMap<String, u64>, String> {
    let folder = tools.root().join("benches/records");
    let files = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let newest = files.filter(|file| file.to_string_lossy().ends_with("-instructions.md")).max();
    let newest = newest.ok_or_else(|| format!("{} has no record of instructions", folder.display()))?;
    let text = fs::read_to_string(&newest).map_err(|problem| format!("{}: {problem}", newest.display()))?;
    let row = |line: &str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        Some((cells.next()?.trim_matches('`').to_owned(), cells.next()?.replace(',', "").parse().ok()?))
    };
    Ok(text.lines().filter_map(row).collect())
}
