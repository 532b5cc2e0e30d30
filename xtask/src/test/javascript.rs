//! The suites of the JavaScript packages: they install what they need, build, and run the tests of Node.

use super::suite::Outcome;
use super::tools::{Program, Tools};

/// `@esclusa/wasm` in Node, both builds.
pub(super) fn wasm(tools: &Tools) -> Outcome {
    let mut step = tools.step("wasm-package");
    step.install_npm(tools);
    step.run(tools.cargo(["test", "--package", "esclusa-js"]));
    step.run(npm(tools, &["run", "build", "--workspace", "@esclusa/wasm"]));
    step.run(npm(tools, &["run", "check", "--workspace", "@esclusa/js"]));
    step.run(tests(tools, "bindings/wasm/test/*.test.js"));
    for host in ["wasm", "wasm-full"] {
        step.run(tests(tools, "bindings/js/test/*.test.js").env("ESCLUSA_HOST", host));
    }
    step.outcome()
}

/// `@esclusa/node`, native and without its addon, and the example that uses it.
pub(super) fn node(tools: &Tools) -> Outcome {
    let mut step = tools.step("node");
    step.install_npm(tools);
    step.run(npm(tools, &["run", "build", "--workspace", "@esclusa/node"]));
    step.run(tests(tools, "bindings/node/test/*.test.js"));
    step.run(tests(tools, "bindings/node/test/workers.test.js").env("ESCLUSA_ENGINE", "wasm"));
    for host in ["native", "node-wasm"] {
        step.run(tests(tools, "bindings/js/test/*.test.js").env("ESCLUSA_HOST", host));
    }
    step.run(tests(tools, "examples/node/test/*.test.js")).outcome()
}

fn npm(tools: &Tools, arguments: &[&str]) -> Program {
    tools.program("npm").args(arguments.iter().copied())
}

/// Runs test files, which the shell finds, and ends with the line that is counted.
fn tests(tools: &Tools, files: &str) -> Program {
    let command = format!("exec node --test --test-reporter=./bindings/js/test/tally.js {files}");
    tools.program("sh").arg("-c").arg(command)
}
