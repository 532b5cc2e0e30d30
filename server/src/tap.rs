//! A source whose snapshots are kept as they come by: what is published is handed on too.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use esclusa::sync::Request;
use esclusa::{FlagSet, Value};
use esclusa_sync::{Answer, Failure, MappedBy, News, Source, Translation};

use crate::definition::{Definitions, definitions};
use crate::document::Document;

/// What came last: it is published at once, unless its revision is older than the current one.
pub(crate) struct Found {
    pub(crate) revision: Option<u64>,
    pub(crate) document: Arc<Document>,
    pub(crate) definitions: Arc<Definitions>,
}

/// A source, and the place for what it finds.
pub(crate) struct Tap<S> {
    source: S,
    translation: Arc<Tapped>,
}

/// Makes flags as the source wants it, and keeps the snapshot that they are made from.
#[derive(Clone)]
pub(crate) struct Tapped {
    inner: Option<Arc<dyn Translation>>,
    found: Arc<Mutex<Option<Found>>>,
}

impl fmt::Debug for Tapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tapped").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S: Source> Tap<S> {
    pub(crate) fn new(source: S) -> Self {
        let translation = Arc::new(Tapped { inner: source.translation(), found: Arc::default() });
        Tap { source, translation }
    }

    /// What it finds.
    pub(crate) fn found(&self) -> Arc<Mutex<Option<Found>>> {
        Arc::clone(&self.translation.found)
    }
}

impl<S: Source> Source for Tap<S> {
    fn name(&self) -> String {
        self.source.name()
    }

    async fn fetch(&mut self, request: &Request) -> Result<Answer, Failure> {
        self.source.fetch(request).await
    }

    async fn news(&mut self) -> News {
        self.source.news().await
    }

    async fn bootstrap(&mut self) -> Option<Vec<u8>> {
        self.source.bootstrap().await
    }

    fn translation(&self) -> Option<Arc<dyn Translation>> {
        Some(self.translation.clone())
    }
}

impl Translation for Tapped {
    fn set(&self, bytes: &[u8]) -> Result<FlagSet, Failure> {
        Ok(self.read(bytes)?.0)
    }

    fn read(&self, bytes: &[u8]) -> Result<(FlagSet, Option<Value<'static>>), Failure> {
        let (set, reading) = match &self.inner {
            Some(inner) => inner.read(bytes)?,
            None => (FlagSet::from_json(bytes)?, None),
        };
        let json = self.native(bytes)?;
        let definitions = Arc::new(definitions(&json)?);
        let document = Arc::new(Document::new(json, set.revision()));
        *lock(&self.found) = Some(Found { revision: set.revision(), document, definitions });
        Ok((set, reading))
    }

    fn native(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        match &self.inner {
            Some(inner) => inner.native(bytes),
            None => Ok(bytes.to_vec()),
        }
    }

    fn mapped_by(&self) -> Option<MappedBy> {
        self.inner.as_ref().and_then(|inner| inner.mapped_by())
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
