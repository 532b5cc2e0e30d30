//! Advice: what is allowed and most often not meant. Each has a name, a level, a page, and a function that looks for it.

mod flags;
mod lists;
mod rules;
mod segments;
mod times;

use std::collections::BTreeMap;

use esclusa::Time;

use super::Level;
use super::document::{Document, Row};

/// One advice.
pub(crate) struct Advice {
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    /// What it says, in one sentence without its full stop.
    pub(crate) summary: &'static str,
    /// Why that is worth a look, and what to do.
    pub(crate) page: &'static str,
    /// What looks for it; `None` for what the engine's reading says.
    pub(crate) check: Option<Check>,
}

pub(crate) type Check = fn(&Document<'_>, Time, &mut Notes);

/// What an advice found.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) notes: Vec<Note>,
}

#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) flag: Option<String>,
    pub(crate) place: String,
    pub(crate) problem: String,
}

impl Notes {
    /// About a flag.
    fn flag(&mut self, flag: &Row<'_>, place: String, problem: String) {
        self.notes.push(Note { flag: Some(flag.key.clone()), place, problem });
    }

    /// About anything else.
    fn other(&mut self, place: String, problem: String) {
        self.notes.push(Note { flag: None, place, problem });
    }
}

/// All of them, those of the engine's reading first.
pub(crate) fn all() -> impl Iterator<Item = &'static Advice> {
    [READING, times::ADVICE, flags::ADVICE, lists::ADVICE, rules::ADVICE, segments::ADVICE].into_iter().flatten()
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    all().map(|advice| advice.name)
}

/// Whether an advice has that name.
pub(crate) fn is_known(name: &str) -> bool {
    names().any(|known| known == name)
}

/// Advice about flags that the code can do without.
const FINISHED: [&str; 3] = ["ended-window", "always-on", "always-off"];

/// Why flags are finished, by key.
pub(crate) fn finished(document: &Document<'_>, now: Time) -> BTreeMap<String, String> {
    let mut notes = Notes::default();
    for check in all().filter(|advice| FINISHED.contains(&advice.name)).filter_map(|advice| advice.check) {
        check(document, now, &mut notes);
    }
    notes.notes.into_iter().filter_map(|note| Some((note.flag?, note.problem))).collect()
}

/// What the engine says of the columns.
const READING: &[Advice] = &[
    Advice {
        name: "unread-column",
        level: Level::Warn,
        summary: "a column is not read",
        page: "It changes no answer. Map it if it means something, or name it in `ignored` of the document or `ignore` of the mapping.",
        check: None,
    },
    Advice {
        name: "label",
        level: Level::Allow,
        summary: "`name` is a label, because there is a `key`",
        page: "The app asks for flags by `key`. That is most often meant.",
        check: None,
    },
    Advice {
        name: "no-switch",
        level: Level::Warn,
        summary: "no row has `enabled`, so every flag is off",
        page: "If the switch has another name, map it: `esclusa inspect` proposes how.",
        check: None,
    },
    Advice {
        name: "shares-never-above-1",
        level: Level::Warn,
        summary: "no share is above 1, though shares are percent",
        page: "0.5 is half a percent. If the table holds fractions, map the column with `of = 1`.",
        check: None,
    },
    Advice {
        name: "twins",
        level: Level::Warn,
        summary: "keys are in several rows",
        page: "Where the definitions differ, the flag is off. If a row is for an environment or a tenant, a mapping says so with `counts` or `fold`.",
        check: None,
    },
    Advice {
        name: "date-only-end",
        level: Level::Warn,
        summary: "`end_date` is a date without a time, so the flag ends when that day begins",
        page: "Write the next day, or a time, or map the column with `whole_day = true`.",
        check: None,
    },
    Advice {
        name: "default-column",
        level: Level::Warn,
        summary: "a column that looks like a restriction has one value in every row",
        page: "It is most likely a default of the store. Map it, or ignore it.",
        check: None,
    },
];

#[cfg(test)]
mod tests {
    use esclusa::Time;

    use super::{Notes, all};
    use crate::lint::document::Document;

    /// The problems that an advice finds in a document.
    pub(super) fn problems(name: &str, document: &str) -> Vec<String> {
        let advice = all().find(|advice| advice.name == name).unwrap();
        let mut notes = Notes::default();
        let now = Time::parse("2026-06-01").unwrap();
        (advice.check.unwrap())(&Document::read(document.as_bytes()), now, &mut notes);
        notes.notes.into_iter().map(|note| format!("{}: {}", note.place, note.problem)).collect()
    }

    /// An advice finds this in the first document, and nothing in the second.
    #[track_caller]
    pub(super) fn fires(name: &str, found: &[&str], in_this: &str, not_in_this: &str) {
        assert_eq!(problems(name, in_this), found, "{name}");
        assert_eq!(problems(name, not_in_this), Vec::<String>::new(), "{name}");
    }

    #[test]
    fn every_advice_has_a_name_of_its_own_and_a_page() {
        let mut names: Vec<&str> = super::names().collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().count());
        for advice in all() {
            assert!(!advice.summary.ends_with('.') && advice.page.ends_with('.'), "{}", advice.name);
        }
    }
}
