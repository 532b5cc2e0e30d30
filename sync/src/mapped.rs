//! Rows of any table: a mapping defines the columns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use esclusa::sync::Request;
use esclusa::{FlagSet, Value, mapping_of};
use esclusa_formats::{Mapping, Parameters, ReadError, Stored, read, snapshot};

use crate::source::{Answer, Failure, MappedBy, News, Source, Translation};

/// A source whose rows a mapping reads.
///
/// ```
/// use esclusa_formats::Mapping;
/// use esclusa_sync::{Bundled, Source};
///
/// let mapping = Mapping::from_toml("esclusa_mapping = 1\nname = 'slug'\nenabled = 'is_active'")?;
/// let source = Bundled::new(br#"[{"slug": "crm", "is_active": 1}]"#).mapped(mapping);
/// # let _ = source;
/// # Ok::<(), esclusa_formats::MappingError>(())
/// ```
///
/// A cached copy holds the rows as the store gave them, so a mapping may change from one release to the next.
#[derive(Clone, Debug)]
pub struct Mapped<S> {
    source: S,
    translation: Arc<dyn Translation>,
}

impl<S: Source> Mapped<S> {
    /// The mapping's parameters must have values. This mapping replaces one that comes with the rows, and the status
    /// says so.
    pub fn new(source: S, mapping: Mapping) -> Self {
        Mapped { source, translation: Arc::new(Own { mapping, is_over_stored: AtomicBool::new(false) }) }
    }

    /// Reads by the mapping that comes with the rows, as [`esclusa.watch`] keeps it in Postgres; an answer without one
    /// is a snapshot. The source `Postgres` does that by itself.
    ///
    /// [`esclusa.watch`]: https://docs.rs/esclusa-sync/latest/esclusa_sync/#postgres
    pub fn as_stored(source: S, parameters: Parameters) -> Self {
        Mapped { source, translation: Arc::new(Stored::new(parameters)) }
    }
}

impl<S: Source> Source for Mapped<S> {
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

/// The app's own mapping.
#[derive(Debug)]
struct Own {
    mapping: Mapping,
    /// Whether the rows come with another mapping.
    is_over_stored: AtomicBool,
}

impl Own {
    fn see(&self, bytes: &[u8]) {
        self.is_over_stored.store(mapping_of(bytes).is_some(), Ordering::Relaxed);
    }
}

impl Translation for Own {
    fn set(&self, bytes: &[u8]) -> Result<FlagSet, Failure> {
        Ok(self.read(bytes)?.0)
    }

    fn read(&self, bytes: &[u8]) -> Result<(FlagSet, Option<Value<'static>>), Failure> {
        self.see(bytes);
        mapped_reading(bytes, &self.mapping)
    }

    fn native(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        self.see(bytes);
        mapped_snapshot(bytes, &self.mapping)
    }

    fn mapped_by(&self) -> Option<MappedBy> {
        let is_over_stored = self.is_over_stored.load(Ordering::Relaxed);
        Some(if is_over_stored { MappedBy::AppInsteadOfStored } else { MappedBy::App })
    }
}

/// The mapping that comes with the rows (M34).
impl Translation for Stored {
    fn set(&self, bytes: &[u8]) -> Result<FlagSet, Failure> {
        Ok(self.read(bytes)?.0)
    }

    fn read(&self, bytes: &[u8]) -> Result<(FlagSet, Option<Value<'static>>), Failure> {
        match self.mapping(bytes)? {
            Some(mapping) => mapped_reading(bytes, &mapping),
            None => Ok((FlagSet::from_json(bytes)?, None)),
        }
    }

    fn native(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        match self.mapping(bytes)? {
            Some(mapping) => mapped_snapshot(bytes, &mapping),
            None => Ok(bytes.to_vec()),
        }
    }

    fn mapped_by(&self) -> Option<MappedBy> {
        self.is_mapped().then_some(MappedBy::Stored)
    }
}

fn mapped_reading(bytes: &[u8], mapping: &Mapping) -> Result<(FlagSet, Option<Value<'static>>), Failure> {
    let (set, reading) = read(bytes, mapping).map_err(|error| failure(&error))?;
    let reading = reading.to_value();
    Ok((set, Some(reading)))
}

fn mapped_snapshot(bytes: &[u8], mapping: &Mapping) -> Result<Vec<u8>, Failure> {
    Ok(snapshot(bytes, mapping).map_err(|error| failure(&error))?.to_json().into_bytes())
}

/// The message of a mapping has names of columns and places, and no value.
fn failure(error: &ReadError) -> Failure {
    Failure::new(error.to_string())
}
