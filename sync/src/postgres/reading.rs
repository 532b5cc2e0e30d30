//! The queries for a table: the function of the migration, that of an earlier version, or row by row.

use esclusa::limit::MAX_SNAPSHOT_BYTES;
use esclusa::sync::Request;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Connection, Postgres};
use crate::source::{Answer, Failure, Source};

/// What `esclusa.ask` raises when changes are not counted, and when the table is not watched; then what a database says
/// that has lost the migration, or the rights to it. The rows can be read nevertheless.
const NOT_COUNTED: [&str; 5] = ["ES001", "ES003", "42883", "3F000", "42501"];

/// Whether there is `esclusa.ask`, for this user too.
const CAN_ASK: &str = "EXISTS (
    SELECT FROM pg_catalog.pg_proc JOIN pg_catalog.pg_namespace ON pg_namespace.oid = pronamespace
    WHERE nspname = 'esclusa' AND proname = 'ask' AND pg_catalog.has_schema_privilege(pg_namespace.oid, 'USAGE')
      AND pg_catalog.has_function_privilege(pg_proc.oid, 'EXECUTE'))";

/// Whether there is one that this user has not been let in to.
const IS_CLOSED: &str = "EXISTS (SELECT FROM pg_catalog.pg_namespace
    WHERE nspname = 'esclusa' AND NOT pg_catalog.has_schema_privilege(oid, 'USAGE'))";

/// Whether the first version of the migration counts the changes of `feature_flags`. A table that was made anew, or
/// restored by itself, has lost its triggers; one of another schema never had them.
const IS_COUNTED: &str = "EXISTS (
    SELECT FROM pg_class flags, pg_class revision, pg_trigger
    WHERE flags.oid = to_regclass('feature_flags') AND revision.oid = to_regclass('esclusa_revision')
      AND revision.relnamespace = flags.relnamespace AND has_table_privilege(revision.oid, 'SELECT')
      AND tgrelid = flags.oid AND tgname = 'esclusa_tell' AND tgenabled IN ('O', 'A'))";
/// How the flags are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By `esclusa.ask`, from the watch of this name.
    Asked(String),
    /// By the revision of the first version of the migration.
    Counted,
    /// All of them, each time.
    ByRows,
}

impl Postgres {
    /// The best way that this database offers to this user.
    pub(super) async fn way(&self, client: &Client) -> Result<Way, Failure> {
        let mut ways = self.ask(client, &format!("SELECT {CAN_ASK}, {IS_COUNTED}, {IS_CLOSED}, current_user")).await?;
        let user = ways.pop().flatten().unwrap_or_default();
        if is_true(ways.pop()) {
            let name = Source::name(self);
            tracing::warn!("esclusa: {name}: read without the migration: `SELECT esclusa.allow('{user}')` lets it ask");
        }
        // The first version counts the changes of one table.
        let is_counted = is_true(ways.pop()) && self.table_name() == "feature_flags";
        if is_true(ways.pop())
            && let Some(watch) = self.watch(client).await?
        {
            return Ok(Way::Asked(watch));
        }
        Ok(if is_counted { Way::Counted } else { Way::ByRows })
    }

