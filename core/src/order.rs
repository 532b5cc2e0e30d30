//! Order: entries sorted, by code that suits the build. It knows nothing of what it sorts.

use std::collections::BinaryHeap;

use crate::RULES;

/// The entries, sorted. A browser has few, and a heap is a tenth of the code of a sort.
pub(crate) fn sorted<T: Ord>(mut entries: Vec<T>) -> Vec<T> {
    if !RULES {
        return BinaryHeap::from(entries).into_sorted_vec();
    }
    entries.sort_unstable();
    entries
}
