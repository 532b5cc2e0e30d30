//! Explaining: the same walk as resolving, recorded (sentence 10.1 of SEMANTICS.md).
//!
//! The walk reports each step to a [`Recorder`]; the recorder `()` ignores them and costs nothing. An explanation takes
//! neither the fast path nor the index of rules; `tests/differential.rs` and `tests/rule_index.rs` compare its answers
//! with those of a resolution, on random flags.

mod comparing;
mod sentences;

use std::collections::BTreeSet;
use std::fmt;

use crate::context::Context;
use crate::flag_set::{FlagId, FlagSet, SegmentId, Span};
use crate::resolution::{ErrorCode, Resolution};
use crate::resolve::Walk;
use crate::time::Time;
use crate::value::Value;
pub(crate) use comparing::comparison;
pub(crate) use sentences::{
    broken, disabled, joined, no_unit, now, override_, percentage, prerequisite, rule, segment, share, target, variant,
    window, work,
};

/// A resolution with every step that led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation<'s> {
    key: String,
    who: String,
    resolution: Resolution<'s>,
    steps: Vec<Step>,
}

/// One step of the walk.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    name: &'static str,
    code: &'static str,
    outcome: Outcome,
    sentence: String,
    operands: Vec<(&'static str, Value<'static>)>,
    inner: Vec<Step>,
}

/// The outcome of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The step passed, or the condition is true.
    Yes,
    /// The step failed, or the condition is false.
    No,
    /// The condition is unknown: a value is missing or of the wrong kind.
    Unknown,
}

impl Outcome {
    /// `yes`, `no` or `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Yes => "yes",
            Outcome::No => "no",
            Outcome::Unknown => "unknown",
        }
    }
}

impl Step {
    /// The part of the flag that was checked: `state`, `window`, `prerequisite`, `override`, `target`, `rollout`,
    /// `rule`, `variant`, or a part of a condition.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The kind of sentence, as a name that does not change (sentence 10.8): with the outcome and the
    /// [`operands`](Self::operands), another language can express the same.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The values that it compared, by name (sentence 10.8).
    #[must_use]
    pub fn operands(&self) -> &[(&'static str, Value<'static>)] {
        &self.operands
    }

    /// Its outcome.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The step in words.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The steps inside it: of another flag, or parts of a condition.
    #[must_use]
    pub fn inner(&self) -> &[Step] {
        &self.inner
    }

    fn to_value(&self) -> Value<'static> {
        let mut fields = vec![
            ("step".into(), Value::from(self.name)),
            ("code".into(), Value::from(self.code)),
            ("outcome".into(), self.outcome.as_str().into()),
            ("sentence".into(), self.sentence.clone().into()),
        ];
        fields.extend(self.operands.iter().map(|(name, value)| ((*name).into(), value.clone())));
        if !self.inner.is_empty() {
            fields.push(("steps".into(), Value::List(self.inner.iter().map(Step::to_value).collect())));
        }
        Value::Object(fields)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let mark = match self.outcome {
            Outcome::Yes => '✓',
            Outcome::No => '✗',
            Outcome::Unknown => '?',
        };
        write!(f, "\n{:indent$}{mark} {}", "", self.sentence, indent = 2 * depth)?;
        self.inner.iter().try_for_each(|step| step.write(f, depth + 1))
    }
}

impl<'s> Explanation<'s> {
    /// The same answer that [`FlagSet::resolve`] gives.
    #[must_use]
    pub fn resolution(&self) -> Resolution<'s> {
        self.resolution
    }

    /// Every step, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The first step that failed, if the flag is off.
    #[must_use]
    pub fn first_no(&self) -> Option<&Step> {
        if self.resolution.is_enabled() {
            None
        } else {
            self.steps
                .iter()
                .find(|step| step.outcome != Outcome::Yes && step.name != "override" && step.name != "rule")
                .or(self.steps.last())
        }
    }

    /// The resolution's JSON (sentence 7.18) and, beside it, `first_no` and `first_no_code`, the sentence and the code
    /// of the first step that failed, or null, and `path`: the steps.
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        let mut value = self.resolution.to_value();
        if let Value::Object(fields) = &mut value {
            fields.push(("first_no".into(), self.first_no().map(|no| no.sentence.clone()).into()));
            fields.push(("first_no_code".into(), self.first_no().map(|no| no.code.to_owned()).into()));
            fields.push(("path".into(), Value::List(self.steps.iter().map(Step::to_value).collect())));
        }
        value
    }
}

