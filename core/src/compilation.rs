//! Compilation: definitions become a flag set. No other module knows both.
//!
//! It prepares what can be prepared: it hashes keys and lists, makes bucketers of salts and ranges of weights, links
//! segments and prerequisites, and lays conditions out flat.

mod aside;
mod building;
mod conditions;
mod finalize;
mod rule_index;
mod tables;
mod trips;

use std::borrow::Cow;

pub use building::Builder;
use tables::Tables;

use crate::RULES;
use crate::aside::Aside;
use crate::audience::Audience;
use crate::bucket::{Bucket, Bucketer};
use crate::definition::{
    FlagDefinition, OverridesDefinition, SegmentDefinition, ServeDefinition, TARGETS, Targets, WantedDefinition,
};
use crate::error::SnapshotError;
use crate::fingerprint::{Map, fingerprint, mix};
use crate::flag_set::{
    Detail, Fate, Flag, FlagId, FlagSet, Origin, Overrides, Prerequisite, Rule, Segment, SegmentId, Serve, Span, State,
    Target, Unit, Variant, VariantId, Wanted,
};
use crate::list::{self, List};
use crate::snapshot::Snapshot;
use crate::split::portions;
use crate::text::Text;
use crate::validation::{self, Candidate, Validation};
use crate::value::Value;

impl FlagSet {
    /// Compiles a snapshot: the document or bare rows, as JSON in UTF-8.
    ///
    /// A flag that breaks a rule is set aside; [`violations`](Self::violations) says where and why, and every other
    /// flag is compiled (section 8 of SEMANTICS.md).
    ///
    /// # Errors
    /// When the snapshot is refused whole: it is not JSON, too large, too deep, of another version, or of neither
    /// shape (sentence 2.1.7).
    ///
    /// # Example
    /// ```
    /// use esclusa::{Context, FlagSet, Time};
    /// let set = FlagSet::from_json(br#"[{"name": "crm", "enabled": true, "target_plans": ["PREMIUM"]}]"#)?;
    /// let context = Context::new("user-42").plan("PREMIUM");
    /// assert!(set.resolve("crm", &context, Time::from_millis(0)).is_enabled());
    /// # Ok::<(), esclusa::SnapshotError>(())
    /// ```
    pub fn from_json(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let (set, snapshot) = compile(bytes, &[])?;
        if snapshot.ignored_late && !snapshot.ignored.is_empty() {
            // `ignored` came after `flags`, and each flag was read without it: read again.
            return Ok(compile(bytes, &snapshot.ignored)?.0);
        }
        Ok(set)
    }

    /// The same in strict mode, for linting and CI: any violation refuses the snapshot.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json), and with all violations if there is any.
    pub fn from_json_strict(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let set = Self::from_json(bytes)?;
        if set.violations.is_empty() { Ok(set) } else { Err(SnapshotError::Violations(set.violations)) }
    }
}

/// Reads and compiles a snapshot that ignores these fields of flags (2.1.10), and those that it names itself.
fn compile(bytes: &[u8], ignored: &[String]) -> Result<(FlagSet, Snapshot), SnapshotError> {
    let mut compiler = Compiler::of(FlagSet::empty());
    let mut validation = Validation::default();
    validation.ignore(ignored);
    let snapshot = Snapshot::from_json(bytes, &mut |part, at, entry| {
        validation.entry(part, at, entry, |flag| compiler.take(flag));
    })?;
    let FlagSet { revision, generated_at, .. } = &mut compiler.set;
    (*revision, *generated_at) = (snapshot.revision, snapshot.generated_at);
    let set = compiler.link(validation, snapshot.bare);
    Ok((set, snapshot))
}

/// A flag set that is being built.
pub(crate) struct Compiler {
    pub(crate) set: FlagSet,
    tables: [Tables; TABLES],
}

/// A build without rules has no segments to look up. It stores equal parts repeatedly: a browser has few flags, and
/// finding equal parts would take more code than it saves.
const TABLES: usize = if RULES { 1 } else { 0 };

impl Compiler {
    fn of(set: FlagSet) -> Self {
        Compiler { set, tables: std::array::from_fn(|_| Tables::default()) }
    }

    fn tables(&mut self) -> Option<&mut Tables> {
        self.tables.first_mut()
    }

    fn known_segment(&self, key: &str) -> Option<SegmentId> {
        self.tables.first()?.segments.get(key).copied()
    }

