//! `esclusa explain`: every step that led to an answer.

use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;
use crate::question::Question;

/// Say why a caller gets what they get: every step, and the first no
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa explain flags.json crm --user 42 --plan PREMIUM
  esclusa explain production crm --context @caller.json --at 2026-02-01 --format json

Exit codes: 0 explained, 2 the flags cannot be read or have no such flag.")]
pub struct Arguments {
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub question: Question,
    /// Key of the flag
    #[arg(value_name = "FLAG")]
    pub flag: String,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Runs the command.
///
/// # Errors
/// When the source does not answer or has no such flag.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let asked = arguments.question.read(desk)?;
    let explanation = asked.set.explain(asked.known(&arguments.flag)?, &asked.context, asked.now);
    match arguments.format {
        Format::Human => desk.print(format_args!("{explanation}\n"))?,
        Format::Json => desk.print(explanation.to_value().to_json() + "\n")?,
    }
    Ok(Findings::None)
}
