//! The readable part of a row that is set aside narrows its kept definition (8.15 of SEMANTICS.md).

use std::borrow::Cow;

use crate::bucket::Share;
use crate::definition::{FlagDefinition, Status, Targets};
use crate::fingerprint::Set;
use crate::time::Time;

/// The restrictions of a row, for its kept definition.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Narrowing {
    targets: Targets<'static>,
    start: Option<Time>,
    end: Option<Time>,
    /// Everyone, if the row has a schedule.
    share: Share,
    is_completed: bool,
    off_users: Vec<Cow<'static, str>>,
    off_companies: Vec<Cow<'static, str>>,
}

impl Narrowing {
    /// The restrictions of a row; fields that cannot be read count as absent.
    pub(crate) fn of(row: &FlagDefinition<'_>, has_schedule: bool) -> Self {
        let owned = |list: &Vec<Cow<'_, str>>| list.iter().map(|text| Cow::Owned(text.clone().into_owned())).collect();
        Narrowing {
            targets: row.targets.each_ref().map(owned),
            start: row.start,
            end: row.end,
            share: if has_schedule { Share::EVERYONE } else { row.rollout },
            is_completed: row.status == Status::Completed,
            off_users: owned(&row.overrides.off_users),
            off_companies: owned(&row.overrides.off_companies),
        }
    }

    /// Narrows a kept definition; returns whether that changed it.
    pub(crate) fn narrow(&self, kept: &mut FlagDefinition<'_>) -> bool {
        let mut changed = false;
        let mut set = |is_other: bool| {
            changed |= is_other;
            is_other
        };
        let mut is_nobody = false;
        for (kept, row) in kept.targets.iter_mut().zip(&self.targets) {
            if row.is_empty() {
                continue;
            }
            if kept.is_empty() {
                set(true);
                *kept = row.clone();
                continue;
            }
            let known: Set<&str> = row.iter().map(Cow::as_ref).collect();
            let both: Vec<_> = kept.iter().filter(|text| known.contains(text.as_ref())).cloned().collect();
            if both.is_empty() {
                is_nobody = true;
            } else if set(both.len() < kept.len()) {
                *kept = both;
            }
        }
        if let Some(start) = self.start
            && set(kept.start.is_none_or(|own| own < start))
        {
            kept.start = Some(start);
        }
        if let Some(end) = self.end
            && set(kept.end.is_none_or(|own| end < own))
        {
            kept.end = Some(end);
        }
        let most = if is_nobody { Share::NOBODY } else { self.share };
        for share in std::iter::once(&mut kept.rollout).chain(kept.schedule.iter_mut().map(|(_, share)| share)) {
            if set(most < *share) {
                *share = most;
            }
        }
        // A completed flag has no share that could exclude anyone.
        if set(kept.status == Status::Completed && (is_nobody || !self.is_completed)) {
            kept.status = Status::Active;
        }
        let overrides = &mut kept.overrides;
        for (kept, row) in
            [(&mut overrides.off_users, &self.off_users), (&mut overrides.off_companies, &self.off_companies)]
        {
            let known: Set<&str> = kept.iter().map(Cow::as_ref).collect();
            let more: Vec<_> = row.iter().filter(|text| !known.contains(text.as_ref())).cloned().collect();
            drop(known);
            if set(!more.is_empty()) {
                kept.extend(more);
            }
        }
        changed
    }
}
