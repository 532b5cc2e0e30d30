//! The cell that holds the current flag set, and one reader's view of it.
//!
//! Many threads read it through arc-swap, which no other file names. WebAssembly without threads has one reader at a
//! time and needs no such thing: there a lock, which never waits, is a fraction of the code.

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
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    use crate::flag_set::FlagSet;

    #[derive(Debug)]
    pub(crate) struct Cell(Mutex<Arc<FlagSet>>);

    impl Cell {
        pub(crate) fn from_pointee(set: FlagSet) -> Self {
            Cell(Mutex::new(Arc::new(set)))
        }

        #[inline]
        pub(crate) fn load(&self) -> MutexGuard<'_, Arc<FlagSet>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn load_full(&self) -> Arc<FlagSet> {
            Arc::clone(&self.load())
        }

        pub(crate) fn swap(&self, set: Arc<FlagSet>) -> Arc<FlagSet> {
            std::mem::replace(&mut self.load(), set)
        }
    }

    #[derive(Clone, Debug)]
    pub(crate) struct View {
        cell: Arc<Cell>,
        seen: Arc<FlagSet>,
    }

    impl View {
        pub(crate) fn new(cell: Arc<Cell>) -> Self {
            View { seen: cell.load_full(), cell }
        }

        #[inline]
        pub(crate) fn load(&mut self) -> &Arc<FlagSet> {
            if !Arc::ptr_eq(&self.seen, &self.cell.load()) {
                self.seen = self.cell.load_full();
            }
            &self.seen
        }
    }
}
