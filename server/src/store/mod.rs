//! Where flags are written: a table in Postgres, in place, or one in SQLite.
//!
//! What a change means is decided above, once for both; a store only reads rows, writes rows, and keeps the history. Its
//! triggers write the history, so a change by SQL is recorded as any other.

mod guard_state;
mod own;
mod postgres;
#[cfg(feature = "sqlite")]
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
pub(crate) mod statement;

use std::fmt;
use std::sync::Arc;

use axum::http::StatusCode;
use esclusa::{Time, Trip, Value};
pub(crate) use esclusa_sync::Recorded;
use guard_state::GuardState;
pub(crate) use own::Cell;
pub(crate) use statement::{Cells, Statement};

use crate::api::row_of;
use crate::problem::Problem;

/// What happens if the server's own tables are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tables {
    AsTheyAre,
    Made,
}

/// What has become of statements.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The rows of each.
    Rows(Vec<Vec<Cells>>),
    /// The server's own tables are not there, or this role may not use them.
    NoTables,
}

/// A row, as an object by the names of its columns.
pub(crate) type Row = Value<'static>;

/// Who changes something, and why.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) by: String,
    pub(crate) reason: String,
}

/// What a transaction is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    Reading,
    /// Nobody else writes to the table until it ends.
    Writing(Signature),
    /// Waits for nobody who writes to other rows.
    Stopping(Signature),
    /// Writes to the server's own tables alone, which it makes if they are not there.
    Counting,
}

/// What has become of a trip.
#[derive(Debug)]
pub(crate) enum Tripping {
    Taken,
    /// The flag has tripped already, by this.
    Known(Value<'static>),
    /// The flag is in another run.
    Over(u64),
}

/// There is no such flag with a guard.
pub(crate) fn no_guard(key: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is no flag `{key}` with a guard"))
}

/// The table of the flags, and its history, in one transaction.
pub(crate) trait Table {
    /// The columns that can be written.
    fn columns(&mut self) -> Result<Vec<String>, Problem>;
    /// The columns that name a flag: the first that is not null counts.
    fn keys(&self) -> Vec<String>;
    fn rows(&mut self) -> Result<Vec<Row>, Problem>;
    /// Writes a row with these columns, which are fields of an object in JSON.
    fn insert(&mut self, written: &[&str], json: &str) -> Result<(), Problem>;
    /// Writes these columns of a flag's only row, and when that was.
    fn update(&mut self, key: &str, written: &[&str], json: &str) -> Result<(), Problem>;
    fn delete(&mut self, key: &str) -> Result<(), Problem>;
    /// The emergency rollback. It is recorded also if the flag is off already.
    fn switch_off(&mut self, key: &str) -> Result<(), Problem>;
    /// Switches off a flag whose guard has tripped, in its present run.
    fn trip(&mut self, trip: &Trip) -> Result<Tripping, Problem> {
        let key = trip.flag();
        let state = self.guard_state(key)?;
        let run = state.run().unwrap_or(1);
        if run != trip.run() {
            return Ok(Tripping::Over(run));
        }
        if let Some(known) = state.trip() {
            return Ok(Tripping::Known(known.clone()));
        }
        self.write_guard_state(key, state.tripped(trip), "guard_trip")?;
        Ok(Tripping::Taken)
    }
    /// Begins a new run of a flag; its number.
    fn resume(&mut self, key: &str, at_step: Option<u64>, now: Time) -> Result<u64, Problem> {
        let (state, run) = self.guard_state(key)?.resumed(at_step, now);
        self.write_guard_state(key, state, "guard_resume")?;
        Ok(run)
    }
    /// The state of a flag that has a guard.
    fn guard_state(&mut self, key: &str) -> Result<GuardState, Problem> {
        let rows = self.rows()?;
        let state = row_of(&rows, key)?.and_then(GuardState::of);
        state.ok_or_else(|| no_guard(key))
    }
    fn write_guard_state(&mut self, key: &str, state: Value<'static>, action: &str) -> Result<(), Problem>;
    /// What is recorded of a flag, or of all: the newest first.
    fn recorded(&mut self, flag: Option<&str>, limit: u32, skipped: u32) -> Result<Vec<Recorded>, Problem>;
    /// The id of the last line of a flag, if who writes may read the history too.
    fn last_record(&mut self, flag: &str) -> Result<Option<String>, Problem> {
        Ok(self.recorded(Some(flag), 1, 0)?.pop().and_then(|line| line.id))
    }
    fn record(&mut self, id: &str) -> Result<Option<Recorded>, Problem>;
    /// What is recorded after a time, the newest first.
    fn recorded_since(&mut self, time: &str) -> Result<Vec<Recorded>, Problem>;
    /// Whether the server's own tables are there.
    fn has_own(&mut self) -> Result<bool, Problem>;
    /// A statement on the server's own tables, `own.NAME`, with the parameters `?1`, `?2` …, and its rows.
    fn own(&mut self, sql: &str, cells: &[Cell]) -> Result<Vec<Vec<Cell>>, Problem>;
    /// Inserts rows of equal length: `INSERT INTO own.NAME (…)`, the rows, and what follows them.
    fn own_insert(&mut self, insert: &str, rows: &[Vec<Cell>], rest: &str) -> Result<(), Problem> {
        let places = own::places(rows);
        let cells: Vec<Cell> = rows.iter().flatten().cloned().collect();
        if cells.is_empty() { Ok(()) } else { self.own(&format!("{insert} VALUES {places} {rest}"), &cells).map(drop) }
    }
    /// Writes rows, a list in JSON, into the users' own table of usage. What it refuses spoils nothing else of the
    /// transaction, and is given as a text.
    fn write_usage(&mut self, rows: &str) -> Result<Option<String>, Problem>;
    /// A recorded row as `rows` shows it.
    fn shown(&self, row: Row) -> Row {
        row
    }
}

/// Where flags are written.
///
/// ```no_run
/// use esclusa_server::Store;
///
/// // The table that the migration watches there.
/// let store = Store::postgres(esclusa_sync::Postgres::new("postgres://editor@db/app")?, None);
/// # let _ = store;
/// # Ok::<(), esclusa_sync::Failure>(())
/// ```
#[derive(Clone)]
pub struct Store(Kind);

#[derive(Clone)]
enum Kind {
    Postgres(Arc<postgres::Database>),
    #[cfg(feature = "sqlite")]
    Sqlite(Arc<sqlite::File>),
}

/// The connection string may have a password.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.name()).finish()
    }
}

