//! The table in Postgres. Its triggers, which the migration has made, raise the revision, tell every app, and write the
//! history.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use esclusa::{Time, Trip, Value};
use esclusa_sync::tokio_postgres::error::SqlState;
use esclusa_sync::tokio_postgres::types::{ToSql, Type};
use esclusa_sync::tokio_postgres::{self, Client, Error};
use esclusa_sync::{Column, Opened, Source, Watch, WatchError, sign};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::own::{LOCK, in_schema, tables_in_postgres};
use super::statement::Cell as Written;
use super::{Asked, Cell, Cells, Purpose, Recorded, Row, Statement, Table, Tables, Tripping, away, no_guard, parsed};
use crate::problem::Problem;

/// How long all of a change may take: longer than it waits for a lock.
const WITHIN: Duration = Duration::from_secs(15);
/// How long somebody else's open transaction holds a change up.
const LOCKED_WITHIN: Duration = Duration::from_secs(5);
/// What holds within a transaction.
const LIMITS: &str = "SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '10s'";
/// The server's own tables.
const OWN_TABLES: &str = include_str!("../../migrations/001_accounts.sql");
/// How many connections wait for the next change.
const MAX_IDLE: usize = 4;
/// What `esclusa.trip` and `esclusa.resume` raise: another run has begun, there is no such flag with a guard, no table has the
/// columns. Then what a database says that has not the functions, or does not grant them.
const OTHER_RUN: &str = "ES007";
const NO_FLAG: &str = "ES008";
const NO_COLUMNS: &str = "ES006";
const NO_FUNCTION: &str = "42883";
const NO_RIGHT: &str = "42501";
/// How often an emergency rollback is tried when another transaction was at work on the same row.
const TRIES: usize = 5;

pub(super) struct Database {
    /// What messages call it, without secrets.
    name: String,
    table: Option<String>,
    source: tokio::sync::Mutex<esclusa_sync::Postgres>,
    idle: Mutex<Vec<Opened>>,
    /// One change after the other: the history has the time at which a transaction began.
    turn: tokio::sync::Mutex<()>,
}

impl Database {
    pub(super) fn new(source: esclusa_sync::Postgres, table: Option<String>) -> Self {
        let name = source.name();
        let source = tokio::sync::Mutex::new(source.timeout(WITHIN));
        Database { name, table, source, idle: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        purpose: Purpose,
        work: impl FnOnce(&mut dyn Table) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let all = async {
            let _turn = match purpose {
                Purpose::Writing(_) => Some(self.turn.lock().await),
                _ => None,
            };
            let client = self.connection().await?;
            let watch = self.watch(&client).await?;
            let handle = Handle::current();
            // The client is lost if this breaks off: then nobody knows how its transaction stands.
            let done = spawn_blocking(move || {
                let mut open = Open { client, handle, watch, columns: Vec::new() };
                let done = open.transaction(&purpose, work);
                (open.client, done)
            });
            let (client, done) = done.await.map_err(|_| away("the connection broke off"))?;
            self.keep(client);
            done
        };
        let late = |_| away(format!("no answer within {} s; look whether the change is there", WITHIN.as_secs()));
        timeout(WITHIN, all).await.map_err(late)?
    }

    /// Does these statements on the server's own tables in one transaction, and gives the rows of each.
    pub(super) async fn ask(&self, statements: &[Statement], tables: Tables) -> Result<Asked, Problem> {
        let all = async {
            // One that is dropped on the way closes, and its transaction is rolled back.
            let client = self.connection().await?;
            if !has_tables(&client).await.map_err(|error| problem(&error))? {
                if tables == Tables::AsTheyAre || !may_make(&client).await.map_err(|error| problem(&error))? {
                    self.keep(client);
                    return Ok(Asked::NoTables);
                }
                let begun = client.batch_execute(&format!("BEGIN; {LIMITS}; {OWN_TABLES} COMMIT")).await;
                begun.map_err(|error| problem(&error))?;
            }
            client.batch_execute(&format!("BEGIN; {LIMITS}")).await.map_err(|error| problem(&error))?;
            let mut rows = Vec::new();
            for statement in statements {
                rows.push(rows_of(&client, statement).await.map_err(|error| problem(&error))?);
            }
            client.batch_execute("COMMIT").await.map_err(|error| problem(&error))?;
            self.keep(client);
            Ok(Asked::Rows(rows))
        };
        timeout(WITHIN, all).await.map_err(|_| away(format!("no answer within {} s", WITHIN.as_secs())))?
    }

    /// Keeps a connection for the next change.
    fn keep(&self, client: Opened) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !client.is_closed() && idle.len() < MAX_IDLE {
            idle.push(client);
        }
    }

