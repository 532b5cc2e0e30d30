//! `fold` and `side`: several rows of one key, and rows of other tables (M26 to M33), as entries of the mapping.

use crate::columns::{Column, Columns};
use crate::entries::{Scalars, SwitchWords, TimeOptions};
use crate::error::MappingError;
use crate::options::{At, Options};

type Result<T> = std::result::Result<T, MappingError>;

/// A column that holds the id of a unit.
#[derive(Clone, Debug)]
pub(crate) struct By {
    pub(crate) column: Column,
    pub(crate) unit: String,
}

/// `fold`.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    pub(crate) by: Vec<By>,
    pub(crate) kind: Option<Kind>,
    pub(crate) general: Scalars,
    pub(crate) without_general_is_on: bool,
    pub(crate) latest: Option<Column>,
}

/// A column that names the unit of the id in another column.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) column: Column,
    pub(crate) id: Column,
    /// The unit of each word; `None` for the word of the general row.
    pub(crate) units: Vec<(String, Option<String>)>,
}

impl Fold {
    pub(crate) fn of(columns: &mut Columns, at: &At<'_>) -> Result<Self> {
        let mut options = at.options("a table with `by` or `kind`")?;
        let by = bys(columns, &mut options)?;
        let kind = options.get("kind").map(|at| Kind::of(columns, &at)).transpose()?;
        if by.is_empty() && kind.is_none() {
            return Err(MappingError::new(&at.place, "does not fit, expected `by` or `kind`"));
        }
        let general = Scalars::of(options.get("general"))?;
        let without = options.get("without_general").map_or(Ok(0), |at| at.word(&["off", "on"]))?;
        let latest = options.get("latest").map(|at| columns.shared(&at)).transpose()?;
        options.finish()?;
        Ok(Fold { by, kind, general, without_general_is_on: without == 1, latest })
    }
}

fn bys(columns: &mut Columns, options: &mut Options<'_>) -> Result<Vec<By>> {
    let Some(at) = options.get("by") else { return Ok(Vec::new()) };
    let read = |at: &At<'_>| {
        let mut options = at.options("a table with `column` and `as`")?;
        let column = columns.column_of(&mut options)?;
        let unit = unit(&mut options)?;
        options.finish()?;
        Ok(By { column, unit })
    };
    at.list("an array of tables with `column` and `as`")?.iter().map(read).collect()
}

fn unit(options: &mut Options<'_>) -> Result<String> {
    const WANTED: &str = "user, company, plan, role, region or the name of an attribute";
    Ok(options.required("as", WANTED)?.text(WANTED)?.to_owned())
}

impl Kind {
    fn of(columns: &mut Columns, at: &At<'_>) -> Result<Self> {
        let mut options = at.options("a table with `column`, `id` and `as`")?;
        let column = columns.column_of(&mut options)?;
        let id = columns.column(&options.required("id", "the name of a column")?)?;
        let words = options.required("as", "a table that says for each word what unit it is")?.named()?;
        let unit = |(word, at): (&str, At<'_>)| {
            let unit = at.text("user, company, plan, role, region, the name of an attribute, or general")?;
            Ok((word.to_owned(), (unit != "general").then(|| unit.to_owned())))
        };
        let units = words.into_iter().map(unit).collect::<Result<_>>()?;
        options.finish()?;
        Ok(Kind { column, id, units })
    }
}

/// An entry of `side`.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    /// The table; `None` if it is a column of the flags' own rows.
    pub(crate) table: Option<String>,
    pub(crate) column: Option<Column>,
    /// The column of the side's rows that names the flag.
    pub(crate) flag: String,
    /// The column of the flags' rows that it refers to; by default the key.
    pub(crate) to: Option<Column>,
    /// The units, each with the column of the side's rows that holds its id.
    pub(crate) units: Vec<(String, String)>,
    pub(crate) enabled: Option<String>,
    pub(crate) words: SwitchWords,
    pub(crate) from: Option<(String, TimeOptions)>,
    pub(crate) until: Option<(String, TimeOptions)>,
}

impl Side {
    pub(crate) fn of(columns: &mut Columns, at: &At<'_>) -> Result<Self> {
        let mut options = at.options("a table with `table` or `column`, and `as`")?;
        if options.has("table") == options.has("column") {
            return Err(MappingError::new(&at.place, "does not fit, expected exactly one of table and column"));
        }
        if options.has("column") {
            let column = columns.column_of(&mut options)?;
            let units = vec![(unit(&mut options)?, String::new())];
            let words = SwitchWords::of(&mut options)?;
            options.finish()?;
            let (table, to, enabled, from, until) = (None, None, None, None, None);
            return Ok(Side {
                table,
                column: Some(column),
                flag: String::new(),
                to,
                units,
                enabled,
                words,
                from,
                until,
            });
        }
        let name = |options: &mut Options<'_>, name| {
            options.required(name, "the name of a column")?.text("the name of a column").map(str::to_owned)
        };
        let table = Some(name(&mut options, "table")?);
        let flag = name(&mut options, "flag")?;
        let to = options.get("to").map(|at| columns.shared(&at)).transpose()?;
        let mut units = Vec::new();
        if options.has("as") || options.has("id") {
            units.push((unit(&mut options)?, name(&mut options, "id")?));
        }
        if let Some(by) = options.get("by") {
            for at in by.few("an array of tables with `column` and `as`")? {
                let mut options = at.options("a table with `column` and `as`")?;
                units.push((unit(&mut options)?, name(&mut options, "column")?));
                options.finish()?;
            }
        }
        if units.is_empty() {
            return Err(MappingError::new(&at.place, "does not fit, expected `as` and `id`, or `by`"));
        }
        let (enabled, words) = side_switch(&mut options)?;
        let from = side_time(&mut options, "from", false)?;
        let until = side_time(&mut options, "until", true)?;
        options.finish()?;
        Ok(Side { table, column: None, flag, to, units, enabled, words, from, until })
    }
}

fn side_switch(options: &mut Options<'_>) -> Result<(Option<String>, SwitchWords)> {
    let Some(at) = options.get("enabled") else { return Ok((None, SwitchWords::default())) };
    if at.value.as_str().is_some() {
        return Ok((Some(at.text("the name of a column")?.to_owned()), SwitchWords::default()));
    }
    let mut options = at.options(crate::columns::WANTED)?;
    let column = options.required("column", "the name of a column")?.text("the name of a column")?.to_owned();
    let words = SwitchWords::of(&mut options)?;
    options.finish()?;
    Ok((Some(column), words))
}

fn side_time(options: &mut Options<'_>, name: &'static str, ends: bool) -> Result<Option<(String, TimeOptions)>> {
    let Some(at) = options.get(name) else { return Ok(None) };
    if at.value.as_str().is_some() {
        return Ok(Some((at.text("the name of a column")?.to_owned(), TimeOptions::default())));
    }
    let mut options = at.options(crate::columns::WANTED)?;
    let column = options.required("column", "the name of a column")?.text("the name of a column")?.to_owned();
    let times = TimeOptions::of(&mut options, ends)?;
    options.finish()?;
    Ok(Some((column, times)))
}
