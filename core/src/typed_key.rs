//! Keys that know the type of the values that their flag serves: what `esclusa codegen rust` writes.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::context::Context;
use crate::flag_set::{Flag, FlagId, FlagSet};
use crate::flags::{FlagKey, private};
use crate::time::Time;
use crate::value::Value;

/// A key whose flag serves values of the type `T`. It names its flag wherever a text does.
///
/// ```
/// use esclusa::{Context, FlagSet, Flags, Time, TypedKey};
/// // As `esclusa codegen rust` writes it.
/// const LAYOUT: TypedKey<str> = TypedKey::new("layout");
///
/// let rows = br#"[{"name": "layout", "enabled": true, "variants": [{"key": "a", "value": "grid"}]}]"#;
/// let flags = Flags::new();
/// flags.publish(FlagSet::from_json(rows)?);
/// let context = Context::new("user-42");
/// assert!(flags.is_enabled(&LAYOUT, &context));
/// let set = flags.current();
/// assert_eq!(set.value_of(&LAYOUT, &context, flags.now()).unwrap_or("list"), "grid");
/// # Ok::<(), esclusa::SnapshotError>(())
/// ```
///
/// A key that is not there, and a value of another type, do not compile:
///
/// ```compile_fail,E0308
/// # use esclusa::{Context, FlagSet, Time, TypedKey};
/// # const LAYOUT: TypedKey<str> = TypedKey::new("layout");
/// # let set = FlagSet::from_json(b"[]").unwrap();
/// let columns: i64 = set.value_of(&LAYOUT, &Context::new("user-42"), Time::from_millis(0)).unwrap_or(3);
/// ```
pub struct TypedKey<T: ?Sized> {
    key: &'static str,
    value: PhantomData<fn() -> *const T>,
}

impl<T: ?Sized> TypedKey<T> {
    /// The key of a flag that serves values of this type.
    #[must_use]
    pub const fn new(key: &'static str) -> Self {
        TypedKey { key, value: PhantomData }
    }

    /// The key as text.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.key
    }
}

impl<T: ?Sized> Clone for TypedKey<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for TypedKey<T> {}

impl<T: ?Sized> fmt::Debug for TypedKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedKey").field(&self.key).finish()
    }
}

impl<T: ?Sized> Deref for TypedKey<T> {
    type Target = str;

    fn deref(&self) -> &str {
        self.key
    }
}

impl<T: ?Sized> FlagKey for TypedKey<T> {}

impl<T: ?Sized> private::Find for TypedKey<T> {
    #[inline]
    fn find_in<'s>(&self, set: &'s FlagSet) -> Option<(FlagId, &'s Flag)> {
        self.key.find_in(set)
    }
}

/// A type that the values of a flag can have: `bool`, `i64`, `f64`, `str`, or any JSON as a [`Value`].
pub trait FlagValue {
    /// How a value is handed out: a number by itself, a text as `&str`.
    type Served<'s>;

    /// The value, if it has this type.
    fn served<'s>(value: &'s Value<'static>) -> Option<Self::Served<'s>>;
}

impl FlagValue for bool {
    type Served<'s> = bool;

    fn served(value: &Value<'static>) -> Option<bool> {
        value.as_bool()
    }
}

impl FlagValue for i64 {
    type Served<'s> = i64;

    fn served(value: &Value<'static>) -> Option<i64> {
        value.as_i64()
    }
}

impl FlagValue for f64 {
    type Served<'s> = f64;

    fn served(value: &Value<'static>) -> Option<f64> {
        value.as_f64()
    }
}

impl FlagValue for str {
    type Served<'s> = &'s str;

    fn served<'s>(value: &'s Value<'static>) -> Option<&'s str> {
        value.as_str()
    }
}

impl FlagValue for Value<'static> {
    type Served<'s> = &'s Value<'static>;

    fn served<'s>(value: &'s Value<'static>) -> Option<&'s Value<'static>> {
        (!value.is_null()).then_some(value)
    }
}

impl FlagSet {
    /// The value that the flag serves to this context at this time, on or off. None where there is no answer (12.1), where
    /// it serves null, and where what is published now serves a value of another type: then the app's default stands.
    #[must_use]
    pub fn value_of<T: FlagValue + ?Sized>(
        &self,
        key: &TypedKey<T>,
        context: &Context<'_>,
        now: impl Into<Time>,
    ) -> Option<T::Served<'_>> {
        T::served(self.resolve(key.as_str(), context, now).value())
    }
}

#[cfg(test)]
mod tests {
    use super::TypedKey;
    use crate::{Context, FlagSet, Time, Value};

    #[test]
    fn a_value_of_another_type_leaves_the_default_standing() {
        let rows = br#"[
            {"name": "limit", "enabled": true, "variants": [{"key": "a", "value": 12}]},
            {"name": "ratio", "enabled": true, "variants": [{"key": "a", "value": 0.5}]},
            {"name": "theme", "enabled": true, "variants": [{"key": "a", "value": {"dark": true}}]},
            {"name": "off", "enabled": false, "variants": [{"key": "a", "value": "x"}]},
            {"name": "crm", "enabled": true}
        ]"#;
        let set = FlagSet::from_json(rows).unwrap();
        let context = Context::new("user-42");
        let now = Time::from_millis(0);
        assert_eq!(set.value_of(&TypedKey::<i64>::new("limit"), &context, now), Some(12));
        assert_eq!(set.value_of(&TypedKey::<f64>::new("limit"), &context, now), Some(12.0));
        assert_eq!(set.value_of(&TypedKey::<i64>::new("ratio"), &context, now), None);
        assert_eq!(set.value_of(&TypedKey::<f64>::new("ratio"), &context, now), Some(0.5));
        assert_eq!(set.value_of(&TypedKey::<bool>::new("crm"), &context, now), Some(true));
        assert_eq!(set.value_of(&TypedKey::<str>::new("crm"), &context, now), None);
        assert_eq!(set.value_of(&TypedKey::<str>::new("off"), &context, now), None);
        assert_eq!(set.value_of(&TypedKey::<bool>::new("gone"), &context, now), None);
        let theme = set.value_of(&TypedKey::<Value<'static>>::new("theme"), &context, now);
        assert_eq!(theme.and_then(|theme| theme.get("dark")), Some(&Value::Bool(true)));
        assert!(set.is_enabled(&TypedKey::<bool>::new("crm"), &context, now), "a typed key is a text too");
    }
}
