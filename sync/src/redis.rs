//! Redis or Valkey: a key with the snapshot, and a channel for notifications.

mod cluster;
#[cfg(feature = "guard")]
mod trips;

use std::fmt;
use std::future::pending;
use std::time::{Duration, Instant};

use esclusa::hash;
use esclusa::sync::Request;
use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSubSink};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisError,
    RedisResult, TlsCertificates, pipe,
};
use tokio::sync::mpsc;

use crate::certificates::{certificates, provider};
use crate::source::{Answer, Failure, News, Source};
use crate::supplied::{Supplier, TIMEOUT, supplier};
use cluster::{is_apart, moved};

/// How long a user waits after a refusal before subscribing again.
const REFUSED: Duration = Duration::from_secs(60);

/// Number of bytes at the start and at the end of a snapshot that are compared besides its tag.
const ENDS: usize = 1024;

/// A snapshot under a key of Redis 6 or later, or Valkey.
///
/// A writer sets the key and publishes anything on the channel, as [`Redis::put`] does. If there is a key of the same name
/// with `:etag` after it, that is compared before the snapshot is read; it should be set together with
/// the snapshot. An outdated tag is detected by the snapshot's length and ends, else within ten minutes (11.16).
///
/// A user who may not subscribe is asked for changes once an interval.
///
/// In a cluster any node may be named: the one that has the key is found. Both keys have to be in one slot:
/// `Redis::key("{esclusa}:flags")`.
pub struct Redis {
    address: Supplier,
    /// The server of the last address.
    info: Option<ConnectionInfo>,
    /// The node of a cluster that has the key, if it is another one.
    moved: Option<ConnectionAddr>,
    tls: Option<TlsCertificates>,
    key: String,
    channel: String,
    password: Option<Supplier>,
    timeout: Duration,
    commands: Option<MultiplexedConnection>,
    listening: Listening,
}

/// Notifications have a connection of their own: the server closes a subscribed connection with more than 32 MB of
/// output.
enum Listening {
    No,
    Yes(Box<PubSubSink>, mpsc::Receiver<News>),
    /// The server refused the subscription at this time.
    Refused(Instant),
}

