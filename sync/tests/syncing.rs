//! The driver, with sources that say what a test tells them to, and with files.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

mod script;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use esclusa::Flags;
use esclusa_sync::{Answer, Bundled, Failure, File, Layers, News, Options, Request, Source, State, sync};

use script::{Script, answer, fresh, is_on, late, one, replace, soon, until};

#[tokio::test]
async fn it_publishes_tells_what_changed_and_says_how_things_stand() {
    let (flags, script) = (Flags::new(), Script::default());
    let syncing = sync(&flags, script.clone(), soon());
    assert!(!syncing.ready(Duration::from_millis(50)).await, "there is nothing yet");
    assert_eq!(syncing.status().state, State::Starting);
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    syncing.on_publish(|_| panic!("listeners may be broken"));
    syncing.on_publish(move |report| {
        listener.lock().unwrap().push([report.added(), report.removed(), report.changed()].map(<[String]>::to_vec));
    });
    script.say(answer(one(1, "f", true)));
    assert!(syncing.ready(Duration::from_secs(5)).await);
    assert!(is_on(&flags, "f"));
    script.say(answer(one(2, "f", false)));
    until("the change", || !is_on(&flags, "f")).await;
    until("fresh", || syncing.status().state == State::Fresh && syncing.status().revision == Some(2)).await;
    script.say(answer(one(1, "g", true)));
    until("the refusal", || syncing.status().state == State::Failing).await;
    let status = syncing.status();
    assert_eq!(status.last_error.unwrap().error, "revision 1 is older than the current one, 2");
    assert!(status.state == State::Failing && !is_on(&flags, "g"));
    let strings = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        *told.lock().unwrap(),
        [[strings(&["f"]), vec![], vec![]], [vec![], vec![], strings(&["f"])]],
        "told once for each publish that changed something"
    );
}

#[tokio::test]
async fn a_source_that_panics_or_hangs_is_a_failure_like_any_other() {
    struct Broken(u32);
    impl Source for Broken {
        fn name(&self) -> String {
            "broken".to_owned()
        }
        async fn fetch(&mut self, _: &Request) -> Result<Answer, Failure> {
            self.0 += 1;
            match self.0 {
                1 => panic!("broken"),
                2 => std::future::pending().await,
                _ => answer(one(1, "f", true)),
            }
        }
    }
    let flags = Flags::new();
    let syncing = sync(&flags, Broken(0), Options { timeout: Duration::from_millis(50), ..soon() });
    until("the panic", || syncing.status().last_error.is_some_and(|last| last.error == "the source panicked")).await;
    until("the hanging", || syncing.status().last_error.is_some_and(|last| last.error == "no answer within 0.05 s"))
        .await;
    until("the recovery", || syncing.status().state == State::Fresh).await;
    assert!(is_on(&flags, "f"));
}

#[tokio::test]
async fn dropping_ends_it_and_refreshing_asks_at_once() {
    let (flags, script) = (Flags::new(), Script::default());
    script.say(answer(one(1, "f", false)));
    let syncing = sync(&flags, script.clone(), late());
    assert!(syncing.ready(Duration::from_secs(5)).await);
    script.say(answer(one(2, "f", true)));
    syncing.refresh();
    until("the refresh", || is_on(&flags, "f")).await;
    drop(syncing);
    until("the end of the task", || Arc::strong_count(&script.0) == 1).await;
    assert!(is_on(&flags, "f"), "what is published stays");
}

#[tokio::test]
async fn news_is_asked_for_soon() {
    struct Told(Script, Arc<tokio::sync::Notify>);
    impl Source for Told {
        fn name(&self) -> String {
            "told".to_owned()
        }
        async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
            self.0.fetch(request).await
        }
        async fn news(&mut self) -> News {
            self.1.notified().await;
            News::Changed
        }
    }
    let (flags, script, bell) = (Flags::new(), Script::default(), Arc::new(tokio::sync::Notify::new()));
    script.say(answer(one(1, "f", false)));
    let syncing = sync(&flags, Layers::new().layer(Told(script.clone(), Arc::clone(&bell))), late());
    assert!(syncing.ready(Duration::from_secs(5)).await);
    script.say(answer(one(2, "f", true)));
    bell.notify_one();
    until("the news", || is_on(&flags, "f")).await;
}

