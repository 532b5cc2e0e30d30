//! The driver: sends requests when the protocol says so, and publishes the answers.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use esclusa::sync::{Action, Policy, Protocol, Request, Response, State, Understood, has_no_rows, understood};
use esclusa::{FlagSet, Flags, Outcome, Reading, Report, Value};
use futures_util::FutureExt;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::refresh::{Questions, Refresh};
use crate::source::{Answer, Failure, News, Source, Translation};
use crate::status::{LastError, Status, milliseconds};

/// Number of violations of one snapshot that are logged one by one.
const MAX_LOGGED: usize = 10;

/// How to keep fresh.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// When to ask and how to retry.
    pub policy: Policy,
    /// Time limit of one answer, independent of the source's own limits.
    pub timeout: Duration,
    /// Whether bare rows without a row are a good answer. A store that hides its rows answers so, and every flag would
    /// disappear (11.17).
    pub allow_empty: bool,
    /// How long [`Syncing::current`] waits for an answer after the process was frozen, as functions are between calls.
    pub thaw: Duration,
}

/// The default policy, half a minute for an answer, no answer without rows, and no wait after a thaw.
impl Default for Options {
    fn default() -> Self {
        Options {
            policy: Policy::default(),
            timeout: Duration::from_secs(30),
            allow_empty: false,
            thaw: Duration::ZERO,
        }
    }
}

/// Keeps flags fresh from a source, in a task of its own, until the returned handle is dropped.
///
/// It returns at once; [`Syncing::ready`] waits for the first good answer.
///
/// # Panics
/// Outside a tokio runtime with time enabled, and with a policy that [`Policy::check`] refuses.
pub fn sync(flags: &Flags, source: impl Source, options: Options) -> Syncing {
    #[expect(clippy::panic, reason = "a number in the code is wrong; it cannot be asked by it")]
    let protocol = Protocol::new(options.policy, seed()).unwrap_or_else(|error| panic!("the policy's {error}"));
    let shared = Arc::new(Shared {
        flags: flags.clone(),
        source: source.name(),
        translation: source.translation(),
        protocol: Mutex::new(protocol),
        options,
        questions: Questions::new(),
        thaw_error: Mutex::default(),
        began: Instant::now(),
        began_at: SystemTime::now(),
        refresh: Notify::new(),
        progress: watch::Sender::new(Progress::Nothing),
        listeners: Mutex::default(),
        understood: Mutex::default(),
    });
    let task = tokio::spawn(run(Arc::clone(&shared), source));
    Syncing { shared, task }
}

/// The error for an answer that would remove all flags.
const NO_ROWS: &str = "the answer has no rows, expected at least one: row-level security may hide them; a document \
    without flags, or `allow_empty`, says that there are none";

/// A number that differs between processes and between sources.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

/// A source that keeps flags fresh. Dropping it ends that; the published flags stay.
#[must_use = "dropping it ends the syncing"]
pub struct Syncing {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

type Listener = Arc<dyn Fn(&Report) + Send + Sync>;

/// After which publishes a listener is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Calls {
    Each,
    Changes,
}

struct Shared {
    flags: Flags,
    source: String,
    translation: Option<Arc<dyn Translation>>,
    protocol: Mutex<Protocol>,
    options: Options,
    questions: Questions,
    /// Why an evaluation after a thaw used flags from before it.
    thaw_error: Mutex<Option<LastError>>,
    began: Instant,
    /// The same by the system clock.
    began_at: SystemTime,
    refresh: Notify,
    progress: watch::Sender<Progress>,
    listeners: Mutex<Vec<(Calls, Listener)>>,
    /// The fingerprint of the reading that was logged last (11.24).
    understood: Mutex<Option<String>>,
}

/// The progress of a source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    Nothing,
    /// A copy is published, or the merged snapshot of some layers.
    Available,
    /// The source has given a good answer.
    Ready,
}

