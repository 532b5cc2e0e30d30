//! A plain context becoming the engine's: fields of a dict, whose names are all different, in whichever order.
//!
//! The engine knows what each name means. What is left to do here is the order that sentences 3.2 and 3.4 of
//! SEMANTICS.md ask for (`user` before `targetingKey`, `role` before `roles`), and to hand over the texts of the fixed
//! fields at once: taking them one by one as attributes costs three times as much.

use std::borrow::Cow;

use esclusa::{Context, Value};

/// A context under way.
#[derive(Default)]
pub(crate) struct Plain<'a> {
    user: Option<Cow<'a, str>>,
    targeting_key: Option<Cow<'a, str>>,
    company: Option<Cow<'a, str>>,
    plan: Option<Cow<'a, str>>,
    region: Option<Cow<'a, str>>,
    role: Option<Cow<'a, str>>,
    roles: Value<'a>,
    attributes: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Plain<'a> {
    /// One more field.
    #[inline]
    pub(crate) fn add(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        let place = match name.as_ref() {
            "user" => &mut self.user,
            "targetingKey" => &mut self.targeting_key,
            "company" => &mut self.company,
            "plan" => &mut self.plan,
            "region" => &mut self.region,
            "role" => &mut self.role,
            "roles" => return self.roles = value,
            _ => return self.attributes.push((name, value)),
        };
        match value {
            Value::Text(text) => *place = Some(text),
            // A number stands for its digits, a list of roles for several: the engine knows.
            other => self.attributes.push((name, other)),
        }
    }

    /// The context of all fields.
    #[inline]
    pub(crate) fn finish(self) -> Context<'a> {
        let mut context = self.user.map_or_else(Context::anonymous, Context::new);
        if let Some(company) = self.company {
            context = context.company(company);
        }
        if let Some(plan) = self.plan {
            context = context.plan(plan);
        }
        if let Some(region) = self.region {
            context = context.region(region);
        }
        if let Some(role) = self.role {
            context = context.role(role);
        }
        let mut number = Value::Null;
        for (name, value) in self.attributes {
            if name == "targetingKey" {
                number = value;
            } else {
                context = context.attribute(name, value);
            }
        }
        let targeting_key = self.targeting_key.map_or(number, Value::Text);
        if let Value::Text(_) | Value::Integer(_) = targeting_key {
            context = context.attribute("targetingKey", targeting_key);
        }
        if self.roles.is_null() { context } else { context.attribute("roles", self.roles) }
    }
}

impl<'a> FromIterator<(Cow<'a, str>, Value<'a>)> for Plain<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, Value<'a>)>>(fields: I) -> Self {
        let mut plain = Plain::default();
        fields.into_iter().for_each(|(name, value)| plain.add(name, value));
        plain
    }
}
