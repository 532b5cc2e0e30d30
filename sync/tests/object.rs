//! An object in memory, in a folder, and in a bucket that speaks S3.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod store;

use std::sync::Arc;
use std::time::Duration;

use esclusa::Flags;
use esclusa_loopback::{Bucket, BucketFault};
use esclusa_sync::object_store::aws::{AmazonS3, AmazonS3Builder};
use esclusa_sync::object_store::local::LocalFileSystem;
use esclusa_sync::object_store::memory::InMemory;
use esclusa_sync::object_store::path::Path;
use esclusa_sync::object_store::{BackoffConfig, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig};
use esclusa_sync::{Object, State, sync};
use store::{Reader, is_on, options, until};

fn snapshot(revision: u64, enabled: bool) -> String {
    format!(r#"{{"esclusa": 1, "revision": {revision}, "flags": [{{"name": "crm", "enabled": {enabled}}}]}}"#)
}

#[tokio::test]
async fn a_change_is_read_from_every_store_of_the_crate() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let stores: [Arc<dyn ObjectStore>; 2] = [Arc::new(InMemory::new()), Arc::new(local)];
    let path = Path::from("production/flags.json");
    for store in stores {
        let flags = Flags::new();
        let syncing = sync(&flags, Object::new(Arc::clone(&store), path.as_ref()), options(20));
        let said = |word: &str| syncing.status().last_error.is_some_and(|last| last.error.contains(word));
        until("that it is not there", &syncing, || said("not found")).await;
        for (revision, enabled) in [(1, true), (2, false), (3, true)] {
            let put = PutPayload::from(snapshot(revision, enabled));
            store.put(&path, put).await.unwrap();
            until("the change", &syncing, || is_on(&flags) == enabled && syncing.status().revision == Some(revision))
                .await;
        }
        assert!(syncing.status().to_string().contains("/production/flags.json"), "{}", syncing.status());
        let reader = Reader::start(&flags);
        store.delete(&path).await.unwrap();
        until("the failure", &syncing, || syncing.status().state == State::Failing).await;
        reader.check("without the object");
    }
}

fn s3(bucket: &Bucket) -> AmazonS3 {
    // The client of HTTP asks the process for its cryptography.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(1), ..BackoffConfig::default() };
    AmazonS3Builder::new()
        .with_endpoint(bucket.endpoint())
        .with_allow_http(true)
        .with_bucket_name("flags")
        .with_access_key_id("AKIATEST")
        .with_secret_access_key("s3cret")
        .with_retry(RetryConfig { max_retries: 1, backoff, ..RetryConfig::default() })
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_bucket_is_asked_with_its_entity_tag_and_may_fail() {
    let bucket = Bucket::start("flags", "production/flags.json", "AKIATEST").await.unwrap();
    let flags = Flags::new();
    let syncing = sync(&flags, Object::new(Arc::new(s3(&bucket)), "production/flags.json"), options(20));
    let said = |word: &str| syncing.status().last_error.is_some_and(|last| last.error.contains(word));
    until("that it is not there", &syncing, || said("NoSuchKey")).await;
    bucket.put(snapshot(1, true));
    assert!(syncing.ready(Duration::from_secs(10)).await, "{}", syncing.status());
    until("some questions", &syncing, || bucket.counts().1 > 5).await;
    assert_eq!(bucket.counts().0, 1, "an object that is the same is not read again");

    let reader = Reader::start(&flags);
    let faults = [
        (BucketFault::SlowDown, "SlowDown"),
        (BucketFault::AccessDenied, "AccessDenied"),
        (BucketFault::Torn, "flags.json"),
    ];
    for (round, (fault, word)) in (2..).zip(faults) {
        bucket.put(snapshot(round, true));
        bucket.fault(Some(fault));
        until(word, &syncing, || syncing.status().state == State::Failing && said(word)).await;
        reader.check(word);
        let status = syncing.status().to_string();
        assert!(!status.contains("s3cret") && !status.contains("Signature"), "{status}");
        bucket.fault(None);
        until("the recovery", &syncing, || syncing.status().revision == Some(round)).await;
        reader.check("after it");
    }
    drop(reader);
    bucket.put(snapshot(9, false));
    until("the change", &syncing, || !is_on(&flags)).await;
}
