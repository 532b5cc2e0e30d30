//! The oracle: a second, naive reading of sections 2 to 8 of SEMANTICS.md, straight over JSON.
//!
//! It shares no code with the engine, prepares nothing and keeps nothing but what the sentences speak of: every
//! resolution walks the flag as it is written.
#![allow(dead_code, unused_imports, reason = "no test uses all of it")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "each cast stands beside its bounds"
)]

mod checking;
mod columns;
mod conditions;
mod contexts;
mod document;
mod graphs;
mod hits;
mod json;
mod limits;
mod narrowing;
mod operands;
mod publishing;
mod resolving;
mod rows;
mod spelling;
mod written;

pub(crate) use hits::Hits;
pub(crate) use json::Json;
pub(crate) use publishing::{Outcome, Published};
pub(crate) use resolving::Answer;

use publishing::Set;
use resolving::Resolving;

/// What was published so far, and what was hit by asking.
#[derive(Default)]
pub(crate) struct Oracle {
    set: Option<Set>,
    pub(crate) hits: Hits,
}

impl Oracle {
    pub(crate) fn publish(&mut self, text: &[u8]) -> Published {
        let (published, set) = publishing::publish(text, self.set.as_ref());
        if let Some(set) = set {
            self.set = Some(set);
        }
        published
    }

    /// `resolve(key, context, now)` with `now` in milliseconds.
    pub(crate) fn resolve(&self, key: &str, context: &Json, now: i64) -> Answer {
        let answer = match &self.set {
            None => Answer::none("PROVIDER_NOT_READY"),
            Some(set) => Resolving { set, context, now, hits: &self.hits }.resolve(key),
        };
        self.hits.hit("reason", &format!("{} {}", answer.reason, if answer.enabled { "on" } else { "off" }));
        self.hits.hit("error", answer.error.unwrap_or("none"));
        answer
    }

    /// The keys of the current set.
    pub(crate) fn keys(&self) -> Vec<&str> {
        self.set.iter().flat_map(|set| &set.flags).map(|entry| entry.key.as_str()).collect()
    }
}
