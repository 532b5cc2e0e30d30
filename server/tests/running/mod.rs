//! A server on a free port of 127.0.0.1, its flags, and a client that shows every byte.
#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use esclusa_server::{Kind, Secret, Server, Settings, Store, Token};
use esclusa_sync::{Answer, Failure, News, Request as Asked, Source};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything takes on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A store of one snapshot, which tells of each change.
pub(crate) struct Table(watch::Sender<String>);

/// What the server asks.
pub(crate) struct Rows(watch::Receiver<String>);

impl Table {
    pub(crate) fn new(json: impl Into<String>) -> Self {
        Table(watch::Sender::new(json.into()))
    }

    pub(crate) fn set(&self, json: impl Into<String>) {
        self.0.send_replace(json.into());
    }

    pub(crate) fn source(&self) -> Rows {
        Rows(self.0.subscribe())
    }
}

impl Source for Rows {
    fn name(&self) -> String {
        "a table".to_owned()
    }

    async fn fetch(&mut self, _: &Asked) -> Result<Answer, Failure> {
        Ok(self.0.borrow_and_update().clone().into())
    }

    async fn news(&mut self) -> News {
        match self.0.changed().await {
            Ok(()) => News::Changed,
            Err(_) => std::future::pending().await,
        }
    }
}

/// A server that answers until this is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) server: Secret,
    pub(crate) client: Secret,
    pub(crate) admin: Secret,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    /// With a token of each kind, and news at once.
    pub(crate) async fn start(source: impl Source) -> Self {
        Running::with(source, |settings| settings).await
    }

    pub(crate) async fn with(source: impl Source, change: impl FnOnce(Settings) -> Settings) -> Self {
        Running::on(change, |settings| Server::start(source, settings).unwrap()).await
    }

    /// With a store that flags are written to.
    pub(crate) async fn writing(source: impl Source, store: Store, change: impl FnOnce(Settings) -> Settings) -> Self {
        Running::on(change, |settings| Server::start_writing(source, store, settings).unwrap()).await
    }

    async fn on(change: impl FnOnce(Settings) -> Settings, start: impl FnOnce(&Settings) -> Server) -> Self {
        Running::at(SocketAddr::from(([127, 0, 0, 1], 0)), change, start).await
    }

    async fn at(
        address: SocketAddr,
        change: impl FnOnce(Settings) -> Settings,
        start: impl FnOnce(&Settings) -> Server,
    ) -> Self {
        let [server, client, admin] = [Kind::Server, Kind::Client, Kind::Admin].map(|kind| Secret::new(kind).unwrap());
        let tokens = vec![server.token(), client.token(), Token { name: Some("ana".to_owned()), ..admin.token() }];
        let settings = change(Settings { tokens, spread_ms: 0, ..Settings::default() });
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let started = start(&settings);
        assert!(started.available(PATIENCE).await, "{}", started.status());
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(started.run(listener, async { drop(stopped.await) }));
        Running { address, server, client, admin, stop: Some(stop), task }
    }

    /// A server that comes back at its address, and knows its server token.
    pub(crate) async fn again(address: SocketAddr, server: Secret, source: impl Source, store: Store) -> Self {
        let token = server.token();
        let change = |settings: Settings| {
            let tokens = settings.tokens.into_iter().skip(1).chain([token]).collect();
            Settings { tokens, ..settings }
        };
        let running = Running::at(address, change, |settings| Server::start_writing(source, store, settings).unwrap());
        Running { server, ..running.await }
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }

    pub(crate) fn get(&self, path: &str) -> Question {
        self.question("GET", path)
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Question {
        Question { body: Bytes::from(body.to_owned()), ..self.question("POST", path) }
    }

    pub(crate) fn question(&self, method: &str, path: &str) -> Question {
        Question::new(method, self.address, path)
    }

    /// All answers that a token gets.
    pub(crate) async fn all(&self, token: &Secret, context: &str) -> Reply {
        self.post("/ofrep/v1/evaluate/flags", &format!(r#"{{"context": {context}}}"#)).token(token).send().await
    }

    /// The answer for one flag.
    pub(crate) async fn one(&self, token: &Secret, key: &str, body: &str) -> Reply {
        self.post(&format!("/ofrep/v1/evaluate/flags/{key}"), body).token(token).send().await
    }
}

/// A request in the making.
pub(crate) struct Question {
    address: SocketAddr,
    builder: hyper::http::request::Builder,
    body: Bytes,
}

impl Question {
    pub(crate) fn new(method: &str, address: SocketAddr, path: &str) -> Self {
        let builder = Request::builder().method(method).uri(path).header("host", address.to_string());
        Question { address, builder, body: Bytes::new() }
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Question { builder: self.builder.header(name, value), ..self }
    }

    pub(crate) fn body(self, body: &str) -> Self {
        Question { body: Bytes::from(body.to_owned()), ..self }
    }

    pub(crate) fn token(self, secret: &Secret) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {}", secret.text()))
    }

    /// The answer before its body.
    pub(crate) async fn open(self) -> Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        timeout(PATIENCE, sender.send_request(self.builder.body(Full::new(self.body)).unwrap())).await.unwrap().unwrap()
    }

    pub(crate) async fn send(self) -> Reply {
        let (head, body) = self.open().await.into_parts();
        let body = timeout(PATIENCE, body.collect()).await.unwrap().unwrap().to_bytes();
        Reply { status: head.status, headers: head.headers, body }
    }

    /// A stream of events.
    pub(crate) async fn events(self) -> Events {
        let response = self.open().await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { body: response.into_body(), text: String::new() }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The entry of one flag.
    pub(crate) fn flag(&self, key: &str) -> Value {
        let flags = self.json()["flags"].as_array().unwrap().clone();
        flags.into_iter().find(|flag| flag["key"] == key).unwrap_or_default()
    }
}

/// A stream of events as it comes in.
pub(crate) struct Events {
    body: Incoming,
    text: String,
}

impl Events {
    /// The next event with its lines, without comments; none when the stream ends.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if !event.starts_with(':') {
                    return Some(event);
                }
                continue;
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.expect("an event, or the end")?.ok()?;
            self.text.push_str(&String::from_utf8_lossy(frame.data_ref()?));
        }
    }
}
