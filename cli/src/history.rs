//! `esclusa history`: who changed what of the flags in a Postgres, when and why.

use std::collections::BTreeSet;

use esclusa::{Value, row};
use esclusa_sync::Recorded;

use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;
use crate::postgres::{Postgres, json};
use crate::source::{Place, Reading};

/// Say who changed flags: when, what, and why
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa history --source production
  esclusa history crm_advanced --source postgres://app@db/app --limit 5
  esclusa history crm_advanced --source production --format json

Postgres has a history after `esclusa migrate --watch TABLE`; the history of a file is in its repository.
Exit codes: 0 shown, also if there is none; 2 the source keeps no history, or it cannot be read.")]
pub struct Arguments {
    /// Key of a flag; all of them without it
    #[arg(value_name = "FLAG")]
    pub flag: Option<String>,
    /// postgres://… or a name of esclusa.toml; not needed if esclusa.toml has one source
    #[arg(long, value_name = "SNAPSHOT")]
    pub source: Option<String>,
    /// How many changes are shown, the newest first
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u32,
    /// How they are printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub reading: Reading,
}

/// A line of the history.
struct Entry {
    at: String,
    flag: String,
    table: Option<String>,
    action: String,
    by: Option<String>,
    reason: Option<String>,
    changes: Vec<FieldChange>,
}

/// A field with what it held before and after.
pub(crate) struct FieldChange {
    pub(crate) field: String,
    pub(crate) old: Value<'static>,
    pub(crate) new: Value<'static>,
}

/// Runs the command.
///
/// # Errors
/// When the source keeps no history or does not answer.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let place = arguments.reading.place(arguments.source.as_deref(), desk)?;
    if !place.is_postgres() {
        return Err(none_kept(&place));
    }
    let postgres = Postgres::connect(&place)?;
    let mut entries = Vec::new();
    let watches = postgres.watches(place.table.as_deref())?;
    let histories: BTreeSet<&str> = watches.iter().map(|watch| watch.history.as_str()).collect();
    for history in histories {
        entries.extend(read(&postgres, history, arguments)?);
    }
    entries.sort_by(|one, other| other.at.cmp(&one.at));
    entries.truncate(arguments.limit as usize);
    match arguments.format {
        Format::Human if entries.is_empty() => desk.say("no change is recorded")?,
        Format::Human => entries.iter().try_for_each(|entry| human(entry, desk))?,
        Format::Json => {
            desk.print(Value::List(entries.into_iter().map(value).collect()).to_json() + "\n")?;
        }
    }
    Ok(Findings::None)
}

fn none_kept(place: &Place) -> Trouble {
    Trouble::new(match place.file() {
        Some(file) => format!("a file keeps no history, expected `git log -p {file}`, or a Postgres"),
        None => "this source keeps no history, expected a Postgres with the migration (`esclusa migrate`)".to_owned(),
    })
}

fn read(postgres: &Postgres, history: &str, arguments: &Arguments) -> Result<Vec<Entry>, Trouble> {
    let lines = postgres.recorded(history, arguments.flag.as_deref(), arguments.limit)?;
    let entry = |line: Recorded| {
        Ok(Entry {
            at: line.at,
            flag: line.flag,
            table: line.table,
            action: line.action,
            by: line.by,
            reason: line.reason,
            changes: differences(&json(line.old)?, &json(line.new)?),
        })
    };
    lines.into_iter().map(entry).collect()
}

/// The columns that differ between two rows; of a row that came or went, those that hold something. Without the columns
/// that change no answer.
pub(crate) fn differences(old: &Value<'static>, new: &Value<'static>) -> Vec<FieldChange> {
    let fields = |value: &Value<'static>| match value {
        Value::Object(fields) => fields.clone(),
        _ => Vec::new(),
    };
    let mut names: Vec<String> = Vec::new();
    for (name, _) in fields(old).iter().chain(&fields(new)) {
        if !names.iter().any(|known| known == name) && !row::is_ignored(name) {
            names.push(name.clone().into_owned());
        }
    }
    let held = |value: &Value<'static>, name: &str| value.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .map(|field| FieldChange { old: held(old, &field), new: held(new, &field), field })
        .filter(|change| change.old != change.new)
        .collect()
}

/// `{"field", "old", "new"}`.
pub(crate) fn change_value(change: FieldChange) -> Value<'static> {
    Value::Object(vec![("field".into(), change.field.into()), ("old".into(), change.old), ("new".into(), change.new)])
}

/// Each field in a line of its own.
///
/// # Errors
/// When the output is closed or cannot be written.
pub(crate) fn print_changes(changes: &[FieldChange], desk: &mut Desk<'_>) -> Result<(), Trouble> {
    let widest = changes.iter().map(|change| change.field.chars().count()).max().unwrap_or_default();
    changes.iter().try_for_each(|change| {
        let (old, new) = (change.old.to_json(), change.new.to_json());
        desk.print(format_args!("  {:<widest$}  {old} → {new}\n", change.field))
    })
}

fn human(entry: &Entry, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    let by = entry.by.as_ref().map_or(String::new(), |by| format!("  by {by}"));
    let reason = entry.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    desk.print(format_args!("{}  {}  {}{by}{reason}\n", entry.at, entry.flag, entry.action))?;
    print_changes(&entry.changes, desk)
}

fn value(entry: Entry) -> Value<'static> {
    Value::Object(vec![
        ("at".into(), entry.at.into()),
        ("flag".into(), entry.flag.into()),
        ("table".into(), entry.table.into()),
        ("action".into(), entry.action.into()),
        ("by".into(), entry.by.into()),
        ("reason".into(), entry.reason.into()),
        ("changes".into(), Value::List(entry.changes.into_iter().map(change_value).collect())),
    ])
}
