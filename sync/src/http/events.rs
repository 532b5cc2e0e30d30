//! The stream of events beside a snapshot: open, being opened, or to be opened with the next request for the snapshot.

use std::future::pending;
use std::time::Duration;

use esclusa::sync::EventReader;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, Url};
use tokio::time::{Instant, timeout, timeout_at};

use super::access::{Access, Wanted, broken_off};
use super::shown;
use crate::source::{Failure, News};

/// How long a stream may be silent by default: servers commonly send a heartbeat every 15 or 30 seconds.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(45);

/// News by server-sent events.
pub(super) struct Events {
    url: Url,
    heartbeat: Duration,
    state: State,
    /// A stream that ends at once must not be opened again at once.
    tried: Option<Instant>,
    is_warned: bool,
}

enum State {
    Closed,
    /// It outlives the futures that wait for news, which are often dropped.
    Opening(BoxFuture<'static, Result<Response, Failure>>),
    Open {
        response: Response,
        reader: EventReader,
        /// When the server must send something.
        deadline: Instant,
    },
}

impl Events {
    pub(super) fn new(url: Url, heartbeat: Duration) -> Self {
        Events { url, heartbeat, state: State::Closed, tried: None, is_warned: false }
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    /// The snapshot is being requested: a closed stream is opened at the next wait for news, at most once per
    /// heartbeat.
    pub(super) fn may_be_tried(&mut self, access: &Access, within: Duration) {
        let is_due = self.tried.is_none_or(|tried| tried.elapsed() >= self.heartbeat);
        if matches!(self.state, State::Closed) && is_due {
            self.tried = Some(Instant::now());
            self.state = State::Opening(open(access.clone(), self.url.clone(), within).boxed());
        }
    }

    /// Waits for an event, or for the end of the stream.
    pub(super) async fn news(&mut self) -> News {
        loop {
            match &mut self.state {
                State::Closed => return pending().await,
                State::Opening(opening) => match opening.await {
                    Ok(response) => {
                        tracing::info!("esclusa: events of {} are listened to", shown(&self.url));
                        self.is_warned = false;
                        let deadline = Instant::now() + self.heartbeat;
                        self.state = State::Open { response, reader: EventReader::default(), deadline };
                        // The flags may have changed between the last answer and the first event.
                        return News::Changed;
                    }
                    Err(failure) => self.close(&failure),
                },
                State::Open { response, reader, deadline } => {
                    match timeout_at(*deadline, response.chunk()).await {
                        Ok(Ok(Some(bytes))) => {
                            *deadline = Instant::now() + self.heartbeat;
                            if reader.read(&bytes) {
                                return News::Changed;
                            }
                            continue;
                        }
                        Ok(Ok(None)) => self.close(&Failure::new("the stream ended")),
                        Ok(Err(error)) => self.close(&broken_off(error)),
                        Err(_) => {
                            let silence = self.heartbeat.as_secs_f64();
                            self.close(&Failure::new(format!("neither event nor heartbeat within {silence} s")));
                        }
                    }
                    return News::Disconnected;
                }
            }
        }
    }

    fn close(&mut self, failure: &Failure) {
        self.state = State::Closed;
        let url = shown(&self.url);
        if std::mem::replace(&mut self.is_warned, true) {
            tracing::debug!("esclusa: no events of {url}: {}", failure.error);
        } else {
            tracing::warn!("esclusa: no events of {url}, asking by the clock alone: {}", failure.error);
        }
    }
}

async fn open(access: Access, url: Url, within: Duration) -> Result<Response, Failure> {
    let response = timeout(within, access.get(&url, Wanted::Events)).await;
    let response = response.map_err(|_| Failure::new(format!("no answer within {} s", within.as_secs_f64())))??;
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream") {
        return Err(Failure::new("the answer is of another type, expected text/event-stream"));
    }
    Ok(response)
}
