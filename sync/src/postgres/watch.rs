//! A table of flags that the migration watches, for programs that write to it: its keys, its columns, and its history.
//!
//! Rows come and go as JSON, as the database writes and reads it. Where a transaction begins and ends is the caller's.

use std::fmt;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, Row};

/// How often a transaction that is to begin looks whether it can.
const AGAIN: Duration = Duration::from_millis(20);

/// A table of flags that the migration watches.
#[derive(Clone, Debug)]
pub struct Watch {
    /// With its schema, as it is written in a query.
    pub name: String,
    /// The columns that name a flag: the first that is not null counts.
    pub keys: Vec<String>,
    /// The history beside it, as it is written in a query.
    pub history: String,
    /// Whether a mapping that is kept with it says what its columns mean.
    pub is_mapped: bool,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// As it is written without quotation marks.
    pub name: String,
    is_time: bool,
}

impl Column {
    /// Whether it says when a row was changed.
    fn is_stamp(&self) -> bool {
        self.is_time && ["updated_at", "updatedAt", "modified_at", "modifiedAt"].contains(&self.name.as_str())
    }
}

/// A line of a history.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its id, if the history has one.
    pub id: Option<String>,
    /// When it was, as in `2026-02-01T09:30:00.000Z`.
    pub at: String,
    /// The key of the flag, or else its id.
    pub flag: String,
    /// The table of the flag.
    pub table: Option<String>,
    /// `create`, `update`, `delete`, `enable`, `disable`, `rollout_update` or `emergency_rollback`.
    pub action: String,
    /// Who did it: as they said, else by their token, else the user of the database.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What the fields held before, as JSON: those that differ, or the whole row of a flag that went.
    pub old: Option<String>,
    /// What they hold since; the whole row of a flag that came.
    pub new: Option<String>,
}

/// Why a table is not read or written.
#[derive(Debug)]
pub enum WatchError {
    /// The database refuses, or is away.
    Database(Error),
    /// There is no such table or row.
    Missing(String),
}

impl fmt::Display for WatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WatchError::Database(error) => error.fmt(f),
            WatchError::Missing(problem) => f.write_str(problem),
        }
    }
}

impl std::error::Error for WatchError {}

impl From<Error> for WatchError {
    fn from(error: Error) -> Self {
        WatchError::Database(error)
    }
}

impl Watch {
    /// The tables that are watched, or the one of that name.
    ///
    /// # Errors
    /// When the migration has not run, or watches no such table.
    pub async fn all(client: &Client, table: Option<&str>) -> Result<Vec<Self>, WatchError> {
        let is_there = client.query("SELECT to_regclass('esclusa.watched') IS NOT NULL", &[]).await?;
        if !is_there.iter().any(|row| row.get(0)) {
            let problem = "the migration has not run there, expected `esclusa migrate` before";
            return Err(WatchError::Missing(problem.to_owned()));
        }
        let sql = "SELECT name,
                ARRAY(SELECT jsonb_array_elements_text(esclusa.roles(esclusa.found(name), mapping) -> 'keys')),
                (SELECT format('%I.release_history', nspname) FROM pg_namespace
                    JOIN pg_class ON relnamespace = pg_namespace.oid WHERE pg_class.oid = esclusa.found(name)),
                mapping IS NOT NULL
            FROM esclusa.revision
            WHERE esclusa.found(name) IS NOT NULL AND ($1::text IS NULL OR name = (esclusa.watch_of($1)).name)
            ORDER BY name";
        let rows = client.query(sql, &[&table]).await?;
        let watch =
            |row: &Row| Watch { name: row.get(0), keys: row.get(1), history: row.get(2), is_mapped: row.get(3) };
        let watches: Vec<Watch> = rows.iter().map(watch).collect();
        if watches.is_empty() {
            let problem = "no table is watched, expected `esclusa migrate --watch TABLE`";
            return Err(WatchError::Missing(problem.to_owned()));
        }
        Ok(watches)
    }

    /// The key of a row `f`, in SQL.
    #[must_use]
    pub fn key(&self) -> String {
        let columns = self.keys.iter().map(|key| format!("nullif(f.{}::text, '')", quoted(key)));
        format!("coalesce({})", columns.collect::<Vec<_>>().join(", "))
    }

