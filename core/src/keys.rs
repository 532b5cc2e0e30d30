//! Unique keys: each object of a list must have its own (2.2.2, 2.2.16, 2.2.18, 2.3.1 of SEMANTICS.md).

use std::borrow::Cow;

use crate::error::{problem, string};
use crate::index::Index;
use crate::reading::Place;

/// The keys of the objects of a list.
#[derive(Default)]
pub(crate) struct Keys<'t> {
    /// The keys that are taken, and the positions of their objects.
    taken: Vec<(Cow<'t, str>, usize)>,
    /// Indexes of the keys, by hash.
    index: Index,
}

impl<'t> Keys<'t> {
    /// Takes a key for the object at this position of the list at `list`.
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

    /// The position of the object with this key.
    pub(crate) fn find(&self, key: &str) -> Option<usize> {
        self.at(self.number(key)?)
    }

    /// The position of the object whose key has this index.
    pub(crate) fn at(&self, number: u32) -> Option<usize> {
        self.taken.get(number as usize).map(|(_, at)| *at)
    }

    fn number(&self, key: &str) -> Option<u32> {
        let is_it = |place: u32| self.taken.get(place as usize).is_some_and(|(other, _)| other == key);
        self.index.find(self.index.hash(key), is_it)
    }

    /// The indexes of the keys, in the order in which they were taken, by their hashes.
    pub(crate) fn into_index(self) -> Index {
        self.index
    }
}
