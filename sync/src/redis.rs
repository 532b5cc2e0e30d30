//! Redis or Valkey: a key that holds the snapshot, and a channel that tells of changes.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use esclusa::hash;
use esclusa::sync::Request;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, PushInfo,
    PushKind, RedisResult, TlsCertificates, pipe,
};
use tokio::sync::mpsc::{self, error::TryRecvError};

use crate::source::{Answer, Failure, News, Source};

/// Connecting, and each command, may take so long unless the app says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A snapshot under a key of Redis 6 or later, or Valkey.
///
/// Whoever writes it sets the key and publishes anything on the channel, as [`Redis::put`] does. If there is a key of
/// the same name with `:etag` behind it, that is compared before the snapshot is read; it must be set together with the
/// snapshot.
pub struct Redis {
    client: Client,
    key: String,
    channel: String,
    timeout: Duration,
    connection: Option<Connection>,
}

struct Connection {
    commands: MultiplexedConnection,
    /// What came unasked on the same connection.
    news: mpsc::Receiver<News>,
    /// It is known here also when the news of it was told, or had no room.
    is_cut_off: Arc<AtomicBool>,
}

/// The address may hold a password, so no more is shown than in the log.
impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("name", &Source::name(self)).finish_non_exhaustive()
    }
}

impl Redis {
    /// `redis://…` or, with TLS by the roots that the machine trusts, `rediss://…`; the key is `esclusa:flags` and the
    /// channel of the same name unless the app says otherwise.
    ///
    /// # Errors
    /// When the address cannot be read; the error tells nothing of what it holds.
    pub fn new(url: &str) -> Result<Self, Failure> {
        let key = "esclusa:flags".to_owned();
        let client = Client::open(with_pushes(url)?)?;
        Ok(Redis { client, channel: key.clone(), key, timeout: TIMEOUT, connection: None })
    }

    /// Reads this key, and listens on the channel of the same name.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self.channel.clone_from(&self.key);
        self
    }

    /// Listens on another channel.
    #[must_use]
    pub fn channel(mut self, channel: impl Into<String>) -> Self {
        self.channel = channel.into();
        self
    }

    /// How long connecting, and each command, may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trusts these certificates, in PEM, instead of those that the machine trusts.
    ///
    /// # Errors
    /// When the text holds no certificate.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, Failure> {
        let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem.to_owned()) };
        self.client = Client::build_with_tls(self.client.get_connection_info().clone(), certificates)?;
        Ok(self)
    }

    /// Replaces the snapshot and tells everybody who listens. It is for whoever writes the flags, or copies them from
    /// another store; what is no snapshot is refused by those who read it, not here.
    ///
    /// # Errors
    /// When Redis does not take it.
    pub async fn put(&mut self, snapshot: &[u8]) -> Result<(), Failure> {
        // A connection that was kept may have been cut off a moment ago. What is put twice is as if it was put once.
        let kept = self.connection.is_some();
        match self.put_once(snapshot).await {
            Err(_) if kept => self.put_once(snapshot).await,
            done => done,
        }
    }

    async fn put_once(&mut self, snapshot: &[u8]) -> Result<(), Failure> {
        let text = String::from_utf8_lossy(snapshot);
        let etag = format!("{:016x}{:08x}", hash(&text), snapshot.len());
        let mut connection = self.take_connection().await?;
        let mut together = pipe();
        together.atomic().set(&self.key, snapshot).ignore().set(self.etag_key(), &etag).ignore();
        together.publish(&self.channel, &etag).ignore();
        let () = together.query_async(&mut connection.commands).await?;
        self.connection = Some(connection);
        Ok(())
    }

    fn etag_key(&self) -> String {
        format!("{}:etag", self.key)
    }

    /// The connection, which whoever took it puts back when it has proved good.
    async fn take_connection(&mut self) -> Result<Connection, Failure> {
        if let Some(mut connection) = self.connection.take()
            && matches!(connection.news.try_recv(), Ok(News::Changed) | Err(TryRecvError::Empty))
            && !connection.is_cut_off.load(Ordering::Relaxed)
        {
            return Ok(connection);
        }
        let (tell, news) = mpsc::channel(1);
        let is_cut_off = Arc::<AtomicBool>::default();
        let cut_off = Arc::clone(&is_cut_off);
        let hear = move |push: PushInfo| {
            let heard = match push.kind {
                PushKind::Message => News::Changed,
                PushKind::Disconnection => {
                    cut_off.store(true, Ordering::Relaxed);
                    News::CutOff
                }
                _ => return Ok::<(), redis::aio::SendError>(()),
            };
            // One that nobody has picked up yet stands for all that come meanwhile.
            let _ = tell.try_send(heard);
            Ok(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout))
            .set_push_sender(hear);
        let mut commands = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        // Before anything is read, so that nothing is missed in between.
        commands.subscribe(&self.channel).await?;
        Ok(Connection { commands, news, is_cut_off })
    }

    /// None if there is no snapshot.
    async fn read(&self, commands: &mut MultiplexedConnection, known: Option<&str>) -> RedisResult<Option<Answer>> {
        let etag_key = self.etag_key();
        let etag: Option<String> = redis::cmd("GET").arg(&etag_key).query_async(commands).await?;
        if etag.is_some() && etag.as_deref() == known {
            return Ok(Some(Answer::NotModified));
        }
        let (bytes, etag): (Option<Vec<u8>>, Option<String>) =
            redis::cmd("MGET").arg(&self.key).arg(etag_key).query_async(commands).await?;
        Ok(bytes.map(|bytes| Answer::Snapshot { bytes, etag }))
    }
}

/// What is published comes on the connection that asks, which takes the third version of the protocol.
fn with_pushes(url: &str) -> Result<ConnectionInfo, Failure> {
    let info = url.into_connection_info()?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        // An app that has chosen its cryptography keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(settings))
}

impl Source for Redis {
    fn name(&self) -> String {
        let info = self.client.get_connection_info();
        format!("redis://{}/{} {}", info.addr(), info.redis_settings().db(), self.key)
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        let mut connection = self.take_connection().await?;
        let answer = self.read(&mut connection.commands, request.etag.as_deref()).await?;
        self.connection = Some(connection);
        answer.ok_or_else(|| Failure::new(format!("there is no key `{}`, expected a snapshot under it", self.key)))
    }

    async fn news(&mut self) -> News {
        let Some(connection) = &mut self.connection else { return pending().await };
        match connection.news.recv().await {
            Some(news) => news,
            None => pending().await,
        }
    }
}
