//! Validation: reads every flag and segment into a definition and reports every violation, in one pass over the values
//! and one over the references (sections 2 and 8 of SEMANTICS.md).

mod conditions;
mod expressions;
mod flags;
mod guards;
mod references;
mod rows;
mod rules;
mod survey;
mod twins;

use flags::flag;
pub(crate) use references::{extent, within};
use rows::{count, count_read, forget, repeated, restricts};
pub(crate) use survey::{Growing, Survey};
use twins::Twin;
pub(crate) use twins::Twins;

use std::borrow::Cow;

use crate::RULES;
use crate::aside::{Aside, Why};
use crate::code;
use crate::columns::{Cause, Columns, Strange};
use crate::definition::{FlagDefinition, SegmentDefinition, Status};
use crate::error::{Violation, found};
use crate::index::Index;
use crate::keys::Keys;
use crate::limit::MAX_KEY_BYTES;
use crate::narrowing::Narrowing;
use crate::reading::{Known, Place, Reading, Unknown};
use crate::snapshot::{self, Part};
use crate::switching;
use crate::understood::{Counts, Native, Reading as Understood};
use crate::value::Value;

/// The result for a snapshot that was read to the end: what is still to be compiled, and the violations.
#[derive(Debug)]
pub(crate) struct Checked<'v> {
    pub(crate) segments: Vec<SegmentDefinition<'v>>,
    /// Flags that refer to segments or other flags, and so could not be judged before all entries were read.
    pub(crate) flags: Vec<Candidate<'v>>,
    /// The indexes of flags by the hashes of their keys.
    pub(crate) keys: Index,
    /// The flags whose keys are in several rows that differ.
    pub(crate) twins: Vec<Twins>,
    pub(crate) violations: Vec<Violation>,
    pub(crate) reading: Understood,
    pub(crate) uniform: Vec<Cause>,
}

/// A flag.
#[derive(Debug)]
pub(crate) struct Candidate<'v> {
    /// Empty while checking, if the flag has no usable key.
    pub(crate) key: Cow<'v, str>,
    /// Unspecified unless the flag is sound.
    definition: FlagDefinition<'v>,
    /// Whether it breaks no rule; if it does, it is set aside.
    sound: bool,
    /// Whether its row says that it is off, which holds even if it is set aside (8.7).
    pub(crate) killed: bool,
    /// What it serves when it is set aside (8.8).
    pub(crate) off_value: Value<'v>,
    /// Parts of the conditions of its rules with their segments expanded, once segments are known.
    parts: u64,
    /// Its index in the snapshot's array.
    pub(crate) at: usize,
    /// The index of the flag that took its key before.
    twin: Option<u32>,
    /// The fields of 2.2 that restrict it and cannot be read (8.16).
    unreadable: Vec<&'static str>,
    /// The columns that restrict (2.2.27).
    causes: Vec<Cause>,
    has_schedule: bool,
}

impl<'v> Candidate<'v> {
    /// Why it is set aside, if it is.
    pub(crate) fn why(&self) -> Why {
        if self.killed {
            Why::Killed
        } else if self.unreadable.is_empty() && self.causes.is_empty() {
            Why::Broken
        } else {
            Why::Withheld
        }
    }

    /// Its facts if it is set aside.
    pub(crate) fn aside(&self) -> Aside {
        Aside {
            client: self.definition.client,
            twins: false,
            unreadable: self.unreadable.clone(),
            causes: self.causes.clone(),
            narrowing: Some(Box::new(Narrowing::of(&self.definition, self.has_schedule))),
        }
    }

    /// The definition, unless the flag is set aside.
    pub(crate) fn definition(&self) -> Option<&FlagDefinition<'v>> {
        self.sound.then_some(&self.definition)
    }

    /// Whether it refers to segments or other flags: it is judged when all of them have been read.
    pub(crate) fn refers(&self) -> bool {
        RULES && !(self.definition.rules.is_empty() && self.definition.prerequisites.is_empty())
    }
}

pub(crate) const FLAG_FIELDS: [&str; 23] = [
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
    "guard",
    "guard_state",
];

/// The values of [`FLAG_FIELDS`].
type Fields<'r, 'v> = [Option<&'r Value<'v>>; FLAG_FIELDS.len()];

/// A validation in progress: entries come in one by one, and [`finish`](Self::finish) checks their references.
#[derive(Default)]
pub(crate) struct Validation<'v> {
    segments: Vec<Segment<'v>>,
    segment_keys: Keys<'v>,
    /// Flags that refer to segments or other flags, and so cannot be judged before all entries are read.
    flags: Vec<Candidate<'v>>,
    flag_keys: Keys<'v>,
    /// Flags and segments come in any order; violations of segments are reported after those of flags.
    of_segments: Reading,
    of_flags: Reading,
    twins: Vec<Twin>,
    columns: Columns<'v>,
    natives: [Native<'v>; FLAG_FIELDS.len()],
    counts: Counts,
    /// The keys of the switches that met no flag (13.14).
    unknown_switches: Vec<String>,
}

