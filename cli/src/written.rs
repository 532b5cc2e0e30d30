//! A file of flags as its author wrote it: its rows with their bytes, and edits that leave everything else as it is.

use std::ops::Range;

use esclusa::{Value, row};
use jsonc_parser::ast::{Object, Value as Node};
use jsonc_parser::common::Ranged;

use crate::located::Located;

/// With which some editors begin a file.
const MARK: char = '\u{feff}';

/// A text with edits that are still to be made.
pub(crate) struct Written<'t> {
    mark: &'t str,
    /// What follows the mark.
    text: &'t str,
    located: Located<'t>,
    edits: Vec<(Range<usize>, String)>,
}

impl<'t> Written<'t> {
    /// The rows of a text in JSON.
    pub(crate) fn new(text: &'t str) -> Self {
        let (mark, text) = text.split_at(if text.starts_with(MARK) { MARK.len_utf8() } else { 0 });
        Written { mark, text, located: Located::new(text), edits: Vec::new() }
    }

    /// The numbers of the rows with this key.
    pub(crate) fn rows_of(&self, key: &str) -> Vec<usize> {
        let rows = self.located.rows();
        let is_it = |node: &Node<'_>| {
            let written = self.text.get(node.start()..node.end()).unwrap_or_default();
            Value::from_json(written.as_bytes()).is_ok_and(|value| row::key(&value) == Some(key))
        };
        rows.iter().enumerate().filter(|(_, node)| is_it(node)).map(|(at, _)| at).collect()
    }

    /// Gives a field of a row another value: in place where it is written, else behind the last field.
    pub(crate) fn set(&mut self, row: usize, field: &str, value: &Value<'_>) {
        let Some(Node::Object(object)) = self.located.rows().get(row) else { return };
        let is_it = |name: &str| row::field(name).unwrap_or(name) == field;
        let written: Vec<Range<usize>> = object
            .properties
            .iter()
            .filter(|one| is_it(one.name.as_str()))
            .map(|one| one.value.start()..one.value.end())
            .collect();
        if written.is_empty() {
            let edit = self.behind_last(object, field, value);
            self.edits.extend(edit);
        } else {
            self.edits.extend(written.into_iter().map(|bytes| (bytes, value.to_json())));
        }
    }

    fn behind_last(&self, object: &Object<'_>, field: &str, value: &Value<'_>) -> Option<(Range<usize>, String)> {
        let last = object.properties.last()?;
        let field = format!("{}: {}", Value::from(field.to_owned()).to_json(), value.to_json());
        let end = last.value.end();
        Some((end..end, format!(",{}{field}", self.space_before(last.start()))))
    }

    /// Adds a row behind the last. `false` if the text has no place for rows.
    pub(crate) fn add(&mut self, rows: &[Value<'_>]) -> bool {
        let Some(array) = self.located.array() else { return false };
        let all = |between: &str| rows.iter().map(Value::to_json).collect::<Vec<_>>().join(between);
        self.edits.push(match array.elements.last() {
            Some(last) => {
                let between = format!(",{}", self.space_before(last.start()));
                (last.end()..last.end(), format!("{between}{}", all(&between)))
            }
            None => (array.start()..array.end(), format!("[{}]", all(", "))),
        });
        true
    }

    /// The white space before a byte.
    fn space_before(&self, byte: usize) -> &'t str {
        let before = self.text.get(..byte).unwrap_or_default();
        before.get(before.trim_end_matches([' ', '\t', '\r', '\n']).len()..).unwrap_or_default()
    }

    /// The text with the edits.
    pub(crate) fn into_text(mut self) -> String {
        self.edits.sort_by_key(|(bytes, _)| (bytes.start, bytes.end));
        let (mut text, mut done) = (self.mark.to_owned(), 0);
        for (bytes, new) in &self.edits {
            text.push_str(self.text.get(done..bytes.start).unwrap_or_default());
            text.push_str(new);
            done = bytes.end;
        }
        text.push_str(self.text.get(done..).unwrap_or_default());
        text
    }
}

#[cfg(test)]
mod tests {
    use esclusa::Value;

    use super::Written;

    #[test]
    fn only_the_field_changes() {
        let text = "\u{feff}{ \"x\": [ ],\r\n  \"flags\": [\n    {\"name\":\"a\", \"enabled\" :  \"on\"  },\n    {\n      \"key\": \"b\"\n    }]}";
        let mut written = Written::new(text);
        for key in ["a", "b"] {
            for row in written.rows_of(key) {
                written.set(row, "enabled", &Value::Bool(false));
            }
        }
        assert!(written.add(&[Value::Bool(true)]));
        let expected = text
            .replace("\"on\"", "false")
            .replace("\"b\"\n    }", "\"b\",\n      \"enabled\": false\n    },\n    true");
        assert_eq!(written.into_text(), expected);
    }

    #[test]
    fn both_spellings_are_set_and_an_empty_list_takes_rows() {
        let mut written = Written::new(r#"[{"name":"a","rollout_percentage":1,"rolloutPercentage":2}]"#);
        written.set(0, "rollout_percentage", &Value::Integer(3));
        assert_eq!(written.into_text(), r#"[{"name":"a","rollout_percentage":3,"rolloutPercentage":3}]"#);
        let mut written = Written::new("{\"flags\": [ ]}");
        assert!(written.add(&[Value::Integer(1), Value::Integer(2)]));
        assert_eq!(written.into_text(), "{\"flags\": [1, 2]}");
        assert!(!Written::new("{}").add(&[]));
    }
}
