//! Outcomes: the few different answers that a set gives, each crossing to JavaScript once.
//!
//! A flag serves one of a handful of values for one of a handful of reasons. JavaScript keeps each of them under a
//! number, so that an answer crosses as that number and not as text. Nothing is remembered about a context: every
//! answer is worked out, and only its wording is kept.

use esclusa::{FlagSet, Resolution, Value};

/// What tells one outcome from another while its set is held: where its value and its variant stand, and the rest.
type Identity = (usize, usize, u32);

#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// The address of the set that the numbers are of. The reader holds a set until it has seen the next one, so two
    /// sets that are seen one after the other never have the same.
    set: usize,
    /// The number of the set's first outcome.
    first: u32,
    /// The number of the next outcome.
    next: u32,
    /// Sorted by identity.
    known: Vec<(Identity, u32)>,
    /// The latest new outcome, to be picked up.
    told: String,
}

impl Outcomes {
    /// The number of a resolution of this set. One that was not given out before is put into words.
    #[inline]
    pub(crate) fn number(&mut self, set: &FlagSet, resolution: &Resolution<'_>) -> u32 {
        let address = std::ptr::from_ref(set).addr();
        if address != self.set {
            self.set = address;
            self.first = self.next;
            self.known.clear();
        }
        let identity = identity(resolution);
        match self.known.binary_search_by_key(&identity, |(identity, _)| *identity) {
            Ok(at) => self.known.get(at).map_or(self.next, |(_, number)| *number),
            Err(at) => self.tell(at, identity, resolution),
        }
    }

    #[cold]
    fn tell(&mut self, at: usize, identity: Identity, resolution: &Resolution<'_>) -> u32 {
        let number = self.next;
        self.next = number.wrapping_add(1);
        self.known.insert(at, (identity, number));
        let mut words = resolution.to_value();
        if let Value::Object(fields) = &mut words {
            fields.push(("first".into(), self.first.into()));
        }
        self.told = words.to_string();
        number
    }

    /// The latest new outcome: the resolution as JSON (7.18) with `first`, the number of the first outcome that
    /// still counts.
    ///
    /// Empty if it was picked up already. Whoever asks then has lost one (its stack may have ended in the middle), so
    /// everything is told again.
    pub(crate) fn told(&mut self) -> String {
        if self.told.is_empty() {
            self.first = self.next;
            self.known.clear();
        }
        std::mem::take(&mut self.told)
    }
}

fn identity(resolution: &Resolution<'_>) -> Identity {
    let variant = resolution.variant().map_or(0, |variant| variant.as_ptr().addr());
    let error = resolution.error_code().map_or(0, |error| error as u32 + 1);
    let rest = error << 8 | (resolution.reason() as u32) << 1 | u32::from(resolution.is_enabled());
    (std::ptr::from_ref(resolution.value()).addr(), variant, rest)
}
