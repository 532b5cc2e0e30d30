//! The file system, off the runtime: one operation at a time. An operation that hangs is awaited and never started
//! twice.
//!
//! A network file system may hang for minutes. A thread for each attempt would use up the runtime's threads for
//! blocking work, which the rest of the app needs too.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::Path;

use esclusa::limit::MAX_SNAPSHOT_BYTES;
use tokio::sync::oneshot;

/// The metadata of a regular file.
///
/// # Errors
/// When it is not a regular file: a pipe would block without end, and a device has no end.
pub(crate) fn regular(path: &Path) -> io::Result<Metadata> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() { Ok(metadata) } else { Err(io::Error::other("it is not a regular file, expected one")) }
}

/// A regular file's content.
///
/// # Errors
/// When there is none, or it has more than a snapshot may have.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let max_bytes = MAX_SNAPSHOT_BYTES as u64;
    let bytes = regular(path)?.len();
    if bytes > max_bytes {
        return Err(io::Error::other(format!("it has {bytes} bytes, expected at most {max_bytes}")));
    }
    let mut content = Vec::new();
    // The file may grow in the meantime; one byte more shows that.
    fs::File::open(path)?.take(max_bytes + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// The operations of one source on the file system.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// Completes with the last operation. It outlives a future that is dropped.
    pending: Option<oneshot::Receiver<()>>,
}

impl Disk {
    /// Runs the work in a thread of its own, after the work before it has ended.
    ///
    /// # Errors
    /// When the system has no more threads, or the work panics.
    pub(crate) async fn run<T: Send + 'static>(&mut self, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        if let Some(pending) = &mut self.pending {
            // An error is an end too.
            let _ = pending.await;
        }
        let ((ended, pending), (give, result)) = (oneshot::channel(), oneshot::channel());
        self.pending = Some(pending);
        std::thread::Builder::new().name("esclusa-disk".to_owned()).spawn(move || {
            let _ = give.send(work());
            drop::<oneshot::Sender<()>>(ended);
        })?;
        let result = result.await.map_err(|_| io::Error::other("it panicked"));
        self.pending = None;
        result
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::Disk;

    #[tokio::test]
    async fn what_hangs_is_waited_for_and_not_begun_again() {
        let (mut disk, begun) = (Disk::default(), Arc::new(AtomicUsize::new(0)));
        let (let_go, hang) = std::sync::mpsc::channel::<()>();
        let hanging = {
            let begun = Arc::clone(&begun);
            move || {
                begun.fetch_add(1, Ordering::SeqCst);
                hang.recv().is_ok()
            }
        };
        let short = Duration::from_millis(20);
        assert!(tokio::time::timeout(short, disk.run(hanging)).await.is_err());
        for _ in 0..10 {
            let begun = Arc::clone(&begun);
            let work = move || begun.fetch_add(1, Ordering::SeqCst);
            assert!(tokio::time::timeout(Duration::from_millis(5), disk.run(work)).await.is_err());
        }
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        let_go.send(()).expect("it waits");
        let counted = Arc::clone(&begun);
        assert_eq!(disk.run(move || counted.load(Ordering::SeqCst)).await.expect("it ends"), 1);
    }
}
