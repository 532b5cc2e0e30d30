//! A file is written in place: the value of `enabled`, and no other byte.

use std::path::Path;
use std::time::Instant;

use esclusa::{Value, row};
use esclusa_impact::Document;

use super::{Arguments, Outcome, question};
use crate::desk::{Desk, Trouble};
use crate::history::differences;
use crate::nearest::no_flag;
use crate::source::Place;
use crate::written::Written;

pub(super) fn roll_back(
    arguments: &Arguments,
    place: &Place,
    file: &str,
    desk: &mut Desk<'_>,
) -> Result<Outcome, Trouble> {
    if arguments.to.is_some() {
        return Err(Trouble::new(format!(
            "a file has no earlier states, expected no `--to`, or `git log -p {file}` and `git checkout`"
        )));
    }
    if place.mapping.is_some() {
        return Err(Trouble::new(format!(
            "`{file}` is read by a mapping, so nothing is changed: switch the flag off in its own column"
        )));
    }
    let path = place.folder.join(file);
    let read = |path: &Path| {
        let bytes = std::fs::read(path).map_err(|error| Trouble::new(format!("cannot read `{file}`: {error}")))?;
        String::from_utf8(bytes).map_err(|error| Trouble::new(format!("{file}: {error}")))
    };
    let text = read(&path)?;
    let document =
        |text: &str| Document::from_json(text.as_bytes()).map_err(|error| Trouble::new(format!("{file}: {error}")));
    let old = document(&text)?;
    let flag = arguments.flag.as_str();
    let mut written = Written::new(&text);
    let rows = written.rows_of(flag);
    if rows.is_empty() {
        return Err(Trouble::new(no_flag(file, flag, old.flags().keys().map(String::as_str))));
    }
    for at in rows {
        written.set(at, "enabled", &Value::Bool(false));
    }
    let was_off = old.flags().get(flag).is_some_and(is_off);
    let new_text = if was_off { text.clone() } else { written.into_text() };
    let new = document(&new_text)?;
    if !new.flags().get(flag).is_some_and(is_off) {
        return Err(Trouble::new(format!("{file}: `{flag}` cannot be switched off in place, nothing is changed")));
    }
    let row = |document: &Document| document.flags().get(flag).map(|one| one.row().clone()).unwrap_or_default();
    let changes = vec![(file.to_owned(), differences(&row(&old), &row(&new)))];
    let mut milliseconds = 0;
    if !arguments.dry_run && !was_off {
        desk.confirm(&question(arguments, file), arguments.yes)?;
        let begin = Instant::now();
        // What it leads to is written, not the link.
        let path = std::fs::canonicalize(&path).unwrap_or(path);
        if read(&path)? != text {
            return Err(Trouble::new(format!("`{file}` has changed in between, nothing is changed")));
        }
        desk.write_file(&path, &new_text)?;
        milliseconds = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    }
    let notes = vec!["a file keeps no history: the reason belongs into the message of the commit".to_owned()];
    Ok(Outcome { changes, milliseconds, notes })
}

fn is_off(definition: &esclusa_impact::Definition) -> bool {
    definition.field("enabled").and_then(row::switch) == Some(false)
}
