//! The table in a file of SQLite, in WAL mode: one writer at a time, of this process or another.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use esclusa::Value;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, ErrorCode, TransactionBehavior, params_from_iter};

use super::own::in_file;
use super::schema::{Column, key_of, keys, prepare, quoted};
use super::{Cell as Own, Cells, Purpose, Recorded, Row, Statement, StoreError, Table, parsed, statement};
use crate::problem::Problem;

/// How long a change waits while another process writes.
const BUSY: Duration = Duration::from_secs(5);

pub(super) struct File {
    name: String,
    flags: String,
    columns: Vec<Column>,
    connection: Mutex<Connection>,
}

impl File {
    pub(super) fn open(path: &Path, flags: &str) -> Result<Self, StoreError> {
        let name = path.display().to_string();
        let refused = |error: rusqlite::Error| StoreError(format!("`{name}`: {error}"));
        let mut connection = Connection::open(path).map_err(refused)?;
        connection.busy_timeout(BUSY).map_err(refused)?;
        // A commit is on the disk before it is answered.
        let wal = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
        connection.execute_batch(wal).map_err(refused)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = transaction.map_err(refused)?;
        let columns = prepare(&transaction, flags).map_err(refused)?;
        transaction.commit().map_err(refused)?;
        if keys(&columns).is_empty() || !columns.iter().any(|column| column.name == "enabled") {
            return Err(StoreError(format!(
                "`{name}`: `{flags}` has not the columns of flags, expected `name` or `key`, and `enabled`"
            )));
        }
        Ok(File { name, flags: flags.to_owned(), columns, connection: Mutex::new(connection) })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Does these statements on the server's own tables, and gives the rows of each.
    pub(super) fn ask(&self, statements: &[Statement]) -> Result<Vec<Vec<Cells>>, Problem> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut asked = || {
            let behavior = match statements.iter().all(Statement::only_reads) {
                true => TransactionBehavior::Deferred,
                false => TransactionBehavior::Immediate,
            };
            let transaction = connection.transaction_with_behavior(behavior)?;
            let rows = statements.iter().map(|statement| rows(&transaction, statement));
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            transaction.commit()?;
            Ok(rows)
        };
        asked().map_err(|error: rusqlite::Error| problem(&error))
    }

    pub(super) fn run<T>(
        &self,
        purpose: &Purpose,
        work: impl FnOnce(&mut dyn Table) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = Open { file: self, connection: &connection };
        let begun = open.begin(purpose).and_then(|()| work(&mut open)).and_then(|done| {
            if !matches!(purpose, Purpose::Reading) {
                open.execute("DELETE FROM esclusa_acting")?;
            }
            open.execute("COMMIT")?;
            Ok(done)
        });
        if begun.is_err() && !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        begun
    }
}

struct Open<'f> {
    file: &'f File,
    connection: &'f Connection,
}

