//! The flag that cases are about: its definition, units of a bucket, and the kinds of callers that it tells apart.

use esclusa::{BUCKETS, Bucket, Context, FlagSet, Value};
use esclusa_impact::{Definition, Document};

use super::named::Named;

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
    pub(super) fn definition(&self, key: &str) -> Option<&Definition> {
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

    pub(super) fn salt<'s>(&'s self, key: &'s str) -> &'s str {
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
        let mut dimensions = Named::of(self, key).into_values();
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
pub(super) fn unit_in(salt: &str, from: u32, to: u32) -> Option<String> {
    (0..MAX_TRIES).map(unit).find(|unit| (from..to).contains(&Bucket::of(unit, salt).number()))
}

/// A unit that can be tried.
pub(super) fn unit(number: u32) -> String {
    format!("test-user-{number}")
}
