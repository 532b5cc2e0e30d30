//! A file, watched: a change is published within a moment, and a half-written file never is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use esclusa::sync::Request;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use crate::disk::{self, Disk};
use crate::source::{Answer, Failure, News, Source};

/// How often the file is checked besides being watched: a network file system sends no events, and the folder may be
/// created later.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A file that changed less than this ago may still be written to; the clocks of file systems tick a few milliseconds.
const SETTLED: Duration = Duration::from_millis(30);
/// Maximum number of changes of a file while it is read before it counts as being written.
const MAX_READS: usize = 20;

/// A snapshot in a file.
///
/// Replace it by renaming another file over it, as `kubectl`, `rsync` and most deployment tools do. A file that is
/// written in place is read once it no longer changes, and an incomplete snapshot is not published.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    changed: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
    /// The state of the file at the last check.
    seen: Option<Look>,
    disk: Disk,
}

/// Identifies one content of a file.
type Look = String;

impl File {
    /// The file need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        File { path: path.into(), changed: Arc::default(), watcher: None, seen: None, disk: Disk::default() }
    }

    /// Watches the folder: a replacement is another file, and a watch would stay with the old one.
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
            // A Kubernetes folder changes its content by renaming `..data`, which the file points into.
            let concerns = |path: &PathBuf| {
                let changed = path.file_name();
                changed == name.as_deref() || changed.is_some_and(|changed| changed == "..data")
            };
            // After an error an event may have been missed.
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
}

/// The identity of the file's content, and whether it may change again within the same tick of the clock.
fn look(path: &Path) -> io::Result<(Look, bool)> {
    let metadata = disk::regular(path)?;
    let modified = metadata.modified()?;
    let is_settling = modified.elapsed().is_ok_and(|age| age < SETTLED);
    // The time of the last change alone would miss a second change within the same tick.
    Ok((format!("{modified:?}-{}-{}", metadata.len(), number(&metadata)), is_settling))
}

/// The file's content once it no longer changes; `None` if it still matches `known`.
fn read(path: &Path, known: Option<&str>) -> io::Result<Option<(Vec<u8>, Look)>> {
    for _ in 0..MAX_READS {
        let (before, is_settling) = look(path)?;
        if known == Some(&before) {
            return Ok(None);
        }
        if is_settling {
            std::thread::sleep(SETTLED);
            continue;
        }
        let bytes = disk::read(path)?;
        if look(path)?.0 == before {
            return Ok(Some((bytes, before)));
        }
    }
    Err(io::Error::other("it changes without end, expected it to come to rest"))
}

/// The file's inode number, and the time of its last change of any kind, even if its modification time was set back.
#[cfg(unix)]
fn number(metadata: &std::fs::Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    format!("{}-{}.{}", metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn number(_: &std::fs::Metadata) -> String {
    String::new()
}

impl Source for File {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        self.watch();
        let (path, known) = (self.path.clone(), request.etag.clone());
        let read = self.disk.run(move || read(&path, known.as_deref())).await.and_then(|read| read);
        match read {
            Ok(Some((bytes, look))) => {
                self.seen = Some(look.clone());
                Ok(Answer::Snapshot { bytes, etag: Some(look) })
            }
            Ok(None) => Ok(Answer::NotModified),
            Err(problem) => {
                self.seen = None;
                Err(Failure::new(format!("`{}`: {problem}", self.path.display())))
            }
        }
    }

    async fn news(&mut self) -> News {
        loop {
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let path = self.path.clone();
            let looked = self.disk.run(move || look(&path)).await.and_then(|looked| looked);
            let now = looked.ok().map(|(look, _)| look);
            // A file that disappears is news too: the status should not report a good state for an interval.
            if now != self.seen {
                self.seen = now;
                return News::Changed;
            }
        }
    }
}
