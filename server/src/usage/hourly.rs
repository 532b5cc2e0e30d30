//! The hours in the store: what was heard is added to them, in one transaction.

use std::collections::{BTreeMap, HashSet};

use esclusa::Time;

use super::durations::Durations;
use super::facts::Facts;
use super::report::{REMEMBERED_HOURS, Report, beyond, kept_minutes, written};
use super::series::{HOUR_MS, Series, Tallies, Tally};
use crate::problem::Problem;
use crate::store::{Cell, Table};
use axum::http::StatusCode;

/// How many flags have numbers of their own in an hour; all others are counted as one.
pub(crate) const MAX_FLAGS: usize = 1_000;
/// How many numbers a flag has in an hour; others lose their variant and event.
const MAX_SERIES: usize = 200;
/// How many processes may report.
const MAX_PROCESSES: i64 = 10_000;
/// What stands for a variant or an event beyond these.
const OTHER: &str = "other";
/// Rows of one statement.
const ROWS: usize = 40;
const DAY_HOURS: i64 = 24;
/// The columns that name a number.
const NAMES: &str = "hour, flag, origin, variant, reason, event, action, shown, arm";

/// Something to be added.
#[derive(Clone, Debug)]
pub(super) enum Heard {
    Report(Report),
    /// Events, and their rows as a list in JSON if the users' own table is to have them.
    Events(Tallies, Option<String>),
    Facts(Facts),
}

/// Which numbers the last hours have, so that there are not too many.
#[derive(Debug, Default)]
pub(super) struct Limits(BTreeMap<i64, BTreeMap<String, HashSet<Series>>>);

impl Limits {
    /// The number that a series is added to.
    fn of(&mut self, table: &mut dyn Table, mut series: Series) -> Result<Series, Problem> {
        let flags = match self.0.entry(series.hour) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => new.insert(known(table, series.hour)?),
        };
        if flags.len() >= MAX_FLAGS && !flags.contains_key(&series.flag) {
            series.flag = String::new();
        }
        let own = flags.entry(series.flag.clone()).or_default();
        if own.len() >= MAX_SERIES && !own.contains(&series) {
            for name in [&mut series.variant, &mut series.event, &mut series.action] {
                if !name.is_empty() {
                    OTHER.clone_into(name);
                }
            }
        }
        own.insert(series.clone());
        Ok(series)
    }

    /// Hours of which nothing comes any more.
    pub(super) fn forget(&mut self, now: Time) {
        let oldest = now.as_millis().div_euclid(HOUR_MS) - REMEMBERED_HOURS;
        self.0.retain(|hour, _| *hour >= oldest);
    }
}

fn known(table: &mut dyn Table, hour: i64) -> Result<BTreeMap<String, HashSet<Series>>, Problem> {
    let sql = format!("SELECT {NAMES} FROM own.usage_hour WHERE hour = ?1");
    let mut flags = BTreeMap::<String, HashSet<Series>>::new();
    for series in table.own(&sql, &[Cell::Whole(hour)])?.iter().filter_map(|row| Series::of_row(row)) {
        flags.entry(series.flag.clone()).or_default().insert(series);
    }
    Ok(flags)
}

/// Adds all of it; what the users' own table refuses is given as a text.
pub(super) fn take(
    table: &mut dyn Table,
    heard: &[Heard],
    limits: &mut Limits,
    now: Time,
) -> Result<Option<String>, Problem> {
    let (mut tallies, mut refused) = (Tallies::new(), None);
    for heard in heard {
        match heard {
            Heard::Report(report) => reported(table, report, &mut tallies, now)?,
            Heard::Events(events, rows) => {
                events.iter().for_each(|(series, tally)| tallies.entry(series.clone()).or_default().add(tally));
                if let Some(rows) = rows {
                    refused = table.write_usage(rows)?.or(refused);
                }
            }
            Heard::Facts(facts) => facts.keep(table)?,
        }
    }
    let mut limited = Tallies::new();
    for (series, tally) in tallies {
        limited.entry(limits.of(table, series)?).or_default().add(&tally);
    }
    add(table, limited)?;
    Ok(refused)
}

