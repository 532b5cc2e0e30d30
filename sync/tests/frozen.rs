//! Processes that are frozen between calls, and asking on demand.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod script;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use esclusa::{Context, Flags, Time};
use esclusa_sync::{Answer, Failure, Options, Policy, Request, Source, Syncing, sync};
use script::{Script, answer, fresh, is_on, late, one, soon};

/// Answers as it is told to, after a while.
struct Slow(Script, Arc<AtomicU64>);

impl Source for Slow {
    fn name(&self) -> String {
        "slow".to_owned()
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        tokio::time::sleep(Duration::from_millis(self.1.load(Ordering::SeqCst))).await;
        self.0.fetch(request).await
    }
}

#[tokio::test]
async fn a_refresh_ends_with_the_answer_or_says_why_there_is_none() {
    let (flags, script, slow) = (Flags::new(), Script::default(), Arc::new(AtomicU64::new(0)));
    script.say(answer(one(1, "f", false)));
    let syncing = sync(&flags, Slow(script.clone(), Arc::clone(&slow)), late());
    fresh(&syncing).await;
    for revision in 2..30 {
        script.say(answer(one(revision, "f", revision % 2 == 0)));
        syncing.refresh().await.unwrap();
        assert_eq!((flags.current().revision(), is_on(&flags, "f")), (Some(revision), revision % 2 == 0));
    }
    // The same again is an answer too.
    syncing.refresh().within(Duration::from_secs(5)).await.unwrap();

    for (said, expected) in [
        (Err(Failure::new("gone")), "gone"),
        (answer("<html>".to_owned()), "JSON"),
        (answer(one(7, "f", true)), "revision"),
        (answer("[]".to_owned()), "no rows"),
    ] {
        script.say(said);
        let error = syncing.refresh().await.unwrap_err().error;
        assert!(error.contains(expected), "{error}");
        assert_eq!(syncing.status().last_error.unwrap().error, error, "the status says it too");
    }
    script.say(answer(one(30, "f", true)));
    slow.store(300, Ordering::SeqCst);
    let began = Instant::now();
    let error = syncing.refresh().within(Duration::from_millis(20)).await.unwrap_err().error;
    assert_eq!(error, "no answer within 0.02 s");
    assert!(began.elapsed() < Duration::from_millis(250), "it waits no longer than it was told to");
    // A question that is open was asked before, and does not count as the answer.
    script.say(answer(one(31, "f", false)));
    let (first, second) = (syncing.refresh(), syncing.refresh());
    let (first, second) = tokio::join!(first.into_future(), second.into_future());
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(flags.current().revision(), Some(31));
    let open = syncing.refresh();
    drop(syncing);
    open.within(Duration::from_millis(20)).await.unwrap_err();
}

fn frozen() -> Options {
    Options { thaw: Duration::from_millis(500), ..soon() }
}

/// With one thread, the task waits for its next turn when this returns.
async fn between_questions(syncing: &Syncing) {
    syncing.refresh().await.unwrap();
}

/// Nothing runs meanwhile, as in a function between two calls: the runtime has one thread.
fn freeze() {
    std::thread::sleep(Duration::from_millis(1_300));
}

async fn ask(syncing: &Syncing) -> (bool, Duration) {
    let began = Instant::now();
    let set = syncing.current().await;
    (set.is_enabled("f", &Context::new("ana"), Time::from_millis(0)), began.elapsed())
}

#[tokio::test]
async fn the_first_question_after_a_thaw_waits_if_it_is_told_to() {
    let (flags, script, slow) = (Flags::new(), Script::default(), Arc::new(AtomicU64::new(0)));
    script.say(answer(one(1, "f", false)));
    let syncing = sync(&flags, Slow(script.clone(), Arc::clone(&slow)), frozen());
    fresh(&syncing).await;
    assert!(ask(&syncing).await.1 < Duration::from_millis(100), "nothing was frozen");

    // The task is asleep when the question comes, or has begun to ask.
    for (revision, is_asking) in [(2, false), (3, true)] {
        between_questions(&syncing).await;
        slow.store(100, Ordering::SeqCst);
        script.say(answer(one(revision, "f", revision % 2 == 0)));
        freeze();
        if is_asking {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(ask(&syncing).await.0, revision % 2 == 0, "the answer from after the thaw");
        slow.store(0, Ordering::SeqCst);
    }

    between_questions(&syncing).await;
    script.say(Err(Failure::new("gone")));
    freeze();
    let (is_on, took) = ask(&syncing).await;
    assert!(!is_on && took >= Duration::from_millis(500), "it waited as long as it was told to: {took:?}");
    let error = syncing.status().last_error.unwrap().error;
    assert!(error.contains("gone"), "{error}");
    let (is_on, took) = ask(&syncing).await;
    assert!(!is_on && took < Duration::from_millis(200), "only the first question waits: {took:?}");
}

#[tokio::test]
async fn a_thaw_without_an_answer_is_said_and_without_the_option_nothing_waits() {
    let (flags, script, slow) = (Flags::new(), Script::default(), Arc::new(AtomicU64::new(0)));
    script.say(answer(one(1, "f", true)));
    let syncing = sync(&flags, Slow(script.clone(), Arc::clone(&slow)), frozen());
    fresh(&syncing).await;
    between_questions(&syncing).await;
    slow.store(1_500, Ordering::SeqCst);
    freeze();
    assert!(ask(&syncing).await.0, "what is published answers");
    let error = syncing.status().last_error.unwrap().error;
    assert_eq!(error, "after a thaw: no answer within 0.5 s");

    let (flags, policy) = (Flags::new(), Policy { interval_ms: 20, ..soon().policy });
    let slow = Arc::new(AtomicU64::new(0));
    let syncing = sync(&flags, Slow(script, Arc::clone(&slow)), Options { policy, ..soon() });
    fresh(&syncing).await;
    between_questions(&syncing).await;
    slow.store(1_500, Ordering::SeqCst);
    freeze();
    let (is_on, took) = ask(&syncing).await;
    assert!(is_on && took < Duration::from_millis(50), "{took:?}");
}
