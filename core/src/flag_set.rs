//! A flag set: a compiled snapshot, immutable, in flat arenas that are freed at once.
//!
//! Nothing in it has the shape of JSON: keys are in a table, strings in lists, segments and prerequisites are linked by
//! index. `compilation` builds it, `resolve` walks it.

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::RULES;
use crate::aside::{Aside, Why};
use crate::audience::{Audience, InternedTargets};
use crate::bucket::{Bucketer, Share};
use crate::columns::Cause;
use crate::condition::{Comparison, Node, Percentage, Window};
use crate::context::Field;
use crate::definition::Status;
use crate::error::Violation;
use crate::guarded::{GUARDS, Guard};
use crate::index::Index;
use crate::list::{List, Lists};
use crate::operator::KnownVersion;
use crate::order::sorted;
use crate::pattern::Pattern;
use crate::rule_index::RuleIndex;
use crate::split::Portion;
use crate::text::{Text, Texts};
use crate::text_match::Substrings;
use crate::time::Time;
use crate::understood::Reading;
use crate::value::Value;

/// A compiled snapshot: answers for any flag and context, and never changes.
#[derive(Clone, Debug, Default)]
pub struct FlagSet {
    pub(crate) revision: Option<u64>,
    pub(crate) generated_at: Option<Time>,
    /// Whether it is the empty set of a handle that has published nothing yet (7.17).
    pub(crate) not_ready: bool,
    /// Publish sequence number in this process; 0 if never published.
    pub(crate) publication: u64,
    pub(crate) violations: Vec<Violation>,
    /// The flags that are set aside, in their order.
    pub(crate) set_aside: Vec<(FlagId, Aside)>,
    pub(crate) reading: Reading,
    /// Columns that restrict every flag with one and the same value, in a set of two flags or more: they may be
    /// defaults of the store (8.17).
    pub(crate) uniform: Vec<Cause>,
    /// Columns that are defaults of the store, with the fingerprints of their values (8.17).
    pub(crate) defaults: Vec<(String, u64)>,
    /// Indexes of flags by the hash of their keys.
    pub(crate) keys: Index,
    pub(crate) flags: Vec<Flag>,
    pub(crate) origins: Vec<Origin>,
    pub(crate) details: Vec<Detail>,
    pub(crate) guards: [BTreeMap<FlagId, Guard<'static>>; GUARDS],
    pub(crate) targets: Vec<Target>,
    pub(crate) interned: InternedTargets,
    pub(crate) rules: Vec<Rule>,
    pub(crate) rule_index: RuleIndex,
    pub(crate) nodes: Vec<Node>,
    pub(crate) comparisons: Vec<Comparison>,
    pub(crate) percentages: Vec<Percentage>,
    /// Empty in a build without rules, which has no conditions.
    pub(crate) windows: [Vec<Window>; if RULES { 1 } else { 0 }],
    pub(crate) segments: Vec<Segment>,
    pub(crate) prerequisites: Vec<Prerequisite>,
    pub(crate) schedule: Vec<(Time, Share)>,
    pub(crate) variants: Vec<Variant>,
    pub(crate) portions: Vec<Portion<VariantId>>,
    pub(crate) off_values: Vec<Value<'static>>,
    pub(crate) substrings: Vec<Substrings>,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) networks: Vec<IpNet>,
    pub(crate) versions: Vec<KnownVersion>,
    /// Strings that are compared one by one.
    pub(crate) operands: Vec<Text>,
    pub(crate) lists: Lists,
    pub(crate) texts: Texts,
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) u32);
    )*};
}

/// The index of a flag in its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlagId(pub(crate) u32);

id! {
    /// The index of a segment in its set.
    SegmentId
    /// The index of a variant in its set.
    VariantId
}

/// A run of entries of one arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Span {
    pub(crate) fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The entries, from the arena that the span was made for.
    #[inline]
    pub(crate) fn of<T>(self, arena: &[T]) -> &[T] {
        arena.get(self.start as usize..self.start as usize + self.len as usize).unwrap_or_default()
    }
}