fn reported(table: &mut dyn Table, report: &Report, tallies: &mut Tallies, now: Time) -> Result<(), Problem> {
    let process = Cell::text(&report.process);
    let known = "SELECT (SELECT count(*) FROM own.usage_process WHERE process = ?1),
        (SELECT count(*) FROM own.usage_process)";
    let known = table.own(known, std::slice::from_ref(&process))?;
    let number = |at: usize| known.first().and_then(|row| row.get(at)).and_then(Cell::as_whole).unwrap_or_default();
    if number(0) == 0 && number(1) >= MAX_PROCESSES {
        let detail = format!("{MAX_PROCESSES} processes have reported within a day, expected no more");
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail));
    }
    let revision = report.revision.map_or(Cell::Null, Cell::Whole);
    let seen = [process.clone(), revision, Cell::Whole(now.as_millis())];
    let rest = "ON CONFLICT (process) DO UPDATE SET revision = excluded.revision, seen = excluded.seen";
    table.own_insert("INSERT INTO own.usage_process (process, revision, seen)", &[seen.to_vec()], rest)?;
    for (hour, minutes) in &report.hours {
        let place = [process.clone(), Cell::Whole(*hour)];
        let sql = "SELECT minutes FROM own.usage_report WHERE process = ?1 AND hour = ?2";
        let kept = table.own(sql, &place)?;
        let kept = kept.first().and_then(|row| row.first()).and_then(Cell::as_text).unwrap_or_default();
        let mut known = kept_minutes(kept, *hour);
        beyond(&mut known, minutes, tallies);
        let row = [&place[..], &[Cell::Text(written(&known))]].concat();
        let rest = "ON CONFLICT (process, hour) DO UPDATE SET minutes = excluded.minutes";
        table.own_insert("INSERT INTO own.usage_report (process, hour, minutes)", &[row], rest)?;
    }
    Ok(())
}

fn add(table: &mut dyn Table, tallies: Tallies) -> Result<(), Problem> {
    let mut rows = Vec::new();
    for (series, tally) in tallies {
        let names = series.cells();
        let durations = if tally.durations.is_empty() { None } else { Some(together(table, &names, &tally)?) };
        let numbers = [
            Cell::Whole(tally.count),
            Cell::Whole(tally.errors),
            Cell::Text(durations.unwrap_or_default()),
            Cell::Whole(tally.value_count),
            Cell::Number(tally.value_sum),
        ];
        rows.push([&names[..], &numbers[..]].concat());
    }
    let insert = format!("INSERT INTO own.usage_hour AS u ({NAMES}, count, errors, durations, value_count, value_sum)");
    let rest = format!(
        "ON CONFLICT ({NAMES}) DO UPDATE SET count = u.count + excluded.count, errors = u.errors + excluded.errors,
            durations = CASE WHEN excluded.durations = '' THEN u.durations ELSE excluded.durations END,
            value_count = u.value_count + excluded.value_count, value_sum = u.value_sum + excluded.value_sum"
    );
    rows.chunks(ROWS).try_for_each(|rows| table.own_insert(&insert, rows, &rest))
}

/// The durations that are kept, and these.
fn together(table: &mut dyn Table, names: &[Cell], tally: &Tally) -> Result<String, Problem> {
    let sql = "SELECT durations FROM own.usage_hour WHERE hour = ?1 AND flag = ?2 AND origin = ?3 AND variant = ?4
        AND reason = ?5 AND event = ?6 AND action = ?7 AND shown = ?8 AND arm = ?9";
    let kept = table.own(sql, names)?;
    let kept = kept.first().and_then(|row| row.first()).and_then(Cell::as_text).unwrap_or_default();
    let mut durations = Durations::read(kept);
    durations.merge(&tally.durations, 1);
    Ok(durations.written())
}

/// Deletes what is too old.
pub(super) fn sweep(table: &mut dyn Table, now: Time, keep_days: u32) -> Result<(), Problem> {
    let hour = now.as_millis().div_euclid(HOUR_MS);
    let kept_from = hour - i64::from(keep_days) * DAY_HOURS;
    for (sql, least) in [
        ("DELETE FROM own.usage_hour WHERE hour < ?1", kept_from),
        ("DELETE FROM own.usage_report WHERE hour < ?1", hour - REMEMBERED_HOURS - 1),
        ("DELETE FROM own.usage_process WHERE seen < ?1", (hour - DAY_HOURS) * HOUR_MS),
        ("DELETE FROM own.usage_fact WHERE day < ?1", kept_from.div_euclid(DAY_HOURS)),
    ] {
        table.own(sql, &[Cell::Whole(least)])?;
    }
    Ok(())
}