/// The address may have a password, so `Debug` and the log show only the name.
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
        let (url, info) = (url.to_owned(), info(url)?);
        let source = Redis::from_address(move || std::future::ready(Ok(url.clone())));
        Ok(Redis { info: Some(info), ..source })
    }

    /// Asks for the address each time it connects: one with a host or a token that changes.
    ///
    /// ```
    /// let source = esclusa_sync::Redis::from_address(|| async { Ok(std::fs::read_to_string("/run/secrets/redis")?) });
    /// ```
    #[must_use]
    pub fn from_address<F>(address: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, Failure>> + Send + 'static,
    {
        let key = "esclusa:flags".to_owned();
        Redis {
            address: supplier(address),
            info: None,
            moved: None,
            tls: None,
            channel: key.clone(),
            key,
            password: None,
            timeout: TIMEOUT,
            commands: None,
            listening: Listening::No,
        }
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

    /// Time limit of connecting, and of each command.
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
        certificates(pem)?;
        self.tls = Some(TlsCertificates { client_tls: None, root_cert: Some(pem.to_owned()) });
        Ok(self)
    }

    /// Asks for the password each time it connects: one that rotates, or a token that expires.
    #[must_use]
    pub fn password<F>(mut self, password: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, Failure>> + Send + 'static,
    {
        self.password = Some(supplier(password));
        self
    }

    /// Replaces the snapshot and notifies all readers. It is for programs that write the flags, or copy them from another
    /// store; readers refuse what is not a snapshot.
    ///
    /// # Errors
    /// When Redis does not take it.
    pub async fn put(&mut self, snapshot: &[u8]) -> Result<(), Failure> {
        // A kept connection may have broken a moment ago. Writing twice has the same result as writing once.
        let is_kept = self.commands.is_some();
        let done = match self.put_once(snapshot).await? {
            Err(problem) if self.is_elsewhere(&problem) || is_kept => self.put_once(snapshot).await?,
            done => done,
        };
        done.map_err(|problem| {
            if !is_apart(&problem) {
                return problem.into();
            }
            let [key, etag] = [&self.key, &self.etag_key()];
            Failure::new(format!(
                "`{key}` and `{etag}` are on different nodes of the cluster, expected a key like `{{{key}}}`"
            ))
        })
    }

    async fn put_once(&mut self, snapshot: &[u8]) -> Result<RedisResult<()>, Failure> {
        let text = String::from_utf8_lossy(snapshot);
        let etag = format!("{:016x}{:08x}", hash(&text), snapshot.len());
        let mut commands = self.take_commands().await?;
        let mut together = pipe();
        together.atomic().set(&self.key, snapshot).ignore().set(self.etag_key(), &etag).ignore();
        together.publish(&self.channel, &etag).ignore();
        let done = together.query_async(&mut commands).await;
        if done.is_ok() {
            self.commands = Some(commands);
        }
        Ok(done)
    }

    /// Whether another node of the cluster has the key; if so, that node is asked from now on.
    fn is_elsewhere(&mut self, problem: &RedisError) -> bool {
        let moved = self.info.as_ref().and_then(|info| moved(problem, info.addr()));
        self.moved = moved.clone().or(self.moved.take());
        moved.is_some()
    }

    fn etag_key(&self) -> String {
        format!("{}:etag", self.key)
    }

    /// The connection for queries, put back after a successful use.
    async fn take_commands(&mut self) -> Result<MultiplexedConnection, Failure> {
        if let Some(commands) = self.commands.take() {
            return Ok(commands);
        }
        // What was known of the server is as old as the connection.
        self.listening = Listening::No;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout));
        let connected = self.client().await?.get_multiplexed_async_connection_with_config(&config).await;
        if connected.is_err() {
            // The node may be gone; the configured address leads to a node that knows where the key is.
            self.moved = None;
        }
        Ok(connected?)
    }

    async fn client(&mut self) -> Result<Client, Failure> {
        let address = (self.address)().await?;
        let mut info = self.info.insert(info(&address)?).clone();
        if let Some(moved) = &self.moved {
            info = info.set_addr(moved.clone());
        }
        if let Some(password) = &self.password {
            let settings = info.redis_settings().clone().set_password(password().await?);
            info = info.set_redis_settings(settings);
        }
        Ok(match &self.tls {
            Some(certificates) => Client::build_with_tls(info, certificates.clone())?,
            None => Client::open(info)?,
        })
    }

    /// Subscribes, if the server allows it.
    async fn listen(&mut self) -> Result<(), Failure> {
        if let Listening::Yes(sink, _) = &mut self.listening {
            // A silent connection may be broken without notice.
            let pinged = tokio::time::timeout(self.timeout, sink.ping::<redis::Value>()).await;
            if !matches!(pinged, Ok(Ok(_))) {
                self.listening = Listening::No;
            }
        }
        let is_first = match self.listening {
            Listening::No => true,
            Listening::Refused(at) if at.elapsed() > REFUSED => false,
            _ => return Ok(()),
        };
        let client = self.client().await?;
        self.listening = match tokio::time::timeout(self.timeout, subscribe(&client, &self.channel)).await {
            Ok(Ok((sink, news))) => Listening::Yes(Box::new(sink), news),
            Ok(Err(problem)) if !problem.is_io_error() => {
                if is_first {
                    tracing::warn!("esclusa: {}: it is asked once an interval: {problem}", Source::name(self));
                }
                Listening::Refused(Instant::now())
            }
            _ => Listening::No,
        };
        Ok(())
    }

    /// A connection that fails is not used again.
    async fn fetch_once(&mut self, known: Option<&str>) -> Result<RedisResult<Option<Answer>>, Failure> {
        let mut commands = self.take_commands().await?;
        // Before any read, so that no change in between is missed.
        self.listen().await?;
        let answer = self.read(&mut commands, known).await;
        if answer.is_ok() {
            self.commands = Some(commands);
        }
        Ok(answer)
    }

    /// `None` if there is no snapshot.
    async fn read(&self, commands: &mut MultiplexedConnection, known: Option<&str>) -> RedisResult<Option<Answer>> {
        if let Some(known) = known {
            let mut look = pipe();
            look.get(self.etag_key()).strlen(&self.key);
            look.getrange(&self.key, 0, ENDS as isize - 1).getrange(&self.key, -(ENDS as isize), -1);
            let looked: RedisResult<Looked> = look.query_async(commands).await;
            match looked {
                Ok((Some(tag), bytes, head, tail)) if composed(&tag, bytes, &head, &tail) == known => {
                    return Ok(Some(Answer::NotModified));
                }
                Err(problem) if problem.is_io_error() || problem.is_timeout() => return Err(problem),
                // A user who may only `GET` gets the whole snapshot.
                _ => {}
            }
        }
        // Before the snapshot: if it changes in between, the tag is the older one, and everything is read again.
        let tag: Option<String> = match redis::cmd("GET").arg(self.etag_key()).query_async(commands).await {
            Err(problem) if problem.is_io_error() || problem.is_timeout() => return Err(problem),
            tag => tag.unwrap_or_default(),
        };
        let bytes: Option<Vec<u8>> = redis::cmd("GET").arg(&self.key).query_async(commands).await?;
        Ok(bytes.map(|bytes| {
            let (head, tail) = (bytes.get(..ENDS).unwrap_or(&bytes), bytes.len().checked_sub(ENDS));
            let tail = tail.and_then(|from| bytes.get(from..)).unwrap_or(&bytes);
            let etag = tag.map(|tag| composed(&tag, bytes.len(), head, tail));
            Answer::Snapshot { bytes, etag }
        }))
    }
}

