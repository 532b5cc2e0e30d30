//! What must not delay an answer or take flags away: copies, what hangs, and answers that are not the whole.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod script;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use esclusa::Flags;
use esclusa_sync::{Answer, Bundled, Cached, Failure, File, Layers, Options, Request, Source, State, sync};
use script::{Script, answer, fresh, is_on, late, one, soon, until};

#[tokio::test]
async fn a_cached_copy_answers_while_the_store_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.json");
    let (flags, script) = (Flags::new(), Script::default());
    script.say(answer(one(7, "f", true)));
    let syncing = sync(&flags, Cached::new(script.clone(), &copy), soon());
    until("the copy", || std::fs::read(&copy).is_ok_and(|bytes| bytes == one(7, "f", true).as_bytes())).await;
    for bad in [one(6, "g", true), "[{".to_owned()] {
        script.say(answer(bad));
        until("the failure", || syncing.status().state == State::Failing).await;
        assert_eq!(std::fs::read(&copy).unwrap(), one(7, "f", true).as_bytes(), "only what is good is saved");
        script.say(answer(one(7, "f", true)));
        until("the recovery", || syncing.status().state == State::Fresh).await;
    }
    drop(syncing);

    let (flags, away) = (Flags::new(), Script::default());
    let syncing = sync(&flags, Cached::new(away.clone(), &copy), soon());
    assert!(syncing.available(Duration::from_secs(5)).await);
    assert!(!syncing.ready(Duration::from_millis(20)).await, "the store has not answered (11.15)");
    assert!(is_on(&flags, "f"));
    until("the failure", || syncing.status().state == State::Failing).await;
    assert_eq!((syncing.status().revision, syncing.status().age), (Some(7), None));
    away.say(answer(one(8, "f", false)));
    assert!(syncing.ready(Duration::from_secs(5)).await, "failures before do not end the wait");
    until("the store", || syncing.status().state == State::Fresh && !is_on(&flags, "f")).await;
    until("the copy", || std::fs::read(&copy).is_ok_and(|bytes| bytes == one(8, "f", false).as_bytes())).await;
    drop(syncing);

    std::fs::write(&copy, "{\"esclusa\": 1, \"fla").unwrap();
    let flags = Flags::new();
    let syncing = sync(&flags, Cached::new(Script::default(), &copy), soon());
    assert!(!syncing.ready(Duration::from_millis(100)).await, "a copy that cannot be read is no copy");
    assert_eq!(syncing.status().state, State::Starting);
}

/// A file system that hangs: reading the copy ends only when the pipe has a writer, and then without a word.
#[cfg(unix)]
#[tokio::test]
async fn a_copy_that_cannot_be_read_or_written_delays_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("copy.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe, std::path::PathBuf::from("/dev/zero"), folder.path().join("nowhere/copy.json")] {
        let (flags, script) = (Flags::new(), Script::default());
        script.say(answer(one(1, "f", true)));
        let begin = Instant::now();
        let syncing = sync(&flags, Cached::new(script.clone(), &path), soon());
        assert!(syncing.ready(Duration::from_secs(5)).await, "{}", syncing.status());
        assert!(begin.elapsed() < Duration::from_secs(3) && is_on(&flags, "f"));
        script.say(answer(one(2, "f", false)));
        until("the rollback", || !is_on(&flags, "f")).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!path.is_file(), "what is no file is not replaced by one");
    }
}

/// A bootstrap that hangs, of a copy or a layer, is skipped.
#[tokio::test]
async fn a_bootstrap_that_hangs_delays_the_answer_by_two_seconds_at_most() {
    struct Hanging(Script);
    impl Source for Hanging {
        fn name(&self) -> String {
            "hanging".to_owned()
        }
        async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
            self.0.fetch(request).await
        }
        async fn bootstrap(&mut self) -> Option<Vec<u8>> {
            std::future::pending().await
        }
    }
    let script = Script::default();
    script.say(answer(one(1, "f", true)));
    let (alone, layered) = (Flags::new(), Flags::new());
    let first = sync(&alone, Hanging(script.clone()), soon());
    let bundled = Bundled::new(r#"[{"name": "ground", "enabled": true}]"#);
    let second = sync(&layered, Layers::new().layer(Hanging(script)).layer(bundled), soon());
    assert!(first.ready(Duration::from_secs(4)).await && second.ready(Duration::from_secs(4)).await);
    assert!(is_on(&alone, "f") && is_on(&layered, "f") && is_on(&layered, "ground"));
}

/// Two processes behind two edges of a cache share a copy: the one that lags does not put it back.
#[tokio::test]
async fn a_shared_copy_never_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.json");
    let revision = || std::fs::read(&copy).ok().and_then(|bytes| esclusa::FlagSet::from_json(&bytes).ok()?.revision());
    let (lagging, ahead) = (Script::default(), Script::default());
    let (first, second) = (Flags::new(), Flags::new());
    lagging.say(answer(one(5, "f", true)));
    let _first = sync(&first, Cached::new(lagging.clone(), &copy), soon());
    until("the first copy", || revision() == Some(5)).await;
    ahead.say(answer(one(9, "f", false)));
    let _second = sync(&second, Cached::new(ahead.clone(), &copy), soon());
    until("the rollback in the copy", || revision() == Some(9)).await;
    lagging.say(answer(one(6, "f", true)));
    until("the lagging answer", || first.current().revision() == Some(6)).await;
    lagging.say(answer(one(10, "f", true)));
    until("the next copy", || {
        assert!(revision().is_some_and(|revision| revision >= 9), "the copy went back");
        revision() == Some(10)
    })
    .await;
}

