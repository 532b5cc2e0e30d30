//! `esclusa diff`: what differs between two sets of flags, and who flips.

mod counting;
mod difference;
mod format;
mod gates;

use clap::ValueEnum;
use esclusa_impact::{Comparison, Document};

use crate::desk::{Desk, Findings, Trouble};
use crate::people::{Contexts, People};
use crate::source::{Reading, Snapshot};
use difference::Difference;
use gates::{Deny, Limit};

/// Say what differs between two sets of flags, and who flips
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa diff production flags.json
  git show main:flags.json | esclusa diff - flags.json --contexts people.csv --by plan,region
  esclusa diff production flags.json --contexts postgres://app@db/app \\
    --query 'SELECT id AS user, company_id AS company, plan, role, region FROM users' --sample 10000
  esclusa diff old.json new.json --contexts people.csv --max-flips 5% --max-off 0 --deny reshuffles
  esclusa diff old.json new.json --format markdown > comment.md

Exit codes: 0 compared, 1 more than a limit allows, 2 flags or people cannot be read.
The people of esclusa.toml are asked if no others are given:
  [sample]
  from = \"people.csv\"")]
pub struct Arguments {
    /// The flags before: a file, -, env:NAME, https://…, postgres://…, redis://…, sqlite:FILE, or a name of esclusa.toml
    #[arg(value_name = "OLD")]
    pub old: String,
    /// The flags after, likewise
    #[arg(value_name = "NEW")]
    pub new: String,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub contexts: Contexts,
    /// Group those who flip by these attributes
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_value = "plan,role,company,region")]
    #[arg(help_heading = "People")]
    pub by: Vec<String>,
    /// Number of people who are asked, chosen by chance; the share is estimated for all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "People")]
    pub sample: Option<u32>,
    /// Choose others; the same number chooses the same people
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "People")]
    pub seed: u64,
    /// Number of people shown for each flag, with both explanations
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "People")]
    pub examples: usize,
    /// Fail if an answer changes for more people, such as 5% or 200
    #[arg(long, value_name = "LIMIT", help_heading = "Limits")]
    pub max_flips: Option<Limit>,
    /// Fail if a flag turns off for more people, such as 0
    #[arg(long, value_name = "LIMIT", help_heading = "Limits")]
    pub max_off: Option<Limit>,
    /// Fail if people fall into other buckets
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Limits")]
    pub deny: Vec<Deny>,
    /// Exit with 0 whatever flips
    #[arg(long, help_heading = "Limits")]
    pub exit_zero: bool,
    /// Time of the question, such as 2026-02-01T00:00Z; now without it
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub reading: Reading,
}

/// How a difference is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people
    Human,
    /// One object (its schema: esclusa schema diff)
    Json,
    /// A comment for a pull request
    Markdown,
    /// Annotations of GitHub's workflows, and the comment as the summary of the job
    Github,
}

/// Runs the command.
///
/// # Errors
/// When flags or people cannot be read, or a limit counts people and there are none.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let config = arguments.reading.config(desk)?;
    let at = crate::caller::time(arguments.at.as_deref(), desk)?;
    let people = arguments.contexts.people(&config, desk)?;
    let people_at_input = people.as_ref().is_some_and(People::is_input);
    let inputs = [arguments.old == "-", arguments.new == "-", people_at_input];
    if inputs.into_iter().filter(|is_input| *is_input).count() > 1 {
        return Err(Trouble::new("`-` is the standard input, which can be read once"));
    }
    let old = Snapshot::read(&arguments.old, &arguments.reading, desk)?;
    let new = Snapshot::read(&arguments.new, &arguments.reading, desk)?;
    let comparison = Comparison::new(old.set()?, new.set()?);
    let natives = [old.native()?, new.native()?];
    let document = |at: usize, snapshot: &Snapshot| {
        let bytes = natives.get(at).map(AsRef::as_ref).unwrap_or_default();
        Document::from_json(bytes).map_err(|error| Trouble::new(format!("{}: {error}", snapshot.name)))
    };
    let documents = [document(0, &old)?, document(1, &new)?];
    let counted = match &people {
        None => None,
        Some(people) => {
            let natives = natives.each_ref().map(AsRef::as_ref);
            Some(counting::count(people, &comparison, &natives, arguments, at, desk)?)
        }
    };
    let mut difference = Difference::of([&old.name, &new.name], &documents, &comparison, counted.as_ref(), at);
    difference.failures = gates::check(arguments, &difference)?;
    format::print(arguments.format, &difference, &new, desk)?;
    Ok(Findings::some_if(!difference.failures.is_empty() && !arguments.exit_zero))
}
