//! Keys that are used repeatedly, by the `str` object that names them.
//!
//! An app names its flags with literals, and a literal is the same object in each call. So its key is resolved once,
//! and then found by the object's address, without hashing its text. The object is held, so that no other object gets
//! its address.

use esclusa::Key;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// Number of keys that are remembered; of two whose addresses share a place, at most one is.
const PLACES: usize = 64;

/// How often in a row an address must be seen in its place before its key is remembered: a text that is built for each
/// call may have the same address each time.
const SIGHTINGS: u32 = 32;

/// Keys by the addresses of their `str` objects.
pub(crate) struct Recent(Vec<Place>);

#[derive(Default)]
struct Place {
    known: Option<(Py<PyString>, Key)>,
    /// The last address that was not remembered, and how often in a row it was seen.
    sighted: (usize, u32),
}

impl Recent {
    pub(crate) fn new() -> Self {
        Recent((0..PLACES).map(|_| Place::default()).collect())
    }

    /// The key of a `str` that was used often enough; the caller passes its text, because reading it here could run
    /// Python code.
    #[inline]
    pub(crate) fn find(&mut self, key: &Bound<'_, PyString>, text: &str, flags: &esclusa::Flags) -> Option<&Key> {
        let address = key.as_ptr() as usize;
        // Objects lie at multiples of 16.
        let place = self.0.get_mut((address >> 4 ^ address >> 10) % PLACES)?;
        if !place.known.as_ref().is_some_and(|(known, _)| known.is(key)) {
            place.sight(address, key, text, flags)?;
        }
        place.known.as_ref().map(|(_, key)| key)
    }
}

impl Place {
    /// Counts one more use; `None` if the key is not remembered yet.
    #[cold]
    fn sight(&mut self, address: usize, key: &Bound<'_, PyString>, text: &str, flags: &esclusa::Flags) -> Option<()> {
        let (before, times) = self.sighted;
        self.sighted = (address, if before == address { times + 1 } else { 1 });
        if self.sighted.1 < SIGHTINGS {
            return None;
        }
        self.sighted = (0, 0);
        // The old key is released, and freeing a text runs no Python code.
        self.known = Some((key.clone().unbind(), flags.key(text)));
        Some(())
    }
}
