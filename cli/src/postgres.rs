//! A Postgres that commands write to: one connection, what the server says, and the tables that are watched in it.

use std::borrow::Cow;
use std::cell::Cell;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use esclusa::Value;
use esclusa_sync::tokio_postgres::error::SqlState;
use esclusa_sync::tokio_postgres::types::ToSql;
use esclusa_sync::tokio_postgres::{Error, Row};
use esclusa_sync::{Column, Opened, Recorded, Source, Watch, WatchError, sign};
use tokio::runtime::Runtime;

use crate::desk::{Desk, Trouble};
use crate::source::{Place, TIMEOUT, runtime};

/// How long a transaction waits for others who write to its table.
const LOCKED_WITHIN: Duration = Duration::from_secs(10);

/// A connection, with what the server says besides its answers.
pub(crate) struct Postgres {
    runtime: Runtime,
    client: Opened,
    /// What messages call it, without secrets.
    pub(crate) name: String,
    said: Arc<Mutex<Vec<String>>>,
    /// Whether the last error was that another transaction was at work on the same rows.
    in_the_way: Cell<bool>,
}

/// A column with what it is to hold.
pub(crate) type Field = (Cow<'static, str>, Value<'static>);

/// A parameter of a query.
pub(crate) type Parameter<'p> = &'p (dyn ToSql + Sync);

impl Postgres {
    /// Connects.
    ///
    /// # Errors
    /// When the address cannot be read or the server does not answer.
    pub(crate) fn connect(place: &Place) -> Result<Self, Trouble> {
        let mut source =
            esclusa_sync::Postgres::new(&place.place).map_err(|failure| Trouble::new(failure.error))?.timeout(TIMEOUT);
        let name = source.name();
        let runtime = runtime()?;
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let opened = source.open(move |notice| {
            if notice.severity() == "WARNING" {
                let text = [Some(notice.message()), notice.hint()].into_iter().flatten().collect::<Vec<_>>().join("; ");
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(text.replace(char::is_control, " "));
            }
        });
        let client = runtime
            .block_on(async { tokio::time::timeout(TIMEOUT, opened).await })
            .map_err(|_| Trouble::new(format!("{name}: no answer within {} s", TIMEOUT.as_secs())))?
            .map_err(|failure| Trouble::new(format!("{name}: {}", failure.error)))?;
        Ok(Postgres { runtime, client, name, said, in_the_way: Cell::new(false) })
    }

    /// What the server has said besides its answers since this was last asked.
    pub(crate) fn said(&self) -> Vec<String> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the last error was that another transaction was at work on the same rows: it may work another time.
    pub(crate) fn was_in_the_way(&self) -> bool {
        self.in_the_way.replace(false)
    }

    /// Runs statements.
    ///
    /// # Errors
    /// When one is refused; those before it stay in effect unless a transaction is open.
    pub(crate) fn run(&self, sql: &str) -> Result<(), Trouble> {
        self.wait(self.client.batch_execute(sql)).map_err(|error| self.trouble(error))
    }

    /// Asks for rows.
    ///
    /// # Errors
    /// When the query is refused.
    pub(crate) fn ask(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Trouble> {
        self.wait(self.client.query(sql, parameters)).map_err(|error| self.trouble(error))
    }

    /// Does all of it or nothing.
    ///
    /// # Errors
    /// When it fails; then nothing has changed.
    pub(crate) fn transaction<T>(
        &self,
        begin: &str,
        keep: bool,
        work: impl FnOnce(&Self) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        self.run(begin)?;
        self.end(if keep { "COMMIT" } else { "ROLLBACK" }, work(self))
    }

    /// The same, in a transaction that keeps others from writing to the table.
    ///
    /// # Errors
    /// When it fails, or somebody else writes for longer than ten seconds; then nothing has changed.
    pub(crate) fn transaction_alone<T>(
        &self,
        watch: &Watch,
        work: impl FnOnce(&Self) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let begun = watch.begin_alone(&self.client, "BEGIN ISOLATION LEVEL READ COMMITTED", LOCKED_WITHIN);
        self.wait(begun).map_err(|error| self.trouble(error))?;
        self.end("COMMIT", work(self))
    }

    fn end<T>(&self, sql: &str, done: Result<T, Trouble>) -> Result<T, Trouble> {
        match done {
            Ok(done) => self.run(sql).map(|()| done),
            Err(trouble) => {
                // A connection that is gone has rolled back already.
                let _ = self.run("ROLLBACK");
                Err(trouble)
            }
        }
    }

    /// The tables that are watched, or the one of that name.
    ///
    /// # Errors
    /// When the migration has not run, or does not watch that table.
    pub(crate) fn watches(&self, table: Option<&str>) -> Result<Vec<Watch>, Trouble> {
        self.wait(Watch::all(&self.client, table)).map_err(|error| self.unwritten(error))
    }

    /// The rows of a flag in a table, as JSON.
    ///
    /// # Errors
    /// When they may not be read.
    pub(crate) fn rows_of(&self, watch: &Watch, flag: &str) -> Result<Vec<Value<'static>>, Trouble> {
        let rows = self.wait(watch.rows_of(&self.client, flag)).map_err(|error| self.trouble(error))?;
        rows.into_iter().map(|row| json(Some(row))).collect()
    }

