//! Postgres: the users' own table, read as it stands, and told of changes through `LISTEN`.
//!
//! It knows three ways of reading: with the migration (`migrations/001_esclusa.sql`) by `esclusa.ask`, with the first
//! version of the migration by its revision, without it by a digest of all rows.

mod address;
mod tls;

use std::fmt;
use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::time::{Duration, Instant};

use esclusa::limit::MAX_SNAPSHOT_BYTES;
use esclusa::sync::Request;
use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, SimpleQueryMessage, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use futures_util::future::BoxFuture;

use crate::source::{Answer, Failure, News, Source};
use crate::trust::Check;
use address::Address;

/// The channel that the migration's trigger notifies.
const CHANNEL: &str = "esclusa";

/// Connecting, and each query, may take so long unless the app says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// For so long the server may still answer what was asked on a connection that nobody waits for any more.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where the database does not compare the revision with the rows (a standby), all rows are read so often.
const WHOLE: Duration = Duration::from_secs(3600);

/// What `esclusa.ask` raises when changes are not counted, and when the table is not watched; then what a database says
/// that has lost the migration, or the rights to it. The rows can be read all the same.
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

/// A `feature_flags` table in Postgres.
///
/// One connection is held for asking and for listening; it is made again when it breaks. `LISTEN` needs a connection of
/// its own: a pooler that hands out one connection for each transaction (PgBouncer, Supavisor) tells nothing, and then
/// there is only the asking once an interval. On a standby server there is only that too.
///
/// A table that shows no row at all while row-level security filters for this user counts as a failure: without a policy
/// that lets the user read, Postgres gives no error but an empty table, which would turn every flag off.
pub struct Postgres {
    config: Config,
    check: Check,
    is_explicit: bool,
    identity: Option<tls::Identity>,
    tls: Arc<ClientConfig>,
    schema: Option<String>,
    table: Option<String>,
    password: Option<Password>,
    timeout: Duration,
    connection: Option<Connection>,
}

/// Gives the password each time a connection is made.
type Password = Box<dyn Fn() -> BoxFuture<'static, Result<String, Failure>> + Send + Sync>;

/// The connection string may hold a password, so no more is shown than in the log.
impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("name", &Source::name(self)).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Connection {
    client: Client,
    /// What the task that holds the socket has heard.
    news: mpsc::Receiver<News>,
    /// Whether notifications come. A standby cannot listen until it is promoted.
    is_listening: bool,
    way: Way,
    /// What is read row by row: the table, or the only watch.
    table: String,
    /// When all rows were last read.
    whole: Option<Instant>,
    /// Whether it was said that they are read row by row.
    is_warned: bool,
}

/// How the flags are read.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// By `esclusa.ask`, from the watch of this name.
    Asked(String),
    /// By the revision of the first version of the migration.
    Counted,
    /// All of them, each time.
    ByRows,
}

