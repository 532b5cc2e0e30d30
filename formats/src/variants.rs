//! Variants and values in common shapes (M18 and M19).

use esclusa::Value;

use crate::conditions::object;
use crate::found::{number, switch, word};
use crate::native::{Native, SCHEDULE, SHARE};
use crate::values::thousandths;

pub(crate) fn weights<'v>(value: &Value<'v>) -> Option<Value<'v>> {
    let Value::Object(fields) = value else { return None };
    let variant = |(key, weight): &(std::borrow::Cow<'v, str>, Value<'v>)| {
        let key = Value::Text(key.clone());
        object([("key", key.clone()), ("value", key), ("weight", weight.clone())])
    };
    Some(Value::List(fields.iter().map(variant).collect()))
}

pub(crate) fn with_values(value: Value<'_>) -> Option<Value<'_>> {
    let Value::Object(fields) = value else { return None };
    let variant = |(key, value)| object([("key", Value::Text(key)), ("value", value)]);
    Some(Value::List(fields.into_iter().map(variant).collect()))
}

pub(crate) fn of_objects<'v>(value: &Value<'v>, [key, served, weight]: [&String; 3]) -> Option<Value<'v>> {
    let variant = |entry: &Value<'v>| {
        let Value::Object(_) = entry else { return None };
        let name = entry.get(key)?.clone();
        let value = entry.get(served).cloned().unwrap_or_else(|| name.clone());
        let mut variant = vec![("key".into(), name), ("value".into(), value)];
        variant.extend(entry.get(weight).map(|weight| ("weight".into(), weight.clone())));
        Some(Value::Object(variant))
    };
    value.as_list()?.iter().map(variant).collect::<Option<Vec<_>>>().map(Value::List)
}

/// Weights are percent (M18), and the rest is off; does nothing if they are not percent.
pub(crate) fn leave_rest(native: &mut Native<'_>, variants: &Value<'_>) -> bool {
    let weight = |variant: &Value<'_>| match variant.get("weight") {
        None | Some(Value::Null) => Some(1_000),
        Some(weight) => weight.as_f64().filter(|weight| *weight >= 0.0).and_then(|weight| thousandths(weight, 0)),
    };
    let mut weights = variants.as_list().unwrap_or_default().iter().map(weight);
    let Some(sum) = weights.try_fold(0_i64, |sum, weight| sum.checked_add(weight?)) else { return false };
    if native.has(SCHEDULE) || native.get(SHARE).is_some_and(|share| matches!(share, Value::Object(_))) {
        return false;
    }
    match sum {
        ..=99_000 => native.limit(sum),
        99_001..=100_500 => {}
        _ => return false,
    }
    true
}

/// A value of the kind that the column names; a value that is not a text stays unchanged, if it is of that kind.
pub(crate) fn parsed<'v>(value: &Value<'v>, kind: &Value<'_>) -> Option<Value<'v>> {
    let text = value.as_str();
    match word(kind)?.as_ref() {
        "boolean" => switch(value).map(Value::from),
        "number" => value.as_f64().is_some().then(|| value.clone()).or_else(|| {
            number(value)?;
            Value::from_json(text?.trim_ascii().as_bytes()).ok().map(Value::into_owned)
        }),
        "string" => text.map(|text| text.to_owned().into()),
        "json" => match text {
            Some(text) => Value::from_json(text.as_bytes()).ok().map(Value::into_owned),
            None => Some(value.clone()),
        },
        _ => None,
    }
}
