//! `POST /v1/facts`: which units an app has seen (section 3 of `spec/GUARD.md`). Facts are a set; of each epoch and metric
//! the units with the smallest hashes are kept, which are a fair sample of both arms.

use std::collections::{BTreeMap, BTreeSet};

use esclusa::{FlagSet, Time, Value};

use super::form::{Form, kept};
use super::report::NAME_CHARS;
use crate::problem::Problem;
use crate::store::{Cell, Table};

const MAX_FACTS: usize = 500;
const DAY_MS: i64 = 86_400_000;
/// How many units are kept of an epoch and a metric: their number is then known within 2 %.
const MAX_UNITS: i64 = 3_584;
/// How many epochs and metrics a flag may have in a day.
const MAX_GROUPS: usize = 50;
/// Rows of one statement.
const ROWS: usize = 50;

/// The facts of one flag, run, share, day and metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    flag: String,
    run: i64,
    day: i64,
    share: i64,
    metric: String,
}

/// Units, each with its arm and the time at which it was first seen.
pub(super) type Units = BTreeMap<String, (bool, i64)>;

/// A body.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) taken: usize,
    groups: BTreeMap<Group, Units>,
}

impl Facts {
    /// Facts of another run than that in the set, or of another day than this one and its neighbours, count for nothing.
    pub(super) fn read(body: &Value<'_>, set: &FlagSet, now: Time) -> Result<Self, Problem> {
        let form = Form::whole(body, &["esclusa", "process", "facts"])?;
        form.text("process", NAME_CHARS)?;
        let runs: BTreeMap<&str, i64> =
            set.guarded().filter_map(|guarded| Some((guarded.key(), i64::try_from(guarded.run()).ok()?))).collect();
        let today = now.as_millis().div_euclid(DAY_MS);
        let facts = form.list("facts", MAX_FACTS)?;
        let mut groups = BTreeMap::<Group, Units>::new();
        for (at, fact) in facts.iter().enumerate() {
            let names = ["flag", "run", "share", "day", "metric", "unit", "on", "at"];
            let form = Form::of(&format!("facts[{at}]"), fact, &names)?;
            let group = Group {
                flag: form.text("flag", NAME_CHARS)?.to_owned(),
                run: form.count("run", 1, i64::MAX)?,
                share: form.count("share", 0, 100_000)?,
                day: form.count("day", 0, i64::MAX)?,
                metric: kept(form.text("metric", NAME_CHARS)?, NAME_CHARS),
            };
            let (unit, on, at) = (form.unit("unit")?, form.flag("on")?, form.time("at")?);
            let is_over = runs.get(group.flag.as_str()) != Some(&group.run);
            if !is_over && (today - 1..=today + 1).contains(&group.day) {
                groups.entry(group).or_default().entry(unit.to_owned()).or_insert((on, at.as_millis()));
            }
        }
        Ok(Facts { taken: facts.len(), groups })
    }

    pub(super) fn keep(&self, table: &mut dyn Table) -> Result<(), Problem> {
        for (group, units) in &self.groups {
            let Group { flag, run, day, share, metric } = group;
            let epoch = [Cell::text(flag), Cell::Whole(*run), Cell::Whole(*day)];
            let sql = "SELECT share, metric, count(*) FROM own.usage_fact
                WHERE flag = ?1 AND run = ?2 AND day = ?3 GROUP BY share, metric";
            let known = table.own(sql, &epoch)?;
            let known: BTreeSet<(i64, String)> = known
                .iter()
                .filter_map(|row| Some((row.first()?.as_whole()?, row.get(1)?.as_text()?.to_owned())))
                .collect();
            if known.len() >= MAX_GROUPS && !known.contains(&(*share, metric.clone())) {
                continue;
            }
            let group = [&epoch[..], &[Cell::Whole(*share), Cell::text(metric)]].concat();
            for units in units.iter().collect::<Vec<_>>().chunks(ROWS) {
                let rows: Vec<Vec<Cell>> = units
                    .iter()
                    .map(|(unit, (on, at))| {
                        let own = [Cell::text(unit), Cell::Whole((*on).into()), Cell::Whole(*at)];
                        [&group[..], &own[..]].concat()
                    })
                    .collect();
                let insert = "INSERT INTO own.usage_fact (flag, run, day, share, metric, unit, is_on, at)";
                table.own_insert(insert, &rows, "ON CONFLICT DO NOTHING")?;
            }
            let limited = [&group[..], &[Cell::Whole(MAX_UNITS - 1)]].concat();
            let sql = "DELETE FROM own.usage_fact
                WHERE flag = ?1 AND run = ?2 AND day = ?3 AND share = ?4 AND metric = ?5 AND unit > (
                    SELECT unit FROM own.usage_fact
                    WHERE flag = ?1 AND run = ?2 AND day = ?3 AND share = ?4 AND metric = ?5
                    ORDER BY unit LIMIT 1 OFFSET ?6)";
            table.own(sql, &limited)?;
        }
        Ok(())
    }
}
