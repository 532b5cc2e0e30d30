//! `esclusa guard`: guarded rollouts before they begin, and after a trip.

mod forecast;
mod plan;
mod resume;
mod share;
mod verify;

use clap::Subcommand;

use crate::desk::{Desk, Findings, Trouble};

/// Plan a guarded rollout, look ahead to its next step, check the evidence of a trip, or begin a new run
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa guard plan --units-per-hour 2000 --errors 1% --hurt 20
  esclusa guard forecast --on 24/1000 --off 90/9000 --share 10% --next 25% --units 20000
  esclusa guard verify trip.json
  esclusa guard resume checkout --source production --reason 'the payment is mended'")]
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
    Forecast(forecast::Arguments),
    Plan(plan::Arguments),
    Resume(resume::Arguments),
    Verify(verify::Arguments),
}

/// Runs the command.
///
/// # Errors
/// When an option makes no sense, or a file cannot be read.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    match &arguments.command {
        Command::Forecast(arguments) => forecast::run(arguments, desk),
        Command::Plan(arguments) => plan::run(arguments, desk),
        Command::Resume(arguments) => resume::run(arguments, desk),
        Command::Verify(arguments) => verify::run(arguments, desk),
    }
}
