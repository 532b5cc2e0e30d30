//! Definitions: flags and segments whose rules have all been checked, before they are compiled.
//!
//! Every default is explicit, so that two spellings of one flag are one definition. A definition borrows from the
//! snapshot that it was read from, or from the flag set that keeps it, and refers to others by key alone. Section 2.2
//! of SEMANTICS.md defines the fields.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use ipnet::IpNet;

use crate::RULES;
use crate::bucket::Share;
use crate::condition::Window;
use crate::context::Field;
use crate::guarded::{GUARDS, Guard};
use crate::pattern::Expression;
use crate::time::Time;
use crate::value::Value;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    Draft,
    #[default]
    Active,
    Paused,
    Completed,
    RolledBack,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Draft => "draft",
            Status::Active => "active",
            Status::Paused => "paused",
            Status::Completed => "completed",
            Status::RolledBack => "rolled_back",
        }
    }

    /// Whether a flag of this status is off for everyone (7.3).
    pub(crate) fn is_off(self) -> bool {
        matches!(self, Status::Draft | Status::Paused | Status::RolledBack)
    }
}

/// The target lists in the order in which they are checked: the cheapest and most selective ones first.
pub(crate) const TARGETS: [(Field, &str); 5] = [
    (Field::Plan, "target_plans"),
    (Field::Region, "target_regions"),
    (Field::Roles, "target_roles"),
    (Field::Company, "target_companies"),
    (Field::User, "target_users"),
];

/// One list for each of [`TARGETS`]; an empty one targets everyone.
pub(crate) type Targets<'a> = [Vec<Cow<'a, str>>; TARGETS.len()];

/// The default unit (2.2.13).
pub(crate) const USER: &str = "user";

#[derive(Debug, Hash)]
pub(crate) struct FlagDefinition<'a> {
    pub(crate) enabled: bool,
    pub(crate) status: Status,
    /// Everyone, if the snapshot has no share.
    pub(crate) rollout: Share,
    pub(crate) targets: Targets<'a>,
    pub(crate) start: Option<Time>,
    pub(crate) end: Option<Time>,
    pub(crate) bucket_by: Cow<'a, str>,
    /// `None` for the key.
    pub(crate) salt: Option<Cow<'a, str>>,
    pub(crate) overrides: OverridesDefinition<'a>,
    pub(crate) variants: Vec<VariantDefinition<'a>>,
    /// `None` for `false` of a boolean flag.
    pub(crate) off_value: Option<Cow<'a, Value<'a>>>,
    pub(crate) rules: Vec<RuleDefinition<'a>>,
    pub(crate) prerequisites: Vec<PrerequisiteDefinition<'a>>,
    pub(crate) schedule: Vec<(Time, Share)>,
    pub(crate) client: bool,
    pub(crate) guard: [Option<Box<Guard<'a>>>; GUARDS],
}

impl Default for FlagDefinition<'_> {
    fn default() -> Self {
        FlagDefinition {
            enabled: false,
            status: Status::Active,
            rollout: Share::EVERYONE,
            targets: Default::default(),
            start: None,
            end: None,
            bucket_by: Cow::Borrowed(USER),
            salt: None,
            overrides: OverridesDefinition::default(),
            variants: Vec::new(),
            off_value: None,
            rules: Vec::new(),
            prerequisites: Vec::new(),
            schedule: Vec::new(),
            client: false,
            guard: Default::default(),
        }
    }
}

#[derive(Debug, Default, Hash)]
pub(crate) struct OverridesDefinition<'a> {
    pub(crate) on_users: Vec<Cow<'a, str>>,
    pub(crate) on_companies: Vec<Cow<'a, str>>,
    pub(crate) off_users: Vec<Cow<'a, str>>,
    pub(crate) off_companies: Vec<Cow<'a, str>>,
}

#[derive(Debug, Hash)]
pub(crate) struct VariantDefinition<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) value: Cow<'a, Value<'a>>,
    /// In thousandths of the author's number; in a kept definition, its number of buckets.
    pub(crate) weight: u64,
}

#[derive(Debug)]
pub(crate) struct RuleDefinition<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) when: ConditionDefinition<'a>,
    pub(crate) rollout: Share,
    pub(crate) bucket_by: Option<Cow<'a, str>>,
    pub(crate) serve: ServeDefinition<'a>,
}

// A build without rules has no rule to hash.
impl Hash for RuleDefinition<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if RULES {
            let RuleDefinition { key, when, rollout, bucket_by, serve } = self;
            (key, when, rollout, bucket_by, serve).hash(state);
        }
    }
}

impl Default for RuleDefinition<'_> {
    fn default() -> Self {
        RuleDefinition {
            key: Cow::Borrowed(""),
            when: ConditionDefinition::default(),
            rollout: Share::EVERYONE,
            bucket_by: None,
            serve: ServeDefinition::Flag,
        }
    }
}

