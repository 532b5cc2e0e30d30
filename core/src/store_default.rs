//! What only a comparison with the set before shows about columns: which are new, and which are defaults of the store,
//! by which no flag is withheld (8.17 of SEMANTICS.md).

use crate::aside::Why;
use crate::columns::Cause;
use crate::fingerprint::{Map, Set};
use crate::flag_set::{Fate, FlagSet};
use crate::understood::Column;

impl FlagSet {
    /// Notices both kinds, and lets flags that only such defaults would withhold keep their definitions.
    pub(crate) fn compare_columns(&mut self, before: &FlagSet) {
        let had: Set<&str> = before.reading.columns().iter().map(Column::name).collect();
        self.reading.notice_new(|name| had.contains(name));
        let known: Map<&str, u64> = before.defaults.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let uniform: Map<u32, u64> = self.uniform.iter().map(|cause| (cause.column, cause.value)).collect();
        let mut defaults: Map<u32, u64> = Map::default();
        for (at, column) in (0..).zip(self.reading.others()) {
            let new = || uniform.get(&at).filter(|_| !had.contains(column.name()));
            if let Some(value) = known.get(column.name()).or_else(new) {
                defaults.insert(at, *value);
            }
        }
        if defaults.is_empty() {
            return;
        }
        let mut rows: Map<u32, u64> = Map::default();
        for (id, aside) in &self.set_aside {
            let is_default = |cause: &&Cause| defaults.get(&cause.column) == Some(&cause.value);
            for cause in aside.causes.iter().filter(is_default) {
                *rows.entry(cause.column).or_default() += 1;
            }
            let is_kept =
                aside.unreadable.is_empty() && !aside.twins && aside.causes.iter().all(|cause| is_default(&cause));
            let fate = self.origins.get_mut(id.0 as usize).map(|origin| &mut origin.fate);
            if is_kept && let Some(Fate::SetAside { why: why @ Why::Withheld, .. }) = fate {
                *why = Why::Broken;
            }
        }
        let mut defaults: Vec<(u32, u64)> = defaults.into_iter().collect();
        defaults.sort_unstable();
        for (at, value) in defaults {
            let Some(name) = self.reading.other(at).map(|column| column.name().to_owned()) else { continue };
            if let Some(rows) = rows.get(&at) {
                self.reading.notice_default(&name, *rows);
            }
            self.defaults.push((name, value));
        }
    }
}
