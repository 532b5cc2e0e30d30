//! From a text to a set: what is refused, what is set aside, and what is kept (sections 2 and 8).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::checking::{self, Found, child};
use super::columns;
use super::document::{Document, document};
use super::graphs::{Graph, Parts, is_sound, on_a_cycle, too_long};
use super::json::Json;
use super::limits::{Kind, over_the_limit};
use super::narrowing::narrowed;
use super::operands::{self, fits, segments};
use super::rows::{Causes, Row, entry, is_killed, unread, written_out};
use super::{spelling, written};

pub(crate) struct Set {
    pub(crate) revision: Option<u64>,
    pub(crate) flags: Vec<Entry>,
    /// The segments of the snapshot that are not set aside.
    segments: Vec<(String, Json)>,
    /// Segments of earlier sets that this one lacks, for the definitions that are kept (8.5).
    brought: Vec<(String, Json)>,
    /// The names of all fields of all flags.
    columns: BTreeSet<String>,
    /// The fields that are defaults of the store, with their values (8.17).
    defaults: BTreeMap<String, Value>,
}

pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) raw: Json,
    /// What it serves when it is set aside and serves no kept definition (8.8).
    pub(crate) off_value: Json,
    pub(crate) fate: Fate,
    /// Whether several rows have its key and differ (8.2), or a field of 2.2 cannot be read (8.16).
    pub(crate) fixed: bool,
    pub(crate) causes: Causes,
    /// How many rows have its key.
    pub(crate) rows: usize,
}

#[derive(Clone)]
pub(crate) enum Fate {
    Good,
    SetAside { killed: bool, withheld: bool, kept: Option<Kept> },
}

#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) definition: Json,
    pub(crate) revision: Option<u64>,
    pub(crate) publishes: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Refused,
    Older,
    Published,
}

/// The places of violations, in no order.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) sure: Found,
    /// What a flag or segment names, or its extent, where something else is wrong with it too: 8.1 asks for a violation
    /// for each broken rule, 2.3.2 and 2.4.5 judge some rules only where no other is broken.
    pub(crate) beside: Found,
}

impl Places {
    pub(crate) fn is_empty(&self) -> bool {
        self.sure.is_empty()
    }

    /// Whether these are the places, with or without those beside.
    pub(crate) fn are<'p>(&self, others: impl Iterator<Item = &'p str>) -> bool {
        let mut sure: Vec<&str> = self.sure.iter().map(String::as_str).collect();
        let mut beside: Vec<&str> = self.beside.iter().map(String::as_str).collect();
        for place in others {
            let own = sure.iter().position(|own| *own == place).map(|at| sure.remove(at));
            if own.or_else(|| beside.iter().position(|own| *own == place).map(|at| beside.remove(at))).is_none() {
                return false;
            }
        }
        sure.is_empty()
    }
}

/// What a report says of a flag that was set aside: its key, whether it is killed, the revision and the publishes of its kept definition.
pub(crate) type SetAside = (String, bool, Option<(Option<u64>, u64)>);

pub(crate) struct Published {
    pub(crate) outcome: Outcome,
    pub(crate) places: Places,
    /// Sorted by key.
    pub(crate) set_aside: Vec<SetAside>,
    /// How many definitions were not kept because of prerequisites, and because of segments (8.6).
    pub(crate) not_kept: [u64; 2],
    /// What happened, each as a group and a name.
    pub(crate) notes: Vec<(&'static str, &'static str)>,
}

impl Set {
    /// Whether a segment was brought along by a definition that is kept.
    pub(crate) fn is_brought(&self, key: &str) -> bool {
        self.brought.iter().any(|(other, _)| other == key)
    }

    /// A segment's condition, of the set or brought along.
    pub(crate) fn segment(&self, key: &str) -> Option<&Json> {
        self.segments.iter().chain(&self.brought).find(|(other, _)| other == key).map(|(_, when)| when)
    }
}

