//! Numbers for Prometheus: `/metrics`.

use std::sync::Mutex;
use std::time::Duration;

use axum::http::StatusCode;
use esclusa_sync::{State, Status};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::tap::lock;

/// Seconds: from what an answer takes to what a client waits for.
const BUCKETS: [f64; 9] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Polled {
    revision: Carried,
}

/// Which revision a client has when it asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Carried {
    Current,
    Earlier,
}

impl EncodeLabelValue for Carried {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        match self {
            Carried::Current => "current".encode(encoder),
            Carried::Earlier => "earlier".encode(encoder),
        }
    }
}

pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    answers: Family<Answered, Counter>,
    seconds: Histogram,
    evaluations: Counter,
    polls: Family<Polled, Counter>,
    streams: Gauge,
    state: Gauge,
    revision: Gauge,
    age: Gauge<f64, std::sync::atomic::AtomicU64>,
}

/// A stream that is open, until it is dropped.
pub(crate) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let metrics = Metrics {
            registry: Mutex::new(Registry::with_prefix("esclusa")),
            answers: Family::default(),
            seconds: Histogram::new(BUCKETS),
            evaluations: Counter::default(),
            polls: Family::default(),
            streams: Gauge::default(),
            state: Gauge::default(),
            revision: Gauge::default(),
            age: Gauge::default(),
        };
        let mut registry = lock(&metrics.registry);
        registry.register("http_answers", "Answers by route and status", metrics.answers.clone());
        registry.register("http_answer_seconds", "How long answers took", metrics.seconds.clone());
        registry.register("evaluations", "Flags that were evaluated for callers", metrics.evaluations.clone());
        registry.register("snapshot_polls", "Questions by the revision that the client has", metrics.polls.clone());
        registry.register("streams", "Open streams of events", metrics.streams.clone());
        let states = "0 starting, 1 fresh, 2 stale, 3 failing";
        registry.register("store_state", format!("How things stand with the store: {states}"), metrics.state.clone());
        registry.register("revision", "The current revision; 0 if it has none", metrics.revision.clone());
        registry.register(
            "store_age_seconds",
            "How long ago the last good answer of the store came",
            metrics.age.clone(),
        );
        drop(registry);
        metrics
    }

    pub(crate) fn answered(&self, route: &'static str, status: StatusCode, took: Duration) {
        self.answers.get_or_create(&Answered { route, status: status.as_u16() }).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn evaluated(&self, flags: usize) {
        self.evaluations.inc_by(flags as u64);
    }

    pub(crate) fn polled(&self, is_current: bool) {
        let revision = if is_current { Carried::Current } else { Carried::Earlier };
        self.polls.get_or_create(&Polled { revision }).inc();
    }

    pub(crate) fn open(&self) -> Open {
        self.streams.inc();
        Open(self.streams.clone())
    }

    /// All of them, as Prometheus reads them.
    pub(crate) fn text(&self, status: &Status) -> String {
        self.state.set(match status.state {
            State::Starting => 0,
            State::Fresh => 1,
            State::Stale => 2,
            State::Failing => 3,
        });
        self.revision.set(i64::try_from(status.revision.unwrap_or_default()).unwrap_or(i64::MAX));
        self.age.set(status.age.map_or(0.0, |age| age.as_secs_f64()));
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &lock(&self.registry));
        text
    }
}
