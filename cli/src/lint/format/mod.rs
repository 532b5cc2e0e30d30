//! How findings are printed: for people, and in the formats of pipelines.

mod human;
mod pipelines;
mod sarif;

use esclusa::Value;

use super::{Finding, Format};
use crate::desk::{Desk, Trouble};
use crate::located::{Lines, Position};
use crate::source::Snapshot;

/// A finding with what a pipeline shows of it: the file, and the position in it.
struct Shown<'f> {
    finding: &'f Finding,
    file: String,
    from: Option<Position>,
    to: Option<Position>,
}

pub(crate) fn print(format: Format, files: &[(Snapshot, Vec<Finding>)], desk: &mut Desk<'_>) -> Result<(), Trouble> {
    if format == Format::Human {
        return human::print(files, desk);
    }
    let folder = desk.folder.clone();
    let shown: Vec<Shown<'_>> =
        files.iter().flat_map(|(snapshot, findings)| shown(snapshot, findings, &folder)).collect();
    let text = match format {
        Format::Json => json(&shown),
        Format::Sarif => sarif::sarif(&shown),
        Format::Github => pipelines::github(&shown),
        Format::Gitlab => pipelines::gitlab(&shown),
        Format::Junit | Format::Human => pipelines::junit(files, &shown)?,
    };
    desk.print(text)
}

fn shown<'f>(snapshot: &Snapshot, findings: &'f [Finding], folder: &std::path::Path) -> Vec<Shown<'f>> {
    let text = String::from_utf8_lossy(&snapshot.bytes);
    let lines = Lines::of(text.as_bytes());
    let position = |byte| lines.position(text.as_bytes(), byte);
    let file = match &snapshot.file {
        Some(file) => file.strip_prefix(folder).unwrap_or(file).to_string_lossy().replace('\\', "/"),
        None => snapshot.name.clone(),
    };
    let shown = |finding: &'f Finding| {
        let bytes = finding.bytes.clone().filter(|_| snapshot.file.is_some());
        let from = bytes.as_ref().map(|bytes| position(bytes.start));
        let to = bytes.as_ref().map(|bytes| position(bytes.end));
        Shown { finding, file: file.clone(), from, to }
    };
    findings.iter().map(shown).collect()
}

fn json(shown: &[Shown<'_>]) -> String {
    let number = |at: usize| Value::from(at as u64);
    let list = shown.iter().map(|one| {
        one.finding.to_value(vec![
            ("file", one.file.clone().into()),
            ("line", one.from.map(|from| number(from.line)).into()),
            ("column", one.from.map(|from| number(from.column)).into()),
        ])
    });
    Value::List(list.collect()).to_json() + "\n"
}
