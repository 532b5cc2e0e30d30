//! The limits of a snapshot, each with its unit and the reason for its value (sections 2 and 5 of SEMANTICS.md).

/// A snapshot's size in bytes: room for 1,000,000 plain flags, and offsets into it fit in 28 bits.
pub const MAX_SNAPSHOT_BYTES: usize = 1 << 28;
/// Maximum depth of arrays and objects: deeper than authors write. With this depth, a condition of
/// [`MAX_CONDITION_DEPTH`] and a chain of [`MAX_PREREQUISITE_CHAIN`] prerequisites, an optimized build takes 88 KiB of
/// stack at most: threads need 128 KiB.
pub const MAX_NESTING_DEPTH: usize = 100;
/// Maximum number of flags in a snapshot, and of segments: a flag's index fits in 20 bits of a pre-resolved key.
pub const MAX_FLAGS: usize = 1_000_000;
/// Bytes of a flag's or segment's key: as many as `VARCHAR(255)` holds, and one more.
pub const MAX_KEY_BYTES: usize = 256;
/// Strings in one list; longer lists belong in a context attribute.
pub const MAX_LIST_ENTRIES: usize = 1_000_000;
/// Violations of one flag or segment that are reported: enough for any reader.
pub const MAX_VIOLATIONS: usize = 1_000;
/// Rules of one flag.
pub const MAX_RULES: usize = 10_000;
/// Variants of one flag.
pub const MAX_VARIANTS: usize = 1_000;
/// Prerequisites in a chain: resolving recurses this deep.
pub const MAX_PREREQUISITE_CHAIN: u32 = 64;
/// Resolutions that the prerequisites of one flag may take, which bounds the cost of a diamond of flags.
pub const MAX_PREREQUISITE_RESOLUTIONS: u64 = 10_000;
/// Parts of conditions that one answer may evaluate: some milliseconds for a context with few values.
pub const MAX_ANSWER_PARTS: u64 = 1_000_000;
/// Parts of conditions that one answer may evaluate for any context: they take microseconds.
pub const MAX_LIGHT_PARTS: u32 = 1_000;
/// Parts of conditions that one answer may evaluate, times the size of the context's largest value in bytes (7.19). A
/// test holds the slowest operator below two seconds.
pub const MAX_ANSWER_WORK: u64 = 100_000_000;
/// Depth of a condition with its segments expanded: matching recurses this deep.
pub const MAX_CONDITION_DEPTH: u32 = 100;
/// Parts of a condition with its segments expanded; bounds the cost as for resolutions of prerequisites.
pub const MAX_CONDITION_PARTS: u64 = 100_000;
/// Bytes of a regular expression.
pub const MAX_REGEX_BYTES: usize = 1_000;
/// Parts of a regular expression with its counted repetitions expanded; the same on every machine, unlike the sizes of
/// compiled automata.
pub const MAX_REGEX_PARTS: u64 = 10_000;
/// Parts of all expressions of a snapshot together: a second or two of compiling, and some 300 MB at most.
pub const MAX_SNAPSHOT_REGEX_PARTS: u64 = 2_000_000;
