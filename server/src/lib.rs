//! Serves flags over HTTP: OFREP, OpenFeature's protocol, for any language; snapshots and events for the clients of
//! Esclusa that evaluate by themselves; client snapshots and projections for pages.
//!
//! The flags come from any source of `esclusa-sync`, a table that a team already has among them, and every answer is the
//! engine's. [`Server`] is where to begin; `esclusa serve` runs it.
#![forbid(unsafe_code)]

mod access;
mod accounts;
mod api;
mod body;
mod caller;
mod checked;
mod cors;
mod definition;
mod description;
mod document;
mod edition;
mod health;
mod html;
mod manifest;
mod metrics;
mod ofrep;
mod page;
mod panel;
mod problem;
mod reach;
mod role;
mod routes;
mod server;
mod session;
mod settings;
mod setup;
mod shared;
mod snapshot;
mod stop;
mod store;
mod stream;
mod tag;
mod tap;
mod token;
mod usage;
mod version;

pub use role::Role;
pub use server::Server;
pub use settings::{Settings, SettingsError, UsageSettings};
pub use store::{Store, StoreError};
pub use token::{Kind, Secret, Token, TokenError};
