//! The flag that cases are about: its definition, units of a bucket, and the kinds of callers that it tells apart.

use std::collections::{BTreeMap, BTreeSet};

use esclusa::{BUCKETS, Bucket, Context, FlagSet, Value};
use esclusa_impact::{Definition, Document};

/// The most units that are tried for a bucket: 100 times as many as there are buckets.
const MAX_TRIES: u32 = 100 * BUCKETS;

/// The most kinds of callers that are asked about.
pub(super) const MAX_CELLS: usize = 100_000;

/// Flags of one source.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) set: FlagSet,
    pub(super) document: Document,
}

impl Source {
    fn definition(&self, key: &str) -> Option<&Definition> {
        self.document.flags().get(key)
    }

    /// The variants of a flag.
    pub(super) fn variants(&self, key: &str) -> Vec<String> {
        let variants = self.definition(key).and_then(|flag| flag.field("variants")).and_then(Value::as_list);
        let variants = variants.unwrap_or_default().iter();
        variants.filter_map(|variant| Some(variant.get("key")?.as_str()?.to_owned())).collect()
    }

    /// The attribute whose value decides on the bucket.
    pub(super) fn unit(&self, key: &str) -> &str {
        let unit = self.definition(key).and_then(|flag| flag.field("bucket_by")).and_then(Value::as_str);
        unit.filter(|unit| *unit != "targetingKey").unwrap_or("user")
    }

    fn salt<'s>(&'s self, key: &'s str) -> &'s str {
        let salt = self.definition(key).and_then(|flag| flag.field("salt")).and_then(Value::as_str);
        salt.unwrap_or(key)
    }

    /// A unit that is in a bucket of the flag.
    pub(super) fn unit_in(&self, key: &str, bucket: u32) -> Option<String> {
        unit_in(self.salt(key), bucket, bucket + 1)
    }

    /// Contexts of all kinds of callers that the flag tells apart, with these attributes; or how many they would be.
    pub(super) fn cells(
        &self,
        key: &str,
        fixed: &Context<'static>,
        names: &[&str],
    ) -> Result<Vec<Context<'static>>, usize> {
        let mut named = Named::default();
        named.flag(self, key);
        // The lowest bucket is in every share; the highest is in no share but the whole.
        let units = [0, BUCKETS - 1].iter().filter_map(|bucket| self.unit_in(key, *bucket)).map(Value::from);
        named.values.entry(self.unit(key).to_owned()).or_default().extend(units);
        let mut dimensions: Vec<(String, Vec<Value<'static>>)> = named.values.into_iter().collect();
        dimensions.retain(|(name, _)| !names.iter().any(|fixed| same(fixed, name)));
        let count = dimensions.iter().map(|(_, values)| values.len() + 1).try_fold(1_usize, usize::checked_mul);
        match count {
            Some(count) if count <= MAX_CELLS => {}
            count => return Err(count.unwrap_or(usize::MAX)),
        }
        let mut cells = vec![fixed.clone()];
        for (name, values) in &dimensions {
            let with = |cell: &Context<'static>| -> Vec<Context<'static>> {
                let with = values.iter().map(|value| cell.clone().attribute(name.clone(), value.clone()));
                with.chain([cell.clone()]).collect()
            };
            cells = cells.iter().flat_map(with).collect();
        }
        Ok(cells)
    }
}

/// Whether two names mean one attribute.
pub(super) fn same(one: &str, other: &str) -> bool {
    let known = |name: &str| match name {
        "targetingKey" => "user".to_owned(),
        "roles" => "role".to_owned(),
        name => name.to_owned(),
    };
    known(one) == known(other)
}

/// A unit whose bucket in a salt is one of these.
fn unit_in(salt: &str, from: u32, to: u32) -> Option<String> {
    let unit = |number: u32| format!("test-user-{number}");
    (0..MAX_TRIES).map(unit).find(|unit| (from..to).contains(&Bucket::of(unit, salt).number()))
}

/// The values that a definition names, by attribute.
#[derive(Debug, Default)]
struct Named {
    values: BTreeMap<String, Vec<Value<'static>>>,
    seen: BTreeSet<String>,
}

