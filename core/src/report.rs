//! The result of publishing a flag set (sentences 9.2 to 9.5 of SEMANTICS.md).

use crate::aside::Why;
use crate::error::Violation;
use crate::flag_set::{Fate, FlagId, FlagSet, Kept};
use crate::understood::Reading;
use crate::value::Value;
use crate::writing::Json;

/// The result of publishing a flag set: what changed, and what was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a refused set is only seen here"]
pub struct Report {
    outcome: Outcome,
    revision: Option<u64>,
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<String>,
    set_aside: Vec<SetAside>,
    violations: Vec<Violation>,
    reading: Reading,
}

/// Whether the set is the current one now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is the current set.
    Published,
    /// Its revision is lower than the current set's, which stays.
    Older {
        /// The revision of the current set.
        current: u64,
    },
}

/// A flag that was set aside; ordered by key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetAside {
    key: String,
    killed: bool,
    withheld: bool,
    kept: Option<Kept>,
}

impl SetAside {
    /// The flag's key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it is off because its broken row says off (8.7).
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.killed
    }

    /// Whether it is off because a field that may restrict it cannot be read or is not read (8.16).
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        self.withheld
    }

    /// The definition that it keeps from an earlier set, if there is one. A withheld flag does not serve it.
    #[must_use]
    pub fn kept(&self) -> Option<Kept> {
        self.kept
    }

    fn to_value(&self) -> Value<'static> {
        let kept = self.kept.map(|kept| {
            Value::Object(vec![("revision".into(), kept.revision.into()), ("publishes".into(), kept.publishes.into())])
        });
        Value::Object(vec![
            ("key".into(), self.key.clone().into()),
            ("off".into(), self.killed.into()),
            ("kept".into(), kept.into()),
        ])
    }

    fn write(&self, json: &mut Json) {
        json.object(|json| {
            json.name("key").text(&self.key);
            json.name("off").bool(self.killed);
            json.name("kept").maybe(self.kept, |json, kept| {
                json.object(|json| {
                    json.name("revision").maybe(kept.revision.map(u64::cast_signed), Json::whole);
                    json.name("publishes").whole(kept.publishes.cast_signed());
                });
            });
        });
    }
}

/// The keys of these flags, sorted.
fn sorted(set: &FlagSet, flags: Vec<FlagId>) -> Vec<String> {
    set.by_key(flags).into_iter().map(|(key, _)| key.to_owned()).collect()
}

impl Report {
    pub(crate) fn refused(current: &FlagSet, set: &FlagSet) -> Self {
        Report {
            outcome: Outcome::Older { current: current.revision.unwrap_or_default() },
            revision: set.revision,
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
            set_aside: Vec::new(),
            violations: set.violations.clone(),
            reading: set.reading.clone(),
        }
    }

    pub(crate) fn new(before: &FlagSet, set: &FlagSet, outcome: Outcome) -> Self {
        let (mut added, mut changed) = (Vec::new(), Vec::new());
        for id in (0..).map(FlagId).take(set.len()) {
            match counterpart(set, id, before) {
                None => added.push(id),
                Some(old) if before.origin(old).fingerprint != set.origin(id).fingerprint => {
                    changed.push(id);
                }
                Some(_) => {}
            }
        }
        let gone = |id: &FlagId| counterpart(before, *id, set).is_none();
        let removed = (0..).map(FlagId).take(before.len()).filter(gone).collect();
        let set_aside = set.by_key(set.set_aside.iter().map(|(id, _)| *id).collect()).into_iter();
        let set_aside = set_aside.filter_map(|(key, id)| match set.origin(id).fate {
            Fate::SetAside { why, kept, .. } => {
                Some(SetAside { key: key.to_owned(), killed: why == Why::Killed, withheld: why == Why::Withheld, kept })
            }
            Fate::Sound => None,
        });
        Report {
            outcome,
            revision: set.revision,
            added: sorted(set, added),
            removed: sorted(before, removed),
            changed: sorted(set, changed),
            set_aside: set_aside.collect(),
            violations: set.violations.clone(),
            reading: set.reading.clone(),
        }
    }

    /// Whether the set is the current one now.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.outcome == Outcome::Published
    }

    /// Whether the set was published, or is older than the current one.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The revision of the set that was to be published.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.revision
    }

    /// Keys that the set before did not have, sorted.
    #[must_use]
    pub fn added(&self) -> &[String] {
        &self.added
    }

    /// Keys that are gone, sorted.
    #[must_use]
    pub fn removed(&self) -> &[String] {
        &self.removed
    }

    /// Keys whose answers may differ now, sorted (sentence 9.4).
    #[must_use]
    pub fn changed(&self) -> &[String] {
        &self.changed
    }

    /// The flags that were set aside, sorted by key.
    #[must_use]
    pub fn set_aside(&self) -> &[SetAside] {
        &self.set_aside
    }

    /// Everything that is wrong with the snapshot.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// What was understood of the snapshot (sentence 9.7).
    #[must_use]
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// `{"outcome", "revision", "added", "removed", "changed", "set_aside", "violations", "reading"}` (sentence 9.6).
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        let keys = |keys: &[String]| Value::from(keys.to_vec());
        let outcome = if self.is_published() { "published" } else { "older" };
        Value::Object(vec![
            ("outcome".into(), outcome.into()),
            ("revision".into(), self.revision.into()),
            ("added".into(), keys(&self.added)),
            ("removed".into(), keys(&self.removed)),
            ("changed".into(), keys(&self.changed)),
            ("set_aside".into(), Value::List(self.set_aside.iter().map(SetAside::to_value).collect())),
            ("violations".into(), Value::List(self.violations.iter().map(Violation::to_value).collect())),
            ("reading".into(), self.reading.to_value()),
        ])
    }

    /// The same as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Json::default();
        json.object(|json| {
            json.name("outcome").text(if self.is_published() { "published" } else { "older" });
            json.name("revision").maybe(self.revision.map(u64::cast_signed), Json::whole);
            for (name, keys) in [("added", &self.added), ("removed", &self.removed), ("changed", &self.changed)] {
                json.name(name).list(keys, |json, key| json.text(key));
            }
            json.name("set_aside").list(&self.set_aside, |json, one| one.write(json));
            json.name("violations").list(&self.violations, |json, violation| violation.write(json));
            self.reading.write(json.name("reading"));
        });
        json.into_text()
    }
}

/// The flag of the same key in another set; mostly it has the same index there.
fn counterpart(set: &FlagSet, id: FlagId, other: &FlagSet) -> Option<FlagId> {
    let key = set.key(id);
    let same = (id.0 as usize) < other.len() && other.key(id) == key;
    if same { Some(id) } else { other.find(key) }
}
