//! Suites: what runs, what came of it, and the one line that says so.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use crate::tools::{Program, Tools};

/// How many lines of a suite's log are shown when it failed.
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

impl Suite {
    pub(super) fn report(&self, tools: &Tools) -> Outcome {
        let begin = Instant::now();
        let outcome = (self.run)(tools);
        let seconds = begin.elapsed().as_secs_f64();
        match &outcome {
            Outcome::Ran(tally) => {
                println!("{:<14} {tally} ({seconds:.0} s): {}", self.name, self.about);
                if tally.failed > 0 {
                    show_tail(&tools.log(self.name));
                }
            }
            Outcome::Skipped(reason) => println!("{:<14} SKIPPED: {reason}", self.name),
        }
        outcome
    }
}

fn show_tail(log: &PathBuf) {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    println!("--- the end of {}", log.display());
    for line in lines.iter().skip(lines.len().saturating_sub(TAIL)) {
        println!("    {line}");
    }
    println!("---");
}

/// The commands of one suite: each adds to its log and to its tally.
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
        let _ = fs::remove_file(&log);
        Step { log, tally: Tally::default() }
    }

    /// Runs a command. It counts by the closing lines of its tests, or as one check if it has none; one that fails
    /// without saying so in its counts is one failure more.
    pub(super) fn run(&mut self, program: Program) -> &mut Self {
        let heading = format!("$ {program}\n");
        match output(program) {
            Ok((succeeded, text)) => {
                let mut counted = counts(&text);
                if counted.passed + counted.failed == 0 && succeeded {
                    counted.passed = 1;
                }
                if counted.failed == 0 && !succeeded {
                    counted.failed = 1;
                }
                self.tally.passed += counted.passed;
                self.tally.failed += counted.failed;
                self.write(&format!("{heading}{text}"));
            }
            Err(problem) => {
                self.tally.failed += 1;
                self.write(&format!("{heading}{problem}\n"));
            }
        }
        self
    }

    /// One check by its own name.
    pub(super) fn check(&mut self, what: &str, right: Result<(), String>) {
        match right {
            Ok(()) => {
                self.tally.passed += 1;
                self.write(&format!("✓ {what}\n"));
            }
            Err(problem) => {
                self.tally.failed += 1;
                self.write(&format!("✗ {what}: {problem}\n"));
            }
        }
    }

    /// One check that the JavaScript packages and the WebAssembly target are there, which installs what is missing.
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
        self.outcome()
    }

    fn write(&self, text: &str) {
        let file = File::options().create(true).append(true).open(&self.log);
        if let Err(problem) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
            eprintln!("cannot write {}: {problem}", self.log.display());
        }
    }
}

/// Whether the command succeeded, and everything that it printed.
fn output(program: Program) -> Result<(bool, String), String> {
    let mut command = program.into_command();
    let output = command.stdin(Stdio::null()).output().map_err(|problem| format!("cannot be started: {problem}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status.success(), format!("{}{}", text(&output.stderr), text(&output.stdout))))
}

/// Adds up the closing lines of test runners: `test result: ok. 3 passed; 0 failed; …`, alone on a line
/// `3 passed, 0 failed`, and pytest's `1 failed, 3 passed, 2 skipped in 0.12s`.
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

/// The closing line of pytest: outcomes and the time, and nothing else.
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