    async fn connection(&self) -> Result<Opened, Problem> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        while let Some(client) = idle() {
            // One that went meanwhile is found here, before anything is changed.
            if !client.is_closed() && client.batch_execute("").await.is_ok() {
                return Ok(client);
            }
        }
        let opened = self.source.lock().await.open(|_| {}).await;
        opened.map_err(|failure| away(format!("{}: {}", self.name, failure.error)))
    }

    async fn watch(&self, client: &Client) -> Result<Watch, Problem> {
        let mut watches = Watch::all(client, self.table.as_deref()).await.map_err(|error| match error {
            WatchError::Missing(problem) => away(format!("{}: {problem}", self.name)),
            WatchError::Database(error) => problem(&error),
        })?;
        let only = watches.pop().filter(|_| watches.is_empty());
        only.ok_or_else(|| away(format!("{}: several tables are watched, expected the name of one", self.name)))
    }
}

struct Open {
    client: Opened,
    handle: Handle,
    watch: Watch,
    columns: Vec<Column>,
}

impl Open {
    fn transaction<T>(
        &mut self,
        purpose: &Purpose,
        work: impl FnOnce(&mut dyn Table) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let begun = self.begin(purpose).and_then(|()| work(self));
        match begun {
            Ok(done) => {
                self.execute("COMMIT")?;
                Ok(done)
            }
            Err(refused) => {
                // A connection that is gone has rolled back already.
                let _ = self.execute("ROLLBACK");
                Err(refused)
            }
        }
    }

    fn begin(&self, purpose: &Purpose) -> Result<(), Problem> {
        let (begin, signature) = match purpose {
            Purpose::Reading => ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", None),
            Purpose::Writing(signature) | Purpose::Stopping(signature) => {
                ("BEGIN ISOLATION LEVEL READ COMMITTED", Some(signature))
            }
            Purpose::Counting => return self.begin_counting(),
        };
        if matches!(purpose, Purpose::Writing(_)) {
            if self.watch.is_mapped || self.watch.keys.is_empty() {
                let detail = format!("a mapping reads {}, and this server does not write by one", self.watch.name);
                return Err(Problem::new(StatusCode::CONFLICT, detail));
            }
            let begin = format!("{begin}; {LIMITS}");
            self.wait(self.watch.begin_alone(&self.client, &begin, LOCKED_WITHIN))?;
        } else {
            self.execute(&format!("{begin}; {LIMITS}"))?;
        }
        match signature {
            Some(signature) => self.wait(sign(&self.client, Some(&signature.by), &signature.reason)),
            None => Ok(()),
        }
    }

    /// One server after the other, so that numbers are added up one after the other, and tables are made once.
    fn begin_counting(&self) -> Result<(), Problem> {
        self.execute(&format!("BEGIN ISOLATION LEVEL READ COMMITTED; {LIMITS}; SELECT pg_advisory_xact_lock({LOCK})"))?;
        if self.is_own_there()? {
            return Ok(());
        }
        // The right to make schemas is asked for even if this one is there.
        let has_schema = "SELECT to_regnamespace('esclusa_server') IS NOT NULL";
        let has_schema: bool = self.wait(self.client.query_one(has_schema, &[]))?.get(0);
        let schema = if has_schema { "" } else { "CREATE SCHEMA esclusa_server;" };
        let made = self.handle.block_on(self.client.batch_execute(&format!("{schema} {}", tables_in_postgres())));
        made.map_err(|error| match error.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                let detail = "Postgres refuses to make the tables of the server in the schema `esclusa_server`, expected \
                    `CREATE SCHEMA esclusa_server AUTHORIZATION` with the role of the server";
                Problem::new(StatusCode::CONFLICT, detail)
            }
            _ => problem(&error),
        })
    }

    fn is_own_there(&self) -> Result<bool, Problem> {
        let sql = "SELECT to_regclass('esclusa_server.usage_hour') IS NOT NULL";
        Ok(self.wait(self.client.query_one(sql, &[]))?.get(0))
    }

    fn execute(&self, sql: &str) -> Result<(), Problem> {
        self.wait(self.client.batch_execute(sql))
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Problem> {
        self.handle.block_on(work).map_err(|error| problem(&error))
    }

    fn wait_for_row<T>(&self, work: impl Future<Output = Result<T, WatchError>>) -> Result<T, Problem> {
        self.handle.block_on(work).map_err(|error| match error {
            WatchError::Missing(detail) => Problem::new(StatusCode::FORBIDDEN, detail),
            WatchError::Database(error) => problem(&error),
        })
    }
}

