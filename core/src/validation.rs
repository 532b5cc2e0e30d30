//! Validation: reads every flag and segment of a snapshot into a definition and reports every violation, in one
//! pass over the values and one over what refers to what (sections 2 and 8 of SEMANTICS.md).

mod conditions;
mod expressions;
mod references;
mod rules;
mod survey;

pub(crate) use references::{extent, within};
pub(crate) use survey::{Growing, Survey};

use std::borrow::Cow;

use crate::RULES;
use crate::bucket::Share;
use crate::definition::{
    FlagDefinition, OverridesDefinition, PrerequisiteDefinition, SegmentDefinition, Status, Targets, USER,
    WantedDefinition,
};
use crate::error::{Violation, found};
use crate::index::Index;
use crate::limit::{MAX_KEY_BYTES, MAX_LIST_ENTRIES};
use crate::reading::{Keys, Place, Reading, Unknown};
use crate::snapshot::Part;
use crate::switching;
use crate::time::Time;
use crate::value::Value;

/// What is known of a snapshot once all of it has been read: what is still to be compiled, and what is wrong.
#[derive(Debug)]
pub(crate) struct Checked<'v> {
    pub(crate) segments: Vec<SegmentDefinition<'v>>,
    /// Those that refer to segments or other flags, and so could not be judged before all were read.
    pub(crate) flags: Vec<Candidate<'v>>,
    /// The flags that were taken, as numbers in their order, by the hashes of their keys.
    pub(crate) keys: Index,
    pub(crate) violations: Vec<Violation>,
}

/// A flag.
#[derive(Debug)]
pub(crate) struct Candidate<'v> {
    /// Empty while checking, if the flag has no key that it can be resolved by.
    pub(crate) key: Cow<'v, str>,
    /// Not to be used unless the flag is sound.
    definition: FlagDefinition<'v>,
    /// Whether it breaks no rule; otherwise it is set aside.
    sound: bool,
    /// Whether it is off even if it is set aside (8.7).
    pub(crate) killed: bool,
    /// What it serves when it is set aside (8.8).
    pub(crate) off_value: Value<'v>,
    /// Parts of the conditions of its rules with their segments written out, as soon as segments are known.
    parts: u64,
    /// Where it stands in the snapshot's array.
    pub(crate) at: usize,
}

impl<'v> Candidate<'v> {
    /// The definition, unless the flag is set aside.
    pub(crate) fn definition(&self) -> Option<&FlagDefinition<'v>> {
        self.sound.then_some(&self.definition)
    }

    /// Whether it refers to segments or other flags: it is judged when all of them have been read.
    pub(crate) fn refers(&self) -> bool {
        RULES && !(self.definition.rules.is_empty() && self.definition.prerequisites.is_empty())
    }
}

const FLAG_FIELDS: [&str; 21] = [
    "key",
    "name",
    "enabled",
    "status",
    "rollout_percentage",
    "target_plans",
    "target_regions",
    "target_roles",
    "target_companies",
    "target_users",
    "start_date",
    "end_date",
    "bucket_by",
    "salt",
    "overrides",
    "variants",
    "off_value",
    "rules",
    "prerequisites",
    "schedule",
    "client",
];

/// The values of [`FLAG_FIELDS`].
type Fields<'r, 'v> = [Option<&'r Value<'v>>; FLAG_FIELDS.len()];

/// A snapshot on its way through validation: entries come in one by one, and [`finish`](Self::finish) checks what they
/// refer to.
#[derive(Default)]
pub(crate) struct Validation<'v> {
    segments: Vec<Segment<'v>>,
    segment_keys: Keys<'v>,
    /// Those that refer to segments or other flags, and so cannot be judged before all are read.
    flags: Vec<Candidate<'v>>,
    flag_keys: Keys<'v>,
    /// Flags and segments may come in any order, and are reported in one.
    of_segments: Reading,
    of_flags: Reading,
}

/// A segment.
struct Segment<'v> {
    /// Not to be used unless the segment is sound; its key is empty if it has none that it can be named by.
    definition: SegmentDefinition<'v>,
    sound: bool,
    /// Where it stands in the snapshot's array.
    at: usize,
}

const ROWS: &Place<'static> = &Place::Root;
const FLAGS: &Place<'static> = &Place::Field(&Place::Root, "flags");
const SEGMENTS: &Place<'static> = &Place::Field(&Place::Root, "segments");

