//! The document as its author wrote it: the rows of flags, and the segments.
//!
//! A field is found by its name in snake_case or camelCase. A text that holds JSON, as SQLite has it, is opened when the row
//! is read.

use std::borrow::Cow;
use std::collections::HashMap;

use esclusa::{BUCKETS, Value, row, rows};

use crate::source::Snapshot;

/// Flags and segments, as they are written.
#[derive(Debug, Default)]
pub(crate) struct Document<'a> {
    pub(crate) flags: Vec<Row<'a>>,
    pub(crate) segments: Vec<Segment<'a>>,
}

/// One flag.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) key: String,
    /// Its JSON pointer.
    pub(crate) place: String,
    fields: Vec<Field<'a>>,
}

/// A field of a row.
#[derive(Debug)]
struct Field<'a> {
    /// As it is written.
    written: Cow<'a, str>,
    /// Its name among those that have a meaning, in snake_case.
    known: Option<&'static str>,
    value: Value<'a>,
}

/// One segment.
#[derive(Debug)]
pub(crate) struct Segment<'a> {
    pub(crate) key: String,
    pub(crate) place: String,
    pub(crate) when: Value<'a>,
}

impl<'a> Document<'a> {
    /// That of a snapshot; of one that cannot be compiled it holds what could be read. Of rows that a mapping reads it is
    /// what the mapping makes of them, and places are not those of the file.
    pub(crate) fn of(snapshot: &'a Snapshot) -> Self {
        match &snapshot.mapping {
            None => Document::read(&snapshot.bytes),
            Some(mapping) => esclusa_formats::snapshot(&snapshot.bytes, mapping)
                .map(|value| Document::read(value.to_json().as_bytes()).into_owned())
                .unwrap_or_default(),
        }
    }

    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut document = Document::default();
        let rest = rows(bytes, &mut |table, at, row| {
            if table.is_some_and(|table| table != "flags") {
                return;
            }
            if let Value::Object(fields) = std::mem::take(row) {
                let place = format!("{}/{at}", table.map_or(String::new(), |table| format!("/{table}")));
                document.flags.extend(Row::new(fields, place));
            }
        });
        let Ok(Value::Object(fields)) = rest else { return document };
        for (name, value) in fields {
            if let ("segments", Value::List(segments)) = (name.as_ref(), value) {
                document.segments = segments.into_iter().enumerate().filter_map(Segment::new).collect();
            }
        }
        document
    }

    fn into_owned(self) -> Document<'static> {
        let own = |fields: Vec<Field<'a>>| {
            let field = |one: Field<'a>| Field {
                written: Cow::Owned(one.written.into_owned()),
                known: one.known,
                value: one.value.into_owned(),
            };
            fields.into_iter().map(field).collect()
        };
        let flags = self.flags.into_iter().map(|row| Row { key: row.key, place: row.place, fields: own(row.fields) });
        let segments = self.segments.into_iter().map(|one| Segment {
            key: one.key,
            place: one.place,
            when: one.when.into_owned(),
        });
        Document { flags: flags.collect(), segments: segments.collect() }
    }

    /// The flags by key, the first of those that have the same.
    pub(crate) fn by_key(&self) -> HashMap<&str, &Row<'a>> {
        self.flags.iter().rev().map(|flag| (flag.key.as_str(), flag)).collect()
    }

    /// Shows every condition with its place: of rules with the flag, of segments without.
    pub(crate) fn conditions(&self, show: &mut dyn FnMut(Option<&Row<'a>>, &str, &Value<'_>)) {
        for segment in &self.segments {
            parts(&segment.when, &format!("{}/when", segment.place), &mut |place, part| show(None, place, part));
        }
        for flag in &self.flags {
            for (at, rule) in flag.entries("rules").iter().enumerate() {
                if let Some(when) = rule.get("when") {
                    let place = flag.place_in("rules", at);
                    parts(when, &format!("{place}/when"), &mut |place, part| show(Some(flag), place, part));
                }
            }
        }
    }
}

