//! Client snapshots: a document for the browser of one caller (sentences 10.3 to 10.6 of SEMANTICS.md).
//!
//! A flag without personal targeting is sent as its definition, so that the browser goes on evaluating it; any other
//! flag is sent as this caller's result. The document holds no rule, no company, no user and no flag that was not
//! chosen and marked `client`.

use crate::aside::Why;
use crate::context::Context;
use crate::definition::{FlagDefinition, OverridesDefinition, VariantDefinition};
use crate::flag_set::{Fate, FlagId, FlagSet};
use crate::limit::MAX_NESTING_DEPTH;
use crate::snapshot::VERSION;
use crate::time::Time;
use crate::value::Value;

/// The document and its list of flags enclose each flag.
const FLAG_DEPTH: usize = 2;

impl FlagSet {
    /// A document (section 2.1) for the browser of this caller: of the chosen flags those that are marked `client`.
    ///
    /// ```
    /// use esclusa::{Context, FlagSet, Time};
    /// let set = FlagSet::from_json(br#"[
    ///     {"name": "beta", "enabled": true, "client": true, "target_companies": ["acme", "globex"]},
    ///     {"name": "secret", "enabled": true}
    /// ]"#)?;
    /// let snapshot = set.client_snapshot(["beta", "secret"], &Context::new("u").company("acme"), Time::from_millis(0));
    /// assert_eq!(snapshot.to_string(), r#"{"esclusa":1,"flags":[{"name":"beta","enabled":true,"client":true}]}"#);
    /// # Ok::<(), esclusa::SnapshotError>(())
    /// ```
    pub fn client_snapshot<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k str>,
        context: &Context<'_>,
        now: impl Into<Time>,
    ) -> Value<'static> {
        let now = now.into();
        let mut chosen = vec![false; self.len()];
        for id in keys.into_iter().filter_map(|key| self.find(key)) {
            if let Some(chosen) = chosen.get_mut(id.0 as usize) {
                *chosen = true;
            }
        }
        let chosen = (0..).map(FlagId).zip(chosen).filter(|(_, chosen)| *chosen);
        let flags = chosen.filter_map(|(id, _)| {
            let definition = self.definition(id);
            let is_marked = definition.as_ref().is_some_and(|definition| definition.client);
            if matches!(self.origin(id).fate, Fate::SetAside { why: Why::Withheld, .. }) {
                let is_row_marked = self.aside(id).is_some_and(|aside| aside.client);
                return (is_marked || is_row_marked).then(|| self.decided(id, context, now));
            }
            let definition = definition.filter(|_| is_marked)?;
            let killed = matches!(self.origin(id).fate, Fate::SetAside { why: Why::Killed, .. });
            Some(if killed || !is_fit_to_send(&definition) {
                self.decided(id, context, now)
            } else {
                defined(self.key(id), definition)
            })
        });
        // A row may be nested one level deeper than a flag of the document; a flag that would exceed the limit is left
        // out.
        let flags = Value::List(flags.filter(|flag| fits_into(MAX_NESTING_DEPTH - FLAG_DEPTH, flag)).collect());
        let mut document = vec![("esclusa".into(), Value::Integer(VERSION))];
        document.extend(self.revision().map(|revision| ("revision".into(), revision.into())));
        document.push(("flags".into(), flags));
        Value::Object(document)
    }

    /// The flag as its result for this caller at this time (10.5).
    fn decided(&self, id: FlagId, context: &Context<'_>, now: Time) -> Value<'static> {
        let resolution = self.resolve_id(id, context, now);
        let mut fields = vec![name(self.key(id)), ("enabled".into(), resolution.is_enabled().into())];
        let value = resolution.value();
        if let Some(variant) = resolution.variant() {
            fields.push(("variants".into(), Value::List(vec![served(variant, value.clone())])));
        } else if value.is_null() {
            // Null is the off value of a flag with variants, and cannot be written as `off_value` (2.2.1).
            fields.push(("variants".into(), Value::List(vec![served("off", Value::Null)])));
        } else if !resolution.is_enabled() && *value != Value::Bool(false) {
            fields.push(("off_value".into(), value.clone()));
        }
        fields.push(client());
        Value::Object(fields)
    }
}

