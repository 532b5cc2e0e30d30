//! Flags that are set aside: why, and the facts that later publishes and explanations need (section 8 of SEMANTICS.md).

use crate::columns::Cause;
use crate::narrowing::Narrowing;

/// Why a flag is set aside, which decides what it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It serves its kept definition, if it has one.
    Broken,
    /// Its row says that it is off (8.7).
    Killed,
    /// It is off, because a restriction cannot be read or is not read (8.16).
    Withheld,
}

/// The facts of a flag that is set aside.
#[derive(Clone, Debug)]
pub(crate) struct Aside {
    /// Whether its row says `client`.
    pub(crate) client: bool,
    /// Whether its key is in several rows that differ (8.2).
    pub(crate) twins: bool,
    /// The fields of 2.2 that withhold it, because they cannot be read.
    pub(crate) unreadable: Vec<&'static str>,
    /// The columns that withhold it, because they restrict.
    pub(crate) causes: Vec<Cause>,
    /// The restrictions of its row, for its kept definition; `None` once the set is published.
    pub(crate) narrowing: Option<Box<Narrowing>>,
}