fn parts(condition: &Value<'_>, place: &str, show: &mut dyn FnMut(&str, &Value<'_>)) {
    show(place, condition);
    for name in ["all", "any"] {
        for (at, part) in condition.get(name).and_then(Value::as_list).unwrap_or_default().iter().enumerate() {
            parts(part, &format!("{place}/{name}/{at}"), show);
        }
    }
    if let Some(part) = condition.get("not") {
        parts(part, &format!("{place}/not"), show);
    }
}

impl<'a> Row<'a> {
    fn new(fields: Vec<(Cow<'a, str>, Value<'a>)>, place: String) -> Option<Self> {
        let row = Value::Object(fields);
        let key = row::key(&row)?.to_owned();
        let Value::Object(fields) = row else { return None };
        Some(Row { key, place, fields: fields.into_iter().map(opened).collect() })
    }

    /// The field of that name as it is written: its name there, and its value.
    fn written(&self, field: &str) -> Option<(&str, &Value<'a>)> {
        let is_it = |one: &&Field<'a>| one.known.unwrap_or(&one.written) == field && !one.value.is_null();
        self.fields.iter().rev().find(is_it).map(|one| (one.written.as_ref(), &one.value))
    }

    /// The value of a field that is not null.
    pub(crate) fn get(&self, field: &str) -> Option<&Value<'a>> {
        self.written(field).map(|(_, value)| value)
    }

    /// The place of a field, or of the flag without it.
    pub(crate) fn place_of(&self, field: &str) -> String {
        match self.written(field) {
            Some((name, _)) => format!("{}/{}", self.place, name.replace('~', "~0").replace('/', "~1")),
            None => self.place.clone(),
        }
    }

    /// The entries of a list.
    pub(crate) fn entries(&self, field: &str) -> &[Value<'a>] {
        self.get(field).and_then(Value::as_list).unwrap_or_default()
    }

    /// The place of an entry of a list.
    pub(crate) fn place_in(&self, field: &str, at: usize) -> String {
        format!("{}/{at}", self.place_of(field))
    }

    /// The texts of a list, each with the number of its entry.
    pub(crate) fn texts(&self, field: &str) -> impl Iterator<Item = (usize, Cow<'_, str>)> {
        self.entries(field).iter().enumerate().filter_map(|(at, entry)| Some((at, text(Some(entry))?)))
    }

    /// Whether its switch and its status let anybody in.
    pub(crate) fn is_switched_on(&self) -> bool {
        self.get("enabled").and_then(row::switch) == Some(true) && !self.get("status").is_some_and(row::is_off)
    }

    /// Its share of everybody, in thousandths of a percent; of one that cannot be read, everybody.
    pub(crate) fn share(&self) -> u32 {
        self.get("rollout_percentage").and_then(row::share).unwrap_or(BUCKETS)
    }

    /// Whether a list or an object has entries.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.get(field).is_some_and(|value| !row::is_empty(value))
    }
}

/// A field; its value opened, if it is a text that holds a list or an object.
fn opened<'a>((written, value): (Cow<'a, str>, Value<'a>)) -> Field<'a> {
    let text = value.as_str().filter(|text| text.trim_start().starts_with(['[', '{']));
    let opened = text.and_then(|text| Value::from_json(text.as_bytes()).ok().map(Value::into_owned));
    Field { known: row::field(&written), written, value: opened.unwrap_or(value) }
}

impl<'a> Segment<'a> {
    fn new((at, value): (usize, Value<'a>)) -> Option<Self> {
        let key = text(value.get("key"))?.into_owned();
        let Value::Object(fields) = value else { return None };
        let when = fields.into_iter().rev().find(|(name, _)| name == "when").map(|(_, when)| when)?;
        Some(Segment { key, place: format!("/segments/{at}"), when })
    }
}

/// A text, or a whole number, which stands for its digits (2.2.29).
pub(crate) fn text<'v>(value: Option<&'v Value<'_>>) -> Option<Cow<'v, str>> {
    let value = value?;
    value.as_str().map(Cow::Borrowed).or_else(|| row::id(value).map(Cow::Owned))
}
