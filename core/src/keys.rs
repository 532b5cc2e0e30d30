//! Keys that are taken: each object of a list must have its own (2.2.2, 2.2.16, 2.2.18, 2.3.1 of SEMANTICS.md).

use std::borrow::Cow;

use crate::error::{problem, string};
use crate::index::Index;
use crate::reading::Place;

/// The keys of the objects of a list, each of which must be its own.
#[derive(Default)]
pub(crate) struct Keys<'t> {
    /// The keys that are taken, and where the objects stand that have taken them.
    taken: Vec<(Cow<'t, str>, usize)>,
    /// The places of the keys among them, by hash.
    index: Index,
}

impl<'t> Keys<'t> {
    /// Takes a key for the object that stands there in the list at `list`.
    ///
    /// # Errors
    /// The problem, if an earlier object has this key, and the number of that object among those with a key.
    pub(crate) fn take(
        &mut self,
        list: &Place<'_>,
        at: usize,
        key: Cow<'t, str>,
    ) -> Result<(), (u32, Cow<'static, str>)> {
        if let Some(first) = self.number(&key) {
            let place = list.entry(self.at(first).unwrap_or_default());
            let problem = problem(format_args!("{} is taken by `{place}`, expected a key of its own", string(&key)));
            return Err((first, problem));
        }
        self.taken.push((key, at));
        self.index.add(self.taken.len(), |number| self.taken.get(number).map_or("", |(key, _)| key));
        Ok(())
    }

    /// Where the object stands that has taken this key.
    pub(crate) fn find(&self, key: &str) -> Option<usize> {
        self.at(self.number(key)?)
    }

    /// The position of the object that took the key of this number.
    pub(crate) fn at(&self, number: u32) -> Option<usize> {
        self.taken.get(number as usize).map(|(_, at)| *at)
    }

    fn number(&self, key: &str) -> Option<u32> {
        let is_it = |place: u32| self.taken.get(place as usize).is_some_and(|(other, _)| other == key);
        self.index.find(self.index.hash(key), is_it)
    }

    /// The keys as numbers, in the order in which they were taken, by their hashes.
    pub(crate) fn into_index(self) -> Index {
        self.index
    }
}
