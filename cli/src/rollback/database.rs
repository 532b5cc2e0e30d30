//! In Postgres the migration's function switches a flag off; an earlier state is put back from the history.

use std::time::Instant;

use esclusa::{Time, Value};
use esclusa_impact::before;
use esclusa_sync::Watch;

use super::{Arguments, Outcome, question};
use crate::desk::{Desk, Trouble};
use crate::history::differences;
use crate::postgres::{Field, Postgres, author, json};
use crate::source::Place;

/// How often it is tried again when another transaction was at work on the same rows.
const TRIES: usize = 5;

pub(super) fn roll_back(arguments: &Arguments, place: &Place, desk: &mut Desk<'_>) -> Result<Outcome, Trouble> {
    if let Some(to) = arguments.to.as_deref().filter(|to| *to != "previous") {
        Time::parse(to).ok_or_else(|| {
            Trouble::new(format!("`{to}` is not a time, expected `previous` or one such as 2026-02-01T00:00Z"))
        })?;
    }
    let postgres = Postgres::connect(place)?;
    let watches = postgres.watches(place.table.as_deref())?;
    // A table that may not be read is no reason to leave the flag on.
    let rows = |watch: &Watch| postgres.rows_of(watch, &arguments.flag).unwrap_or_default();
    let before: Vec<Vec<Value<'static>>> = watches.iter().map(rows).collect();
    if !arguments.dry_run {
        desk.confirm(&question(arguments, &postgres.name), arguments.yes)?;
    }
    let by = author(arguments.by.as_deref(), desk);
    let mut tries = TRIES;
    let (after, milliseconds) = loop {
        let begin = Instant::now();
        let done = postgres.transaction("BEGIN ISOLATION LEVEL READ COMMITTED", !arguments.dry_run, |postgres| {
            postgres.sign(by.as_deref(), &arguments.reason)?;
            match arguments.to.as_deref() {
                None => {
                    let sql = "SELECT esclusa.emergency_rollback($1, $2, $3)";
                    postgres.ask(sql, &[&arguments.flag, &by, &place.table])?;
                }
                Some(to) => put_back(&arguments.flag, to, &watches, postgres)?,
            }
            // Behind the commit others may have changed it again.
            Ok(watches.iter().map(|watch| readable(watch, &arguments.flag, postgres)).collect::<Vec<_>>())
        });
        match done {
            Ok(after) => break (after, u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX)),
            Err(_) if tries > 1 && postgres.was_in_the_way() => tries -= 1,
            Err(trouble) => return Err(trouble),
        }
    };
    let mut changes = Vec::new();
    for ((watch, old), new) in watches.iter().zip(&before).zip(&after) {
        let first = |rows: &[Value<'static>]| rows.first().cloned().unwrap_or_default();
        if !(old.is_empty() && new.is_empty()) {
            changes.push((watch.name.clone(), differences(&first(old), &first(new))));
        }
    }
    Ok(Outcome { changes, milliseconds, notes: postgres.said() })
}

/// The rows of a flag within a transaction, which goes on if they may not be read.
fn readable(watch: &Watch, flag: &str, postgres: &Postgres) -> Vec<Value<'static>> {
    if postgres.run("SAVEPOINT reading").is_err() {
        return Vec::new();
    }
    let rows = postgres.rows_of(watch, flag);
    if rows.is_err() {
        // Without it the commit fails, which says what is wrong.
        let _ = postgres.run("ROLLBACK TO reading");
    }
    rows.unwrap_or_default()
}

/// Undoes what the history says of a flag, from the newest change back to a time.
fn put_back(flag: &str, to: &str, watches: &[Watch], postgres: &Postgres) -> Result<(), Trouble> {
    let mut is_found = false;
    for watch in watches {
        is_found |= put_back_in(flag, to, watch, postgres)?;
    }
    if is_found {
        return Ok(());
    }
    let when = if to == "previous" { String::new() } else { format!(" after {to}") };
    Err(Trouble::new(format!("the history has no change of `{flag}`{when}, so nothing is changed")))
}

/// The same in one table; whether its history has such a change.
fn put_back_in(flag: &str, to: &str, watch: &Watch, postgres: &Postgres) -> Result<bool, Trouble> {
    let Watch { name, history, .. } = watch;
    // The changes of one transaction have one time.
    let since = match to {
        "previous" => {
            format!("h.created_at >= (SELECT max(created_at) FROM {history} WHERE flag_key = $1 AND $2 = 'previous')")
        }
        _ => "h.created_at > $2::text::timestamptz".to_owned(),
    };
    let sql = format!(
        "SELECT coalesce(flag_table, ''), old_value::text, new_value::text FROM {history} h
        WHERE flag_key = $1 AND {since} ORDER BY h.created_at DESC, h.ctid DESC",
    );
    // Until the transaction ends no one else writes the row or its history.
    let lock = format!("SELECT 1 FROM {name} f WHERE {} = $1 FOR UPDATE", watch.key());
    let is_there = !postgres.ask(&lock, &[&flag])?.is_empty();
    let mut state = is_there.then(|| Value::Object(Vec::new()));
    let lines = postgres.ask(&sql, &[&flag, &to])?;
    for line in &lines {
        let table: String = line.get(0);
        if table != *name && !table.is_empty() {
            return Err(Trouble::new(format!(
                "`{flag}` has changes in `{table}` too since then, which this tool does not put back; nothing is changed"
            )));
        }
        state = before(state, json(line.get(1))?, &json(line.get(2))?);
    }
    if lines.is_empty() {
        return Ok(false);
    }
    let Some(Value::Object(fields)) = state else {
        return Err(Trouble::new(format!("`{flag}` did not exist in {name} then, nothing is changed")));
    };
    write(flag, fields, is_there, watch, postgres)?;
    Ok(true)
}

/// Writes these fields of a flag: into its row, or into a new one.
fn write(flag: &str, fields: Vec<Field>, is_there: bool, watch: &Watch, postgres: &Postgres) -> Result<(), Trouble> {
    let columns = postgres.columns(watch)?;
    let has = |field: &str| columns.iter().any(|column| column.name == field);
    if !is_there {
        let fields: Vec<Field> = fields.into_iter().filter(|(field, _)| has(field)).collect();
        return postgres.insert(watch, &fields);
    }
    if let Some((gone, _)) = fields.iter().find(|(field, _)| !has(field)) {
        let name = &watch.name;
        return Err(Trouble::new(format!("{name} has no column `{gone}` any more, nothing is changed")));
    }
    postgres.update(watch, &columns, flag, &fields)
}
