//! The formats of pipelines: GitHub's annotations, GitLab's code quality report, and JUnit's XML.

use esclusa::hash;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde_json::json;

use super::Shown;
use crate::desk::Trouble;
use crate::lint::finding::{Finding, Severity};
use crate::pipeline::{data, property};
use crate::source::Snapshot;

/// What stays the same when lines move: the kind, the flag, and the place in it.
pub(super) fn fingerprint(finding: &Finding) -> String {
    let inside = match &finding.flag {
        // The number of a flag changes when another one comes before it.
        Some(_) => finding.place.split('/').filter(|part| part.parse::<usize>().is_err()).collect::<Vec<_>>().join("/"),
        None => finding.place.clone(),
    };
    let flag = finding.flag.as_deref().unwrap_or_default();
    format!("{:016x}", hash(&[finding.code.as_str(), flag, &inside, &finding.problem].join("\n")))
}

/// GitHub reads these lines from the log of a job.
pub(super) fn github(shown: &[Shown<'_>]) -> String {
    let line = |one: &Shown<'_>| {
        let mut line = format!("::{} file={}", one.finding.severity.as_str(), property(&one.file));
        if let Some(from) = one.from {
            line = format!("{line},line={},col={}", from.line, from.column);
        }
        let flag = one.finding.flag.as_ref().map_or(String::new(), |flag| format!("`{flag}`: "));
        let message = data(&format!("{flag}{}", one.finding.problem));
        format!("{line},title=esclusa({})::{message}\n", property(&one.finding.code))
    };
    shown.iter().map(line).collect()
}

pub(super) fn gitlab(shown: &[Shown<'_>]) -> String {
    let one = |one: &Shown<'_>| {
        let severity = if one.finding.severity == Severity::Error { "major" } else { "minor" };
        json!({
            "description": one.finding.problem,
            "check_name": one.finding.code,
            "fingerprint": fingerprint(one.finding),
            "severity": severity,
            "location": {"path": one.file, "lines": {"begin": one.from.map_or(1, |from| from.line)}},
        })
    };
    format!("{}\n", serde_json::Value::from(shown.iter().map(one).collect::<Vec<_>>()))
}

/// A suite for each file; a warning is a case that has passed, with its message as output.
pub(super) fn junit(files: &[(Snapshot, Vec<Finding>)], shown: &[Shown<'_>]) -> Result<String, Trouble> {
    let mut report = quick_junit::Report::new("esclusa lint");
    let mut shown = shown.iter();
    for (snapshot, findings) in files {
        let mut suite = TestSuite::new(snapshot.name.clone());
        for one in shown.by_ref().take(findings.len()) {
            suite.add_test_case(case(one));
        }
        if findings.is_empty() {
            suite.add_test_case(TestCase::new("nothing to object to", TestCaseStatus::success()));
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| Trouble::new(error.to_string()))
}

fn case(one: &Shown<'_>) -> TestCase {
    let finding = one.finding;
    let place = one.from.map_or_else(|| finding.place.clone(), |from| format!("{}:{}", from.line, from.column));
    let text = format!("{}:{place}: {}", one.file, finding.problem);
    let mut status = TestCaseStatus::success();
    if finding.severity == Severity::Error {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(finding.problem.clone()).set_type(finding.code.clone()).set_description(text.clone());
    }
    let name = format!("{} {}", finding.code, finding.flag.as_deref().unwrap_or(&finding.place));
    let mut case = TestCase::new(name.trim_end().to_owned(), status);
    case.set_classname(one.file.clone());
    if finding.severity == Severity::Warning {
        case.set_system_out(text);
    }
    case
}
