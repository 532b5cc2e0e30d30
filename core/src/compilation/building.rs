//! Building a flag set of flags that are given one by one, as values: for what reads rows by a mapping.

use super::Compiler;
use crate::error::SnapshotError;
use crate::error::Violation;
use crate::flag_set::FlagSet;
use crate::limit::MAX_FLAGS;
use crate::snapshot::{self, Part};
use crate::time::Time;
use crate::validation::Validation;
use crate::value::Value;

/// A flag set in the making: flags and segments come one by one, and it forgets each as soon as it has read it.
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
    /// Without flags.
    #[must_use]
    pub fn new() -> Self {
        Builder::default()
    }

    /// Ignores fields of flags by these names (2.1.10); it holds for the flags that come after.
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

    /// The set of all flags, once what they refer to has been looked at.
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
    /// Says violations otherwise: of rows that a mapping has read, a violation names the column.
    pub fn restate(&mut self, say: impl FnMut(Violation) -> Violation) {
        self.violations = std::mem::take(&mut self.violations).into_iter().map(say).collect();
    }

    /// What was understood of the rows, to be said otherwise.
    pub fn reading_mut(&mut self) -> &mut crate::understood::Reading {
        &mut self.reading
    }
}