/// Lines of text for support staff.
impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resolution = self.resolution;
        let (on, because) = (if resolution.enabled { "ON" } else { "OFF" }, self.because());
        write!(f, "`{}` is {on} for {}: {because}", self.key, self.who)?;
        self.steps.iter().try_for_each(|step| step.write(f, 1))?;
        write!(f, "\n  serves {} ({}", resolution.value, resolution.reason)?;
        resolution.error.map_or(Ok(()), |error| write!(f, ", {error}"))?;
        f.write_str(")")
    }
}

impl Explanation<'_> {
    fn because(&self) -> String {
        match (self.first_no(), self.steps.is_empty()) {
            (Some(no), _) => no.sentence.clone(),
            (None, true) if self.resolution.enabled => "it is on for everybody".to_owned(),
            (None, _) if self.resolution.enabled => "every step said yes".to_owned(),
            _ if self.resolution.error == Some(ErrorCode::ProviderNotReady) => "nothing is published yet".to_owned(),
            _ => format!("there is no flag `{}`", self.key),
        }
    }
}

impl FlagSet {
    /// What [`resolve`](Self::resolve) answers, with every step that led there.
    #[must_use]
    pub fn explain(&self, key: &str, context: &Context<'_>, now: impl Into<Time>) -> Explanation<'_> {
        let mut walk = Walk::new(self, context, now.into(), Path::default());
        let resolution = match self.find(key) {
            Some(id) => walk.flag(id),
            None => Resolution::none(self.absence()),
        };
        Explanation { key: key.to_owned(), who: sentences::who(context), resolution, steps: walk.recorder.steps }
    }
}

/// Receives the steps of a walk; by default it ignores them and remembers nothing.
pub(crate) trait Recorder {
    /// Whether it needs every step. If not, the walk skips steps that change no answer.
    const LISTENS: bool = false;

    /// Records one step.
    #[inline]
    fn note(&mut self, _: impl FnOnce() -> Step) {}

    /// The steps that follow are inside the step that [`close`](Self::close) records.
    #[inline]
    fn open(&mut self) {}

    #[inline]
    fn close(&mut self, _: impl FnOnce(Vec<Step>) -> Step) {}

    /// Whether this context passed these target lists, if that is known from another flag.
    #[inline]
    fn recall(&self, _: Span) -> Option<bool> {
        None
    }

    #[inline]
    fn remember(&mut self, _: Span, _: bool) {}

    /// Whether the steps inside this segment or flag were already recorded, so that they are left out here.
    #[inline]
    fn has_written(&mut self, _: Inside) -> bool {
        false
    }
}

/// A step that contains other steps: a segment, by its index in the set, or a flag.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Inside {
    Segment(SegmentId),
    Flag(FlagId),
}

/// Ignores every step.
impl Recorder for () {}

/// Remembers which target lists one context passed, for a walk over many flags: a set stores equal lists once.
pub(crate) struct Memory([(u32, bool); Memory::PLACES]);

impl Memory {
    /// Adjacent flags mostly share a few combinations of lists.
    const PLACES: usize = 16;
    /// No span starts here.
    const NOWHERE: u32 = u32::MAX;

    #[inline]
    fn place(targets: Span) -> usize {
        targets.start as usize % Self::PLACES
    }
}

impl Default for Memory {
    fn default() -> Self {
        Memory([(Memory::NOWHERE, false); Memory::PLACES])
    }
}

// Two different non-empty spans never have the same start.
impl Recorder for Memory {
    #[inline]
    fn recall(&self, targets: Span) -> Option<bool> {
        let (known, passed) = self.0.get(Self::place(targets))?;
        (*known == targets.start && !targets.is_empty()).then_some(*passed)
    }

    #[inline]
    fn remember(&mut self, targets: Span, passed: bool) {
        if let Some(place) = self.0.get_mut(Self::place(targets))
            && !targets.is_empty()
        {
            *place = (targets.start, passed);
        }
    }
}

/// The steps so far, the steps outside of those that are open, and the segments and flags that were recorded with their
/// steps.
///
/// Without `written` the steps would multiply: ten segments, each with ten references to the next, are 100,000 steps.
#[derive(Default)]
struct Path {
    steps: Vec<Step>,
    outside: Vec<Vec<Step>>,
    written: BTreeSet<Inside>,
}

impl Recorder for Path {
    const LISTENS: bool = true;

    fn note(&mut self, step: impl FnOnce() -> Step) {
        self.steps.push(step());
    }

    fn open(&mut self) {
        self.outside.push(std::mem::take(&mut self.steps));
    }

    fn close(&mut self, step: impl FnOnce(Vec<Step>) -> Step) {
        let inner = std::mem::replace(&mut self.steps, self.outside.pop().unwrap_or_default());
        self.steps.push(step(inner));
    }

    fn has_written(&mut self, inside: Inside) -> bool {
        !self.written.insert(inside)
    }
}