impl<'v> Validation<'v> {
    /// Reads the next entry of a part. A flag that has a key is shown to `take`, and is then gone unless it
    /// [refers](Candidate::refers) to others, because a definition is much larger than what is compiled from it.
    pub(crate) fn entry(&mut self, part: Part, at: usize, value: &Value<'v>, take: impl FnOnce(&Candidate<'v>)) {
        match part {
            Part::Flags => self.flag(FLAGS, at, value, take),
            Part::Rows => self.flag(ROWS, at, value, take),
            Part::Segments => self.segment(at, value),
        }
    }

    fn segment(&mut self, at: usize, value: &Value<'v>) {
        if !RULES {
            return;
        }
        let reading = &mut self.of_segments;
        let place = SEGMENTS.entry(at);
        reading.begin_entry();
        let Some([key, when]) = reading.fields(&place, value, ["key", "when"], Unknown::Ignored) else { return };
        let key = unique_key(reading, &place.field("key"), key, (&mut self.segment_keys, SEGMENTS, at));
        let when = match given(when) {
            Some(when) => conditions::condition(reading, &place.field("when"), when),
            None => reading.missing(&place.field("when"), "a condition").unwrap_or_default(),
        };
        let sound = reading.end_entry(&place);
        let definition = SegmentDefinition { key: key.unwrap_or_default(), when };
        self.segments.push(Segment { definition, sound, at });
    }

    fn flag(&mut self, list: &Place<'_>, at: usize, value: &Value<'v>, take: impl FnOnce(&Candidate<'v>)) {
        let reading = &mut self.of_flags;
        let place = list.entry(at);
        reading.begin_entry();
        let Some(fields) = reading.fields(&place, value, FLAG_FIELDS, Unknown::Columns) else { return };
        let [key, name, .., variants, off_value, _, _, _, _] = fields;
        let keys = (&mut self.flag_keys, list, at);
        // With a `key` the name is a label (2.2.2).
        let (named, key) = if given(key).is_some() { ("key", key) } else { ("name", name) };
        let key = unique_key(reading, &place.field(named), key, keys).unwrap_or_default();
        let definition = flag(reading, &place.object(value), &key, fields);
        let off_value = match (given(off_value), given(variants)) {
            (Some(value), _) => value.last_of_each(),
            (None, Some(_)) => Value::Null,
            (None, None) => Value::Bool(false),
        };
        let sound = reading.end_entry(&place);
        let killed = if RULES && sound { !definition.enabled || definition.status.is_off() } else { killed(value) };
        let flag = Candidate { key, definition, sound, killed, off_value, parts: 0, at };
        if !flag.key.is_empty() {
            take(&flag);
        }
        if RULES && flag.refers() {
            self.flags.push(flag);
        }
    }

    /// Checks what refers to what; `bare` if the flags are bare rows.
    pub(crate) fn finish(self, bare: bool) -> Checked<'v> {
        let Validation { mut segments, mut flags, flag_keys: keys, of_segments, of_flags, .. } = self;
        let mut reading = of_segments;
        reading.violations.extend(of_flags.violations);
        let segments = if RULES {
            let flags_place = if bare { ROWS } else { FLAGS };
            expressions::limit(&mut reading, (SEGMENTS, &mut segments), (flags_place, &mut flags));
            let (segments, extents) = references::segments(&mut reading, SEGMENTS, segments);
            references::flags(&mut reading, flags_place, &extents, &keys, &mut flags);
            segments
        } else {
            Vec::new()
        };
        Checked { segments, flags, keys: keys.into_index(), violations: reading.violations }
    }
}

/// Whether a flag reads as switched off, in any occurrence of its fields and whatever else is wrong (8.7).
fn killed(flag: &Value<'_>) -> bool {
    let Value::Object(fields) = flag else { return false };
    let named = |wanted: &'static str| fields.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value);
    named("enabled").next().is_none()
        || named("enabled").any(|value| value.is_null() || switching::reads_as_off(value))
        || named("status").any(|value| switching::status(value).is_some_and(Status::is_off))
}

/// A field that stands there and is not null (2.2.1).
fn given<'r, 'v>(value: Option<&'r Value<'v>>) -> Option<&'r Value<'v>> {
    value.filter(|value| !value.is_null())
}

const LEFT_OUT: &str = "this build leaves rules and prerequisites out, expected a build with the feature `rules`";

/// The same for a list or an object that holds something; one that holds nothing may be of the other kind (2.2.33).
fn filled<'r, 'v>(value: Option<&'r Value<'v>>) -> Option<&'r Value<'v>> {
    given(value).filter(|value| match value {
        Value::List(entries) => !entries.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Text(text) => !text.trim_ascii().is_empty(),
        _ => true,
    })
}