#[tokio::test]
async fn layers_publish_what_there_is_while_one_fails() {
    let (flags, store, top) = (Flags::new(), Script::default(), Script::default());
    top.say(answer(r#"{"esclusa": 1, "layer": "switches", "flags": [{"name": "f", "enabled": true}]}"#.to_owned()));
    let bundled = Bundled::new(r#"[{"name": "f", "enabled": false}, {"name": "ground", "enabled": true}]"#);
    let layers = Layers::new().layer(top).layer(store.clone()).layer(bundled);
    let syncing = sync(&flags, layers, soon());
    assert!(syncing.available(Duration::from_secs(5)).await, "the ground is there at once");
    assert!(!syncing.ready(Duration::from_millis(20)).await, "a layer has not answered (11.15)");
    until("the switch over the ground", || is_on(&flags, "f") && is_on(&flags, "ground")).await;
    let status = syncing.status();
    assert_eq!(status.source, "script over script over bundled");
    assert_eq!((status.state, status.last_error.unwrap().error.as_str()), (State::Failing, "script: nothing to say"));
    assert_eq!(flags.current().revision(), None, "a layer is missing (13.4)");

    store.say(answer(one(5, "ground", false)));
    until("the store", || syncing.status().state == State::Fresh).await;
    assert!(!is_on(&flags, "ground") && is_on(&flags, "f"));
    assert_eq!(syncing.status().revision, Some(5));

    store.say(answer("<html>".to_owned()));
    until("the refusal", || syncing.status().state == State::Failing).await;
    assert!(
        syncing.status().last_error.unwrap().error.starts_with("script: line 1, column 1: is not JSON"),
        "{:?}",
        syncing.status()
    );
    assert!(!is_on(&flags, "ground"), "what the layer said before stays (13.8)");
    store.say(answer(one(4, "ground", true)));
    until("the older one", || {
        syncing.status().last_error.is_some_and(|last| last.error == "revision 4 is older than the current one, 5")
    })
    .await;
    store.say(answer(one(6, "ground", true)));
    until("the recovery", || syncing.status().revision == Some(6) && is_on(&flags, "ground")).await;
}

#[tokio::test]
async fn a_layer_that_never_answers_or_panics_keeps_back_no_other() {
    struct Hanging;
    impl Source for Hanging {
        fn name(&self) -> String {
            "hanging".to_owned()
        }
        async fn fetch(&mut self, _: &Request) -> Result<Answer, Failure> {
            std::future::pending().await
        }
    }
    struct Panicking;
    impl Source for Panicking {
        fn name(&self) -> String {
            "panicking".to_owned()
        }
        async fn fetch(&mut self, _: &Request) -> Result<Answer, Failure> {
            panic!("broken")
        }
    }
    let (flags, store, garbage) = (Flags::new(), Script::default(), Script::default());
    garbage.say(Err(Failure { instead: Some(b"<html>".to_vec()), ..Failure::new("gone") }));
    let layers = Layers::new()
        .layer(Hanging)
        .layer(Panicking)
        .layer(garbage)
        .layer(store.clone())
        .timeout(Duration::from_millis(50));
    let syncing = sync(&flags, layers, soon());
    for (revision, enabled) in [(1, true), (2, false)] {
        store.say(answer(one(revision, "f", enabled)));
        until("what the last says", || is_on(&flags, "f") == enabled).await;
    }
    let error = syncing.status().last_error.unwrap().error;
    assert!(
        error.starts_with("hanging: no answer within 0.05 s; panicking: the source panicked; script: gone; instead: "),
        "{error}"
    );
}

/// What a layer says is not lost when the whole is cut off before the others have answered.
#[tokio::test]
async fn an_ask_that_is_cut_off_loses_nothing() {
    #[derive(Clone, Default)]
    struct Door(Arc<AtomicBool>);
    impl Source for Door {
        fn name(&self) -> String {
            "door".to_owned()
        }
        async fn fetch(&mut self, _: &Request) -> Result<Answer, Failure> {
            if self.0.load(Ordering::SeqCst) {
                answer(r#"{"esclusa": 1, "flags": []}"#.to_owned())
            } else {
                std::future::pending().await
            }
        }
    }
    struct Tagged(Script);
    impl Source for Tagged {
        fn name(&self) -> String {
            "tagged".to_owned()
        }
        async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
            match self.0.fetch(request).await? {
                Answer::Snapshot { bytes, .. } => {
                    let etag = Some(String::from_utf8_lossy(&bytes).into_owned());
                    Ok(if request.etag == etag { Answer::NotModified } else { Answer::Snapshot { bytes, etag } })
                }
                Answer::NotModified => Ok(Answer::NotModified),
            }
        }
    }
    let (flags, door, store) = (Flags::new(), Door::default(), Script::default());
    door.0.store(true, Ordering::SeqCst);
    store.say(answer(one(1, "f", false)));
    let layers = Layers::new().layer(door.clone()).layer(Tagged(store.clone()));
    let syncing = sync(&flags, layers, Options { timeout: Duration::from_millis(50), ..soon() });
    until("the first", || syncing.status().state == State::Fresh).await;
    door.0.store(false, Ordering::SeqCst);
    store.say(answer(one(2, "f", true)));
    until("the cutting off", || syncing.status().state == State::Failing).await;
    door.0.store(true, Ordering::SeqCst);
    until("the recovery", || syncing.status().state == State::Fresh).await;
    assert!(is_on(&flags, "f"), "{}", syncing.status());
}

#[tokio::test]
async fn a_file_is_read_when_it_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    let flags = Flags::new();
    // The interval is an hour: only the watch can tell.
    let syncing = sync(&flags, File::new(&path), late());
    until("the missing file", || syncing.status().last_error.is_some()).await;
    assert!(syncing.status().last_error.unwrap().error.contains("flags.json`: No such file"), "{}", syncing.status());
    replace(&path, &one(1, "f", true));
    fresh(&syncing).await;
    for revision in 2..12 {
        replace(&path, &one(revision, "f", revision % 2 == 0));
        until("the replacement", || flags.current().revision() == Some(revision)).await;
    }
    std::fs::remove_file(&path).unwrap();
    syncing.refresh();
    until("the failure", || syncing.status().state == State::Failing).await;
    assert_eq!(flags.current().revision(), Some(11), "a file that is gone turns nothing off");
    replace(&path, &one(12, "f", true));
    fresh(&syncing).await;
    assert_eq!(flags.current().revision(), Some(12));
}

/// Reading a pipe waits for a writer without end, and blocks a thread.
#[cfg(unix)]
#[tokio::test]
async fn what_is_no_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("flags.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe, folder.path().to_owned()] {
        let syncing = sync(&Flags::new(), File::new(path), soon());
        until("the failure", || syncing.status().last_error.is_some()).await;
        let error = syncing.status().last_error.unwrap().error;
        assert!(error.ends_with("it is not a regular file, expected one"), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_is_half_written_is_never_published() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.json");
    let filling = "x".repeat(400_000);
    let text = |revision: u64| {
        format!(
            r#"{{"esclusa": 1, "revision": {revision}, "flags": [{{"name": "f", "enabled": true}}, {{"name": "g", "enabled": true, "description": "{filling}"}}]}}"#
        )
    };
    std::fs::write(&path, text(1)).unwrap();
    let flags = Flags::new();
    let syncing = sync(&flags, File::new(&path), soon());
    fresh(&syncing).await;
    let writer = std::thread::spawn({
        let (path, texts) = (path.clone(), (2..8).map(text).collect::<Vec<_>>());
        move || {
            use std::io::Write;
            for text in texts {
                let mut file = std::fs::File::create(&path).unwrap();
                for part in text.as_bytes().chunks(50_000) {
                    file.write_all(part).unwrap();
                    file.flush().unwrap();
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
        }
    });
    while !writer.is_finished() {
        let set = flags.current();
        assert!(set.len() == 2 && is_on(&flags, "f") && is_on(&flags, "g"), "a whole snapshot at every time");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    until("the last one", || flags.current().revision() == Some(7)).await;
    fresh(&syncing).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_mounted_config_map_is_read_when_its_link_is_swapped() {
    let folder = tempfile::tempdir().unwrap();
    let make = |version: &str, revision: u64| {
        let data = folder.path().join(version);
        std::fs::create_dir(&data).unwrap();
        std::fs::write(data.join("flags.json"), one(revision, "f", true)).unwrap();
        let link = folder.path().join("..data_tmp");
        std::os::unix::fs::symlink(version, &link).unwrap();
        std::fs::rename(link, folder.path().join("..data")).unwrap();
    };
    make("..2025_01", 1);
    std::os::unix::fs::symlink("..data/flags.json", folder.path().join("flags.json")).unwrap();
    let flags = Flags::new();
    let syncing = sync(&flags, File::new(folder.path().join("flags.json")), late());
    fresh(&syncing).await;
    make("..2025_02", 2);
    until("the swap", || flags.current().revision() == Some(2)).await;
}
