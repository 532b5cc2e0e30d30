//! `esclusa serve`: flags over HTTP. What it does is in `serving`, in builds that have it.

use std::net::SocketAddr;

use clap::ValueEnum;

use crate::desk::{Desk, Findings, Trouble};
use crate::source::Reading;

/// Serve flags over HTTP, and change them: OFREP for any language, snapshots for apps
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  esclusa serve
  esclusa serve flags.json
  esclusa serve sqlite:flags.db
  esclusa serve production --listen 0.0.0.0:4365
  esclusa serve --new-token client

Flags in Postgres, with the migration, and in SQLite can be changed by who has an admin token.
Where nothing is set up, esclusa.db is made in this folder, and a link makes the first admin.
Tokens and the rest of the set-up are in the section [serve] of esclusa.toml.
Exit codes: 0 it was told to stop, 2 it could not begin.")]
pub struct Arguments {
    /// A file, an address, or a name of esclusa.toml; without it `store` of `[serve]`, the only source, or esclusa.db
    #[arg(value_name = "SNAPSHOT")]
    pub source: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs, reason = "clap takes the documentation for the help text of the group")]
    pub reading: Reading,
    /// Where to listen; 127.0.0.1:4365 unless esclusa.toml says otherwise
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Print a new token and the lines about it for esclusa.toml, and serve nothing
    #[arg(long, value_enum, value_name = "KIND")]
    pub new_token: Option<TokenKind>,
}

/// Who a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TokenKind {
    /// A backend: every flag, and snapshots with their rules
    Server,
    /// A page or an app that people can take apart: flags that are marked `client`
    Client,
    /// A collector of usage and outcomes: no flag
    Ingest,
    /// A person or a program that changes flags
    Admin,
}

/// Runs the command.
///
/// # Errors
/// When the source or the set-up cannot be read, or the address is taken.
#[cfg(feature = "serve")]
pub fn run(arguments: &Arguments, desk: &mut Desk<'_>) -> Result<Findings, Trouble> {
    crate::serving::run(arguments, desk)
}

/// Runs the command.
///
/// # Errors
/// Always, in this build.
#[cfg(not(feature = "serve"))]
pub fn run(_: &Arguments, _: &mut Desk<'_>) -> Result<Findings, Trouble> {
    Err(Trouble::new("this build serves nothing, expected one with the feature `serve`"))
}
