//! Esclusa answers "is this feature on for this user of this company?" in nanoseconds, from a compiled flag set that
//! is swapped while threads read it.
//!
//! ```
//! use esclusa::{Context, FlagSet, Flags};
//!
//! let flags = Flags::new();                                   // answers defaults until something is published
//! let report = flags.publish(FlagSet::from_json(br#"{
//!     "esclusa": 1,
//!     "revision": 42,
//!     "flags": [{"name": "crm_advanced_features", "enabled": true, "target_plans": ["PREMIUM", "ENTERPRISE"]}]
//! }"#)?);
//! assert!(report.set_aside().is_empty());
//!
//! let context = Context::new("user-42").company("acme").plan("PREMIUM").role("ADMIN").region("CO");
//! if flags.is_enabled("crm_advanced_features", &context) {
//!     println!("welcome to the new CRM");
//! }
//!
//! let set = flags.current();                                  // one set for a whole request
//! let resolution = set.resolve("crm_advanced_features", &context, std::time::SystemTime::now());
//! assert_eq!(resolution.reason().as_str(), "TARGETING_MATCH");
//! println!("{}", set.explain("crm_advanced_features", &context, std::time::SystemTime::now()));
//! # Ok::<(), esclusa::SnapshotError>(())
//! ```
//!
//! What a snapshot means, sentence by sentence, is in `spec/SEMANTICS.md`.
#![forbid(unsafe_code)]

mod answer;
mod aside;
mod audience;
mod bucket;
mod client_snapshot;
mod code;
mod columns;
mod compilation;
mod condition;
mod context;
mod current;
mod definition;
mod error;
mod explain;
mod field;
mod fingerprint;
mod flag_set;
mod flags;
mod graph;
mod guard;
mod guarded;
mod index;
mod json;
mod kept;
mod keys;
pub mod limit;
mod list;
mod narrowing;
mod next_change;
mod number;
mod operator;
mod order;
mod pattern;
mod place;
mod projection;
mod reading;
mod report;
mod resolution;
mod resolve;
pub mod row;
mod rows;
mod rule_index;
mod snapshot;
mod split;
mod store_default;
mod switching;
pub mod sync;
mod text;
mod text_match;
mod time;
mod trips;
mod typed_key;
mod understood;
mod validation;
mod value;
mod version;
mod whole;
mod work;
mod writing;

/// Whether this build has rules, segments and prerequisites.
const RULES: bool = cfg!(feature = "rules");

/// Whether short texts and lists are looked for in ways of their own. Without rules everything is small and asked by one
/// person, and the way that is the least code will do.
const KINDS: bool = RULES;

/// Whether this build says what is wrong with a value, and not only where.
const MESSAGES: bool = cfg!(feature = "messages");

pub use bucket::{BUCKETS, Bucket, hash};
pub use compilation::Builder;
pub use context::{Context, ContextError};
pub use error::{SnapshotError, Violation};
pub use explain::{Explanation, Outcome as StepOutcome, Step};
pub use flag_set::{FlagSet, Kept};
pub use flags::{FlagKey, Flags, Key, Reader};
pub use guarded::Guarded;
pub use projection::{Projected, Projection};
pub use report::{Outcome, Report, SetAside};
pub use resolution::{ErrorCode, Reason, Resolution};
pub use resolve::arm::Arm;
pub use rows::{ShowRow, mapping_of, rows};
pub use split::ranges;
pub use time::Time;
pub use trips::Trip;
pub use typed_key::{FlagValue, TypedKey};
pub use understood::{Column, Notice, Reading};
pub use value::{MAX_INTEGER, Value};
pub use writing::Json;
