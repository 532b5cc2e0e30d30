//! Publishing: bytes in, a report or a refusal out, both as JSON.

use esclusa::{FlagSet, Flags, Json, Report, SnapshotError};

/// How a snapshot is published.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Refuse a snapshot with any violation (8.9).
    pub strict: bool,
    /// Accept a revision that is older than the current one (9.2).
    pub accept_older: bool,
}

/// Publishes a snapshot and returns the report as JSON (9.6), or `{"refused", "code", "violations"}` with the message
/// and every violation (12.7). It may be called from any thread.
#[must_use]
pub fn publish(flags: &Flags, snapshot: &[u8], options: Options) -> String {
    let set = if options.strict { FlagSet::from_json_strict(snapshot) } else { FlagSet::from_json(snapshot) };
    let set = match set {
        Ok(set) => set,
        Err(error) => return refusal(&error),
    };
    swapped(flags, set, options).to_json()
}

/// Makes a set the current one.
pub(crate) fn swapped(flags: &Flags, set: FlagSet, options: Options) -> Report {
    if options.accept_older { flags.publish_accepting_older(set) } else { flags.publish(set) }
}

pub(crate) fn refusal(error: &SnapshotError) -> String {
    let mut json = Json::default();
    json.object(|json| {
        json.name("refused").text(&error.message());
        json.name("code").text(error.code());
        json.name("violations").list(error.violations(), |json, violation| violation.write(json));
    });
    json.into_text()
}