impl Syncing {
    /// Waits for the first good answer of the source, and returns whether it came in time (11.15). Failures do not end
    /// the wait.
    pub async fn ready(&self, timeout: Duration) -> bool {
        self.reached(Progress::Ready, timeout).await
    }

    /// Waits until anything is published, a cached or bundled copy too, and returns whether that was in time (11.15).
    pub async fn available(&self, timeout: Duration) -> bool {
        self.reached(Progress::Available, timeout).await
    }

    async fn reached(&self, wanted: Progress, timeout: Duration) -> bool {
        let mut progress = self.shared.progress.subscribe();
        let reached = progress.wait_for(|progress| *progress >= wanted);
        tokio::time::timeout(timeout, reached).await.is_ok_and(|waited| waited.is_ok())
    }

    /// The status now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Sends a request now. The returned future is optional: it completes with the answer, or gives the reason why
    /// there is none.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use esclusa::Flags;
    /// # use esclusa_sync::{Bundled, Options, sync};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), esclusa_sync::Failure> {
    /// let flags = Flags::new();
    /// let syncing = sync(&flags, Bundled::new(r#"[{"name": "crm"}]"#), Options::default());
    /// syncing.refresh().within(Duration::from_secs(2)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn refresh(&self) -> Refresh {
        let next = self.shared.questions.next(self.shared.options.timeout);
        self.shared.refresh.notify_one();
        next
    }

    /// The current set, for a whole request. After a thaw it waits for the answer of the source, at most as long as
    /// [`Options::thaw`]; after that it gives the set from before, and the status has the reason.
    pub async fn current(&self) -> Arc<FlagSet> {
        let shared = &self.shared;
        if shared.options.thaw.is_zero() {
            return shared.flags.current();
        }
        let Some(answer) = shared.questions.after_thaw(shared.options.thaw) else { return shared.flags.current() };
        // The timer of the task may not have noticed the thaw.
        shared.refresh.notify_one();
        if let Err(failure) = answer.await {
            shared.questions.forget_thaw();
            let error = format!("after a thaw: {}", failure.error);
            *lock(&shared.thaw_error) = Some(LastError { error, at: SystemTime::now() });
        }
        shared.flags.current()
    }

    /// Calls the listener after each publish that changed an answer, with the keys that were added, removed and
    /// changed. It runs in the task that keeps the flags fresh, so it should be short; its panics are logged.
    pub fn on_publish(&self, listener: impl Fn(&Report) + Send + Sync + 'static) {
        lock(&self.shared.listeners).push((Calls::Changes, Arc::new(listener)));
    }

    /// The same after each publish, also after one that changed no answer: for what hands the snapshot on.
    pub fn on_each_publish(&self, listener: impl Fn(&Report) + Send + Sync + 'static) {
        lock(&self.shared.listeners).push((Calls::Each, Arc::new(listener)));
    }
}

impl Drop for Syncing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Syncing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Syncing").field("status", &self.status()).finish_non_exhaustive()
    }
}

async fn run(shared: Arc<Shared>, mut source: impl Source) {
    let timeout = shared.options.timeout;
    if let Some(bytes) = begun(&mut source).await {
        shared.restore(bytes).await;
    }
    loop {
        let action = shared.protocol().next(shared.now_ms());
        match action {
            Action::Ask(request) => {
                // This request also answers every refresh so far.
                let _ = shared.refresh.notified().now_or_never();
                shared.questions.begin(timeout);
                let request = Request { allow_empty: shared.options.allow_empty, ..request };
                let fetched = tokio::time::timeout(timeout, asked(source.fetch(&request), &request)).await;
                let answer = match fetched {
                    Ok(answer) => answer,
                    Err(_) => Err(Failure::new(format!("no answer within {} s", timeout.as_secs_f64()))),
                };
                let outcome = shared.take(answer).await;
                shared.questions.end(outcome);
            }
            Action::Wait { ms } => {
                shared.questions.sleep(Duration::from_millis(ms));
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(ms)) => {}
                    () = shared.refresh.notified() => shared.protocol().refresh(shared.now_ms()),
                    news = guarded(source.news()) => match news {
                        Ok(News::Changed) => shared.protocol().notified(shared.now_ms()),
                        Ok(News::Disconnected) => shared.protocol().disconnected(shared.now_ms()),
                        // A source that cannot wait would be polled without pause.
                        Err(_) => tokio::time::sleep(Duration::from_millis(ms)).await,
                    },
                }
                shared.questions.awake();
            }
        }
    }
}