/// What a rule serves: the flag's own weights, one variant, or a split of its own.
#[derive(Debug, Hash)]
pub(crate) enum ServeDefinition<'a> {
    Flag,
    Variant(Cow<'a, str>),
    Split(Vec<(Cow<'a, str>, u64)>),
}

#[derive(Debug)]
pub(crate) struct PrerequisiteDefinition<'a> {
    pub(crate) flag: Cow<'a, str>,
    pub(crate) wanted: WantedDefinition<'a>,
}

impl Hash for PrerequisiteDefinition<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if RULES {
            (&self.flag, &self.wanted).hash(state);
        }
    }
}

#[derive(Debug, Hash)]
pub(crate) enum WantedDefinition<'a> {
    On(bool),
    Variants(Vec<Cow<'a, str>>),
}

#[derive(Debug)]
pub(crate) struct SegmentDefinition<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) when: ConditionDefinition<'a>,
}

impl Default for ConditionDefinition<'_> {
    /// An empty `any`, which is false.
    fn default() -> Self {
        ConditionDefinition::Any(Vec::new())
    }
}

#[derive(Debug, Hash)]
pub(crate) enum ConditionDefinition<'a> {
    All(Vec<ConditionDefinition<'a>>),
    Any(Vec<ConditionDefinition<'a>>),
    Not(Box<ConditionDefinition<'a>>),
    Segment(Cow<'a, str>),
    Percentage { of: Cow<'a, str>, salt: Cow<'a, str>, from: Share, to: Share },
    Now(Window),
    Comparison { attribute: Cow<'a, str>, operator: OperatorDefinition<'a> },
}

impl ConditionDefinition<'_> {
    /// Calls `visit` with the key and the depth of every segment that the condition names.
    pub(crate) fn segments(&self, depth: u32, visit: &mut impl FnMut(&str, u32)) {
        match self {
            ConditionDefinition::All(parts) | ConditionDefinition::Any(parts) => {
                parts.iter().for_each(|part| part.segments(depth + 1, visit));
            }
            ConditionDefinition::Not(part) => part.segments(depth + 1, visit),
            ConditionDefinition::Segment(key) => visit(key, depth),
            ConditionDefinition::Percentage { .. }
            | ConditionDefinition::Now(_)
            | ConditionDefinition::Comparison { .. } => {}
        }
    }

    /// Calls `visit` with every expression of the condition.
    pub(crate) fn expressions(&self, visit: &mut impl FnMut(&Expression)) {
        match self {
            ConditionDefinition::All(parts) | ConditionDefinition::Any(parts) => {
                parts.iter().for_each(|part| part.expressions(visit));
            }
            ConditionDefinition::Not(part) => part.expressions(visit),
            ConditionDefinition::Comparison { operator: OperatorDefinition::Matches(expression), .. } => {
                visit(expression);
            }
            _ => {}
        }
    }

    /// Its depth and its number of parts, counting the name of a segment as one.
    pub(crate) fn extent(&self) -> (u32, u64) {
        match self {
            ConditionDefinition::All(parts) | ConditionDefinition::Any(parts) => {
                let (depth, size) = parts
                    .iter()
                    .map(ConditionDefinition::extent)
                    .fold((0, 0), |(depth, size), part| (part.0.max(depth), part.1 + size));
                (depth + 1, size + 1)
            }
            ConditionDefinition::Not(part) => {
                let (depth, size) = part.extent();
                (depth + 1, size + 1)
            }
            _ => (1, 1),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TextTest {
    In,
    Contains,
    StartsWith,
    EndsWith,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    /// The name of the operator that compares numbers by this relation.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Relation::Equal => "eq",
            Relation::Less => "lt",
            Relation::LessOrEqual => "le",
            Relation::Greater => "gt",
            Relation::GreaterOrEqual => "ge",
        }
    }
}

#[derive(Debug)]
pub(crate) enum OperatorDefinition<'a> {
    Text { test: TextTest, values: Vec<Cow<'a, str>>, ignore_case: bool },
    Matches(Expression),
    Is(bool),
    Number { relation: Relation, value: f64 },
    Time { relation: Relation, value: Time },
    Version { relation: Relation, value: Cow<'a, str> },
    Network(Vec<IpNet>),
    Present,
}

impl Hash for OperatorDefinition<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            OperatorDefinition::Text { test, values, ignore_case } => (test, values, ignore_case).hash(state),
            OperatorDefinition::Matches(expression) => expression.as_str().hash(state),
            OperatorDefinition::Is(value) => value.hash(state),
            OperatorDefinition::Number { relation, value } => (relation, value.to_bits()).hash(state),
            OperatorDefinition::Time { relation, value } => (relation, value).hash(state),
            OperatorDefinition::Version { relation, value } => (relation, value).hash(state),
            OperatorDefinition::Network(networks) => networks.hash(state),
            OperatorDefinition::Present => {}
        }
    }
}
