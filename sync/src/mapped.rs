//! Rows of any table: a mapping says what the columns are.

use std::sync::Arc;

use esclusa::FlagSet;
use esclusa::sync::Request;
use esclusa_formats::{Mapping, ReadError, read, snapshot};

use crate::source::{Answer, Failure, News, Source, Translation};

/// Another source, whose rows a mapping reads.
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
/// A saved copy holds the rows as the store gave them, so a mapping may change from one release to the next.
#[derive(Clone, Debug)]
pub struct Mapped<S> {
    source: S,
    mapping: Arc<Mapping>,
}

impl<S: Source> Mapped<S> {
    /// Parameters of the mapping must have values.
    pub fn new(source: S, mapping: Mapping) -> Self {
        Mapped { source, mapping: Arc::new(mapping) }
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

    async fn to_begin_with(&mut self) -> Option<Vec<u8>> {
        self.source.to_begin_with().await
    }

    fn translation(&self) -> Option<Arc<dyn Translation>> {
        Some(self.mapping.clone())
    }
}

impl Translation for Mapping {
    fn set(&self, bytes: &[u8]) -> Result<FlagSet, Failure> {
        Ok(read(bytes, self).map_err(|error| told(&error))?.0)
    }

    fn native(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(snapshot(bytes, self).map_err(|error| told(&error))?.to_json().into_bytes())
    }
}

/// The message of a mapping names columns and places, and no value.
fn told(error: &ReadError) -> Failure {
    Failure::new(error.to_string())
}
