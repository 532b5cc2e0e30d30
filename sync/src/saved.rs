//! The last good copy: what a source said last, on disk, for a start while the store is away.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use esclusa::FlagSet;
use esclusa::sync::Request;
use tokio::task::spawn_blocking;

use crate::source::{Answer, Failure, News, Source};

/// Another source, of which the last good answer is kept in a file and published first at the next start.
///
/// The file is replaced as a whole (written beside it, flushed to the disk, renamed), so that whoever reads it, and
/// whatever dies in between, finds the old copy or the new one. It is checked when it is written and when it is read.
#[derive(Clone, Debug)]
pub struct Saved<S> {
    source: S,
    path: PathBuf,
    /// The revision of the copy.
    revision: Option<u64>,
}

impl<S: Source> Saved<S> {
    /// The copy's folder must exist; the file need not.
    pub fn new(source: S, path: impl Into<PathBuf>) -> Self {
        Saved { source, path: path.into(), revision: None }
    }
}

impl<S: Source> Source for Saved<S> {
    fn name(&self) -> String {
        self.source.name()
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        let answer = self.source.fetch(request).await?;
        if let Answer::Snapshot { bytes, .. } = &answer {
            let (path, bytes, before) = (self.path.clone(), bytes.clone(), self.revision);
            let saved = spawn_blocking(move || save_newer(&path, &bytes, before)).await;
            match saved.unwrap_or_else(|problem| Err(io::Error::other(problem))) {
                Ok(revision) => self.revision = revision,
                // The answer is good all the same.
                Err(problem) => {
                    tracing::warn!("esclusa: the copy `{}` cannot be written: {problem}", self.path.display());
                }
            }
        }
        Ok(answer)
    }

    async fn news(&mut self) -> News {
        self.source.news().await
    }

    async fn to_begin_with(&mut self) -> Option<Vec<u8>> {
        let path = self.path.clone();
        match spawn_blocking(move || read(&path)).await.unwrap_or_else(|problem| Err(problem.to_string())) {
            Ok(Some(copy)) => {
                self.revision = copy.revision;
                Some(copy.bytes)
            }
            Ok(None) => self.source.to_begin_with().await,
            Err(problem) => {
                tracing::warn!("esclusa: the copy `{}` cannot be used: {problem}", self.path.display());
                self.source.to_begin_with().await
            }
        }
    }
}

struct Copy {
    bytes: Vec<u8>,
    revision: Option<u64>,
}

/// The copy, if there is one.
fn read(path: &Path) -> Result<Option<Copy>, String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(problem) => return Err(problem.to_string()),
    };
    let revision = FlagSet::from_json(&bytes).map_err(|error| error.to_string())?.revision();
    Ok(Some(Copy { bytes, revision }))
}

/// Saves a snapshot that would be published, and gives the revision of the copy that there is then.
fn save_newer(path: &Path, bytes: &[u8], before: Option<u64>) -> io::Result<Option<u64>> {
    let Ok(set) = FlagSet::from_json(bytes) else { return Ok(before) };
    let is_older = matches!((before, set.revision()), (Some(before), Some(new)) if new < before);
    if !is_older {
        save(path, bytes)?;
    }
    Ok(if is_older { before } else { set.revision() })
}

/// Replaces the file as a whole.
fn save(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.");
    sweep(folder, &prefix);
    let mut file = tempfile::Builder::new().prefix(&prefix).suffix(UNFINISHED).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The new name is safe only when the folder is on the disk too; not every system can do that.
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

const UNFINISHED: &str = ".tmp";
/// Nobody writes a copy for so long.
const ABANDONED: std::time::Duration = std::time::Duration::from_secs(60);

/// Removes what processes that were killed in the middle of writing left behind.
fn sweep(folder: &Path, prefix: &str) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(prefix) && name.ends_with(UNFINISHED) {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            if modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > ABANDONED)) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}
