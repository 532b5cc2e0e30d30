#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod columns;
mod conditions;
mod direct;
mod entries;
mod error;
mod fold;
mod folding;
mod found;
mod given;
mod inspect;
mod mapping;
mod native;
mod options;
mod pass;
mod read;
mod reading;
mod row;
mod rules;
mod specific;
mod stored;
mod translation;
mod understanding;
mod values;
mod variants;

pub use error::{MappingError, ReadError};
pub use inspect::{InspectedColumn, Inspection, Outcome, Proposal, Question, inspect, inspect_ddl, outcome};
pub use mapping::Mapping;
pub use read::{native, read, snapshot};
pub use reading::{LeftOut, Reading};
pub use stored::{Parameters, Stored};
