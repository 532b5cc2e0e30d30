//! Everything there is to object to in one snapshot: violations, columns that are not read, notices, and advice.

use esclusa::{Flags, SnapshotError, Time, Violation};
use esclusa_formats::ReadError;

use super::advice::{self, Notes};
use super::document::Document;
use super::finding::{Finding, Severity};
use super::{Level, Levels};
use crate::located::{Located, byte_at};
use crate::source::Snapshot;

/// The findings of a snapshot, in the order of the file, errors first at one place.
pub(crate) fn check(snapshot: &Snapshot, levels: &Levels, now: Time) -> Vec<Finding> {
    // Both read the whole text, so each has a thread.
    let (published, (document, advised)) = std::thread::scope(|scope| {
        let advised = scope.spawn(|| {
            let document = Document::of(snapshot);
            let findings = advise(&document, levels, now);
            (document, findings)
        });
        let published = snapshot.compile().map(|set| Flags::new().publish_accepting_older(set));
        (published, advised.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let mut findings = match published {
        Err(error) => vec![refused(&error, snapshot)],
        Ok(report) => {
            let mut findings: Vec<Finding> = report.violations().iter().map(violation).collect();
            columns(&report, levels, &mut findings);
            // The places of mapped rows are not those of the flags, and their messages name the flag.
            if snapshot.mapping.is_none() {
                name_flags(&document, &mut findings);
            }
            findings.extend(advised);
            findings
        }
    };
    locate(snapshot, &mut findings);
    findings.sort_by_key(|one| (one.bytes.clone().map_or(usize::MAX, |bytes| bytes.start), one.severity));
    findings
}

fn finding(code: &str, severity: Severity, problem: String, place: &str) -> Finding {
    Finding { code: code.to_owned(), severity, problem, place: place.to_owned(), flag: None, bytes: None }
}

fn violation(violation: &Violation) -> Finding {
    finding(violation.code(), Severity::Error, violation.problem().to_owned(), violation.place())
}

/// Why the whole is refused.
fn refused(error: &ReadError, snapshot: &Snapshot) -> Finding {
    match error {
        ReadError::Snapshot(SnapshotError::Json(message)) => {
            let mut found = finding(error.code(), Severity::Error, message.clone(), "");
            if let Some((line, column, problem)) = position(message) {
                found.problem = problem.to_owned();
                let text = String::from_utf8_lossy(&snapshot.bytes);
                let at = byte_at(&text, line, column);
                found.bytes =
                    Some(at..text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |one| at + one.len_utf8()));
            }
            found
        }
        ReadError::Snapshot(SnapshotError::Document(one)) => violation(one),
        other => finding(other.code(), Severity::Error, other.to_string(), ""),
    }
}

/// `line 3, column 7: problem`.
fn position(message: &str) -> Option<(usize, usize, &str)> {
    let (line, rest) = message.strip_prefix("line ")?.split_once(", column ")?;
    let (column, problem) = rest.split_once(": ")?;
    Some((line.parse().ok()?, column.parse().ok()?, problem))
}

/// Columns that are not read, and what the engine noticed.
fn columns(report: &esclusa::Report, levels: &Levels, findings: &mut Vec<Finding>) {
    let reading = report.reading();
    let mut add = |code: &str, level: Level, problem: String| {
        if let Some(severity) = levels.severity(code, level) {
            findings.push(finding(code, severity, problem, ""));
        }
    };
    for column in reading.columns() {
        let (name, why) = (column.name(), column.why().unwrap_or_default());
        // What one withholds is a violation of its flag.
        if column.withheld() == 0
            && column.read_as().is_none()
            && matches!(why, "not read" | "looks like a restriction")
        {
            add("unread-column", Level::Warn, format!("column `{name}` is not read: map it, or ignore it"));
        }
    }
    for notice in reading.notices().iter().filter(|notice| notice.code() != "new-column") {
        add(notice.code(), Level::Warn, notice.problem().to_owned());
    }
}

/// Says which flag a violation is about.
fn name_flags(document: &Document<'_>, findings: &mut [Finding]) {
    for found in findings {
        found.flag = document.flag_at(&found.place).map(|flag| flag.key.clone());
    }
}

fn advise(document: &Document<'_>, levels: &Levels, now: Time) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in advice::all() {
        let Some(severity) = levels.severity(rule.name, rule.level) else { continue };
        let Some(check) = rule.check else { continue };
        let mut notes = Notes::default();
        check(document, now, &mut notes);
        findings.extend(
            notes
                .notes
                .into_iter()
                .map(|note| Finding { flag: note.flag, ..finding(rule.name, severity, note.problem, &note.place) }),
        );
    }
    findings
}

/// Finds the bytes of every place. Of rows that a mapping reads, a flag stands where its key does.
fn locate(snapshot: &Snapshot, findings: &mut [Finding]) {
    if snapshot.file.is_none() || findings.iter().all(|one| one.bytes.is_some()) {
        return;
    }
    let Ok(text) = std::str::from_utf8(&snapshot.bytes) else { return };
    let located = Located::new(text);
    for found in findings.iter_mut().filter(|found| found.bytes.is_none()) {
        let is_advice = advice::all().any(|rule| rule.name == found.code);
        found.bytes = match (&snapshot.mapping, &found.flag) {
            (Some(_), Some(flag)) if is_advice => located.find_text(flag),
            _ if found.place.is_empty() => None,
            _ => located.find(&found.place),
        };
    }
}
