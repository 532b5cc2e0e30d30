//! How an app gives a mapping: as text in either format, and with a name.

use crate::error::MappingError;
use crate::mapping::Mapping;

/// The name of a mapping that was given without one.
const UNNAMED: &str = "mapping";

impl Mapping {
    /// Reads a mapping from the text of a file: JSON if it begins with `{`, else TOML.
    ///
    /// ```
    /// use esclusa_formats::Mapping;
    /// let toml = Mapping::from_text(b"esclusa_mapping = 1\nname = 'slug'")?;
    /// let json = Mapping::from_text(br#"{"esclusa_mapping": 1, "name": "slug"}"#)?;
    /// assert_eq!(toml.to_json(), json.to_json());
    /// # Ok::<(), esclusa_formats::MappingError>(())
    /// ```
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml) and [`from_json`](Self::from_json), and for what is no UTF-8.
    pub fn from_text(text: &[u8]) -> Result<Self, MappingError> {
        let bare = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        if bare.trim_ascii_start().starts_with(b"{") {
            return Self::from_json(bare);
        }
        let problem = "is no text in UTF-8, expected a mapping in TOML or JSON";
        Self::from_toml(std::str::from_utf8(bare).map_err(|_| MappingError::new("", problem))?)
    }

    /// The mapping with a name, such as its file's, which the reading shows (9.7).
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Its name, which is `mapping` if it was given none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(UNNAMED)
    }
}
