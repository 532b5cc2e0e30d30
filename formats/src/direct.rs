//! Which columns mostly have the engine's form already.

use crate::entries::{From, ListOptions, Of, ShareOptions, TimeOptions};
use crate::mapping::Plan;
use crate::native::{END, FIRST_TARGET, START};
use crate::row::Direct;

impl Plan {
    /// For each column, how its value moves into a field unchanged, if it may.
    pub(crate) fn direct(&self) -> Vec<Option<Direct>> {
        let mut columns = vec![None; self.columns.names.len()];
        let mut add = |column: &crate::columns::Column, direct| {
            if self.columns.is_read_once(column)
                && let Some(slot) = columns.get_mut(column.root)
            {
                *slot = Some(direct);
            }
        };
        for (target, entry) in self.targets.iter().enumerate() {
            if let Some(Of { column, options }) = entry
                && *options == ListOptions::default()
            {
                add(column, Direct::List(FIRST_TARGET + target));
            }
        }
        for (field, entry) in [(START, &self.start), (END, &self.end)] {
            if let Some(Of { column, options }) = entry
                && *options == TimeOptions::default()
            {
                add(column, Direct::Time(field));
            }
        }
        if let Some(Of { column, options }) = &self.share
            && *options == ShareOptions::default()
        {
            add(column, Direct::Share);
        }
        if let Some(switch) = &self.enabled
            && let From::All(all) = &switch.from
            && let [column] = all.as_slice()
            && switch.words.is_plain()
        {
            add(column, Direct::Switch);
        }
        columns
    }
}
