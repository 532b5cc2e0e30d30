//! The parts of a flag set that are already stored while it is compiled, so that equal parts are stored once.

use hashbrown::HashTable;

use crate::audience::Audience;
use crate::fingerprint::Map;
use crate::flag_set::{SegmentId, Span};
use crate::list::ListBuilder;
use crate::pattern::Automata;
use crate::text_match::SubstringBuilder;

/// The parts that are already stored.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) lists: ListBuilder,
    /// The targets so far, by their fingerprints.
    pub(super) targets: HashTable<(u64, Span, Audience)>,
    /// Segments by key.
    pub(super) segments: Map<String, SegmentId>,
    /// Patterns by their text, so that one that many flags use is kept once.
    pub(super) patterns: Map<String, u32>,
    pub(super) automata: Automata,
    /// What `contains` searches for, by whether case is ignored and the values.
    pub(super) contained: Map<(bool, Vec<String>), u32>,
    pub(super) substrings: SubstringBuilder,
}