    /// Reopens a finished set, to add kept definitions to it.
    pub(crate) fn reopen(set: FlagSet) -> Self {
        let mut compiler = Compiler::of(set);
        let Compiler { set: FlagSet { segments, texts, .. }, tables } = &mut compiler;
        for tables in tables {
            let keys = segments.iter().map(|segment| texts.get(segment.key).to_owned());
            tables.segments.extend(keys.zip((0..).map(SegmentId)));
        }
        compiler
    }

    /// Compiles a flag as it is read; a flag that refers to others only gets its index.
    fn take(&mut self, flag: &Candidate<'_>) {
        let id = self.claim(flag);
        if !flag.refers() {
            self.decide(id, flag);
        }
    }

    /// Compiles the flags that refer to others, and finishes the set.
    fn link(mut self, validation: Validation<'_>, bare: bool) -> FlagSet {
        let FlagSet { origins, .. } = &self.set;
        let compiled = |number: u32| {
            let origin = origins.get(number as usize)?;
            (origin.fate == Fate::Sound).then_some(origin.own_fingerprint)
        };
        let checked = validation.finish(bare, &compiled);
        (self.set.keys, self.set.reading, self.set.uniform) = (checked.keys, checked.reading, checked.uniform);
        self.set.reading.set_flags(self.set.flags.len() as u64);
        if RULES {
            for segment in &checked.segments {
                self.segment(segment, fingerprint(&segment.when));
            }
            for flag in &checked.flags {
                if let Some(id) = self.set.find(&flag.key) {
                    self.decide(id, flag);
                }
            }
        }
        // One sort serves both: less code for a browser to load.
        let in_order = |set_aside: &mut Vec<(FlagId, Aside)>| set_aside.sort_unstable_by_key(|(id, _)| *id);
        in_order(&mut self.set.set_aside);
        let parted: Vec<(FlagId, Aside)> = checked.twins.iter().filter_map(|twins| self.part(twins)).collect();
        self.set.set_aside.extend(parted);
        in_order(&mut self.set.set_aside);
        self.set.violations = checked.violations;
        self.finish()
    }

    pub(crate) fn segment_extent(&self, key: &str) -> Option<(u32, u64)> {
        let id = self.known_segment(key)?;
        self.set.segments.get(id.0 as usize).map(|segment| segment.extent)
    }

    /// Adds a segment; the segments that it names were added before.
    pub(crate) fn segment(&mut self, definition: &SegmentDefinition<'_>, own_fingerprint: u64) {
        let extent = validation::extent(&definition.when, |key| self.segment_extent(key)).unwrap_or_default();
        let start = len(&self.set.nodes);
        let when = self.condition(&definition.when);
        let fingerprint = self.set.segments_within(start, len(&self.set.nodes)).fold(own_fingerprint, mix);
        let key = self.set.texts.push(&definition.key);
        let segment = Segment { key, when, extent, own_fingerprint, fingerprint };
        let id = SegmentId(len(&self.set.segments));
        self.set.segments.push(segment);
        if let Some(tables) = self.tables() {
            tables.segments.insert(definition.key.clone().into_owned(), id);
        }
    }

    /// Compiles a flag, or sets it aside.
    fn decide(&mut self, id: FlagId, candidate: &Candidate<'_>) {
        if let Some(definition) = candidate.definition() {
            self.flag(id, &candidate.key, definition, fingerprint(definition));
        } else {
            self.set.set_aside.push((id, candidate.aside()));
            let detail = self.off_only(&candidate.off_value);
            self.settle(id, |flag, _| flag.detail = detail);
        }
    }

    fn detail(&mut self, detail: Detail) -> u32 {
        self.set.details.push(detail);
        len(&self.set.details) - 1
    }

    fn off_value(&mut self, value: &Value<'_>) -> u32 {
        self.set.off_values.push(value.to_owned());
        len(&self.set.off_values) - 1
    }

    fn settle(&mut self, id: FlagId, change: impl FnOnce(&mut Flag, &mut Origin)) {
        let at = id.0 as usize;
        if let (Some(flag), Some(origin)) = (self.set.flags.get_mut(at), self.set.origins.get_mut(at)) {
            change(flag, origin);
        }
    }

