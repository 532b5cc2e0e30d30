//! The arm of a caller: what the flag's own share decides (7.20 of SEMANTICS.md), for a guard that compares arms.

use super::Walk;
use crate::bucket::Share;
use crate::context::Context;
use crate::flag_set::{Flag, FlagSet, State};
use crate::flags::FlagKey;
use crate::time::Time;

/// The side of a flag's rollout that a caller is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arm {
    on: bool,
    unit_hash: u64,
    share: Share,
}

impl Arm {
    /// Whether the share admits the unit. A rule may still keep it out.
    #[must_use]
    pub fn is_on(self) -> bool {
        self.on
    }

    /// The hash of the unit: of the user, or of what else the flag's `bucket_by` names.
    #[must_use]
    pub fn unit_hash(self) -> u64 {
        self.unit_hash
    }

    /// The share in force, in thousandths of a percent: 1 to 99,999, and 100,000 only from [`FlagSet::exposed`].
    #[must_use]
    pub fn share(self) -> u32 {
        self.share.thousandths()
    }
}

impl FlagSet {
    /// The arm of this caller at this time. `None` unless the flag's own share decides: it is strictly between 0 and
    /// 100 %, and no earlier step does.
    ///
    /// The clock is asked only if the answer can depend on the time.
    ///
    /// ```
    /// use esclusa::{Context, FlagSet, Time};
    /// let set = FlagSet::from_json(br#"[
    ///     {"name": "crm", "enabled": true, "rollout_percentage": 30, "overrides": {"on": {"users": ["ana"]}}}
    /// ]"#)?;
    /// let arm = |user: &str| set.arm("crm", &Context::new(user), || Time::from_millis(0));
    /// assert_eq!(arm("user-6").map(|arm| (arm.is_on(), arm.share())), Some((true, 30_000)));
    /// assert_eq!(arm("ana"), None, "an override decides");
    /// # Ok::<(), esclusa::SnapshotError>(())
    /// ```
    #[must_use]
    pub fn arm<K: FlagKey + ?Sized>(
        &self,
        key: &K,
        context: &Context<'_>,
        clock: impl FnOnce() -> Time,
    ) -> Option<Arm> {
        self.exposed(key, context, clock).filter(|arm| arm.share < Share::EVERYONE)
    }

    /// The same, and where the share is 100 % every unit is on: what a limit without an off arm counts.
    #[must_use]
    pub fn exposed<K: FlagKey + ?Sized>(
        &self,
        key: &K,
        context: &Context<'_>,
        clock: impl FnOnce() -> Time,
    ) -> Option<Arm> {
        let (_, flag) = key.find_in(self)?;
        if flag.state != State::Open {
            return None;
        }
        let now = if flag.timed { clock() } else { Time::from_millis(0) };
        Walk::new(self, context, now, ()).exposed(flag)
    }
}

impl Walk<'_, '_, ()> {
    fn exposed(&mut self, flag: &Flag) -> Option<Arm> {
        let mut share = flag.share;
        if let Some(detail) = self.set.detail(flag) {
            self.window(detail).and_then(|()| self.work(detail)).and_then(|()| self.prerequisites(detail)).ok()?;
            if self.overrides(detail).is_some() {
                return None;
            }
            share = self.share_in_force(flag, detail);
        }
        if share == Share::NOBODY || !self.targets(flag) {
            return None;
        }
        let unit_hash = self.set.unit_hash(flag.unit, self.context)?;
        Some(Arm { on: share.admits(flag.bucketer.bucket(unit_hash)), unit_hash, share })
    }
}
