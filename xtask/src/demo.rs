//! `cargo xtask demo`: a feature_flags table, a population, every answer, and an emergency rollback.
//!
//! It prints only what it measures in the run itself. The last two acts build the packages for the other languages,
//! with their tools, and start a private Postgres; all others need neither a service nor a network. This file has the
//! order of the acts; each act has a file of its own.

mod census;
mod chance;
mod condition;
mod definition;
mod everywhere;
mod explanation;
mod hosts;
mod options;
mod page;
mod population;
mod rollback;
mod rows;
mod serve;
mod table;
mod variants;

use std::io;
use std::process::ExitCode;

use census::Census;
use definition::Definitions;
use options::Options;
use page::{Page, count};
use population::Population;
use rows::Rows;

/// The flag that the demo explains and rolls back.
const KEY: &str = "crm_advanced_features";

const NEXT: &str = r#"Next: `cargo xtask test` runs every suite of the repository. To try a flag out on a context of your own:
  echo '{"flag": "crm_advanced_features", "context": {"user": "user-42", "plan": "PREMIUM", "role": "ADMIN", "region": "CO"}}' \
    | cargo run -q -p esclusa --example resolve -- examples/data/feature_flags.json --explain"#;

/// Why the demo stopped.
enum Problem {
    /// The arguments are invalid.
    Arguments(String),
    /// Something is missing or broken; one line says what.
    Failure(String),
    /// The reader of the output has gone, as with `| head`.
    NoReader,
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Problem::NoReader,
            _ => Problem::Failure(format!("cannot write the output: {error}")),
        }
    }
}

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    match show(arguments) {
        Ok(true) | Err(Problem::NoReader) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(Problem::Arguments(problem)) => crate::usage(&problem),
        Err(Problem::Failure(problem)) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the acts in order; false if a measured share is wrong.
fn show(arguments: &[String]) -> Result<bool, Problem> {
    let options = Options::read(arguments)?;
    let page = Page::new();

    page.heading("1  The table")?;
    let rows = Rows::load(&options.rows)?;
    page.line(&rows.summary())?;
    let definitions = Definitions::read(rows.values(), options.at)?;

    page.heading("2  The population")?;
    let population = Population::generate(options.users, options.companies);
    page.line(&population.summary())?;

    page.heading("3  Every flag for every user")?;
    let census = Census::take(rows.set(), &definitions, &population, options.at);
    page.line(&census.summary(rows.set().len(), options.at))?;
    table::print(&page, &definitions, &census)?;
    variants::print(&page, &definitions, &census)?;
    let wrong = census.wrong(&definitions);
    page.line("")?;
    if wrong.is_empty() {
        let checks = count(census.checks());
        let all = format!("✓ all {checks} measured shares are what the definitions make them, as far as chance allows");
        page.line(&page.good(&all))?;
    } else {
        page.line(&page.bad(&format!("✗ not what the definition makes it: {}", wrong.join(", "))))?;
    }

    match rows.has(KEY).then(|| explanation::pair(&rows, &definitions, &population, &census, options.at)).flatten() {
        Some(pair) => {
            page.heading("4  Why, in sentences that a support person can read out")?;
            explanation::print(&page, rows.set(), &population, &pair, options.at)?;
            page.heading("5  The emergency rollback")?;
            rollback::print(&page, &rows, &population, pair.has_it, options.at)?;
        }
        None => {
            page.line("")?;
            page.line(&format!(
                "`{KEY}` is off for every user here, so there is nothing to explain and to roll back."
            ))?;
        }
    }

    let alike = options.engine_only || {
        page.heading("6  The same answers in every language")?;
        let alike = hosts::print(&page, &rows, &population, options.at)?;
        page.heading("7  The emergency rollback, in Postgres, seen by eight processes")?;
        alike & everywhere::print(&page)?
    };
    page.line("")?;
    page.line(NEXT)?;
    if options.serve {
        serve::react(&page)?;
    }
    Ok(wrong.is_empty() && alike)
}