    /// All rows by their keys; none of a table that has its keys inside JSON.
    ///
    /// # Errors
    /// When they may not be read.
    pub async fn rows(&self, client: &Client) -> Result<Vec<String>, Error> {
        if self.keys.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT to_jsonb(f)::text FROM {} f ORDER BY {}", self.name, self.key());
        Ok(client.query(&sql, &[]).await?.iter().map(|row| row.get(0)).collect())
    }

    /// The rows of a flag.
    ///
    /// # Errors
    /// When they may not be read.
    pub async fn rows_of(&self, client: &Client, flag: &str) -> Result<Vec<String>, Error> {
        if self.keys.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT to_jsonb(f)::text FROM {} f WHERE {} = $1", self.name, self.key());
        Ok(client.query(&sql, &[&flag]).await?.iter().map(|row| row.get(0)).collect())
    }

    /// The columns that can be written.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn columns(&self, client: &Client) -> Result<Vec<Column>, Error> {
        let sql = "SELECT attname::text, atttypid = ANY ('{timestamptz,timestamp}'::regtype[]) FROM pg_attribute
            WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum";
        let rows = client.query(sql, &[&self.name]).await?;
        Ok(rows.iter().map(|row| Column { name: row.get(0), is_time: row.get(1) }).collect())
    }

    /// Begins a transaction, by this `BEGIN …`, when nobody else writes to the table, and lets nobody else write until it
    /// ends. It asks again and again, because everybody who wants to write would wait behind a lock that waits, an emergency
    /// rollback too. The history has the time at which the last attempt began.
    ///
    /// # Errors
    /// When somebody else writes for longer than `within`, or may not be kept from it; then no transaction is open.
    pub async fn begin_alone(&self, client: &Client, begin: &str, within: Duration) -> Result<(), Error> {
        let sql = format!("{begin}; LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE NOWAIT", self.name);
        let began = Instant::now();
        loop {
            let Err(error) = client.batch_execute(&sql).await else { return Ok(()) };
            // A connection that is gone has rolled back already.
            let ended = client.batch_execute("ROLLBACK").await;
            if error.code() != Some(&SqlState::LOCK_NOT_AVAILABLE) || began.elapsed() >= within {
                return Err(error);
            }
            ended?;
            sleep(AGAIN).await;
        }
    }

    /// Writes these columns of a flag, which are fields of an object in JSON, into its row, and when that was.
    ///
    /// # Errors
    /// When it has not exactly one row that may be changed.
    pub async fn update(
        &self,
        client: &Client,
        columns: &[Column],
        flag: &str,
        written: &[&str],
        json: &str,
    ) -> Result<(), WatchError> {
        let name = &self.name;
        let is_stamp = |column: &&Column| column.is_stamp() && !written.contains(&column.name.as_str());
        let stamps = columns.iter().filter(is_stamp).map(|column| format!("{} = now()", quoted(&column.name)));
        let own = written.iter().map(|column| quoted(column)).map(|column| format!("{column} = r.{column}"));
        let sets: Vec<String> = own.chain(stamps).collect();
        let sql = format!(
            "UPDATE {name} f SET {} FROM jsonb_populate_record(NULL::{name}, $1::text::jsonb) r WHERE {} = $2 RETURNING 1",
            sets.join(", "),
            self.key()
        );
        self.is_one(flag, client.query(&sql, &[&json, &flag]).await?.len())
    }

    /// Writes a new row with these columns, which are fields of an object in JSON.
    ///
    /// # Errors
    /// When the table refuses it.
    pub async fn insert(&self, client: &Client, written: &[&str], json: &str) -> Result<(), Error> {
        let name = &self.name;
        let columns: Vec<String> = written.iter().map(|column| quoted(column)).collect();
        let taken: Vec<String> = columns.iter().map(|column| format!("r.{column}")).collect();
        let sql = format!(
            "INSERT INTO {name} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM jsonb_populate_record(NULL::{name}, $1::text::jsonb) r",
            columns.join(", "),
            taken.join(", ")
        );
        client.query(&sql, &[&json]).await.map(drop)
    }

    /// Takes the row of a flag away.
    ///
    /// # Errors
    /// When it has not exactly one row that may be changed.
    pub async fn delete(&self, client: &Client, flag: &str) -> Result<(), WatchError> {
        let sql = format!("DELETE FROM {} f WHERE {} = $1 RETURNING 1", self.name, self.key());
        self.is_one(flag, client.query(&sql, &[&flag]).await?.len())
    }

    fn is_one(&self, flag: &str, changed: usize) -> Result<(), WatchError> {
        let name = &self.name;
        match changed {
            1 => Ok(()),
            0 => Err(WatchError::Missing(format!("`{flag}` of {name} may not be changed, nothing is changed"))),
            many => Err(WatchError::Missing(format!("{name} has {many} rows of `{flag}`, nothing is changed"))),
        }
    }
}

