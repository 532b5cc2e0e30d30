//! Publishing: bytes in, a report or a refusal out, both as JSON.

use esclusa::{FlagSet, Flags, SnapshotError, Value, Violation};

/// How a snapshot is published.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Refuse a snapshot with any violation (8.9).
    pub strict: bool,
    /// Accept a revision that is older than the current one (9.2).
    pub accept_older: bool,
}

/// Publishes a snapshot and says what came of it: the report as JSON (9.6), or `{"refused", "violations"}` with the
/// message and every violation (12.7). It may be called from any thread.
#[must_use]
pub fn publish(flags: &Flags, snapshot: &[u8], options: Options) -> String {
    let set = if options.strict { FlagSet::from_json_strict(snapshot) } else { FlagSet::from_json(snapshot) };
    let said = match set {
        Ok(set) if options.accept_older => flags.publish_any_revision(set).to_value(),
        Ok(set) => flags.publish(set).to_value(),
        Err(error) => refusal(&error),
    };
    said.to_json()
}

fn refusal(error: &SnapshotError) -> Value<'static> {
    let violations = error.violations().iter().map(Violation::to_value).collect();
    Value::Object(vec![("refused".into(), error.to_string().into()), ("violations".into(), Value::List(violations))])
}
