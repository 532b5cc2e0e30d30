//! SQLite: a table in a file, read as it is, with SQLite's counter of changes.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use esclusa::limit::MAX_SNAPSHOT_BYTES;
use esclusa::sync::Request;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::disk::{self, Disk};
use crate::rows::{Cell, Rows};
use crate::source::{Answer, Failure, News, Source};

/// How often the counter is read.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a read waits while a writer holds the database.
const BUSY: Duration = Duration::from_secs(5);

/// A table (or view) of flags in a SQLite database.
///
/// One connection is held, and it can only read. Once a second it asks for `PRAGMA data_version`, which changes with
/// every commit of any other connection, of this process or another, in WAL mode too; the rows are read only then. A file
/// that is replaced by another is opened anew.
///
/// SQLite has neither lists nor objects: a text that is one in JSON is read as one. In a column that is declared as
/// `BOOLEAN`, 0 and 1 are false and true.
///
/// ```
/// let source = esclusa_sync::Sqlite::table("/var/lib/app/app.db", "feature_flags");
/// ```
///
/// A database in WAL mode has two more files beside it. This user must be able to write them, or a writer must have them
/// open.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    table: String,
    busy: Duration,
    /// What the thread that does the reading keeps.
    opened: Arc<Mutex<Option<Opened>>>,
    /// The state of the database at the last check.
    seen: Option<String>,
    disk: Disk,
}

#[derive(Debug)]
struct Opened {
    connection: Connection,
    file: String,
    /// A number that no other connection has, of this process or an earlier one.
    number: u64,
}

/// The state of a database, and its rows, unless they are known.
type Read = (String, Option<Result<Vec<u8>, Failure>>);

impl Sqlite {
    /// The table, or the view, of that name. Neither it nor the file need exist yet.
    pub fn table(path: impl Into<PathBuf>, table: impl Into<String>) -> Self {
        Sqlite {
            path: path.into(),
            table: table.into(),
            busy: BUSY,
            opened: Arc::default(),
            seen: None,
            disk: Disk::default(),
        }
    }

    /// How long a read waits while a writer holds the database; 5 seconds by default.
    #[must_use]
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy = timeout;
        self
    }

    /// Runs with the connection, in a thread; after an error the connection is closed.
    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Opened) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (path, busy, opened) = (self.path.clone(), self.busy, Arc::clone(&self.opened));
        let done = move || {
            let mut kept = opened.lock().unwrap_or_else(PoisonError::into_inner);
            let file = file(&path)?;
            let opened = match kept.take().filter(|opened| opened.file == file) {
                Some(opened) => opened,
                None => open(&path, file, busy)?,
            };
            let done = work(&opened)?;
            *kept = Some(opened);
            Ok(done)
        };
        self.disk.run(done).await?
    }

    fn failure(&self, failure: &Failure) -> Failure {
        Failure::new(format!("`{}`: {}", self.path.display(), failure.error))
    }
}

/// Distinguishes the file from another of the same name.
#[cfg(unix)]
fn file(path: &Path) -> Result<String, Failure> {
    use std::os::unix::fs::MetadataExt;
    let metadata = disk::regular(path)?;
    Ok(format!("{}-{}", metadata.dev(), metadata.ino()))
}

/// On systems where an open file cannot be replaced.
#[cfg(not(unix))]
fn file(path: &Path) -> Result<String, Failure> {
    disk::regular(path)?;
    Ok(String::new())
}

fn open(path: &Path, file: String, busy: Duration) -> Result<Opened, Failure> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(busy)?;
    Ok(Opened { connection, file, number: RandomState::new().hash_one(path) })
}

impl Opened {
    /// Identifies a state of the database, for one connection.
    fn look(&self) -> Result<String, Failure> {
        let version: i64 = self.connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        Ok(format!("{:x}-{version}", self.number))
    }

    /// The counter is read first, so that a change in between is read again.
    fn read(&self, table: &str, known: Option<&str>) -> Result<Read, Failure> {
        let look = self.look()?;
        let rows = (known != Some(&look)).then(|| sqlite_rows(&self.connection, table));
        Ok((look, rows))
    }
}

/// The rows of a table, or a view, of flags as JSON, read in the transaction that is open.
///
/// # Errors
/// When there is no such table, or its rows have too many bytes.
pub fn sqlite_rows(connection: &Connection, table: &str) -> Result<Vec<u8>, Failure> {
    let mut query = connection.prepare(&format!("SELECT * FROM \"{}\"", table.replace('"', "\"\"")))?;
    let names: Vec<String> = query.column_names().map(ToOwned::to_owned).collect();
    let booleans = booleans(connection, table)?;
    let (mut rows, mut json) = (query.query([])?, Rows::default());
    while let Some(row) = rows.next()? {
        let cells = names.iter().enumerate().map(|(at, name)| {
            let cell = match cell(row.get_ref(at)?) {
                Cell::Integer(number @ 0..=1) if booleans.contains(name) => Cell::Bool(number == 1),
                cell => cell,
            };
            Ok((name.as_str(), cell))
        });
        json.push(cells.collect::<Result<Vec<_>, rusqlite::Error>>()?);
        if json.bytes() > MAX_SNAPSHOT_BYTES {
            return Err(Failure::new(format!("the rows have over {MAX_SNAPSHOT_BYTES} bytes, expected at most that")));
        }
    }
    Ok(json.into_json())
}

/// The columns that are declared as booleans: SQLite itself has none, and holds 0 and 1.
fn booleans(connection: &Connection, table: &str) -> Result<BTreeSet<String>, rusqlite::Error> {
    let sql = "SELECT name FROM pragma_table_info(?1) WHERE upper(type) IN ('BOOLEAN', 'BOOL')";
    connection.prepare(sql)?.query_map([table], |row| row.get(0))?.collect()
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Number(number),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(_) => Cell::Bytes,
    }
}

impl Source for Sqlite {
    fn name(&self) -> String {
        format!("{}/{}", self.path.display(), self.table)
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        let (table, known) = (self.table.clone(), request.etag.clone().filter(|_| !request.in_full));
        let read = self.with(move |opened| opened.read(&table, known.as_deref())).await;
        self.seen = read.as_ref().ok().map(|(look, _)| look.clone());
        match read {
            Ok((look, Some(Ok(bytes)))) => Ok(Answer::Snapshot { bytes, etag: Some(look) }),
            Ok((_, None)) => Ok(Answer::NotModified),
            Ok((_, Some(Err(failure)))) | Err(failure) => Err(self.failure(&failure)),
        }
    }

    async fn news(&mut self) -> News {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = self.with(Opened::look).await.ok();
            // A file that disappears is news too.
            if now != self.seen {
                self.seen = now;
                return News::Changed;
            }
        }
    }
}
