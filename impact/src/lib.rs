//! What differs between two sets of flags: the definitions field by field, and **who flips**.
//!
//! - [`Document`] holds the rows of a snapshot, and [`changes`] says which fields differ, and which flags change through a
//!   segment or a prerequisite.
//! - [`exactly`] says who flips without a list of people, where both sides have only columns and a share in the same salt
//!   and unit: as [`Region`]s of attribute values and buckets.
//! - [`Census`] counts who flips among people, by direction and by attribute, with examples.
//!
//! Every answer comes from the engine of [`esclusa`]. Nothing here reads a file, a clock or the network.
//!
//! ```
//! use esclusa::{FlagSet, Time, Value};
//! use esclusa_impact::{Census, Comparison, Options};
//!
//! let old = br#"[{"name": "crm", "enabled": true, "target_plans": ["PREMIUM"]}]"#;
//! let new = br#"[{"name": "crm", "enabled": true, "target_plans": ["PREMIUM", "BASIC"]}]"#;
//! let comparison = Comparison::new(FlagSet::from_json(old)?, FlagSet::from_json(new)?);
//!
//! let options = Options { by: vec!["plan".to_owned()], ..Options::at(Time::from_millis(0)) };
//! let mut census = Census::new(&comparison, options);
//! for person in [r#"{"user": "ana", "plan": "BASIC"}"#, r#"{"user": "eva", "plan": "FREE"}"#] {
//!     census.count(&Value::from_json(person.as_bytes())?)?;
//! }
//! let [crm] = census.flags() else { panic!() };
//! assert_eq!((crm.key(), crm.flips().on, crm.flips().off), ("crm", 1, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod census;
mod change;
mod comparison;
mod dimension;
mod document;
mod exact;
mod flips;
mod group;
mod grouped;
mod interval;
mod merge;
mod past;
mod region;

pub use census::{Census, Example, FlagTally, Options};
pub use change::{Change, FieldChange, Kind, changes};
pub use comparison::{Comparison, Direction, Flip};
pub use document::{Definition, Document};
pub use exact::{NotExact, exactly};
pub use flips::Flips;
pub use group::Group;
pub use grouped::grouped;
pub use interval::wilson;
pub use past::before;
pub use region::{Callers, Constraint, Region};
