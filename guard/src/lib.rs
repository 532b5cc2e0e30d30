#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bound;
mod condition;
mod evidence;
mod guard;
mod policy;
mod probability;
mod status;
mod units;
mod window;

pub use bound::{log_bar, worst_case_times};
pub use condition::{Condition, Ledger};
pub use evidence::{Evidence, SPLIT_TIMES, TIMES};
pub use guard::{Guard, Outcome};
pub use policy::{Metric, OnTrip, Policy, PolicyError};
pub use probability::Probability;
pub use status::{Counts, MetricStatus, State, Status, Trip};
pub use units::{Arm, Units};
