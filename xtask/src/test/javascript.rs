//! The suites of the JavaScript packages: they install what they need, build, and run the tests of Node.

use super::suite::{Outcome, Step};
use super::tools::{Program, Tools};

/// Tells by its exit code whether what the lock file asks for is what is installed; `npm ci` would install it anew
/// each time, and would need the network for that.
const IS_INSTALLED: &str = "
    const read = (file) => JSON.parse(require('fs').readFileSync(file, 'utf8')).packages;
    const [wanted, there] = [read('package-lock.json'), read('node_modules/.package-lock.json')];
    const isMissing = ([path, { version, optional }]) =>
        path.startsWith('node_modules/') && version && !optional && there[path]?.version !== version;
    process.exit(Object.entries(wanted).some(isMissing) ? 1 : 0);";

/// `@esclusa/wasm` in Node, both builds.
pub(super) fn wasm(tools: &Tools) -> Outcome {
    let mut step = tools.step("wasm-package");
    install(tools, &mut step);
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
    install(tools, &mut step);
    step.run(npm(tools, &["run", "build", "--workspace", "@esclusa/node"]));
    step.run(tests(tools, "bindings/node/test/*.test.js"));
    step.run(tests(tools, "bindings/node/test/workers.test.js").env("ESCLUSA_ENGINE", "wasm"));
    for host in ["native", "node-wasm"] {
        step.run(tests(tools, "bindings/js/test/*.test.js").env("ESCLUSA_HOST", host));
    }
    step.run(tests(tools, "examples/node/test/*.test.js")).outcome()
}

/// Installs the npm packages and the WebAssembly target, unless they are there.
pub(super) fn install(tools: &Tools, step: &mut Step) {
    if !tools.has(tools.program("node").args(["--eval", IS_INSTALLED])) {
        step.run(npm(tools, &["ci", "--no-audit", "--no-fund"]));
    }
    step.run(tools.program("rustup").args(["target", "add", "wasm32-unknown-unknown"]));
}

fn npm(tools: &Tools, arguments: &[&str]) -> Program {
    tools.program("npm").args(arguments.iter().copied())
}

/// Runs test files, which the shell finds, and ends with the line that is counted.
fn tests(tools: &Tools, files: &str) -> Program {
    let command = format!("exec node --test --test-reporter=./bindings/js/test/tally.js {files}");
    tools.program("sh").arg("-c").arg(command)
}
