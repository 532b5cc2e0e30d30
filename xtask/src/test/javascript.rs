//! The suites of the JavaScript packages: they install what they need, build, and run the tests of Node.

use std::path::{Path, PathBuf};

use super::suite::{Outcome, Step};
use super::tools::{Program, Tools};

/// `@esclusa/wasm` in Node, all builds.
pub(super) fn wasm(tools: &Tools) -> Outcome {
    let mut step = tools.step("wasm-package");
    step.install_npm(tools);
    step.run(tools.cargo(["test", "--package", "esclusa-js", "--all-features"]));
    step.run(npm(tools, &["run", "build", "--workspace", "@esclusa/wasm"]));
    step.run(npm(tools, &["run", "check", "--workspace", "@esclusa/js"]));
    let loopback = loopback(tools, &mut step);
    step.run(tests(tools, "bindings/wasm/test/*.test.js"));
    for host in ["wasm", "wasm-sync", "wasm-full"] {
        step.run(with(&loopback, tests(tools, "bindings/js/test/*.test.js")).env("ESCLUSA_HOST", host));
    }
    step.outcome()
}

/// `@esclusa/node`, native and without its addon, and the example that uses it.
pub(super) fn node(tools: &Tools) -> Outcome {
    let mut step = tools.step("node");
    step.install_npm(tools);
    step.run(npm(tools, &["run", "build", "--workspace", "@esclusa/node"]));
    let loopback = loopback(tools, &mut step);
    step.run(with(&loopback, tests(tools, "bindings/node/test/*.test.js")));
    let both =
        ["workers", "sources", "track", "track-handler"].map(|name| format!("bindings/node/test/{name}.test.js"));
    step.run(with(&loopback, tests(tools, &both.join(" "))).env("ESCLUSA_ENGINE", "wasm"));
    for host in ["native", "node-wasm"] {
        step.run(with(&loopback, tests(tools, "bindings/js/test/*.test.js")).env("ESCLUSA_HOST", host));
    }
    step.run(tests(tools, "examples/node/test/*.test.js")).outcome()
}

/// The program with the faulty servers.
fn loopback(tools: &Tools, step: &mut Step) -> PathBuf {
    let built = tools.loopback();
    let program = built.clone().unwrap_or_default();
    step.check("there are servers that misbehave on command, a Postgres and a Redis", built.map(drop));
    program
}

fn with(loopback: &Path, tests: Program) -> Program {
    tests.env("ESCLUSA_LOOPBACK", loopback)
}

fn npm(tools: &Tools, arguments: &[&str]) -> Program {
    tools.program("npm").args(arguments.iter().copied())
}

/// Runs test files, which the shell finds, and prints the line that is counted at the end.
fn tests(tools: &Tools, files: &str) -> Program {
    let command = format!("exec node --test --test-reporter=./bindings/js/test/tally.js {files}");
    tools.program("sh").arg("-c").arg(command)
}
