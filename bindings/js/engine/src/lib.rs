//! What JavaScript sees of Esclusa: numbers for what is used often, JSON for everything else.
//!
//! A JavaScript object that stands for a Rust one is dear to look into from native code, and a string is dear to
//! carry over. So a [`Host`] keeps flags, keys and contexts in tables and gives out their numbers; the classes that
//! an app sees are written in TypeScript. There is no rule about flags here, and nothing that knows Node or a browser.
#![forbid(unsafe_code)]

mod answer;
mod deciding;
mod host;
#[cfg(feature = "server")]
mod layering;
#[cfg(feature = "server")]
mod mapping;
mod outcome;
#[cfg(feature = "server")]
mod plain_object;
#[cfg(feature = "sync")]
mod protocol;
mod publish;
#[cfg(feature = "server")]
mod served;
mod table;

pub use deciding::decide;
pub use host::{ABSENT, Host, NOBODY, NOT_READY, SCRATCH};
#[cfg(feature = "server")]
pub use layering::{layered, switches};
#[cfg(feature = "server")]
pub use mapping::{mapped, mapping, publish_mapped};
pub use publish::{Options, publish};
