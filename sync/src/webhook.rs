//! Webhooks: one hears once of each flag that a guard has switched off.
//!
//! Of several processes the one speaks whose trip the store has taken. While the store does not answer, the one does that
//! wrote the trip into the file of its host, or each without a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use esclusa::{Time, Trip, Value};
use reqwest::Url;
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::alert::{Alert, Alerts, lock};
use crate::guarding::Guarding;
use crate::http::{Access, HttpError, parse, shown};
use crate::source::Failure;
use crate::trips::{News, Verdict};

/// How often an alert is sent until it is taken.
const TRIES: u32 = 5;
/// How long an answer of the webhook is waited for.
const TIME_LIMIT: Duration = Duration::from_secs(2);
/// How long the store may take before a process speaks for itself.
const LATE: Duration = Duration::from_secs(10);
/// The longest pause that a webhook may ask for: all tries take five minutes at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// How the body of an alert is written.
#[derive(Clone, Copy, Debug)]
enum Body {
    Slack,
    Json,
}

/// Where alerts are sent, by `POST`: five tries within five minutes, each with two seconds, and `Retry-After` is kept.
pub struct Webhook {
    url: Url,
    body: Body,
    pause: Duration,
}

/// The URL is a secret, so `Debug` and the log show only its host.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("host", &self.url.host_str()).field("body", &self.body).finish_non_exhaustive()
    }
}

impl Webhook {
    /// A webhook of Slack, or of a service that takes the same bodies (Mattermost, Discord under `/slack`): `text` and
    /// `blocks`.
    ///
    /// # Errors
    /// When it is no URL, or not of https; http will do on this machine.
    pub fn slack(url: impl AsRef<str>) -> Result<Self, HttpError> {
        Webhook::new(url.as_ref(), Body::Slack)
    }

    /// A webhook that takes `{"event": "guard_trip", "flag", "text", "trip"}`; the trip is that of `guard_state`, with its
    /// evidence.
    ///
    /// # Errors
    /// As [`slack`](Self::slack).
    pub fn json(url: impl AsRef<str>) -> Result<Self, HttpError> {
        Webhook::new(url.as_ref(), Body::Json)
    }

    /// The pause before the second try; each later one is four times as long. 2 seconds by default.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    fn new(url: &str, body: Body) -> Result<Self, HttpError> {
        let url = parse(url)?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if url.scheme() != "https" && !is_here {
            return Err(HttpError("the URL of a webhook begins with `http:`, expected https://".to_owned()));
        }
        Ok(Webhook { url, body, pause: Duration::from_secs(2) })
    }

    fn written(&self, trip: &Trip, text: &str) -> String {
        let object = |fields: Vec<(&'static str, Value<'static>)>| {
            Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
        };
        let text = text.to_owned();
        let body = match self.body {
            Body::Slack => {
                let words = object(vec![("type", "mrkdwn".into()), ("text", text.clone().into())]);
                let block = object(vec![("type", "section".into()), ("text", words)]);
                object(vec![("text", text.into()), ("blocks", Value::List(vec![block]))])
            }
            Body::Json => object(vec![
                ("event", "guard_trip".into()),
                ("flag", trip.flag().to_owned().into()),
                ("text", text.into()),
                ("trip", trip.to_value()),
            ]),
        };
        body.to_json()
    }

    async fn send(&self, trip: &Trip, note: &str) -> Result<(), Failure> {
        let access = Access::new(&self.url, (&reqwest::header::HeaderMap::new(), None), &[], TIME_LIMIT)?;
        let body = self.written(trip, &(sentence(trip) + note));
        let mut pause = self.pause;
        let mut tries = 1;
        loop {
            let late = |_| Failure::new(format!("no answer within {} s", TIME_LIMIT.as_secs()));
            let failure = match timeout(TIME_LIMIT, access.post(self.url.clone(), body.clone())).await.map_err(late) {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(failure)) | Err(failure) => failure,
            };
            if tries == TRIES {
                return Err(failure);
            }
            tries += 1;
            sleep(failure.retry_after.unwrap_or(pause).min(LONGEST_PAUSE)).await;
            pause = pause.saturating_mul(4);
        }
    }
}

