//! The context: everything an app knows about the caller (section 3 of SEMANTICS.md).
//!
//! It borrows its strings where the app lets it, and prepares each for cheap comparison. It knows no flag. The fixed
//! fields are struct fields; everything else is an attribute, found by name.

use std::borrow::Cow;
use std::num::NonZeroU64;

use crate::audience::{CallerBits, InternedTargets, KnownBits};
use crate::error::{found, problem};
pub(crate) use crate::field::Field;
use crate::text::{KnownHash, Token, Word};
use crate::value::Value;
use crate::whole::digits;

/// What is known about the caller: user, company, plan, roles, region, and any other attribute.
///
/// Build a context in the call, or keep it for many calls: it hashes each of its strings at most once.
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
///
/// On 64-bit targets it is aligned to 16 bytes, as what `malloc` gives is; memory from elsewhere must be too.
// The order and the alignment keep what most plain flags need (the bits of the targets, and the user's hash) in one
// cache line.
#[derive(Clone, Debug, Default)]
#[repr(C)]
#[cfg_attr(target_pointer_width = "64", repr(align(16)))]
pub struct Context<'a> {
    /// The fields, in the order of [`Field`]; for roles, the first role.
    fields: Fields<'a>,
    /// Does not allocate for callers with one role or none, which most are.
    other_roles: Vec<Role<'a>>,
    /// Whether roles were given, even an empty list of them.
    roles_known: bool,
    /// In the order given; of two with one name the last counts (sentence 2.2.23).
    pub(crate) attributes: Vec<(Cow<'a, str>, Value<'a>)>,
    /// The fixed fields whose value is not a text, with a description of it (3.10).
    unreadable: Unreadable<'a>,
}

/// Boxed: few contexts have any, and a small context is cheap to move.
type Unreadable<'a> = Option<Box<Vec<(Field, Cow<'a, str>)>>>;

/// The fixed fields, in the order of [`Field`].
#[derive(Clone, Debug)]
#[repr(C)]
struct Fields<'a> {
    caller_bits: KnownBits,
    hashes: [KnownHash; FIELDS],
    has_several_roles: bool,
    /// A missing field has the token that no list holds.
    tokens: [Token; FIELDS],
    texts: [Option<Cow<'a, str>>; FIELDS],
}

const FIELDS: usize = 5;

impl Default for Fields<'_> {
    #[inline]
    fn default() -> Self {
        Fields {
            caller_bits: KnownBits::default(),
            hashes: Default::default(),
            has_several_roles: false,
            tokens: [Token::NONE; FIELDS],
            texts: Default::default(),
        }
    }
}

/// A role after the first.
#[derive(Clone, Debug)]
struct Role<'a> {
    text: Cow<'a, str>,
    token: Token,
    hash: KnownHash,
}

/// The value given as a context is not a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}, expected a context: an object such as {{\"user\": \"user-42\", \"company\": \"acme\"}}")]
pub struct ContextError {
    pub(crate) problem: Cow<'static, str>,
}

impl<'a> Context<'a> {
    /// A context with this targeting key: the id of the user, unless the app buckets by something else.
    #[must_use]
    #[inline]
    pub fn new(targeting_key: impl Into<Cow<'a, str>>) -> Self {
        Context::default().with(Field::User, targeting_key.into())
    }

    /// A context of an anonymous caller: only rollouts of 100 % let it in.
    #[must_use]
    pub fn anonymous() -> Self {
        Context::default()
    }

    /// The company that the user belongs to.
    #[must_use]
    #[inline]
    pub fn company(self, company: impl Into<Cow<'a, str>>) -> Self {
        self.with(Field::Company, company.into())
    }

    /// The plan that the company pays for.
    #[must_use]
    #[inline]
    pub fn plan(self, plan: impl Into<Cow<'a, str>>) -> Self {
        self.with(Field::Plan, plan.into())
    }

    /// The region that the caller is in.
    #[must_use]
    #[inline]
    pub fn region(self, region: impl Into<Cow<'a, str>>) -> Self {
        self.with(Field::Region, region.into())
    }

    #[inline]
    fn with(mut self, field: Field, text: Cow<'a, str>) -> Self {
        self.put(field, Some(text));
        self
    }

    #[inline]
    fn put(&mut self, field: Field, text: Option<Cow<'a, str>>) {
        let Fields { caller_bits, tokens, hashes, texts, .. } = &mut self.fields;
        let at = field as usize;
        *caller_bits = KnownBits::default();
        if let (Some(token), Some(hash), Some(place)) = (tokens.get_mut(at), hashes.get_mut(at), texts.get_mut(at)) {
            *token = text.as_deref().map_or(Token::NONE, Token::of);
            *hash = KnownHash::default();
            *place = text;
        }
    }

    /// Adds a role.
    #[must_use]
    #[inline]
    pub fn role(mut self, role: impl Into<Cow<'a, str>>) -> Self {
        self.add_role(role.into());
        self
    }

