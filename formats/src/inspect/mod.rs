//! Inspects a table and proposes a mapping: a line is proposed if names and values agree on it, asked if it can be read
//! in two ways, and left out otherwise.
//!
//! Names in Spanish and Portuguese count too. The result has examples of values, for the user's own terminal.

mod answers;
mod column;
mod ddl;
mod proposing;

use esclusa::{Context, ErrorCode, FlagSet, Reason, Time, Value, rows};

pub use column::InspectedColumn;
pub use ddl::inspect_ddl;

use crate::error::ReadError;
use crate::mapping::Mapping;
use crate::read::read;

/// The inspection of a table, and the mapping that would read it.
#[derive(Clone, Debug)]
pub struct Inspection {
    rows: u64,
    columns: Vec<InspectedColumn>,
    proposals: Vec<Proposal>,
    questions: Vec<Question>,
    today: Outcome,
    outcome: Option<Outcome>,
}

/// A line of a mapping that names and values agree on: it can only name, narrow, or read what would be refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The line, in TOML.
    pub line: String,
    /// Why.
    pub reason: String,
}

/// A question that the table cannot answer: real tables mean both readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The question, in a sentence.
    pub question: String,
    /// The lines of a mapping for each answer, the narrower one first.
    pub answers: Vec<Proposal>,
}

/// The result for the flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Flags that are on for some caller, or may be.
    pub on: usize,
    /// Flags that are off for everyone.
    pub off: usize,
    /// Flags that are withheld, because a value is not read or cannot be read.
    pub withheld: usize,
}

/// Looks at the rows of a document: an array of rows, `flags`, or the table of a bundle that is called `flags` or is the
/// first.
///
/// ```
/// use esclusa_formats::inspect;
/// let inspection = inspect(br#"[{"slug": "crm", "is_active": 1}, {"slug": "inbox", "is_active": 0}]"#)?;
/// assert_eq!(inspection.mapping(), "esclusa_mapping = 1\nname = \"slug\"\nenabled = \"is_active\"\n");
/// assert_eq!((inspection.today().on, inspection.outcome().unwrap().on), (0, 1));
/// # Ok::<(), esclusa_formats::ReadError>(())
/// ```
///
/// # Errors
/// When the bytes are no rows.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, ReadError> {
    let mut table: Option<String> = None;
    let (mut count, mut columns) = (0_u64, Vec::<InspectedColumn>::new());
    let mut numbers = std::collections::HashMap::<String, usize>::new();
    rows(bytes, &mut |name, _, row| {
        let name = name.map(str::to_owned);
        if count == 0 {
            table.clone_from(&name);
        }
        let Value::Object(fields) = row else { return };
        if name != table {
            return;
        }
        count += 1;
        for (name, value) in fields {
            let new = columns.len();
            let at = *numbers.entry(name.to_string()).or_insert(new);
            if at == new {
                columns.push(InspectedColumn::new(name));
            }
            if let Some(column) = columns.get_mut(at) {
                column.add(value);
            }
        }
    })?;
    let (proposals, questions) = proposing::propose(&columns);
    let mut inspection = Inspection {
        rows: count,
        columns,
        proposals,
        questions,
        today: FlagSet::from_json(bytes).map_or(Outcome::default(), |set| Outcome::of(&set)),
        outcome: None,
    };
    let mapping = Mapping::from_toml(&inspection.mapping());
    inspection.outcome = mapping.ok().and_then(|mapping| outcome(bytes, &mapping).ok());
    Ok(inspection)
}

impl Inspection {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The columns, in the order in which they come.
    #[must_use]
    pub fn columns(&self) -> &[InspectedColumn] {
        &self.columns
    }

    /// The proposed lines, which are safe.
    #[must_use]
    pub fn proposals(&self) -> &[Proposal] {
        &self.proposals
    }

    /// The open questions.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The mapping of the proposed lines alone, in TOML.
    #[must_use]
    pub fn mapping(&self) -> String {
        let lines = self.proposals.iter().map(|proposal| format!("{}\n", proposal.line));
        std::iter::once("esclusa_mapping = 1\n".to_owned()).chain(lines).collect()
    }

    /// The result for the flags without a mapping.
    #[must_use]
    pub fn today(&self) -> Outcome {
        self.today
    }

    /// The result with the proposed lines; `None` if the rows are refused with these alone.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }
}

/// What becomes of the flags of rows by a mapping.
///
/// # Errors
/// When the rows are refused.
pub fn outcome(bytes: &[u8], mapping: &Mapping) -> Result<Outcome, ReadError> {
    Ok(Outcome::of(&read(bytes, mapping)?.0))
}

impl Outcome {
    fn of(set: &FlagSet) -> Self {
        let mut outcome = Outcome::default();
        for key in set.keys() {
            let resolution = set.resolve(key, &Context::new("somebody"), Time::from_millis(1_750_000_000_000));
            match (resolution.error_code(), resolution.reason()) {
                (Some(ErrorCode::ParseError), _) => outcome.withheld += 1,
                (_, Reason::Disabled) => outcome.off += 1,
                _ => outcome.on += 1,
            }
        }
        outcome
    }
}