/// Why a store cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub(crate) String);

impl Store {
    /// The table of that name in a Postgres, or the only one that the migration watches. It is asked when something is to
    /// be written.
    #[must_use]
    pub fn postgres(source: esclusa_sync::Postgres, table: Option<String>) -> Self {
        Store(Kind::Postgres(Arc::new(postgres::Database::new(source, table))))
    }

    /// A file of SQLite, which is made if it is not there, with this table for the flags and what belongs to it: the
    /// revision, the history and its triggers, and the tokens.
    ///
    /// # Errors
    /// When the file cannot be opened or written, or its table has no columns of flags.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(path: impl Into<std::path::PathBuf>, table: &str) -> Result<Self, StoreError> {
        Ok(Store(Kind::Sqlite(Arc::new(sqlite::File::open(&path.into(), table)?))))
    }

    /// Whether it is a file of this server's own.
    pub(crate) fn is_file(&self) -> bool {
        !matches!(self.0, Kind::Postgres(_))
    }

    /// What the server's own tables hold, if that can be read without waiting.
    pub(crate) fn ask_now(&self, statements: &[Statement]) -> Result<Option<Vec<Vec<Cells>>>, Problem> {
        match &self.0 {
            Kind::Postgres(_) => {
                // Only a file answers at once; without the feature there is none.
                let _ = statements;
                Ok(None)
            }
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(file) => file.ask(statements).map(Some),
        }
    }

    /// Whether it has the users' own table of usage.
    pub(crate) fn takes_rows(&self) -> bool {
        matches!(self.0, Kind::Postgres(_))
    }

    /// Does these statements on the server's own tables in one transaction, and gives the rows of each.
    ///
    /// # Errors
    /// When the store is away, or refuses one of them.
    pub(crate) async fn ask(&self, statements: Vec<Statement>, tables: Tables) -> Result<Asked, Problem> {
        let store = self.0.clone();
        let done = match store {
            Kind::Postgres(database) => tokio::spawn(async move { database.ask(&statements, tables).await }).await,
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(file) => tokio::task::spawn_blocking(move || file.ask(&statements).map(Asked::Rows)).await,
        };
        done.unwrap_or_else(|_| Err(away("the change broke off")))
    }

    fn name(&self) -> &str {
        match &self.0 {
            Kind::Postgres(database) => database.name(),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(file) => file.name(),
        }
    }

    /// Does all of it in one transaction, or nothing. It is finished also if the client goes away meanwhile.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        purpose: Purpose,
        work: impl FnOnce(&mut dyn Table) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let store = self.0.clone();
        let done = match store {
            Kind::Postgres(database) => tokio::spawn(async move { database.run(purpose, work).await }).await,
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(file) => tokio::task::spawn_blocking(move || file.run(&purpose, work)).await,
        };
        done.unwrap_or_else(|_| Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the change broke off")))
    }
}

/// A row that the store has written as JSON.
pub(crate) fn parsed(json: &str) -> Result<Row, Problem> {
    let unreadable =
        |error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("a row of the table cannot be read: {error}"));
    Ok(Value::from_json(json.as_bytes()).map_err(unreadable)?.into_owned())
}

/// The store does not answer now: nothing is changed, and a client may try again.
pub(crate) fn away(problem: impl fmt::Display) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("the store does not answer: {problem}"))
}
