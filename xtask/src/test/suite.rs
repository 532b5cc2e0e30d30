//! Suites: their commands, their results, and the one line for each.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use crate::tools::{Program, Tools};

/// Number of last lines that are shown of a command that failed.
const TAIL: usize = 60;

pub(super) struct Suite {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) run: fn(&Tools) -> Outcome,
}

pub(super) enum Outcome {
    Ran(Tally),
    /// Why it could not run here.
    Skipped(&'static str),
}

#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl Tally {
    /// The counts in the closing lines of a command's output; without any, the command itself is one check. A failure
    /// that the counts do not show is one failure.
    fn of(text: &str, succeeded: bool) -> Self {
        let mut tally = counts(text);
        if tally.passed + tally.failed == 0 && succeeded {
            tally.passed = 1;
        }
        if tally.failed == 0 && !succeeded {
            tally.failed = 1;
        }
        tally
    }
}

impl Suite {
    pub(super) fn report(&self, tools: &Tools) -> Outcome {
        let begin = Instant::now();
        let outcome = (self.run)(tools);
        let seconds = begin.elapsed().as_secs_f64();
        match &outcome {
            Outcome::Ran(tally) => {
                println!("{:<14} {tally} ({seconds:.0} s): {}", self.name, self.about);
                if tally.failed > 0 {
                    show_failures(&tools.log(self.name));
                }
            }
            Outcome::Skipped(reason) => println!("{:<14} SKIPPED: {reason}", self.name),
        }
        outcome
    }
}

/// Prints the failures: each check, and the end of each command's output.
fn show_failures(log: &Path) {
    let text = fs::read(failures(log)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    println!("--- what failed, of {}", log.display());
    text.lines().for_each(|line| println!("    {line}"));
    println!("---");
}

/// The file to which failures are also written.
fn failures(log: &Path) -> PathBuf {
    log.with_extension("failed.log")
}

/// The commands of one suite: each adds to its log and to its counts.
pub(super) struct Step {
    log: PathBuf,
    tally: Tally,
}

impl Tools {
    pub(super) fn step(&self, suite: &str) -> Step {
        Step::new(self.log(suite))
    }
}

impl Step {
    fn new(log: PathBuf) -> Self {
        let _ = fs::remove_file(failures(&log));
        let _ = fs::remove_file(&log);
        Step { log, tally: Tally::default() }
    }

    /// Runs a command and counts its results.
    pub(super) fn run(&mut self, program: Program) -> &mut Self {
        let heading = format!("$ {program}\n");
        let (tally, text) = match output(program) {
            Ok((succeeded, text)) => (Tally::of(&text, succeeded), text),
            Err(problem) => (Tally { passed: 0, failed: 1 }, format!("{problem}\n")),
        };
        self.tally.passed += tally.passed;
        self.tally.failed += tally.failed;
        if tally.failed > 0 {
            self.write_failure(&format!("{heading}{}", last_lines(&text)));
        }
        self.write(&format!("{heading}{text}"));
        self
    }

    /// One check with a name.
    pub(super) fn check(&mut self, what: &str, right: Result<(), String>) {
        match right {
            Ok(()) => {
                self.tally.passed += 1;
                self.write(&format!("✓ {what}\n"));
            }
            Err(problem) => {
                self.fail(&format!("✗ {what}: {problem}\n"));
            }
        }
    }

    /// One check that the JavaScript packages and the WebAssembly target are installed; installs missing ones.
    pub(super) fn install_npm(&mut self, tools: &Tools) {
        self.check("what JavaScript needs is installed", tools.install_npm());
    }

    pub(super) fn outcome(&self) -> Outcome {
        Outcome::Ran(self.tally)
    }

    /// One failure, with its reason in the log.
    pub(super) fn fail(&mut self, problem: &str) -> Outcome {
        self.tally.failed += 1;
        self.write(problem);
        self.write_failure(problem);
        self.outcome()
    }

    fn write(&self, text: &str) {
        append(&self.log, text);
    }

    fn write_failure(&self, text: &str) {
        append(&failures(&self.log), text);
    }
}

fn append(file: &Path, text: &str) {
    let opened = File::options().create(true).append(true).open(file);
    if let Err(problem) = opened.and_then(|mut file| file.write_all(text.as_bytes())) {
        eprintln!("cannot write {}: {problem}", file.display());
    }
}

/// Whether the command succeeded, and its output of both channels, in order.
fn output(program: Program) -> Result<(bool, String), String> {
    let mut command = program.into_command();
    let (mut printed, writer) = io::pipe().map_err(|problem| format!("cannot be heard: {problem}"))?;
    let errors = writer.try_clone().map_err(|problem| format!("cannot be heard: {problem}"))?;
    command.stdin(Stdio::null()).stdout(writer).stderr(errors);
    let mut child = command.spawn().map_err(|problem| format!("cannot be started: {problem}"))?;
    // The command holds this end of the pipe open too.
    drop(command);
    let mut bytes = Vec::new();
    let read = printed.read_to_end(&mut bytes);
    let status = read.and_then(|_| child.wait()).map_err(|problem| format!("cannot be heard: {problem}"))?;
    Ok((status.success(), String::from_utf8_lossy(&bytes).into_owned()))
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().skip(lines.len().saturating_sub(TAIL));
    last.map(|line| format!("{line}\n")).collect()
}

/// Adds up the closing lines of test runners: `test result: ok. 3 passed; 0 failed; …`, a line with only `3 passed, 0
/// failed`, and pytest's `1 failed, 3 passed, 2 skipped in 0.12s`.
fn counts(text: &str) -> Tally {
    let mut tally = Tally::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split([' ', ';', ',', '.']).filter(|word| !word.is_empty()).collect();
        let counted = match words.as_slice() {
            ["test", "result:", _, passed, "passed", failed, "failed", ..] => (passed, failed),
            [passed, "passed", failed, "failed"] => (passed, failed),
            _ => {
                let counted = pytest(line).unwrap_or_default();
                tally.passed += counted.passed;
                tally.failed += counted.failed;
                continue;
            }
        };
        if let (Ok(passed), Ok(failed)) = (counted.0.parse::<u64>(), counted.1.parse::<u64>()) {
            tally.passed += passed;
            tally.failed += failed;
        }
    }
    tally
}

/// The closing line of pytest: only outcomes and the time.
fn pytest(line: &str) -> Option<Tally> {
    let (outcomes, time) = line.split_once(" in ")?;
    time.split_once('s')?.0.parse::<f64>().ok()?;
    let mut tally = Tally::default();
    for outcome in outcomes.split(", ") {
        let (count, what) = outcome.split_once(' ')?;
        let count: u64 = count.parse().ok()?;
        match what {
            "passed" => tally.passed += count,
            "failed" | "error" | "errors" => tally.failed += count,
            _ => {}
        }
    }
    Some(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_pytest_are_added_up() {
        let text = "1 failed, 20 passed, 3 skipped, 1 warning, 2 errors in 63.80s (0:01:03)\n5 passed in 0.12s\n\
                    10 passed in review\n7 passed, as said in 0.1s\n";
        let tally = counts(text);
        assert_eq!((tally.passed, tally.failed), (25, 3));
    }

    #[test]
    fn closing_lines_are_added_up() {
        let text = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; finished in 0.1s\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored\n01-hash.json: 17 passed, 0 failed\n\
                    1199 passed, 4 failed\n99 bottles passed by\n";
        let tally = counts(text);
        assert_eq!((tally.passed, tally.failed), (1203, 6));
    }
}
