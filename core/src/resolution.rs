//! A resolution: the answer for one flag and why, in OpenFeature's names (<https://openfeature.dev/specification/types>).

use std::fmt;

use crate::value::Value;
use crate::writing::Json;

/// The value that a flag serves to one context, and why. It borrows from the flag set that gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolution<'s> {
    pub(crate) value: &'s Value<'static>,
    pub(crate) variant: Option<&'s str>,
    pub(crate) enabled: bool,
    pub(crate) reason: Reason,
    pub(crate) error: Option<ErrorCode>,
}

impl<'s> Resolution<'s> {
    pub(crate) const NULL: &'static Value<'static> = &Value::Null;
    pub(crate) const FALSE: &'static Value<'static> = &Value::Bool(false);
    pub(crate) const TRUE: &'static Value<'static> = &Value::Bool(true);

    /// There is no answer, and the caller's default stands.
    pub(crate) fn none(error: ErrorCode) -> Self {
        Resolution { value: Self::NULL, variant: None, enabled: false, reason: Reason::Error, error: Some(error) }
    }

    /// Whether the flag is on.
    #[must_use]
    #[inline]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The value that is served, on or off; null when there is no such flag.
    #[must_use]
    pub fn value(&self) -> &'s Value<'static> {
        self.value
    }

    /// The key of the variant that is served; none for a boolean flag and when off.
    #[must_use]
    pub fn variant(&self) -> Option<&'s str> {
        self.variant
    }

    /// Why the flag resolved to this value.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// What went wrong, if the reason is [`Reason::Error`].
    #[must_use]
    pub fn error_code(&self) -> Option<ErrorCode> {
        self.error
    }

    /// Whether there is no answer, so that the caller's default stands: nothing is published, or there is no such flag
    /// (sentence 12.1). With any other error the flag has an answer, and it is off (12.2).
    #[must_use]
    pub fn default_stands(&self) -> bool {
        matches!(self.error, Some(ErrorCode::ProviderNotReady | ErrorCode::FlagNotFound))
    }

    /// `{"enabled", "value", "variant", "reason", "error"}` (sentence 7.18).
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        Value::Object(vec![
            ("enabled".into(), self.enabled.into()),
            ("value".into(), self.value.to_owned()),
            ("variant".into(), self.variant.map(str::to_owned).into()),
            ("reason".into(), self.reason.as_str().into()),
            ("error".into(), self.error.map(ErrorCode::as_str).into()),
        ])
    }

    /// Writes the fields of the same object.
    pub fn write_fields(&self, json: &mut Json) {
        json.name("enabled").bool(self.enabled);
        json.name("value").value(self.value);
        json.name("variant").maybe(self.variant, Json::text);
        json.name("reason").text(self.reason.as_str());
        json.name("error").maybe(self.error.map(ErrorCode::as_str), Json::text);
    }
}

/// Why a flag resolved as it did. OpenFeature's `UNKNOWN`, `CACHED` and `STALE` are left to hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The answer depends on neither the context nor the time: it is the same for everyone until the next publish.
    Static,
    /// A target, an override or a rule decided.
    TargetingMatch,
    /// A bucket decided.
    Split,
    /// Nothing matched.
    Default,
    /// The flag is off for everyone.
    Disabled,
    /// There was an error; the error code says which.
    Error,
}

impl Reason {
    /// OpenFeature's name of the reason.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Static => "STATIC",
            Reason::TargetingMatch => "TARGETING_MATCH",
            Reason::Split => "SPLIT",
            Reason::Default => "DEFAULT",
            Reason::Disabled => "DISABLED",
            Reason::Error => "ERROR",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kind of error. OpenFeature's other codes are left to hosts and providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// Nothing has been published yet.
    ProviderNotReady,
    /// There is no flag with that key.
    FlagNotFound,
    /// The flag is set aside and has no kept definition.
    ParseError,
    /// A bucket was needed and the context has no such unit.
    TargetingKeyMissing,
    /// A value of the context is too large for the conditions of this flag.
    InvalidContext,
}

impl ErrorCode {
    /// OpenFeature's name of the code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::ProviderNotReady => "PROVIDER_NOT_READY",
            ErrorCode::FlagNotFound => "FLAG_NOT_FOUND",
            ErrorCode::ParseError => "PARSE_ERROR",
            ErrorCode::TargetingKeyMissing => "TARGETING_KEY_MISSING",
            ErrorCode::InvalidContext => "INVALID_CONTEXT",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
