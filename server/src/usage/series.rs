//! What is added up: a number for each hour, flag, variant, arm and outcome.

use std::collections::BTreeMap;

use super::durations::Durations;
use crate::store::Cell;

/// The milliseconds of an hour.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Where a number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Origin {
    /// Flags that apps have evaluated.
    Evaluation,
    /// Outcomes of events, from apps.
    App,
    /// Events of pages: anyone can send them.
    Page,
}

impl Origin {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Origin::Evaluation => "evaluation",
            Origin::App => "app",
            Origin::Page => "page",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Origin::Evaluation, Origin::App, Origin::Page].into_iter().find(|origin| origin.as_str() == name)
    }
}

/// One number. A text that is not known is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Series {
    /// Hours since 1970.
    pub(crate) hour: i64,
    /// The key of a flag; empty for all that have no number of their own.
    pub(crate) flag: String,
    pub(crate) origin: Origin,
    pub(crate) variant: String,
    /// The reason of an evaluation.
    pub(crate) reason: String,
    pub(crate) event: String,
    /// What a person did, such as `view` and `click`.
    pub(crate) action: String,
    /// What a gate shows: `children` or `fallback`.
    pub(crate) shown: String,
    /// `on` or `off`.
    pub(crate) arm: String,
}

impl Series {
    pub(crate) fn new(hour: i64, flag: &str, origin: Origin) -> Self {
        let none = String::new;
        let (variant, reason, event, action, shown, arm) = (none(), none(), none(), none(), none(), none());
        Series { hour, flag: flag.to_owned(), origin, variant, reason, event, action, shown, arm }
    }

    /// As it is kept.
    pub(crate) fn cells(&self) -> [Cell; 9] {
        let Series { hour, flag, origin, variant, reason, event, action, shown, arm } = self;
        let texts = [flag, origin.as_str(), variant, reason, event, action, shown, arm].map(Cell::text);
        let [flag, origin, variant, reason, event, action, shown, arm] = texts;
        [Cell::Whole(*hour), flag, origin, variant, reason, event, action, shown, arm]
    }

    /// The first columns of a row.
    pub(crate) fn of_row(row: &[Cell]) -> Option<Self> {
        let text = |at: usize| row.get(at)?.as_text().map(str::to_owned);
        Some(Series {
            hour: row.first()?.as_whole()?,
            flag: text(1)?,
            origin: Origin::named(&text(2)?)?,
            variant: text(3)?,
            reason: text(4)?,
            event: text(5)?,
            action: text(6)?,
            shown: text(7)?,
            arm: text(8)?,
        })
    }
}

/// The number, and what is known besides.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) count: i64,
    pub(crate) errors: i64,
    pub(crate) durations: Durations,
    /// Of the values that events had.
    pub(crate) value_count: i64,
    pub(crate) value_sum: f64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Tally) {
        self.count = self.count.saturating_add(other.count);
        self.errors = self.errors.saturating_add(other.errors);
        self.durations.merge(&other.durations, 1);
        self.value_count = self.value_count.saturating_add(other.value_count);
        self.value_sum += other.value_sum;
    }
}

/// Numbers that belong together.
pub(crate) type Tallies = BTreeMap<Series, Tally>;
