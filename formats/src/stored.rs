//! Documents that bring their mapping along (M34): the app gives no more than parameters.

use std::collections::BTreeMap;

use esclusa::mapping_of;

use crate::error::MappingError;
use crate::mapping::Mapping;

/// The parameters that an app gives to a mapping which comes with the rows.
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
