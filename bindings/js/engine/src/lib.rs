//! Esclusa for JavaScript: numbers for frequent calls, JSON for everything else.
//!
//! Native code reads a JavaScript object slowly, and passing a string is expensive. So a [`Host`] keeps flags, keys and
//! contexts in tables and gives out their numbers; the classes that an app sees are written in TypeScript. This crate
//! has no rule about flags, and knows neither Node nor browsers.
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
mod shared;
mod table;

pub use deciding::decide;
pub use host::{ABSENT, Host, NOBODY, NOT_READY, SCRATCH};
#[cfg(feature = "server")]
pub use layering::{layered, switches};
#[cfg(feature = "server")]
pub use mapping::{mapped, mapping, publish_mapped};
pub use publish::{Options, publish};
pub use shared::Shared;