impl Open<'_> {
    fn begin(&self, purpose: &Purpose) -> Result<(), Problem> {
        match purpose {
            Purpose::Reading => self.execute("BEGIN"),
            Purpose::Counting => self.execute("BEGIN IMMEDIATE"),
            Purpose::Writing(signature) | Purpose::Stopping(signature) => {
                self.execute("BEGIN IMMEDIATE")?;
                let sql = "INSERT OR REPLACE INTO esclusa_acting VALUES (1, ?1, nullif(?2, ''), NULL)";
                self.connection
                    .execute(sql, [&signature.by, &signature.reason])
                    .map(drop)
                    .map_err(|error| problem(&error))
            }
        }
    }

    fn execute(&self, sql: &str) -> Result<(), Problem> {
        self.connection.execute_batch(sql).map_err(|error| problem(&error))
    }

    fn change(&self, sql: &str, cells: Vec<Cell>) -> Result<usize, Problem> {
        self.connection.execute(sql, params_from_iter(cells)).map_err(|error| problem(&error))
    }

    /// One change of one row.
    fn change_one(&self, sql: &str, cells: Vec<Cell>, key: &str) -> Result<(), Problem> {
        match self.change(sql, cells)? {
            1 => Ok(()),
            0 => Err(Problem::no_flag(key)),
            many => {
                let detail = format!("{} has {many} rows of `{key}`, nothing is changed", self.file.flags);
                Err(Problem::new(StatusCode::CONFLICT, detail))
            }
        }
    }

    /// What a row is to hold, column by column.
    fn cells(written: &[&str], json: &str) -> Result<Vec<Cell>, Problem> {
        let row = parsed(json)?;
        Ok(written.iter().map(|column| cell(row.get(column).unwrap_or(&Value::Null))).collect())
    }

    fn is_flag(&self) -> String {
        format!("{} = ?1", key_of(&quoted(&self.file.flags), &self.file.columns))
    }

    fn select(&self, rest: &str, cells: Vec<Cell>) -> Result<Vec<Recorded>, Problem> {
        let sql = format!(
            "SELECT id, created_at, coalesce(flag_key, feature_flag_id), flag_table, action, performed_by, reason,
                old_value, new_value FROM release_history {rest}"
        );
        let read = || {
            let mut query = self.connection.prepare(&sql)?;
            let line = |row: &rusqlite::Row<'_>| {
                Ok(Recorded {
                    id: Some(row.get::<_, i64>(0)?.to_string()),
                    at: row.get(1)?,
                    flag: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
                    table: row.get(3)?,
                    action: row.get(4)?,
                    by: row.get(5)?,
                    reason: row.get(6)?,
                    old: row.get(7)?,
                    new: row.get(8)?,
                })
            };
            query.query_map(params_from_iter(cells), line)?.collect::<Result<Vec<_>, _>>()
        };
        read().map_err(|error: rusqlite::Error| problem(&error))
    }
}

impl Table for Open<'_> {
    fn columns(&mut self) -> Result<Vec<String>, Problem> {
        Ok(self.file.columns.iter().map(|column| column.name.clone()).collect())
    }

    fn keys(&self) -> Vec<String> {
        keys(&self.file.columns)
    }

    fn rows(&mut self) -> Result<Vec<Row>, Problem> {
        let json = esclusa_sync::sqlite_rows(self.connection, &self.file.flags);
        let json = json.map_err(|failure| super::away(failure.error))?;
        match parsed(&String::from_utf8_lossy(&json))? {
            Value::List(rows) => Ok(rows),
            _ => Ok(Vec::new()),
        }
    }

    fn insert(&mut self, written: &[&str], json: &str) -> Result<(), Problem> {
        let columns: Vec<String> = written.iter().map(|column| quoted(column)).collect();
        let places = vec!["?"; written.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({places})", quoted(&self.file.flags), columns.join(", "));
        self.change(&sql, Open::cells(written, json)?).map(drop)
    }

    fn update(&mut self, key: &str, written: &[&str], json: &str) -> Result<(), Problem> {
        let is_stamped =
            self.file.columns.iter().any(|column| column.name == "updated_at") && !written.contains(&"updated_at");
        let stamp = is_stamped.then(|| "updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')".to_owned());
        let own = written.iter().zip(2..).map(|(column, at)| format!("{} = ?{at}", quoted(column)));
        let sets: Vec<String> = own.chain(stamp).collect();
        let sql = format!("UPDATE {} SET {} WHERE {}", quoted(&self.file.flags), sets.join(", "), self.is_flag());
        let mut cells = vec![Cell::Text(key.to_owned())];
        cells.extend(Open::cells(written, json)?);
        self.change_one(&sql, cells, key)
    }

    fn delete(&mut self, key: &str) -> Result<(), Problem> {
        let sql = format!("DELETE FROM {} WHERE {}", quoted(&self.file.flags), self.is_flag());
        self.change_one(&sql, vec![Cell::Text(key.to_owned())], key)
    }

    fn switch_off(&mut self, key: &str) -> Result<(), Problem> {
        self.execute("UPDATE esclusa_acting SET action = 'emergency_rollback'")?;
        let has = |name: &str| self.file.columns.iter().any(|column| column.name == name);
        let written: Vec<&str> = ["enabled", "rollout_percentage"].into_iter().filter(|name| has(name)).collect();
        self.update(key, &written, r#"{"enabled": false, "rollout_percentage": 0}"#)
    }

    fn write_guard_state(&mut self, key: &str, state: Value<'static>, action: &str) -> Result<(), Problem> {
        let sql = "UPDATE esclusa_acting SET action = ?1";
        self.connection.execute(sql, [action]).map_err(|error| problem(&error))?;
        let row = Value::Object(vec![("guard_state".into(), state)]);
        self.update(key, &["guard_state"], &row.to_json())
    }

    fn recorded(&mut self, flag: Option<&str>, limit: u32, skipped: u32) -> Result<Vec<Recorded>, Problem> {
        let flag = flag.map_or(Cell::Null, |flag| Cell::Text(flag.to_owned()));
        let cells = vec![flag, Cell::Integer(limit.into()), Cell::Integer(skipped.into())];
        self.select("WHERE ?1 IS NULL OR ?1 IN (flag_key, feature_flag_id) ORDER BY id DESC LIMIT ?2 OFFSET ?3", cells)
    }

    fn record(&mut self, id: &str) -> Result<Option<Recorded>, Problem> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(self.select("WHERE id = ?1", vec![Cell::Integer(id)])?.pop())
    }

    fn recorded_since(&mut self, time: &str) -> Result<Vec<Recorded>, Problem> {
        let rest = "WHERE julianday(created_at) > julianday(?1) ORDER BY id DESC";
        self.select(rest, vec![Cell::Text(time.to_owned())])
    }

    fn has_own(&mut self) -> Result<bool, Problem> {
        Ok(true)
    }

    fn own(&mut self, sql: &str, cells: &[Own]) -> Result<Vec<Vec<Own>>, Problem> {
        let read = || {
            let mut query = self.connection.prepare(&in_file(sql))?;
            let width = query.column_count();
            let row = |row: &rusqlite::Row<'_>| (0..width).map(|at| Own::of_sqlite(row, at)).collect();
            query.query_map(params_from_iter(cells), row)?.collect::<Result<Vec<_>, _>>()
        };
        read().map_err(|error: rusqlite::Error| problem(&error))
    }

    fn write_usage(&mut self, _: &str) -> Result<Option<String>, Problem> {
        Ok(Some("SQLite has no `feature_usage`, expected Postgres".to_owned()))
    }

    /// SQLite has neither booleans nor lists.
    fn shown(&self, row: Row) -> Row {
        let Value::Object(fields) = row else { return row };
        let is_boolean = |name: &str| self.file.columns.iter().any(|column| column.is_boolean && column.name == name);
        let field = |(name, value): (std::borrow::Cow<'static, str>, Row)| {
            let value = match value {
                Value::Integer(number @ 0..=1) if is_boolean(&name) => Value::Bool(number == 1),
                Value::Text(text) if text.trim_start().starts_with(['[', '{']) => {
                    parsed(&text).unwrap_or(Value::Text(text))
                }
                other => other,
            };
            (name, value)
        };
        Value::Object(fields.into_iter().map(field).collect())
    }
}

