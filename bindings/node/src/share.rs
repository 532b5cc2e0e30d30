//! Flags that several threads of one process hold: a table of weak references.
//!
//! A worker gets a number by message and finds the flags by it as long as some thread holds them. This is the only
//! state of the process; it holds no flag set, and only sharing and attaching wait for it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use esclusa_js::Shared;

/// The shared flags; a number is an index plus one.
static SHARED: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// The number of these flags, the same for each call; 0 if all numbers are used.
pub(crate) fn share(flags: &Arc<Shared>) -> u32 {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let place = shared.iter().position(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(flags)));
    let place = place.unwrap_or_else(|| {
        // An index is never reused: a number that was sent long ago must not lead to other flags. An entry takes eight
        // bytes, and its target some forty more.
        shared.push(Arc::downgrade(flags));
        shared.len() - 1
    });
    u32::try_from(place + 1).unwrap_or(0)
}

/// The flags of that number, if a thread still holds them.
pub(crate) fn shared(number: u32) -> Option<Arc<Shared>> {
    let place = (number as usize).checked_sub(1)?;
    SHARED.lock().unwrap_or_else(PoisonError::into_inner).get(place)?.upgrade()
}