/// The same for a field that needs the feature `rules`; without it, one that holds something is reported (8.10).
fn built<'r, 'v>(reading: &mut Reading, place: &Place<'_>, value: Option<&'r Value<'v>>) -> Option<&'r Value<'v>> {
    let value = filled(value)?;
    if !RULES {
        reading.say(place, Cow::Borrowed(LEFT_OUT));
    }
    RULES.then_some(value)
}

fn unique_key<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    value: Option<&Value<'v>>,
    (keys, list, at): (&mut Keys<'v>, &Place<'_>, usize),
) -> Option<Cow<'v, str>> {
    let Some(value) = given(value) else {
        return reading.missing(place, format_args!("a string of 1 to {MAX_KEY_BYTES} bytes"));
    };
    match value {
        Value::Text(key) if !key.is_empty() && key.len() <= MAX_KEY_BYTES => match keys.take(list, at, key.clone()) {
            Ok(()) => Some(key.clone()),
            Err(problem) => {
                reading.report(place, problem);
                None
            }
        },
        _ => {
            let wanted = format_args!("expected a string of 1 to {MAX_KEY_BYTES} bytes");
            reading.report(place, format_args!("{} is no key, {wanted}", found(value)));
            None
        }
    }
}

fn flag<'v>(reading: &mut Reading, place: &Place<'_>, key: &str, fields: Fields<'_, 'v>) -> FlagDefinition<'v> {
    let [
        _,
        _,
        enabled,
        status,
        rollout,
        plans,
        regions,
        roles,
        companies,
        users,
        start,
        end,
        bucket_by,
        salt,
        overrides,
        variants,
        off_value,
        rules,
        prerequisites,
        schedule,
        client,
    ] = fields;
    let at = |name: &'static str| place.field(name);
    // Put together at the end: assigned one by one, each field would first have to drop what it holds.
    let enabled = given(enabled).and_then(|value| reading.switch(&at("enabled"), value));
    let status = given(status).and_then(|value| self::status(reading, &at("status"), value));
    let rollout = match given(rollout) {
        Some(value) => reading.percentage(&at("rollout_percentage"), value).unwrap_or_default(),
        None => Share::EVERYONE,
    };
    let mut targets: Targets<'v> = Default::default();
    let lists = [plans, regions, roles, companies, users];
    for ((list, value), (_, name)) in targets.iter_mut().zip(lists).zip(crate::definition::TARGETS) {
        *list = filled(value).and_then(|value| reading.ids(&at(name), value)).unwrap_or_default();
    }
    let start = given(start).and_then(|value| reading.bound(&at("start_date"), value));
    let start = start.filter(|start| *start != Time::BEFORE_ALL);
    let end = given(end).and_then(|value| reading.bound(&at("end_date"), value));
    let end = end.filter(|end| *end != Time::AFTER_ALL);
    let bucket_by = match given(bucket_by) {
        Some(value) => reading.name(&at("bucket_by"), value).unwrap_or_default(),
        None => Cow::Borrowed(USER),
    };
    let salt = given(salt).and_then(|value| reading.text(&at("salt"), value));
    let salt = salt.filter(|salt| salt != key);
    let overrides = filled(overrides).and_then(|value| self::overrides(reading, &at("overrides"), value));
    let variants = match filled(variants) {
        Some(value) => rules::variants(reading, &at("variants"), value),
        None => Some(Vec::new()),
    };
    let rules = built(reading, &at("rules"), rules);
    let rules = rules.and_then(|value| rules::rules(reading, &at("rules"), value, variants.as_deref()));
    let variants = variants.unwrap_or_default();
    // Without an `off_value` a boolean flag serves false and one with variants null (2.2.17).
    let off_value = match given(off_value) {
        Some(value) => value.last_of_each(),
        None => {
            if variants.is_empty() {
                Value::Bool(false)
            } else {
                Value::Null
            }
        }
    };
    let prerequisites = built(reading, &at("prerequisites"), prerequisites);
    let prerequisites =
        prerequisites.and_then(|value| self::prerequisites(reading, &at("prerequisites"), value)).unwrap_or_default();
    let schedule = filled(schedule).and_then(|value| self::schedule(reading, &at("schedule"), value));
    let client = given(client).and_then(|value| reading.boolean(&at("client"), value));
    FlagDefinition {
        enabled: enabled.unwrap_or_default(),
        status: status.unwrap_or_default(),
        rollout,
        targets,
        start,
        end,
        bucket_by,
        salt,
        overrides: overrides.unwrap_or_default(),
        variants,
        off_value: Some(off_value).filter(|value| !matches!(value, Value::Bool(false))).map(Cow::Owned),
        rules: rules.unwrap_or_default(),
        prerequisites,
        schedule: schedule.unwrap_or_default(),
        client: client.unwrap_or_default(),
    }
}

