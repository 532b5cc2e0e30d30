//! The workloads by their names.

use std::str::FromStr;

/// What is evaluated, for whom, and what is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Workload {
    /// One flag.
    One(Context, Callers),
    /// One flag that also targets that many companies.
    Companies(usize),
    /// All of 200 flags for one caller after another.
    All,
    /// A document of 10,000 flags, from its bytes to the first answer.
    Load,
    /// The memory of those flags.
    Memory,
    /// Two threads that evaluate one flag, without a publish and during publishing.
    Threads,
}

/// When a caller is converted to the engine's own form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// In each call.
    Built,
    /// Before the clock runs.
    Prebuilt,
    /// Before the clock runs, and the flag is looked up before it too.
    Key,
}

/// The callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Callers {
    /// Only those who fit.
    Match,
    /// Of whom most do not fit.
    Mix,
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(match name {
            "w1-built-match" => Workload::One(Context::Built, Callers::Match),
            "w1-built-mix" => Workload::One(Context::Built, Callers::Mix),
            "w1-prebuilt-match" => Workload::One(Context::Prebuilt, Callers::Match),
            "w1-prebuilt-mix" => Workload::One(Context::Prebuilt, Callers::Mix),
            "w1-key-match" => Workload::One(Context::Key, Callers::Match),
            "w1-key-mix" => Workload::One(Context::Key, Callers::Mix),
            "w2-1000" => Workload::Companies(1_000),
            "w2-100000" => Workload::Companies(100_000),
            "w3" => Workload::All,
            "w4" => Workload::Load,
            "w4-memory" => Workload::Memory,
            "w5" => Workload::Threads,
            _ => return Err(format!("no workload is called `{name}`")),
        })
    }
}

impl Workload {
    /// How many flags the document has.
    pub(crate) fn flags(self) -> usize {
        match self {
            Workload::One(..) | Workload::Companies(_) | Workload::Threads => 1,
            Workload::All => 200,
            Workload::Load | Workload::Memory => 10_000,
        }
    }

    /// How many companies each flag targets; 0 for any company.
    pub(crate) fn companies(self) -> usize {
        match self {
            Workload::Companies(companies) => companies,
            _ => 0,
        }
    }

    pub(crate) fn callers(self) -> Callers {
        match self {
            Workload::One(_, callers) => callers,
            _ => Callers::Match,
        }
    }
}
