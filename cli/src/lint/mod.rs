//! `esclusa lint`: what is wrong with flags, and advice about them, with the place in the author's file.

mod advice;
mod check;
mod document;
mod finding;
mod format;

use clap::ValueEnum;
use serde::Deserialize;

use crate::desk::{Desk, Findings, Trouble};
use crate::nearest::nearest;
use crate::source::{Reading, Snapshot};

pub(crate) use advice::{finished, is_known};
pub(crate) use document::Document;
pub(crate) use finding::{Finding, Severity};

/// Whether an advice is given, and whether it holds up a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It is not given.
    Allow,
    /// It is given.
    Warn,
    /// It is given, and the exit code is 1.
    Deny,
}

/// Check flags: violations, columns that are not read, and advice
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa lint flags.json
  esclusa lint postgres://app@db/app --table feature_flags
  esclusa lint flags.json --format github --deny warnings
  esclusa lint --explain near-miss-value

Exit codes: 0 nothing to object to, 1 errors, 2 the flags cannot be read.
Levels of advice are in esclusa.toml:
  [lint.levels]
  no-description = \"deny\"")]
pub struct Arguments {
    /// A file, -, env:NAME, https://…, postgres://…, redis://…, sqlite:FILE, or a name of esclusa.toml
    #[arg(value_name = "SNAPSHOT", required_unless_present = "explain")]
    pub snapshots: Vec<String>,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Explain an advice; without a name, list all
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    pub explain: Option<String>,
    /// Leave an advice out
    #[arg(long, value_name = "NAME")]
    pub allow: Vec<String>,
    /// Give an advice
    #[arg(long, value_name = "NAME")]
    pub warn: Vec<String>,
    /// Treat an advice, or all `warnings`, as an error
    #[arg(long, value_name = "NAME")]
    pub deny: Vec<String>,
    /// Exit with 0 whatever is found
    #[arg(long)]
    pub exit_zero: bool,
    /// Time against which windows and schedules are judged; now without it
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub reading: Reading,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, with the line of the file
    Human,
    /// One array of findings
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub's workflows
    Github,
    /// GitLab's code quality report
    Gitlab,
    /// JUnit's XML
    Junit,
}

/// Runs the command.
///
/// # Errors
/// When a source does not answer or an option makes no sense.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    if let Some(name) = &arguments.explain {
        return explain(name, desk);
    }
    let levels = levels(arguments, desk)?;
    let now = crate::caller::time(arguments.at.as_deref(), desk)?;
    let mut files = Vec::new();
    for argument in &arguments.snapshots {
        let snapshot = Snapshot::read(argument, &arguments.reading, desk)?;
        let findings = check::check(&snapshot, &levels, now);
        files.push((snapshot, findings));
    }
    let has_errors = files.iter().any(|(_, findings)| findings.iter().any(|one| one.severity == Severity::Error));
    format::print(arguments.format, &files, desk)?;
    Ok(Findings::some_if(has_errors && !arguments.exit_zero))
}

/// The level of each advice, and whether warnings are errors.
#[derive(Debug)]
pub(crate) struct Levels {
    levels: Vec<(String, Level)>,
    deny_warnings: bool,
}

impl Levels {
    /// The severity of findings of this name; none if they are not given.
    fn severity(&self, name: &str, default: Level) -> Option<Severity> {
        let named = self.levels.iter().rev().find(|(known, _)| known == name).map(|(_, level)| *level);
        match named.unwrap_or(default) {
            Level::Allow => None,
            Level::Warn if self.deny_warnings => Some(Severity::Error),
            Level::Warn => Some(Severity::Warning),
            Level::Deny => Some(Severity::Error),
        }
    }
}

fn levels(arguments: &Arguments, desk: &Desk<'_>) -> Result<Levels, Trouble> {
    let mut levels: Vec<(String, Level)> = arguments.reading.config(desk)?.lint.levels.into_iter().collect();
    let mut deny_warnings = false;
    let given = [(&arguments.allow, Level::Allow), (&arguments.warn, Level::Warn), (&arguments.deny, Level::Deny)];
    for (names, level) in given {
        for name in names {
            if level == Level::Deny && name == "warnings" {
                deny_warnings = true;
            } else if is_known(name) {
                levels.push((name.clone(), level));
            } else {
                return Err(unknown(name));
            }
        }
    }
    Ok(Levels { levels, deny_warnings })
}

fn unknown(name: &str) -> Trouble {
    let hint = nearest(name, advice::names()).map_or_else(
        || ", expected one of `esclusa lint --explain`".to_owned(),
        |near| format!("; did you mean `{near}`?"),
    );
    Trouble::new(format!("`{name}` is not the name of an advice{hint}"))
}

fn explain(name: &str, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    if name.is_empty() {
        for rule in advice::all() {
            let level = format!("{:?}", rule.level).to_lowercase();
            desk.print(format_args!("{:<20} {level:<6} {}\n", rule.name, rule.summary))?;
        }
        return Ok(Findings::None);
    }
    let rule = advice::all().find(|rule| rule.name == name).ok_or_else(|| unknown(name))?;
    let level = format!("{:?}", rule.level).to_lowercase();
    desk.print(format_args!("{} ({level})\n\n{}.\n\n{}\n", rule.name, rule.summary, rule.page))?;
    Ok(Findings::None)
}
