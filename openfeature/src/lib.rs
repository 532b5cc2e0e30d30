//! Answers the questions of OpenFeature's SDK from flags; it knows no store.

#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod answer;
mod caller;
mod provider;

pub use provider::EsclusaProvider;
