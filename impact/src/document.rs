//! The definitions of a snapshot as their rows, by key.

use std::collections::{BTreeMap, BTreeSet};

use esclusa::{SnapshotError, Value, row, rows};

/// One flag as its row.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    row: Value<'static>,
}

impl Definition {
    /// The row as it is written.
    #[must_use]
    pub fn row(&self) -> &Value<'static> {
        &self.row
    }

    /// The value of a field by its name in snake_case, if it is not empty.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Value<'static>> {
        self.fields().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// The fields with content, each by its name in snake_case or, if it is unknown, by its own name. Columns without a
    /// meaning (2.2.3) are left out.
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

/// The flags and segments of a snapshot, as their rows.
#[derive(Clone, Debug, Default)]
pub struct Document {
    flags: BTreeMap<String, Definition>,
    /// Keys of several rows that differ.
    twins: BTreeSet<String>,
    segments: BTreeMap<String, Value<'static>>,
    ignored: Value<'static>,
}

impl Document {
    /// Reads a document or bare rows. Rows without a key are left out, and so are those whose key an earlier one has.
    ///
    /// # Errors
    /// When the bytes are not JSON, or there are too many of them.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (mut flags, mut twins) = (BTreeMap::<String, Definition>::new(), BTreeSet::new());
        let rest = rows(bytes, &mut |table, _, row| {
            let definition = Definition { row: std::mem::take(row).into_owned() };
            let Some(key) = row::key(&definition.row).filter(|_| matches!(table, None | Some("flags"))) else { return };
            match flags.get(key) {
                None => _ = flags.insert(key.to_owned(), definition),
                Some(first) if *first != definition => _ = twins.insert(key.to_owned()),
                Some(_) => {}
            }
        })?;
        let segments = rest.get("segments").and_then(Value::as_list).unwrap_or_default().iter();
        let segments = segments
            .filter_map(|segment| Some((segment.get("key")?.as_str()?.to_owned(), segment.clone().into_owned())));
        let ignored = rest.get("ignored").cloned().unwrap_or_default().into_owned();
        Ok(Document { flags, twins, segments: segments.collect(), ignored })
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

    /// Whether several rows of the key differ, so that the flag is off (8.16 of SEMANTICS.md).
    pub(crate) fn has_twins(&self, key: &str) -> bool {
        self.twins.contains(key)
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
