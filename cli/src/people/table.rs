//! People in CSV: the first line names the attributes.

use std::borrow::Cow;
use std::io::{self, BufRead};

use csv::{ErrorKind, ReaderBuilder, StringRecord};
use esclusa::Value;

use super::{Kinds, Show, Tally};

/// Reads a table. The separator is the first of `,`, `;` and tab that the first line has.
pub(super) fn read(
    reader: &mut dyn BufRead,
    line: u64,
    kinds: &Kinds,
    tally: &mut Tally,
    show: &mut Show<'_>,
) -> io::Result<()> {
    let start = reader.fill_buf()?;
    let start = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let separator = *b",;\t".iter().find(|separator| start.contains(separator)).unwrap_or(&b',');
    let mut table = ReaderBuilder::new().delimiter(separator).from_reader(reader);
    let names: Vec<String> = match table.headers() {
        Ok(names) => names.iter().map(|name| name.trim().to_owned()).collect(),
        Err(error) => {
            tally.count(line, Err(said(&error)));
            return Ok(());
        }
    };
    let mut record = StringRecord::new();
    loop {
        match table.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {
                let at = record.position().map_or(0, csv::Position::line) + line - 1;
                let shown = show(&person(&names, &record, kinds));
                tally.count(at, shown);
            }
            Err(error) => {
                let at = error.position().map_or(0, csv::Position::line) + line - 1;
                match error.into_kind() {
                    ErrorKind::Io(error) => return Err(error),
                    kind => tally.count(at, Err(problem(&kind))),
                }
            }
        }
    }
}

fn said(error: &csv::Error) -> String {
    problem(error.kind())
}

fn problem(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::UnequalLengths { expected_len, len, .. } => format!("has {len} columns, expected {expected_len}"),
        ErrorKind::Utf8 { err, .. } => format!("column {} is not UTF-8", err.field() + 1),
        ErrorKind::Io(error) => error.to_string(),
        _ => "cannot be read as CSV".to_owned(),
    }
}

fn person<'p>(names: &'p [String], record: &'p StringRecord, kinds: &Kinds) -> Value<'p> {
    let cells = names.iter().zip(record).filter(|(name, cell)| !name.is_empty() && !cell.is_empty());
    let field = |(name, cell): (&'p String, &'p str)| (Cow::Borrowed(name.as_str()), value(name, cell, kinds));
    Value::Object(cells.map(field).collect())
}

/// What a cell holds: a list where it looks like one, else what the flags compare the attribute with.
fn value<'p>(name: &str, cell: &'p str, kinds: &Kinds) -> Value<'p> {
    if cell.starts_with('[')
        && let Ok(list @ Value::List(_)) = Value::from_json(cell.as_bytes())
    {
        return list;
    }
    if matches!(name, "role" | "roles")
        && let Some(inside) = cell.strip_prefix('{').and_then(|cell| cell.strip_suffix('}'))
    {
        return postgres_array(inside);
    }
    kinds.read(name, cell).unwrap_or(Value::Text(Cow::Borrowed(cell)))
}

/// An array as Postgres prints it, without its braces.
fn postgres_array(inside: &str) -> Value<'static> {
    let mut table = ReaderBuilder::new().has_headers(false).escape(Some(b'\\')).from_reader(inside.as_bytes());
    let cells = table.records().flatten().next().unwrap_or_default();
    Value::List(cells.iter().map(|cell| Value::from(cell.to_owned())).collect())
}
