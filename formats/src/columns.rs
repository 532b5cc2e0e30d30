//! The columns that a mapping names: each is searched for once in a row, for any number of entries.

use std::collections::HashMap;

use crate::error::{MappingError, quoted};
use crate::options::{At, Options};

type Result<T> = std::result::Result<T, MappingError>;

/// A column, or a field inside its JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The index of its name in [`Columns`].
    pub(crate) root: usize,
    /// The names of the fields to walk into (`at`).
    pub(crate) path: Vec<String>,
}

/// The names of all columns of a mapping, and the entries that read them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
    numbers: HashMap<String, usize>,
    /// The entry that reads a column, by the column and its path.
    readers: HashMap<(usize, Vec<String>), String>,
    paths: Vec<Vec<Vec<String>>>,
}

/// The accepted forms of a column, for messages.
pub(crate) const WANTED: &str = "the name of a column, or a table with `column`";

impl Columns {
    pub(crate) fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len();
        self.names.push(name.to_owned());
        self.paths.push(Vec::new());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    pub(crate) fn name(&self, root: usize) -> &str {
        self.names.get(root).map_or("", String::as_str)
    }

    /// The column as messages name it: with the path inside it.
    pub(crate) fn label(&self, column: &Column) -> String {
        column.path.iter().fold(self.name(column.root).to_owned(), |label, step| label + "." + step)
    }

    /// A column by its name alone or as `{column, at}`; no other entry may read it.
    pub(crate) fn column(&mut self, at: &At<'_>) -> Result<Column> {
        let column = self.shared(at)?;
        self.claim(&column, &at.place)?;
        Ok(column)
    }

    /// The same for an entry whose column others may read too.
    pub(crate) fn shared(&mut self, at: &At<'_>) -> Result<Column> {
        if at.value.as_str().is_some() {
            let root = self.number(at.text(WANTED)?);
            return Ok(self.read(Column { root, path: Vec::new() }));
        }
        let mut options = at.options(WANTED)?;
        let column = self.shared_of(&mut options)?;
        options.finish()?;
        Ok(column)
    }

    /// The column of an entry with options; no other entry may read it.
    pub(crate) fn column_of(&mut self, options: &mut Options<'_>) -> Result<Column> {
        let column = self.shared_of(options)?;
        self.claim(&column, options.place())?;
        Ok(column)
    }

    pub(crate) fn shared_of(&mut self, options: &mut Options<'_>) -> Result<Column> {
        let root = self.number(options.required("column", "the name of a column")?.text("the name of a column")?);
        let steps = options.get("at").map_or(Vec::new(), |at| at.one_or_more());
        let step = |at: At<'_>| at.text("the name of a field, or an array of names").map(str::to_owned);
        let path = steps.into_iter().map(step).collect::<Result<_>>()?;
        Ok(self.read(Column { root, path }))
    }

    fn read(&mut self, column: Column) -> Column {
        if let Some(paths) = self.paths.get_mut(column.root) {
            paths.push(column.path.clone());
        }
        column
    }

    pub(crate) fn claim(&mut self, column: &Column, place: &str) -> Result<()> {
        let earlier = self.readers.insert((column.root, column.path.clone()), place.to_owned());
        match earlier {
            None => Ok(()),
            Some(earlier) => {
                let name = quoted(&self.label(column));
                let problem = format!("reads the column {name}, which {} reads, expected one entry", quoted(&earlier));
                Err(MappingError::new(place, problem))
            }
        }
    }

    /// Whether only one entry reads the column, and reads the whole of it.
    pub(crate) fn is_read_once(&self, column: &Column) -> bool {
        column.path.is_empty() && self.paths.get(column.root).is_some_and(|paths| paths.len() == 1)
    }

    /// The paths inside a column that entries read; empty if all entries read the whole column.
    pub(crate) fn paths(&self, root: usize) -> &[Vec<String>] {
        let paths = self.paths.get(root).map_or(&[][..], Vec::as_slice);
        if paths.iter().all(Vec::is_empty) { &[] } else { paths }
    }
}
