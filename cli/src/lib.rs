//! The commands of the tool `esclusa`. This library is for its tests, and may change at any time.
#![forbid(unsafe_code)]

mod arguments;
pub mod assess;
pub mod caller;
#[cfg(feature = "cloud")]
mod cloud;
pub mod code;
pub mod codegen;
pub mod config;
mod desk;
pub mod diff;
pub mod eval;
pub mod explain;
pub mod fmt;
pub mod format;
pub mod guard;
pub mod help;
pub mod history;
pub mod inspect;
pub mod lint;
mod located;
pub mod migrate;
mod nearest;
pub mod people;
mod percent;
mod pipeline;
mod postgres;
pub mod promote;
pub mod question;
pub mod refs;
pub mod rollback;
pub mod schema;
pub mod serve;
#[cfg(feature = "serve")]
mod serving;
pub mod source;
pub mod stale;
pub mod test;
mod words;
mod written;

pub use arguments::{Arguments, Command};
pub use desk::{Desk, Findings, Trouble};
