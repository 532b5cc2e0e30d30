//! The last minutes of a rollout: what a limit looks at before it acts.

use serde::{Deserialize, Serialize};

use crate::probability::real;
use crate::units::{Arm, Units};

/// How long a window is. A unit counts once in it.
pub(crate) const WINDOW_MS: u64 = 300_000;

/// Units and bad units of each arm in the window that is open and in the one before it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Windows {
    number: u64,
    seen: Units,
    open: Vec<Tally>,
    before: Vec<Tally>,
}

/// Units and bad units of one metric, off and on.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Tally {
    off: (u64, u64),
    on: (u64, u64),
}

impl Windows {
    pub(crate) fn of(metrics: usize) -> Self {
        let tallies = vec![Tally::default(); metrics];
        Self { open: tallies.clone(), before: tallies, ..Self::default() }
    }

    /// Goes to the window of this time; a time in the past changes nothing.
    pub(crate) fn advance(&mut self, now_ms: u64) {
        let number = now_ms / WINDOW_MS;
        if number > self.number {
            let next = vec![Tally::default(); self.open.len()];
            let last = std::mem::replace(&mut self.open, next.clone());
            self.before = if number - self.number == 1 { last } else { next };
            self.seen = Units::default();
            self.number = number;
        }
    }

    /// Whether this is the first outcome of the unit in the window.
    pub(crate) fn is_first(&mut self, hash: u64, arm: Arm) -> bool {
        self.seen.insert(hash, arm)
    }

    pub(crate) fn add(&mut self, metric: usize, arm: Arm, bad: bool) {
        if let Some(tally) = self.open.get_mut(metric) {
            let (units, bad_units) = if arm == Arm::On { &mut tally.on } else { &mut tally.off };
            *units = units.saturating_add(1);
            *bad_units = bad_units.saturating_add(u64::from(bad));
        }
    }

    /// The part of an arm's units that is bad, in the last 5 to 10 minutes; `None` without units.
    pub(crate) fn rate(&self, metric: usize, arm: Arm) -> Option<f64> {
        let of = |tally: &Tally| if arm == Arm::On { tally.on } else { tally.off };
        let ((units, bad), (more, more_bad)) = (of(self.open.get(metric)?), of(self.before.get(metric)?));
        let all = units.saturating_add(more);
        (all > 0).then(|| real(bad.saturating_add(more_bad)) / real(all))
    }
}