impl Table for Open {
    fn columns(&mut self) -> Result<Vec<String>, Problem> {
        self.columns = self.wait(self.watch.columns(&self.client))?;
        Ok(self.columns.iter().map(|column| column.name.clone()).collect())
    }

    fn keys(&self) -> Vec<String> {
        self.watch.keys.clone()
    }

    fn rows(&mut self) -> Result<Vec<Row>, Problem> {
        self.wait(self.watch.rows(&self.client))?.iter().map(|json| parsed(json)).collect()
    }

    fn insert(&mut self, written: &[&str], json: &str) -> Result<(), Problem> {
        self.wait(self.watch.insert(&self.client, written, json))
    }

    fn update(&mut self, key: &str, written: &[&str], json: &str) -> Result<(), Problem> {
        if self.columns.is_empty() {
            self.columns()?;
        }
        self.wait_for_row(self.watch.update(&self.client, &self.columns, key, written, json))
    }

    fn delete(&mut self, key: &str) -> Result<(), Problem> {
        self.wait_for_row(self.watch.delete(&self.client, key))
    }

    fn switch_off(&mut self, key: &str) -> Result<(), Problem> {
        let mut left = TRIES;
        loop {
            let sql = "SELECT esclusa.emergency_rollback($1, NULL, $2)";
            self.execute("SAVEPOINT stopping")?;
            match self.handle.block_on(self.client.query(sql, &[&key, &self.watch.name])) {
                Ok(_) => return Ok(()),
                Err(error) if error.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE) && left > 1 => {
                    self.execute("ROLLBACK TO stopping")?;
                    left -= 1;
                }
                Err(error)
                    if error.as_db_error().is_some_and(|error| error.message().starts_with("there is no flag")) =>
                {
                    return Err(Problem::no_flag(key));
                }
                Err(error) => return Err(problem(&error)),
            }
        }
    }

    fn trip(&mut self, trip: &Trip) -> Result<Tripping, Problem> {
        let (key, run) = (trip.flag(), i64::try_from(trip.run()).unwrap_or(i64::MAX));
        let sql = "SELECT esclusa.trip($1, $2, $3::text::jsonb, $4)";
        let written = trip.to_value().to_json();
        let table = &self.watch.name;
        match self.handle.block_on(self.client.query_one(sql, &[&key, &run, &written, table])) {
            Ok(row) if row.get(0) => Ok(Tripping::Taken),
            Ok(_) => {
                let known = self.guard_state(key)?.trip().cloned();
                Ok(Tripping::Known(known.unwrap_or_default()))
            }
            Err(error) => match (error.code().map(SqlState::code), other_run(&error)) {
                (Some(OTHER_RUN), Some(run)) => Ok(Tripping::Over(run)),
                _ => Err(guard_problem(&error, key)),
            },
        }
    }

    fn resume(&mut self, key: &str, at_step: Option<u64>, _: Time) -> Result<u64, Problem> {
        let at_step = at_step.map(|step| i64::try_from(step).unwrap_or(i64::MAX));
        let sql = "SELECT esclusa.resume($1, NULL, $2, $3)";
        let table = &self.watch.name;
        let asked = self.handle.block_on(self.client.query_one(sql, &[&key, &at_step, table]));
        let row = asked.map_err(|error| guard_problem(&error, key))?;
        Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or_default())
    }

    fn write_guard_state(&mut self, _: &str, _: Value<'static>, _: &str) -> Result<(), Problem> {
        // The database lets nobody but its own functions write it.
        Err(Problem::new(StatusCode::CONFLICT, "`guard_state` is written by `esclusa.trip` and `esclusa.resume` alone"))
    }

    fn recorded(&mut self, flag: Option<&str>, limit: u32, skipped: u32) -> Result<Vec<Recorded>, Problem> {
        let history = &self.watch.history;
        self.wait(Recorded::read(&self.client, history, flag, limit.into(), skipped.into()))
    }

    fn last_record(&mut self, flag: &str) -> Result<Option<String>, Problem> {
        // A refusal would end the transaction, and the change with it.
        let sql = "SELECT pg_catalog.has_table_privilege($1, 'SELECT')";
        let may = self.wait(self.client.query(sql, &[&self.watch.history]))?;
        if !may.iter().any(|row| row.get(0)) {
            return Ok(None);
        }
        Ok(self.recorded(Some(flag), 1, 0)?.pop().and_then(|line| line.id))
    }

    fn record(&mut self, id: &str) -> Result<Option<Recorded>, Problem> {
        self.wait(Recorded::find(&self.client, &self.watch.history, id))
    }

    fn recorded_since(&mut self, time: &str) -> Result<Vec<Recorded>, Problem> {
        self.wait(Recorded::since(&self.client, &self.watch.history, time))
    }

    fn has_own(&mut self) -> Result<bool, Problem> {
        self.is_own_there()
    }

    fn own(&mut self, sql: &str, cells: &[Cell]) -> Result<Vec<Vec<Cell>>, Problem> {
        let sql = in_schema(sql).replace('?', "$");
        let cells: Vec<&(dyn ToSql + Sync)> = cells.iter().map(Cell::for_postgres).collect();
        let rows = self.wait(self.client.query(&sql, &cells))?;
        Ok(rows.iter().map(|row| (0..row.len()).map(|at| Cell::of_postgres(row, at)).collect()).collect())
    }

    fn write_usage(&mut self, rows: &str) -> Result<Option<String>, Problem> {
        self.execute("SAVEPOINT usage")?;
        let sql = "SELECT esclusa.write_usage($1::text::jsonb, $2)";
        match self.handle.block_on(self.client.query(sql, &[&rows, &self.watch.name])) {
            Ok(_) => Ok(None),
            Err(error) => {
                self.execute("ROLLBACK TO usage")?;
                Ok(Some(problem(&error).detail().to_owned()))
            }
        }
    }
}

