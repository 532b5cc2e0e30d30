//! Waiting for an answer: after a refresh, and for the first evaluation after a thaw.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use crate::source::Failure;
use crate::status::milliseconds;

/// A request sent by [`Syncing::refresh`](crate::Syncing::refresh). Awaiting it is optional: it completes with the
/// answer, or with the reason why there is no good one.
pub struct Refresh {
    answers: watch::Receiver<Answered>,
    /// The answers up to this index belong to earlier requests.
    after: u64,
    /// Whether failures do not end the wait.
    is_patient: bool,
    within: Duration,
}

impl Refresh {
    /// Time limit of the wait; by default the time-out of [`Options`](crate::Options).
    #[must_use = "it does nothing unless it is awaited"]
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").field("within", &self.within).finish_non_exhaustive()
    }
}

impl IntoFuture for Refresh {
    type Output = Result<(), Failure>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            let is_new = |answered: &Answered| answered.number > self.after;
            let wait = self.answers.wait_for(|one| is_new(one) && (one.outcome.is_ok() || !self.is_patient));
            match tokio::time::timeout(self.within, wait).await {
                Ok(Ok(answered)) => return answered.outcome.clone(),
                Ok(Err(_)) => return Err(Failure::new("nothing keeps the flags fresh any more")),
                Err(_) => {}
            }
            let last = self.answers.borrow();
            let why =
                last.outcome.clone().err().filter(|_| is_new(&last)).map_or(String::new(), |why| format!(": {why}"));
            Err(Failure::new(format!("no answer within {} s{why}", self.within.as_secs_f64())))
        })
    }
}

/// The last answer, with the index of its request.
#[derive(Debug)]
struct Answered {
    number: u64,
    outcome: Result<(), Failure>,
}

/// The requests to a source: their number, the outcome of the last, and when the next is due.
#[derive(Debug)]
pub(crate) struct Questions {
    begun: AtomicU64,
    answers: watch::Sender<Answered>,
    /// When the task continues at the latest, in milliseconds of the system clock, which runs on while a process is
    /// frozen.
    due_ms: AtomicU64,
    /// Whether the task continued much later, and has had no answer since.
    is_thawed: AtomicBool,
}

/// A task that continues this much late was in a frozen process (11.26).
const LATE_MS: u64 = 1_000;

impl Questions {
    pub(crate) fn new() -> Self {
        let none = Answered { number: 0, outcome: Ok(()) };
        Questions {
            begun: AtomicU64::new(0),
            answers: watch::Sender::new(none),
            due_ms: AtomicU64::new(u64::MAX),
            is_thawed: AtomicBool::new(false),
        }
    }

    /// The task will continue after this time, unless its process is frozen.
    pub(crate) fn sleep(&self, time: Duration) {
        self.due_ms.store(now_ms().saturating_add(milliseconds(time)), Ordering::SeqCst);
    }

    /// The task continues.
    pub(crate) fn awake(&self) {
        if self.is_late() {
            self.is_thawed.store(true, Ordering::SeqCst);
        }
        self.due_ms.store(u64::MAX, Ordering::SeqCst);
    }

    /// A request begins, which is answered or fails within this time.
    pub(crate) fn begin(&self, timeout: Duration) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.sleep(timeout);
    }

    pub(crate) fn end(&self, outcome: Result<(), Failure>) {
        self.due_ms.store(u64::MAX, Ordering::SeqCst);
        self.is_thawed.store(false, Ordering::SeqCst);
        self.answers.send_replace(Answered { number: self.begun.load(Ordering::SeqCst), outcome });
    }

    /// The answer of the next request.
    pub(crate) fn next(&self, within: Duration) -> Refresh {
        let after = self.begun.load(Ordering::SeqCst);
        Refresh { answers: self.answers.subscribe(), after, is_patient: false, within }
    }

    /// The good answer that a caller awaits after a thaw.
    pub(crate) fn after_thaw(&self, within: Duration) -> Option<Refresh> {
        if !self.is_late() && !self.is_thawed.load(Ordering::SeqCst) {
            return None;
        }
        let answers = self.answers.subscribe();
        let after = answers.borrow().number;
        Some(Refresh { answers, after, is_patient: true, within })
    }

    /// The wait is over: later calls do not wait again.
    pub(crate) fn forget_thaw(&self) {
        self.is_thawed.store(false, Ordering::SeqCst);
        self.due_ms.store(u64::MAX, Ordering::SeqCst);
    }

    fn is_late(&self) -> bool {
        now_ms() > self.due_ms.load(Ordering::SeqCst).saturating_add(LATE_MS)
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, milliseconds)
}
