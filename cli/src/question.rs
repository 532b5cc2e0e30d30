//! A question to flags: where they come from, who asks, and when.

use esclusa::{Context, FlagSet, Time};

use crate::caller::Caller;
use crate::desk::{Desk, Trouble};
use crate::nearest::nearest;
use crate::source::{Reading, Snapshot};

/// The options of a question.
#[derive(Clone, Debug, clap::Args)]
pub struct Question {
    /// A file, -, env:NAME, https://…, postgres://…, redis://…, sqlite:FILE, or a name of esclusa.toml
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: String,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub caller: Caller,
    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub reading: Reading,
}

/// The flags, the caller and the time of a question.
pub(crate) struct Asked {
    pub(crate) set: FlagSet,
    pub(crate) context: Context<'static>,
    pub(crate) now: Time,
    /// What messages call the source.
    name: String,
}

impl Question {
    /// Reads the flags and the caller.
    ///
    /// # Errors
    /// When the caller or the flags cannot be read.
    pub(crate) fn read(&self, desk: &mut Desk<'_>) -> Result<Asked, Trouble> {
        let (context, now) = (self.caller.context(desk)?, self.caller.time(desk)?);
        let snapshot = Snapshot::read(&self.snapshot, &self.reading, desk)?;
        Ok(Asked { set: snapshot.set()?, context, now, name: snapshot.name })
    }
}

impl Asked {
    /// The key, if the flags have it.
    ///
    /// # Errors
    /// When they have not; the message names the nearest key.
    pub(crate) fn known<'k>(&self, flag: &'k str) -> Result<&'k str, Trouble> {
        known(&self.set, flag, &self.name).map(|()| flag)
    }
}

/// Whether flags have one of this key.
///
/// # Errors
/// When they have not; the message names the nearest key.
pub(crate) fn known(set: &FlagSet, flag: &str, name: &str) -> Result<(), Trouble> {
    if set.contains(flag) {
        return Ok(());
    }
    let hint = nearest(flag, set.keys()).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Err(Trouble::new(format!("{name} has no flag `{flag}`{hint}")))
}
