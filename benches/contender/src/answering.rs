//! The command line and the lines of a contender.

use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::rounds::SetUp;
use crate::session::{Session, checked};
use crate::workload::Workload;
use crate::{Contender, Population, Result, loading, turns};

const USAGE: &str = "NAME POPULATION.json | --list | --count NAME POPULATION.json WORKLOAD ROUNDS | \
                     --turns POPULATION.json WORKLOAD PASSES NAME…";

/// A contender that a program holds.
pub struct Entry {
    name: &'static str,
    about: &'static str,
    version: fn() -> String,
    round: fn(&mut Session, Workload) -> Result<Value>,
    count: fn(&Session, Workload, usize) -> Result<Value>,
    memory: fn(&Population) -> Result<Value>,
    checked: fn(&'static Population, Workload) -> SetUp,
}

impl Entry {
    /// The entry of an engine.
    #[must_use]
    pub fn new<C: Contender>() -> Self {
        Entry {
            name: C::NAME,
            about: C::ABOUT,
            version: C::version,
            round: Session::round::<C>,
            count: Session::count::<C>,
            memory: loading::memory::<C>,
            checked: checked::<C>,
        }
    }
}

/// Runs the contender that the command line names, until its standard input ends.
#[must_use]
pub fn main(entries: &[Entry]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match *arguments.as_slice() {
        ["--list"] => {
            for entry in entries {
                say(&json!({ "name": entry.name, "version": (entry.version)(), "about": entry.about }));
            }
            Ok(())
        }
        ["--count", name, population, workload, rounds] => count(entries, name, population, workload, rounds),
        ["--turns", population, workload, passes, ref names @ ..] => {
            in_turns(entries, names, population, workload, passes)
        }
        ["--memory", name, population] => memory(entries, name, population),
        [name, population] if !name.starts_with('-') => answer(entries, name, population),
        _ => Err(format!("expected {USAGE}").into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn say(line: &Value) {
    let mut output = std::io::stdout().lock();
    // If this fails, the reader has gone; the end of the input comes next.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

fn find<'e>(entries: &'e [Entry], name: &str) -> Result<&'e Entry> {
    let found = entries.iter().find(|entry| entry.name == name);
    Ok(found.ok_or_else(|| format!("no contender is called `{name}`; --list names them"))?)
}

fn answer(entries: &[Entry], name: &str, population: &str) -> Result<()> {
    let entry = find(entries, name)?;
    // It lives as long as the process: the engine's contexts borrow from it.
    let mut session = Session::new(Box::leak(Box::new(Population::read(population)?)));
    say(&json!({ "name": entry.name, "version": (entry.version)() }));
    for line in std::io::stdin().lock().lines() {
        // An engine that panics in one workload still runs the others.
        let asked = || (entry.round)(&mut session, line?.trim().parse()?);
        let answer = catch_unwind(AssertUnwindSafe(asked));
        say(&match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => json!({ "error": error.to_string() }),
            Err(_) => json!({ "error": "it panicked" }),
        });
    }
    Ok(())
}

fn count(entries: &[Entry], name: &str, population: &str, workload: &str, rounds: &str) -> Result<()> {
    let entry = find(entries, name)?;
    let session = Session::new(Box::leak(Box::new(Population::read(population)?)));
    say(&(entry.count)(&session, workload.parse()?, rounds.parse()?)?);
    Ok(())
}

fn in_turns(entries: &[Entry], names: &[&str], population: &str, workload: &str, passes: &str) -> Result<()> {
    let (population, workload) = (&*Box::leak(Box::new(Population::read(population)?)), workload.parse()?);
    let mut contenders = Vec::new();
    for name in names {
        let entry = find(entries, name)?;
        let rounds = (entry.checked)(population, workload)?;
        contenders.push((entry.name, rounds.ok_or_else(|| format!("`{name}` has no look-up before the call"))?));
    }
    say(&json!(turns::take(&mut contenders, passes.parse()?)));
    Ok(())
}

fn memory(entries: &[Entry], name: &str, population: &str) -> Result<()> {
    say(&(find(entries, name)?.memory)(&Population::read(population)?)?);
    Ok(())
}