/// Whether the server's own tables are there and this role may write to them. Whose they are not sees no row of them.
async fn has_tables(client: &Client) -> Result<bool, Error> {
    let sql = "SELECT count(*) = 3 FROM pg_catalog.pg_class AS own
        JOIN pg_catalog.pg_namespace AS place ON place.oid = own.relnamespace
        WHERE place.nspname = 'esclusa_server' AND own.relname IN ('account', 'token', 'session')
            AND pg_catalog.pg_has_role(own.relowner, 'USAGE')";
    Ok(client.query_one(sql, &[]).await?.get(0))
}

/// Whether this role may make them.
async fn may_make(client: &Client) -> Result<bool, Error> {
    let sql = "SELECT coalesce(
        pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace('esclusa_server')::oid, 'CREATE'),
        pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'))";
    Ok(client.query_one(sql, &[]).await?.get(0))
}

async fn rows_of(client: &Client, statement: &Statement) -> Result<Vec<Cells>, Error> {
    let values = statement.cells.iter().map(|cell| match cell {
        Written::Text(text) => text as &(dyn ToSql + Sync),
        Written::Whole(whole) => whole,
        Written::Is(is) => is,
    });
    let rows = client.query(statement.for_postgres(), &values.collect::<Vec<_>>()).await?;
    let cell = |row: &tokio_postgres::Row, at: usize, column: &tokio_postgres::Column| match *column.type_() {
        Type::INT8 => row.try_get(at).map(Written::Whole),
        Type::BOOL => row.try_get(at).map(Written::Is),
        _ => row.try_get(at).map(Written::Text),
    };
    let row = |row: tokio_postgres::Row| {
        row.columns().iter().enumerate().map(|(at, column)| cell(&row, at, column)).collect::<Result<Vec<_>, _>>()
    };
    rows.into_iter().map(row).collect()
}

/// The run that a flag is in, if that is why it did not trip.
fn other_run(error: &Error) -> Option<u64> {
    error.as_db_error()?.detail()?.parse().ok()
}

/// What an error of `esclusa.trip` and `esclusa.resume` means for a request.
fn guard_problem(error: &Error, key: &str) -> Problem {
    match error.code().map(SqlState::code) {
        Some(NO_FLAG) => no_guard(key),
        Some(NO_COLUMNS | NO_FUNCTION | NO_RIGHT) => {
            let said = error.as_db_error().map(|error| error.message().to_owned()).unwrap_or_default();
            let expected = "expected 002_guard.sql, `SELECT esclusa.guard(…)` and `SELECT esclusa.allow_guard(…)`";
            Problem::new(StatusCode::CONFLICT, format!("Postgres refuses: {said}; {expected}"))
        }
        _ => problem(error),
    }
}

/// What an error of the database means for a request.
fn problem(error: &Error) -> Problem {
    let Some(said) = error.as_db_error() else {
        return away("the connection to Postgres broke off; look whether the change is there");
    };
    let code = said.code();
    let status = match code.code().get(..2).unwrap_or_default() {
        // A value that the type of its column refuses, a constraint, a trigger that objects.
        "22" | "23" | "P0" => StatusCode::UNPROCESSABLE_ENTITY,
        "42" if *code == SqlState::INSUFFICIENT_PRIVILEGE => StatusCode::FORBIDDEN,
        "53" if *code == SqlState::DISK_FULL => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let status = if *code == SqlState::UNIQUE_VIOLATION { StatusCode::CONFLICT } else { status };
    let hint = said.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    Problem::new(status, format!("Postgres refuses: {}{hint}", said.message()))
}
