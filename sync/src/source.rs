//! Sources: where snapshots come from. Implement [`Source`] for a store of your own.

use std::fmt;
use std::future::{Future, pending, ready};
use std::sync::Arc;
use std::time::Duration;

use esclusa::sync::{Request, redacted};
use esclusa::{FlagSet, Value};
use futures_util::future::BoxFuture;

/// A store that gives a snapshot on request.
///
/// Only `name` and `fetch` are required. The protocol decides when a source is asked; a source has no schedule, no
/// retries and no copy of its own.
///
/// ```
/// use esclusa_sync::{Answer, Failure, Request, Source};
///
/// /// A table in a database that this crate does not know.
/// struct Table { path: std::path::PathBuf }
///
/// impl Source for Table {
///     fn name(&self) -> String {
///         "table".to_owned()
///     }
///
///     async fn fetch(&mut self, _: &Request) -> Result<Answer, Failure> {
///         Ok(std::fs::read(&self.path)?.into())
///     }
/// }
/// ```
pub trait Source: Send + 'static {
    /// Its name in the log and the status, without secrets.
    fn name(&self) -> String;

    /// Requests the current snapshot. The request has the entity tag of the last accepted answer: a source that can
    /// tell that the snapshot has not changed returns [`Answer::NotModified`].
    ///
    /// The future is dropped unfinished after the time-out of [`Options`](crate::Options).
    ///
    /// # Errors
    /// When there is no answer; every error converts with `?`.
    fn fetch(&mut self, request: &Request) -> impl Future<Output = Result<Answer, Failure>> + Send;

    /// Waits for news; a source without notifications waits forever.
    ///
    /// The future is often dropped and created again, so it must not lose news. News that arrives between two calls is
    /// returned by the next call.
    fn news(&mut self) -> impl Future<Output = News> + Send {
        pending()
    }

    /// What can be published before the first request: a cached copy, a bundled file. It is awaited for at most two
    /// seconds, because it must not delay the answer of the source.
    fn bootstrap(&mut self) -> impl Future<Output = Option<Vec<u8>>> + Send {
        ready(None)
    }

    /// How its bytes become flags, unless they are a snapshot.
    fn translation(&self) -> Option<Arc<dyn Translation>> {
        None
    }

    /// The same source, whose rows a mapping reads.
    #[cfg(feature = "mapping")]
    fn mapped(self, mapping: esclusa_formats::Mapping) -> crate::Mapped<Self>
    where
        Self: Sized,
    {
        crate::Mapped::new(self, mapping)
    }
}

/// Makes flags of bytes that are not a snapshot, such as the rows of a table with columns of its own.
pub trait Translation: fmt::Debug + Send + Sync + 'static {
    /// The flags.
    ///
    /// # Errors
    /// When none of it can be published.
    fn set(&self, bytes: &[u8]) -> Result<FlagSet, Failure>;

    /// The flags, with the reading of the bytes (9.7) if it has more than that of the flags.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    fn read(&self, bytes: &[u8]) -> Result<(FlagSet, Option<Value<'static>>), Failure> {
        Ok((self.set(bytes)?, None))
    }

    /// The bytes as a snapshot, to be merged with other layers.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    fn native(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure>;

    /// Whose mapping read the last bytes, for the status; `None` without a mapping.
    fn mapped_by(&self) -> Option<MappedBy> {
        None
    }
}

/// Whose mapping defines the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MappedBy {
    /// The app's own.
    App,
    /// The one that comes with the rows.
    Stored,
    /// The app's own, although another comes with the rows.
    AppInsteadOfStored,
}

/// The flags of what a source gave.
pub(crate) fn set_of(translation: Option<&dyn Translation>, bytes: &[u8]) -> Result<FlagSet, Failure> {
    match translation {
        Some(translation) => translation.set(bytes),
        None => Ok(FlagSet::from_json(bytes)?),
    }
}

/// What a source answers.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// The current snapshot.
    Snapshot {
        /// A document or bare rows, as JSON.
        bytes: Vec<u8>,
        /// The entity tag for the next request.
        etag: Option<String>,
    },
    /// The snapshot has not changed since the request's entity tag.
    NotModified,
}

/// Shows only the size: a snapshot is long.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Snapshot { bytes, etag } => {
                f.debug_struct("Snapshot").field("bytes", &bytes.len()).field("etag", etag).finish()
            }
            Answer::NotModified => f.write_str("NotModified"),
        }
    }
}

impl From<Vec<u8>> for Answer {
    fn from(bytes: Vec<u8>) -> Self {
        Answer::Snapshot { bytes, etag: None }
    }
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The error, in one line and without secrets: the log and the status show it.
    pub error: String,
    /// The wait that the source asks for.
    pub retry_after: Option<Duration>,
    /// A snapshot that is published until there is an answer.
    pub instead: Option<Vec<u8>>,
}

impl Failure {
    /// A failure with nothing but its error. It is one line of the log, so line breaks become spaces.
    pub fn new(error: impl Into<String>) -> Self {
        let error = error.into().replace(|character: char| character.is_control(), " ");
        Failure { error, retry_after: None, instead: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

/// The error and its causes, from the outermost inwards, without what looks like a secret (11.21): another library
/// wrote the text.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let inner_text = inner.to_string();
            // Many errors already repeat their cause.
            if !text.ends_with(&inner_text) {
                text = format!("{text}: {inner_text}");
            }
            cause = inner.source();
        }
        Failure::new(redacted(&text))
    }
}

/// A notification from a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// There is a new snapshot.
    Changed,
    /// The connection for notifications was lost, and news may have been missed. It is reported once for each loss.
    Disconnected,
}

/// Any source, behind a pointer.
pub(crate) trait AnySource: Send {
    fn name(&self) -> String;
    fn fetch<'s>(&'s mut self, request: &'s Request) -> BoxFuture<'s, Result<Answer, Failure>>;
    fn news(&mut self) -> BoxFuture<'_, News>;
    fn bootstrap(&mut self) -> BoxFuture<'_, Option<Vec<u8>>>;
    fn translation(&self) -> Option<Arc<dyn Translation>>;
}

impl<S: Source> AnySource for S {
    fn name(&self) -> String {
        Source::name(self)
    }

    fn fetch<'s>(&'s mut self, request: &'s Request) -> BoxFuture<'s, Result<Answer, Failure>> {
        Box::pin(Source::fetch(self, request))
    }

    fn news(&mut self) -> BoxFuture<'_, News> {
        Box::pin(Source::news(self))
    }

    fn bootstrap(&mut self) -> BoxFuture<'_, Option<Vec<u8>>> {
        Box::pin(Source::bootstrap(self))
    }

    fn translation(&self) -> Option<Arc<dyn Translation>> {
        Source::translation(self)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::Failure;

    /// An error of a store's own client, with what it was told to connect to.
    #[derive(Debug)]
    struct Refused(&'static str, Option<Box<Refused>>);

    impl fmt::Display for Refused {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Refused {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn an_error_of_another_library_loses_its_secrets() {
        let cause = Refused("no route to mysql://app:s3cret@db:3306/flags?password=s3cret", None);
        let outer =
            Refused("cannot connect with token=s3cret\nand Authorization: Bearer s3cret", Some(Box::new(cause)));
        let error = Failure::from(outer).error;
        assert!(!error.contains("s3cret") && !error.contains('\n'), "{error}");
        assert!(error.contains("cannot connect") && error.contains("mysql://db:3306/flags"), "{error}");
    }
}
