//! A file as a target: single fields are written in place, new rows behind the last.

use std::path::PathBuf;

use esclusa::Value;
use esclusa_impact::Kind;

use super::Plan;
use crate::desk::{Desk, Trouble};
use crate::source::Place;
use crate::written::Written;

/// What a file begins with that is not there yet.
const EMPTY: &str = "{\"esclusa\": 1, \"flags\": []}\n";

pub(super) struct File {
    path: PathBuf,
    /// As it was read; none if there is no file.
    found: Option<String>,
    text: String,
}

impl File {
    pub(super) fn read(file: &str, place: &Place) -> Result<Self, Trouble> {
        let path = place.folder.join(file);
        let path = std::fs::canonicalize(&path).unwrap_or(path);
        let found = read(&path)?;
        let text = found.clone().unwrap_or_else(|| EMPTY.to_owned());
        Ok(File { path, found, text })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    pub(super) fn outcome(&self, plan: &Plan) -> Result<Vec<u8>, Trouble> {
        let mut written = Written::new(&self.text);
        for change in plan.changes.iter().filter(|change| change.kind == Kind::Changed) {
            let rows = written.rows_of(&change.key);
            let [row] = rows.as_slice() else {
                return Err(Trouble::new(format!("the target has {} rows of `{}`", rows.len(), change.key)));
            };
            for field in &change.fields {
                written.set(*row, &field.field, field.new.as_ref().unwrap_or(&Value::Null));
            }
        }
        if !plan.rows.is_empty() && !written.add(&plan.rows) {
            return Err(Trouble::new("the target has no rows, expected an array, or a document with `flags`"));
        }
        Ok(written.into_text().into_bytes())
    }

    pub(super) fn write(&self, outcome: &[u8], desk: &Desk<'_>) -> Result<(), Trouble> {
        if read(&self.path)? != self.found {
            return Err(Trouble::new("the target has changed in between, nothing is changed"));
        }
        desk.write_file(&self.path, &String::from_utf8_lossy(outcome))
    }
}

fn read(path: &std::path::Path) -> Result<Option<String>, Trouble> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Trouble::new(format!("cannot read `{}`: {error}", path.display()))),
    }
}
