//! Answers: a resolution in the SDK's form (sentence 12.8 of SEMANTICS.md).

use esclusa::{ErrorCode, Reason, Resolution, Value};
use open_feature::provider::ResolutionDetails;
use open_feature::{
    EvaluationError, EvaluationErrorCode, EvaluationReason, EvaluationResult, FlagMetadata, StructValue, Value as Given,
};

/// A type of value that an evaluation can ask for.
pub(crate) trait Asked: Sized {
    /// Its name in an error.
    const NAME: &'static str;

    /// The value, if it is of this type.
    fn of(value: &Value<'_>) -> Option<Self>;
}

impl Asked for bool {
    const NAME: &'static str = "a bool";

    fn of(value: &Value<'_>) -> Option<Self> {
        value.as_bool()
    }
}

impl Asked for String {
    const NAME: &'static str = "a string";

    fn of(value: &Value<'_>) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl Asked for f64 {
    const NAME: &'static str = "a float";

    fn of(value: &Value<'_>) -> Option<Self> {
        value.as_f64()
    }
}

impl Asked for i64 {
    const NAME: &'static str = "an integer";

    fn of(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Number(number) => whole(*number),
            other => other.as_i64(),
        }
    }
}

/// The whole number of a double, if it is one and fits.
fn whole(number: f64) -> Option<i64> {
    // The first double beyond the largest integer, and the smallest integer, which is a double.
    const END: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in the range")]
    ((-END..END).contains(&number) && number.fract() == 0.0).then_some(number as i64)
}

impl Asked for StructValue {
    const NAME: &'static str = "an object that the SDK can hold";

    fn of(value: &Value<'_>) -> Option<Self> {
        let Value::Object(fields) = value else { return None };
        let mut given = StructValue::default();
        // In a structure, null is a missing field.
        for (name, value) in fields {
            match value {
                Value::Null => drop(given.fields.remove(name.as_ref())),
                value => drop(given.fields.insert(name.clone().into_owned(), structured(value)?)),
            }
        }
        Some(given)
    }
}

/// A part of a structure; `None` if it has a null that cannot be left out.
fn structured(value: &Value<'_>) -> Option<Given> {
    match value {
        Value::Bool(value) => Some(Given::Bool(*value)),
        Value::Integer(value) => Some(Given::Int(*value)),
        Value::Number(value) => Some(Given::Float(*value)),
        Value::Text(value) => Some(Given::String(value.clone().into_owned())),
        Value::List(values) => values.iter().map(structured).collect::<Option<_>>().map(Given::Array),
        Value::Object(_) => StructValue::of(value).map(Given::Struct),
        _ => None,
    }
}

/// The answer for a flag, with the metadata of its snapshot.
pub(crate) fn answer<T: Asked>(
    key: &str,
    resolution: &Resolution<'_>,
    revision: Option<u64>,
) -> EvaluationResult<ResolutionDetails<T>> {
    if let Some(code) = resolution.error_code() {
        return Err(failed(key, code));
    }
    let value = resolution.value();
    if value.is_null() {
        let message = format!("`{key}` serves no value ({})", resolution.reason());
        return Err(error(EvaluationErrorCode::General("the flag serves no value".to_owned()), message));
    }
    let Some(value) = T::of(value) else {
        let message = format!("`{key}` serves {}, expected {}", kind(value), T::NAME);
        return Err(error(EvaluationErrorCode::TypeMismatch, message));
    };
    Ok(ResolutionDetails {
        value,
        variant: resolution.variant().map(str::to_owned),
        reason: Some(reason(resolution.reason())),
        flag_metadata: revision.map(metadata),
    })
}

/// Telemetry reads `version`.
fn metadata(revision: u64) -> FlagMetadata {
    let metadata = FlagMetadata::default().with_value("version", revision.to_string());
    match i64::try_from(revision) {
        Ok(revision) => metadata.with_value("revision", revision),
        Err(_) => metadata,
    }
}

fn reason(reason: Reason) -> EvaluationReason {
    match reason {
        Reason::Static => EvaluationReason::Static,
        Reason::TargetingMatch => EvaluationReason::TargetingMatch,
        Reason::Split => EvaluationReason::Split,
        Reason::Default => EvaluationReason::Default,
        Reason::Disabled => EvaluationReason::Disabled,
        Reason::Error => EvaluationReason::Error,
        other => EvaluationReason::Other(other.as_str().to_owned()),
    }
}

fn failed(key: &str, code: ErrorCode) -> EvaluationError {
    match code {
        ErrorCode::ProviderNotReady => {
            error(EvaluationErrorCode::ProviderNotReady, "nothing is published yet".to_owned())
        }
        ErrorCode::FlagNotFound => error(EvaluationErrorCode::FlagNotFound, format!("there is no flag `{key}`")),
        ErrorCode::ParseError => error(
            EvaluationErrorCode::ParseError,
            format!("the definition of `{key}` is broken, and there is no earlier one"),
        ),
        ErrorCode::TargetingKeyMissing => error(
            EvaluationErrorCode::TargetingKeyMissing,
            format!("`{key}` is rolled out by a unit that the context does not have"),
        ),
        other => error(EvaluationErrorCode::General(other.as_str().to_owned()), format!("`{key}` has no answer")),
    }
}

fn error(code: EvaluationErrorCode, message: String) -> EvaluationError {
    EvaluationError { code, message: Some(message) }
}

fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Bool(_) => "a bool",
        Value::Integer(_) => "an integer",
        Value::Number(number) if number.fract() == 0.0 => "a whole number beyond 64 bits",
        Value::Number(_) => "a float",
        Value::Text(_) => "a string",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
        _ => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn a_whole_double_is_an_integer_as_far_as_integers_go() {
        assert_eq!(whole(-0.0), Some(0));
        assert_eq!(whole(-9_223_372_036_854_775_808.0), Some(i64::MIN));
        assert_eq!(whole(9_223_372_036_854_774_784.0), Some(9_223_372_036_854_774_784));
        for other in [0.5, 9_223_372_036_854_775_808.0, -9_223_372_036_854_777_856.0, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(whole(other), None, "{other}");
        }
    }
}
