//! What a guard tells: how things are, and why it tripped.

use std::fmt;

use esclusa::Value;
use serde::{Deserialize, Serialize};

use crate::condition::{Condition, Ledger};

/// How a guarded rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Too little was seen, or there are no arms: no data is never healthy.
    Waiting,
    /// Nothing speaks against the next step.
    Healthy,
    /// There is evidence against the next step, but too little to stop, or both arms are worse at once. The schedule should
    /// hold.
    Suspicious,
    /// What arrives cannot be trusted: the split is wrong, outcomes are lost (arms are not compared then, but limits still
    /// act), or none come any more.
    Blind,
    /// The rollout is stopped until a person begins a new run.
    Tripped,
}

impl State {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Healthy => "healthy",
            Self::Suspicious => "suspicious",
            Self::Blind => "blind",
            Self::Tripped => "tripped",
        }
    }
}

/// Units of an arm in the epoch; estimates above [`crate::Units::CAPACITY`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Units that reported.
    pub units: f64,
    /// Those with a bad outcome.
    pub bad: f64,
}

/// Why a rollout was stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trip {
    /// The run that it ends.
    pub run: u64,
    /// The epoch, from 1.
    pub epoch: u64,
    /// When it tripped.
    pub at_ms: u64,
    /// When the epoch began.
    pub since_ms: u64,
    /// The metric that did.
    pub metric: String,
    /// The condition that did not hold.
    pub condition: Condition,
    /// The on arm.
    pub on: Counts,
    /// The off arm.
    pub off: Counts,
    /// The part of the units that was on; `None` without arms.
    pub share: Option<f64>,
    /// The natural logarithm of the evidence.
    pub log_e: f64,
    /// The natural logarithm of the bar that it reached.
    pub log_bar: f64,
    /// How many times as bad the on arm is at most, 95 %.
    pub worst_case_times: Option<f64>,
    /// From this anyone can compute `log_e` again.
    pub ledger: Ledger,
}

/// One metric of a [`Status`].
#[derive(Debug, Clone, PartialEq)]
pub struct MetricStatus {
    /// Its name.
    pub name: String,
    /// Bad units of the on arm in the epoch.
    pub on_bad: f64,
    /// Bad units of the off arm in the epoch.
    pub off_bad: f64,
    /// The natural logarithm of the evidence that the on arm is worse; `None` if arms are not compared.
    pub log_relative: Option<f64>,
    /// The natural logarithm of the evidence that the limit is exceeded; `None` without a limit.
    pub log_limit: Option<f64>,
    /// How many times as bad the on arm is at most, 95 %; `None` while nothing is excluded.
    pub worst_case_times: Option<f64>,
}

/// How a guard is, in the present epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// The flag.
    pub flag: String,
    /// The state.
    pub state: State,
    /// The number of the attempt to release.
    pub run: u64,
    /// The epoch, from 1.
    pub epoch: u64,
    /// The part of the units that is on; `None` without arms.
    pub share: Option<f64>,
    /// Units of the on arm that reported.
    pub on_units: f64,
    /// Units of the off arm that reported.
    pub off_units: f64,
    /// The natural logarithm of the evidence that the split is wrong.
    pub log_split: f64,
    /// The natural logarithm of the bar of this epoch.
    pub log_bar: f64,
    /// The metrics, in the order of the policy.
    pub metrics: Vec<MetricStatus>,
    /// Why it tripped, if it did.
    pub trip: Option<Trip>,
}

impl fmt::Display for Status {
    /// One line for people: `checkout: healthy, 512 units on and 2048 off; errors: 9 bad on and 31 off, at most 2.9 times
    /// as bad`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flag, on_units, off_units, .. } = self;
        write!(f, "{flag}: {}, {on_units:.0} units on and {off_units:.0} off", self.state.as_str())?;
        for MetricStatus { name, on_bad, off_bad, worst_case_times, .. } in &self.metrics {
            write!(f, "; {name}: {on_bad:.0} bad on and {off_bad:.0} off")?;
            if let Some(times) = worst_case_times {
                write!(f, ", at most {times:.1} times as bad")?;
            }
        }
        Ok(())
    }
}

impl Status {
    /// The status as JSON, for hosts in other languages: the fields of this struct and of those in it, by their names, and
    /// `line`, the text for people.
    ///
    /// ```
    /// use esclusa::{FlagSet, Flags};
    /// use esclusa_guard::Guards;
    /// let flags = Flags::new();
    /// let _ = flags.publish(FlagSet::from_json(br#"[{"name": "crm", "enabled": true, "guard": {"errors": {}}}]"#)?);
    /// let status = Guards::new(&flags).status().remove(0).to_value();
    /// assert_eq!(status.get("state").and_then(|state| state.as_str()), Some("waiting"));
    /// # Ok::<(), esclusa::SnapshotError>(())
    /// ```
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        object([
            ("flag", self.flag.clone().into()),
            ("line", self.to_string().into()),
            ("state", self.state.as_str().into()),
            ("run", self.run.into()),
            ("epoch", self.epoch.into()),
            ("share", self.share.into()),
            ("on_units", self.on_units.into()),
            ("off_units", self.off_units.into()),
            ("log_split", self.log_split.into()),
            ("log_bar", self.log_bar.into()),
            ("metrics", Value::List(self.metrics.iter().map(MetricStatus::to_value).collect())),
            ("trip", self.trip.as_ref().map_or(Value::Null, Trip::to_value)),
        ])
    }
}

impl MetricStatus {
    fn to_value(&self) -> Value<'static> {
        object([
            ("name", self.name.clone().into()),
            ("on_bad", self.on_bad.into()),
            ("off_bad", self.off_bad.into()),
            ("log_relative", self.log_relative.into()),
            ("log_limit", self.log_limit.into()),
            ("worst_case_times", self.worst_case_times.into()),
        ])
    }
}

impl Trip {
    /// The trip as JSON, as serde writes it.
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        object([
            ("run", self.run.into()),
            ("epoch", self.epoch.into()),
            ("at_ms", self.at_ms.into()),
            ("since_ms", self.since_ms.into()),
            ("metric", self.metric.clone().into()),
            ("condition", self.condition.to_value()),
            ("on", self.on.to_value()),
            ("off", self.off.to_value()),
            ("share", self.share.into()),
            ("log_e", self.log_e.into()),
            ("log_bar", self.log_bar.into()),
            ("worst_case_times", self.worst_case_times.into()),
            ("ledger", self.ledger.to_value()),
        ])
    }
}

impl Counts {
    fn to_value(self) -> Value<'static> {
        object([("units", self.units.into()), ("bad", self.bad.into())])
    }
}

fn object<const FIELDS: usize>(fields: [(&'static str, Value<'static>); FIELDS]) -> Value<'static> {
    Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}
