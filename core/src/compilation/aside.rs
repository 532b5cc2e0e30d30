//! Flags that are set aside: they have an index and an off value, and may get a kept definition.

use super::{Compiler, len};
use crate::aside::{Aside, Why};
use crate::audience::Audience;
use crate::bucket::{Bucketer, Share};
use crate::context::Field;
use crate::definition::{FlagDefinition, Status};
use crate::fingerprint::fingerprint;
use crate::flag_set::{Detail, Fate, Flag, FlagId, Kept, Origin, Span, State, Unit};
use crate::text::Text;
use crate::validation::{Candidate, Twins};
use crate::value::Value;

impl Compiler {
    /// Sets a flag aside whose key is in several rows that differ (8.2). Returns its new entry, unless it was set aside
    /// already.
    pub(super) fn part(&mut self, twins: &Twins) -> Option<(FlagId, Aside)> {
        let id = FlagId(twins.number);
        let (flag, origin) = (self.set.flags.get(id.0 as usize)?, self.set.origins.get(id.0 as usize)?);
        let first_off = self.set.detail(flag).and_then(|detail| self.set.off_values.get(detail.off_value? as usize));
        let first_off = first_off.unwrap_or(&Value::Bool(false));
        let is_one = twins.off_values.iter().all(|other| fingerprint(other) == fingerprint(first_off));
        let off_value = if is_one { first_off.clone() } else { Value::Null };
        let first_killed = match origin.fate {
            Fate::Sound => !origin.enabled || origin.status.is_off(),
            Fate::SetAside { why, .. } => why == Why::Killed,
        };
        let client = twins.client || origin.client;
        let why = if first_killed || twins.killed { Why::Killed } else { Why::Withheld };
        let detail = self.off_only(&off_value);
        self.settle(id, |flag, origin| {
            let blank = blank(flag.key, if why == Why::Killed { State::Disabled } else { State::Broken });
            *flag = Flag { detail, ..blank };
            *origin = aside_origin(why);
        });
        if let Ok(at) = self.set.set_aside.binary_search_by_key(&id, |(id, _)| *id) {
            if let Some((_, aside)) = self.set.set_aside.get_mut(at) {
                (aside.client, aside.twins, aside.narrowing) = (client || aside.client, true, None);
            }
            return None;
        }
        let (unreadable, causes, narrowing) = (Vec::new(), Vec::new(), None);
        Some((id, Aside { client, twins: true, unreadable, causes, narrowing }))
    }

    /// Adds a flag with its key, set aside for now, and gives its index.
    pub(super) fn claim(&mut self, candidate: &Candidate<'_>) -> FlagId {
        let id = FlagId(len(&self.set.flags));
        let key = self.set.texts.push(&candidate.key);
        self.set.flags.push(blank(key, if candidate.killed { State::Disabled } else { State::Broken }));
        self.set.origins.push(aside_origin(candidate.why()));
        id
    }

    /// The detail of a flag that only has an off value.
    pub(super) fn off_only(&mut self, off_value: &Value<'_>) -> u32 {
        if let Value::Bool(false) = off_value {
            return Flag::NO_DETAIL;
        }
        let off_value = self.off_value(off_value);
        self.detail(Detail { off_value: Some(off_value), ..Detail::NONE })
    }

    /// Gives a flag that is set aside its definition from an earlier set.
    pub(crate) fn keep(&mut self, id: FlagId, definition: &FlagDefinition<'_>, own_fingerprint: u64, kept: Kept) {
        let Fate::SetAside { why, .. } = self.set.origin(id).fate else { return };
        let row_off = self.set.detail(self.set.flag(id)).and_then(|detail| detail.off_value);
        let key = self.set.key(id).to_owned();
        self.flag(id, &key, definition, own_fingerprint);
        let kept_off = if why == Why::Withheld { self.serve_when_off(id, row_off) } else { None };
        self.settle(id, |flag, origin| {
            origin.fate = Fate::SetAside { why, kept: Some(kept), kept_off };
            match why {
                Why::Broken => {}
                Why::Killed => flag.state = State::Disabled,
                Why::Withheld => flag.state = State::Broken,
            }
        });
    }

    /// Replaces the index of the value that a flag serves when it is off; returns the old index.
    fn serve_when_off(&mut self, id: FlagId, off_value: Option<u32>) -> Option<u32> {
        let at = self.set.flag(id).detail;
        if let Some(detail) = self.set.details.get_mut(at as usize) {
            return std::mem::replace(&mut detail.off_value, off_value);
        }
        if off_value.is_some() {
            let detail = self.detail(Detail { off_value, ..Detail::NONE });
            self.settle(id, |flag, _| flag.detail = detail);
        }
        None
    }
}

/// A flag that has only its key.
fn blank(key: Text, state: State) -> Flag {
    Flag {
        key,
        bucketer: Bucketer::Recipe1 { salt_hash: 0 },
        unit: Unit::Field(Field::User),
        share: Share::NOBODY,
        audience: Audience::EVERYBODY,
        targets: Span::default(),
        detail: Flag::NO_DETAIL,
        state,
        plain: None,
        timed: false,
    }
}

/// The origin of a flag that is set aside without a definition.
fn aside_origin(why: Why) -> Origin {
    Origin {
        enabled: false,
        status: Status::Active,
        client: false,
        fate: Fate::SetAside { why, kept: None, kept_off: None },
        own_fingerprint: 0,
        fingerprint: 0,
    }
}
