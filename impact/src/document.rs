//! The definitions of a snapshot as they are written, by key.

use std::collections::BTreeMap;

use esclusa::{SnapshotError, Value, row, rows};

/// One flag as its row says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    row: Value<'static>,
}

impl Definition {
    /// The definition in a row.
    #[must_use]
    pub fn new(row: Value<'static>) -> Self {
        Definition { row }
    }

    /// The row as it is written.
    #[must_use]
    pub fn row(&self) -> &Value<'static> {
        &self.row
    }

    /// The key: of `key` and `name` the first that holds something (2.2.2 of SEMANTICS.md).
    #[must_use]
    pub fn key(&self) -> Option<String> {
        let named = |name| {
            self.field(name).and_then(|key| match key {
                Value::Text(text) => Some(text.clone().into_owned()),
                Value::Integer(number) => Some(number.to_string()),
                _ => None,
            })
        };
        named("key").or_else(|| named("name"))
    }

    /// The value of a field by its name in snake_case, if it holds something.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Value<'static>> {
        self.fields().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// The fields that hold something, each by its name in snake_case or, if it is unknown, by its own. Without the columns
    /// that have no meaning (2.2.3).
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value<'static>)> {
        let fields = match &self.row {
            Value::Object(fields) => fields.as_slice(),
            _ => &[],
        };
        fields
            .iter()
            .filter(|(name, value)| !row::is_ignored(name) && !row::is_empty(value))
            .map(|(name, value)| (row::field(name).unwrap_or(name), value))
    }

    /// The row with another value in a field.
    pub(crate) fn with(&self, field: &str, value: Value<'static>) -> Value<'static> {
        let mut fields = match &self.row {
            Value::Object(fields) => fields.clone(),
            _ => Vec::new(),
        };
        fields.retain(|(name, _)| row::field(name).unwrap_or(name) != field);
        fields.push((field.to_owned().into(), value));
        Value::Object(fields)
    }
}

/// The flags and segments of a snapshot, as they are written.
#[derive(Clone, Debug, Default)]
pub struct Document {
    flags: BTreeMap<String, Definition>,
    segments: BTreeMap<String, Value<'static>>,
    ignored: Value<'static>,
}

impl Document {
    /// Reads a document or bare rows. Rows without a key are left out, and so are those whose key an earlier one has.
    ///
    /// # Errors
    /// When the bytes are not JSON, or there are too many of them.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut flags = BTreeMap::new();
        let rest = rows(bytes, &mut |table, _, row| {
            let definition = Definition::new(std::mem::take(row).into_owned());
            if matches!(table, None | Some("flags"))
                && let Some(key) = definition.key()
            {
                flags.entry(key).or_insert(definition);
            }
        })?;
        let segments = rest.get("segments").and_then(Value::as_list).unwrap_or_default().iter();
        let segments = segments
            .filter_map(|segment| Some((segment.get("key")?.as_str()?.to_owned(), segment.clone().into_owned())));
        let ignored = rest.get("ignored").cloned().unwrap_or_default().into_owned();
        Ok(Document { flags, segments: segments.collect(), ignored })
    }

    /// The flags by key.
    #[must_use]
    pub fn flags(&self) -> &BTreeMap<String, Definition> {
        &self.flags
    }

    /// The segments by key.
    #[must_use]
    pub fn segments(&self) -> &BTreeMap<String, Value<'static>> {
        &self.segments
    }

    /// A document with rows in place of the flags, and what this one ignores.
    pub(crate) fn around(&self, row: Value<'static>) -> Vec<u8> {
        let document = Value::Object(vec![
            ("esclusa".into(), Value::Integer(1)),
            ("ignored".into(), self.ignored.clone()),
            ("flags".into(), Value::List(vec![row])),
        ]);
        document.to_json().into_bytes()
    }
}
