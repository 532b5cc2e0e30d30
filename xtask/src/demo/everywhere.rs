//! The emergency rollback again, in a Postgres, as seen by eight processes of three languages.
//!
//! An example of `esclusa-sync` measures it, and is compiled only for this act.

use super::Problem;
use super::page::Page;
use crate::installed::Installed;
use crate::tools::{Program, Tools};

/// Besides the three processes of the example itself.
const PYTHON: usize = 3;
const NODE: usize = 2;

/// Whether every process saw it; the time depends on the load of the machine, and is shown.
pub(super) fn print(page: &Page) -> Result<bool, Problem> {
    let tools = Tools::find().map_err(Problem::Failure)?;
    if !tools.has_postgres() {
        page.line("Left out: it needs a Postgres to start a private server of, and `initdb` is not found.")?;
        return Ok(true);
    }
    let installed = Installed::found(&tools);
    installed.add_clients().map_err(Problem::Failure)?;
    let scripts = tools.root().join("examples/rollback");
    let [python, node] = [("Python", scripts.join("watch.py")), ("Node", scripts.join("watch.mjs"))]
        .map(|(name, script)| (name, installed.program(name), script.to_string_lossy().into_owned()));
    let processes = std::iter::repeat_n(&python, PYTHON).chain(std::iter::repeat_n(&node, NODE));
    let commands = processes.map(|(name, program, script)| format!("[{name:?}, {program:?}, {script:?}]"));

    let run = ["run", "--quiet", "--package", "esclusa-sync", "--features", "postgres", "--example", "rollback", "--"];
    let conduct = commands.fold(tools.cargo(run), Program::arg);
    let said = tools.must(conduct.in_folder(installed.node().to_path_buf()));
    let (text, is_seen) = match said {
        Ok(text) => (text, true),
        Err(problem) => (problem, false),
    };
    for line in text.lines() {
        page.line(&if line.starts_with("Taken back") { page.strong(line) } else { line.to_owned() })?;
    }
    page.line(&if is_seen {
        page.good("✓ every process saw every rollback, and every one is in the history")
    } else {
        page.bad("✗ not every process saw every rollback")
    })?;
    Ok(is_seen)
}
