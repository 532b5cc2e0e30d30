//! A file, watched: a change is published within a moment, and what is half written never is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use esclusa::limit::MAX_SNAPSHOT_BYTES;
use esclusa::sync::Request;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use crate::source::{Answer, Failure, News, Source};

/// How often the file is looked at besides being watched: a network file system tells nothing, and a folder may come
/// later.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A file that changed less than this ago may still be written; the clocks of file systems tick a few milliseconds.
const SETTLED: Duration = Duration::from_millis(30);
/// So many times a file may change while it is read before it counts as being written.
const MAX_READS: usize = 20;

/// A snapshot in a file.
///
/// Replace it by renaming another file over it, as `kubectl`, `rsync` and most deployment tools do. A file that is
/// written in place is read when it has come to rest, and what is no whole snapshot is not published.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    changed: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
    /// What the file looked like when it was looked at last.
    seen: Option<Look>,
}

/// What tells one content of a file from the next.
type Look = String;

impl File {
    /// The file need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        File { path: path.into(), changed: Arc::default(), watcher: None, seen: None }
    }

    /// Watches the folder: a file that is replaced is another file, and a watch would stay with the old one.
    fn watch(&mut self) {
        if self.watcher.is_some() {
            return;
        }
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let name = self.path.file_name().map(ToOwned::to_owned);
        let changed = Arc::clone(&self.changed);
        let tell = move |event: notify::Result<notify::Event>| {
            // A folder of Kubernetes changes its content by renaming `..data`, which the file points into.
            let concerns = |path: &PathBuf| {
                let changed = path.file_name();
                changed == name.as_deref() || changed.is_some_and(|changed| changed == "..data")
            };
            // After an error something may have been missed.
            if event.map_or(true, |event| !event.kind.is_access() && event.paths.iter().any(concerns)) {
                changed.notify_one();
            }
        };
        let watcher = notify::recommended_watcher(tell).and_then(|mut watcher| {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        match watcher {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(problem) => tracing::debug!(
                "esclusa: `{}` cannot be watched, it is looked at every {} s: {problem}",
                folder.display(),
                LOOK_EVERY.as_secs()
            ),
        }
    }

    async fn look(&self) -> io::Result<Look> {
        let metadata = tokio::fs::metadata(&self.path).await?;
        // A pipe would be waited for without end.
        if !metadata.is_file() {
            return Err(io::Error::other("it is no file, expected one"));
        }
        // The time of the last change alone would miss one within the same tick.
        Ok(format!("{:?}-{}-{}", metadata.modified()?, metadata.len(), number(&metadata)))
    }

    /// Whether the file changed so lately that it may be changed again within the same tick of the clock.
    async fn is_settling(&self) -> bool {
        let modified = tokio::fs::metadata(&self.path).await.and_then(|metadata| metadata.modified());
        modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < SETTLED))
    }
}

#[cfg(unix)]
fn number(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn number(_: &std::fs::Metadata) -> u64 {
    0
}

impl Source for File {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        self.watch();
        let missing = |problem: io::Error| Failure::new(format!("`{}`: {problem}", self.path.display()));
        for _ in 0..MAX_READS {
            let before = self.look().await.map_err(missing)?;
            self.seen = Some(before.clone());
            if request.etag.as_ref() == Some(&before) {
                return Ok(Answer::NotModified);
            }
            if self.is_settling().await {
                tokio::time::sleep(SETTLED).await;
                continue;
            }
            let length = tokio::fs::metadata(&self.path).await.map_err(missing)?.len();
            if length > MAX_SNAPSHOT_BYTES as u64 {
                let path = self.path.display();
                return Err(Failure::new(format!(
                    "`{path}` has {length} bytes, expected at most {MAX_SNAPSHOT_BYTES}"
                )));
            }
            let bytes = tokio::fs::read(&self.path).await.map_err(missing)?;
            if self.look().await.map_err(missing)? == before {
                return Ok(Answer::Snapshot { bytes, etag: Some(before) });
            }
        }
        Err(Failure::new(format!("`{}` changes without end, expected it to come to rest", self.path.display())))
    }

    async fn news(&mut self) -> News {
        loop {
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = self.look().await.ok();
            if now.is_some() && now != self.seen {
                self.seen = now;
                return News::Changed;
            }
        }
    }
}