#[tokio::test]
async fn an_answer_without_rows_is_a_failure_unless_the_app_allows_it() {
    let (flags, script) = (Flags::new(), Script::default());
    script.say(answer("[]".to_owned()));
    let syncing = sync(&flags, script.clone(), soon());
    until("the failure at the start", || syncing.status().failures > 0).await;
    assert_eq!(syncing.status().state, State::Starting);
    script.say(answer(r#"[{"name": "f", "enabled": true}]"#.to_owned()));
    until("the rows", || is_on(&flags, "f")).await;
    script.say(answer(" [ ] ".to_owned()));
    until("the failure", || syncing.status().state == State::Failing).await;
    assert!(is_on(&flags, "f") && syncing.status().last_error.unwrap().error.contains("has no rows"));
    script.say(answer(r#"{"esclusa": 1, "flags": []}"#.to_owned()));
    until("the empty document", || !is_on(&flags, "f")).await;

    let (flags, script) = (Flags::new(), Script::default());
    script.say(answer("[]".to_owned()));
    let syncing = sync(&flags, script, Options { allow_empty: true, ..soon() });
    assert!(syncing.ready(Duration::from_secs(5)).await);

    let (flags, script) = (Flags::new(), Script::default());
    script.say(answer("[]".to_owned()));
    let syncing = sync(&flags, Layers::new().layer(script.clone()).layer(Bundled::new(one(1, "f", true))), soon());
    until("the failing layer", || syncing.status().state == State::Failing).await;
    assert!(is_on(&flags, "f"));
    let layers = Layers::new().layer(script).layer(Bundled::new(one(1, "f", true)));
    let syncing = sync(&Flags::new(), layers, Options { allow_empty: true, ..soon() });
    assert!(syncing.ready(Duration::from_secs(5)).await, "{}", syncing.status());
}

#[tokio::test]
async fn an_answer_without_rows_does_not_replace_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.json");
    let rows = r#"[{"name": "f", "enabled": true}]"#;
    let (flags, script) = (Flags::new(), Script::default());
    script.say(answer(rows.to_owned()));
    let syncing = sync(&flags, Cached::new(script.clone(), &copy), soon());
    until("the copy", || std::fs::read(&copy).is_ok_and(|bytes| bytes == rows.as_bytes())).await;
    script.say(answer("[]".to_owned()));
    until("the failures", || syncing.status().failures > 2).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), rows);
}

#[tokio::test]
async fn a_layer_is_asked_in_full_when_that_is_due() {
    struct Recording(Arc<Mutex<Vec<Request>>>);
    impl Source for Recording {
        fn name(&self) -> String {
            "recording".to_owned()
        }
        async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
            self.0.lock().unwrap().push(request.clone());
            Ok(Answer::Snapshot { bytes: one(1, "f", true).into_bytes(), etag: Some("tag".to_owned()) })
        }
    }
    let requests = Arc::<Mutex<Vec<Request>>>::default();
    let flags = Flags::new();
    let _syncing = sync(&flags, Layers::new().layer(Recording(Arc::clone(&requests))), soon());
    until("the second request", || requests.lock().unwrap().len() > 1).await;
    let requests = requests.lock().unwrap();
    let asked = |at: usize| (requests[at].in_full, requests[at].etag.clone());
    assert_eq!([asked(0), asked(1)], [(true, None), (false, Some("tag".to_owned()))]);
}

#[tokio::test]
async fn the_time_of_the_last_error_does_not_move() {
    let syncing = sync(&Flags::new(), Script::default(), late());
    until("the failure", || syncing.status().last_error.is_some()).await;
    let at = syncing.status().last_error.unwrap().at;
    for _ in 0..200 {
        assert_eq!(syncing.status().last_error.unwrap().at, at);
    }
}

/// A time that is set back after an edit of the same length hides nothing.
#[cfg(unix)]
#[tokio::test]
async fn an_edit_that_keeps_time_and_length_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    std::fs::write(&path, one(1, "f", true)).unwrap();
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    let flags = Flags::new();
    let syncing = sync(&flags, File::new(&path), soon());
    fresh(&syncing).await;
    let edited = one(2, "f", true);
    assert_eq!(edited.len(), one(1, "f", true).len());
    std::fs::write(&path, edited).unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    until("the edit", || flags.current().revision() == Some(2)).await;
}

#[tokio::test]
async fn a_file_that_is_removed_is_news() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    std::fs::write(&path, one(1, "f", true)).unwrap();
    let flags = Flags::new();
    let syncing = sync(&flags, File::new(&path), late());
    fresh(&syncing).await;
    std::fs::remove_file(&path).unwrap();
    until("the failure", || syncing.status().state == State::Failing).await;
    assert!(is_on(&flags, "f"));
}