/// The tag of a snapshot, its length, and its ends.
type Looked = (Option<String>, usize, Vec<u8>, Vec<u8>);

/// Identifies a snapshot: its tag, its length and its ends.
fn composed(tag: &str, bytes: usize, head: &[u8], tail: &[u8]) -> String {
    let [head, tail] = [head, tail].map(|part| hash(&String::from_utf8_lossy(part)));
    format!("{tag} {bytes} {head:016x}{tail:016x}")
}

/// Listens for notifications on a second connection, until it breaks or the receiver is dropped.
async fn subscribe(client: &Client, channel: &str) -> Result<(PubSubSink, mpsc::Receiver<News>), RedisError> {
    let (mut sink, mut messages) = client.get_async_pubsub().await?.split();
    sink.subscribe(channel).await?;
    let (tell, news) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    // A notification that is still in the channel also covers later ones.
                    Some(_) => drop(tell.try_send(News::Changed)),
                    None => {
                        let _ = tell.send(News::Disconnected).await;
                        return;
                    }
                },
                () = tell.closed() => return,
            }
        }
    });
    Ok((sink, news))
}

fn info(url: &str) -> Result<ConnectionInfo, Failure> {
    let info = url.into_connection_info()?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        // An app that has chosen its cryptography keeps it.
        let _ = (*provider()).clone().install_default();
    }
    // The protocol of every server.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
    Ok(info.set_redis_settings(settings))
}

impl Source for Redis {
    fn name(&self) -> String {
        let Some(info) = &self.info else { return format!("redis {}", self.key) };
        format!("redis://{}/{} {}", info.addr(), info.redis_settings().db(), self.key)
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        // A tag may stay the same while the content changes, so it is sometimes left out (11.16).
        let known = request.etag.as_deref().filter(|_| !request.in_full);
        let is_kept = self.commands.is_some();
        let answer = match self.fetch_once(known).await? {
            // The connection may have broken a moment ago.
            Err(problem) if self.is_elsewhere(&problem) || (is_kept && problem.is_connection_dropped()) => {
                self.fetch_once(known).await?
            }
            answer => answer,
        }?;
        answer.ok_or_else(|| Failure::new(format!("there is no key `{}`, expected a snapshot under it", self.key)))
    }

    async fn news(&mut self) -> News {
        let Listening::Yes(_, news) = &mut self.listening else { return pending().await };
        match news.recv().await {
            Some(News::Disconnected) | None => {
                self.listening = Listening::No;
                News::Disconnected
            }
            Some(news) => news,
        }
    }
}