fn status(reading: &mut Reading, place: &Place<'_>, value: &Value<'_>) -> Option<Status> {
    let status = switching::status(value);
    if status.is_none() {
        let problem = "is no status, expected draft, active, paused, completed or rolled_back";
        reading.report(place, format_args!("{} {problem}", found(value)));
    }
    status
}

fn overrides<'v>(reading: &mut Reading, place: &Place<'_>, value: &Value<'v>) -> Option<OverridesDefinition<'v>> {
    let [on, off] = reading.fields(place, value, ["on", "off"], Unknown::Refused)?;
    let mut side = |name: &'static str, value: Option<&Value<'v>>| -> Option<[Vec<Cow<'v, str>>; 2]> {
        let Some(value) = filled(value) else { return Some(Default::default()) };
        let place = place.field(name);
        let [users, companies] = reading.fields(&place, value, ["users", "companies"], Unknown::Refused)?;
        let mut texts = |name, value| match filled(value) {
            Some(value) => reading.ids(&place.field(name), value).unwrap_or_default(),
            None => Vec::new(),
        };
        Some([texts("users", users), texts("companies", companies)])
    };
    let (on, off) = (side("on", on), side("off", off));
    let ([on_users, on_companies], [off_users, off_companies]) = (on?, off?);
    Some(OverridesDefinition { on_users, on_companies, off_users, off_companies })
}

fn prerequisites<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    value: &Value<'v>,
) -> Option<Vec<PrerequisiteDefinition<'v>>> {
    let entries = reading.list(place, value, (MAX_LIST_ENTRIES, "prerequisites"))?.iter().enumerate();
    Some(entries.map(|(at, value)| prerequisite(reading, &place.entry(at), value)).collect())
}

/// A prerequisite. What is wrong in it is reported, and it keeps its place.
fn prerequisite<'v>(reading: &mut Reading, place: &Place<'_>, value: &Value<'v>) -> PrerequisiteDefinition<'v> {
    let mut prerequisite = PrerequisiteDefinition { flag: Cow::Borrowed(""), wanted: WantedDefinition::On(true) };
    let Some([flag, on, variants]) = reading.fields(place, value, ["flag", "on", "variants"], Unknown::Refused) else {
        return prerequisite;
    };
    let flag = match given(flag) {
        Some(flag) => reading.key(&place.field("flag"), flag),
        None => reading.missing(&place.field("flag"), "the key of another flag"),
    };
    prerequisite.flag = flag.unwrap_or_default();
    match (given(on), given(variants)) {
        (Some(_), Some(_)) => reading.report(place, "has both `on` and `variants`, expected one of them"),
        (None, None) => reading.report(place, "has neither `on` nor `variants`, expected one of them"),
        _ => {}
    }
    if let Some(on) = given(on) {
        prerequisite.wanted = WantedDefinition::On(reading.boolean(&place.field("on"), on).unwrap_or_default());
    }
    if let Some(variants) = given(variants) {
        let place = place.field("variants");
        prerequisite.wanted = WantedDefinition::Variants(reading.ids(&place, variants).unwrap_or_default());
        if variants.as_list().is_some_and(<[Value<'_>]>::is_empty) {
            reading.report(&place, "is empty, expected at least one variant");
        }
    }
    prerequisite
}

fn schedule(reading: &mut Reading, place: &Place<'_>, value: &Value<'_>) -> Option<Vec<(Time, Share)>> {
    let mut steps: Vec<(Time, Share)> = Vec::new();
    let mut before = None;
    for (index, value) in reading.list(place, value, (MAX_LIST_ENTRIES, "steps"))?.iter().enumerate() {
        let place = &place.entry(index);
        let place = place.object(value);
        let Some([at, rollout]) = reading.fields(&place, value, ["at", "rollout_percentage"], Unknown::Refused) else {
            before = None;
            continue;
        };
        let time = match given(at) {
            Some(at) => reading.time(&place.field("at"), at),
            None => reading.missing(&place.field("at"), "a time such as 2025-01-22T00:00:00Z"),
        };
        let share = match given(rollout) {
            Some(rollout) => reading.percentage(&place.field("rollout_percentage"), rollout),
            None => reading.missing(&place.field("rollout_percentage"), "a number from 0 to 100"),
        };
        if let (Some(time), Some(before)) = (time, before)
            && time <= before
        {
            reading.report(
                &place.field("at"),
                format_args!("{time} is not after the step before, {before}, expected steps that rise in time"),
            );
        }
        before = time;
        steps.extend(time.zip(share));
    }
    Some(steps)
}
