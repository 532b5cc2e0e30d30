//! `esclusa guard`: guarded rollouts before they begin, and after a trip.

mod plan;
mod verify;

use clap::Subcommand;

use crate::desk::{Desk, Findings, Trouble};

/// Plan a guarded rollout, or check the evidence of a trip
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa guard plan --units-per-hour 2000 --errors 1% --hurt 20
  esclusa guard verify trip.json")]
pub struct Arguments {
    /// What is to be done
    #[command(subcommand)]
    pub command: Command,
}

/// The commands of a guard.
#[derive(Clone, Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "clap would take the documentation for the help texts, which the commands have themselves"
)]
pub enum Command {
    Plan(plan::Arguments),
    Verify(verify::Arguments),
}

/// Runs the command.
///
/// # Errors
/// When an option makes no sense, or a file cannot be read.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    match &arguments.command {
        Command::Plan(arguments) => plan::run(arguments, desk),
        Command::Verify(arguments) => verify::run(arguments, desk),
    }
}
