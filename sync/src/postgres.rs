//! Postgres: the users' own table, read as it is, with notifications through `LISTEN`.
//!
//! There are three ways of reading: with the migration (`migrations/001_esclusa.sql`) by `esclusa.ask`, with the first
//! version of the migration by its revision, without it by a digest of all rows.

mod address;
mod people;
mod reading;
mod tls;
#[cfg(feature = "guard")]
mod trips;
mod watch;

use std::fmt;
use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::time::Duration;

use esclusa::sync::Request;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use tokio::sync::mpsc;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::DbError;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::certificates::certificates;
use crate::source::{Answer, Failure, News, Source};
use crate::supplied::{Supplier, TIMEOUT, supplier};
use crate::trust::Check;
use address::Address;
use reading::{Way, is_true};
pub use watch::{Column, Recorded, Watch, WatchError, sign};

/// The migration, which can be run repeatedly: revisions, notifications, a history and an emergency rollback for tables
/// of flags.
pub const MIGRATION: &str = include_str!("../migrations/001_esclusa.sql");

/// The columns `guard` and `guard_state`, with the functions that change them: `SELECT esclusa.guard('public.feature_flags')`
/// adds the columns to a table that is watched, `SELECT esclusa.allow_guard('app')` lets an app's user trip its guards.
/// It comes after [`MIGRATION`], and can be run repeatedly.
pub const GUARD_MIGRATION: &str = include_str!("../migrations/002_guard.sql");

/// The channel that the migration's trigger notifies.
const CHANNEL: &str = "esclusa";

/// How long an abandoned connection may still answer its last query.
const FAREWELL: Duration = Duration::from_secs(1);

/// A `feature_flags` table in Postgres.
///
/// One connection serves queries and `LISTEN`; after an error there is a new one. `LISTEN` needs a connection of its
/// own: a pooler that assigns a connection for each transaction (PgBouncer, Supavisor) delivers no notifications, so
/// the table is polled once per interval. On a standby server it is polled too.
///
/// A table that shows no row while row-level security filters for this user counts as a failure: without a policy that
/// lets the user read, Postgres gives no error but an empty table, which would turn every flag off.
pub struct Postgres {
    address: Supplier,
    /// The server of the last address.
    server: Option<Server>,
    roots: Vec<CertificateDer<'static>>,
    table: Option<String>,
    password: Option<Supplier>,
    timeout: Option<Duration>,
    connection: Option<Connection>,
    /// How rows that come with their mapping are read.
    #[cfg(feature = "mapping")]
    stored: Arc<esclusa_formats::Stored>,
}

/// Where and how to connect.
struct Server {
    address: String,
    config: Config,
    tls: Arc<ClientConfig>,
    schema: Option<String>,
}

impl Server {
    /// These certificates replace those that the address names, and imply verification.
    fn parse(address: &str, given: &[CertificateDer<'static>]) -> Result<Self, Failure> {
        let Address { mut config, mut check, is_explicit, mut roots, identity, schema } = Address::parse(address)?;
        if config.get_application_name().is_none() {
            config.application_name("esclusa");
        }
        if !given.is_empty() {
            given.clone_into(&mut roots);
            if check == Check::Nothing || !is_explicit {
                check = Check::ChainAndName;
            }
            if config.get_ssl_mode() != SslMode::Disable {
                config.ssl_mode(SslMode::Require);
            }
        }
        Ok(Server { address: address.to_owned(), config, tls: tls::config(check, &roots, identity)?, schema })
    }
}

/// The connection string may have a password, so `Debug` and the log show only the name.
impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("name", &Source::name(self)).finish_non_exhaustive()
    }
}

/// Called with each notice of the server.
type Said = Box<dyn FnMut(&DbError) + Send>;

/// A connection from [`Postgres::open`]; dropping it closes it.
#[derive(Debug)]
pub struct Opened {
    client: Client,
    /// Dropping this ends the task that holds the socket.
    _news: mpsc::Receiver<News>,
}

impl std::ops::Deref for Opened {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl std::ops::DerefMut for Opened {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

#[derive(Debug)]
struct Connection {
    client: Client,
    /// The notifications that the task with the socket has received.
    news: mpsc::Receiver<News>,
    /// Whether there are notifications. A standby cannot listen until it is promoted.
    is_listening: bool,
    way: Way,
    /// The relation that is read row by row: the table, or the only watched one.
    table: String,
    /// Whether the database compares the revision with the rows; a standby cannot.
    is_compared: bool,
    /// Whether the log says that rows are read one by one.
    is_warned: bool,
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
        let server = Server::parse(config, &[])?;
        let config = config.to_owned();
        let source = Postgres::from_address(move || std::future::ready(Ok(config.clone())));
        Ok(Postgres { server: Some(server), ..source })
    }

    /// Asks for the connection string each time it connects: one with a host or a token that changes.
    ///
    /// ```
    /// let source = esclusa_sync::Postgres::from_address(|| async { Ok(std::fs::read_to_string("/run/secrets/db")?) });
    /// ```
    #[must_use]
    pub fn from_address<F>(address: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, Failure>> + Send + 'static,
    {
        Postgres {
            address: supplier(address),
            server: None,
            roots: Vec::new(),
            table: None,
            password: None,
            timeout: None,
            connection: None,
            #[cfg(feature = "mapping")]
            stored: Arc::default(),
        }
    }

    /// Gives parameters to the mapping that `esclusa.watch` keeps with the table. A mapping of the app's own takes its
    /// place (`source.mapped`).
    ///
    /// ```
    /// use esclusa_formats::Parameters;
    /// # fn main() -> Result<(), esclusa_sync::Failure> {
    /// let source = esclusa_sync::Postgres::new("postgres://app@db.example.com/app")?
    ///     .parameters(Parameters::default().with("environment", "production")?);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "mapping")]
    #[must_use]
    pub fn parameters(mut self, parameters: esclusa_formats::Parameters) -> Self {
        self.stored = Arc::new(esclusa_formats::Stored::new(parameters));
        self
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
        self.password = Some(supplier(password));
        self
    }

    /// Reads another table (or view) than `feature_flags`, or than the only watched one, written as in a query:
    /// `app."Flags"`.
    #[must_use]
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = Some(table.into());
        self
    }

