//! The cached copy: the last good answer of a source, on disk, for a start while the store is down (11.23).

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use esclusa::sync::{Request, should_save};

use crate::disk::{self, Disk};
use crate::source::{Answer, Failure, News, Source, Translation, set_of};
use crate::syncing::{BEGIN_WITHIN, asked, begun};

/// A source whose last good answer is kept in a file and published first at the next start.
///
/// The file is written in the background and never delays an answer. It is replaced as a whole (written to a temporary
/// file, flushed to the disk, renamed), so that a reader finds the old copy or the new one. Several processes may share
/// it: only an answer whose revision is not older replaces a copy.
#[derive(Clone, Debug)]
pub struct Cached<S> {
    source: S,
    writer: Arc<Writer>,
}

impl<S: Source> Cached<S> {
    /// The copy's folder must exist; the file need not.
    pub fn new(source: S, path: impl Into<PathBuf>) -> Self {
        let translation = source.translation();
        Cached { source, writer: Arc::new(Writer { path: path.into(), translation, next: Mutex::default() }) }
    }
}

impl<S: Source> Source for Cached<S> {
    fn name(&self) -> String {
        self.source.name()
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        let answer = asked(self.source.fetch(request), request).await?;
        if let Answer::Snapshot { bytes, .. } = &answer {
            self.writer.save(bytes.clone());
        }
        Ok(answer)
    }

    async fn news(&mut self) -> News {
        self.source.news().await
    }

    async fn bootstrap(&mut self) -> Option<Vec<u8>> {
        let path = self.writer.path.clone();
        let mut disk = Disk::default();
        // Half of the driver's wait, so that there is time for the bootstrap of the source itself.
        let translation = self.writer.translation.clone();
        let read = disk.run(move || read(&path, translation.as_deref()));
        let read = tokio::time::timeout(BEGIN_WITHIN / 2, read).await;
        let problem = match read {
            Ok(Ok(Ok(Some(copy)))) => return Some(copy.bytes),
            Ok(Ok(Ok(None))) => None,
            Ok(Ok(Err(problem))) => Some(problem),
            Ok(Err(problem)) => Some(problem.to_string()),
            Err(_) => Some(format!("it could not be read within {:?}", BEGIN_WITHIN / 2)),
        };
        if let Some(problem) = problem {
            tracing::warn!("esclusa: the copy `{}` cannot be used: {problem}", self.writer.path.display());
        }
        begun(&mut self.source).await
    }

    fn translation(&self) -> Option<Arc<dyn Translation>> {
        self.source.translation()
    }
}

/// Writes copies, one at a time and the newest next.
#[derive(Debug)]
struct Writer {
    path: PathBuf,
    translation: Option<Arc<dyn Translation>>,
    next: Mutex<Next>,
}

/// The next copy to write.
#[derive(Debug, Default)]
struct Next {
    bytes: Option<Vec<u8>>,
    /// Whether a thread is writing. If the disk hangs, there is only this one thread.
    is_writing: bool,
}

impl Writer {
    fn next(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(self: &Arc<Self>, bytes: Vec<u8>) {
        let mut next = self.next();
        next.bytes = Some(bytes);
        if !std::mem::replace(&mut next.is_writing, true) {
            let writer = Arc::clone(self);
            // A thread of its own: a runtime that shuts down would wait for one of its threads that hangs.
            std::thread::spawn(move || writer.write());
        }
    }

    fn write(&self) {
        loop {
            let bytes = {
                let mut next = self.next();
                let Some(bytes) = next.bytes.take() else {
                    next.is_writing = false;
                    return;
                };
                bytes
            };
            if let Err(problem) = save_newer(&self.path, self.translation.as_deref(), &bytes) {
                tracing::warn!("esclusa: the copy `{}` cannot be written: {problem}", self.path.display());
            }
        }
    }
}

struct Copy {
    bytes: Vec<u8>,
    revision: Option<u64>,
}

/// The copy, if there is one.
fn read(path: &Path, translation: Option<&dyn Translation>) -> Result<Option<Copy>, String> {
    let bytes = match disk::read(path) {
        Ok(bytes) => bytes,
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(problem) => return Err(problem.to_string()),
    };
    let revision = set_of(translation, &bytes).map_err(|failure| failure.error)?.revision();
    Ok(Some(Copy { bytes, revision }))
}

/// Saves a snapshot that can be published, unless the present copy is newer.
fn save_newer(path: &Path, translation: Option<&dyn Translation>, bytes: &[u8]) -> io::Result<()> {
    let Ok(set) = set_of(translation, bytes) else { return Ok(()) };
    // A rename would remove a pipe or a device for every other program.
    match disk::regular(path) {
        Err(problem) if problem.kind() != io::ErrorKind::NotFound => return Err(problem),
        _ => {}
    }
    let _lock = lock(path)?;
    let saved = read(path, translation).ok().flatten();
    let is_new = saved.as_ref().is_none_or(|saved| saved.bytes != bytes);
    if is_new && should_save(saved.and_then(|saved| saved.revision), set.revision()) {
        replace(path, bytes)?;
    }
    Ok(())
}

/// The lock of a file next to the copy, for one process at a time. The system releases it when that process ends.
fn lock(path: &Path) -> io::Result<fs::File> {
    let (folder, prefix) = beside(path);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(prefix + "lock"))?;
    file.lock()?;
    Ok(file)
}

/// The folder of the copy, and the prefix of the temporary files in it.
fn beside(path: &Path) -> (&Path, String) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    (folder, format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy()))
}

/// Replaces the file as a whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (folder, prefix) = beside(path);
    sweep(folder, &prefix);
    let mut file = tempfile::Builder::new().prefix(&prefix).suffix(UNFINISHED).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The new name is durable only once the folder is flushed; not every system can do that.
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

const UNFINISHED: &str = ".tmp";
/// A live process never has an unfinished copy for this long.
const ABANDONED: Duration = Duration::from_secs(60);

/// Removes the temporary files of processes that were killed while writing.
fn sweep(folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(prefix) && name.ends_with(UNFINISHED) {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            if modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > ABANDONED)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
