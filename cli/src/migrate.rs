//! `esclusa migrate`: brings the migration into a Postgres, or says what is missing there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use esclusa::Value;
use esclusa_sync::{GUARD_MIGRATION, MIGRATION};

use crate::desk::{Desk, Findings, Trouble};
use crate::format::Format;
use crate::postgres::Postgres;
use crate::source::{Place, Reading, read_mapping};

/// What the migration makes besides functions.
const RELATIONS: [&str; 4] = ["watched", "change", "mapping_history", "revision"];

/// Bring the migration into a Postgres: revisions, notifications, history and rollback
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa migrate postgres://owner@db/app --watch public.feature_flags --allow app
  esclusa migrate production --guard public.feature_flags --allow-guard app
  esclusa migrate production --check
  esclusa migrate --print > 001_esclusa.sql
  esclusa migrate --print guard > 002_guard.sql

It may be run again: it changes no flag, and brings an older version up to date.
Exit codes: 0 done, 1 something is missing (--check), 2 it could not be done, and nothing is changed.")]
pub struct Arguments {
    /// postgres://…, or a name of esclusa.toml
    #[arg(value_name = "DATABASE", required_unless_present = "print")]
    pub database: Option<String>,
    /// Attach to a table of flags
    #[arg(long, value_name = "TABLE")]
    pub watch: Vec<String>,
    /// Let the database keep this mapping (TOML or JSON) with the table
    #[arg(long, value_name = "FILE", requires = "watch")]
    pub mapping: Option<PathBuf>,
    /// Let a role ask for flags, as apps do
    #[arg(long, value_name = "ROLE")]
    pub allow: Vec<String>,
    /// Give a watched table the columns of guarded rollouts
    #[arg(long, value_name = "TABLE")]
    pub guard: Vec<String>,
    /// Let a role switch off flags whose guards have tripped, as apps do
    #[arg(long, value_name = "ROLE")]
    pub allow_guard: Vec<String>,
    /// Print the SQL
    #[arg(long, value_enum, value_name = "FILE", num_args = 0..=1, default_missing_value = "flags",
        conflicts_with_all = ["check", "watch", "allow", "guard", "allow_guard"])]
    pub print: Option<Sql>,
    /// Change nothing, and say what is missing
    #[arg(long, conflicts_with_all = ["allow", "allow_guard"])]
    pub check: bool,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Leave esclusa.toml aside
    #[arg(long, help_heading = "Source")]
    pub no_config: bool,
}

/// A file of the migration.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Sql {
    /// 001_esclusa.sql: revisions, notifications, history and rollback
    Flags,
    /// 002_guard.sql: trips of guarded rollouts
    Guard,
}

/// Runs the command.
///
/// # Errors
/// When the database does not answer or refuses.
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let (Some(database), None) = (&arguments.database, arguments.print) else {
        desk.print(if let Some(Sql::Guard) = arguments.print { GUARD_MIGRATION } else { MIGRATION })?;
        return Ok(Findings::None);
    };
    let mapping = match &arguments.mapping {
        Some(_) if arguments.watch.len() > 1 => {
            return Err(Trouble::new("a mapping is for one table, expected `--watch` once"));
        }
        Some(file) => Some(read_mapping(&desk.folder.join(file))?.to_json()),
        None => None,
    };
    let reading = Reading { no_config: arguments.no_config, ..Reading::default() };
    let place = Place::find(database, &reading, desk)?;
    if !place.is_postgres() {
        return Err(Trouble::new(format!("`{database}` is not a Postgres, expected an address such as postgres://…")));
    }
    let postgres = Postgres::connect(&place)?;
    if arguments.check {
        return check(arguments, &postgres, desk);
    }
    let watched = postgres.transaction("BEGIN", true, |postgres| migrate(arguments, mapping.as_deref(), postgres))?;
    let said = postgres.said();
    match arguments.format {
        Format::Human => {
            said.iter().try_for_each(|warning| desk.say(format_args!("warning: {warning}")))?;
            desk.say(format_args!("{}: migrated", postgres.name))?;
            watched.iter().try_for_each(|name| desk.say(format_args!("watches {name}")))?;
        }
        Format::Json => {
            let value = Value::Object(vec![("watched".into(), watched.into()), ("warnings".into(), said.into())]);
            desk.print(value.to_json() + "\n")?;
        }
    }
    Ok(Findings::None)
}

