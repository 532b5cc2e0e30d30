//! `esclusa rollback`: takes a flag back, in a Postgres or in a file.

mod database;
mod file;

use esclusa::Value;

use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;
use crate::history::{FieldChange, change_value, print_changes};
use crate::source::{Place, Reading};

/// Take a flag back: off for everybody, or as it was before
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa rollback crm_advanced --source production --reason 'errors in the inbox'
  esclusa rollback crm_advanced --source production --reason 'a wrong share' --to previous
  esclusa rollback crm_advanced --source flags.json --reason 'errors in the inbox' --yes

In Postgres `esclusa.emergency_rollback` does it, and the history says who did it and why. In a file the value of
`enabled` changes, and no other byte.
Exit codes: 0 done, 2 it could not be done, and nothing is changed.")]
pub struct Arguments {
    /// Key of the flag
    #[arg(value_name = "FLAG")]
    pub flag: String,
    /// postgres://…, a file, or a name of esclusa.toml; not needed if esclusa.toml has one source
    #[arg(long, value_name = "SNAPSHOT")]
    pub source: Option<String>,
    /// Put the flag back as it was: at a time, or before its last change (`previous`); off for everybody without it
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Who does it, for the history; the user of this machine without it
    #[arg(long, value_name = "USER")]
    pub by: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Change nothing, and show what would change
    #[arg(long)]
    pub dry_run: bool,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub reading: Reading,
}

/// What has changed, and how long it took.
struct Outcome {
    /// Each table, or the file, with its fields.
    changes: Vec<(String, Vec<FieldChange>)>,
    milliseconds: u64,
    /// What a person should know besides.
    notes: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When the source cannot be changed, or has no such flag; then nothing is changed.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    if arguments.reason.trim().is_empty() {
        return Err(Trouble::new("`--reason` is empty, expected why the flag is taken back"));
    }
    let place = arguments.reading.place(arguments.source.as_deref(), desk)?;
    let outcome = if place.is_postgres() {
        database::roll_back(arguments, &place, desk)?
    } else if let Some(file) = place.file() {
        file::roll_back(arguments, &place, file, desk)?
    } else {
        return Err(other(&place));
    };
    match arguments.format {
        Format::Human => human(arguments, &outcome, desk)?,
        Format::Json => json(arguments, outcome, desk)?,
    }
    Ok(Findings::None)
}

/// What to do where this tool cannot write.
fn other(place: &Place) -> Trouble {
    let what = if place.place.starts_with("http") {
        "a URL is not written by this tool, expected the source that its server reads"
    } else if place.place.starts_with("redis") {
        "Redis is not written by this tool, expected the source of what is published there"
    } else if place.place == "-" || place.place.starts_with("env:") {
        "it cannot be written, expected a file or a Postgres"
    } else {
        "this tool writes files and Postgres, expected an UPDATE that switches the row off"
    };
    Trouble::new(format!("nothing is changed: {what}"))
}

/// The question before anything is changed.
fn question(arguments: &Arguments, name: &str) -> String {
    let flag = &arguments.flag;
    match arguments.to.as_deref() {
        None => format!("switch `{flag}` off for everybody in {name}?"),
        Some("previous") => format!("put `{flag}` back as it was before its last change in {name}?"),
        Some(time) => format!("put `{flag}` back as it was at {time} in {name}?"),
    }
}

fn human(arguments: &Arguments, outcome: &Outcome, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    for (table, changes) in &outcome.changes {
        desk.print(format_args!("{} in {table}\n", arguments.flag))?;
        if changes.is_empty() {
            desk.print("  is so already\n")?;
        }
        print_changes(changes, desk)?;
    }
    outcome.notes.iter().try_for_each(|note| desk.say(note))?;
    if arguments.dry_run {
        desk.say("nothing is changed (--dry-run)")
    } else {
        desk.say(format_args!("done in {} ms", outcome.milliseconds))
    }
}

fn json(arguments: &Arguments, outcome: Outcome, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    let table = |(name, changes): (String, Vec<FieldChange>)| {
        let changes = Value::List(changes.into_iter().map(change_value).collect());
        Value::Object(vec![("place".into(), name.into()), ("changes".into(), changes)])
    };
    let value = Value::Object(vec![
        ("flag".into(), arguments.flag.clone().into()),
        ("reason".into(), arguments.reason.clone().into()),
        ("dry_run".into(), arguments.dry_run.into()),
        ("milliseconds".into(), outcome.milliseconds.into()),
        ("changed".into(), Value::List(outcome.changes.into_iter().map(table).collect())),
        ("notes".into(), outcome.notes.into()),
    ]);
    desk.print(value.to_json() + "\n")
}
