//! Rows of a table as JSON, for databases that do not write it themselves.

use serde::de::IgnoredAny;

/// The kind of content of a column.
#[derive(Debug)]
pub(crate) enum Cell {
    Null,
    #[cfg(feature = "sqlite")]
    Bool(bool),
    Integer(i64),
    #[cfg(feature = "sqlite")]
    Number(f64),
    Text(String),
    /// A text that the database calls JSON, or writes as it does.
    #[cfg(feature = "mysql")]
    Json(String),
    /// Bytes that are not a text. The column must not look empty (2.2.25).
    Bytes,
}

/// An array of rows that is being written.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    json: String,
}

impl Rows {
    pub(crate) fn push<'n>(&mut self, fields: impl IntoIterator<Item = (&'n str, Cell)>) {
        self.json.push(if self.json.is_empty() { '[' } else { ',' });
        self.json.push('{');
        for (number, (name, cell)) in fields.into_iter().enumerate() {
            if number > 0 {
                self.json.push(',');
            }
            self.text(name);
            self.json.push(':');
            self.cell(cell);
        }
        self.json.push('}');
    }

    /// Its length so far.
    pub(crate) fn bytes(&self) -> usize {
        self.json.len()
    }

    pub(crate) fn into_json(mut self) -> Vec<u8> {
        self.json.push_str(if self.json.is_empty() { "[]" } else { "]" });
        self.json.into_bytes()
    }

    fn cell(&mut self, cell: Cell) {
        match cell {
            Cell::Null => self.json.push_str("null"),
            #[cfg(feature = "sqlite")]
            Cell::Bool(is) => self.json.push_str(if is { "true" } else { "false" }),
            Cell::Integer(number) => self.json.push_str(&number.to_string()),
            #[cfg(feature = "sqlite")]
            Cell::Number(number) => self.number(number),
            #[cfg(feature = "mysql")]
            Cell::Json(text) if is_json(&text) => self.json.push_str(&text),
            #[cfg(feature = "mysql")]
            Cell::Json(text) => self.text(&text),
            Cell::Text(text) if is_structure(&text) => self.json.push_str(&text),
            Cell::Text(text) => self.text(&text),
            Cell::Bytes => self.text("bytes"),
        }
    }

    #[cfg(feature = "sqlite")]
    fn number(&mut self, number: f64) {
        if number.is_finite() {
            // The shortest text that reads back as the same double.
            self.json.push_str(&format!("{number:?}"));
        } else {
            self.text(&number.to_string());
        }
    }

    fn text(&mut self, text: &str) {
        self.json.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// Whether a text is a list or an object in JSON: the database has no type for them, or the column has another.
fn is_structure(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{']) && is_json(text)
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[cfg(all(test, feature = "mysql", feature = "sqlite"))]
mod tests {
    use super::{Cell, Rows};

    #[test]
    fn each_cell_is_json() {
        let mut rows = Rows::default();
        let texts = ["x\"\n", "[\"a\"]", " {\"a\": 1, \"a\": 2}", "[beta]", "{", "1", "true", ""];
        rows.push(texts.map(|text| ("t\"", Cell::Text(text.to_owned()))));
        let numbers = [Cell::Null, Cell::Integer(-3), Cell::Number(0.1), Cell::Number(1e300)];
        rows.push(numbers.map(|number| ("n", number)));
        let written = ["18446744073709551615", "12.50", "\"x\"", "00.5", "nan"];
        rows.push(written.map(|text| ("j", Cell::Json(text.to_owned()))));
        rows.push([("i", Cell::Number(f64::INFINITY)), ("b", Cell::Bytes)]);
        let json = String::from_utf8(rows.into_json()).expect("it is text");
        let expected = r#"[{"t\"":"x\"\n","t\"":["a"],"t\"": {"a": 1, "a": 2},"t\"":"[beta]","t\"":"{","t\"":"1","t\"":"true","t\"":""},"#;
        let expected = expected.to_owned()
            + r#"{"n":null,"n":-3,"n":0.1,"n":1e300},"#
            + r#"{"j":18446744073709551615,"j":12.50,"j":"x","j":"00.5","j":"nan"},{"i":"inf","b":"bytes"}]"#;
        assert_eq!(json, expected);
        assert_eq!(Rows::default().into_json(), b"[]");
    }
}