pub(crate) fn publish(text: &[u8], before: Option<&Set>) -> (Published, Option<Set>) {
    let refused = |outcome| {
        (
            Published {
                outcome,
                places: Places::default(),
                set_aside: Vec::new(),
                not_kept: [0, 0],
                notes: Vec::new(),
            },
            None,
        )
    };
    let Some(Document { revision, flags, segments, root, ignored }) = document(text) else {
        return refused(Outcome::Refused);
    };
    let mut places = Places::default();
    let over = over_the_limit(&segments, &flags, &ignored);
    let segments = sound_segments(&segments, &over, &mut places);
    let columns = flags.iter().flat_map(Json::fields).map(|(name, _)| name.clone()).collect();
    let mut set =
        Set { revision, flags: Vec::new(), segments, brought: Vec::new(), columns, defaults: BTreeMap::new() };
    let rows = judge(&flags, (root, &ignored), &over, &mut set, &mut places);
    let mut notes = Vec::new();
    for entry in set.flags.iter().filter(|entry| entry.rows > 1) {
        notes.push(("twins", if entry.raw == Json::Null { "differ" } else { "are equal" }));
    }
    if let (Some(new), Some(old)) = (revision, before.and_then(|before| before.revision))
        && new < old
    {
        return refused(Outcome::Older);
    }
    if let Some(before) = before {
        set.defaults = defaults(&set, &rows, before);
        for entry in &mut set.flags {
            let is_default = |(name, values): (&String, &Vec<Value>)| {
                set.defaults.get(name).is_some_and(|value| values.iter().all(|own| own == value))
            };
            if let Fate::SetAside { withheld, .. } = &mut entry.fate {
                let still = entry.fixed || !entry.causes.iter().all(is_default);
                if *withheld && !still {
                    notes.push(("default of the store", "keeps serving"));
                }
                *withheld &= still;
            }
        }
    }
    let not_kept = before.map_or([0, 0], |before| keep(&mut set, before, &mut notes));
    let mut set_aside: Vec<SetAside> = Vec::new();
    for entry in &set.flags {
        if let Fate::SetAside { killed, kept, .. } = &entry.fate {
            let kept = kept.as_ref().map(|kept| (kept.revision, kept.publishes));
            set_aside.push((entry.key.clone(), *killed, kept));
        }
    }
    set_aside.sort();
    (Published { outcome: Outcome::Published, places, set_aside, not_kept, notes }, Some(set))
}

/// The fields that are defaults of the store (8.17).
fn defaults(set: &Set, rows: &[Causes], before: &Set) -> BTreeMap<String, Value> {
    let carried = before.defaults.iter().filter(|(name, _)| set.columns.contains(*name));
    let mut defaults: BTreeMap<String, Value> = carried.map(|(name, value)| (name.clone(), value.clone())).collect();
    for name in set.columns.difference(&before.columns) {
        let values: Option<Vec<&Vec<Value>>> = rows.iter().map(|row| row.get(name)).collect();
        let values: Vec<&Value> = values.into_iter().flatten().flatten().collect();
        if rows.len() > 1
            && let Some(first) = values.first()
            && values.iter().all(|value| value == first)
            && columns::may_be_default(name)
        {
            defaults.entry(name.clone()).or_insert_with(|| (*first).clone());
        }
    }
    defaults
}

/// The segments that break no rule (2.3).
fn sound_segments(all: &[Json], over: &BTreeSet<(Kind, usize)>, places: &mut Places) -> Vec<(String, Json)> {
    let mut taken = BTreeSet::new();
    let mut sound: Vec<(String, Json, String)> = Vec::new();
    let mut broken_too: Vec<(Json, String)> = Vec::new();
    for (at, written) in all.iter().enumerate() {
        let place = format!("/segments/{at}");
        let mut found = Found::new();
        let segment = &spelling::segment(written);
        checking::segment(segment, &place, &mut found);
        let key = checking::key(segment, "key");
        if key.is_some_and(|key| !taken.insert(key.to_owned())) {
            found.push(child(&place, "key"));
        }
        if over.contains(&(Kind::Segment, at)) {
            found.push(child(&place, "when"));
        }
        if let (Some(key), Some(when), true) = (key, segment.field("when"), found.is_empty()) {
            sound.push((key.to_owned(), when.clone(), child(&place, "when")));
        } else if let Some(when) = segment.field("when") {
            broken_too.push((when.clone(), child(&place, "when")));
        }
        places.sure.extend(found.iter().map(|found| spelling::place(found, &place, written)));
    }
    loop {
        let keys: BTreeSet<String> = sound.iter().map(|(key, ..)| key.clone()).collect();
        let mut broken: BTreeSet<String> = BTreeSet::new();
        for (key, when, place) in &sound {
            for (named, place) in segments(when, place) {
                if !keys.contains(&named) {
                    places.sure.push(place);
                    broken.insert(key.clone());
                }
            }
        }
        if broken.is_empty() {
            let named: Vec<(&str, Vec<(String, String)>)> =
                sound.iter().map(|(key, when, _)| (key.as_str(), segments(when, ""))).collect();
            let graph: Graph<'_> = named
                .iter()
                .map(|(key, named)| (*key, named.iter().map(|(named, _)| named.as_str()).collect()))
                .collect();
            broken.extend(on_a_cycle(&graph).into_iter().map(str::to_owned));
        }
        if broken.is_empty() {
            let large = |when| !fits(when, &|key| find(&sound, key));
            // A segment that is too large because of one in it names a segment that is set aside.
            let inner = |when| segments(when, "").iter().any(|(key, _)| find(&sound, key).is_some_and(large));
            broken.extend(sound.iter().filter(|(_, when, _)| large(when) && !inner(when)).map(|(key, ..)| key.clone()));
        }
        if broken.is_empty() {
            for (when, place) in broken_too {
                let named = segments(&when, &place).into_iter().filter(|(key, _)| find(&sound, key).is_none());
                places.beside.extend(named.map(|(_, place)| place));
                if !fits(&when, &|key| find(&sound, key)) {
                    places.beside.push(place);
                }
            }
            return sound.into_iter().map(|(key, when, _)| (key, when)).collect();
        }
        let (gone, left): (Vec<_>, Vec<_>) = sound.into_iter().partition(|(key, ..)| broken.contains(key));
        broken_too.extend(gone.iter().map(|(_, when, place)| (when.clone(), place.clone())));
        if gone.iter().all(|(_, when, place)| segments(when, place).iter().all(|(named, _)| keys.contains(named))) {
            places.sure.extend(gone.into_iter().map(|(_, _, place)| place));
        }
        sound = left;
    }
}

