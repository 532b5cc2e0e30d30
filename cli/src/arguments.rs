//! The command line.

use clap::{ColorChoice, Parser, Subcommand};

use crate::desk::{Desk, Findings, Trouble};
use crate::{
    assess, codegen, diff, eval, explain, fmt, guard, help, history, inspect, lint, migrate, promote, refs, rollback,
    schema, serve, stale, test,
};

/// Check feature flags, and say who gets what and why
#[derive(Clone, Debug, Parser)]
#[command(
    name = "esclusa",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "Examples:
  esclusa lint flags.json
  esclusa explain flags.json crm --user 42 --plan PREMIUM
  esclusa eval postgres://app@db/app --all --user 42

Exit codes: 0 nothing to object to, 1 findings, 2 it could not be done."
)]
pub struct Arguments {
    /// When to use colours
    #[arg(long, value_enum, global = true, default_value_t = ColorChoice::Auto, value_name = "WHEN", help_heading = "Global")]
    pub color: ColorChoice,
    /// What is to be done
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "clap would take the documentation for the help texts, which the commands have themselves"
)]
pub enum Command {
    Lint(lint::Arguments),
    Eval(eval::Arguments),
    On(eval::OnArguments),
    Explain(explain::Arguments),
    Diff(diff::Arguments),
    Test(test::Arguments),
    Inspect(inspect::Arguments),
    Codegen(codegen::Arguments),
    Refs(refs::Arguments),
    Stale(stale::Arguments),
    Assess(assess::Arguments),
    Rollback(rollback::Arguments),
    History(history::Arguments),
    Promote(promote::Arguments),
    Migrate(migrate::Arguments),
    Guard(guard::Arguments),
    Serve(serve::Arguments),
    Fmt(fmt::Arguments),
    Schema(schema::Arguments),
    Completions(help::CompletionsArguments),
    Man(help::ManArguments),
    Help(help::Arguments),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// When it could not be done.
    pub fn run(&self, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
        match self {
            Command::Lint(arguments) => lint::run(arguments, desk),
            Command::Eval(arguments) => eval::run(arguments, desk),
            Command::On(arguments) => eval::on(arguments, desk),
            Command::Explain(arguments) => explain::run(arguments, desk),
            Command::Diff(arguments) => diff::run(arguments, desk),
            Command::Test(arguments) => test::run(arguments, desk),
            Command::Inspect(arguments) => inspect::run(arguments, desk),
            Command::Codegen(arguments) => codegen::run(arguments, desk),
            Command::Refs(arguments) => refs::run(arguments, desk),
            Command::Stale(arguments) => stale::run(arguments, desk),
            Command::Assess(arguments) => assess::run(arguments, desk),
            Command::Rollback(arguments) => rollback::run(arguments, desk),
            Command::History(arguments) => history::run(arguments, desk),
            Command::Promote(arguments) => promote::run(arguments, desk),
            Command::Migrate(arguments) => migrate::run(arguments, desk),
            Command::Guard(arguments) => guard::run(arguments, desk),
            Command::Serve(arguments) => serve::run(arguments, desk),
            Command::Fmt(arguments) => fmt::run(arguments, desk),
            Command::Schema(arguments) => schema::run(arguments, desk),
            Command::Completions(arguments) => help::completions(arguments, desk),
            Command::Man(arguments) => help::man(arguments, desk),
            Command::Help(arguments) => help::run(arguments, desk),
        }
    }
}
