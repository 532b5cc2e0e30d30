//! The suite of the server: its own tests, and `esclusa serve` asked by clients that other people wrote.

use std::path::Path;

use super::browser::chromium;
use super::suite::Outcome;
use super::tools::Tools;

/// The files of `cli/tests` that start `esclusa serve`.
pub(super) const COMMANDS: [&str; 2] = ["serve", "serve_edits"];

/// The client for Python, and what asks as a description says.
const PACKAGES: [&str; 2] = ["openfeature-provider-ofrep>=0.3,<0.4", "schemathesis>=4.32,<5"];
const READY: &str = "import openfeature.contrib.provider.ofrep, schemathesis";

pub(super) fn run(tools: &Tools) -> Outcome {
    let mut step = tools.step("server");
    if let Err(problem) = tools.stores() {
        return step.fail(&problem);
    }
    let python = match tools.environment("ofrep", &PACKAGES, READY) {
        Ok(python) => python,
        Err(problem) => return step.fail(&problem),
    };
    step.install_npm(tools);
    let has_chromium = chromium(tools);
    // With the features of the suite `cli`, so that what both take is compiled once.
    let packages = ["--package", "esclusa-server", "--package", "esclusa-cli", "--package", "esclusa-sync"];
    let files = [
        "access",
        "accounts",
        "asking",
        "counting",
        "description",
        "guarded",
        "kept",
        "ofrep",
        "postgres",
        "overview",
        "rights",
        "sessions",
        "snapshots",
        "undoing",
        "usage",
        "writing",
    ];
    let tests = files.into_iter().chain(COMMANDS).flat_map(|name| ["--test", name]);
    let test = tools.cargo(["test", "--all-features", "--no-fail-fast", "--lib"]).args(packages).args(tests);
    let test = test.args(["--", "--show-output"]);
    let test = test.env("ESCLUSA_OFREP_PYTHON", &python).env("ESCLUSA_OFREP_NODE", "node");
    let schemathesis = Path::new(&python).with_file_name("schemathesis");
    let test = test.env("ESCLUSA_SCHEMATHESIS", schemathesis);
    let test = if has_chromium { test.env("ESCLUSA_OFREP_CHROMIUM", "1") } else { test };
    step.run(test).outcome()
}
