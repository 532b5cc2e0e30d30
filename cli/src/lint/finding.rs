//! A finding: what is wrong, how bad it is, and where.

use std::ops::Range;

use esclusa::Value;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// It makes the exit code 1.
    Error,
    /// It does not.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// Something to object to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Its kind, a name that does not change.
    pub(crate) code: String,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What is wrong, and what was expected.
    pub(crate) problem: String,
    /// Where in the document: a JSON pointer, empty for the document as a whole.
    pub(crate) place: String,
    /// The key of the flag, if it is about one.
    pub(crate) flag: Option<String>,
    /// The bytes of the file.
    pub(crate) bytes: Option<Range<usize>>,
}

impl Finding {
    /// `{"code", "severity", "problem", "place", "flag"}`, with these fields beside them.
    pub(crate) fn to_value(&self, others: Vec<(&'static str, Value<'static>)>) -> Value<'static> {
        let mut fields = vec![
            ("code".into(), self.code.clone().into()),
            ("severity".into(), self.severity.as_str().into()),
            ("problem".into(), self.problem.clone().into()),
            ("place".into(), self.place.clone().into()),
            ("flag".into(), self.flag.clone().into()),
        ];
        fields.extend(others.into_iter().map(|(name, value)| (name.into(), value)));
        Value::Object(fields)
    }
}