/// The bootstrap of a source, if it is there soon: it must not delay the first answer.
pub(crate) async fn begun<S: Source>(source: &mut S) -> Option<Vec<u8>> {
    match tokio::time::timeout(BEGIN_WITHIN, guarded(source.bootstrap())).await {
        Ok(begun) => begun.unwrap_or_default(),
        Err(_) => {
            let name = source.name();
            tracing::warn!("esclusa: {name}: no bootstrap within {BEGIN_WITHIN:?}");
            None
        }
    }
}

/// How long a start waits for the bootstrap.
pub(crate) const BEGIN_WITHIN: Duration = Duration::from_secs(2);

/// A panic of a user's source must not end the task.
pub(crate) async fn guarded<T>(ask: impl Future<Output = T>) -> Result<T, Failure> {
    AssertUnwindSafe(ask).catch_unwind().await.map_err(|_| Failure::new("the source panicked"))
}

/// The answer of a source, unless it has no rows: a store that hides its rows answers so (11.17).
pub(crate) async fn asked(
    answer: impl Future<Output = Result<Answer, Failure>>,
    request: &Request,
) -> Result<Answer, Failure> {
    match guarded(answer).await?? {
        Answer::Snapshot { bytes, .. } if !request.allow_empty && has_no_rows(&bytes) => Err(Failure::new(NO_ROWS)),
        answer => Ok(answer),
    }
}

impl Shared {
    fn now_ms(&self) -> u64 {
        milliseconds(self.began.elapsed())
    }

