//! Documents that come with their mapping (M34): the app gives only parameters.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use esclusa::mapping_of;

use crate::error::MappingError;
use crate::mapping::Mapping;

/// An app's parameters for a mapping that comes with the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// With one more: `$name` in `counts` stands for this text.
    ///
    /// # Errors
    /// When the name is not one that can stand behind a `$`.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, MappingError> {
        check_name(name)?;
        self.0.insert(name.to_owned(), value.to_owned());
        Ok(self)
    }
}

/// Refuses a name that cannot stand behind a `$`.
pub(crate) fn check_name(name: &str) -> Result<(), MappingError> {
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        let problem = "is no name of a parameter, expected letters, digits and `_`";
        return Err(MappingError::new(format!("${name}"), problem));
    }
    Ok(())
}

impl Mapping {
    /// The mapping that a document brings along, as `esclusa.watch` keeps it in Postgres; none if it has none.
    ///
    /// ```
    /// use esclusa_formats::{Mapping, Parameters, native};
    /// let document = br#"{"esclusa": 1, "mapping": {"esclusa_mapping": 1, "name": "slug", "enabled": "is_active"},
    ///     "tables": {"flags": [{"slug": "crm", "is_active": 1}]}}"#;
    /// let mapping = Mapping::stored(document, &Parameters::default())?.expect("it brings one along");
    /// assert_eq!(native(document, &mapping)?.to_json(), r#"[{"name":"crm","enabled":true}]"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When it breaks a rule of `spec/MAPPING.md`, or is of a version that is not known here; the error names the entry.
    pub fn stored(bytes: &[u8], parameters: &Parameters) -> Result<Option<Self>, MappingError> {
        let Some(source) = mapping_of(bytes) else { return Ok(None) };
        let mut mapping = Self::from_value(source.into_owned())?.named("stored-mapping");
        mapping.parameters.clone_from(&parameters.0);
        Ok(Some(mapping))
    }
}

/// The app's state for a mapping that comes with the rows: its parameters, and whether the last rows had one.
#[derive(Debug, Default)]
pub struct Stored {
    parameters: Parameters,
    is_mapped: AtomicBool,
}

impl Stored {
    /// A state with these parameters.
    #[must_use]
    pub fn new(parameters: Parameters) -> Self {
        Stored { parameters, is_mapped: AtomicBool::new(false) }
    }

    /// The same with a state from elsewhere: whether the last rows had a mapping.
    #[must_use]
    pub fn after(self, was_mapped: bool) -> Self {
        Stored { is_mapped: AtomicBool::new(was_mapped), ..self }
    }

    /// The mapping of these rows; `None` for a snapshot.
    ///
    /// Bare rows after a document with a mapping belong to a table that is no longer watched. Without their mapping all
    /// flags would be lost, so they are refused.
    /// all flags would be gone, so they are refused.
    ///
    /// # Errors
    /// As [`Mapping::stored`], and for rows that have lost their mapping.
    pub fn mapping(&self, bytes: &[u8]) -> Result<Option<Mapping>, MappingError> {
        let mapping = Mapping::stored(bytes, &self.parameters)?;
        if mapping.is_none() && self.is_mapped() && bytes.trim_ascii_start().starts_with(b"[") {
            let problem = "is missing in the rows, which had one before, expected `SELECT esclusa.watch(…, mapping => …)` \
                           and the rights that `esclusa.allow` grants, or a restart of the app";
            return Err(MappingError::new("", problem));
        }
        self.is_mapped.store(mapping.is_some(), Ordering::Relaxed);
        Ok(mapping)
    }

    /// Whether the last rows had a mapping.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        self.is_mapped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Parameters, Stored};

    const MAPPED: &[u8] =
        br#"{"esclusa": 1, "mapping": {"esclusa_mapping": 1, "name": "slug"}, "tables": {"flags": []}}"#;

    #[test]
    fn rows_that_lose_their_mapping_are_refused_until_they_have_one_again() {
        let stored = Stored::new(Parameters::default());
        let is_mapped = |bytes| stored.mapping(bytes).map(|mapping| mapping.is_some());
        assert_eq!(is_mapped(b"[]"), Ok(false), "a table that never had one");
        assert_eq!(is_mapped(MAPPED), Ok(true));
        assert!(is_mapped(b" []").is_err() && is_mapped(b"[]").is_err() && stored.is_mapped());
        assert_eq!(is_mapped(MAPPED), Ok(true));
        assert_eq!(is_mapped(br#"{"esclusa": 1, "flags": []}"#), Ok(false), "a snapshot needs none");
        assert_eq!(is_mapped(b"[]"), Ok(false));
    }
}