/// A segment.
struct Segment<'v> {
    /// Unspecified unless the segment is sound; the key is empty if the segment has no usable one.
    definition: SegmentDefinition<'v>,
    sound: bool,
    /// Its index in the snapshot's array.
    at: usize,
}

const ROWS: &Place<'static> = &Place::Root;
const FLAGS: &Place<'static> = &Place::Field(&Place::Root, "flags");
const SEGMENTS: &Place<'static> = &Place::Field(&Place::Root, "segments");

impl<'v> Validation<'v> {
    /// Reads the next entry of a part. Calls `take` with a flag that has a key; only a flag that
    /// [refers](Candidate::refers) to others is kept after that, because a definition is much larger than the compiled
    /// flag.
    pub(crate) fn entry(&mut self, part: Part, at: usize, value: &Value<'v>, take: impl FnOnce(&Candidate<'v>)) {
        match part {
            Part::Flags => self.flag(FLAGS, at, value, take),
            Part::Rows => self.flag(ROWS, at, value, take),
            Part::Segments => self.segment(at, value),
            Part::Ignored => self.ignore(&snapshot::names(value).unwrap_or_default()),
            Part::UnknownSwitches => self.unknown_switches = snapshot::names(value).unwrap_or_default(),
        }
    }

    /// Ignores fields of flags by these names (2.1.10).
    pub(crate) fn ignore(&mut self, names: &[String]) {
        self.columns.ignore(names.iter().map(|name| Cow::Owned(name.clone())));
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
        let key = key.and_then(|(key, twin)| twin.is_none().then_some(key));
        let when = match given(when) {
            Some(when) => conditions::condition(reading, &place.field("when"), when),
            None => reading.missing(&place.field("when"), "a condition").unwrap_or_default(),
        };
        let sound = reading.end_entry(&place);
        let definition = SegmentDefinition { key: key.unwrap_or_default(), when };
        self.segments.push(Segment { definition, sound, at });
    }

    fn flag(&mut self, list: &Place<'_>, at: usize, value: &Value<'v>, take: impl FnOnce(&Candidate<'v>)) {
        let Validation { of_flags: reading, columns, natives, counts, .. } = self;
        let place = list.entry(at);
        reading.begin_entry();
        let before = reading.count();
        columns.begin_row();
        let mut strange = Strange::default();
        let mut look = |reading: &mut Reading, name: &Cow<'v, str>, value: &Value<'v>, known: Known| {
            if known == Known::Perhaps && !columns.expects(name) {
                return false;
            }
            if columns.look(name, value, &mut strange) {
                restricts(reading, &place, name);
            }
            true
        };
        let Some(fields) = reading.fields(&place, value, FLAG_FIELDS, Unknown::Columns(&mut look)) else { return };
        count(natives, counts, value, &fields);
        let mut unreadable = if reading.count() > before { repeated(value) } else { Vec::new() };
        let [key, name, .., variants, off_value, _, _, schedule, _, guard, state] = fields;
        let keys = (&mut self.flag_keys, list, at);
        // With a `key` the name is a label (2.2.2).
        let (named, key) = if given(key).is_some() { ("key", key) } else { ("name", name) };
        let (key, twin) = unique_key(reading, &place.field(named), key, keys).unwrap_or_default();
        let row = place.object(value);
        let mut definition = flag(reading, &row, &key, fields, &mut unreadable);
        let state = guards::state(reading, &row.field("guard_state"), state);
        if state.is_none() && !unreadable.contains(&"guard_state") {
            unreadable.push("guard_state");
        }
        let has_tripped = state.as_ref().is_some_and(guards::State::has_tripped);
        let cleared = state.as_ref().map_or(usize::MAX, |state| state.cleared);
        definition.schedule.truncate(cleared);
        definition.enabled &= !(strange.is_off || has_tripped);
        if RULES {
            definition.guard = guards::definition(reading, &row.field("guard"), guard, state);
        }
        if !unreadable.is_empty() {
            forget(&mut definition, &unreadable);
        }
        count_read(counts, &definition, &fields);
        let off_value = match (given(off_value), given(variants)) {
            (Some(value), _) => value.last_of_each(),
            (None, Some(_)) => Value::Null,
            (None, None) => Value::Bool(false),
        };
        // The taken key of a twin is not a violation of its definition.
        let sound = reading.count() - usize::from(twin.is_some()) == before;
        reading.end_entry(&place);
        let is_off = || strange.is_off || has_tripped || killed(value);
        let killed = if RULES && sound { !definition.enabled || definition.status.is_off() } else { is_off() };
        let has_schedule = cleared > 0 && filled(schedule).is_some();
        let Strange { causes, .. } = strange;
        let flag = Candidate {
            key,
            definition,
            sound,
            killed,
            off_value,
            parts: 0,
            at,
            twin,
            unreadable,
            causes,
            has_schedule,
        };
        if twin.is_some() {
            self.counts.twins += 1;
            if !flag.refers() {
                self.twins.extend(Twin::of(&flag));
                return;
            }
        } else if !flag.key.is_empty() {
            take(&flag);
        }
        if RULES && flag.refers() {
            self.flags.push(flag);
        }
    }

    /// Checks references; `bare` if the flags are bare rows. For a flag that was compiled when it was read, `compiled`
    /// gives the fingerprint by its index, unless it was set aside.
    pub(crate) fn finish(self, bare: bool, compiled: &dyn Fn(u32) -> Option<u64>) -> Checked<'v> {
        let Validation { mut segments, mut flags, flag_keys: keys, of_segments, of_flags, mut twins, .. } = self;
        let mut reading = of_segments;
        reading.violations.extend(of_flags.violations);
        let place = if bare { ROWS } else { FLAGS };
        let segments = if RULES {
            expressions::limit(&mut reading, (SEGMENTS, &mut segments), (place, &mut flags));
            let (segments, extents) = references::segments(&mut reading, SEGMENTS, segments);
            references::names(&mut reading, place, &extents, &keys, &mut flags);
            segments
        } else {
            Vec::new()
        };
        let (others, mut flags): (Vec<_>, Vec<_>) = flags.into_iter().partition(|flag| flag.twin.is_some());
        twins.extend(others.iter().filter_map(Twin::of));
        let twins = twins::that_differ(twins, &keys, &mut flags, compiled);
        if RULES {
            references::prerequisites(&mut reading, place, &keys, &mut flags);
        }
        let mut understood = Understood::of(&FLAG_FIELDS, &self.natives, &self.columns, &self.counts);
        understood.notice_switches(&self.unknown_switches);
        Checked {
            segments,
            flags,
            keys: keys.into_index(),
            twins,
            violations: reading.violations,
            reading: understood,
            uniform: self.columns.uniform(),
        }
    }
}

