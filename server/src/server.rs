//! The server: from a source of flags to answers over HTTP, until it is told to stop.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use esclusa_sync::{Source, Status};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::accounts::Accounts;
use crate::role::Role;
use crate::routes::routes;
use crate::settings::{Settings, SettingsError};
use crate::shared::Shared;
use crate::store::Store;
use crate::tap::lock;
use crate::token::{self, Kind, TokenError};
use crate::usage::Peer;

/// How long a client may take to say what it wants.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// How long answers may take that have begun when the server is told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// What a full table of open files needs to get room again.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Flags of a source, and who may ask for them.
///
/// ```
/// use esclusa_server::{Kind, Secret, Server, Settings};
/// use esclusa_sync::Bundled;
/// use tokio::net::TcpListener;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new(Kind::Server)?;
/// let settings = Settings { tokens: vec![secret.token()], ..Settings::default() };
/// let flags = Bundled::new(r#"[{"name": "crm", "enabled": true}]"#);
/// let server = Server::start(flags, &settings)?;
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// server.run(listener, async {}).await;                       // until the future ends, here at once
/// # Ok(())
/// # }
/// ```
pub struct Server {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Server {
    /// Begins to ask the source.
    ///
    /// # Errors
    /// When the settings have no meaning.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    pub fn start(source: impl Source, settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Server { shared: Shared::start(source, None, Accounts::new(None), settings.check()?) })
    }

    /// The same, with a store that flags are written to: that from which the source reads.
    ///
    /// # Errors
    /// When the settings have no meaning.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    pub fn start_writing(source: impl Source, store: Store, settings: &Settings) -> Result<Self, SettingsError> {
        let checked = settings.check()?;
        if checked.usage.raw_rows && !store.takes_rows() {
            return Err(SettingsError("`usage.raw_rows` is true, expected a table in Postgres".to_owned()));
        }
        let accounts = Accounts::new(Some(store.clone()));
        accounts.read_now(&checked.tokens).map_err(|problem| SettingsError(problem.detail().to_owned()))?;
        Ok(Server { shared: Shared::start(source, Some(store), accounts, checked) })
    }

    /// The path of the page that gives the first admin, an account or a token, if there is none and the store is a file. Each
    /// call makes the path before useless, and so does its use.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn setup_path(&self) -> Result<Option<String>, TokenError> {
        let keeps = self.shared.store.as_ref().is_some_and(Store::is_file);
        let has_admin = self.shared.accounts.book().accounts().iter().any(|account| account.role == Role::Admin);
        if !keeps || has_admin || self.shared.tokens.has(Kind::Admin) {
            return Ok(None);
        }
        let (text, kept) = token::code()?;
        *lock(&self.shared.setup) = Some(kept);
        Ok(Some(format!("{}/setup?code={text}", self.shared.prefix)))
    }

    /// How things stand with the source.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.syncing.status()
    }

    /// Waits until something is published, and says whether it was in time.
    pub async fn available(&self, within: Duration) -> bool {
        let mut current = self.shared.current.subscribe();
        let published = current.wait_for(Option::is_some);
        timeout(within, published).await.is_ok_and(|waited| waited.is_ok())
    }

    /// Answers until `stop` ends; then it ends the streams, and gives answers that have begun ten seconds.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let service = TowerToHyperService::new(routes(&self.shared));
        let graceful = GracefulShutdown::new();
        let mut stop = pin!(stop);
        loop {
            let (stream, peer) = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        refused(&error).await;
                        continue;
                    }
                },
                () = &mut stop => break,
            };
            // Without it small answers wait for each other.
            let _ = stream.set_nodelay(true);
            let service = service.clone();
            let service = service_fn(move |mut request: hyper::Request<Incoming>| {
                request.extensions_mut().insert(Peer(peer.ip()));
                service.call(request)
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS_WITHIN)
                .serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!("a connection ended: {error}");
                }
            });
        }
        drop(listener);
        self.shared.closing.send_replace(true);
        if timeout(STOP_WITHIN, graceful.shutdown()).await.is_err() {
            tracing::warn!("some answers were not finished within {} s", STOP_WITHIN.as_secs());
        }
    }
}

/// A connection that broke off before it was taken says nothing about the next one; anything else is waited out.
async fn refused(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!("no connection can be taken: {error}");
        sleep(ACCEPT_AGAIN).await;
    }
}