    #[inline]
    fn add_role(&mut self, role: Cow<'a, str>) {
        self.roles_known = true;
        if self.first(Field::Roles).is_none() {
            self.put(Field::Roles, Some(role));
        } else {
            self.fields.has_several_roles = true;
            self.fields.caller_bits = KnownBits::default();
            self.other_roles.push(Role { token: Token::of(&role), text: role, hash: KnownHash::default() });
        }
    }

    /// Adds roles. An empty list still says that the caller's roles are known (sentence 3.4).
    #[must_use]
    pub fn roles<I>(self, roles: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Cow<'a, str>>,
    {
        let mut context = roles.into_iter().fold(self, Context::role);
        context.roles_known = true;
        context
    }

    /// Sets any other attribute, replacing one of the same name; null removes it.
    ///
    /// The names of the fixed fields (`user`, `targetingKey`, `company`, `plan`, `role`, `roles`, `region`) set
    /// those fields, as they do in a context written as JSON.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Self {
        self.set(name.into(), value.into());
        self
    }

    /// Marks a fixed field whose value is not a text, with a description of that value (3.10). The field counts as
    /// missing, except that a flag with `overrides.off` for it is off.
    ///
    /// ```
    /// let context = esclusa::Context::new("user-42").unreadable("company", "a `Company`");
    /// assert_eq!(context.targeting_key(), Some("user-42"));
    /// ```
    #[must_use]
    pub fn unreadable(mut self, name: &str, what: impl Into<Cow<'a, str>>) -> Self {
        if let Some(field) = Field::named(name) {
            self.forget_unreadable(field);
            self.add_unreadable(field, what.into());
        }
        self
    }

    /// A description of the value of a fixed field that is not a text. A text set later replaces it.
    #[cold]
    pub(crate) fn unreadable_field(&self, field: Field) -> Option<&str> {
        if self.first(field).is_some() {
            return None;
        }
        self.unreadable
            .iter()
            .flat_map(|fields| fields.iter())
            .find(|(other, _)| *other == field)
            .map(|(_, what)| what.as_ref())
    }

    #[inline]
    pub(crate) fn is_unreadable(&self, field: Field) -> bool {
        self.unreadable.is_some() && self.unreadable_field(field).is_some()
    }

    /// What `role` and `roles` hold: a text or a list of texts.
    fn add_roles(&mut self, value: Value<'a>) {
        let elements = match value {
            Value::List(elements) => {
                self.roles_known = true;
                elements
            }
            one => vec![one],
        };
        for element in elements {
            match usable(element) {
                Ok(role) => self.add_role(role),
                Err(what) => self.note_unreadable(Field::Roles, &what),
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn add_unreadable(&mut self, field: Field, what: Cow<'a, str>) {
        self.unreadable.get_or_insert_default().push((field, what));
    }

    #[cold]
    fn forget_unreadable(&mut self, field: Field) {
        self.unreadable.iter_mut().for_each(|fields| fields.retain(|(other, _)| *other != field));
    }

    fn note_unreadable(&mut self, field: Field, what: &Value<'_>) {
        if !what.is_null() && !self.is_unreadable(field) {
            self.add_unreadable(field, problem(found(what)));
        }
    }

    /// Sets a fixed field that holds one text.
    fn set_field(&mut self, field: Field, value: Value<'a>) {
        match usable(value) {
            Ok(text) => self.put(field, Some(text)),
            Err(what) => {
                self.put(field, None);
                self.forget_unreadable(field);
                self.note_unreadable(field, &what);
            }
        }
    }

    fn set(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        match Field::named(&name) {
            Some(Field::Roles) => self.add_roles(value),
            Some(field) => self.set_field(field, value),
            None => self.attributes.push((name, value)),
        }
    }

    /// The context that a JSON value describes (sentences 3.1 to 3.6).
    ///
    /// # Errors
    /// When the value is not an object.
    pub fn from_value(value: Value<'a>) -> Result<Self, ContextError> {
        let Value::Object(fields) = value else {
            return Err(ContextError { problem: problem(format_args!("this is {}", value.kind())) });
        };
        let (mut context, mut targeting_key) = (Context::default(), Value::Null);
        // `role` comes before `roles`, in either order of the fields.
        let (mut role, mut roles) = (Value::Null, Value::Null);
        for (name, value) in fields {
            match name.as_ref() {
                "targetingKey" => targeting_key = value,
                "role" => role = value,
                "roles" => roles = value,
                _ => context.set(name, value),
            }
        }
        context.add_roles(role);
        context.add_roles(roles);
        match usable(targeting_key) {
            Ok(key) => context.put(Field::User, Some(key)),
            // `user` is the targeting key then, if it is a text.
            Err(what) if context.first(Field::User).is_none() => context.note_unreadable(Field::User, &what),
            Err(_) => {}
        }
        Ok(context)
    }

    /// The string that identifies the caller.
    #[must_use]
    pub fn targeting_key(&self) -> Option<&str> {
        self.field(Field::User).map(Word::as_str)
    }

    /// The same context with owned strings, so that the app can keep it.
    #[must_use]
    pub fn into_owned(self) -> Context<'static> {
        let owned = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        let texts = self.fields.texts.map(|text| text.map(owned));
        let Fields { caller_bits, hashes, has_several_roles, tokens, .. } = self.fields;
        Context {
            fields: Fields { caller_bits, hashes, has_several_roles, tokens, texts },
            other_roles: self.other_roles.into_iter().map(|role| Role { text: owned(role.text), ..role }).collect(),
            roles_known: self.roles_known,
            attributes: self
                .attributes
                .into_iter()
                .map(|(name, value)| (Cow::Owned(name.into_owned()), value.into_owned()))
                .collect(),
            unreadable: self
                .unreadable
                .map(|fields| Box::new(fields.into_iter().map(|(field, what)| (field, owned(what))).collect())),
        }
    }

    /// The text of a fixed field; for roles, the first role.
    #[cfg_attr(target_family = "wasm", inline(always))]
    #[cfg_attr(not(target_family = "wasm"), inline)]
    pub(crate) fn first(&self, field: Field) -> Option<Word<'_>> {
        let Fields { hashes, texts, .. } = &self.fields;
        let text = match texts.get(field as usize)?.as_ref()? {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => text.as_str(),
        };
        Some(Word::new(text, self.token(field), hashes.get(field as usize)?))
    }

    /// The token of a fixed field, for roles of the first role; of a missing field, the token that no list holds.
    #[inline]
    pub(crate) fn token(&self, field: Field) -> Token {
        self.fields.tokens.get(field as usize).copied().unwrap_or(Token::NONE)
    }

    /// A fixed field that holds one text: not the roles.
    #[inline]
    pub(crate) fn field(&self, field: Field) -> Option<Word<'_>> {
        if field == Field::Roles { None } else { self.first(field) }
    }

