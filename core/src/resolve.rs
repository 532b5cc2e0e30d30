//! Resolving: the steps of section 7 of SEMANTICS.md, in their order.
//!
//! Total and pure: every key, context and time has an answer, which depends on these three and the set alone. The same
//! walk explains itself through a recorder, which costs nothing when there is none.

pub(crate) mod arm;

use crate::RULES;
use crate::answer::{Answer, No};
use crate::audience::CallerBits;
use crate::bucket::{Bucket, Bucketer, Share};
use crate::condition::Truth;
use crate::context::{Context, Field};
use crate::explain::{self, Inside, Memory, Recorder};
use crate::flag_set::{Detail, Flag, FlagId, FlagSet, Rule, Serve, State, Target, Unit, VariantId, Wanted};
use crate::list::List;
use crate::resolution::{ErrorCode, Reason, Resolution};
use crate::split::{Portion, choose};
use crate::time::Time;

impl FlagSet {
    /// What the flag serves to this context at this time, and why.
    ///
    /// It always answers: a key that is not there is `ERROR` / `FLAG_NOT_FOUND`, and the caller's default stands.
    #[must_use]
    #[inline]
    pub fn resolve(&self, key: &str, context: &Context<'_>, now: impl Into<Time>) -> Resolution<'_> {
        match self.find(key) {
            Some(id) => self.resolve_id(id, context, now.into()),
            None => Resolution::none(self.absence()),
        }
    }

    /// Whether the flag is on for this context at this time; a missing key is off.
    #[must_use]
    #[inline]
    pub fn is_enabled(&self, key: &str, context: &Context<'_>, now: impl Into<Time>) -> bool {
        self.find(key).is_some_and(|id| self.is_on(id, self.flag(id), context, || now.into()))
    }

    /// What every flag serves to this context at this time, in the order of the snapshot.
    pub fn resolve_all<'s, 'c>(
        &'s self,
        context: &'c Context<'c>,
        now: impl Into<Time>,
    ) -> impl Iterator<Item = (&'s str, Resolution<'s>)> {
        let mut walk = Walk::new(self, context, now.into(), Memory::default());
        (0..).map(FlagId).zip(&self.flags).map(move |(id, flag)| (self.texts.get(flag.key), walk.resolve(id, flag)))
    }

    /// Whether the flag is on: the same walk, without building a resolution.
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(crate) fn is_on(&self, id: FlagId, flag: &Flag, context: &Context<'_>, clock: impl FnOnce() -> Time) -> bool {
        // Small builds have no fast path (code size).
        let seen = context.known_bits(self.publication).filter(|_| RULES).and_then(|bits| {
            let now = Time::from_millis(0);
            Walk { set: self, context, now, recorder: (), bits }.fast_path(flag, Context::known_hash)
        });
        // Tail call: the fast path needs no stack frame.
        match seen {
            Some(on) => on,
            None => self.is_on_slow_path(id, context, clock),
        }
    }

    /// Reads the clock only if the answer can depend on the time.
    #[inline(never)]
    fn is_on_slow_path(&self, id: FlagId, context: &Context<'_>, clock: impl FnOnce() -> Time) -> bool {
        let flag = self.flag(id);
        let now = if flag.timed { clock() } else { Time::from_millis(0) };
        if RULES {
            let mut walk = Walk::new(self, context, now, ());
            walk.fast_path(flag, Context::unit_hash).unwrap_or_else(|| walk.evaluate(id, flag))
        } else {
            self.resolve_id(id, context, now).enabled
        }
    }

    #[cfg_attr(not(target_family = "wasm"), inline)]
    pub(crate) fn resolve_id(&self, id: FlagId, context: &Context<'_>, now: Time) -> Resolution<'_> {
        Walk::new(self, context, now, ()).flag(id)
    }

    /// The error for a missing key: nothing was published yet (7.17), or the flag does not exist (7.1).
    pub(crate) fn absence(&self) -> ErrorCode {
        if self.not_ready { ErrorCode::ProviderNotReady } else { ErrorCode::FlagNotFound }
    }
}

/// One resolution in progress.
pub(crate) struct Walk<'s, 'c, R> {
    pub(crate) set: &'s FlagSet,
    pub(crate) context: &'c Context<'c>,
    pub(crate) now: Time,
    pub(crate) recorder: R,
    /// The caller's plan, region and roles as interned by the set.
    bits: CallerBits,
}

impl<'s, 'c, R: Recorder> Walk<'s, 'c, R> {
    #[inline(always)]
    pub(crate) fn new(set: &'s FlagSet, context: &'c Context<'c>, now: Time, recorder: R) -> Self {
        let bits = context.caller_bits(&set.interned, set.publication);
        Walk { set, context, now, recorder, bits }
    }

    #[inline]
    pub(crate) fn flag<A: Answer<'s>>(&mut self, id: FlagId) -> A {
        self.resolve(id, self.set.flag(id))
    }

    // In a walk over all flags, a call for each flag would cost a third more.
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn resolve<A: Answer<'s>>(&mut self, id: FlagId, flag: &'s Flag) -> A {
        match self.fast_path(flag, Context::known_hash) {
            Some(answer) => answer,
            None => self.evaluate(id, flag),
        }
    }

