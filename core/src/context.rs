//! The context: everything an app knows about the caller (section 3 of SEMANTICS.md).
//!
//! It borrows its strings where the app lets it, and prepares each so that comparing is cheap; it knows no flag.
//! The fixed fields have places of their own, everything else is an attribute found by name.

use std::borrow::Cow;
use std::fmt;

use crate::text::Word;
use crate::value::Value;

/// What is known about the caller: user, company, plan, roles, region, and any other attribute.
///
/// A context is built in the call, or kept and used again: it hashes each of its strings at most once.
///
/// ```
/// use esclusa::Context;
/// let context = Context::new("user-42")
///     .company("acme")
///     .plan("PREMIUM")
///     .role("ADMIN")
///     .region("CO")
///     .attribute("seats", 12);
/// assert_eq!(context.targeting_key(), Some("user-42"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Context<'a> {
    user: Option<Word<'a>>,
    company: Option<Word<'a>>,
    plan: Option<Word<'a>>,
    region: Option<Word<'a>>,
    roles: Roles<'a>,
    attributes: Vec<(Cow<'a, str>, Value<'a>)>,
}

/// The caller's roles. Most callers have one, which needs no allocation.
#[derive(Clone, Debug, Default)]
struct Roles<'a> {
    known: bool,
    first: Option<Word<'a>>,
    others: Vec<Word<'a>>,
}

/// Something was given as a context that is not a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}, expected a context: an object such as {{\"user\": \"user-42\", \"company\": \"acme\"}}")]
pub struct ContextError {
    pub(crate) problem: String,
}

impl<'a> Context<'a> {
    /// A context with this targeting key: the id of the user, unless the app buckets by something else.
    #[must_use]
    #[inline]
    pub fn new(targeting_key: impl Into<Cow<'a, str>>) -> Self {
        Context { user: Some(Word::new(targeting_key.into())), ..Context::default() }
    }

    /// A context of a caller whom nobody knows: no rollout below 100 % lets it in.
    #[must_use]
    pub fn anonymous() -> Self {
        Context::default()
    }

    /// The company that the user belongs to.
    #[must_use]
    #[inline]
    pub fn company(mut self, company: impl Into<Cow<'a, str>>) -> Self {
        self.company = Some(Word::new(company.into()));
        self
    }

    /// The plan that the company pays for.
    #[must_use]
    #[inline]
    pub fn plan(mut self, plan: impl Into<Cow<'a, str>>) -> Self {
        self.plan = Some(Word::new(plan.into()));
        self
    }

    /// The region that the caller is in.
    #[must_use]
    #[inline]
    pub fn region(mut self, region: impl Into<Cow<'a, str>>) -> Self {
        self.region = Some(Word::new(region.into()));
        self
    }

    /// One more role.
    #[must_use]
    #[inline]
    pub fn role(mut self, role: impl Into<Cow<'a, str>>) -> Self {
        let role = Word::new(role.into());
        self.roles.known = true;
        if self.roles.first.is_none() {
            self.roles.first = Some(role);
        } else {
            self.roles.others.push(role);
        }
        self
    }

    /// More roles. Giving none at all still says that the caller's roles are known (sentence 3.4).
    #[must_use]
    pub fn roles<I>(self, roles: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Cow<'a, str>>,
    {
        let mut context = roles.into_iter().fold(self, Context::role);
        context.roles.known = true;
        context
    }

    /// Any other attribute. One with a name that has been given before replaces it; null takes it away.
    ///
    /// The names of the fixed fields (`user`, `targetingKey`, `company`, `plan`, `role`, `roles`, `region`) set
    /// those fields, as they do in a context written as JSON.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Self {
        let name = name.into();
        self.attributes.retain(|(known, _)| *known != name);
        self.set(name, value.into());
        self
    }

    fn set(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        match Field::named(&name) {
            Some(Field::User) => self.user = word(value),
            Some(Field::Company) => self.company = word(value),
            Some(Field::Plan) => self.plan = word(value),
            Some(Field::Region) => self.region = word(value),
            Some(Field::Roles) => self.roles.add(value),
            None => self.attributes.push((name, value)),
        }
    }

