//! A file of tests as its author wrote it, in YAML, with the places of its values.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use serde_saphyr::Spanned;

/// A file of tests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// The flag of all cases that name none.
    pub(super) flag: Option<Spanned<String>>,
    /// Where the flags come from.
    pub(super) source: Option<String>,
    /// The time of all cases that name none.
    pub(super) at: Option<Spanned<String>>,
    pub(super) cases: Vec<Spanned<Case>>,
}

/// One case: what callers get, which share of them, or that the flag is off for all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: Option<String>,
    pub(super) flag: Option<Spanned<String>>,
    pub(super) at: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) context: Map<String, Json>,
    /// The bucket of the caller in the salt and unit of the flag.
    pub(super) bucket: Option<Spanned<u32>>,
    /// Attributes with several values: every combination is asked.
    pub(super) matrix: Option<Spanned<BTreeMap<String, Vec<Json>>>>,
    pub(super) expect: Option<Spanned<Expect>>,
    pub(super) share: Option<Spanned<Share>>,
    /// Attributes of callers for whom the flag is off.
    pub(super) never: Option<Spanned<Map<String, Json>>>,
}

/// What an answer holds. What is left out is not looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) enabled: Option<bool>,
    pub(super) variant: Option<Spanned<String>>,
    /// Of two levels, because null is a value.
    #[serde(default, deserialize_with = "present")]
    pub(super) value: Option<Json>,
    pub(super) reason: Option<Spanned<String>>,
    /// The step that said no, its code, `target_plans` and its kind, or a part of the sentence.
    pub(super) first_no: Option<String>,
}

/// Which share of callers is on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Share {
    /// What they have in common.
    #[serde(default)]
    pub(super) of: Map<String, Json>,
    pub(super) is: Spanned<Json>,
    pub(super) within: Option<Spanned<Json>>,
    /// Those who get this variant.
    pub(super) variant: Option<Spanned<String>>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

/// A place in a file, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) problem: String,
}

impl Problem {
    pub(super) fn at<T>(place: &Spanned<T>, problem: impl Into<String>) -> Self {
        let (line, column) = (place.referenced.line(), place.referenced.column());
        Problem { line, column, problem: problem.into() }
    }

    /// As in `tests/crm.yaml:3:5: …`.
    pub(super) fn said(&self, file: &Path) -> String {
        format!("{}:{}:{}: {}", file.display(), self.line, self.column, self.problem)
    }
}

/// Reads a file.
///
/// # Errors
/// When it is not YAML, or has a field without meaning.
pub(super) fn read(text: &str) -> Result<Document, Problem> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |at| (at.line().max(1), at.column().max(1)));
        let message = error.without_snippet().to_string();
        let message = message.lines().next().unwrap_or_default();
        let message = message.split(" at line ").next().unwrap_or(message);
        Problem { line, column, problem: message.to_owned() }
    })
}
