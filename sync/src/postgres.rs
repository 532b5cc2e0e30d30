//! Postgres: the users' own table, read as it stands, and told of changes through `LISTEN`.
//!
//! It knows two ways of reading: with the migration (`migrations/001_esclusa.sql`) by revision, without it by a digest
//! of all rows.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::time::Duration;

use esclusa::limit::MAX_SNAPSHOT_BYTES;
use esclusa::sync::Request;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::mpsc;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, SimpleQueryMessage, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::source::{Answer, Failure, News, Source};

/// The channel that the migration's trigger notifies.
const CHANNEL: &str = "esclusa";

/// Connecting, and each query, may take so long unless the app says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// For so long the server may still answer what was asked on a connection that nobody waits for any more.
const FAREWELL: Duration = Duration::from_secs(1);

/// Whether the revision rises with every change of the table. A table that was made anew, or restored by itself, has
/// lost its triggers; one of another schema never had them.
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
#[derive(Debug)]
pub struct Postgres {
    config: Config,
    tls: Arc<ClientConfig>,
    table: String,
    timeout: Duration,
    connection: Option<Connection>,
}

#[derive(Debug)]
struct Connection {
    client: Client,
    /// What the task that holds the socket has heard.
    news: mpsc::Receiver<News>,
    /// Whether the migration is there, and works on this table.
    is_counted: bool,
}