/// All in one transaction: the names of the tables that are watched then.
fn migrate(arguments: &Arguments, mapping: Option<&str>, postgres: &Postgres) -> Result<Vec<String>, Trouble> {
    // Two at once would replace the same function.
    postgres.run("SELECT pg_advisory_xact_lock(hashtext('esclusa migrate'))")?;
    postgres.run(MIGRATION)?;
    for table in &arguments.watch {
        postgres.ask("SELECT esclusa.watch($1, $2::text::jsonb)", &[table, &mapping])?;
    }
    for role in &arguments.allow {
        postgres.ask("SELECT esclusa.allow($1::text::name)", &[role])?;
    }
    if !arguments.guard.is_empty() || !arguments.allow_guard.is_empty() || has_guards(postgres)? {
        postgres.run(GUARD_MIGRATION)?;
    }
    for table in &arguments.guard {
        postgres.ask("SELECT esclusa.guard($1)", &[table])?;
    }
    for role in &arguments.allow_guard {
        postgres.ask("SELECT esclusa.allow_guard($1::text::name)", &[role])?;
    }
    let rows = postgres.ask("SELECT name FROM esclusa.watched ORDER BY name", &[])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Whether the second file of the migration is there.
fn has_guards(postgres: &Postgres) -> Result<bool, Trouble> {
    let sql = "SELECT to_regproc('esclusa.allow_guard') IS NOT NULL";
    Ok(postgres.ask(sql, &[])?.iter().any(|row| row.get(0)))
}

fn check(arguments: &Arguments, postgres: &Postgres, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    let missing = missing(arguments, postgres)?;
    match arguments.format {
        Format::Human if missing.is_empty() => desk.say(format_args!("{}: nothing is missing", postgres.name))?,
        Format::Human => missing.iter().try_for_each(|one| desk.print(format_args!("missing: {one}\n")))?,
        Format::Json => {
            let value = Value::Object(vec![("missing".into(), missing.clone().into())]);
            desk.print(value.to_json() + "\n")?;
        }
    }
    Ok(Findings::some_if(!missing.is_empty()))
}

/// What of the migration is not there, or of another version.
fn missing(arguments: &Arguments, postgres: &Postgres) -> Result<Vec<String>, Trouble> {
    let (mut missing, watch) = (Vec::new(), &arguments.watch);
    let there = postgres.ask("SELECT to_regnamespace('esclusa') IS NOT NULL", &[])?;
    if !there.iter().any(|row| row.get(0)) {
        missing.push("the schema `esclusa`".to_owned());
        missing.extend(watch.iter().map(|table| format!("the watch of `{table}`")));
        return Ok(missing);
    }
    let sql = "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace('esclusa')";
    let relations: BTreeSet<String> = postgres.ask(sql, &[])?.iter().map(|row| row.get(0)).collect();
    let absent = RELATIONS.iter().filter(|name| !relations.contains(**name));
    missing.extend(absent.map(|name| format!("`esclusa.{name}`")));
    let sql = "SELECT proname::text, prosrc FROM pg_proc WHERE pronamespace = to_regnamespace('esclusa')";
    let there: BTreeSet<(String, String)> =
        postgres.ask(sql, &[])?.iter().map(|row| (row.get(0), row.get(1))).collect();
    let names: BTreeSet<&str> = there.iter().map(|(name, _)| name.as_str()).collect();
    // The second file is optional, and is kept at this version where it is.
    let guards = !arguments.guard.is_empty() || names.contains("allow_guard");
    let expected = functions(MIGRATION).into_iter().chain(functions(GUARD_MIGRATION).into_iter().filter(|_| guards));
    for (name, body) in expected {
        if !names.contains(name) {
            missing.push(format!("the function `esclusa.{name}`"));
        } else if !there.contains(&(name.to_owned(), body.to_owned())) {
            missing.push(format!("this version of the function `esclusa.{name}`"));
        }
    }
    if relations.contains("watched") {
        for table in watch {
            let sql = "SELECT EXISTS (SELECT FROM esclusa.watched
                WHERE to_regclass(name) = to_regclass($1) OR name = $1)";
            if !postgres.ask(sql, &[table])?.iter().any(|row| row.get(0)) {
                missing.push(format!("the watch of `{table}`"));
            }
        }
    }
    for table in &arguments.guard {
        let sql = "SELECT count(*) = 2 FROM pg_attribute WHERE attrelid = to_regclass($1)
            AND attname IN ('guard', 'guard_state') AND NOT attisdropped";
        if !postgres.ask(sql, &[table])?.iter().any(|row| row.get(0)) {
            missing.push(format!("the columns `guard` and `guard_state` of `{table}`"));
        }
    }
    Ok(missing)
}

/// The functions of the migration, each with its body.
fn functions(sql: &str) -> Vec<(&str, &str)> {
    let definitions = sql.split("CREATE OR REPLACE FUNCTION esclusa.").skip(1);
    definitions.filter_map(|one| Some((one.split_once('(')?.0, one.split("$$").nth(1)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_migration_is_found() {
        let found = [functions(MIGRATION), functions(GUARD_MIGRATION)].concat();
        let count = |sql: &str| sql.matches("\nCREATE OR REPLACE FUNCTION esclusa.").count();
        assert_eq!(found.len(), count(MIGRATION) + count(GUARD_MIGRATION));
        assert!(found.iter().all(|(name, body)| name.len() < 40 && body.starts_with('\n')), "{found:?}");
    }
}
