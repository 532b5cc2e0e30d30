//! A Postgres that commands write to: one connection, what the server says, and the tables that are watched in it.

use std::borrow::Cow;
use std::cell::Cell;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use esclusa::Value;
use esclusa_sync::tokio_postgres::error::SqlState;
use esclusa_sync::tokio_postgres::types::ToSql;
use esclusa_sync::tokio_postgres::{Error, Row};
use esclusa_sync::{Opened, Source};
use tokio::runtime::Runtime;

use crate::desk::{Desk, Trouble};
use crate::source::{Place, TIMEOUT, runtime};

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

/// A table of flags that the migration watches.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    /// With its schema, as it is written in a query.
    pub(crate) name: String,
    /// The columns that name a flag: the first that is not null counts.
    pub(crate) keys: Vec<String>,
    /// The history beside it, as it is written in a query.
    pub(crate) history: String,
    /// Whether a mapping that is kept with it says what its columns mean.
    pub(crate) is_mapped: bool,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    is_time: bool,
}

impl Column {
    /// Whether it says when a row was changed.
    fn is_stamp(&self) -> bool {
        self.is_time && ["updated_at", "updatedAt", "modified_at", "modifiedAt"].contains(&self.name.as_str())
    }
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
        match work(self) {
            Ok(done) => self.run(if keep { "COMMIT" } else { "ROLLBACK" }).map(|()| done),
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
        let is_there = self.ask("SELECT to_regclass('esclusa.watched') IS NOT NULL", &[])?;
        if !is_there.iter().any(|row| row.get(0)) {
            return Err(Trouble::new(format!(
                "{}: the migration has not run there, expected `esclusa migrate` before",
                self.name
            )));
        }
        let sql = "SELECT name, esclusa.roles(esclusa.found(name), mapping) ->> 'keys',
                (SELECT format('%I.release_history', nspname) FROM pg_namespace
                    JOIN pg_class ON relnamespace = pg_namespace.oid WHERE pg_class.oid = esclusa.found(name)),
                mapping IS NOT NULL
            FROM esclusa.revision
            WHERE esclusa.found(name) IS NOT NULL AND ($1::text IS NULL OR name = (esclusa.watch_of($1)).name)
            ORDER BY name";
        let rows = self.ask(sql, &[&table])?;
        let list = |json: Option<String>| -> Vec<String> {
            json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default()
        };
        let watch =
            |row: &Row| Watch { name: row.get(0), keys: list(row.get(1)), history: row.get(2), is_mapped: row.get(3) };
        let watches: Vec<Watch> = rows.iter().map(watch).collect();
        if watches.is_empty() {
            return Err(Trouble::new(format!(
                "{}: no table is watched, expected `esclusa migrate --watch TABLE`",
                self.name
            )));
        }
        Ok(watches)
    }

    /// The rows of a flag in a table, as JSON.
    ///
    /// # Errors
    /// When they may not be read.
    pub(crate) fn rows_of(&self, watch: &Watch, flag: &str) -> Result<Vec<Value<'static>>, Trouble> {
        if watch.keys.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT to_jsonb(f)::text FROM {} f WHERE {} = $1", watch.name, watch.key());
        self.ask(&sql, &[&flag])?.iter().map(|row| json(row.get(0))).collect()
    }

    /// The columns that can be written.
    ///
    /// # Errors
    /// When the connection is gone.
    pub(crate) fn columns(&self, watch: &Watch) -> Result<Vec<Column>, Trouble> {
        let sql = "SELECT attname::text, atttypid = ANY ('{timestamptz,timestamp}'::regtype[]) FROM pg_attribute
            WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''";
        let rows = self.ask(sql, &[&watch.name])?;
        Ok(rows.iter().map(|row| Column { name: row.get(0), is_time: row.get(1) }).collect())
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
        let name = &watch.name;
        let is_stamp = |column: &&Column| column.is_stamp() && fields.iter().all(|(field, _)| *field != column.name);
        let stamps = columns.iter().filter(is_stamp).map(|column| format!("{} = now()", quoted(&column.name)));
        let own = fields.iter().map(|(field, _)| quoted(field)).map(|column| format!("{column} = r.{column}"));
        let sets: Vec<String> = own.chain(stamps).collect();
        let sql = format!(
            "UPDATE {name} f SET {} FROM jsonb_populate_record(NULL::{name}, $1::text::jsonb) r WHERE {} = $2 RETURNING 1",
            sets.join(", "),
            watch.key()
        );
        match self.ask(&sql, &[&Value::Object(fields.to_vec()).to_json(), &flag])?.len() {
            1 => Ok(()),
            0 => Err(Trouble::new(format!("`{flag}` of {name} may not be changed, nothing is changed"))),
            many => Err(Trouble::new(format!("{name} has {many} rows of `{flag}`, nothing is changed"))),
        }
    }

    /// Writes a new row.
    ///
    /// # Errors
    /// When the table refuses it.
    pub(crate) fn insert(&self, watch: &Watch, fields: &[Field]) -> Result<(), Trouble> {
        let name = &watch.name;
        let columns: Vec<String> = fields.iter().map(|(column, _)| quoted(column)).collect();
        let taken: Vec<String> = columns.iter().map(|column| format!("r.{column}")).collect();
        let sql = format!(
            "INSERT INTO {name} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM jsonb_populate_record(NULL::{name}, $1::text::jsonb) r",
            columns.join(", "),
            taken.join(", ")
        );
        self.ask(&sql, &[&Value::Object(fields.to_vec()).to_json()]).map(drop)
    }

    /// Says in this transaction who changes flags, and why.
    ///
    /// # Errors
    /// When the connection is gone.
    pub(crate) fn sign(&self, by: Option<&str>, reason: &str) -> Result<(), Trouble> {
        let sql = "SELECT set_config('esclusa.reason', $1, true), set_config('esclusa.performed_by', $2, true)";
        self.ask(sql, &[&reason, &by.unwrap_or_default()]).map(drop)
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
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

impl Watch {
    /// The key of a row `f`, in SQL.
    pub(crate) fn key(&self) -> String {
        let columns = self.keys.iter().map(|key| format!("nullif(f.{}::text, '')", quoted(key)));
        format!("coalesce({})", columns.collect::<Vec<_>>().join(", "))
    }
}

/// Who changes flags: a given name, or the user of this machine.
pub(crate) fn author(given: Option<&str>, desk: &Desk<'_>) -> Option<String> {
    let user = || ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| (desk.variable)(name));
    given.map(str::to_owned).or_else(user)
}

/// A name as it is written in a query.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
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
