//! What is served at one time: a flag set, the snapshot that it was made from, and which of its flags a browser may see.

use std::collections::BTreeSet;
use std::sync::Arc;

use esclusa::{Context, FlagSet, Time, Value};

use crate::definition::{Definition, Definitions, Kind};
use crate::document::Document;
use crate::tap::Found;
use crate::token;

/// Everything that one publish brought.
#[derive(Debug)]
pub(crate) struct Edition {
    pub(crate) set: Arc<FlagSet>,
    pub(crate) document: Arc<Document>,
    /// Sorted by key, so that equal answers are equal bytes, whatever the order of the rows.
    pub(crate) flags: Vec<Flag>,
    /// The current definitions, with the last good ones of flags that are set aside.
    definitions: Arc<Definitions>,
}

/// What is known of a flag besides its answers.
#[derive(Debug)]
pub(crate) struct Flag {
    pub(crate) key: String,
    pub(crate) is_client: bool,
    /// Whether whole numbers are written with a fraction.
    pub(crate) is_float: bool,
}

impl Edition {
    /// That of a set; `set_aside` are keys whose definition is an earlier one.
    pub(crate) fn new(set: Arc<FlagSet>, found: &Found, before: Option<&Edition>, set_aside: &[&str]) -> Self {
        let mut definitions = Arc::clone(&found.definitions);
        for key in set_aside {
            if let Some(earlier) = before.and_then(|before| before.definition(key)) {
                Arc::make_mut(&mut definitions).insert((*key).to_owned(), earlier.clone());
            }
        }
        let client = client_keys(&set);
        let is_float = |key: &str| definitions.get(key).is_some_and(|definition| definition.kind == Kind::Float);
        let keys: BTreeSet<&str> = set.keys().collect();
        let flag = |key: &str| Flag { is_client: client.contains(key), is_float: is_float(key), key: key.to_owned() };
        let flags = keys.into_iter().map(flag).collect();
        Edition { set, document: Arc::clone(&found.document), flags, definitions }
    }

    /// The flags that callers with such a token see.
    pub(crate) fn seen_by(&self, kind: token::Kind) -> impl Iterator<Item = &Flag> {
        self.flags.iter().filter(move |flag| kind.sees_all() || flag.is_client)
    }

    /// A flag that callers with such a token see.
    pub(crate) fn flag(&self, key: &str, kind: token::Kind) -> Option<&Flag> {
        let at = self.flags.binary_search_by(|flag| flag.key.as_str().cmp(key)).ok()?;
        self.flags.get(at).filter(|flag| kind.sees_all() || flag.is_client)
    }

    pub(crate) fn definition(&self, key: &str) -> Option<&Definition> {
        self.definitions.get(key)
    }

    pub(crate) fn revision(&self) -> Option<u64> {
        self.set.revision()
    }
}

/// The keys of the flags that are marked `client`: a client snapshot holds these and no others (10.3).
fn client_keys(set: &FlagSet) -> BTreeSet<String> {
    let snapshot = set.client_snapshot(set.keys(), &Context::anonymous(), Time::from_millis(0));
    let flags = snapshot.get("flags").and_then(Value::as_list).unwrap_or_default();
    flags.iter().filter_map(|flag| flag.get("name")?.as_str().map(str::to_owned)).collect()
}
