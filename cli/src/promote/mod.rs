//! `esclusa promote`: copies definitions from one source to another, such as from staging to production.

mod file;
mod table;

use std::collections::BTreeSet;

use esclusa::{FlagSet, Time, Value, row, rows};
use esclusa_impact::{Change, Document, Kind, changes};

use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;
use crate::history::{FieldChange, change_value, print_changes};
use crate::nearest::no_flag;
use crate::source::{Place, Reading, Snapshot};

/// Columns that belong to one environment: those of the target stay, and new rows have the target's defaults.
const OWN: &str = "id, created_at, created_by, updated_at and metrics are the target's own";

/// Copy definitions from one source to another
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa promote staging production crm_advanced --dry-run
  esclusa promote flags.json postgres://app@db/app --reason 'release 42'
  esclusa promote production flags.json --yes

It shows what would change, and asks. What only the target has stays, and so do the columns of one environment: id,
description, created_at, created_by, updated_at and metrics; a new flag takes its description along. Segments are not
copied. A target whose rows a mapping reads is not written.
Exit codes: 0 done or nothing to do, 1 the outcome would have violations and nothing is changed, 2 it could not be
done, as when the target has changed in between.")]
pub struct Arguments {
    /// Where definitions come from: any source
    #[arg(value_name = "FROM")]
    pub from: String,
    /// Where they go: a file, postgres://…, or a name of esclusa.toml
    #[arg(value_name = "TO")]
    pub to: String,
    /// Keys of flags; all of them without it
    #[arg(value_name = "FLAG")]
    pub flags: Vec<String>,
    /// Table of the target
    #[arg(long, value_name = "TABLE")]
    pub to_table: Option<String>,
    /// Why, for the history of the target
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Who does it, for the history of the target; the user of this machine without it
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

/// Where definitions go.
enum Target {
    File(file::File),
    Table(Box<table::Table>),
}

/// What is to be copied.
struct Plan {
    changes: Vec<Change>,
    /// For each change that adds a flag, its row.
    rows: Vec<Value<'static>>,
    notes: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When a source cannot be read, or the target cannot be written; then nothing is changed.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let from = Snapshot::read(&arguments.from, &arguments.reading, desk)?;
    let source = document(&from.name, &from.native()?)?;
    let reading =
        Reading { table: arguments.to_table.clone(), no_config: arguments.reading.no_config, ..Reading::default() };
    let mut target = Target::read(&Place::find(&arguments.to, &reading, desk)?, &arguments.to)?;
    let plan = Plan::new(arguments, (&from.name, &source), &document("the target", target.bytes())?)?;
    let outcome = target.outcome(&plan)?;
    let problems: Vec<String> = violations(&outcome)?.difference(&violations(target.bytes())?).cloned().collect();
    let is_done = problems.is_empty() && !plan.changes.is_empty() && !arguments.dry_run;
    if arguments.format == Format::Human {
        human(&plan, &problems, desk)?;
        if plan.changes.is_empty() {
            desk.say("nothing to do")?;
        } else if !problems.is_empty() {
            desk.say("nothing is changed: the target would have violations that it has not now")?;
        } else if arguments.dry_run {
            desk.say("nothing is changed (--dry-run)")?;
        }
    }
    if is_done {
        desk.confirm(&format!("change {} in {}?", counted(plan.changes.len()), arguments.to), arguments.yes)?;
        let reason = arguments.reason.clone().unwrap_or_else(|| format!("promoted from {}", from.name));
        let by = crate::postgres::author(arguments.by.as_deref(), desk);
        target.write(&plan, &outcome, by.as_deref(), &reason, desk)?;
        if arguments.format == Format::Human {
            desk.say(format_args!("changed {} in {}", counted(plan.changes.len()), arguments.to))?;
        }
    }
    let found = Findings::some_if(!problems.is_empty());
    if arguments.format == Format::Json {
        desk.print(json(plan, problems, is_done).to_json() + "\n")?;
    }
    Ok(found)
}

fn counted(flags: usize) -> String {
    if flags == 1 { "1 flag".to_owned() } else { format!("{flags} flags") }
}

fn document(name: &str, bytes: &[u8]) -> Result<Document, Trouble> {
    Document::from_json(bytes).map_err(|error| Trouble::new(format!("{name}: {error}")))
}

/// What is wrong with flags, without the numbers of rows.
fn violations(bytes: &[u8]) -> Result<BTreeSet<String>, Trouble> {
    let trouble = |error: esclusa::SnapshotError| Trouble::new(format!("the target: {error}"));
    let mut keys = Vec::new();
    rows(bytes, &mut |_, _, row| keys.push(row::key(row).unwrap_or_default().to_owned())).map_err(trouble)?;
    let set = FlagSet::from_json(bytes).map_err(trouble)?;
    let said = |violation: &esclusa::Violation| {
        let parts: Vec<&str> = violation.place().split('/').skip(1).skip_while(|part| *part == "flags").collect();
        let key = parts.first().and_then(|part| part.parse::<usize>().ok()).and_then(|at| keys.get(at));
        match key {
            Some(key) => {
                let place = parts.get(1..).unwrap_or_default().join("/");
                format!("{key} {place}: {}", violation.problem())
            }
            None => format!("{}: {}", violation.place(), violation.problem()),
        }
    };
    Ok(set.violations().iter().map(said).collect())
}

impl Plan {
    fn new(arguments: &Arguments, (name, source): (&str, &Document), to: &Document) -> Result<Self, Trouble> {
        for flag in &arguments.flags {
            if !source.flags().contains_key(flag) {
                return Err(Trouble::new(no_flag(name, flag, source.flags().keys().map(String::as_str))));
            }
        }
        let is_meant = |change: &Change| arguments.flags.is_empty() || arguments.flags.contains(&change.key);
        let all: Vec<Change> = changes(to, source).into_iter().filter(is_meant).collect();
        let mut notes = Vec::new();
        let only_there: Vec<&str> =
            all.iter().filter(|one| one.kind == Kind::Removed).map(|one| one.key.as_str()).collect();
        if !only_there.is_empty() {
            notes.push(format!("only in the target, where they stay: {}", only_there.join(", ")));
        }
        for change in &all {
            let segments: Vec<&str> = change.through.iter().filter_map(|one| one.strip_prefix("segment ")).collect();
            if !segments.is_empty() {
                let names = segments.join("`, `");
                notes.push(format!("`{}` uses what differs and is not copied: segment `{names}`", change.key));
            }
        }
        let changes: Vec<Change> = all
            .into_iter()
            .map(|mut one| {
                one.fields.retain(|field| one.kind == Kind::Added || is_other(field));
                one
            })
            .filter(|one| one.kind != Kind::Removed && !one.fields.is_empty())
            .collect();
        if !changes.is_empty() {
            notes.push(OWN.to_owned());
        }
        let added = changes.iter().filter(|change| change.kind == Kind::Added);
        let rows = added.filter_map(|change| source.flags().get(&change.key)).map(new_row).collect();
        Ok(Plan { changes, rows, notes })
    }
}

/// Whether a field says something else than before: stores write one time, share or switch in several ways.
fn is_other(change: &esclusa_impact::FieldChange) -> bool {
    let both = |of: &dyn Fn(&Value<'static>) -> Option<i64>| {
        let said = |value: &Option<Value<'static>>| value.as_ref().and_then(of);
        said(&change.old).is_some() && said(&change.old) == said(&change.new)
    };
    match change.field.as_str() {
        // What a guard has done in one environment says nothing of another.
        "key" | "name" | STATE => false,
        "enabled" => !both(&|value| row::switch(value).map(i64::from)),
        "rollout_percentage" => !both(&|value| row::share(value).map(i64::from)),
        "start_date" | "end_date" => !both(&|value| Time::parse(value.as_str()?).map(Time::as_millis)),
        _ => true,
    }
}

/// The trips and runs of a guard.
const STATE: &str = "guard_state";

/// What a new row takes along: everything but the columns of one environment.
fn new_row(definition: &esclusa_impact::Definition) -> Value<'static> {
    let fields = definition.fields().filter(|(name, _)| *name != STATE);
    let fields = fields.map(|(name, value)| (name.to_owned().into(), value.clone()));
    let description = definition.row().get("description").filter(|value| !value.is_null());
    let description = description.map(|value| ("description".into(), value.clone()));
    Value::Object(fields.chain(description).collect())
}

