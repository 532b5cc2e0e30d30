//! `esclusa explain`: every step that led to an answer.

use clap::ValueEnum;

use crate::caller::Caller;
use crate::desk::{Desk, Findings, Trouble};
use crate::eval::known;
use crate::source::{Reading, Snapshot};

/// Say why a caller gets what they get: every step, and the first no
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa explain flags.json crm --user 42 --plan PREMIUM
  esclusa explain production crm --context @caller.json --at 2026-02-01 --format json

Exit codes: 0 explained, 2 the flags cannot be read or have no such flag.")]
pub struct Arguments {
    /// A file, -, env:NAME, https://…, postgres://…, redis://…, sqlite:FILE, or a name of esclusa.toml
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: String,
    /// Key of the flag
    #[arg(value_name = "FLAG")]
    pub flag: String,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub caller: Caller,
    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub reading: Reading,
}

/// How an explanation is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines to read out
    Human,
    /// The answer, the first no, and the path of steps
    Json,
}

/// Runs the command.
///
/// # Errors
/// When the source does not answer or has no such flag.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let (context, now) = (arguments.caller.context(desk)?, arguments.caller.time(desk)?);
    let snapshot = Snapshot::read(&arguments.snapshot, &arguments.reading, desk)?;
    let set = snapshot.set()?;
    let explanation = set.explain(known(&arguments.flag, &set, &snapshot)?, &context, now);
    match arguments.format {
        Format::Human => desk.print(format_args!("{explanation}\n"))?,
        Format::Json => desk.print(explanation.to_value().to_json() + "\n")?,
    }
    Ok(Findings::None)
}
