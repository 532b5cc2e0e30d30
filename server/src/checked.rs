//! Whether the engine takes a table of flags: nothing is saved that it would set aside.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use esclusa::{FlagSet, Flags, Report, SetAside, Value, Violation, row};

use crate::problem::Problem;
use crate::store::Row;

/// The rows as a snapshot.
pub(crate) fn document(rows: &[Row]) -> Vec<u8> {
    let document = Value::Object(vec![("esclusa".into(), 1.into()), ("flags".into(), Value::List(rows.to_vec()))]);
    document.to_json().into_bytes()
}

/// The rows as the engine understands them.
pub(crate) fn set(rows: &[Row]) -> Result<FlagSet, Problem> {
    let refused = |error: esclusa::SnapshotError| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string());
    FlagSet::from_json(&document(rows)).map_err(refused)
}

/// Refuses rows with a flag that the engine would set aside: the one that changes, or another by this change.
pub(crate) fn check(before: &[Row], after: &[Row], changed: &str) -> Result<(), Problem> {
    let report = report(after)?;
    let aside = aside(&report);
    if aside.contains(changed) {
        return Err(refused(&report, after, changed, changed));
    }
    let before = if aside.is_empty() { BTreeSet::new() } else { self::aside(&self::report(before)?) };
    match aside.difference(&before).next() {
        None => Ok(()),
        Some(other) => Err(refused(&report, after, other, changed)),
    }
}

fn report(rows: &[Row]) -> Result<Report, Problem> {
    Ok(Flags::new().publish_accepting_older(set(rows)?))
}

fn aside(report: &Report) -> BTreeSet<String> {
    report.set_aside().iter().map(SetAside::key).map(str::to_owned).collect()
}

/// Where, what, and what was expected.
fn refused(report: &Report, rows: &[Row], flag: &str, changed: &str) -> Problem {
    let at = rows.iter().position(|row| row::key(row) == Some(flag)).unwrap_or(usize::MAX);
    let pointer = format!("/flags/{at}");
    let own = |violation: &&Violation| {
        let rest = violation.place().strip_prefix(&pointer);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let found: Vec<&Violation> = report.violations().iter().filter(own).collect();
    let place = |violation: &Violation| violation.place().strip_prefix(&pointer).unwrap_or_default().to_owned();
    let first = match found.first() {
        Some(violation) => format!("`{}`: {}", place(violation).trim_start_matches('/'), violation.problem()),
        None => {
            let columns: Vec<String> =
                report.reading().columns().iter().map(|column| format!("`{}`", column.name())).collect();
            format!("a column that the engine does not know would withhold it: {}", columns.join(", "))
        }
    };
    let detail = match flag == changed {
        true => first,
        false => format!("with this change the flag `{flag}` could not be used: {first}"),
    };
    let violation = |violation: &&Violation| {
        Value::Object(vec![
            ("flag".into(), flag.to_owned().into()),
            ("place".into(), place(violation).into()),
            ("code".into(), violation.code().into()),
            ("problem".into(), violation.problem().to_owned().into()),
        ])
    };
    let violations = Value::List(found.iter().map(violation).collect());
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail).with("violations", violations)
}
