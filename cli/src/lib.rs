//! The commands of the tool `esclusa`. This library is for its tests, and may change at any time.
#![forbid(unsafe_code)]

mod arguments;
pub mod caller;
pub mod codegen;
pub mod config;
mod desk;
pub mod eval;
pub mod explain;
pub mod fmt;
pub mod format;
pub mod help;
pub mod inspect;
pub mod lint;
mod located;
mod nearest;
pub mod question;
pub mod refs;
pub mod schema;
pub mod source;
mod words;

pub use arguments::{Arguments, Command};
pub use desk::{Desk, Findings, Trouble};
