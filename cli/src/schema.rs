//! `esclusa schema`: the JSON Schemas of what people write, for editors and other checkers.

use clap::ValueEnum;

use crate::desk::{Desk, Findings, Trouble};

const SNAPSHOT: &str = include_str!("../schemas/snapshot.schema.json");
const MAPPING: &str = include_str!("../schemas/mapping.schema.json");
const TEST: &str = include_str!("../schemas/test.schema.json");
const OUTPUT: &str = include_str!("../schemas/output.schema.json");
const DIFF: &str = include_str!("../schemas/diff.schema.json");

/// Print a JSON Schema, for editors and other checkers
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa schema > flags.schema.json
  esclusa schema mapping > mapping.schema.json")]
pub struct Arguments {
    /// Of what
    #[arg(value_enum, default_value_t = Of::Snapshot)]
    pub of: Of,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Of {
    /// A file of flags
    Snapshot,
    /// A mapping
    Mapping,
    /// What `esclusa diff --format json` prints
    Diff,
    /// What every other command prints with `--format json`, a definition for each
    Output,
    /// A file of tests
    Test,
}

/// Runs the command.
///
/// # Errors
/// When the output is closed or cannot be written.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    desk.print(match arguments.of {
        Of::Snapshot => SNAPSHOT,
        Of::Mapping => MAPPING,
        Of::Diff => DIFF,
        Of::Output => OUTPUT,
        Of::Test => TEST,
    })?;
    Ok(Findings::None)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schemas_are_those_of_the_specification() {
        for (name, copy) in [
            ("snapshot", super::SNAPSHOT),
            ("mapping", super::MAPPING),
            ("diff", super::DIFF),
            ("output", super::OUTPUT),
            ("test", super::TEST),
        ] {
            let file = format!("{}/../spec/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
            assert!(
                std::fs::read_to_string(&file).unwrap() == copy,
                "{file} has changed, expected its copy in cli/schemas too"
            );
        }
    }
}
