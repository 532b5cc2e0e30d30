//! The state between a source and its flags (11.1, 11.13).

use crate::value::Value;

/// The state of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is published yet.
    Starting,
    /// The last answer was good, and the data is young.
    Fresh,
    /// The data is older than `stale_after_ms`, or came from a cached copy.
    Stale,
    /// The last request failed.
    Failing,
}

impl State {
    /// `starting`, `fresh`, `stale` or `failing`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Starting => "starting",
            State::Fresh => "fresh",
            State::Stale => "stale",
            State::Failing => "failing",
        }
    }
}

/// The state of a sync, with its details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The state in one word.
    pub state: State,
    /// The revision that was published last, if it has one.
    pub revision: Option<u64>,
    /// Milliseconds since the last good answer.
    pub age_ms: Option<u64>,
    /// Failures in a row.
    pub failures: u32,
    /// The last error and when it happened, on the host's clock; it stays when things are good again.
    pub last_error: Option<(String, u64)>,
}

impl Status {
    /// The status in one line, for a person: `failing from flags.json, revision 42, 31 s old, 3 failures, the last:
    /// connection refused` (11.22).
    #[must_use]
    pub fn line(&self, source: &str) -> String {
        let whole = |number: u64| Value::from(number).to_json();
        let revision = self.revision.map_or_else(|| "none".to_owned(), whole);
        let age = match self.age_ms {
            Some(ms) => [&whole(ms / 1000), " s old"].concat(),
            None => "no answer yet".to_owned(),
        };
        let line = [self.state.as_str(), " from ", source, ", revision ", &revision, ", ", &age].concat();
        match &self.last_error {
            Some((error, _)) if self.failures > 0 => {
                let many = if self.failures == 1 { " failure" } else { " failures" };
                [&line, ", ", &whole(self.failures.into()), many, ", the last: ", error].concat()
            }
            _ => line,
        }
    }

    /// `{"state", "revision", "age_ms", "failures", "last_error": null or {"error", "at_ms"}}`.
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        let last_error = self.last_error.as_ref().map(|(error, at_ms)| {
            Value::Object(vec![("error".into(), error.clone().into()), ("at_ms".into(), (*at_ms).into())])
        });
        Value::Object(vec![
            ("state".into(), self.state.as_str().into()),
            ("revision".into(), self.revision.into()),
            ("age_ms".into(), self.age_ms.into()),
            ("failures".into(), self.failures.into()),
            ("last_error".into(), last_error.into()),
        ])
    }
}
