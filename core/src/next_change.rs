//! When an answer can change though nothing is published (9.10 of SEMANTICS.md).

use crate::flag_set::{Flag, FlagSet, State};
use crate::time::Time;

impl FlagSet {
    /// The earliest time after `after` at which an answer may differ from the one before it although nothing is
    /// published: the start or the end of a flag's window, a step of its schedule, or an end of a `now` in a condition.
    /// `None` if there is none.
    ///
    /// Between `after` and that time every answer stays as it is, so a cache or a timer needs to look again only then. The
    /// work grows with the number of flags.
    ///
    /// ```
    /// use esclusa::{FlagSet, Time};
    ///
    /// let set = FlagSet::from_json(br#"[{"name": "sale", "enabled": true, "end_date": "2026-01-07T00:00:00Z"}]"#)?;
    /// let next = set.next_change(Time::parse("2026-01-01T00:00:00Z").unwrap());
    /// assert_eq!(next, Time::parse("2026-01-07T00:00:00Z"));
    /// assert_eq!(set.next_change(next.unwrap()), None);
    /// # Ok::<(), esclusa::SnapshotError>(())
    /// ```
    #[must_use]
    pub fn next_change(&self, after: Time) -> Option<Time> {
        self.flags.iter().filter_map(|flag| self.next_change_of(flag, after)).min()
    }

    fn next_change_of(&self, flag: &Flag, after: Time) -> Option<Time> {
        let detail = self.detail(flag)?;
        let (window, steps) = match flag.state {
            // Nothing decides but the state.
            State::Disabled | State::Broken => return None,
            State::Completed => ([detail.start, detail.end], &[][..]),
            State::Open => ([detail.start, detail.end], detail.schedule.of(&self.schedule)),
        };
        let steps = steps.iter().map(|(time, _)| *time);
        let ends = self
            .windows
            .iter()
            .flatten()
            .filter(|_| !detail.rules.is_empty())
            .flat_map(|window| [window.from, window.to]);
        let times = window.into_iter().flatten().chain(steps).chain(ends);
        times.filter(|time| *time > after && *time < Time::AFTER_ALL).min()
    }
}