impl Target {
    fn read(place: &Place, argument: &str) -> Result<Self, Trouble> {
        if place.mapping.is_some() {
            return Err(Trouble::new(format!("a mapping reads `{argument}`, and this tool does not write by one")));
        }
        if place.is_postgres() {
            return Ok(Target::Table(Box::new(table::Table::read(place)?)));
        }
        match place.file() {
            Some(file) => Ok(Target::File(file::File::read(file, place)?)),
            None => {
                Err(Trouble::new(format!("`{argument}` is not written by this tool, expected a file or a Postgres")))
            }
        }
    }

    /// The flags as they are.
    fn bytes(&self) -> &[u8] {
        match self {
            Target::File(file) => file.bytes(),
            Target::Table(table) => table.bytes(),
        }
    }

    /// The flags as they would be.
    fn outcome(&self, plan: &Plan) -> Result<Vec<u8>, Trouble> {
        match self {
            Target::File(file) => file.outcome(plan),
            Target::Table(table) => table.outcome(plan),
        }
    }

    fn write(
        &mut self,
        plan: &Plan,
        outcome: &[u8],
        by: Option<&str>,
        reason: &str,
        desk: &Desk<'_>,
    ) -> Result<(), Trouble> {
        match self {
            Target::File(file) => file.write(outcome, desk),
            Target::Table(table) => table.write(plan, by, reason),
        }
    }
}

fn fields(change: &Change) -> Vec<FieldChange> {
    let field = |one: &esclusa_impact::FieldChange| FieldChange {
        field: one.field.clone(),
        old: one.old.clone().unwrap_or_default(),
        new: one.new.clone().unwrap_or_default(),
    };
    change.fields.iter().map(field).collect()
}

fn human(plan: &Plan, problems: &[String], desk: &mut Desk<'_>) -> Result<(), Trouble> {
    for change in &plan.changes {
        desk.print(format_args!("{}  {}\n", change.key, change.kind.name()))?;
        print_changes(&fields(change), desk)?;
        if !change.reshuffles.is_empty() {
            let names = change.reshuffles.join(", ");
            desk.print(format_args!("  people are shuffled anew by {names}\n"))?;
        }
    }
    problems.iter().try_for_each(|problem| desk.print(format_args!("error: {problem}\n")))?;
    plan.notes.iter().try_for_each(|note| desk.say(note))
}

fn json(plan: Plan, problems: Vec<String>, is_done: bool) -> Value<'static> {
    let change = |change: Change| {
        let changes = Value::List(fields(&change).into_iter().map(change_value).collect());
        Value::Object(vec![
            ("flag".into(), change.key.into()),
            ("kind".into(), change.kind.name().into()),
            ("changes".into(), changes),
            ("reshuffles".into(), Value::List(change.reshuffles.into_iter().map(Value::from).collect())),
        ])
    };
    Value::Object(vec![
        ("done".into(), is_done.into()),
        ("flags".into(), Value::List(plan.changes.into_iter().map(change).collect())),
        ("violations".into(), problems.into()),
        ("notes".into(), plan.notes.into()),
    ])
}
