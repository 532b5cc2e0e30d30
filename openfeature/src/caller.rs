//! Callers: the SDK's context as Esclusa's (sentences 3.1 to 3.10 and 12.5 of SEMANTICS.md).

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use esclusa::{Context, Time, Value};
use open_feature::{EvaluationContext, EvaluationContextFieldValue as Field, StructValue, Value as Given};

/// Maximum number of fields that are warned of.
const MAX_WARNED: usize = 100;

/// Converts contexts, and warns once for each field that it cannot use.
#[derive(Debug, Default)]
pub(crate) struct Callers {
    warned: Mutex<HashSet<String>>,
}

impl Callers {
    /// The context, which borrows its texts.
    pub(crate) fn read<'c>(&self, given: &'c EvaluationContext) -> Context<'c> {
        let mut fields = Vec::with_capacity(given.custom_fields.len() + 1);
        let mut unusable = Vec::new();
        for (name, value) in &given.custom_fields {
            match self::value(value) {
                Some(value) => fields.push((Cow::from(name.as_str()), value)),
                None => {
                    self.warn(name);
                    unusable.push(name);
                }
            }
        }
        // Of two keys the last counts.
        if let Some(key) = &given.targeting_key {
            fields.push(("targetingKey".into(), key.as_str().into()));
        }
        let context = Context::from_value(Value::Object(fields)).unwrap_or_default();
        unusable.into_iter().fold(context, |context, name| context.unreadable(name, "a structure of another type"))
    }

    #[cold]
    fn warn(&self, name: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() < MAX_WARNED && warned.insert(name.to_owned()) {
            tracing::warn!("esclusa: the field `{name}` of a context counts as missing: {EXPECTED}");
        }
    }
}

const EXPECTED: &str = "it is not finite, or a structure of an unknown type, expected a `Vec<String>`, a `Vec<&str>`, \
    a `StructValue` or `Value` of `open_feature`, an `esclusa::Value`, or a `serde_json::Value` with the feature \
    `serde_json`";

fn value(field: &Field) -> Option<Value<'_>> {
    match field {
        Field::Bool(value) => Some((*value).into()),
        Field::Int(value) => Some((*value).into()),
        Field::Float(value) => Value::number(*value),
        Field::String(value) => Some(value.as_str().into()),
        Field::DateTime(at) => {
            let millis = at.unix_timestamp_nanos().div_euclid(1_000_000);
            Some(Time::from_millis(i64::try_from(millis).ok()?).to_string().into())
        }
        Field::Struct(structure) => structured(structure.as_ref()),
    }
}

/// The value of a structure of a known type.
fn structured(structure: &(dyn Any + Send + Sync)) -> Option<Value<'_>> {
    if let Some(texts) = structure.downcast_ref::<Vec<String>>() {
        return Some(Value::List(texts.iter().map(|text| text.as_str().into()).collect()));
    }
    if let Some(texts) = structure.downcast_ref::<Vec<&'static str>>() {
        return Some(Value::List(texts.iter().map(|text| (*text).into()).collect()));
    }
    if let Some(value) = structure.downcast_ref::<StructValue>() {
        return Some(object(value));
    }
    if let Some(value) = structure.downcast_ref::<Given>() {
        return Some(given(value));
    }
    #[cfg(feature = "serde_json")]
    if let Some(value) = structure.downcast_ref::<serde_json::Value>() {
        return Some(json(value));
    }
    structure.downcast_ref::<Value<'static>>().cloned()
}

fn object(value: &StructValue) -> Value<'_> {
    Value::Object(value.fields.iter().map(|(name, value)| (name.as_str().into(), given(value))).collect())
}

/// A number that is not finite is missing, and inside a list null.
fn given(value: &Given) -> Value<'_> {
    match value {
        Given::Bool(value) => (*value).into(),
        Given::Int(value) => (*value).into(),
        Given::Float(value) => Value::number(*value).unwrap_or_default(),
        Given::String(value) => value.as_str().into(),
        Given::Array(values) => Value::List(values.iter().map(given).collect()),
        Given::Struct(value) => object(value),
    }
}

#[cfg(feature = "serde_json")]
fn json(value: &serde_json::Value) -> Value<'_> {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().and_then(Value::number).unwrap_or_default(),
        },
        serde_json::Value::String(value) => value.as_str().into(),
        serde_json::Value::Array(values) => Value::List(values.iter().map(json).collect()),
        serde_json::Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.as_str().into(), json(value))).collect())
        }
    }
}