/// What is said of a trip: `crm` is off: its guard tripped at 14:03 (errors: 12 of 102 units that are on, 3 of 398 that are
/// off), run 1.
fn sentence(trip: &Trip) -> String {
    let value = trip.to_value();
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let mut said = format!("`{}` is off: its guard tripped", trip.flag());
    if let Some(at) = text("at") {
        said += &format!(" at {at}");
    }
    if let Some(metric) = text("metric") {
        let of = |arm: &str| {
            let arm = value.get("evidence")?.get(arm)?;
            Some((arm.get("bad")?.as_f64()?, arm.get("units")?.as_f64()?))
        };
        said += &match of("on").zip(of("off")) {
            Some(((on_bad, on), (off_bad, off))) => {
                format!(" ({metric}: {on_bad:.0} of {on:.0} units that are on, {off_bad:.0} of {off:.0} that are off)")
            }
            None => format!(" ({metric})"),
        };
    }
    said + &format!(", run {}", trip.run())
}

impl Guarding {
    /// Tells a webhook of each trip, once: of all processes the one does whose trip the store has taken. While the store does
    /// not answer, or without one, it is the one that wrote the trip into the file of its host; without a file each process
    /// speaks. Name the stores before.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    pub fn alert(mut self, webhook: Webhook) -> Self {
        let has_store = !self.stores.is_empty();
        self.tasks.push(tokio::spawn(speak(self.news.subscribe(), has_store, webhook, self.alerts.clone())));
        self
    }
}

/// Speaks of each trip that is this process's to speak of.
async fn speak(mut news: broadcast::Receiver<News>, has_store: bool, webhook: Webhook, alerts: Alerts) {
    let webhook = Arc::new(webhook);
    // Trips that wait for the store, by when they wait no more.
    let mut waiting: BTreeMap<Instant, Trip> = BTreeMap::new();
    let mut spoken: BTreeSet<(String, u64)> = BTreeSet::new();
    let mut sending = JoinSet::new();
    loop {
        let due = waiting.keys().next().copied();
        let (trip, note) = tokio::select! {
            heard = news.recv() => match heard {
                Ok(News::Tripped { trip, is_own }) if !has_store && is_own => (trip, ""),
                Ok(News::Tripped { trip, is_own: true }) => {
                    waiting.insert(Instant::now() + LATE, trip);
                    continue;
                }
                Ok(News::Answered(trip, verdict)) => {
                    waiting.retain(|_, one| (one.flag(), one.run()) != (trip.flag(), trip.run()));
                    if verdict != Verdict::Taken || age(&trip).is_some_and(|age| age > LATE) {
                        continue;
                    }
                    (trip, "")
                }
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => continue,
                Err(broadcast::error::RecvError::Closed) => return,
            },
            () = async { sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {
                match waiting.pop_first() {
                    Some((_, trip)) => (trip, "; the store does not answer yet"),
                    None => continue,
                }
            }
            Some(_) = sending.join_next(), if !sending.is_empty() => continue,
        };
        if spoken.insert((trip.flag().to_owned(), trip.run())) {
            let (webhook, alerts) = (Arc::clone(&webhook), Arc::clone(&alerts));
            sending.spawn(async move { deliver(&webhook, &trip, note, &alerts).await });
        }
    }
}

async fn deliver(webhook: &Webhook, trip: &Trip, note: &str, alerts: &Alerts) {
    let alert = Alert { flag: trip.flag().to_owned(), run: trip.run(), is_delivered: false, error: None };
    lock(alerts).push(alert.clone());
    let done = webhook.send(trip, note).await;
    let after = Alert { is_delivered: done.is_ok(), error: done.err().map(|failure| failure.error), ..alert.clone() };
    if after.error.is_some() {
        tracing::warn!(target: "esclusa", "{}: {after}", shown(&webhook.url).split('/').take(3).collect::<Vec<_>>().join("/"));
    }
    if let Some(known) = lock(alerts).iter_mut().find(|known| **known == alert) {
        *known = after;
    }
}

/// How long ago a trip was, if it says when.
fn age(trip: &Trip) -> Option<Duration> {
    let at = Time::parse(trip.to_value().get("at")?.as_str()?)?;
    let at = Duration::from_millis(u64::try_from(at.as_millis()).ok()?);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    now.checked_sub(at)
}