/// The rows that a statement gives.
fn rows(connection: &Connection, statement: &Statement) -> Result<Vec<Cells>, rusqlite::Error> {
    let cell = |cell: &statement::Cell| match cell {
        statement::Cell::Text(text) => text.clone().map_or(Cell::Null, Cell::Text),
        statement::Cell::Whole(whole) => whole.map_or(Cell::Null, Cell::Integer),
        statement::Cell::Is(is) => Cell::Integer((*is).into()),
    };
    let read = |value: Cell| match value {
        Cell::Integer(whole) => statement::Cell::Whole(Some(whole)),
        Cell::Text(text) => statement::Cell::Text(Some(text)),
        _ => statement::Cell::Text(None),
    };
    let mut query = connection.prepare(&statement.for_sqlite())?;
    let columns = query.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column).map(read)).collect();
    query.query_map(params_from_iter(statement.cells.iter().map(cell)), row)?.collect()
}

fn cell(value: &Value<'_>) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(is) => Cell::Integer((*is).into()),
        Value::Integer(number) => Cell::Integer(*number),
        Value::Number(number) => Cell::Real(*number),
        Value::Text(text) => Cell::Text(text.clone().into_owned()),
        other => Cell::Text(other.to_json()),
    }
}

/// What an error of SQLite means for a request.
fn problem(error: &rusqlite::Error) -> Problem {
    let status = match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) if error.to_string().contains("UNIQUE") => StatusCode::CONFLICT,
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Some(ErrorCode::DiskFull) => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    Problem::new(status, format!("SQLite refuses: {error}"))
}
