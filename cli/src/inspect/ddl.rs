//! `esclusa inspect --ddl`: a schema in SQL instead of rows.

use std::path::Path;

use esclusa_formats::inspect_ddl;

use super::{Arguments, finish, report};
use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;

/// Names the columns, and writes or prints the mapping with every line as a question.
pub(super) fn run(file: &Path, arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let trouble = |error: &dyn std::fmt::Display| Trouble::new(format!("{}: {error}", file.display()));
    let sql = std::fs::read_to_string(desk.folder.join(file)).map_err(|error| trouble(&error))?;
    let inspection = inspect_ddl(&sql, arguments.reading.table.as_deref()).map_err(|error| trouble(&error))?;
    match arguments.format {
        Format::Json => desk.print(report::schema(&inspection).to_json() + "\n")?,
        Format::Human if arguments.yes => {}
        // There are no rows to try an answer on, so nothing is asked.
        Format::Human => {
            report::names(&inspection, desk)?;
            if arguments.out.is_none() {
                desk.print(format_args!("\n{}", inspection.answered(&[])))?;
            }
        }
    }
    finish(arguments, &inspection, &[], desk)
}
