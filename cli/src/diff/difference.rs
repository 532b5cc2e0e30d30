//! All that is said of two sets of flags.

use esclusa::{Time, Value};
use esclusa_impact::{
    Callers, Change, Comparison, Document, FieldChange, FlagTally, Flips, NotExact, Region, changes, exactly, wilson,
};
use serde::Serialize;
use serde_json::Value as Json;

use super::counting::Counted;

/// What differs.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    pub(super) old: String,
    pub(super) new: String,
    pub(super) at: String,
    /// The flags that differ, by key.
    pub(super) flags: Vec<FlagDifference>,
    /// The segments that differ, by key.
    pub(super) segments: Vec<FieldDifference>,
    /// Flags of the new set that are broken, so that an app keeps what it has.
    pub(super) set_aside: Vec<SetAside>,
    pub(super) people: Option<PeopleCounted>,
    /// What is beyond the limits.
    pub(super) failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
pub(super) struct FlagDifference {
    pub(super) flag: String,
    pub(super) kind: &'static str,
    pub(super) fields: Vec<FieldDifference>,
    pub(super) through: Vec<String>,
    pub(super) reshuffles: Vec<&'static str>,
    /// Who flips, worked out without people.
    pub(super) exactly: Option<Vec<Part>>,
    /// Why that cannot be worked out.
    pub(super) not_exact: Option<String>,
    pub(super) people: Option<FlagPeople>,
}

#[derive(Debug, Serialize)]
pub(super) struct FieldDifference {
    pub(super) field: String,
    pub(super) old: Json,
    pub(super) new: Json,
}

/// Callers who all flip.
#[derive(Debug, Serialize)]
pub(super) struct Part {
    pub(super) direction: &'static str,
    /// From which bucket to below which.
    buckets: Option<(u32, u32)>,
    callers: Vec<Constraint>,
    pub(super) sentence: String,
}

