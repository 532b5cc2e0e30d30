//! Builds a flag set from flags that are given one by one, as values: for crates that read rows by a mapping.

use super::Compiler;
use crate::error::SnapshotError;
use crate::error::Violation;
use crate::flag_set::FlagSet;
use crate::limit::MAX_FLAGS;
use crate::snapshot::{self, Part};
use crate::time::Time;
use crate::validation::Validation;
use crate::value::Value;

/// A flag set that is being built: it takes flags and segments one by one, and keeps none of them once it is read.
///
/// ```
/// use esclusa::{Builder, Value};
/// let mut builder = Builder::new();
/// builder.flag(&Value::from_json(br#"{"name": "crm", "enabled": true}"#)?);
/// assert!(builder.finish(None, None)?.contains("crm"));
/// # Ok::<(), esclusa::SnapshotError>(())
/// ```
pub struct Builder<'v> {
    compiler: Compiler,
    validation: Validation<'v>,
    flags: usize,
    segments: usize,
}

impl Default for Builder<'_> {
    fn default() -> Self {
        Builder { compiler: Compiler::of(FlagSet::empty()), validation: Validation::default(), flags: 0, segments: 0 }
    }
}

impl<'v> Builder<'v> {
    /// A builder without flags.
    #[must_use]
    pub fn new() -> Self {
        Builder::default()
    }

    /// Ignores fields of flags by these names (2.1.10), in the flags that come after.
    pub fn ignore(&mut self, names: &[String]) {
        self.validation.ignore(names);
    }

    /// Reads the next flag. Its place in violations is that of a bare row: `/0`, `/1`, …
    pub fn flag(&mut self, flag: &Value<'v>) {
        if self.flags < MAX_FLAGS {
            let Builder { compiler, validation, .. } = self;
            validation.entry(Part::Rows, self.flags, flag, |flag| compiler.take(flag));
        }
        self.flags += 1;
    }

    /// Reads the next segment. Its place in violations is `/segments/0`, `/segments/1`, …
    pub fn segment(&mut self, segment: &Value<'v>) {
        if self.segments < MAX_FLAGS {
            self.validation.entry(Part::Segments, self.segments, segment, |_| {});
        }
        self.segments += 1;
    }

    /// Number of flags so far.
    #[must_use]
    pub fn flags(&self) -> usize {
        self.flags
    }

    /// The set of all flags, after it checked the flags and segments that they refer to.
    ///
    /// # Errors
    /// When there are more flags or segments than a snapshot may have (2.1.7).
    pub fn finish(mut self, revision: Option<u64>, generated_at: Option<Time>) -> Result<FlagSet, SnapshotError> {
        snapshot::at_most(self.flags, "flags", "")?;
        snapshot::at_most(self.segments, "segments", "/segments")?;
        (self.compiler.set.revision, self.compiler.set.generated_at) = (revision, generated_at);
        Ok(self.compiler.link(self.validation, true))
    }
}

impl FlagSet {
    /// Rewrites the violations: of rows that a mapping has read, a violation names the column.
    pub fn restate(&mut self, say: impl FnMut(Violation) -> Violation) {
        self.violations = std::mem::take(&mut self.violations).into_iter().map(say).collect();
    }

    /// The reading of the rows, to be adjusted.
    pub fn reading_mut(&mut self) -> &mut crate::understood::Reading {
        &mut self.reading
    }
}