    /// The answer of steps 7.9 and 7.11 for a plain flag, which has no other steps. `None` if the flag is not plain or the
    /// context does not know the hash yet: [`evaluate`](Self::evaluate) then gives the same answer.
    #[inline(always)]
    fn fast_path<A: Answer<'s>>(
        &self,
        flag: &Flag,
        unit_hash: impl FnOnce(&'c Context<'c>, Field) -> Option<u64>,
    ) -> Option<A> {
        if R::LISTENS {
            return None;
        }
        let unit = flag.plain?;
        if !flag.audience.has(self.bits) {
            return Some(A::off(self.set, None, (Reason::Default, None)));
        }
        if flag.share == Share::EVERYONE {
            let reason = || if flag.targets.is_empty() { Reason::Static } else { Reason::TargetingMatch };
            return Some(A::on(self.set, None, reason));
        }
        unit_hash(self.context, unit).map(|hash| self.in_share(flag, hash))
    }

    #[inline]
    fn in_share<A: Answer<'s>>(&self, flag: &Flag, unit_hash: u64) -> A {
        if flag.share.admits(flag.bucketer.bucket(unit_hash)) {
            A::on(self.set, None, || Reason::Split)
        } else {
            A::off(self.set, None, (Reason::Split, None))
        }
    }

    /// All steps of section 7. Not inlined, so that the fast path stays small.
    #[cfg_attr(not(target_family = "wasm"), inline(never))]
    fn evaluate<A: Answer<'s>>(&mut self, id: FlagId, flag: &'s Flag) -> A {
        let set = self.set;
        let detail = set.detail(flag);
        let off = |no: No| A::off(set, detail, no);
        match flag.state {
            State::Open | State::Completed => {}
            State::Disabled => {
                self.recorder.note(|| explain::disabled(set, id));
                return off((Reason::Disabled, None));
            }
            State::Broken => {
                self.recorder.note(|| explain::broken(set, id));
                return off((Reason::Error, Some(ErrorCode::ParseError)));
            }
        }
        let mut overridden = false;
        if let Some(detail) = detail {
            let before = self.window(detail).and_then(|()| if RULES { self.work(detail) } else { Ok(()) });
            if let Err(no) = before.and_then(|()| self.prerequisites(detail)) {
                return off(no);
            }
            match self.overrides(detail) {
                Some(false) => return off((Reason::TargetingMatch, None)),
                Some(true) => overridden = true,
                None => {}
            }
        }
        let (mut split, mut rule) = (false, None);
        if !overridden {
            if !self.targets(flag) {
                return off((Reason::Default, None));
            }
            if flag.state == State::Open {
                let share = detail.map_or(flag.share, |detail| self.share_in_force(flag, detail));
                match self.admitted(share, flag.bucketer, flag.unit, "rollout") {
                    Ok(asked) => split = asked,
                    Err(no) => return off(no),
                }
            }
            if let Some(detail) = detail.filter(|detail| !detail.rules.is_empty()) {
                rule = self.rule(detail);
                let Some(rule) = rule else { return off((Reason::Default, None)) };
                match self.admitted(rule.share, rule.bucketer, rule.unit, "rule rollout") {
                    Ok(asked) => split |= asked,
                    Err(no) => return off(no),
                }
            }
        }
        let mut variant = None;
        if let Some(detail) = detail.filter(|detail| !detail.variants.is_empty()) {
            match self.variant(flag, detail, rule) {
                Ok((chosen, asked)) => {
                    split |= asked;
                    variant = Some(chosen);
                }
                Err(no) => return off(no),
            }
        }
        A::on(set, variant, || match split {
            true => Reason::Split,
            false if flag.targets.is_empty() && detail.is_none_or(Detail::asks_nothing) => Reason::Static,
            false => Reason::TargetingMatch,
        })
    }

    /// 7.4.
    fn window(&mut self, detail: &Detail) -> Result<(), No> {
        if detail.start.is_none() && detail.end.is_none() {
            return Ok(());
        }
        let inside = detail.start.is_none_or(|start| start <= self.now) && detail.end.is_none_or(|end| self.now < end);
        self.recorder.note(|| explain::window(detail, self.now, inside));
        if inside { Ok(()) } else { Err((Reason::Disabled, None)) }
    }

    /// 7.5 and 7.6.
    fn prerequisites(&mut self, detail: &Detail) -> Result<(), No> {
        let set = self.set;
        for prerequisite in detail.prerequisites.of(&set.prerequisites).iter().filter(|_| RULES) {
            self.recorder.open();
            let other: Option<Resolution<'_>> = prerequisite.flag.map(|flag| self.other_flag(flag));
            let met = other.is_some_and(|other| match prerequisite.wanted {
                // The answer of a flag with an error is unknown, so the prerequisite is not met.
                _ if other.error.is_some() => false,
                Wanted::On(on) => other.enabled == on,
                Wanted::Variants(keys) => {
                    let mut keys = keys.of(&set.operands).iter();
                    other.enabled && keys.any(|key| other.variant == Some(set.texts.get(*key)))
                }
            });
            self.recorder.close(|inner| explain::prerequisite(set, prerequisite, other, met, inner));
            if !met {
                return Err((Reason::Default, None));
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn other_flag(&mut self, id: FlagId) -> Resolution<'s> {
        match self.recorder.has_written(Inside::Flag(id)) {
            true => {
                Walk { set: self.set, context: self.context, now: self.now, recorder: (), bits: self.bits }.flag(id)
            }
            false => self.flag(id),
        }
    }

    /// 7.7 and 7.8: off, on, or no override.
    fn overrides(&mut self, detail: &Detail) -> Option<bool> {
        let overrides = &detail.overrides;
        let sides = [
            (false, overrides.off_users, Field::User),
            (false, overrides.off_companies, Field::Company),
            (true, overrides.on_users, Field::User),
            (true, overrides.on_companies, Field::Company),
        ];
        for (on, list, field) in sides {
            let Some(list) = list else { continue };
            // A caller whose id cannot be read may be on the list of those who are off (3.10).
            let listed =
                self.holds(&Target { field, list, covered: false }) || !on && self.context.is_unreadable(field);
            self.recorder.note(|| explain::override_(self.context, field, on, listed));
            if listed {
                return Some(on);
            }
        }
        None
    }

    /// 7.9.
    #[cfg_attr(target_family = "wasm", inline(always))]
    #[cfg_attr(not(target_family = "wasm"), inline)]
    fn targets(&mut self, flag: &Flag) -> bool {
        let set = self.set;
        let covers = !R::LISTENS;
        if covers && !flag.audience.has(self.bits) {
            return false;
        }
        if let Some(passed) = self.recorder.recall(flag.targets) {
            return passed;
        }
        let passed = flag.targets.of(&set.targets).iter().filter(|target| !(covers && target.covered)).all(|target| {
            let listed = self.holds(target);
            self.recorder.note(|| explain::target(set, self.context, target, listed));
            listed
        });
        self.recorder.remember(flag.targets, passed);
        passed
    }

    /// Whether the list holds the context's value of the field; for roles, any of its roles.
    #[inline]
    fn holds(&self, target: &Target) -> bool {
        let first = match self.set.lists.difference(&target.list, self.context.token(target.field)) {
            Some(difference) => difference == 0,
            None => self.holds_text(target),
        };
        first
            || target.field == Field::Roles && self.context.has_several_roles() && self.holds_another_role(target.list)
    }

    #[cfg_attr(not(target_family = "wasm"), inline(never))]
    fn holds_text(&self, target: &Target) -> bool {
        let FlagSet { lists, texts, .. } = self.set;
        self.context.first(target.field).is_some_and(|word| lists.holds(target.list, word, texts))
    }

    #[inline(never)]
    fn holds_another_role(&self, list: List) -> bool {
        let FlagSet { lists, texts, .. } = self.set;
        self.context.other_roles().any(|role| lists.holds(list, role, texts))
    }

    /// 7.10.
    fn share_in_force(&mut self, flag: &Flag, detail: &Detail) -> Share {
        let steps = detail.schedule.of(&self.set.schedule);
        let passed = steps.partition_point(|(at, _)| *at <= self.now);
        passed.checked_sub(1).and_then(|last| steps.get(last)).map_or(flag.share, |(_, share)| *share)
    }

    /// 7.11: whether the answer depends on a bucket, or why the flag is off.
    #[cfg_attr(target_family = "wasm", inline(always))]
    #[cfg_attr(not(target_family = "wasm"), inline)]
    fn admitted(&mut self, share: Share, bucketer: Bucketer, unit: Unit, what: &'static str) -> Result<bool, No> {
        if share == Share::EVERYONE {
            return Ok(false);
        }
        let bucket = if share == Share::NOBODY { None } else { self.bucket(bucketer, unit) };
        let answer = match bucket {
            Some(bucket) if share.admits(bucket) => Ok(true),
            None if share != Share::NOBODY => Err((Reason::Error, Some(ErrorCode::TargetingKeyMissing))),
            _ => Err((Reason::Split, None)),
        };
        self.recorder.note(|| explain::share(self.set, self.context, what, unit, bucket, share));
        answer
    }

    #[cfg_attr(target_family = "wasm", inline(always))]
    #[cfg_attr(not(target_family = "wasm"), inline)]
    fn bucket(&self, bucketer: Bucketer, unit: Unit) -> Option<Bucket> {
        self.set.unit_hash(unit, self.context).map(|hash| bucketer.bucket(hash))
    }

    /// 7.12.
    fn rule(&mut self, detail: &Detail) -> Option<&'s Rule> {
        let (set, context, now) = (self.set, self.context, self.now);
        let rules = detail.rules.of(&set.rules);
        let decides = |rule: &&Rule| {
            self.recorder.open();
            let truth = set.truth(rule.when, context, now, &mut self.recorder);
            self.recorder.close(|inner| explain::rule(set.texts.get(rule.key), truth, inner));
            truth == Truth::True
        };
        if RULES
            && !R::LISTENS
            && let Some(candidates) = set.candidates(detail, context)
        {
            return candidates.filter_map(|rule| rules.get(rule as usize)).find(decides);
        }
        rules.iter().filter(|_| RULES).find(decides)
    }

    /// 7.14: the variant, and whether the choice depends on a bucket.
    fn variant(&mut self, flag: &Flag, detail: &Detail, rule: Option<&Rule>) -> Result<(VariantId, bool), No> {
        let set = self.set;
        let unit = rule.map_or(flag.unit, |rule| rule.unit);
        let portions: &[Portion<VariantId>] = match rule.map_or(Serve::Flag, |rule| rule.serve) {
            Serve::Variant(variant) => {
                self.recorder.note(|| explain::variant(set, self.context, variant, None));
                return Ok((variant, false));
            }
            Serve::Split(portions) => portions.of(&set.portions),
            Serve::Flag => detail.weights.of(&set.portions),
        };
        if let [only] = portions {
            self.recorder.note(|| explain::variant(set, self.context, only.variant, None));
            return Ok((only.variant, false));
        }
        let bucket = self.bucket(detail.variant_bucketer, unit);
        match bucket.and_then(|bucket| Some((choose(portions, bucket)?, bucket))) {
            Some((variant, bucket)) => {
                self.recorder.note(|| explain::variant(set, self.context, variant, Some((unit, bucket))));
                Ok((variant, true))
            }
            None => {
                self.recorder.note(|| explain::no_unit(set, self.context, "variant", unit));
                Err((Reason::Error, Some(ErrorCode::TargetingKeyMissing)))
            }
        }
    }
}

impl Detail {
    /// Whether there is neither window, schedule, prerequisite, override entry nor rule (7.16).
    fn asks_nothing(&self) -> bool {
        self.start.is_none()
            && self.end.is_none()
            && self.schedule.is_empty()
            && self.prerequisites.is_empty()
            && self.overrides.is_empty()
            && self.rules.is_empty()
    }
}