    fn protocol(&self) -> MutexGuard<'_, Protocol> {
        lock(&self.protocol)
    }

    fn status(&self) -> Status {
        let now_ms = self.now_ms();
        let status = self.protocol().status(now_ms);
        let last_error = status.last_error.map(|(error, at_ms)| LastError {
            error,
            // Computed from one instant, so that it is the same for every call.
            at: self.began_at + Duration::from_millis(at_ms),
        });
        let thaw_error = lock(&self.thaw_error).clone();
        let last_error = last_error.into_iter().chain(thaw_error).max_by_key(|last| last.at);
        Status {
            state: status.state,
            source: self.source.clone(),
            mapped_by: self.translation.as_ref().and_then(|translation| translation.mapped_by()),
            revision: status.revision,
            age: status.age_ms.map(Duration::from_millis),
            failures: status.failures,
            last_error,
        }
    }

    /// Compiles and publishes without blocking the runtime.
    async fn publish(&self, bytes: Vec<u8>) -> Result<Report, Failure> {
        let flags = self.flags.clone();
        let translation = self.translation.clone();
        let publish = move || {
            let (set, reading) = match translation {
                Some(translation) => translation.read(&bytes)?,
                None => (FlagSet::from_json(&bytes)?, None),
            };
            Ok::<_, Failure>((flags.publish(set), reading))
        };
        let panicked = |_| Failure::new("compiling the snapshot panicked");
        let (report, reading) = spawn_blocking(publish).await.map_err(panicked)??;
        if report.outcome() == Outcome::Published {
            self.tell_understood(report.reading(), reading);
        }
        for violation in report.violations().iter().take(MAX_LOGGED) {
            tracing::warn!("esclusa: {}: {violation}", self.source);
        }
        // A kill switch that matches no flag switches nothing off (13.14).
        for notice in report.reading().notices().iter().filter(|notice| notice.code() == "unknown-switch") {
            tracing::warn!("esclusa: {}: {}", self.source, notice.problem());
        }
        if let Some(more @ 1..) = report.violations().len().checked_sub(MAX_LOGGED) {
            tracing::warn!("esclusa: {}: {more} more violations", self.source);
        }
        Ok(report)
    }

    /// Logs the reading, if it differs from the last one that was logged (11.24).
    fn tell_understood(&self, reading: &Reading, by_mapping: Option<Value<'static>>) {
        let fingerprint = Some(reading.fingerprint());
        let last = std::mem::replace(&mut *lock(&self.understood), fingerprint.clone());
        if last != fingerprint
            && let Some(Understood { is_warning, text }) =
                understood(&self.source, &by_mapping.unwrap_or_else(|| reading.to_value()))
        {
            if is_warning {
                tracing::warn!("esclusa: {text}");
            } else {
                tracing::info!("esclusa: {text}");
            }
        }
    }

    /// Publishes a bootstrap, or a snapshot in place of an answer.
    async fn restore(&self, bytes: Vec<u8>) {
        match self.publish(bytes).await {
            Ok(report) if report.is_published() => {
                self.protocol().from_cache(self.now_ms(), report.revision());
                self.reach(Progress::Available);
                self.tell(&report);
            }
            Ok(_) => {}
            Err(failure) => tracing::warn!("esclusa: {}: a copy is refused: {}", self.source, failure.error),
        }
    }

    /// Publishes an answer, and returns whether it is a good one.
    async fn take(&self, answer: Result<Answer, Failure>) -> Result<(), Failure> {
        let (mut report, mut instead) = (None, None);
        let response = match answer {
            Ok(Answer::NotModified) => Response::NotModified,
            Ok(Answer::Snapshot { bytes, .. }) if self.protocol().is_known(&bytes) => Response::NotModified,
            Ok(Answer::Snapshot { bytes, etag }) => match self.publish(bytes).await {
                Ok(published) => Response::of(report.insert(published), etag),
                Err(failure) => Response::Failure { error: failure.error, retry_after_ms: None },
            },
            Err(failure) => {
                instead = failure.instead;
                let asked_for = failure.retry_after.map(milliseconds);
                Response::Failure { error: failure.error, retry_after_ms: asked_for }
            }
        };
        if let Some(bytes) = instead {
            self.restore(bytes).await;
        }
        let before = self.protocol().status(self.now_ms()).state;
        let failures = self.protocol().status(self.now_ms()).failures;
        self.protocol().receive(self.now_ms(), response);
        if self.protocol().status(self.now_ms()).age_ms.is_some() {
            self.reach(Progress::Ready);
        }
        self.log(before);
        if let Some(report) = report.filter(Report::is_published) {
            self.tell(&report);
        }
        let status = self.protocol().status(self.now_ms());
        match status.last_error {
            Some((error, _)) if status.failures > failures => Err(Failure::new(error)),
            _ => Ok(()),
        }
    }

    fn log(&self, before: State) {
        let status = self.status();
        match status.state {
            State::Failing | State::Starting => tracing::warn!("esclusa: {status}"),
            state if state != before => tracing::info!("esclusa: {status}"),
            _ => tracing::debug!("esclusa: {status}"),
        }
    }

    fn reach(&self, reached: Progress) {
        self.progress.send_if_modified(|progress| {
            let is_further = reached > *progress;
            *progress = reached.max(*progress);
            is_further
        });
    }

    /// Calls the listeners.
    fn tell(&self, report: &Report) {
        let is_change = ![report.added(), report.removed(), report.changed()].iter().all(|keys| keys.is_empty());
        let listeners = lock(&self.listeners).clone();
        for (_, listener) in listeners.into_iter().filter(|(calls, _)| is_change || *calls == Calls::Each) {
            if catch_unwind(AssertUnwindSafe(|| listener(report))).is_err() {
                tracing::error!("esclusa: {}: a listener panicked", self.source);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