    /// Compiles the definition of a flag that already has its index.
    fn flag(&mut self, id: FlagId, key: &str, definition: &FlagDefinition<'_>, own_fingerprint: u64) {
        let salt = definition.salt.as_deref().unwrap_or(key);
        let unit = self.unit(&definition.bucket_by);
        let targets = Span { start: len(&self.set.targets), len: 0 };
        for (entries, (field, _)) in definition.targets.iter().zip(TARGETS) {
            if let Some(list) = self.list(entries) {
                self.set.targets.push(Target { field, list, covered: false });
            }
        }
        let targets = Span { len: len(&self.set.targets) - targets.start, ..targets };
        let (targets, audience) = self.shared_targets(targets, &definition.targets);
        let detail = self.flag_detail(definition, salt, unit);
        for (guards, guard) in self.set.guards.iter_mut().zip(&definition.guard) {
            match guard {
                Some(guard) => guards.insert(id, guard.owned()),
                None => guards.remove(&id),
            };
        }
        let bucketer = Bucketer::native(salt);
        let share = definition.rollout;
        let state = match definition.status {
            _ if !definition.enabled => State::Disabled,
            status if status.is_off() => State::Disabled,
            crate::definition::Status::Completed => State::Completed,
            _ => State::Open,
        };
        let (enabled, status, client) = (definition.enabled, definition.status, definition.client);
        self.settle(id, |flag, origin| {
            let Flag { key, plain, timed, .. } = *flag;
            *flag = Flag { key, bucketer, unit, share, audience, targets, detail, state, plain, timed };
            *origin = Origin { enabled, status, client, fate: Fate::Sound, own_fingerprint, fingerprint: 0 };
        });
    }

    /// The span of these targets and their audience: that of equal targets if the arena has them already, so that
    /// `resolve_all` recognizes them.
    fn shared_targets(&mut self, last: Span, definition: &Targets<'_>) -> (Span, Audience) {
        let fingerprint = fingerprint(&last.of(&self.set.targets));
        let Compiler { set: FlagSet { targets: arena, .. }, tables } = self;
        let same = |(known, targets, _): &(u64, Span, Audience)| {
            let asks = |target: &Target| (target.field, target.list);
            *known == fingerprint && targets.of(arena).iter().map(asks).eq(last.of(arena).iter().map(asks))
        };
        if let Some((_, targets, audience)) = tables.first().and_then(|tables| tables.targets.find(fingerprint, same)) {
            arena.truncate(last.start as usize);
            return (*targets, *audience);
        }
        let audience = self.audience(last, definition);
        if let Some(tables) = self.tables() {
            tables.targets.insert_unique(fingerprint, (fingerprint, last, audience), |(known, ..)| *known);
        }
        (last, audience)
    }

    /// Builds the audience of the targets, and marks those that fit into it as covered.
    fn audience(&mut self, targets: Span, definition: &Targets<'_>) -> Audience {
        let FlagSet { targets: arena, interned, .. } = &mut self.set;
        let mut audience = Audience::EVERYBODY;
        let lists = definition.iter().filter(|entries| !entries.is_empty());
        for (target, entries) in arena.iter_mut().skip(targets.start as usize).zip(lists) {
            if let Some(bits) = interned.bits(target.field, entries) {
                audience.narrow(target.field, bits);
                target.covered = true;
            }
        }
        audience
    }

    /// The detail of a flag: whatever it has beyond targets and a rollout.
    fn flag_detail(&mut self, definition: &FlagDefinition<'_>, salt: &str, unit: Unit) -> u32 {
        let overrides = self.overrides(&definition.overrides);
        let off_value = definition.off_value.as_deref();
        let plain = definition.start.is_none()
            && definition.end.is_none()
            && definition.prerequisites.is_empty()
            && overrides.is_empty()
            && definition.schedule.is_empty()
            && definition.rules.is_empty()
            && definition.variants.is_empty()
            && off_value.is_none()
            && definition.salt.is_none();
        if plain {
            return Flag::NO_DETAIL;
        }
        let off_value = off_value.map(|value| self.off_value(value));
        let schedule = Span { start: len(&self.set.schedule), len: len(&definition.schedule) };
        self.set.schedule.extend(&definition.schedule);
        let variants = self.variants(definition);
        let weights = definition.variants.iter().map(|variant| variant.weight);
        let by_weight: Vec<(VariantId, u64)> = (variants.start..).map(VariantId).zip(weights).collect();
        let weights = self.split(&by_weight);
        let rules = if RULES { self.rules(definition, salt, unit, variants.start) } else { Span::default() };
        let detail = Detail {
            start: definition.start,
            end: definition.end,
            prerequisites: if RULES { self.prerequisites(definition) } else { Span::default() },
            overrides,
            schedule,
            rules,
            index: if RULES { self.index_rules(rules) } else { Span::default() },
            variants,
            weights,
            variant_bucketer: Bucketer::native(&Bucket::variant_salt(salt)),
            off_value,
            salt: definition.salt.as_deref().map(|salt| self.set.texts.push(salt)),
            parts: 0,
        };
        self.detail(detail)
    }