/// The part of a flag that every resolution reads: one cache line.
#[derive(Clone, Debug)]
#[cfg_attr(not(target_family = "wasm"), repr(align(64)))]
pub struct Flag {
    pub(crate) key: Text,
    pub(crate) bucketer: Bucketer,
    pub(crate) unit: Unit,
    /// The share of `rollout_percentage`.
    pub(crate) share: Share,
    /// The targets of plan, region and role as bitmaps.
    pub(crate) audience: Audience,
    pub(crate) targets: Span,
    /// The index of its [`Detail`]; most flags have none.
    pub(crate) detail: u32,
    pub(crate) state: State,
    /// The unit of a plain flag. A plain flag has only an audience and a rollout by a fixed field.
    pub(crate) plain: Option<Field>,
    /// Whether its answer, or that of a prerequisite, can depend on the time.
    pub(crate) timed: bool,
}

#[cfg(not(target_family = "wasm"))]
const _: () = assert!(size_of::<Flag>() == 64, "a flag is one line of the cache");

impl Flag {
    pub(crate) const NO_DETAIL: u32 = u32::MAX;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Evaluated step by step.
    Open,
    /// Evaluated without the flag's own rollout (7.10).
    Completed,
    /// Off for everyone (7.3 and 8.7).
    Disabled,
    /// Set aside without a definition, or withheld (7.2).
    Broken,
}

/// The value of the context that is bucketed: a fixed field or an attribute by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Field(Field),
    Attribute(Text),
}

/// One non-empty target list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(crate) field: Field,
    pub(crate) list: List,
    /// Whether the flag's audience covers it.
    pub(crate) covered: bool,
}

/// The part that only some flags have.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    pub(crate) start: Option<Time>,
    pub(crate) end: Option<Time>,
    pub(crate) prerequisites: Span,
    pub(crate) overrides: Overrides,
    pub(crate) schedule: Span,
    pub(crate) rules: Span,
    /// Its part of the index of rules; empty if all of its rules are evaluated.
    pub(crate) index: Span,
    pub(crate) variants: Span,
    pub(crate) weights: Span,
    /// For each choice of a variant (6.5).
    pub(crate) variant_bucketer: Bucketer,
    /// The index of its `off_value`, if it has one.
    pub(crate) off_value: Option<u32>,
    pub(crate) salt: Option<Text>,
    /// The number of parts of conditions that its answer may evaluate, those of its prerequisites included (7.19).
    pub(crate) parts: u32,
}

impl Detail {
    /// The detail of a flag that has only targets and a rollout.
    pub(crate) const NONE: Detail = Detail {
        start: None,
        end: None,
        prerequisites: Span { start: 0, len: 0 },
        overrides: Overrides { off_users: None, off_companies: None, on_users: None, on_companies: None },
        schedule: Span { start: 0, len: 0 },
        rules: Span { start: 0, len: 0 },
        index: Span { start: 0, len: 0 },
        variants: Span { start: 0, len: 0 },
        weights: Span { start: 0, len: 0 },
        variant_bucketer: Bucketer::Recipe1 { salt_hash: 0 },
        off_value: None,
        salt: None,
        parts: 0,
    };
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) off_users: Option<List>,
    pub(crate) off_companies: Option<List>,
    pub(crate) on_users: Option<List>,
    pub(crate) on_companies: Option<List>,
}

impl Overrides {
    pub(crate) fn is_empty(&self) -> bool {
        [self.off_users, self.off_companies, self.on_users, self.on_companies].iter().all(Option::is_none)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) key: Text,
    /// The index of the root of its condition.
    pub(crate) when: u32,
    pub(crate) share: Share,
    pub(crate) bucketer: Bucketer,
    pub(crate) unit: Unit,
    /// Whether `unit` is the rule's own, not the flag's.
    pub(crate) own_unit: bool,
    pub(crate) serve: Serve,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Serve {
    /// A choice by the flag's weights.
    Flag,
    Variant(VariantId),
    Split(Span),
}

#[derive(Clone, Debug)]
pub(crate) struct Prerequisite {
    pub(crate) key: Text,
    /// `None` for a flag that this set does not have: the prerequisite is never met (7.6).
    pub(crate) flag: Option<FlagId>,
    pub(crate) wanted: Wanted,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    On(bool),
    /// Keys of variants, among the operands.
    Variants(Span),
}

#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) key: Text,
    pub(crate) value: Value<'static>,
}

#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) key: Text,
    pub(crate) when: u32,
    pub(crate) extent: (u32, u64),
    /// The fingerprint of its condition alone.
    pub(crate) own_fingerprint: u64,
    /// The fingerprint of its condition and the segments in it.
    pub(crate) fingerprint: u64,
}

