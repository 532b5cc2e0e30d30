//! What was heard, on its way into the store: requests that wait at the same time are one transaction, and each is answered
//! after the commit.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use esclusa::Time;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

use super::hourly::{Heard, Limits, sweep, take};
use crate::problem::Problem;
use crate::store::{Purpose, Store};
use crate::tap::lock;

/// How many requests may wait: what comes beyond that is told to come again.
const MAX_WAITING: usize = 500;
/// How many of them are one transaction.
const TOGETHER: usize = 100;
/// How often old hours are deleted.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

struct Waiting {
    heard: Heard,
    answer: oneshot::Sender<Result<(), Problem>>,
}

/// Takes what was heard.
pub(super) struct Writer(mpsc::Sender<Waiting>);

impl Writer {
    pub(super) fn start(store: Store, keep_days: u32) -> Self {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        tokio::spawn(write(store, keep_days, receiver));
        Writer(sender)
    }

    /// Ends when it is in the store.
    pub(super) async fn add(&self, heard: Heard) -> Result<(), Problem> {
        let (answer, answered) = oneshot::channel();
        let full = |_| Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests wait for the store");
        self.0.try_send(Waiting { heard, answer }).map_err(full)?;
        let broken = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server is about to stop");
        answered.await.map_err(broken)?
    }
}

async fn write(store: Store, keep_days: u32, mut waiting: mpsc::Receiver<Waiting>) {
    let limits = Arc::new(Mutex::new(Limits::default()));
    let mut sweeping = interval(SWEEP_EVERY);
    sweeping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Nothing was written yet.
    sweeping.tick().await;
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            count = waiting.recv_many(&mut batch, TOGETHER) => if count == 0 { return },
            _ = sweeping.tick() => {
                let now = now();
                lock(&limits).forget(now);
                if let Err(problem) = store.run(Purpose::Counting, move |table| sweep(table, now, keep_days)).await {
                    tracing::warn!("old usage is not deleted: {}", problem.detail());
                }
            }
        }
        let (heard, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|one| (one.heard, one.answer)).unzip();
        if heard.is_empty() {
            continue;
        }
        let done = add(&store, &limits, heard.clone()).await;
        let is_alone = heard.len() == 1;
        for (heard, answer) in heard.into_iter().zip(answers) {
            let done = match &done {
                // One that the store refuses spoils no other.
                Err(problem) if !is_alone && problem.status() != StatusCode::SERVICE_UNAVAILABLE => {
                    add(&store, &limits, vec![heard]).await
                }
                done => done.clone(),
            };
            // Who asked may be gone.
            let _ = answer.send(done);
        }
    }
}

async fn add(store: &Store, limits: &Arc<Mutex<Limits>>, heard: Vec<Heard>) -> Result<(), Problem> {
    let (limits, now) = (Arc::clone(limits), now());
    let refused = store.run(Purpose::Counting, move |table| take(table, &heard, &mut lock(&limits), now)).await?;
    if let Some(refused) = refused {
        tracing::warn!("rows of usage are not written: {refused}");
    }
    Ok(())
}

fn now() -> Time {
    Time::from(SystemTime::now())
}