    fn list(&mut self, entries: &[Cow<'_, str>]) -> Option<List> {
        (!entries.is_empty()).then(|| self.stored(entries))
    }

    fn stored(&mut self, entries: &[Cow<'_, str>]) -> List {
        let Compiler { set: FlagSet { lists, texts, .. }, tables } = self;
        match tables.first_mut() {
            Some(tables) => tables.lists.store(entries, lists, texts),
            None => list::stored(entries, lists, texts),
        }
    }

    fn overrides(&mut self, definition: &OverridesDefinition<'_>) -> Overrides {
        Overrides {
            off_users: self.list(&definition.off_users),
            off_companies: self.list(&definition.off_companies),
            on_users: self.list(&definition.on_users),
            on_companies: self.list(&definition.on_companies),
        }
    }

    fn variants(&mut self, definition: &FlagDefinition<'_>) -> Span {
        let span = Span { start: len(&self.set.variants), len: len(&definition.variants) };
        for variant in &definition.variants {
            let key = self.set.texts.push(&variant.key);
            self.set.variants.push(Variant { key, value: variant.value.as_ref().to_owned() });
        }
        span
    }

    fn split(&mut self, weighted: &[(VariantId, u64)]) -> Span {
        let start = len(&self.set.portions);
        self.set.portions.extend(portions(weighted));
        Span { start, len: len(&self.set.portions) - start }
    }

    fn rules(&mut self, definition: &FlagDefinition<'_>, salt: &str, flag_unit: Unit, first_variant: u32) -> Span {
        let definitions = &definition.rules;
        let keys = definition.variants.iter().map(|variant| variant.key.as_ref());
        let variants: Map<&str, VariantId> = keys.zip((first_variant..).map(VariantId)).collect();
        // Conditions are compiled first, so that the rules of a flag are adjacent.
        let mut rules = Vec::with_capacity(definitions.len());
        for definition in definitions {
            let serve = match &definition.serve {
                ServeDefinition::Flag => Serve::Flag,
                ServeDefinition::Variant(key) => {
                    variants.get(key.as_ref()).map_or(Serve::Flag, |id| Serve::Variant(*id))
                }
                ServeDefinition::Split(parts) => {
                    let known = parts.iter().filter_map(|(key, weight)| Some((*variants.get(key.as_ref())?, *weight)));
                    let weighted: Vec<(VariantId, u64)> = known.collect();
                    Serve::Split(self.split(&weighted))
                }
            };
            rules.push(Rule {
                key: self.set.texts.push(&definition.key),
                when: self.condition(&definition.when),
                share: definition.rollout,
                bucketer: Bucketer::native(&Bucket::rule_salt(salt, &definition.key)),
                unit: definition.bucket_by.as_deref().map_or(flag_unit, |name| self.unit(name)),
                own_unit: definition.bucket_by.is_some(),
                serve,
            });
        }
        let span = Span { start: len(&self.set.rules), len: len(&rules) };
        self.set.rules.extend(rules);
        span
    }

    fn prerequisites(&mut self, definition: &FlagDefinition<'_>) -> Span {
        let span = Span { start: len(&self.set.prerequisites), len: len(&definition.prerequisites) };
        for prerequisite in &definition.prerequisites {
            let wanted = match &prerequisite.wanted {
                WantedDefinition::On(on) => Wanted::On(*on),
                WantedDefinition::Variants(keys) => Wanted::Variants(self.operands(keys.iter().map(Cow::as_ref))),
            };
            let flag = self.set.find(&prerequisite.flag);
            let key = self.set.texts.push(&prerequisite.flag);
            self.set.prerequisites.push(Prerequisite { key, flag, wanted });
        }
        span
    }

    fn operands<'t>(&mut self, texts: impl Iterator<Item = &'t str>) -> Span {
        let start = len(&self.set.operands);
        let texts: Vec<Text> = texts.map(|text| self.set.texts.push(text)).collect();
        self.set.operands.extend(texts);
        Span { start, len: len(&self.set.operands) - start }
    }

    /// Finalizes the set.
    pub(crate) fn finish(mut self) -> FlagSet {
        self.set.finalize();
        self.set
    }
}

/// Arenas have 32-bit offsets: a snapshot has at most 256 MiB, and so fewer entries.
fn len<T>(arena: &[T]) -> u32 {
    u32::try_from(arena.len()).unwrap_or(u32::MAX)
}