/// The origin of a flag: what publishing needs to know and resolving does not.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) enabled: bool,
    pub(crate) status: Status,
    pub(crate) client: bool,
    pub(crate) fate: Fate,
    /// The fingerprint of the definition alone.
    pub(crate) own_fingerprint: u64,
    /// The fingerprint of everything that its answers depend on (9.4).
    pub(crate) fingerprint: u64,
}

/// Whether a flag is as its snapshot defines it. A withheld flag serves its row's off value; `kept_off` is the off
/// value of its kept definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Sound,
    SetAside { why: Why, kept: Option<Kept>, kept_off: Option<u32> },
}

/// A definition that is kept from an earlier set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    pub(crate) revision: Option<u64>,
    pub(crate) publishes: u64,
}

impl Kept {
    /// The revision of the snapshot that the definition comes from, if it has one.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.revision
    }

    /// Number of publishes for which it has been kept, this one included.
    #[must_use]
    pub fn publishes(&self) -> u64 {
        self.publishes
    }
}

impl FlagSet {
    /// An empty set. Not inlined: a call is less code than its many arenas.
    #[inline(never)]
    pub(crate) fn empty() -> Self {
        FlagSet::default()
    }

    /// The revision of the snapshot, if the store gave one; bare rows have none.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.revision
    }

    /// When the store made the snapshot, if it has that time.
    #[must_use]
    pub fn generated_at(&self) -> Option<Time> {
        self.generated_at
    }

    /// Number of flags, those that are set aside included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flags.len()
    }

    /// Whether there is no flag at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flags.is_empty()
    }

    /// Whether it was made from a snapshot; `false` only for the empty set of a handle that has published nothing yet
    /// (7.17).
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.not_ready
    }

    /// Whether there is a flag of this key, set aside or not.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// The keys of all flags, in the order of the snapshot.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.flags.iter().map(|flag| self.texts.get(flag.key))
    }

    /// What was understood of the snapshot: its columns, how each was read, and notices.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The facts of a flag that is set aside.
    pub(crate) fn aside(&self, id: FlagId) -> Option<&Aside> {
        let at = self.set_aside.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.set_aside.get(at).map(|(_, aside)| aside)
    }

    /// All violations of the snapshot, in no particular order.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Size of the arenas in bytes, without served values and compiled expressions.
    #[must_use]
    pub fn arena_bytes(&self) -> usize {
        fn of<T>(arena: &Vec<T>) -> usize {
            arena.capacity() * size_of::<T>()
        }
        let flags = of(&self.flags) + of(&self.origins) + of(&self.details) + of(&self.targets) + of(&self.rules);
        let conditions = of(&self.nodes) + of(&self.comparisons) + of(&self.percentages) + of(&self.segments);
        let conditions = conditions + self.windows.iter().map(of).sum::<usize>();
        let others = of(&self.prerequisites) + of(&self.schedule) + of(&self.variants) + of(&self.portions);
        let operands = of(&self.off_values) + of(&self.networks) + of(&self.versions) + of(&self.operands);
        let indexes = self.keys.bytes() + self.rule_index.bytes() + self.interned.bytes();
        flags + conditions + others + operands + indexes + self.lists.bytes() + self.texts.bytes()
    }

    /// The index of a flag by its key.
    #[inline]
    pub(crate) fn find(&self, key: &str) -> Option<FlagId> {
        self.keys.find(self.keys.hash(key), |id| self.texts.is(self.flag(FlagId(id)).key, key)).map(FlagId)
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "a FlagId is made for the set that it is used with")]
    pub(crate) fn flag(&self, id: FlagId) -> &Flag {
        &self.flags[id.0 as usize]
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "a FlagId is made for the set that it is used with")]
    pub(crate) fn origin(&self, id: FlagId) -> &Origin {
        &self.origins[id.0 as usize]
    }

    #[inline]
    pub(crate) fn detail(&self, flag: &Flag) -> Option<&Detail> {
        self.details.get(flag.detail as usize)
    }

    /// These flags with their keys, sorted by key.
    pub(crate) fn by_key(&self, flags: Vec<FlagId>) -> Vec<(&str, FlagId)> {
        sorted(flags.into_iter().map(|id| (self.key(id), id)).collect())
    }

    #[inline]
    pub(crate) fn key(&self, id: FlagId) -> &str {
        self.texts.get(self.flag(id).key)
    }
}
