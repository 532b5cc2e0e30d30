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
    /// Its number among the rows.
    at: usize,
    /// Whether the rows are in the field `flags` of the document.
    is_in_flags: bool,
    /// Those that have a meaning by their names in snake_case.
    fields: Vec<(Cow<'a, str>, Value<'a>)>,
    /// Of fields in camelCase the position and the name that is written.
    written: Vec<(usize, Cow<'a, str>)>,
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
        let mut names = Names::default();
        let rest = rows(bytes, &mut |table, at, row| {
            if table.is_some_and(|table| table != "flags") {
                return;
            }
            if let Some(key) = row::key(row).map(ToOwned::to_owned)
                && let Value::Object(fields) = std::mem::take(row)
            {
                document.flags.push(Row::new(key, (at, table.is_some()), fields, &mut names));
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
        let own = |(name, value): (Cow<'a, str>, Value<'a>)| (Cow::Owned(name.into_owned()), value.into_owned());
        let flags = self.flags.into_iter().map(|row| Row {
            key: row.key,
            at: row.at,
            is_in_flags: row.is_in_flags,
            fields: row.fields.into_iter().map(own).collect(),
            written: row.written.into_iter().map(|(at, name)| (at, Cow::Owned(name.into_owned()))).collect(),
        });
        let segments = self.segments.into_iter().map(|one| Segment {
            key: one.key,
            place: one.place,
            when: one.when.into_owned(),
        });
        Document { flags: flags.collect(), segments: segments.collect() }
    }

    /// The flag that a place is in, such as `/flags/3/enabled` or `/3`.
    pub(crate) fn flag_at(&self, place: &str) -> Option<&Row<'a>> {
        let parts = place.split('/').skip(1).collect::<Vec<_>>();
        let (is_in_flags, number) = match parts.as_slice() {
            ["flags", number, ..] => (true, number),
            [number, ..] => (false, number),
            [] => return None,
        };
        let at = number.parse::<usize>().ok()?;
        let found = self.flags.binary_search_by_key(&at, |flag| flag.at).ok()?;
        self.flags.get(found).filter(|flag| flag.is_in_flags == is_in_flags)
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
    fn new(
        key: String,
        (at, is_in_flags): (usize, bool),
        mut fields: Vec<(Cow<'a, str>, Value<'a>)>,
        names: &mut Names,
    ) -> Self {
        let mut written = Vec::new();
        for (position, (name, value)) in fields.iter_mut().enumerate() {
            if let Some(known) = names.known(position, name).filter(|known| known != name) {
                written.push((position, std::mem::replace(name, Cow::Borrowed(known))));
            }
            open(value);
        }
        Row { key, at, is_in_flags, fields, written }
    }

    /// Its JSON pointer.
    pub(crate) fn place(&self) -> String {
        format!("{}/{}", if self.is_in_flags { "/flags" } else { "" }, self.at)
    }

    fn find(&self, field: &str) -> Option<(usize, &Value<'a>)> {
        let mut fields = self.fields.iter().enumerate().rev();
        fields.find(|(_, (name, value))| name == field && !value.is_null()).map(|(at, (_, value))| (at, value))
    }

    /// The value of a field that is not null.
    pub(crate) fn get(&self, field: &str) -> Option<&Value<'a>> {
        self.find(field).map(|(_, value)| value)
    }

    /// The place of a field, or of the flag without it.
    pub(crate) fn place_of(&self, field: &str) -> String {
        let Some((at, _)) = self.find(field) else { return self.place() };
        let written = self.written.iter().find(|(position, _)| *position == at).map(|(_, name)| name.as_ref());
        format!("{}/{}", self.place(), written.unwrap_or(field).replace('~', "~0").replace('/', "~1"))
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

/// A text that holds a list or an object becomes it.
fn open(value: &mut Value<'_>) {
    let text = value.as_str().filter(|text| text.trim_start().starts_with(['[', '{']));
    if let Some(opened) = text.and_then(|text| Value::from_json(text.as_bytes()).ok()).map(Value::into_owned) {
        *value = opened;
    }
}

/// What the names of fields mean. Rows most often have the same fields in the same order.
#[derive(Debug, Default)]
struct Names(Vec<(String, Option<&'static str>)>);

impl Names {
    fn known(&mut self, position: usize, written: &str) -> Option<&'static str> {
        if let Some((_, known)) = self.0.get(position).filter(|(name, _)| name == written) {
            return *known;
        }
        let known = row::field(written);
        if position >= self.0.len() {
            self.0.resize_with(position + 1, Default::default);
        }
        if let Some(last) = self.0.get_mut(position) {
            *last = (written.to_owned(), known);
        }
        known
    }
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
