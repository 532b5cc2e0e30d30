//! The suites of `@esclusa/react` and of a real browser: they install what they need, build the packages, and run vitest.

use std::path::Path;

use super::suite::{Outcome, Step};
use super::tools::{Program, Tools};

const CHROMIUM: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

pub(super) fn react(tools: &Tools) -> Outcome {
    let mut step = tools.step("react");
    build(tools, &mut step);
    let check = |package| npm(tools, &["run", "check"], package);
    step.run(check("@esclusa/react")).run(check("esclusa-example-react"));
    step.run(npm(tools, &["test"], "@esclusa/react")).outcome()
}

pub(super) fn browser(tools: &Tools) -> Outcome {
    let mut step = tools.step("browser");
    if !chromium(tools) {
        return Outcome::Skipped("needs Chromium: `apt-get install -y --no-install-recommends chromium`");
    }
    build(tools, &mut step);
    step.run(npm(tools, &["run", "build"], "esclusa-example-react"));
    step.run(npm(tools, &["run", "test:browser"], "@esclusa/react")).outcome()
}

/// Whether there is a Chromium, which is installed if it is not.
pub(super) fn chromium(tools: &Tools) -> bool {
    has_chromium() || tools.install_package("chromium").is_ok() && has_chromium()
}

/// Installs the packages and builds those that the tests import as they are published.
fn build(tools: &Tools, step: &mut Step) {
    step.install_npm(tools);
    step.run(npm(tools, &["run", "build"], "@esclusa/wasm")).run(npm(tools, &["run", "build"], "@esclusa/react"));
}

fn npm(tools: &Tools, command: &[&str], package: &str) -> Program {
    tools.program("npm").args(command.iter().copied()).args(["--workspace", package]).env("NO_COLOR", "1")
}

fn has_chromium() -> bool {
    std::env::var_os("ESCLUSA_CHROMIUM").is_some() || CHROMIUM.iter().any(|place| Path::new(place).exists())
}
