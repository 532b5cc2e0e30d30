//! Projections: what a server may send to a browser (sentence 10.2 of SEMANTICS.md).
//!
//! The values of chosen flags for one context, without reasons: no rule, no company, no other user.

use crate::context::Context;
use crate::flag_set::FlagSet;
use crate::time::Time;
use crate::value::Value;
use crate::writing::Json;

/// The values of chosen flags for one context.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection<'s>(Vec<(&'s str, Projected<'s>)>);

/// What one flag serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projected<'s> {
    enabled: bool,
    value: &'s Value<'static>,
    variant: Option<&'s str>,
}

impl<'s> Projected<'s> {
    /// Whether the flag is on.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The value that is served.
    #[must_use]
    pub fn value(&self) -> &'s Value<'static> {
        self.value
    }

    /// The key of the variant, if one is served.
    #[must_use]
    pub fn variant(&self) -> Option<&'s str> {
        self.variant
    }
}

impl<'s> Projection<'s> {
    /// Each flag with what it serves, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&'s str, Projected<'s>)> + '_ {
        self.0.iter().copied()
    }

    /// What one of the chosen flags serves; `None` if the caller's default stands.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Projected<'s>> {
        let at = self.0.binary_search_by_key(&key, |(key, _)| key).ok()?;
        self.0.get(at).map(|(_, projected)| *projected)
    }

    /// `{key: {"enabled", "value"}}`, and `"variant"` where there is one.
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        let entry = |(key, projected): &(&str, Projected<'_>)| {
            let mut fields =
                vec![("enabled".into(), projected.enabled.into()), ("value".into(), projected.value.to_owned())];
            fields.extend(projected.variant.map(|variant| ("variant".into(), variant.to_owned().into())));
            ((*key).to_owned().into(), Value::Object(fields))
        };
        Value::Object(self.0.iter().map(entry).collect())
    }

    /// The same as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Json::default();
        json.object(|json| {
            for (key, projected) in &self.0 {
                json.name(key).object(|json| {
                    json.name("enabled").bool(projected.enabled);
                    json.name("value").value(projected.value);
                    if let Some(variant) = projected.variant {
                        json.name("variant").text(variant);
                    }
                });
            }
        });
        json.into_text()
    }
}

impl FlagSet {
    /// The values of the chosen flags for this context at this time.
    ///
    /// A key that does not exist is left out, so that the caller's default stands.
    pub fn project<'s, 'k>(
        &'s self,
        keys: impl IntoIterator<Item = &'k str>,
        context: &Context<'_>,
        now: impl Into<Time>,
    ) -> Projection<'s> {
        let now = now.into();
        let mut chosen = self.by_key(keys.into_iter().filter_map(|key| self.find(key)).collect());
        chosen.dedup();
        let projected = |(key, id)| {
            let resolution = self.resolve_id(id, context, now);
            let (enabled, value, variant) = (resolution.enabled, resolution.value, resolution.variant);
            (key, Projected { enabled, value, variant })
        };
        Projection(chosen.into_iter().map(projected).collect())
    }
}