    /// The context that a JSON value describes (sentences 3.1 to 3.6).
    ///
    /// # Errors
    /// When the value is not an object.
    pub fn from_value(value: Value<'a>) -> Result<Self, ContextError> {
        let Value::Object(fields) = value else {
            return Err(ContextError { problem: format!("this is {}", value.kind()) });
        };
        let (mut context, mut roles, mut targeting_key) = (Context::default(), Value::Null, None);
        // From the last field to the first, so that of two with one name the last counts (sentence 2.2.23).
        let mut seen = std::collections::HashSet::new();
        for (name, value) in fields.into_iter().rev() {
            if !seen.insert(name.clone()) {
                continue;
            }
            match name.as_ref() {
                "targetingKey" => targeting_key = word(value),
                // `role` comes before `roles`, in whichever order they stand.
                "roles" => roles = value,
                _ => context.set(name, value),
            }
        }
        context.attributes.reverse();
        context.roles.add(roles);
        context.user = targeting_key.or(context.user);
        Ok(context)
    }

    /// The string that identifies the caller.
    #[must_use]
    pub fn targeting_key(&self) -> Option<&str> {
        self.user.as_ref().map(Word::as_str)
    }

    /// The same context, owning all its strings, to be kept for as long as the app likes.
    #[must_use]
    pub fn into_owned(self) -> Context<'static> {
        Context {
            user: self.user.map(Word::into_owned),
            company: self.company.map(Word::into_owned),
            plan: self.plan.map(Word::into_owned),
            region: self.region.map(Word::into_owned),
            roles: Roles {
                known: self.roles.known,
                first: self.roles.first.map(Word::into_owned),
                others: self.roles.others.into_iter().map(Word::into_owned).collect(),
            },
            attributes: self
                .attributes
                .into_iter()
                .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                .collect(),
        }
    }

    /// One of the fixed fields that hold one text.
    #[inline]
    pub(crate) fn field(&self, field: Field) -> Option<&Word<'a>> {
        match field {
            Field::User => self.user.as_ref(),
            Field::Company => self.company.as_ref(),
            Field::Plan => self.plan.as_ref(),
            Field::Region => self.region.as_ref(),
            Field::Roles => None,
        }
    }

    /// The caller's roles, or `None` when nobody said anything about them.
    #[inline]
    pub(crate) fn known_roles(&self) -> Option<impl Iterator<Item = &Word<'a>>> {
        self.roles.known.then(|| self.roles.first.iter().chain(&self.roles.others))
    }

    /// An attribute by its name as it stands, then as a path; null is missing (sentences 3.6 and 3.8).
    pub(crate) fn lookup(&self, name: &str) -> Option<&Value<'a>> {
        let named = |wanted: &str| self.attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        if let Some(found) = named(name).filter(|value| !value.is_null()) {
            return Some(found);
        }
        let (first, path) = name.split_once('.')?;
        path.split('.').try_fold(named(first)?, |value, part| value.get(part)).filter(|value| !value.is_null())
    }
}

impl<'a> Roles<'a> {
    fn add(&mut self, value: Value<'a>) {
        let given = match value {
            Value::List(elements) => {
                self.known = true;
                elements
            }
            one => vec![one],
        };
        for role in given.into_iter().filter_map(word) {
            self.known = true;
            if self.first.is_none() {
                self.first = Some(role);
            } else {
                self.others.push(role);
            }
        }
    }
}

/// A usable text: a string, or an integer as its digits (sentence 3.5).
fn word(value: Value<'_>) -> Option<Word<'_>> {
    match value {
        Value::Text(text) => Some(Word::new(text)),
        Value::Integer(number) => Some(Word::new(Cow::Owned(number.to_string()))),
        _ => None,
    }
}

/// The fields of a context that have a place of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    User,
    Company,
    Plan,
    Region,
    Roles,
}

impl Field {
    /// The field that a name in a condition or a unit means (sentence 3.7).
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "user" | "targetingKey" => Some(Field::User),
            "company" => Some(Field::Company),
            "plan" => Some(Field::Plan),
            "region" => Some(Field::Region),
            "role" | "roles" => Some(Field::Roles),
            _ => None,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::User => "user",
            Field::Company => "company",
            Field::Plan => "plan",
            Field::Region => "region",
            Field::Roles => "roles",
        })
    }
}
