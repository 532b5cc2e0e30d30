//! Annotations of GitHub's workflows, and the comment as the summary of the job.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use super::{markdown, words};
use crate::desk::{Desk, Trouble};
use crate::diff::difference::{Difference, FlagDifference};
use crate::located::{Lines, Located};
use crate::pipeline::{data, property};
use crate::source::Snapshot;

pub(super) fn print(difference: &Difference, new: &Snapshot, desk: &mut Desk<'_>) -> Result<(), Trouble> {
    let text = String::from_utf8_lossy(&new.bytes);
    let (located, lines) = (Located::new(&text), Lines::of(text.as_bytes()));
    let place = |flag: Option<&str>| {
        let Some(file) = &new.file else { return String::new() };
        let file = file.strip_prefix(&desk.folder).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let at = flag.and_then(|flag| located.find_text(flag)).map_or_else(String::new, |bytes| {
            let at = lines.position(text.as_bytes(), bytes.start);
            format!(",line={},col={}", at.line, at.column)
        });
        format!("file={}{at},", property(&file))
    };
    let mut printed = String::new();
    for flag in &difference.flags {
        let (place, message) = (place(Some(&flag.flag)), data(&message(flag, difference)));
        printed += &format!("::notice {place}title=esclusa(diff)::{message}\n");
    }
    for failure in &difference.failures {
        let place = place(failure.flag.as_deref());
        let title = property(failure.gate);
        printed += &format!("::error {place}title=esclusa({title})::{}\n", data(&failure.problem));
    }
    desk.print(printed)?;
    match (desk.variable)("GITHUB_STEP_SUMMARY") {
        None => Ok(()),
        Some(file) => append(&desk.folder.join(PathBuf::from(&file)), &markdown::markdown(difference))
            .map_err(|error| Trouble::new(format!("cannot write `{file}`: {error}"))),
    }
}

fn append(file: &std::path::Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new().create(true).append(true).open(file)?.write_all(text.as_bytes())
}

fn message(flag: &FlagDifference, difference: &Difference) -> String {
    let mut parts: Vec<String> = match flag.kind {
        "changed" => flag.fields.iter().map(|field| format!("{}: {}", field.field, words::field(field, 80))).collect(),
        kind => vec![kind.to_owned()],
    };
    if !flag.through.is_empty() {
        parts.push(format!("through {}", flag.through.join(", ")));
    }
    if !flag.reshuffles.is_empty() {
        parts.push("people fall into other buckets".to_owned());
    }
    parts.extend(flag.exactly.iter().flatten().map(|part| part.sentence.clone()));
    parts.extend(difference.people.as_ref().and_then(|people| words::people(flag, people)));
    format!("`{}` {}", flag.flag, parts.join("; "))
}
