//! The cell that holds the current flag set, and one reader's view of it.
//!
//! Many threads read it through arc-swap, which no other file names. WebAssembly without threads has one reader at a
//! time: a lock, which never waits there, is a fraction of the code.

#[cfg(not(target_family = "wasm"))]
pub(crate) use several::{Cell, View};
#[cfg(target_family = "wasm")]
pub(crate) use single::{Cell, View};

#[cfg(not(target_family = "wasm"))]
mod several {
    use std::sync::Arc;

    use crate::flag_set::FlagSet;

    pub(crate) type Cell = arc_swap::ArcSwap<FlagSet>;
    pub(crate) type View = arc_swap::Cache<Arc<Cell>, Arc<FlagSet>>;
}

#[cfg(target_family = "wasm")]
mod single {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    use crate::flag_set::FlagSet;

    #[derive(Debug)]
    pub(crate) struct Cell {
        set: Mutex<Arc<FlagSet>>,
        /// Number of swaps, so that a view compares one number.
        swaps: AtomicU32,
    }

    impl Cell {
        pub(crate) fn from_pointee(set: FlagSet) -> Self {
            Cell::from(Arc::new(set))
        }

        pub(crate) fn from(set: Arc<FlagSet>) -> Self {
            Cell { set: Mutex::new(set), swaps: AtomicU32::new(0) }
        }

        #[inline]
        pub(crate) fn load(&self) -> MutexGuard<'_, Arc<FlagSet>> {
            self.set.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn load_full(&self) -> Arc<FlagSet> {
            Arc::clone(&self.load())
        }

        pub(crate) fn swap(&self, set: Arc<FlagSet>) -> Arc<FlagSet> {
            let before = std::mem::replace(&mut *self.load(), set);
            self.swaps.fetch_add(1, Ordering::Relaxed);
            before
        }
    }

    #[derive(Clone, Debug)]
    pub(crate) struct View {
        cell: Arc<Cell>,
        seen: Arc<FlagSet>,
        /// Number of swaps when the set was read.
        swaps: u32,
    }

    impl View {
        pub(crate) fn new(cell: Arc<Cell>) -> Self {
            View { seen: cell.load_full(), swaps: cell.swaps.load(Ordering::Relaxed), cell }
        }

        #[inline(always)]
        pub(crate) fn load(&mut self) -> &Arc<FlagSet> {
            let swaps = self.cell.swaps.load(Ordering::Relaxed);
            if swaps != self.swaps {
                // In this order: if the stack ends in between, the old set is not kept for good.
                self.seen = self.cell.load_full();
                self.swaps = swaps;
            }
            &self.seen
        }
    }
}
