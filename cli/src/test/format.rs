//! How the results of tests are printed.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value as Json, json};

use super::running::{Failure, Ran};
use super::{File, Format};
use crate::desk::{Desk, Trouble};
use crate::pipeline::{data, property};

pub(super) fn print(format: Format, files: &[File], desk: &mut Desk<'_>) -> Result<(), Trouble> {
    match format {
        Format::Human => human(files, desk),
        Format::Json => desk.print(format_args!("{}\n", object(files))),
        Format::Junit => {
            let text = junit(files).to_string().map_err(|error| Trouble::new(error.to_string()))?;
            desk.print(text)
        }
        Format::Github => desk.print(github(files)),
    }
}

fn failed(files: &[File]) -> impl Iterator<Item = (String, &Ran, &Failure)> {
    files.iter().flat_map(|file| {
        let place = |case: &Ran| format!("{}:{}:{}", path(file), case.line, case.column);
        file.cases.iter().filter_map(move |case| Some((place(case), case, case.failure.as_ref()?)))
    })
}

fn path(file: &File) -> String {
    file.path.to_string_lossy().replace('\\', "/")
}

fn lines(failure: &Failure) -> String {
    let mut lines = format!("  expected  {}\n  got       {}\n", failure.expected, failure.got);
    if let Some(context) = &failure.context {
        lines += &format!("  for       {context}\n");
    }
    if let Some(because) = &failure.because {
        lines += &format!("  because   {because}\n");
    }
    lines
}

fn human(files: &[File], desk: &mut Desk<'_>) -> Result<(), Trouble> {
    for (place, case, failure) in failed(files) {
        let head = format!("{place}: `{}` {}", case.flag, case.name);
        let head =
            if desk.colours { format!("\u{1b}[1m\u{1b}[31mfailed\u{1b}[0m {head}") } else { format!("failed {head}") };
        desk.print(format_args!("{head}\n{}\n", lines(failure)))?;
    }
    let all = files.iter().map(|file| file.cases.len()).sum::<usize>();
    let failed = failed(files).count();
    let asked: usize = files.iter().flat_map(|file| &file.cases).map(|case| case.asked).sum();
    let counted = |count: usize, noun: &str| if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") };
    desk.say(format_args!(
        "{}, {failed} failed ({} in {}, {})",
        format_args!("{} passed", all - failed),
        counted(all, "case"),
        counted(files.len(), "file"),
        counted(asked, "answer")
    ))
}

fn object(files: &[File]) -> Json {
    let case = |case: &Ran| {
        let failure = case.failure.as_ref().map(|failure| {
            let context = failure.context.as_deref().map(|context| serde_json::from_str(context).unwrap_or(Json::Null));
            json!({"expected": failure.expected, "got": failure.got, "context": context, "because": failure.because})
        });
        json!({"name": case.name, "flag": case.flag, "line": case.line, "column": case.column,
            "asked": case.asked, "passed": failure.is_none(), "failure": failure})
    };
    let file = |file: &File| json!({"file": path(file), "cases": file.cases.iter().map(case).collect::<Vec<_>>()});
    let failed = failed(files).count();
    let all = files.iter().map(|file| file.cases.len()).sum::<usize>();
    json!({"files": files.iter().map(file).collect::<Vec<_>>(), "passed": all - failed, "failed": failed})
}

fn junit(files: &[File]) -> Report {
    let mut report = Report::new("esclusa test");
    for file in files {
        let mut suite = TestSuite::new(path(file));
        for case in &file.cases {
            let status = match &case.failure {
                None => TestCaseStatus::success(),
                Some(failure) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(format!("expected {}, got {}", failure.expected, failure.got));
                    status.set_description(format!("{}:{}:{}\n{}", path(file), case.line, case.column, lines(failure)));
                    status
                }
            };
            let mut shown = TestCase::new(case.name.clone(), status);
            shown.set_classname(case.flag.clone());
            suite.add_test_case(shown);
        }
        report.add_test_suite(suite);
    }
    report
}

fn github(files: &[File]) -> String {
    let mut text = String::new();
    for file in files {
        for (case, failure) in file.cases.iter().filter_map(|case| Some((case, case.failure.as_ref()?))) {
            let message = format!("`{}` {}\n{}", case.flag, case.name, lines(failure));
            let (place, message) = (property(&path(file)), data(message.trim_end()));
            text += &format!(
                "::error file={place},line={},col={},title=esclusa(test)::{message}\n",
                case.line, case.column
            );
        }
    }
    text
}
