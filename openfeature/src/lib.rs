//! Evaluates flags for OpenFeature's SDK; it knows no store.

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod answer;
mod caller;
mod provider;

pub use provider::EsclusaProvider;
