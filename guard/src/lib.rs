#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bound;
mod evidence;
mod probability;

pub use bound::{log_bar, worst_case_times};
pub use evidence::{Evidence, SPLIT_TIMES, TIMES};
pub use probability::Probability;
