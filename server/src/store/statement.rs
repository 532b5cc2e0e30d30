//! Statements on the server's own tables, as text that Postgres and SQLite both take but for the names of the tables and the
//! casts to `uuid`.

/// A value that is written or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Text(Option<String>),
    Whole(Option<i64>),
    Is(bool),
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Cell::Text(Some(text.into()))
    }

    /// A text that was read.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Cell::Text(text) => text.as_deref(),
            _ => None,
        }
    }

    /// A whole number that was read.
    pub(crate) fn as_whole(&self) -> Option<i64> {
        match self {
            Cell::Whole(whole) => *whole,
            _ => None,
        }
    }

    /// SQLite has no booleans.
    pub(crate) fn is(&self) -> bool {
        matches!(self, Cell::Is(true) | Cell::Whole(Some(1)))
    }
}

/// A row that was read.
pub(crate) type Cells = Vec<Cell>;

/// What is asked, or written.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    sql: &'static str,
    pub(super) cells: Vec<Cell>,
}

impl Statement {
    /// In the words of Postgres; the values come first in the order of their numbers, and each table is
    /// `esclusa_server.name`.
    pub(crate) fn new(sql: &'static str, cells: Vec<Cell>) -> Self {
        Statement { sql, cells }
    }

    /// Whether it changes nothing.
    #[cfg(feature = "sqlite")]
    pub(super) fn only_reads(&self) -> bool {
        self.sql.starts_with("SELECT")
    }

    pub(super) fn for_postgres(&self) -> &'static str {
        self.sql
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn for_sqlite(&self) -> String {
        self.sql
            .replace("esclusa_server.", "esclusa_")
            .replace("::text::uuid", "")
            .replace("::text", "")
            .replace("FOR UPDATE", "")
    }
}