    /// All rows of a table, as JSON.
    ///
    /// # Errors
    /// When they may not be read.
    pub(crate) fn rows(&self, watch: &Watch) -> Result<Vec<Value<'static>>, Trouble> {
        let rows = self.wait(watch.rows(&self.client)).map_err(|error| self.trouble(error))?;
        rows.into_iter().map(|row| json(Some(row))).collect()
    }

    /// What a history says of a flag, or of all of them: the newest first.
    ///
    /// # Errors
    /// When it may not be read.
    pub(crate) fn recorded(&self, history: &str, flag: Option<&str>, limit: u32) -> Result<Vec<Recorded>, Trouble> {
        let lines = self.wait(Recorded::read(&self.client, history, flag, limit.into(), 0));
        lines.map_err(|error| self.trouble(error))
    }

    /// The columns that can be written.
    ///
    /// # Errors
    /// When the connection is gone.
    pub(crate) fn columns(&self, watch: &Watch) -> Result<Vec<Column>, Trouble> {
        self.wait(watch.columns(&self.client)).map_err(|error| self.trouble(error))
    }

    /// Writes fields of a flag into its row, and when that was.
    ///
    /// # Errors
    /// When it has not exactly one row that may be changed.
    pub(crate) fn update(
        &self,
        watch: &Watch,
        columns: &[Column],
        flag: &str,
        fields: &[Field],
    ) -> Result<(), Trouble> {
        let written: Vec<&str> = fields.iter().map(|(column, _)| column.as_ref()).collect();
        let json = Value::Object(fields.to_vec()).to_json();
        let done = self.wait(watch.update(&self.client, columns, flag, &written, &json));
        done.map_err(|error| match error {
            WatchError::Missing(problem) => Trouble::new(problem),
            WatchError::Database(error) => self.trouble(error),
        })
    }

    /// Writes a new row.
    ///
    /// # Errors
    /// When the table refuses it.
    pub(crate) fn insert(&self, watch: &Watch, fields: &[Field]) -> Result<(), Trouble> {
        let written: Vec<&str> = fields.iter().map(|(column, _)| column.as_ref()).collect();
        let json = Value::Object(fields.to_vec()).to_json();
        self.wait(watch.insert(&self.client, &written, &json)).map_err(|error| self.trouble(error))
    }

    /// Says in this transaction who changes flags, and why.
    ///
    /// # Errors
    /// When the connection is gone.
    pub(crate) fn sign(&self, by: Option<&str>, reason: &str) -> Result<(), Trouble> {
        self.wait(sign(&self.client, by, reason)).map_err(|error| self.trouble(error))
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn unwritten(&self, error: WatchError) -> Trouble {
        match error {
            WatchError::Missing(problem) => Trouble::new(format!("{}: {problem}", self.name)),
            WatchError::Database(error) => self.trouble(error),
        }
    }

    fn trouble(&self, error: Error) -> Trouble {
        self.in_the_way.set(error.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE));
        let said = match error.as_db_error() {
            Some(error) => [Some(error.message()), error.hint()].into_iter().flatten().collect::<Vec<_>>().join("; "),
            None => esclusa_sync::Failure::from(error).error,
        };
        Trouble::new(format!("{}: {said}", self.name))
    }
}

/// Who changes flags: a given name, or the user of this machine.
pub(crate) fn author(given: Option<&str>, desk: &Desk<'_>) -> Option<String> {
    let user = || ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| (desk.variable)(name));
    given.map(str::to_owned).or_else(user)
}

/// A value that the database has written.
///
/// # Errors
/// When it is not JSON that this tool reads, such as numbers out of range.
pub(crate) fn json(text: Option<String>) -> Result<Value<'static>, Trouble> {
    let text = text.unwrap_or_else(|| "null".to_owned());
    let value = Value::from_json(text.as_bytes()).map_err(|error| Trouble::new(format!("a row: {error}")))?;
    Ok(value.into_owned())
}
