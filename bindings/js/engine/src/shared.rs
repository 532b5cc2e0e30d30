//! Flags that several threads of a process may hold, and what watches them.

use std::ops::Deref;
#[cfg(feature = "guard")]
use std::sync::{Mutex, OnceLock, PoisonError};
#[cfg(feature = "guard")]
use std::time::{Duration, Instant};

use esclusa::Flags;
#[cfg(feature = "guard")]
use esclusa_guard::Guards;

/// Flags in an `Arc` of their own, so that a thread that shares them can tell whether any other still holds them.
#[derive(Debug)]
pub struct Shared {
    flags: Flags,
    #[cfg(feature = "guard")]
    guards: OnceLock<Guards>,
    /// When any thread has judged last.
    #[cfg(feature = "guard")]
    judged: Mutex<Option<Instant>>,
}

impl Shared {
    pub(crate) fn new(flags: Flags) -> Self {
        Shared {
            flags,
            #[cfg(feature = "guard")]
            guards: OnceLock::new(),
            #[cfg(feature = "guard")]
            judged: Mutex::new(None),
        }
    }
}

#[cfg(feature = "guard")]
impl Shared {
    /// The guards of these flags, for all threads that hold them; from the first call on they watch.
    pub(crate) fn guard(&self) -> &Guards {
        self.guards.get_or_init(|| Guards::new(&self.flags))
    }

    /// The guards, if any thread has asked for them.
    #[inline]
    pub(crate) fn guards(&self) -> Option<&Guards> {
        self.guards.get()
    }

    /// Whether no thread has judged for this time; then the caller does.
    pub(crate) fn is_due(&self, after: Duration) -> bool {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = judged.is_none_or(|at| at.elapsed() >= after);
        if is_due {
            *judged = Some(Instant::now());
        }
        is_due
    }
}

impl Deref for Shared {
    type Target = Flags;

    #[inline]
    fn deref(&self) -> &Flags {
        &self.flags
    }
}
