#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bound;
mod condition;
mod durations;
mod estimate;
mod evidence;
mod forecast;
mod guard;
mod guards;
mod judged;
#[cfg(feature = "prometheus")]
mod metrics;
mod outcome;
mod plan;
mod policy;
mod probability;
mod reading;
mod status;
mod tally;
mod trips;
mod units;
mod watched;
mod window;

pub use bound::{log_bar, worst_case_times};
pub use condition::{Condition, Ledger};
pub use durations::Durations;
pub use estimate::{Estimate, Sample, difference, lift};
pub use evidence::{Evidence, SPLIT_TIMES, TIMES};
pub use forecast::{Forecast, Seen, forecast};
pub use guard::Guard;
pub use guards::Guards;
pub use judged::Judged;
pub use outcome::Outcome;
pub use plan::{Plan, plan};
pub use policy::{Metric, OnTrip, Policy, PolicyError};
pub use probability::Probability;
pub use reading::GuardProblem;
pub use status::{Counts, MetricStatus, State, Status, Trip};
pub use trips::{Trips, TripsError};
pub use units::{Arm, Units};