impl Postgres {
    /// A connection string, `postgres://app@db.example.com/app?sslmode=verify-full` or `host=db.example.com user=app`.
    ///
    /// `sslmode` means what libpq says: without it, and with `prefer`, TLS is used if the server has it; `require` wants
    /// it; neither verifies the server's certificate, which is logged as a warning. `verify-ca` and `verify-full` verify
    /// it, by `sslrootcert` (a file in PEM) or by the roots that the machine trusts.
    ///
    /// # Errors
    /// When the string, or a file that it names, cannot be read; the error tells nothing of a user or a password.
    pub fn new(config: &str) -> Result<Self, Failure> {
        let Address { mut config, check, is_explicit, roots, identity, schema } = Address::parse(config)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("esclusa");
        }
        let tls = tls::config(check, &roots, copy(identity.as_ref()))?;
        Ok(Postgres {
            config,
            check,
            is_explicit,
            identity,
            tls,
            schema,
            table: None,
            password: None,
            timeout: TIMEOUT,
            connection: None,
        })
    }

    /// Asks for the password each time it connects: one that rotates, or a token that expires.
    ///
    /// ```
    /// # fn main() -> Result<(), esclusa_sync::Failure> {
    /// let source = esclusa_sync::Postgres::new("postgres://app@db.example.com/app")?
    ///     .password(|| async { Ok(std::fs::read_to_string("/run/secrets/db")?.trim().to_owned()) });
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn password<F>(mut self, password: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, Failure>> + Send + 'static,
    {
        self.password = Some(Box::new(move || Box::pin(password())));
        self
    }

    /// Reads another table (or view) than `feature_flags`, or than the only one that is watched, as it would be written
    /// in a query: `app."Flags"`.
    #[must_use]
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = Some(table.into());
        self
    }

    /// How long connecting, and each query, may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.config.connect_timeout(timeout);
        self.timeout = timeout;
        self
    }

    /// Trusts these certificates, in PEM, instead of those that the machine trusts, and verifies the server by them, as
    /// `verify-full` does unless the connection string says `verify-ca`. A certificate that has signed itself is trusted
    /// when it is one of them.
    ///
    /// # Errors
    /// When the text holds no certificate.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, Failure> {
        let roots = tls::certificates(pem)?;
        if self.check == Check::Nothing || !self.is_explicit {
            self.check = Check::ChainAndName;
        }
        if self.config.get_ssl_mode() != SslMode::Disable {
            self.config.ssl_mode(SslMode::Require);
        }
        self.tls = tls::config(self.check, &roots, copy(self.identity.as_ref()))?;
        Ok(self)
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let (tell, news) = mpsc::channel(1);
        let mut config = self.config.clone();
        if let Some(password) = &self.password {
            config.password(password().await?);
        }
        let client = if config.get_ssl_mode() == SslMode::Disable {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(hold(connection, tell, Source::name(self)));
            client
        } else {
            let tls = MakeRustlsConnect::new((*self.tls).clone());
            let (client, connection) = config.connect(tls).await?;
            tokio::spawn(hold(connection, tell, Source::name(self)));
            client
        };
        let way = self.way(&client).await?;
        let table = match &way {
            Way::Asked(watch) => watch.clone(),
            _ => self.table_name(),
        };
        Ok(Connection { client, news, is_listening: false, way, table, whole: None, is_warned: false })
    }

    /// Listens, unless that is so already. What cannot be listened to is asked once an interval.
    async fn listen(&self, connection: &mut Connection) -> Result<(), Failure> {
        let is_possible = !connection.is_listening
            && is_true(self.ask(&connection.client, "SELECT NOT pg_catalog.pg_is_in_recovery()").await?.pop());
        if !is_possible {
            return Ok(());
        }
        match connection.client.batch_execute(&format!("LISTEN {CHANNEL}")).await {
            Ok(()) => connection.is_listening = true,
            Err(problem) => tracing::debug!("esclusa: {}: it cannot listen: {problem}", Source::name(self)),
        }
        Ok(())
    }

    fn table_name(&self) -> String {
        match (&self.table, &self.schema) {
            (Some(table), _) => table.clone(),
            (None, Some(schema)) => format!("\"{}\".feature_flags", schema.replace('"', "\"\"")),
            (None, None) => "feature_flags".to_owned(),
        }
    }

    /// The best way that this database offers to this user.
    async fn way(&self, client: &Client) -> Result<Way, Failure> {
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
        let only = match (&self.table, &self.schema) {
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

    /// Reads the snapshot, unless the etag stands for it.
    async fn read(&self, connection: &mut Connection, etag: &str) -> Result<Answer, Failure> {
        if let Way::Asked(watch) = connection.way.clone() {
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
        let is_due = connection.whole.is_none_or(|whole| whole.elapsed() > WHOLE);
        let known = if is_revision && !is_due { etag } else { "NULL" };
        let query =
            format!("SELECT revision, snapshot::text, is_compared FROM esclusa.ask({known}, {})", quoted(watch));
        let mut answer = self.query(&connection.client, &query).await?;
        let is_compared = is_true(answer.pop());
        let snapshot = answer.pop().flatten();
        if is_compared || snapshot.is_some() {
            connection.whole = Some(Instant::now());
        }
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
    async fn ask(&self, client: &Client, query: &str) -> Result<Vec<Option<String>>, Failure> {
        Ok(self.query(client, query).await?)
    }

    async fn query(&self, client: &Client, query: &str) -> Result<Vec<Option<String>>, AskError> {
        // A query that waits for a lock goes on in the server when nobody waits for it any more, and one after another
        // would use up its connections. The limit holds for this query only, also behind a pooler.
        let limit_ms = self.timeout.as_millis().clamp(1, i32::MAX.unsigned_abs().into());
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

/// What stands for an answer is digits and letters; anything else is nobody's.
fn plain(etag: &str) -> &str {
    if etag.bytes().all(|byte| byte.is_ascii_alphanumeric()) { etag } else { "" }
}

/// Text in a query.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What Postgres writes for true.
fn is_true(column: Option<Option<String>>) -> bool {
    column.flatten().as_deref() == Some("t")
}

fn copy(identity: Option<&tls::Identity>) -> Option<tls::Identity> {
    identity.map(|(certificates, key)| (certificates.clone(), key.clone_key()))
}

/// Holds the socket, and tells what comes unasked, until it breaks or nobody listens any more.
async fn hold<T>(mut connection: tokio_postgres::Connection<Socket, T>, tell: mpsc::Sender<News>, name: String)
where
    T: tokio_postgres::tls::TlsStream + Unpin,
{
    loop {
        let message = tokio::select! {
            message = poll_fn(|context| connection.poll_message(context)) => message,
            () = tell.closed() => {
                // It ends when all is answered, which a server that keeps silent never does.
                drop(tokio::time::timeout(FAREWELL, connection).await);
                return;
            }
        };
        match message {
            // One that nobody has picked up yet stands for all that come meanwhile.
            Some(Ok(AsyncMessage::Notification(_))) => drop(tell.try_send(News::Changed)),
            Some(Ok(AsyncMessage::Notice(notice))) if notice.severity() == "WARNING" => {
                tracing::warn!("{name}: {}", notice.message().replace(char::is_control, " "));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                let _ = tell.send(News::CutOff).await;
                return;
            }
        }
    }
}

impl Source for Postgres {
    fn name(&self) -> String {
        let ports = self.config.get_ports();
        let hosts: Vec<String> = self
            .config
            .get_hosts()
            .iter()
            .enumerate()
            .map(|(number, host)| {
                let host = match host {
                    Host::Tcp(host) => host.clone(),
                    #[cfg(unix)]
                    Host::Unix(path) => path.display().to_string(),
                };
                let port = ports.get(number).or(ports.first()).copied().unwrap_or(5432);
                format!("{host}:{port}")
            })
            .collect();
        format!("postgres://{}/{}", hosts.join(","), self.config.get_dbname().unwrap_or_default())
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        let timeout = self.timeout;
        let asked = async {
            // What is cut off from here on, in time or by an error, is not used again.
            let mut connection = match self.connection.take() {
                Some(connection) if !connection.client.is_closed() => connection,
                _ => self.connect().await?,
            };
            // Before anything is read, so that nothing is missed in between.
            self.listen(&mut connection).await?;
            let answer = self.read(&mut connection, request.etag.as_deref().unwrap_or_default()).await?;
            Ok((connection, answer))
        };
        match tokio::time::timeout(timeout, asked).await {
            Ok(Ok((connection, answer))) => {
                self.connection = Some(connection);
                Ok(answer)
            }
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(Failure::new(format!("no answer within {} s", timeout.as_secs_f64()))),
        }
    }

    async fn news(&mut self) -> News {
        let Some(connection) = &mut self.connection else { return pending().await };
        match connection.news.recv().await {
            Some(news) => news,
            None => pending().await,
        }
    }
}
