//! Two sets of flags, the second published over the first.

use std::sync::Arc;

use esclusa::{Context, FlagSet, Flags, Report, Resolution, Time};

/// Two sets of flags. A flag that is broken in the new one keeps its definition of the old one, as in an app (8.3 of
/// SEMANTICS.md).
#[derive(Debug)]
pub struct Comparison {
    old: Arc<FlagSet>,
    new: Arc<FlagSet>,
    report: Report,
    keys: Vec<String>,
}

impl Comparison {
    /// Publishes the new set over the old one, with any revisions.
    #[must_use]
    pub fn new(old: FlagSet, new: FlagSet) -> Self {
        let flags = Flags::new();
        let _ = flags.publish(old);
        let old = flags.current();
        let report = flags.publish_accepting_older(new);
        let mut keys = [report.added(), report.removed(), report.changed()].concat();
        keys.sort_unstable();
        Comparison { old, new: flags.current(), report, keys }
    }

    /// The old set.
    #[must_use]
    pub fn old(&self) -> &FlagSet {
        &self.old
    }

    /// The new set, with the definitions that it keeps.
    #[must_use]
    pub fn new_set(&self) -> &FlagSet {
        &self.new
    }

    /// The report of publishing the new set over the old one.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The keys whose answers may differ, sorted.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// How the answer to one caller differs at that time; `None` if it does not.
    #[must_use]
    pub fn flip(&self, key: &str, context: &Context<'_>, now: Time) -> Option<Flip<'_>> {
        let (before, after) = (self.old.resolve(key, context, now), self.new.resolve(key, context, now));
        let direction = match (before.is_enabled(), after.is_enabled()) {
            (false, true) => Direction::On,
            (true, false) => Direction::Off,
            _ if before.variant() != after.variant() => Direction::Variant,
            // A flag that only one side has has no value on the other.
            _ if before.value() != after.value() && !before.default_stands() && !after.default_stands() => {
                Direction::Value
            }
            _ => return None,
        };
        Some(Flip { direction, before, after })
    }
}

/// How an answer differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// It was off and is on.
    On,
    /// It was on and is off.
    Off,
    /// It is on with another variant.
    Variant,
    /// The same variant, or the same off, has another value.
    Value,
}

impl Direction {
    /// `on`, `off`, `variant` or `value`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Direction::On => "on",
            Direction::Off => "off",
            Direction::Variant => "variant",
            Direction::Value => "value",
        }
    }
}

/// An answer that differs, and both answers.
#[derive(Clone, Copy, Debug)]
pub struct Flip<'s> {
    /// How it differs.
    pub direction: Direction,
    /// The answer of the old set.
    pub before: Resolution<'s>,
    /// The answer of the new set.
    pub after: Resolution<'s>,
}