    /// Its bits in the set of this publication, if the context was last evaluated with that set.
    #[inline]
    pub(crate) fn known_bits(&self, publication: u64) -> Option<CallerBits> {
        self.fields.caller_bits.get(publication)
    }

    /// Its bits in the set with these interned targets and this publication number.
    #[inline(always)]
    pub(crate) fn caller_bits(&self, interned: &InternedTargets, publication: u64) -> CallerBits {
        match self.known_bits(publication) {
            Some(caller_bits) => caller_bits,
            None => self.first_bits(interned, publication),
        }
    }

    #[inline(never)]
    fn first_bits(&self, interned: &InternedTargets, publication: u64) -> CallerBits {
        let [plan, region, role] = [Field::Plan, Field::Region, Field::Roles].map(|field| self.token(field));
        let roles = std::iter::once(role).chain(self.other_roles().map(Word::token));
        let caller_bits = interned.caller_bits(plan, region, roles);
        if !self.has_several_roles() {
            self.fields.caller_bits.set(publication, caller_bits);
        }
        caller_bits
    }

    /// The hash of a fixed field, for roles of the first role, if it was computed before.
    #[inline]
    pub(crate) fn known_hash(&self, field: Field) -> Option<u64> {
        self.fields.hashes.get(field as usize)?.get().map(NonZeroU64::get)
    }

    /// The hash of a fixed field as a unit: neither roles nor an empty string is one (6.2 and 6.3).
    #[inline]
    pub(crate) fn unit_hash(&self, field: Field) -> Option<u64> {
        if field == Field::Roles { None } else { self.known_hash(field).or_else(|| self.first_unit_hash(field)) }
    }

    #[inline(never)]
    fn first_unit_hash(&self, field: Field) -> Option<u64> {
        self.field(field).filter(|word| !word.as_str().is_empty()).map(Word::hash)
    }

    /// Whether there are two roles or more.
    #[inline]
    pub(crate) fn has_several_roles(&self) -> bool {
        self.fields.has_several_roles
    }

    /// The roles after the first.
    #[inline]
    pub(crate) fn other_roles(&self) -> impl ExactSizeIterator<Item = Word<'_>> {
        self.other_roles.iter().map(|Role { text, token, hash }| Word::new(text, *token, hash))
    }

    /// The caller's roles, or `None` if none were given.
    #[inline]
    pub(crate) fn known_roles(&self) -> Option<impl Iterator<Item = Word<'_>>> {
        self.roles_known.then(|| self.first(Field::Roles).into_iter().chain(self.other_roles()))
    }

    /// An attribute by its full name, else by its path; null is missing (sentences 3.6 and 3.8).
    pub(crate) fn lookup(&self, name: &str) -> Option<&Value<'a>> {
        let named =
            |wanted: &str| self.attributes.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| value);
        if let Some(found) = named(name).filter(|value| !value.is_null()) {
            return Some(found);
        }
        let mut rest = Some(name);
        let mut parts = std::iter::from_fn(|| {
            let text = rest?;
            // A search for a byte is a fraction of the code of a search for a character.
            let end = text.bytes().position(|byte| byte == b'.');
            rest = end.and_then(|end| text.get(end + 1..));
            text.get(..end.unwrap_or(text.len()))
        });
        let first = named(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part)).filter(|value| !value.is_null())
    }
}

/// A usable text: a string, or an integer as its digits (sentence 3.5); `Err` gives any other value back.
fn usable(value: Value<'_>) -> Result<Cow<'_, str>, Value<'_>> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Integer(number) => Ok(Cow::Owned(digits(number))),
        other => Err(other),
    }
}
