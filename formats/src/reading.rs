//! The reading of rows that a mapping has read: names, counts and kinds, never a value (9.7).

use esclusa::{Column, Value};

/// What was understood of the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub(crate) inner: esclusa::Reading,
    pub(crate) rows_left_out: Vec<LeftOut>,
    pub(crate) mapping: String,
}

/// Rows that do not count, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The column of `counts` that leaves them out, or the side table whose rows name no flag.
    pub why: String,
    /// How many there are.
    pub rows: u64,
}

impl Reading {
    /// The columns and notices, as the set itself has them.
    #[must_use]
    pub fn set(&self) -> &esclusa::Reading {
        &self.inner
    }

    /// The columns: first those that the mapping reads, then the others as they come.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        self.inner.columns()
    }

    /// Number of rows, including those that do not count.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.inner.rows()
    }

    /// The rows that do not count.
    #[must_use]
    pub fn rows_left_out(&self) -> &[LeftOut] {
        &self.rows_left_out
    }

    /// The columns that are neither read nor ignored.
    pub fn not_read(&self) -> impl Iterator<Item = &Column> {
        self.columns().iter().filter(|column| {
            column.read_as().is_none() && matches!(column.why(), Some("not read" | "gate" | "looks like a restriction"))
        })
    }

    /// The name of the mapping.
    #[must_use]
    pub fn mapping(&self) -> &str {
        &self.mapping
    }

    /// `{"rows", "flags", "rows_left_out", "columns", "notices", "fingerprint", "mapping"}` (9.7).
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        let mut value = self.inner.to_value();
        self.complete(&mut value);
        value
    }

    /// Adds to the engine's reading of the same rows what the mapping knows: its name, and the rows that do not count.
    pub fn complete(&self, reading: &mut Value<'static>) {
        let left_out = self
            .rows_left_out
            .iter()
            .map(|one| Value::Object(vec![("why".into(), one.why.clone().into()), ("rows".into(), one.rows.into())]));
        let Value::Object(fields) = reading else { return };
        for (name, value) in fields {
            match name.as_ref() {
                "rows_left_out" => *value = Value::List(left_out.clone().collect()),
                "mapping" => *value = self.mapping.clone().into(),
                _ => {}
            }
        }
    }

    /// The same for the report of a publish (9.6).
    pub fn complete_report(&self, report: &mut Value<'static>) {
        if let Value::Object(fields) = report {
            fields.iter_mut().filter(|(name, _)| name == "reading").for_each(|(_, reading)| self.complete(reading));
        }
    }
}