impl Postgres {
    /// A connection string, `postgres://app@db.example.com/app?sslmode=require` or `host=db.example.com user=app`.
    ///
    /// With `sslmode=require` the server's certificate is always verified, by the roots that the machine trusts.
    ///
    /// # Errors
    /// When the string cannot be read; the error tells nothing of what it holds.
    pub fn new(config: &str) -> Result<Self, Failure> {
        let mut config: Config = config.parse()?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("esclusa");
        }
        let tls = tls(|builder| {
            use rustls_platform_verifier::BuilderVerifierExt;
            Ok(builder.with_platform_verifier()?.with_no_client_auth())
        })?;
        Ok(Postgres { config, tls, table: "feature_flags".to_owned(), timeout: TIMEOUT, connection: None })
    }

    /// Reads another table (or view) than `feature_flags`, as it would be written in a query: `app."Flags"`. It is read
    /// row by row, without the migration.
    #[must_use]
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = table.into();
        self
    }

    /// How long connecting, and each query, may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.config.connect_timeout(timeout);
        self.timeout = timeout;
        self
    }

    /// Trusts these certificates, in PEM, instead of those that the machine trusts: many hosted databases have a
    /// certificate authority of their own.
    ///
    /// # Errors
    /// When the text holds no certificate.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, Failure> {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(|problem| Failure::new(format!("no certificate in PEM: {problem}")))?)?;
        }
        if roots.is_empty() {
            return Err(Failure::new("there is no certificate, expected one in PEM"));
        }
        self.tls = tls(|builder| Ok(builder.with_root_certificates(roots).with_no_client_auth()))?;
        Ok(self)
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let (tell, news) = mpsc::channel(1);
        let client = if self.config.get_ssl_mode() == SslMode::Disable {
            let (client, connection) = self.config.connect(NoTls).await?;
            tokio::spawn(hold(connection, tell));
            client
        } else {
            let tls = MakeRustlsConnect::new((*self.tls).clone());
            let (client, connection) = self.config.connect(tls).await?;
            tokio::spawn(hold(connection, tell));
            client
        };
        // Before anything is read, so that nothing is missed in between.
        if let Err(problem) = client.batch_execute(&format!("LISTEN {CHANNEL}")).await {
            tracing::debug!("esclusa: {}: it cannot tell of changes: {problem}", Source::name(self));
        }
        let is_counted =
            self.may_be_counted() && is_true(self.ask(&client, &format!("SELECT {IS_COUNTED}")).await?.pop());
        Ok(Connection { client, news, is_counted })
    }

    /// The migration counts the changes of one table.
    fn may_be_counted(&self) -> bool {
        self.table == "feature_flags"
    }

    /// Reads the snapshot, unless the etag stands for it.
    async fn read(&self, connection: &mut Connection, etag: &str) -> Result<Answer, Failure> {
        // What stands for an answer is digits and letters; anything else is nobody's.
        let known = if etag.bytes().all(|byte| byte.is_ascii_alphanumeric()) { etag } else { "" };
        let table = &self.table;
        let counted = format!(
            "SELECT revision::text, CASE WHEN revision::text <> '{known}' THEN esclusa_snapshot()::text END, \
             NOT EXISTS (SELECT FROM feature_flags) AND row_security_active('feature_flags'), {IS_COUNTED} \
             FROM esclusa_revision"
        );
        let by_rows = format!(
            "SELECT md5(rows), CASE WHEN md5(rows) <> '{known}' THEN rows END, \
             CASE WHEN rows = '[]' THEN row_security_active(to_regclass('{}')) END, {IS_COUNTED} \
             FROM (SELECT coalesce(json_agg(f ORDER BY f::text), '[]')::text AS rows FROM {table} f) AS whole",
            table.replace('\'', "''")
        );
        let mut answer = self.ask(&connection.client, if connection.is_counted { &counted } else { &by_rows }).await?;
        let is_counted = is_true(answer.pop()) && self.may_be_counted();
        if std::mem::replace(&mut connection.is_counted, is_counted) && !is_counted {
            answer = self.ask(&connection.client, &by_rows).await?;
            answer.pop();
        }
        if is_true(answer.pop()) {
            return Err(Failure::new(format!(
                "`{table}` shows no row while row-level security is active, expected a policy that lets this user read"
            )));
        }
        let Some(text) = answer.pop().flatten() else { return Ok(Answer::NotModified) };
        if text.len() > MAX_SNAPSHOT_BYTES {
            let bytes = text.len();
            return Err(Failure::new(format!("the snapshot has {bytes} bytes, expected at most {MAX_SNAPSHOT_BYTES}")));
        }
        Ok(Answer::Snapshot { bytes: text.into_bytes(), etag: answer.pop().flatten() })
    }

    /// The columns of the first row, as text.
    async fn ask(&self, client: &Client, query: &str) -> Result<Vec<Option<String>>, Failure> {
        // A query that waits for a lock goes on in the server when nobody waits for it any more, and one after another
        // would use up its connections. The limit holds for this query only, also behind a pooler.
        let limit_ms = self.timeout.as_millis().clamp(1, i32::MAX.unsigned_abs().into());
        for message in client.simple_query(&format!("SET LOCAL statement_timeout = {limit_ms}; {query}")).await? {
            if let SimpleQueryMessage::Row(row) = message {
                return Ok((0..row.len()).map(|at| row.get(at).map(ToOwned::to_owned)).collect());
            }
        }
        Err(Failure::new("the query gave no row, expected one"))
    }
}

/// What Postgres writes for true.
fn is_true(column: Option<Option<String>>) -> bool {
    column.flatten().as_deref() == Some("t")
}

fn tls(
    roots: impl FnOnce(rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>) -> Result<ClientConfig, rustls::Error>,
) -> Result<Arc<ClientConfig>, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(roots(builder)?))
}

/// Holds the socket, and tells what comes unasked, until it breaks or nobody listens any more.
async fn hold<T>(mut connection: tokio_postgres::Connection<Socket, T>, tell: mpsc::Sender<News>)
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
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "localhost".to_owned(),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        format!("postgres://{host}:{port}/{}", self.config.get_dbname().unwrap_or_default())
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        let timeout = self.timeout;
        let asked = async {
            // What is cut off from here on, in time or by an error, is not used again.
            let mut connection = match self.connection.take() {
                Some(connection) if !connection.client.is_closed() => connection,
                _ => self.connect().await?,
            };
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