impl Named {
    fn flag(&mut self, source: &Source, key: &str) {
        if !self.seen.insert(format!("flag {key}")) {
            return;
        }
        let Some(definition) = source.definition(key) else { return };
        for (field, value) in definition.fields() {
            match field {
                "target_plans" => self.add("plan", value),
                "target_regions" => self.add("region", value),
                "target_companies" => self.add("company", value),
                "target_users" => self.add("user", value),
                "target_roles" => self.add("role", value),
                "overrides" => {
                    for side in ["on", "off"].iter().filter_map(|side| value.get(side)) {
                        side.get("users").into_iter().for_each(|ids| self.add("user", ids));
                        side.get("companies").into_iter().for_each(|ids| self.add("company", ids));
                    }
                }
                "prerequisites" => {
                    for one in value.as_list().unwrap_or_default() {
                        if let Some(flag) = one.get("flag").and_then(Value::as_str) {
                            self.flag(source, flag);
                        }
                    }
                }
                "rules" => self.conditions(source, value, source.salt(key)),
                _ => {}
            }
        }
    }

    fn conditions(&mut self, source: &Source, value: &Value<'static>, salt: &str) {
        match value {
            Value::List(values) => values.iter().for_each(|value| self.conditions(source, value, salt)),
            Value::Object(fields) => {
                let text = |name: &str| value.get(name).and_then(Value::as_str);
                if let Some(attribute) = text("attribute") {
                    self.comparison(attribute, text("op").unwrap_or_default(), value);
                }
                if let Some(segment) = text("segment")
                    && self.seen.insert(format!("segment {segment}"))
                    && let Some(segment) = source.document.segments().get(segment)
                {
                    self.conditions(source, segment, salt);
                }
                if let Some(range) = value.get("percentage") {
                    self.range(range, salt);
                }
                fields.iter().for_each(|(_, value)| self.conditions(source, value, salt));
            }
            _ => {}
        }
    }

    /// Values on both sides of what a comparison names.
    fn comparison(&mut self, attribute: &str, operator: &str, condition: &Value<'static>) {
        let own = condition.get("value").into_iter();
        let own = own.chain(condition.get("values").and_then(Value::as_list).unwrap_or_default());
        for value in own.cloned().collect::<Vec<_>>() {
            match (operator, &value) {
                ("eq" | "lt" | "le" | "gt" | "ge", number) => {
                    let number = number.as_f64().unwrap_or_default();
                    for near in [number - 1.0, number, number + 1.0] {
                        self.push(attribute, Value::number(near).unwrap_or_default());
                    }
                }
                ("is", _) => [true, false].into_iter().for_each(|value| self.push(attribute, value.into())),
                ("before" | "after", _) => {
                    for time in ["0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z"] {
                        self.push(attribute, time.into());
                    }
                }
                ("in_cidr", network) => {
                    let address = network.as_str().unwrap_or_default().split('/').next().unwrap_or_default();
                    self.push(attribute, address.to_owned().into());
                }
                (operator, _) if operator.starts_with("semver") => {
                    self.push(attribute, value.clone());
                    ["0.0.0", "99999.0.0"].into_iter().for_each(|version| self.push(attribute, version.into()));
                }
                _ => self.push(attribute, value.clone()),
            }
        }
        // A value that no comparison names.
        self.push(attribute, "another value".into());
    }

    fn range(&mut self, range: &Value<'static>, salt: &str) {
        let share = |name: &str| range.get(name).and_then(esclusa::row::share);
        let unit = range.get("of").and_then(Value::as_str).unwrap_or("user");
        let salt = range.get("salt").and_then(Value::as_str).unwrap_or(salt);
        let (from, to) = (share("from").unwrap_or(0), share("to").unwrap_or(BUCKETS));
        if let Some(found) = unit_in(salt, from, to) {
            self.push(unit, found.into());
        }
    }

    fn add(&mut self, attribute: &str, values: &Value<'static>) {
        let values = values.as_list().unwrap_or_default();
        values.iter().for_each(|value| self.push(attribute, value.clone()));
        self.push(attribute, "another value".into());
    }

    fn push(&mut self, attribute: &str, value: Value<'static>) {
        let name = if same(attribute, "role") { "role" } else { attribute };
        let values = self.values.entry(name.to_owned()).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    }
}
