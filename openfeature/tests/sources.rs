//! The provider beside a source that fails, and is well again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test stops at what is wrong"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use esclusa::Flags;
use esclusa_openfeature::EsclusaProvider;
use esclusa_sync::{Answer, Bundled, Failure, Layers, Options, Policy, Request, Source, sync};
use open_feature::EvaluationContext;
use open_feature::provider::{FeatureProvider, ProviderStatus};

/// A store that answers what it is told to.
#[derive(Clone)]
struct Store(Arc<Mutex<Result<String, String>>>);

impl Store {
    fn new(answer: Result<&str, &str>) -> Self {
        let store = Store(Arc::new(Mutex::new(Err(String::new()))));
        store.answers(answer);
        store
    }

    fn answers(&self, answer: Result<&str, &str>) {
        *self.0.lock().unwrap() = answer.map(str::to_owned).map_err(str::to_owned);
    }
}

impl Source for Store {
    fn name(&self) -> String {
        "store".to_owned()
    }

    async fn fetch(&mut self, _: &Request) -> Result<Answer, Failure> {
        self.0.lock().unwrap().clone().map(Answer::from).map_err(Failure::new)
    }
}

const ON: &str = r#"[{"name": "a", "enabled": true}]"#;

fn quick() -> Options {
    let policy = Policy {
        interval_ms: 20,
        stale_after_ms: Some(10_000),
        backoff_min_ms: 20,
        backoff_max_ms: 20,
        ..Policy::default()
    };
    Options { policy, ..Options::default() }
}

async fn until(provider: &EsclusaProvider, status: ProviderStatus) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while provider.status() != status {
        assert!(Instant::now() < deadline, "{provider:?} is not {status:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn is_on(provider: &EsclusaProvider) -> bool {
    provider.resolve_bool_value("a", &EvaluationContext::default()).await.is_ok_and(|details| details.value)
}

#[tokio::test]
async fn a_source_that_fails_and_recovers_is_told() {
    let (flags, store) = (Flags::new(), Store::new(Ok(ON)));
    let syncing = Arc::new(sync(&flags, store.clone(), quick()));
    let mut provider = EsclusaProvider::new(&flags).syncing(Arc::clone(&syncing));
    assert_eq!(provider.status(), ProviderStatus::NotReady);
    provider.initialize(&EvaluationContext::default()).await;
    assert_eq!(provider.status(), ProviderStatus::Ready);
    for _ in 0..2 {
        store.answers(Err("gone"));
        until(&provider, ProviderStatus::STALE).await;
        assert!(is_on(&provider).await, "it goes on answering");
        store.answers(Ok(ON));
        until(&provider, ProviderStatus::Ready).await;
    }
}

#[tokio::test]
async fn a_source_that_is_away_at_the_start() {
    let (flags, store) = (Flags::new(), Store::new(Err("gone")));
    let syncing = sync(&flags, store.clone(), quick());
    let mut provider = EsclusaProvider::new(&flags).syncing(syncing).initialization_timeout(Duration::from_millis(50));
    let began = Instant::now();
    provider.initialize(&EvaluationContext::default()).await;
    assert!(began.elapsed() >= Duration::from_millis(50), "it waits for the source");
    assert_eq!(provider.status(), ProviderStatus::Error);
    store.answers(Ok(ON));
    until(&provider, ProviderStatus::Ready).await;
    assert!(is_on(&provider).await);
}

#[tokio::test]
async fn a_copy_answers_and_is_said_to_be_old() {
    let (flags, store) = (Flags::new(), Store::new(Err("gone")));
    let syncing = sync(&flags, Layers::new().layer(store.clone()).layer(Bundled::new(ON)), quick());
    let mut provider = EsclusaProvider::new(&flags).syncing(syncing).initialization_timeout(Duration::from_millis(50));
    provider.initialize(&EvaluationContext::default()).await;
    until(&provider, ProviderStatus::STALE).await;
    assert!(is_on(&provider).await);
    store.answers(Ok(ON));
    until(&provider, ProviderStatus::Ready).await;
}
