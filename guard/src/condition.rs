//! What a guard tests, and the record from which anyone can test it again.

use esclusa::Value;
use serde::{Deserialize, Serialize};

use crate::{Evidence, Probability};

/// One thing that a guard tests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A bad unit is on with at most these times the odds of the share; 1 tolerates no harm.
    AtMostTimes(f64),
    /// At most this part of the units that are on is bad.
    AtMost(Probability),
    /// The units that report are on with the probability of the share.
    Split,
}

impl Condition {
    /// The probability of a hit if the condition holds, at a share of 0 to 1. `None` where nothing can be tested.
    #[must_use]
    pub fn null(self, share: f64) -> Option<Probability> {
        match self {
            Self::AtMostTimes(times) => Probability::new(share)?.odds(times),
            Self::AtMost(limit) => Some(limit),
            Self::Split => Probability::new(share),
        }
    }

    /// The condition as JSON, as serde writes it.
    pub(crate) fn to_value(self) -> Value<'static> {
        match self {
            Self::AtMostTimes(times) => Value::Object(vec![("at_most_times".into(), times.into())]),
            Self::AtMost(limit) => Value::Object(vec![("at_most".into(), limit.get().into())]),
            Self::Split => "split".into(),
        }
    }

    fn evidence(self) -> Evidence {
        if self == Self::Split { Evidence::two_sided() } else { Evidence::one_sided() }
    }
}

/// What was observed in an epoch, in order: `[[share, hits, misses], "mark", …]` as JSON.
///
/// ```
/// use esclusa_guard::{Condition, Ledger};
///
/// let ledger: Ledger = serde_json::from_str(r#"[[0.25, 98, 176], "mark", [0.25, 41, 56]]"#)?;
/// let evidence = ledger.evidence(Condition::AtMostTimes(1.0)).ok_or("a share of 0 or 1")?;
/// assert!(evidence.log_e() > 10.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger(Vec<Entry>);

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Entry {
    Batch(f64, u64, u64),
    Mark(Mark),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Mark {
    #[serde(rename = "mark")]
    Mark,
}

impl Ledger {
    /// The record as JSON, as serde writes it.
    pub(crate) fn to_value(&self) -> Value<'static> {
        let entry = |entry: &Entry| match *entry {
            Entry::Batch(share, hits, misses) => Value::List(vec![share.into(), hits.into(), misses.into()]),
            Entry::Mark(Mark::Mark) => "mark".into(),
        };
        Value::List(self.0.iter().map(entry).collect())
    }

    /// The evidence that this record gives, equal in every bit to that of the guard that wrote it. `None` if a share in
    /// it fits no test.
    #[must_use]
    pub fn evidence(&self, condition: Condition) -> Option<Evidence> {
        let mut evidence = condition.evidence();
        for entry in &self.0 {
            match *entry {
                Entry::Batch(share, hits, misses) => evidence.observe(condition.null(share)?, hits, misses),
                Entry::Mark(Mark::Mark) => evidence.mark(),
            }
        }
        Some(evidence)
    }
}

/// The evidence against a condition together with its record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub(crate) struct Trial {
    pub(crate) condition: Condition,
    evidence: Evidence,
    pub(crate) ledger: Ledger,
}

/// What is written of a trial: its evidence follows from it.
#[derive(Serialize, Deserialize)]
struct Record {
    condition: Condition,
    ledger: Ledger,
}

impl From<Trial> for Record {
    fn from(Trial { condition, ledger, .. }: Trial) -> Self {
        Self { condition, ledger }
    }
}

impl TryFrom<Record> for Trial {
    type Error = &'static str;

    fn try_from(Record { condition, ledger }: Record) -> Result<Self, Self::Error> {
        let evidence = ledger.evidence(condition).ok_or("a share in the ledger fits no test")?;
        Ok(Self { condition, evidence, ledger })
    }
}

impl Trial {
    pub(crate) fn of(condition: Condition) -> Self {
        Self { condition, evidence: condition.evidence(), ledger: Ledger::default() }
    }

    pub(crate) fn observe(&mut self, share: f64, hit: bool) {
        let Some(null) = self.condition.null(share) else { return };
        let (hits, misses) = (u64::from(hit), u64::from(!hit));
        self.evidence.observe(null, hits, misses);
        match self.ledger.0.last_mut() {
            Some(Entry::Batch(same, all_hits, all_misses)) if same.to_bits() == share.to_bits() => {
                *all_hits = all_hits.saturating_add(hits);
                *all_misses = all_misses.saturating_add(misses);
            }
            _ => self.ledger.0.push(Entry::Batch(share, hits, misses)),
        }
    }

    pub(crate) fn mark(&mut self) {
        self.evidence.mark();
        self.ledger.0.push(Entry::Mark(Mark::Mark));
    }

    pub(crate) fn log_e(&self) -> f64 {
        self.evidence.log_e()
    }
}