    /// The watch of the table; without a table of that name the only watch, unless the app has named one.
    async fn watch(&self, client: &Client) -> Result<Option<String>, Failure> {
        let table = quoted(&self.table_name());
        let only = match (&self.table, self.schema()) {
            (Some(_), _) | (_, Some(_)) => "",
            _ => "OR (to_regclass('feature_flags') IS NULL AND (SELECT count(*) FROM esclusa.revision) = 1)",
        };
        let query = format!(
            "SELECT (SELECT name FROM esclusa.revision WHERE name = (
                SELECT format('%I.%I', nspname, relname)
                FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
                WHERE pg_class.oid = to_regclass({table})) {only})"
        );
        Ok(self.ask(client, &query).await?.pop().flatten())
    }

    /// Reads the snapshot, unless the entity tag stands for it.
    pub(super) async fn read(&self, connection: &mut Connection, request: &Request) -> Result<Answer, Failure> {
        let etag = request.etag.as_deref().unwrap_or_default();
        if let Way::Asked(watch) = connection.way.clone() {
            // A revision may stay the same while rows change, so now and then it is left out (11.16), unless the database
            // itself compares the two.
            let etag = if request.in_full && !connection.is_compared { "" } else { etag };
            match self.read_watch(connection, &watch, etag).await {
                Err(problem) if is_not_counted(&problem) => {
                    if !std::mem::replace(&mut connection.is_warned, true) {
                        let problem = Failure::from(problem).error;
                        tracing::warn!("esclusa: {}: read row by row: {problem}", Source::name(self));
                    }
                    connection.way = Way::ByRows;
                }
                answer => return Ok(answer?),
            }
        }
        let answer = match connection.way {
            Way::Counted => self.read_counted(connection, etag).await?,
            _ => None,
        };
        match answer {
            Some(answer) => Ok(answer),
            None => self.read_rows(connection, etag).await,
        }
    }

    async fn read_watch(&self, connection: &mut Connection, watch: &str, etag: &str) -> Result<Answer, AskError> {
        let is_revision = !etag.is_empty() && etag.len() <= 18 && etag.bytes().all(|byte| byte.is_ascii_digit());
        let known = if is_revision { etag } else { "NULL" };
        let query =
            format!("SELECT revision, snapshot::text, is_compared FROM esclusa.ask({known}, {})", quoted(watch));
        let mut answer = self.query(&connection.client, &query).await?;
        connection.is_compared = is_true(answer.pop());
        let snapshot = answer.pop().flatten();
        answered(answer.pop().flatten(), snapshot).map_err(AskError::Failure)
    }

    /// None if the first version of the migration no longer counts the changes.
    async fn read_counted(&self, connection: &mut Connection, etag: &str) -> Result<Option<Answer>, Failure> {
        let known = plain(etag);
        let query = format!(
            "SELECT revision::text, CASE WHEN revision::text <> '{known}' THEN esclusa_snapshot()::text END, \
             NOT EXISTS (SELECT FROM feature_flags) AND row_security_active('feature_flags'), {IS_COUNTED}, {CAN_ASK} \
             FROM esclusa_revision"
        );
        let mut answer = self.ask(&connection.client, &query).await?;
        if is_true(answer.pop()) {
            // The migration was run meanwhile; the next answer comes from it.
            connection.way = self.way(&connection.client).await?;
        }
        if !is_true(answer.pop()) {
            connection.way = Way::ByRows;
            return Ok(None);
        }
        refuse_hidden(answer.pop(), "feature_flags")?;
        let snapshot = answer.pop().flatten();
        answered(answer.pop().flatten(), snapshot).map(Some)
    }

    async fn read_rows(&self, connection: &mut Connection, etag: &str) -> Result<Answer, Failure> {
        let (known, table) = (plain(etag), &connection.table);
        let query = format!(
            "SELECT md5(rows), CASE WHEN md5(rows) <> '{known}' THEN rows END, \
             CASE WHEN rows = '[]' THEN row_security_active(to_regclass({})) END, {IS_COUNTED} OR {CAN_ASK} \
             FROM (SELECT coalesce(json_agg(f ORDER BY f::text), '[]')::text AS rows FROM {table} f) AS whole",
            quoted(table)
        );
        let mut answer = self.ask(&connection.client, &query).await?;
        if is_true(answer.pop()) {
            connection.way = self.way(&connection.client).await?;
        }
        refuse_hidden(answer.pop(), &connection.table)?;
        let snapshot = answer.pop().flatten();
        answered(answer.pop().flatten(), snapshot)
    }

    /// The columns of the first row, as text.
    pub(super) async fn ask(&self, client: &Client, query: &str) -> Result<Vec<Option<String>>, Failure> {
        Ok(self.query(client, query).await?)
    }

    async fn query(&self, client: &Client, query: &str) -> Result<Vec<Option<String>>, AskError> {
        // Without a limit a query that waits for a lock goes on in the server after this side has given up, and repeated
        // ones would use up its connections. The limit holds for this query only, also with a pooler.
        let limit_ms = self.time_limit().as_millis().clamp(1, i32::MAX.unsigned_abs().into());
        for message in client.simple_query(&format!("SET LOCAL statement_timeout = {limit_ms}; {query}")).await? {
            if let SimpleQueryMessage::Row(row) = message {
                return Ok((0..row.len()).map(|at| row.get(at).map(ToOwned::to_owned)).collect());
            }
        }
        Err(AskError::Failure(Failure::new("the query gave no row, expected one")))
    }
}

fn refuse_hidden(is_hidden: Option<Option<String>>, table: &str) -> Result<(), Failure> {
    if !is_true(is_hidden) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{table}` shows no row while row-level security is active, expected a policy that lets this user read"
    )))
}

/// Why a query gives no answer; what Postgres says of it may mean another way of reading.
enum AskError {
    Postgres(tokio_postgres::Error),
    Failure(Failure),
}

impl From<tokio_postgres::Error> for AskError {
    fn from(error: tokio_postgres::Error) -> Self {
        AskError::Postgres(error)
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Postgres(error) => error.into(),
            AskError::Failure(failure) => failure,
        }
    }
}

fn is_not_counted(error: &AskError) -> bool {
    let AskError::Postgres(error) = error else { return false };
    error.code().is_some_and(|code| NOT_COUNTED.contains(&code.code()))
}

fn answered(etag: Option<String>, snapshot: Option<String>) -> Result<Answer, Failure> {
    let Some(text) = snapshot else { return Ok(Answer::NotModified) };
    if text.len() > MAX_SNAPSHOT_BYTES {
        let bytes = text.len();
        return Err(Failure::new(format!("the snapshot has {bytes} bytes, expected at most {MAX_SNAPSHOT_BYTES}")));
    }
    Ok(Answer::Snapshot { bytes: text.into_bytes(), etag })
}

/// An entity tag of this source has only digits and letters; any other tag is not used.
fn plain(etag: &str) -> &str {
    if etag.bytes().all(|byte| byte.is_ascii_alphanumeric()) { etag } else { "" }
}

/// Text in a query.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What Postgres writes for true.
pub(super) fn is_true(column: Option<Option<String>>) -> bool {
    column.flatten().as_deref() == Some("t")
}
