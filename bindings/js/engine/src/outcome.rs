//! Outcomes: the few different answers of a set, each transferred to JavaScript once.
//!
//! A flag serves one of a few values for one of a few reasons. JavaScript keeps each outcome under a number, so that an
//! answer is transferred as that number and not as text. Nothing is cached for a context: every answer is evaluated,
//! and only its JSON is kept.

use std::sync::{Arc, Weak};

use esclusa::{FlagSet, Json, Resolution};

/// Identifies an outcome while its set is held: the addresses of its value and its variant, and the rest.
type Identity = (usize, usize, u32);

#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// The set of these numbers. It may be freed, but its address is not reused while this weak reference exists, so no
    /// other set is mistaken for it.
    set: Weak<FlagSet>,
    /// The revision of that set, if it has one.
    revision: Option<u64>,
    /// The number of the set's first outcome.
    first: u32,
    /// The number of the next outcome.
    next: u32,
    /// Sorted by identity.
    known: Vec<(Identity, u32)>,
    /// The latest new outcome and its number, to be taken.
    pending: Option<(u32, String)>,
}

impl Outcomes {
    /// Whether the numbers belong to this set.
    #[inline]
    pub(crate) fn are_of(&self, set: &FlagSet) -> bool {
        std::ptr::eq(self.set.as_ptr(), set)
    }

    /// From here on the numbers belong to this set.
    pub(crate) fn begin(&mut self, set: &Arc<FlagSet>) {
        self.set = Arc::downgrade(set);
        self.revision = set.revision();
        self.forget();
    }

    /// Invalidates all numbers so far.
    fn forget(&mut self) {
        self.first = self.next;
        self.known.clear();
    }

    /// The number of a resolution of the current set, if it was given before.
    #[inline]
    pub(crate) fn known(&self, resolution: &Resolution<'_>) -> Option<u32> {
        let at = self.known.binary_search_by_key(&identity(resolution), |(identity, _)| *identity).ok()?;
        self.known.get(at).map(|(_, number)| *number)
    }

    /// The number of a resolution of the current set. A new one is written as JSON.
    #[inline]
    pub(crate) fn number(&mut self, resolution: &Resolution<'_>) -> u32 {
        let identity = identity(resolution);
        match self.known.binary_search_by_key(&identity, |(identity, _)| *identity) {
            Ok(at) => self.known.get(at).map_or(self.next, |(_, number)| *number),
            Err(at) => self.tell(at, identity, resolution),
        }
    }

    #[cold]
    fn tell(&mut self, at: usize, identity: Identity, resolution: &Resolution<'_>) -> u32 {
        let number = self.next;
        // The greatest two numbers stand for no outcome.
        self.next = (number + 1) % (u32::MAX - 1);
        self.known.insert(at, (identity, number));
        let mut words = Json::default();
        words.object(|json| {
            resolution.write_fields(json);
            json.name("first").whole(i64::from(self.first));
            json.name("revision").maybe(self.revision, |json, revision| json.whole(revision.cast_signed()));
        });
        self.pending = Some((number, words.into_text()));
        number
    }

    /// The latest new outcome, if it has this number: the resolution as JSON (7.18) with `first`, the number of the
    /// first outcome that is still valid, and the revision of the set.
    ///
    /// Empty if it was taken already or another one came after it. Then the caller has lost one (after a stack
    /// overflow), so all outcomes are given again.
    pub(crate) fn take(&mut self, number: u32) -> String {
        match self.pending.take() {
            Some((told, words)) if told == number => words,
            _ => {
                self.forget();
                String::new()
            }
        }
    }
}

fn identity(resolution: &Resolution<'_>) -> Identity {
    let variant = resolution.variant().map_or(0, |variant| variant.as_ptr().addr());
    let error = resolution.error_code().map_or(0, |error| error as u32 + 1);
    let rest = error << 8 | (resolution.reason() as u32) << 1 | u32::from(resolution.is_enabled());
    (std::ptr::from_ref(resolution.value()).addr(), variant, rest)
}
