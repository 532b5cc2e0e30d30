//! Compiled conditions: a tree in preorder as a flat array, and its three truth values (section 4 of SEMANTICS.md).
//!
//! The tree consists of values, not of closures, so it can be printed, compared, fuzzed and explained.

use crate::bucket::{Bucketer, Share};
use crate::context::Context;
use crate::explain::{self, Inside, Recorder};
use crate::flag_set::{FlagSet, SegmentId, Unit};
use crate::operator::Operator;
use crate::text::Text;
use crate::time::Time;

/// Kleene's three truth values (Stephen Cole Kleene, Introduction to Metamathematics, 1952, §64).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    False,
    Unknown,
    True,
}

impl Truth {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Truth::False => "false",
            Truth::Unknown => "unknown",
            Truth::True => "true",
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Truth::True } else { Truth::False }
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        match self {
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
            Truth::True => Truth::False,
        }
    }
}

/// True if one is true, else unknown if one is unknown, else false.
pub(crate) fn any(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut joined = Truth::False;
    for truth in truths {
        match truth {
            Truth::True => return Truth::True,
            Truth::Unknown => joined = Truth::Unknown,
            Truth::False => {}
        }
    }
    joined
}

/// One part of a condition. Its parts follow it directly; `end` is the index of the first node after them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) part: Part,
    pub(crate) end: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    All,
    Any,
    Not,
    Segment(SegmentId),
    /// The index of a [`Percentage`].
    Percentage(u32),
    /// The index of a [`Window`].
    Now(u32),
    /// The index of a [`Comparison`].
    Comparison(u32),
}

/// A range of buckets, `from <= bucket < to`, of one unit with a salt of its own.
#[derive(Clone, Debug)]
pub(crate) struct Percentage {
    pub(crate) unit: Unit,
    pub(crate) salt: Text,
    pub(crate) bucketer: Bucketer,
    pub(crate) from: Share,
    pub(crate) to: Share,
}

/// A span of time, `from <= now < to`.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Window {
    pub(crate) from: Time,
    pub(crate) to: Time,
}

impl Window {
    pub(crate) fn holds(self, now: Time) -> bool {
        self.from <= now && (now < self.to || self.to == Time::AFTER_ALL)
    }
}

/// One operator on one attribute, with the results for a missing and for an unconvertible value.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    pub(crate) attribute: Unit,
    pub(crate) operator: Operator,
    pub(crate) missing: Truth,
    pub(crate) unconvertible: Truth,
}

impl FlagSet {
    /// The truth of the condition whose root is node `at`.
    pub(crate) fn truth<R: Recorder>(&self, at: u32, context: &Context<'_>, now: Time, recorder: &mut R) -> Truth {
        let Some(node) = self.nodes.get(at as usize) else { return Truth::Unknown };
        match node.part {
            Part::All => self.join((at, node), context, now, recorder, (Truth::False, "all")),
            Part::Any => self.join((at, node), context, now, recorder, (Truth::True, "any")),
            Part::Not => {
                recorder.open();
                let truth = !self.truth(at + 1, context, now, recorder);
                recorder.close(|inner| explain::joined("not", truth, inner));
                truth
            }
            Part::Segment(id) => {
                recorder.open();
                let segment = self.segments.get(id.0 as usize);
                let is_written = recorder.has_written(Inside::Segment(id));
                let truth = segment.map_or(Truth::Unknown, |segment| match is_written {
                    true => self.truth(segment.when, context, now, &mut ()),
                    false => self.truth(segment.when, context, now, recorder),
                });
                recorder.close(|inner| {
                    explain::segment(segment.map_or("", |segment| self.texts.get(segment.key)), truth, inner)
                });
                truth
            }
            Part::Percentage(at) => self.percentages.get(at as usize).map_or(Truth::Unknown, |percentage| {
                let bucket = self.unit_hash(percentage.unit, context).map(|hash| percentage.bucketer.bucket(hash));
                let truth = bucket.map_or(Truth::Unknown, |bucket| {
                    (!percentage.from.admits(bucket) && percentage.to.admits(bucket)).into()
                });
                recorder.note(|| explain::percentage(self, context, percentage, bucket, truth));
                truth
            }),
            Part::Now(at) => {
                self.windows.first().and_then(|windows| windows.get(at as usize)).map_or(Truth::Unknown, |window| {
                    let truth = window.holds(now).into();
                    recorder.note(|| explain::now(*window, now, truth));
                    truth
                })
            }
            Part::Comparison(at) => self.comparisons.get(at as usize).map_or(Truth::Unknown, |comparison| {
                let truth = self.compare(comparison, context);
                recorder.note(|| explain::comparison(self, context, comparison, truth));
                truth
            }),
        }
    }

    /// `all` and `any`: the first part that is `decisive` decides; else the result is unknown if a part is, else the
    /// opposite.
    fn join<R: Recorder>(
        &self,
        (at, node): (u32, &Node),
        context: &Context<'_>,
        now: Time,
        recorder: &mut R,
        (decisive, name): (Truth, &'static str),
    ) -> Truth {
        recorder.open();
        let (mut joined, mut part) = (!decisive, at + 1);
        while part < node.end {
            let truth = self.truth(part, context, now, recorder);
            if truth == decisive {
                joined = decisive;
                break;
            }
            if truth == Truth::Unknown {
                joined = Truth::Unknown;
            }
            part = self.nodes.get(part as usize).map_or(node.end, |part| part.end);
        }
        recorder.close(|inner| explain::joined(name, joined, inner));
        joined
    }
}
