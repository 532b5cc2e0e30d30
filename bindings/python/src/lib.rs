//! Esclusa for Python: the module `esclusa._native`.
//!
//! It converts, calls the engine and returns; it has no rule about flags, no thread, and no state but the handles that
//! Python owns and the facts about the process (`process`). What is idiomatic Python (sources, their thread, listeners,
//! overrides in tests, error classes) is written in Python, in the package around it.

mod arguments;
mod asking;
mod caller;
mod events;
mod flags;
mod gil_cell;
mod guarding;
mod healing;
mod instant;
mod kinds;
mod layering;
mod mapping;
#[cfg(feature = "noop")]
mod noop;
mod place;
mod process;
mod protocol;
mod publishing;
mod reading;
mod recent;
mod resolution;
mod uuid;
mod writing;

/// The native half of the package `esclusa`; do not import it directly.
#[pyo3::pymodule(name = "_native", gil_used = true)]
mod native {
    #[pymodule_export]
    use crate::caller::Context;
    #[pymodule_export]
    use crate::events::EventReader;
    #[pymodule_export]
    use crate::flags::Flags;
    #[pymodule_export]
    use crate::guarding::{guards_of, listen, names_event, take_trips, tick, track_from_browser, trips_of};
    #[pymodule_export]
    use crate::layering::{decide, layered, revision_of, switches};
    #[pymodule_export]
    use crate::mapping::{Mapping, Stored, brings_mapping};
    #[cfg(feature = "noop")]
    #[pymodule_export]
    use crate::noop::Noop;
    #[pymodule_export]
    use crate::process::{_end, _forked};
    #[pymodule_export]
    use crate::protocol::Protocol;
    #[pymodule_export]
    use crate::resolution::Resolution;

    /// The maximum size of a snapshot in bytes.
    #[pymodule_export]
    const MAX_SNAPSHOT_BYTES: usize = esclusa::limit::MAX_SNAPSHOT_BYTES;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    /// Refuses a second interpreter in one process: Python classes of native code belong to one interpreter.
    ///
    /// Since Python 3.12 the interpreter itself checks this; before that it loads the module and shares its classes.
    #[pymodule_init]
    fn init(_module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        // SAFETY: this thread is attached to an interpreter, which is the current one.
        let interpreter = unsafe { pyo3::ffi::PyInterpreterState_GetID(pyo3::ffi::PyInterpreterState_Get()) };
        if interpreter == 0 {
            return Ok(());
        }
        Err(pyo3::exceptions::PyImportError::new_err("the module does not support loading in subinterpreters"))
    }

    /// XXH3_64 of the text's UTF-8 bytes, seed 0: the hash of units and salts.
    #[pyo3::pyfunction]
    fn hash(text: &str) -> u64 {
        esclusa::hash(text)
    }

    /// The bucket of a unit in a salt, from 0 to 99,999.
    #[pyo3::pyfunction]
    fn bucket(unit: &str, salt: &str) -> u32 {
        esclusa::Bucket::of(unit, salt).number()
    }

    /// The half-open ranges of buckets of these weights.
    #[pyo3::pyfunction]
    #[expect(clippy::needless_pass_by_value, reason = "arguments that are converted arrive by value")]
    fn ranges(weights: Vec<u64>) -> Vec<(u32, u32)> {
        esclusa::ranges(&weights)
    }
}
