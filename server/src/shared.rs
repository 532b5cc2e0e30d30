//! What all requests share: the current edition, and the signals that something is new.

use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use esclusa::{Flags, Report, Time, Value};
use esclusa_sync::{Options, Source, Syncing, sync};
use tokio::sync::{Semaphore, watch};

use crate::accounts::Accounts;
use crate::edition::Edition;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::reach::Reach;
use crate::settings::Checked;
use crate::store::Store;
use crate::tap::{Found, Tap, lock};
use crate::token::Tokens;
use crate::usage::Usage;

/// How long the clock is trusted: it may be set while a timer runs.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// How long a change waits for being served: it is saved already.
const SERVED_WITHIN: Duration = Duration::from_secs(1);

pub(crate) struct Shared {
    /// People of whom the panel asks.
    pub(crate) people: Vec<Value<'static>>,
    pub(crate) tokens: Tokens,
    /// Who may come in besides.
    pub(crate) accounts: Accounts,
    pub(crate) prefix: String,
    pub(crate) cache: HeaderValue,
    pub(crate) spread: Duration,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) metrics: Metrics,
    pub(crate) syncing: Syncing,
    /// Where flags are written; none if they only are read.
    pub(crate) store: Option<Store>,
    /// How far changes have come.
    pub(crate) reach: Reach,
    /// When this server has begun.
    pub(crate) began: Instant,
    /// What apps and pages report.
    pub(crate) usage: Usage,
    /// Whether each change has to say why.
    pub(crate) needs_reason: bool,
    /// Whether clients reach this server by https.
    pub(crate) is_https: bool,
    /// Whether a proxy says from where a request is.
    pub(crate) is_forwarded: bool,
    /// What is kept of the code in the set-up link, until it is used.
    pub(crate) setup: Mutex<Option<[u8; 32]>>,
    /// The current edition; none before anything is published.
    pub(crate) current: watch::Sender<Option<Arc<Edition>>>,
    /// Counts how often answers may have changed, by a publish or by the time.
    pub(crate) moved: watch::Sender<u64>,
    /// Whether the server is about to stop.
    pub(crate) closing: watch::Sender<bool>,
    flags: Flags,
    found: Arc<Mutex<Option<Found>>>,
}

impl Shared {
    pub(crate) fn start(source: impl Source, store: Option<Store>, accounts: Accounts, checked: Checked) -> Arc<Self> {
        let (flags, tap) = (Flags::new(), Tap::new(source));
        let found = tap.found();
        // A new file of SQLite has no flags yet, and no policy that could hide them.
        let allow_empty = store.as_ref().is_some_and(Store::is_file);
        let options = Options { allow_empty, ..Options::default() };
        let shared = Arc::new(Shared {
            people: checked.people,
            tokens: checked.tokens,
            accounts,
            prefix: checked.prefix,
            cache: checked.cache,
            spread: checked.spread,
            streams: Arc::new(Semaphore::new(checked.max_streams.min(Semaphore::MAX_PERMITS))),
            metrics: Metrics::new(),
            syncing: sync(&flags, tap, options),
            reach: Reach::default(),
            began: Instant::now(),
            usage: Usage::start(store.as_ref(), checked.usage.keep_days, checked.usage.raw_rows),
            store,
            needs_reason: checked.needs_reason,
            is_https: checked.is_https,
            is_forwarded: checked.is_forwarded,
            setup: Mutex::default(),
            current: watch::Sender::new(None),
            moved: watch::Sender::new(0),
            closing: watch::Sender::new(false),
            flags,
            found,
        });
        let listener = Arc::downgrade(&shared);
        shared.syncing.on_each_publish(move |report| {
            if let Some(shared) = listener.upgrade() {
                shared.published(Some(report));
            }
        });
        // On another thread the source may have answered before the listener was there.
        shared.published(None);
        tokio::spawn(watch_the_clock(Arc::downgrade(&shared)));
        tokio::spawn(Accounts::tend(Arc::downgrade(&shared)));
        shared
    }

    /// The current time.
    pub(crate) fn now(&self) -> Time {
        self.flags.now()
    }

    /// Waits a moment until what was changed here is served here: other servers hear of it by the store.
    pub(crate) async fn changed(&self) {
        drop(self.syncing.refresh().within(SERVED_WITHIN).await);
    }

    /// What is served now.
    ///
    /// # Errors
    /// When nothing is published yet.
    pub(crate) fn edition(&self) -> Result<Arc<Edition>, Problem> {
        self.current.borrow().clone().ok_or_else(Problem::not_ready)
    }

    fn published(&self, report: Option<&Report>) {
        let found = lock(&self.found);
        let set = self.flags.current();
        // An older snapshot was found and not published.
        let Some(found) = found.as_ref().filter(|found| set.is_ready() && found.revision == set.revision()) else {
            return;
        };
        let before = self.current.borrow().clone();
        if before.as_ref().is_some_and(|before| Arc::ptr_eq(&before.set, &set)) {
            return;
        }
        if let Some(report) = report {
            self.reach.published(report, self.now());
        }
        let set_aside = report.map(Report::set_aside).unwrap_or_default();
        let keys: Vec<&str> = set_aside.iter().map(esclusa::SetAside::key).collect();
        self.current.send_replace(Some(Arc::new(Edition::new(set, found, before.as_deref(), &keys))));
        let is_change =
            |report: &Report| [report.added(), report.removed(), report.changed()].iter().any(|keys| !keys.is_empty());
        if report.is_none_or(is_change) {
            self.moved.send_modify(|moved| *moved += 1);
        }
    }
}

/// Says so when answers change by the time alone: a window begins or ends, or a schedule takes a step (9.10).
async fn watch_the_clock(shared: Weak<Shared>) {
    let Some(mut current) = shared.upgrade().map(|shared| shared.current.subscribe()) else { return };
    let mut seen = Time::from(std::time::SystemTime::now());
    loop {
        let next = current.borrow_and_update().as_ref().and_then(|edition| edition.set.next_change(seen));
        let now = Time::from(std::time::SystemTime::now());
        if next.is_some_and(|next| next <= now) {
            let Some(shared) = shared.upgrade() else { return };
            shared.moved.send_modify(|moved| *moved += 1);
            seen = now;
            continue;
        }
        let left = next.map(|next| u64::try_from(next.as_millis() - now.as_millis()).unwrap_or_default());
        let sleep = left.map_or(LONGEST_SLEEP, Duration::from_millis).min(LONGEST_SLEEP);
        tokio::select! {
            () = tokio::time::sleep(sleep) => {}
            changed = current.changed() => {
                if changed.is_err() {
                    return;
                }
                seen = Time::from(std::time::SystemTime::now());
            }
        }
    }
}