/// Whether a value is nested at most this deep.
fn fits_into(depth: usize, value: &Value<'_>) -> bool {
    let inner = depth.checked_sub(1);
    match value {
        Value::List(elements) => inner.is_some_and(|inner| elements.iter().all(|element| fits_into(inner, element))),
        Value::Object(fields) => inner.is_some_and(|inner| fields.iter().all(|(_, field)| fits_into(inner, field))),
        _ => true,
    }
}

/// Whether the definition targets by plan, role, region and share alone, and lists no user and no company (10.4). Its times must also be
/// in the years that can be written (an offset may put one a few hours outside 1 to 9999).
fn is_fit_to_send(definition: &FlagDefinition<'_>) -> bool {
    let FlagDefinition { rules, prerequisites, overrides, targets: [_, _, _, companies, users], .. } = definition;
    let OverridesDefinition { on_users, on_companies, off_users, off_companies } = overrides;
    let mut times = definition.schedule.iter().map(|(at, _)| *at).chain(definition.start).chain(definition.end);
    times.all(|time| Time::parse(&time.to_string()) == Some(time))
        && rules.is_empty()
        && prerequisites.is_empty()
        && [companies, users, on_users, on_companies, off_users, off_companies].iter().all(|list| list.is_empty())
}

/// The flag as its definition, without fields that have their default.
fn defined(key: &str, definition: FlagDefinition<'_>) -> Value<'static> {
    let by_default = FlagDefinition::default();
    let mut fields = vec![name(key), ("enabled".into(), definition.enabled.into())];
    let mut add = |name: &'static str, value: Value<'static>| fields.push((name.into(), value));
    if definition.status != by_default.status {
        add("status", definition.status.name().into());
    }
    if definition.rollout != by_default.rollout {
        add("rollout_percentage", definition.rollout.percentage());
    }
    let [plans, regions, roles, ..] = definition.targets;
    for (name, list) in [("target_plans", plans), ("target_roles", roles), ("target_regions", regions)] {
        if !list.is_empty() {
            add(name, list.into_iter().map(std::borrow::Cow::into_owned).collect::<Vec<_>>().into());
        }
    }
    for (name, time) in [("start_date", definition.start), ("end_date", definition.end)] {
        if let Some(time) = time {
            add(name, time.to_string().into());
        }
    }
    if definition.bucket_by != by_default.bucket_by {
        add("bucket_by", definition.bucket_by.into_owned().into());
    }
    if let Some(salt) = definition.salt {
        add("salt", salt.into_owned().into());
    }
    // Absent, the off value of a flag with variants is null and that of a boolean flag false (2.2.17).
    let off_value = definition.off_value.map_or(Value::Bool(false), |value| value.into_owned().into_owned());
    let absent = if definition.variants.is_empty() { Value::Bool(false) } else { Value::Null };
    if off_value != absent {
        add("off_value", off_value);
    }
    if !definition.variants.is_empty() {
        add("variants", Value::List(definition.variants.into_iter().map(weighted).collect()));
    }
    if !definition.schedule.is_empty() {
        let step = |(at, share): (Time, crate::bucket::Share)| {
            Value::Object(vec![("at".into(), at.to_string().into()), ("rollout_percentage".into(), share.percentage())])
        };
        add("schedule", Value::List(definition.schedule.into_iter().map(step).collect()));
    }
    fields.push(client());
    Value::Object(fields)
}

type Field = (std::borrow::Cow<'static, str>, Value<'static>);

fn name(key: &str) -> Field {
    ("name".into(), key.to_owned().into())
}

fn client() -> Field {
    ("client".into(), true.into())
}

fn served(key: &str, value: Value<'static>) -> Value<'static> {
    Value::Object(vec![("key".into(), key.to_owned().into()), ("value".into(), value)])
}

fn weighted(variant: VariantDefinition<'_>) -> Value<'static> {
    let mut served = served(&variant.key, variant.value.into_owned().into_owned());
    if let Value::Object(fields) = &mut served {
        fields.push(("weight".into(), variant.weight.into()));
    }
    served
}
