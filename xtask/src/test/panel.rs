//! The suite of the panel: it is built, embedded into the tool, and used in Chromium as people use it.

use super::browser::chromium;
use super::server::COMMANDS;
use super::suite::Outcome;
use super::tools::{Program, Tools};

pub(super) fn run(tools: &Tools) -> Outcome {
    let mut step = tools.step("panel");
    if !chromium(tools) {
        return Outcome::Skipped("needs Chromium: `apt-get install -y --no-install-recommends chromium`");
    }
    step.install_npm(tools);
    let folder = tools.root().join("panel");
    step.check("what the panel needs is installed", tools.install_lock(&folder));
    step.run(tools.program("npm").args(["run", "build", "--workspace", "@esclusa/wasm"]));
    let npm = |arguments: &[&str]| {
        tools.program("npm").args(arguments.iter().copied()).in_folder(folder.clone()).env("NO_COLOR", "1")
    };
    step.run(npm(&["run", "check"])).run(npm(&["run", "build"]));
    step.run(tool(tools));
    let loopback = tools.loopback();
    let servers = loopback.clone().unwrap_or_default();
    step.check("there is a Postgres", loopback.map(drop));
    let program = tools.target().join("debug").join(format!("esclusa{}", std::env::consts::EXE_SUFFIX));
    step.run(npm(&["test"]).env("ESCLUSA_PROGRAM", program).env("ESCLUSA_LOOPBACK", servers)).outcome()
}

/// Builds the tool with the panel in it, with the features of the suite `server`, so that little is compiled twice.
fn tool(tools: &Tools) -> Program {
    let packages = ["--package", "esclusa-server", "--package", "esclusa-cli", "--package", "esclusa-sync"];
    let tests = COMMANDS.into_iter().flat_map(|name| ["--test", name]);
    tools.cargo(["test", "--quiet", "--no-run", "--all-features"]).args(packages).args(tests)
}
