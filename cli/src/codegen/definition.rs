//! What the code says of each flag.

use std::collections::{BTreeMap, BTreeSet};

use esclusa::{FlagSet, Time, Value};

use super::name;
use super::shape::Shape;
use crate::lint::{Document, finished};

/// A flag, as the code knows it.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) key: String,
    /// The name of its constant.
    pub(crate) constant: String,
    pub(crate) description: Option<String>,
    /// Why the code can do without it.
    pub(crate) finished: Option<String>,
    /// The values that it serves, on or off.
    pub(crate) value: Shape,
    /// What it serves when it is off.
    pub(crate) off: Value<'static>,
    /// The keys of its variants.
    pub(crate) variants: BTreeSet<String>,
}

/// All flags that apps can ask for, by key.
pub(crate) fn all(set: &FlagSet, document: &Document<'_>, now: Time) -> Vec<Definition> {
    let finished = finished(document, now);
    let mut flags: BTreeMap<&str, Definition> = BTreeMap::new();
    for row in document.flags.iter().filter(|row| set.contains(&row.key)) {
        let description = row.get("description").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let variants = row.entries("variants");
        let off = row.get("off_value").cloned().map(Value::into_owned);
        let off = off.unwrap_or(if row.has("variants") { Value::Null } else { Value::Bool(false) });
        let flag = flags.entry(&row.key).or_insert_with(|| Definition {
            key: row.key.clone(),
            constant: String::new(),
            description: description.map(str::to_owned),
            finished: finished.get(&row.key).cloned(),
            value: Shape::default(),
            off: off.clone(),
            variants: BTreeSet::new(),
        });
        flag.value.add(&off);
        for variant in variants {
            flag.value.add(variant.get("value").unwrap_or(&Value::Null));
            flag.variants.extend(variant.get("key").and_then(Value::as_str).map(str::to_owned));
        }
        if variants.is_empty() {
            flag.value.add(&Value::Bool(true));
        }
        // Variants that cannot be read, or a row whose fields are not those that are served.
        if variants.is_empty() && row.has("variants") {
            flag.value = Shape::any();
        }
    }
    for key in set.keys() {
        flags.entry(key).or_insert_with(|| Definition {
            key: key.to_owned(),
            constant: String::new(),
            description: None,
            finished: None,
            value: Shape::any(),
            off: Value::Null,
            variants: BTreeSet::new(),
        });
    }
    let mut taken = BTreeSet::new();
    let named = |flag: Definition| Definition { constant: name::constant(&flag.key, &mut taken), ..flag };
    flags.into_values().map(named).collect()
}

impl Definition {
    /// The lines of its documentation.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.description.iter().flat_map(|text| text.lines()).map(str::trim)
    }
}
