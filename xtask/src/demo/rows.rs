//! The rows: the file as it comes from the database, read as JSON and compiled by the engine.

use std::path::Path;
use std::time::{Duration, Instant};

use esclusa::{FlagSet, Value};

use super::Problem;
use super::page::{count, duration};

pub(super) struct Rows {
    /// The array, owning its texts, so that a row can be edited.
    rows: Vec<Value<'static>>,
    bytes: usize,
    set: FlagSet,
    compiled_in: Duration,
}

impl Rows {
    pub(super) fn load(path: &Path) -> Result<Self, Problem> {
        let broken = |problem: String| Problem::Failure(format!("`{}`: {problem}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| broken(error.to_string()))?;
        let start = Instant::now();
        let set = FlagSet::from_json_strict(&bytes).map_err(|error| broken(error.to_string()))?;
        let compiled_in = start.elapsed();
        match Value::from_json(&bytes).map(Value::into_owned) {
            Ok(Value::List(rows)) => Ok(Rows { rows, bytes: bytes.len(), set, compiled_in }),
            _ => Err(broken(
                "is no array of rows, expected what `SELECT json_agg(f) FROM feature_flags f` prints".into(),
            )),
        }
    }

    pub(super) fn summary(&self) -> String {
        format!(
            "{} rows of a feature_flags table, {} bytes as json_agg prints them: read, checked and compiled in {}, no violation.",
            self.rows.len(),
            count(self.bytes as u64),
            duration(self.compiled_in),
        )
    }

    pub(super) fn values(&self) -> &[Value<'static>] {
        &self.rows
    }

    pub(super) fn set(&self) -> &FlagSet {
        &self.set
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.rows.iter().any(|row| is_named(row, key))
    }

    /// The rows as JSON, as they were loaded.
    pub(super) fn json(&self) -> String {
        Value::List(self.rows.clone()).to_string()
    }

    /// The rows as JSON after `UPDATE feature_flags SET enabled = false, rollout_percentage = 0 WHERE name = key`.
    pub(super) fn json_without(&self, key: &str) -> String {
        let mut rows = self.rows.clone();
        for row in rows.iter_mut().filter(|row| is_named(row, key)) {
            let Value::Object(columns) = row else { continue };
            for (column, value) in columns {
                match column.as_ref() {
                    "enabled" => *value = false.into(),
                    "rollout_percentage" => *value = 0.into(),
                    _ => {}
                }
            }
        }
        Value::List(rows).to_string()
    }
}

fn is_named(row: &Value<'_>, key: &str) -> bool {
    row.get("name").and_then(Value::as_str) == Some(key)
}