#[derive(Debug, Serialize)]
struct Constraint {
    attribute: String,
    is: &'static str,
    values: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct SetAside {
    pub(super) flag: String,
    /// Whether an app keeps the definition of the old set.
    pub(super) keeps_old: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct PeopleCounted {
    pub(super) from: String,
    /// Number of people that were asked.
    pub(super) counted: u64,
    /// Number of people that there are.
    pub(super) all: u64,
    pub(super) broken: u64,
    /// For whom any flag flips.
    pub(super) flipped: u64,
    /// For whom any flag turns off.
    pub(super) turned_off: u64,
    /// Of a sample: the share of all that flips, from 0 to 1, with 95 %.
    pub(super) interval: Option<(f64, f64)>,
}

#[derive(Debug, Serialize)]
pub(super) struct FlagPeople {
    #[serde(flatten)]
    pub(super) flips: Count,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) groups: Vec<GroupCount>,
    pub(super) examples: Vec<Example>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Count {
    pub(super) on: u64,
    pub(super) off: u64,
    pub(super) variant: u64,
    pub(super) value: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct GroupCount {
    pub(super) attribute: String,
    pub(super) values: Vec<ValueCount>,
}

#[derive(Debug, Serialize)]
pub(super) struct ValueCount {
    /// Null for values beyond those that are counted apart.
    pub(super) value: Option<String>,
    #[serde(flatten)]
    pub(super) flips: Count,
}

#[derive(Debug, Serialize)]
pub(super) struct Example {
    pub(super) person: Json,
    pub(super) direction: &'static str,
    pub(super) before: String,
    pub(super) after: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Failure {
    pub(super) gate: &'static str,
    pub(super) flag: Option<String>,
    pub(super) problem: String,
}

impl Count {
    pub(super) fn total(self) -> u64 {
        self.on + self.off + self.variant + self.value
    }
}

impl From<Flips> for Count {
    fn from(flips: Flips) -> Self {
        Count { on: flips.on, off: flips.off, variant: flips.variant, value: flips.value }
    }
}

impl Difference {
    pub(super) fn of(
        [old_name, new_name]: [&str; 2],
        [old, new]: &[Document; 2],
        comparison: &Comparison,
        counted: Option<&Counted<'_>>,
        at: Time,
    ) -> Self {
        let mut flags: Vec<FlagDifference> =
            changes(old, new).iter().map(|change| FlagDifference::of(change, old, new, counted, at)).collect();
        // What differs by something else, such as the columns that a document ignores.
        for tally in counted.iter().flat_map(|counted| counted.census.flags()) {
            if tally.flips().total() > 0 && !flags.iter().any(|flag| flag.flag == tally.key()) {
                let change = Change {
                    key: tally.key().to_owned(),
                    kind: esclusa_impact::Kind::Changed,
                    fields: Vec::new(),
                    through: Vec::new(),
                    reshuffles: Vec::new(),
                };
                flags.push(FlagDifference::of(&change, old, new, counted, at));
            }
        }
        flags.sort_by(|one, other| one.flag.cmp(&other.flag));
        let kept = |one: &esclusa::SetAside| SetAside {
            flag: one.key().to_owned(),
            keeps_old: one.kept().is_some() && !one.is_withheld() && !one.is_killed(),
        };
        Difference {
            old: old_name.to_owned(),
            new: new_name.to_owned(),
            at: at.to_string(),
            flags,
            segments: segments(old, new),
            set_aside: comparison.report().set_aside().iter().map(kept).collect(),
            people: counted.map(PeopleCounted::of),
            failures: Vec::new(),
        }
    }
}

fn segments(old: &Document, new: &Document) -> Vec<FieldDifference> {
    let names: std::collections::BTreeSet<&String> = old.segments().keys().chain(new.segments().keys()).collect();
    let value = |document: &Document, name: &String| document.segments().get(name).map_or(Json::Null, json);
    let both = |name: &String| FieldDifference { field: name.clone(), old: value(old, name), new: value(new, name) };
    names.into_iter().map(both).filter(|segment| segment.old != segment.new).collect()
}

fn json(value: &Value<'_>) -> Json {
    serde_json::from_str(&value.to_json()).unwrap_or_default()
}

impl FlagDifference {
    fn of(change: &Change, old: &Document, new: &Document, counted: Option<&Counted<'_>>, at: Time) -> Self {
        let field = |field: &FieldChange| {
            let value = |side: &Option<Value<'_>>| side.as_ref().map_or(Json::Null, json);
            FieldDifference { field: field.field.clone(), old: value(&field.old), new: value(&field.new) }
        };
        // What a flag refers to is not part of its own definition.
        let exact = match change.through.is_empty() {
            true => exactly(&change.key, old, new, at).map_err(|why: NotExact| why.to_string()),
            false => Err(format!("it depends on {}", change.through.join(" and "))),
        };
        let (exactly, not_exact) = match exact {
            Ok(regions) => (Some(regions.iter().map(Part::of).collect()), None),
            Err(why) => (None, Some(why)),
        };
        let tally = counted.and_then(|counted| {
            let tally = counted.census.flags().iter().find(|tally| tally.key() == change.key);
            tally.map(|tally| FlagPeople::of(tally, counted))
        });
        FlagDifference {
            flag: change.key.clone(),
            kind: change.kind.name(),
            fields: change.fields.iter().map(field).collect(),
            through: change.through.clone(),
            reshuffles: change.reshuffles.clone(),
            exactly,
            not_exact,
            people: tally,
        }
    }
}

impl Part {
    fn of(region: &Region) -> Self {
        let constraint = |one: &esclusa_impact::Constraint| {
            let (is, values) = match &one.callers {
                Callers::OneOf(values) => ("one_of", values.clone()),
                Callers::NoneOf(values) => ("none_of", values.clone()),
                Callers::OthersThan(values) => ("other_than", values.clone()),
                Callers::Missing => ("missing", Vec::new()),
            };
            Constraint { attribute: one.attribute.clone(), is, values }
        };
        Part {
            direction: region.direction.name(),
            buckets: region.buckets,
            callers: region.callers.iter().map(constraint).collect(),
            sentence: region.to_string(),
        }
    }
}

impl PeopleCounted {
    fn of(counted: &Counted<'_>) -> Self {
        let census = &counted.census;
        PeopleCounted {
            from: counted.name.clone(),
            counted: census.people(),
            all: counted.tally.read,
            broken: counted.tally.broken,
            flipped: census.flipped(),
            turned_off: census.turned_off(),
            interval: counted.is_sample.then(|| wilson(census.flipped(), census.people())),
        }
    }
}

impl FlagPeople {
    fn of(tally: &FlagTally, counted: &Counted<'_>) -> Self {
        let group = |group: &esclusa_impact::Group| {
            let value =
                |(value, flips): (&str, Flips)| ValueCount { value: Some(value.to_owned()), flips: flips.into() };
            let others = ValueCount { value: None, flips: group.others().into() };
            let values = group.values().into_iter().map(value).chain([others]);
            GroupCount {
                attribute: group.attribute().to_owned(),
                values: values.filter(|one| one.flips.total() > 0).collect(),
            }
        };
        let example = |example: &esclusa_impact::Example| Example {
            person: serde_json::from_str(&example.person).unwrap_or_default(),
            direction: example.direction.name(),
            before: example.before.clone(),
            after: example.after.clone(),
        };
        FlagPeople {
            flips: tally.flips().into(),
            interval: counted.is_sample.then(|| wilson(tally.flips().total(), counted.census.people())),
            groups: tally.groups().iter().map(group).filter(|group| !group.values.is_empty()).collect(),
            examples: tally.examples().iter().map(example).collect(),
        }
    }
}

/// A share of people, as in `1.50 %`.
#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 people a share is exact enough")]
pub(super) fn percent(part: u64, all: u64) -> String {
    format!("{:.2} %", 100.0 * part as f64 / all.max(1) as f64)
}
