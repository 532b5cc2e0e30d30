//! How often the random tests came by each thing.

use std::cell::RefCell;
use std::collections::BTreeMap;

#[derive(Default)]
pub(crate) struct Hits(RefCell<BTreeMap<String, BTreeMap<String, u64>>>);

impl Hits {
    pub(crate) fn hit(&self, group: &str, name: &str) {
        let mut groups = self.0.borrow_mut();
        if let Some(count) = groups.get_mut(group).and_then(|names| names.get_mut(name)) {
            *count += 1;
        } else {
            groups.entry(group.to_owned()).or_default().insert(name.to_owned(), 1);
        }
    }

    pub(crate) fn add(&self, other: &Hits) {
        let mut groups = self.0.borrow_mut();
        for (group, names) in other.0.borrow().iter() {
            let own = groups.entry(group.clone()).or_default();
            for (name, count) in names {
                *own.entry(name.clone()).or_default() += count;
            }
        }
    }

    pub(crate) fn count(&self, group: &str, name: &str) -> u64 {
        self.0.borrow().get(group).and_then(|names| names.get(name)).copied().unwrap_or(0)
    }

    /// One line for each group.
    pub(crate) fn table(&self) -> String {
        let groups = self.0.borrow();
        let line = |(group, names): (&String, &BTreeMap<String, u64>)| {
            let names: Vec<String> = names.iter().map(|(name, count)| format!("{name} {count}")).collect();
            format!("{group:>20}: {}", names.join(", "))
        };
        groups.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}
