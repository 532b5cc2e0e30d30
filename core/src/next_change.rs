//! When an answer can change without a publish (9.10 of SEMANTICS.md).

use crate::flag_set::{FlagSet, State};
use crate::time::Time;

impl FlagSet {
    /// The earliest time after `after` at which an answer may differ from the one before it although nothing is
    /// published: the start or the end of a flag's window, a step of its schedule, or an end of a `now` in a condition.
    /// `None` if there is none.
    ///
    /// Between `after` and that time every answer stays as it is, so a cache or a timer needs to look again only then. The
    /// work grows with the numbers of flags and of such conditions.
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
        // A flag that is not open is decided by its state alone.
        let open = || self.flags.iter().filter(|flag| matches!(flag.state, State::Open | State::Completed));
        let details = || open().filter_map(|flag| Some((flag.state, self.detail(flag)?)));
        let windows = details().flat_map(|(_, detail)| [detail.start, detail.end]).flatten();
        let scheduled = details().filter(|(state, _)| *state == State::Open);
        let steps = scheduled.flat_map(|(_, detail)| detail.schedule.of(&self.schedule)).map(|(time, _)| *time);
        // Rules are not searched for conditions on the time: few sets have any.
        let has_rules = details().any(|(_, detail)| !detail.rules.is_empty());
        let conditions = self.windows.iter().flatten().filter(|_| has_rules);
        let ends = conditions.flat_map(|window| [window.from, window.to]);
        let times = windows.chain(steps).chain(ends);
        times.filter(|time| *time > after && *time < Time::AFTER_ALL).min()
    }
}