    /// Time limit of connecting, and of each query.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Trusts these certificates, in PEM, instead of those that the machine trusts, and verifies the server by them, as
    /// `verify-full` does unless the connection string says `verify-ca`. A certificate that has signed itself is trusted
    /// when it is one of them.
    ///
    /// # Errors
    /// When the text holds no certificate.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, Failure> {
        self.roots = certificates(pem)?;
        tls::config(Check::ChainAndName, &self.roots, None)?;
        if let Some(server) = &self.server {
            self.server = Some(Server::parse(&server.address, &self.roots)?);
        }
        Ok(self)
    }

    /// A new connection for other queries, with the address, TLS and password of this source. `said` is called with
    /// each notice of the server.
    ///
    /// # Errors
    /// When there is no connection.
    pub async fn open(&mut self, said: impl FnMut(&DbError) + Send + 'static) -> Result<Opened, Failure> {
        let (tell, news) = mpsc::channel(1);
        Ok(Opened { client: self.connect_with(tell, Box::new(said)).await?, _news: news })
    }

    async fn connect(&mut self) -> Result<Connection, Failure> {
        let (tell, news) = mpsc::channel(1);
        let name = Source::name(self);
        let said = Box::new(move |notice: &DbError| {
            if notice.severity() == "WARNING" {
                tracing::warn!("{name}: {}", notice.message().replace(char::is_control, " "));
            }
        });
        let client = self.connect_with(tell, said).await?;
        let way = self.way(&client).await?;
        let table = match &way {
            Way::Asked(watch) => watch.clone(),
            _ => self.table_name(),
        };
        Ok(Connection { client, news, is_listening: false, way, table, is_compared: false, is_warned: false })
    }

    async fn connect_with(&mut self, tell: mpsc::Sender<News>, said: Said) -> Result<Client, Failure> {
        let address = (self.address)().await?;
        let server = match self.server.take() {
            // One warning for an unverified server, not one for each connection.
            Some(server) if server.address == address => server,
            _ => Server::parse(&address, &self.roots)?,
        };
        let server = self.server.insert(server);
        let (mut config, tls) = (server.config.clone(), (*server.tls).clone());
        if self.timeout.is_some() || config.get_connect_timeout().is_none() {
            config.connect_timeout(self.time_limit());
        }
        if let Some(password) = &self.password {
            config.password(password().await?);
        }
        if config.get_ssl_mode() == SslMode::Disable {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(hold(connection, tell, said));
            Ok(client)
        } else {
            let (client, connection) = config.connect(MakeRustlsConnect::new(tls)).await?;
            tokio::spawn(hold(connection, tell, said));
            Ok(client)
        }
    }

    /// Listens, unless it already does. A server without `LISTEN` is polled once per interval.
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

    /// Time limit of one answer.
    fn time_limit(&self) -> Duration {
        self.timeout.unwrap_or(TIMEOUT)
    }

    fn schema(&self) -> Option<&str> {
        self.server.as_ref()?.schema.as_deref()
    }

    fn table_name(&self) -> String {
        match (&self.table, self.schema()) {
            (Some(table), _) => table.clone(),
            (None, Some(schema)) => format!("\"{}\".feature_flags", schema.replace('"', "\"\"")),
            (None, None) => "feature_flags".to_owned(),
        }
    }
}

/// Holds the socket and passes on notifications, until it breaks or the receiver is dropped.
async fn hold<T>(mut connection: tokio_postgres::Connection<Socket, T>, tell: mpsc::Sender<News>, mut said: Said)
where
    T: tokio_postgres::tls::TlsStream + Unpin,
{
    loop {
        let message = tokio::select! {
            message = poll_fn(|context| connection.poll_message(context)) => message,
            () = tell.closed() => {
                // It ends when all queries are answered, which a silent server never does.
                drop(tokio::time::timeout(FAREWELL, connection).await);
                return;
            }
        };
        match message {
            // A notification that is still in the channel also covers later ones.
            Some(Ok(AsyncMessage::Notification(_))) => drop(tell.try_send(News::Changed)),
            Some(Ok(AsyncMessage::Notice(notice))) => said(&notice),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                let _ = tell.send(News::Disconnected).await;
                return;
            }
        }
    }
}

impl Source for Postgres {
    fn name(&self) -> String {
        let Some(Server { config, .. }) = &self.server else { return "postgres".to_owned() };
        let ports = config.get_ports();
        let hosts: Vec<String> = config
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
        format!("postgres://{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        let timeout = self.time_limit();
        let asked = async {
            // A connection that is interrupted from here on, by time or by an error, is not used again.
            let mut connection = match self.connection.take() {
                Some(connection) if !connection.client.is_closed() => connection,
                _ => self.connect().await?,
            };
            // Before any read, so that no change in between is missed.
            self.listen(&mut connection).await?;
            let answer = self.read(&mut connection, request).await?;
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

    #[cfg(feature = "mapping")]
    fn translation(&self) -> Option<Arc<dyn crate::source::Translation>> {
        Some(self.stored.clone())
    }

    async fn news(&mut self) -> News {
        let Some(connection) = &mut self.connection else { return pending().await };
        match connection.news.recv().await {
            Some(news) => news,
            None => pending().await,
        }
    }
}
