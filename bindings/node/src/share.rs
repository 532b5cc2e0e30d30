//! Flags that several threads of one process hold: a table that keeps none of them alive.
//!
//! A worker gets a number by message and finds the flags under it as long as some thread holds them. This is the only
//! state of the process; it holds no flag set, and nothing waits on it but sharing and attaching.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use esclusa::Flags;

/// The flags that were shared so far; a number is one more than a place.
static SHARED: Mutex<Vec<Weak<Flags>>> = Mutex::new(Vec::new());

/// The number of these flags, the same however often they are shared; 0 if there are more than numbers.
pub(crate) fn share(flags: &Arc<Flags>) -> u32 {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let place = shared.iter().position(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(flags)));
    let place = place.unwrap_or_else(|| {
        // A place is never used again: a number that was sent long ago must not lead to other flags. An entry costs
        // eight bytes, and what it points to some forty more.
        shared.push(Arc::downgrade(flags));
        shared.len() - 1
    });
    u32::try_from(place + 1).unwrap_or(0)
}

/// The flags of that number, if somebody still holds them.
pub(crate) fn shared(number: u32) -> Option<Arc<Flags>> {
    let place = (number as usize).checked_sub(1)?;
    SHARED.lock().unwrap_or_else(PoisonError::into_inner).get(place)?.upgrade()
}