impl WatchError {
    /// The code of the database's error, if it is one.
    #[must_use]
    pub fn code(&self) -> Option<&SqlState> {
        match self {
            WatchError::Database(error) => error.code(),
            WatchError::Missing(_) => None,
        }
    }
}

impl Recorded {
    /// What a history, as it is written in a query, says of a flag, or of all of them: the newest first, without so many
    /// of them.
    ///
    /// # Errors
    /// When it may not be read.
    pub async fn read(
        client: &Client,
        history: &str,
        flag: Option<&str>,
        limit: i64,
        skipped: i64,
    ) -> Result<Vec<Self>, Error> {
        let chosen = "$1::text IS NULL OR $1 IN (to_jsonb(h) ->> 'flag_key', to_jsonb(h) ->> 'feature_flag_id')";
        let sql = format!("{} WHERE {chosen} {NEWEST_FIRST} LIMIT $2 OFFSET $3", selected(history));
        Ok(client.query(&sql, &[&flag, &limit, &skipped]).await?.iter().map(Recorded::of).collect())
    }

    /// The line with this id.
    ///
    /// # Errors
    /// When the history may not be read.
    pub async fn find(client: &Client, history: &str, id: &str) -> Result<Option<Self>, Error> {
        let sql = format!("{} WHERE to_jsonb(h) ->> 'id' = $1", selected(history));
        Ok(client.query(&sql, &[&id]).await?.first().map(Recorded::of))
    }

    /// The lines after a time, such as `2026-02-01T09:30:00Z`, the newest first.
    ///
    /// # Errors
    /// When the history may not be read.
    pub async fn since(client: &Client, history: &str, time: &str) -> Result<Vec<Self>, Error> {
        let sql = format!(
            "{} WHERE (to_jsonb(h) ->> 'created_at')::timestamptz > $1::text::timestamptz {NEWEST_FIRST}",
            selected(history)
        );
        Ok(client.query(&sql, &[&time]).await?.iter().map(Recorded::of).collect())
    }

    fn of(row: &Row) -> Self {
        let text = |at: usize| row.get::<_, Option<String>>(at);
        Recorded {
            id: text(0),
            at: text(1).unwrap_or_default(),
            flag: text(2).unwrap_or_default(),
            table: text(3),
            action: text(4).unwrap_or_default(),
            by: text(5),
            reason: text(6),
            old: text(7),
            new: text(8),
        }
    }
}

/// The changes of one transaction have one time.
const NEWEST_FIRST: &str = "ORDER BY (to_jsonb(h) ->> 'created_at')::timestamptz DESC, h.ctid DESC";

/// Histories of older versions have fewer columns, so each row is read as JSON.
fn selected(history: &str) -> String {
    format!(
        "SELECT to_jsonb(h) ->> 'id',
            to_char((to_jsonb(h) ->> 'created_at')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),
            coalesce(to_jsonb(h) ->> 'flag_key', to_jsonb(h) ->> 'feature_flag_id'), to_jsonb(h) ->> 'flag_table',
            h.action::text, coalesce(to_jsonb(h) ->> 'said_by', to_jsonb(h) ->> 'performed_by',
                to_jsonb(h) ->> 'token_subject', to_jsonb(h) ->> 'database_user'),
            to_jsonb(h) ->> 'reason', h.old_value::text, h.new_value::text
        FROM {history} h"
    )
}

/// Says in this transaction who changes flags, and why.
///
/// # Errors
/// When the connection is gone.
pub async fn sign(client: &Client, by: Option<&str>, reason: &str) -> Result<(), Error> {
    let sql = "SELECT set_config('esclusa.reason', $1, true), set_config('esclusa.performed_by', $2, true)";
    client.query(sql, &[&reason, &by.unwrap_or_default()]).await.map(drop)
}

/// A name as it is written in a query.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