/// What is wrong with what a flag names, itself included, and with the extent that its conditions have by it (2.3.3, 2.3.4, 2.4.1).
fn names(flag: &Json, place: &str, keys: &BTreeSet<&str>, set: &Set) -> Found {
    let (mut found, own) = (Found::new(), flag.string(checking::key_field(flag)));
    for (at, rule) in flag.elements("rules").iter().enumerate() {
        let place = format!("{place}/rules/{at}/when");
        let Some(when) = rule.field("when") else { continue };
        let named = segments(when, &place);
        let missing: Vec<_> = named.into_iter().filter(|(key, _)| set.segment(key).is_none()).collect();
        if missing.is_empty() && !fits(when, &|key| set.segment(key)) {
            found.push(place);
        }
        found.extend(missing.into_iter().map(|(_, place)| place));
    }
    if found.is_empty() && own_parts(flag, set) > 1_000_000 {
        found.push(child(place, "rules"));
    }
    for (at, prerequisite) in flag.elements("prerequisites").iter().enumerate() {
        if prerequisite.string("flag").is_some_and(|key| !keys.contains(key) || own == Some(key)) {
            found.push(format!("{place}/prerequisites/{at}/flag"));
        }
    }
    found
}

fn find<'s>(segments: &'s [(String, Json, String)], key: &str) -> Option<&'s Json> {
    segments.iter().find(|(other, ..)| other == key).map(|(_, when, _)| when)
}

/// Puts every flag with a usable key into the set, good or set aside; gives what restricts in each row.
fn judge(
    flags: &[Json],
    (root, ignored): (&str, &[String]),
    over: &BTreeSet<(Kind, usize)>,
    set: &mut Set,
    places: &mut Places,
) -> Vec<Causes> {
    let (written, flags): (&[Json], Vec<Json>) = (flags, flags.iter().map(spelling::flag).collect());
    let keys: BTreeSet<&str> = flags.iter().filter_map(|flag| checking::key(flag, checking::key_field(flag))).collect();
    let mut rows: Vec<(&str, Vec<Row>)> = Vec::new();
    let (mut at_places, mut all_causes) = (Vec::new(), Vec::new());
    for (at, flag) in flags.iter().enumerate() {
        let place = format!("{root}/{at}");
        let mut found = Found::new();
        checking::flag(flag, &place, ignored, &mut found);
        if over.contains(&(Kind::Flag, at)) {
            found.push(child(&place, "rules"));
        }
        let mut named = names(flag, &place, &keys, set);
        let sound = found.is_empty() && named.is_empty();
        if found.is_empty() {
            found.append(&mut named);
        } else {
            places.beside.append(&mut named);
        }
        let (causes, gate_is_off) = unread(flag, ignored);
        all_causes.push(causes.clone());
        if let Some(key) = checking::key(flag, checking::key_field(flag)) {
            // A gate that is off switches off whatever `enabled` says (2.2.28).
            let raw = checking::guarded(flag);
            let raw = if gate_is_off { raw.with("enabled", Json::Bool(false)) } else { raw };
            let unreadable = !checking::unreadable(flag).is_empty();
            let row = Row { raw, sound, killed: gate_is_off || is_killed(flag), unreadable, causes };
            if let Some((_, rows)) = rows.iter_mut().find(|(other, _)| *other == key) {
                found.push(child(&place, checking::key_field(flag)));
                rows.push(row);
            } else {
                rows.push((key, vec![row]));
                at_places.push(child(&place, "prerequisites"));
            }
        }
        places.sure.extend(found.iter().map(|found| spelling::place(found, &place, &written[at])));
    }
    set.flags = rows.into_iter().map(|(key, rows)| entry(key, &rows)).collect();
    for of_cycles in [true, false] {
        let graph = graph(set);
        let broken = if of_cycles { on_a_cycle(&graph) } else { too_long(&graph, &parts(set)) };
        let broken: BTreeSet<String> = broken.into_iter().map(str::to_owned).collect();
        for (entry, place) in set.flags.iter_mut().zip(&at_places) {
            if broken.contains(&entry.key) {
                entry.fate = Fate::SetAside { killed: is_killed(&entry.raw), withheld: false, kept: None };
                places.sure.push(place.clone());
            }
        }
    }
    all_causes
}

