//! For people: each finding with the line of the file, by the renderer of rustc.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::desk::{Desk, Trouble};
use crate::lint::finding::{Finding, Severity};
use crate::located::Lines;
use crate::source::Snapshot;

/// A longer line is not shown: a file without line feeds is one line.
const MAX_LINE_BYTES: usize = 1_000;

pub(super) fn print(files: &[(Snapshot, Vec<Finding>)], desk: &mut Desk<'_>) -> Result<(), Trouble> {
    let renderer = if desk.colours { Renderer::styled() } else { Renderer::plain() }.term_width(desk.width);
    for (snapshot, findings) in files {
        let text = String::from_utf8_lossy(&snapshot.bytes);
        let lines = Lines::of(text.as_bytes());
        for finding in findings {
            let group = group(snapshot, &text, &lines, finding);
            desk.print(format_args!("{}\n", renderer.render(&[group])))?;
        }
    }
    let all = || files.iter().flat_map(|(_, findings)| findings);
    let count = |severity| all().filter(|one| one.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let names: Vec<&str> = files.iter().map(|(snapshot, _)| snapshot.name.as_str()).collect();
    match (errors, warnings) {
        (0, 0) => desk.say(format_args!("{}: nothing to object to", names.join(", "))),
        _ => desk.say(format_args!("{}, {}", counted(errors, "error"), counted(warnings, "warning"))),
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn group<'g>(snapshot: &'g Snapshot, text: &'g str, lines: &Lines, finding: &'g Finding) -> Group<'g> {
    let level = if finding.severity == Severity::Error { Level::ERROR } else { Level::WARNING };
    let title = level.primary_title(finding.problem.as_str()).id(finding.code.as_str());
    let Some(bytes) = finding.bytes.clone().filter(|_| snapshot.file.is_some()) else {
        return title.element(Origin::path(place(snapshot, finding)));
    };
    let Range { start, end } = lines.whole(text.as_bytes(), &bytes);
    let from = lines.position(text.as_bytes(), bytes.start);
    let line = text.get(start..end).filter(|line| line.len() <= MAX_LINE_BYTES);
    let Some(line) = line else {
        return title.element(Origin::path(snapshot.name.as_str()).line(from.line).char_column(from.column));
    };
    let label = finding.flag.as_ref().map_or(String::new(), |flag| format!("flag `{flag}`"));
    let annotation = AnnotationKind::Primary.span(bytes.start - start..bytes.end - start).label(label);
    title.element(Snippet::source(line).path(snapshot.name.as_str()).line_start(from.line).annotation(annotation))
}

/// Where something is that is not in a file.
fn place(snapshot: &Snapshot, finding: &Finding) -> String {
    let mut place = snapshot.name.clone();
    if !finding.place.is_empty() {
        place = format!("{place} {}", finding.place);
    }
    if let Some(flag) = &finding.flag {
        place = format!("{place} (flag `{flag}`)");
    }
    place
}
