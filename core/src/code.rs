//! What is wrong with a snapshot, as names that do not change (9.9 of SEMANTICS.md): for programs, which must not look at
//! the words.

pub(crate) const TYPE_MISMATCH: &str = "type-mismatch";
pub(crate) const MISSING: &str = "missing";
pub(crate) const REPEATED_FIELD: &str = "repeated-field";
pub(crate) const UNKNOWN_FIELD: &str = "unknown-field";
pub(crate) const UNEXPECTED_FIELD: &str = "unexpected-field";
pub(crate) const CONFLICTING_FIELDS: &str = "conflicting-fields";
pub(crate) const OUT_OF_RANGE: &str = "out-of-range";
pub(crate) const OUT_OF_ORDER: &str = "out-of-order";
pub(crate) const TOO_MANY: &str = "too-many";
pub(crate) const TOO_MUCH_WORK: &str = "too-much-work";
pub(crate) const TOO_DEEP: &str = "too-deep";
pub(crate) const EMPTY: &str = "empty";
pub(crate) const INVALID_KEY: &str = "invalid-key";
pub(crate) const INVALID_REGEX: &str = "invalid-regex";
pub(crate) const INVALID_STATUS: &str = "invalid-status";
pub(crate) const INVALID_SWITCH: &str = "invalid-switch";
pub(crate) const INVALID_TIME: &str = "invalid-time";
pub(crate) const INVALID_VERSION: &str = "invalid-version";
pub(crate) const DUPLICATE_KEY: &str = "duplicate-key";
pub(crate) const DUPLICATE_VARIANT: &str = "duplicate-variant";
pub(crate) const UNKNOWN_FLAG: &str = "unknown-flag";
pub(crate) const UNKNOWN_OPERATOR: &str = "unknown-operator";
pub(crate) const UNKNOWN_SEGMENT: &str = "unknown-segment";
pub(crate) const UNKNOWN_VARIANT: &str = "unknown-variant";
pub(crate) const CYCLE: &str = "cycle";
pub(crate) const RESTRICTION: &str = "restriction-not-read";
pub(crate) const LEFT_OUT: &str = "left-out";
pub(crate) const NOT_A_SNAPSHOT: &str = "not-a-snapshot";
pub(crate) const UNSUPPORTED_VERSION: &str = "unsupported-version";
pub(crate) const NEEDS_MAPPING: &str = "needs-mapping";
pub(crate) const MORE_VIOLATIONS: &str = "more-violations";