/// The prerequisites of every definition in the set, those whose flag it lacks left out (8.5).
fn graph(set: &Set) -> Graph<'_> {
    let definition = |entry: &'_ Entry| match &entry.fate {
        Fate::Good => true,
        Fate::SetAside { kept, .. } => kept.is_some(),
    };
    let mut graph = Graph::new();
    for entry in set.flags.iter().filter(|entry| definition(entry)) {
        let json = match &entry.fate {
            Fate::SetAside { kept: Some(kept), .. } => &kept.definition,
            _ => &entry.raw,
        };
        let named = json.elements("prerequisites").iter().filter_map(|prerequisite| prerequisite.string("flag"));
        graph.insert(&entry.key, named.filter(|key| set.flags.iter().any(|entry| entry.key == *key)).collect());
    }
    graph
}

/// The parts of the conditions of every definition in the set (2.4.6).
fn parts(set: &Set) -> Parts<'_> {
    let of = |entry: &Entry| match &entry.fate {
        Fate::Good => own_parts(&entry.raw, set),
        Fate::SetAside { kept: Some(kept), .. } => own_parts(&kept.definition, set),
        Fate::SetAside { kept: None, .. } => 0,
    };
    set.flags.iter().map(|entry| (entry.key.as_str(), of(entry))).collect()
}

/// The parts of the conditions of a flag's rules.
fn own_parts(flag: &Json, set: &Set) -> u64 {
    let conditions = flag.elements("rules").iter().filter_map(|rule| rule.field("when"));
    conditions.filter_map(|when| operands::parts(when, &|key| set.segment(key))).sum()
}

/// 8.4 to 8.6; answers how many definitions were not kept because of prerequisites, and because of segments.
fn keep(set: &mut Set, before: &Set, notes: &mut Vec<(&'static str, &'static str)>) -> [u64; 2] {
    let lacks = |(key, _): &&(String, Json)| set.segment(key).is_none();
    set.brought = before.segments.iter().chain(&before.brought).filter(lacks).cloned().collect();
    let mut not_kept = [0, 0];
    for at in 0..set.flags.len() {
        let Fate::SetAside { killed, withheld, .. } = set.flags[at].fate else { continue };
        let Some(old) = before.flags.iter().find(|old| old.key == set.flags[at].key) else { continue };
        let kept = match &old.fate {
            Fate::Good => Kept { definition: old.raw.clone(), revision: before.revision, publishes: 1 },
            Fate::SetAside { kept: Some(kept), .. } => Kept { publishes: kept.publishes + 1, ..kept.clone() },
            Fate::SetAside { kept: None, .. } => continue,
        };
        let kept = match &set.flags[at].raw {
            // Of several rows none narrows.
            Json::Null => kept,
            row => {
                let definition = narrowed(&kept.definition, row);
                let share = |of: &Json| of.field("rollout_percentage").and_then(written::share).unwrap_or(100_000);
                if written_out(&definition, "") != written_out(&kept.definition, "") {
                    notes.push(("narrowing", "changes"));
                }
                if share(&definition) == 0 && share(&kept.definition) > 0 && share(row) > 0 {
                    notes.push(("narrowing", "leaves nobody"));
                }
                Kept { definition, ..kept }
            }
        };
        let rules = kept.definition.elements("rules");
        if !rules.iter().filter_map(|rule| rule.field("when")).all(|when| fits(when, &|key| set.segment(key))) {
            not_kept[1] += 1;
            continue;
        }
        set.flags[at].fate = Fate::SetAside { killed, withheld, kept: Some(kept) };
        if !is_sound(&graph(set), &parts(set)) {
            not_kept[0] += 1;
            set.flags[at].fate = Fate::SetAside { killed, withheld, kept: None };
        }
    }
    not_kept
}
