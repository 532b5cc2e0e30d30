//! Flags beside the code that names them: what `refs` and `stale` begin with.

use std::collections::BTreeSet;
use std::path::PathBuf;

use esclusa::FlagSet;

use crate::desk::{Desk, Trouble};
use crate::refs::{Reference, find};
use crate::source::{Reading, Snapshot};

/// The options that say which flags, and which code.
#[derive(Clone, Debug, clap::Args)]
pub struct Code {
    /// A file, -, env:NAME, https://…, postgres://…, redis://…, sqlite:FILE, or a name of esclusa.toml
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: String,
    /// Files and folders with code; this folder without them
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// An earlier snapshot: code that names a flag which it had and which is gone is an error
    #[arg(long, value_name = "SNAPSHOT")]
    pub old: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub reading: Reading,
}

/// The flags, and where code names them.
pub(crate) struct Named {
    pub(crate) snapshot: Snapshot,
    pub(crate) set: FlagSet,
    pub(crate) references: Vec<Reference>,
    /// The keys of flags that are gone since the earlier snapshot.
    gone: BTreeSet<String>,
}

impl Code {
    /// Reads the flags, and looks for them in the code.
    ///
    /// # Errors
    /// When a source does not answer or a folder cannot be read.
    pub(crate) fn read(&self, exact: bool, desk: &mut Desk<'_>) -> Result<Named, Trouble> {
        let snapshot = Snapshot::read(&self.snapshot, &self.reading, desk)?;
        let set = snapshot.set()?;
        let old = self.old.as_ref().map(|old| Snapshot::read(old, &self.reading, desk)).transpose()?;
        let old_set = old.as_ref().map(Snapshot::set).transpose()?;
        let gone = old_set.iter().flat_map(FlagSet::keys).filter(|key| !set.contains(key)).map(str::to_owned);
        let gone: BTreeSet<String> = gone.collect();
        let keys: Vec<&str> = set.keys().chain(gone.iter().map(String::as_str)).collect();
        // The flags themselves are no code.
        let left_out: Vec<PathBuf> =
            [Some(&snapshot), old.as_ref()].into_iter().flatten().filter_map(|one| one.file.clone()).collect();
        let references = find(&keys, exact, &self.paths, &left_out, &desk.folder)?;
        Ok(Named { snapshot, set, references, gone })
    }
}

impl Named {
    /// The keys that code names.
    pub(crate) fn keys(&self) -> BTreeSet<&str> {
        self.references.iter().map(|one| one.key.as_str()).collect()
    }

    /// Whether a reference is to a flag that is gone.
    pub(crate) fn is_gone(&self, reference: &Reference) -> bool {
        self.gone.contains(&reference.key)
    }

    /// The references to flags that are gone.
    pub(crate) fn gone(&self) -> Vec<&Reference> {
        self.references.iter().filter(|one| self.is_gone(one)).collect()
    }
}