/// Whether the row says that the flag is off, in any occurrence of the fields and despite any violation (8.7).
fn killed(flag: &Value<'_>) -> bool {
    let Value::Object(fields) = flag else { return false };
    let named = |wanted: &'static str| fields.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value);
    named("enabled").next().is_none()
        || named("enabled").any(|value| value.is_null() || switching::reads_as_off(value))
        || named("status").any(|value| switching::status(value).is_some_and(Status::is_off))
}

/// The value of a field that is present and not null (2.2.1).
fn given<'r, 'v>(value: Option<&'r Value<'v>>) -> Option<&'r Value<'v>> {
    value.filter(|value| !value.is_null())
}

const LEFT_OUT: &str = "this build leaves rules and prerequisites out, expected a build with the feature `rules`";

/// The same for a list or an object with content; an empty one may be of the other kind (2.2.33).
fn filled<'r, 'v>(value: Option<&'r Value<'v>>) -> Option<&'r Value<'v>> {
    given(value).filter(|value| match value {
        Value::List(entries) => !entries.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Text(text) => !text.trim_ascii().is_empty(),
        _ => true,
    })
}

/// The same for a field that needs the feature `rules`; without that feature, content is reported (8.10).
fn built<'r, 'v>(reading: &mut Reading, place: &Place<'_>, value: Option<&'r Value<'v>>) -> Option<&'r Value<'v>> {
    let value = filled(value)?;
    if !RULES {
        reading.say(place, code::LEFT_OUT, Cow::Borrowed(LEFT_OUT));
    }
    RULES.then_some(value)
}

/// A key, and the index of the object that took it before.
fn unique_key<'v>(
    reading: &mut Reading,
    place: &Place<'_>,
    value: Option<&Value<'v>>,
    (keys, list, at): (&mut Keys<'v>, &Place<'_>, usize),
) -> Option<(Cow<'v, str>, Option<u32>)> {
    let Some(value) = given(value) else {
        return reading.missing(place, format_args!("a string of 1 to {MAX_KEY_BYTES} bytes"));
    };
    match value {
        Value::Text(key) if !key.is_empty() && key.len() <= MAX_KEY_BYTES => match keys.take(list, at, key.clone()) {
            Ok(()) => Some((key.clone(), None)),
            Err((first, problem)) => {
                reading.report(place, code::DUPLICATE_KEY, problem);
                Some((key.clone(), Some(first)))
            }
        },
        _ => {
            let wanted = format_args!("expected a string of 1 to {MAX_KEY_BYTES} bytes");
            reading.report(place, code::INVALID_KEY, format_args!("{} is no key, {wanted}", found(value)));
            None
        }
    }
}
