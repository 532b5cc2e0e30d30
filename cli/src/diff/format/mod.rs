//! How a difference is printed.

mod github;
mod human;
mod markdown;
mod words;

use super::Format;
use super::difference::Difference;
use crate::desk::{Desk, Trouble};
use crate::source::Snapshot;

/// Prints it, and says what is beyond the limits.
///
/// # Errors
/// When the output is closed or cannot be written.
pub(super) fn print(
    format: Format,
    difference: &Difference,
    new: &Snapshot,
    desk: &mut Desk<'_>,
) -> Result<(), Trouble> {
    match format {
        Format::Human => human::print(difference, desk)?,
        Format::Json => {
            let json = serde_json::to_string(difference).map_err(|error| Trouble::new(error.to_string()))?;
            desk.print(json + "\n")?;
        }
        Format::Markdown => desk.print(markdown::markdown(difference))?,
        Format::Github => github::print(difference, new, desk)?,
    }
    if format != Format::Github {
        for failure in &difference.failures {
            desk.say(format_args!("error: {} (--{})", failure.problem, words::gate(failure)))?;
        }
    }
    Ok(())
}
