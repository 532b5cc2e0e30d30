//! A question to flags: where they come from, who asks, and when.

use esclusa::{Context, FlagSet, Time};

use crate::caller::Caller;
use crate::desk::{Desk, Trouble};
use crate::nearest::no_flag;
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
    /// What the source gave.
    pub(crate) snapshot: Snapshot,
}

impl Question {
    /// Reads the flags and the caller.
    ///
    /// # Errors
    /// When the caller or the flags cannot be read.
    pub(crate) fn read(&self, desk: &mut Desk<'_>) -> Result<Asked, Trouble> {
        let (context, now) = (self.caller.context(desk)?, self.caller.time(desk)?);
        let snapshot = Snapshot::read(&self.snapshot, &self.reading, desk)?;
        Ok(Asked { set: snapshot.set()?, context, now, snapshot })
    }
}

impl Asked {
    /// The key, if the flags have it.
    ///
    /// # Errors
    /// When they have not; the message names the nearest key.
    pub(crate) fn known<'k>(&self, flag: &'k str) -> Result<&'k str, Trouble> {
        if self.set.contains(flag) {
            return Ok(flag);
        }
        Err(Trouble::new(no_flag(&self.snapshot.name, flag, self.set.keys())))
    }
}
