//! Which definitions differ, field by field, and which flags change through others.

use std::collections::{BTreeMap, BTreeSet};

use esclusa::Value;

use crate::document::{Definition, Document};

/// A flag whose definition, or what it refers to, differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The flag.
    pub key: String,
    /// The kind of change.
    pub kind: Kind,
    /// The fields that differ, by name; of an added or removed flag, all its fields.
    pub fields: Vec<FieldChange>,
    /// The segments (as `segment NAME`) and flags that differ and that it uses, directly or through others.
    pub through: Vec<String>,
    /// The fields that move people into other buckets: `salt`, `bucket_by`, or `variants` if their order differs.
    pub reshuffles: Vec<&'static str>,
}

/// The kind of change of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is only in the new document.
    Added,
    /// It is only in the old one.
    Removed,
    /// It is in both.
    Changed,
}

impl Kind {
    /// `added`, `removed` or `changed`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
        }
    }
}

/// A field whose values differ.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// Its name in snake_case.
    pub field: String,
    /// The old value; `None` if there was none.
    pub old: Option<Value<'static>>,
    /// The new value; `None` if there is none.
    pub new: Option<Value<'static>>,
}

/// The flags that differ between two documents, by key: by their own fields, or through a segment or a prerequisite.
#[must_use]
pub fn changes(old: &Document, new: &Document) -> Vec<Change> {
    let mut found = BTreeMap::new();
    let keys: BTreeSet<&String> = old.flags().keys().chain(new.flags().keys()).collect();
    for key in keys {
        let (before, after) = (old.flags().get(key), new.flags().get(key));
        let fields = fields(before, after);
        if fields.is_empty() {
            continue;
        }
        let kind = match (before, after) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            _ => Kind::Changed,
        };
        let reshuffles = before.zip(after).map(|(before, after)| reshuffles(key, before, after)).unwrap_or_default();
        found.insert(key.clone(), Change { key: key.clone(), kind, fields, through: Vec::new(), reshuffles });
    }
    let names: BTreeSet<&String> = old.segments().keys().chain(new.segments().keys()).collect();
    let differs = |name: &&String| old.segments().get(*name) != new.segments().get(*name);
    let differing: BTreeSet<Used> = names
        .into_iter()
        .filter(differs)
        .map(|name| Used::Segment(name.clone()))
        .chain(found.keys().map(|key| Used::Flag(key.clone())))
        .collect();
    for (key, definition) in new.flags() {
        let uses = used(definition, [old, new]);
        let through: Vec<String> = uses.intersection(&differing).filter(|one| !one.is(key)).map(Used::name).collect();
        if !through.is_empty() {
            let unchanged = || Change {
                key: key.clone(),
                kind: Kind::Changed,
                fields: Vec::new(),
                through: Vec::new(),
                reshuffles: Vec::new(),
            };
            found.entry(key.clone()).or_insert_with(unchanged).through = through;
        }
    }
    found.into_values().collect()
}

/// The fields that differ.
fn fields(old: Option<&Definition>, new: Option<&Definition>) -> Vec<FieldChange> {
    let all = |definition: Option<&Definition>| -> BTreeMap<String, Value<'static>> {
        let fields = definition.into_iter().flat_map(Definition::fields);
        fields.map(|(name, value)| (name.to_owned(), value.clone().into_canonical())).collect()
    };
    let (mut old, mut new) = (all(old), all(new));
    let names: BTreeSet<String> = old.keys().chain(new.keys()).cloned().collect();
    names
        .into_iter()
        .map(|field| FieldChange { old: old.remove(&field), new: new.remove(&field), field })
        .filter(|change| change.old != change.new)
        .collect()
}

/// The fields of a change that move people into other buckets (6.5 and 6.6 of SEMANTICS.md).
fn reshuffles(key: &str, old: &Definition, new: &Definition) -> Vec<&'static str> {
    let mut found = Vec::new();
    for (field, default) in [("salt", key), ("bucket_by", "user")] {
        let own = |definition: &Definition| match definition.field(field) {
            None => Value::from(default.to_owned()),
            Some(value) if field == "bucket_by" && value.as_str() == Some("targetingKey") => "user".into(),
            Some(value) => value.clone(),
        };
        if own(old) != own(new) {
            found.push(field);
        }
    }
    let order = |definition: &Definition, other: &Definition| -> Vec<String> {
        let theirs = variants(other);
        variants(definition).into_iter().filter(|key| theirs.contains(key)).collect()
    };
    if order(old, new) != order(new, old) {
        found.push("variants");
    }
    found
}

fn variants(definition: &Definition) -> Vec<String> {
    let variants = definition.field("variants").and_then(Value::as_list).unwrap_or_default();
    variants.iter().filter_map(|variant| variant.get("key")).map(Value::to_json).collect()
}

/// A reference of a flag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Used {
    Flag(String),
    Segment(String),
}

impl Used {
    fn is(&self, key: &str) -> bool {
        matches!(self, Used::Flag(own) if own == key)
    }

    fn name(&self) -> String {
        match self {
            Used::Flag(key) => key.clone(),
            Used::Segment(name) => format!("segment {name}"),
        }
    }
}

/// All that a flag refers to, directly and indirectly, in either document.
fn used(definition: &Definition, documents: [&Document; 2]) -> BTreeSet<Used> {
    let mut found = BTreeSet::new();
    let mut open = own_references(definition);
    while let Some(one) = open.pop() {
        if !found.insert(one.clone()) {
            continue;
        }
        for document in documents {
            match &one {
                Used::Flag(key) => open.extend(document.flags().get(key).map(own_references).unwrap_or_default()),
                Used::Segment(name) => {
                    if let Some(segment) = document.segments().get(name) {
                        segments(segment, &mut open);
                    }
                }
            }
        }
    }
    found
}

fn own_references(definition: &Definition) -> Vec<Used> {
    let mut found = Vec::new();
    if let Some(rules) = definition.field("rules") {
        segments(rules, &mut found);
    }
    let prerequisites = definition.field("prerequisites").and_then(Value::as_list).unwrap_or_default();
    let flags = prerequisites.iter().filter_map(|one| one.get("flag")?.as_str());
    found.extend(flags.map(|flag| Used::Flag(flag.to_owned())));
    found
}

/// The segments that conditions name, at any depth.
fn segments(value: &Value<'_>, found: &mut Vec<Used>) {
    match value {
        Value::List(entries) => entries.iter().for_each(|entry| segments(entry, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().filter(|_| name == "segment") {
                    Some(segment) => found.push(Used::Segment(segment.to_owned())),
                    None => segments(value, found),
                }
            }
        }
        _ => {}
    }
}
