//! `cargo xtask test`: runs every suite of the repository and prints one line for each.
//!
//! It installs what the suites need and a fresh machine lacks: the WebAssembly target, and a virtual environment for
//! the reference evaluator. Suites that need a nightly compiler are skipped, with a message, if there is none.

mod browser;
mod fuzz;
mod instructions;
mod javascript;
mod packages;
mod panel;
mod python;
mod server;
mod suite;
mod tool;

use std::process::ExitCode;
use std::time::Instant;

use crate::package::CRATES;
use crate::tools::{self, Tools};
use suite::{Outcome, Suite};

/// All suites, in the order in which they run: first the quick ones that find most.
const SUITES: &[Suite] = &[
    Suite { name: "format", about: "rustfmt finds nothing to change", run: format },
    Suite { name: "lints", about: "clippy finds nothing, in code, tests and examples", run: lints },
    Suite {
        name: "core",
        about: "unit tests, vectors, laws, oracle, reference, corpus, allocations, memory, examples",
        run: core,
    },
    Suite {
        name: "guard",
        about: "the evidence against its vectors and laws, the guard, and its rates in simulation",
        run: guard,
    },
    Suite { name: "impact", about: "who flips, against the engine: every bucket, random callers", run: impact },
    Suite {
        name: "formats",
        about: "mappings: vectors, real tables, laws, and the second implementation in Python",
        run: formats,
    },
    Suite {
        name: "sync",
        about: "every source, against real servers that fail in every way; the OpenFeature provider",
        run: sync,
    },
    Suite { name: "cli", about: "the tool: every command against its transcript, and each advice", run: cli },
    Suite {
        name: "server",
        about: "OFREP and our own clients against `esclusa serve`, with unmodified clients of npm and PyPI, in Chromium too",
        run: server::run,
    },
    Suite { name: "docs", about: "the documentation builds, and its links lead somewhere", run: docs },
    Suite { name: "spec", about: "the reference evaluator passes every vector", run: spec },
    Suite { name: "schemas", about: "vectors, snapshots and example data fit their schemas", run: schemas },
    Suite { name: "features", about: "the core without regular expressions, and without rules", run: features },
    Suite { name: "wasm", about: "the core builds for wasm32-unknown-unknown, with and without regex", run: wasm },
    Suite { name: "demo", about: "the demo, small, and its arguments", run: demo },
    Suite { name: "wasm-package", about: "@esclusa/wasm in Node, both builds", run: javascript::wasm },
    Suite { name: "node", about: "@esclusa/node, native and in WebAssembly, and its example", run: javascript::node },
    Suite { name: "react", about: "gates, hooks, hydration and size of @esclusa/react", run: browser::react },
    Suite { name: "browser", about: "vectors, memory and the React example in Chromium", run: browser::browser },
    Suite { name: "panel", about: "the panel in Chromium, against `esclusa serve` on real databases", run: panel::run },
    Suite {
        name: "python",
        about: "the wheel: vectors, answers, overrides, OpenFeature, types, README, example",
        run: python::run,
    },
    Suite {
        name: "packages",
        about: "crate, wheel and npm packages in empty projects; every host answers alike; the demo",
        run: packages::run,
    },
    Suite {
        name: "instructions",
        about: "what an answer costs, counted under callgrind, is what the record says",
        run: instructions::run,
    },
    Suite { name: "miri", about: "the core's unit tests and publishing under Miri", run: miri },
    Suite { name: "fuzz", about: "each fuzz target on inputs that are the same in every run", run: fuzz::run },
];

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let (flags, arguments): (Vec<&String>, Vec<&String>) = arguments.iter().partition(|name| *name == "--no-install");
    let unknown = arguments.iter().find(|name| !SUITES.iter().any(|suite| suite.name == ***name));
    if let Some(unknown) = unknown {
        eprintln!("`{unknown}` is no suite, expected any of these:");
        for suite in SUITES {
            eprintln!("  {:<14} {}", suite.name, suite.about);
        }
        return ExitCode::from(2);
    }
    let tools = match Tools::find() {
        Ok(tools) if flags.is_empty() => tools,
        Ok(tools) => tools.without_installing(),
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    let (mut passed, mut failed, mut skipped, begin) = (0, 0, 0, Instant::now());
    for suite in SUITES.iter().filter(|suite| arguments.is_empty() || arguments.iter().any(|name| *name == suite.name))
    {
        let outcome = suite.report(&tools);
        match outcome {
            Outcome::Ran(tally) => {
                passed += tally.passed;
                failed += tally.failed;
            }
            Outcome::Skipped(_) => skipped += 1,
        }
    }
    println!("\nall suites: {:.0} s", begin.elapsed().as_secs_f64());
    if skipped > 0 {
        println!("{skipped} suites were left out; the lines above say why");
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn format(tools: &Tools) -> Outcome {
    tools.step("format").run(tools.cargo(["fmt", "--all", "--check"])).outcome()
}

fn lints(tools: &Tools) -> Outcome {
    let lint = |what: &[&str]| {
        let clippy = tools.cargo(["clippy", "--quiet", "--all-targets"]).args(what.iter().copied());
        clippy.args(["--", "--deny", "warnings"])
    };
    let sources = ["--package", "esclusa-sync", "--package", "esclusa-openfeature", "--all-features"];
    tools.step("lints").run(lint(&["--workspace"])).run(lint(&sources)).outcome()
}

fn core(tools: &Tools) -> Outcome {
    let mut step = tools.step("core");
    match tools.python() {
        Ok(python) => {
            let arguments = ["test", "--package", "esclusa", "--no-fail-fast", "--", "--show-output"];
            step.run(tools.cargo(arguments).env("ESCLUSA_PYTHON", python)).outcome()
        }
        Err(problem) => step.fail(&problem),
    }
}

fn guard(tools: &Tools) -> Outcome {
    tools
        .step("guard")
        .run(tools.cargo(["test", "--package", "esclusa-guard", "--all-features", "--no-fail-fast"]))
        .outcome()
}

fn impact(tools: &Tools) -> Outcome {
    tools.step("impact").run(tools.cargo(["test", "--package", "esclusa-impact", "--no-fail-fast"])).outcome()
}

fn formats(tools: &Tools) -> Outcome {
    let mut step = tools.step("formats");
    match tools.python() {
        Ok(python) => {
            let script = tools.root().join("spec/reference/esclusa_reference.py");
            let arguments = ["test", "--package", "esclusa-formats", "--no-fail-fast", "--", "--show-output"];
            let test = tools.cargo(arguments).env("ESCLUSA_PYTHON", &python);
            step.run(test).run(tools.program(&python).arg(script).arg("mapping")).outcome()
        }
        Err(problem) => step.fail(&problem),
    }
}

fn sync(tools: &Tools) -> Outcome {
    let mut step = tools.step("sync");
    if let Err(problem) = tools.stores().and_then(|()| tools.mariadb()) {
        return step.fail(&problem);
    }
    let packages = ["esclusa-sync", "esclusa-loopback", "esclusa-openfeature"];
    let packages = packages.iter().flat_map(|name| ["--package", name]);
    let test = tools.cargo(["test", "--all-features", "--no-fail-fast"]).args(packages);
    step.run(test.args(["--", "--show-output"])).outcome()
}

fn cli(tools: &Tools) -> Outcome {
    // With the features of the suite `sync`, so that common dependencies are compiled once.
    let packages = ["--package", "esclusa-cli", "--package", "esclusa-sync", "--all-features", "--no-fail-fast"];
    let mut step = tools.step("cli");
    if let Err(problem) = tools.stores() {
        return step.fail(&problem);
    }
    // All tests of the tool but those of `serve`; `esclusa-sync` has its own suite.
    let files = std::fs::read_dir(tools.root().join("cli/tests")).into_iter().flatten().flatten();
    let names = files.filter_map(|file| Some(file.file_name().to_string_lossy().strip_suffix(".rs")?.to_owned()));
    let names = names.filter(|name| !server::COMMANDS.contains(&name.as_str()));
    let tests: Vec<String> = names.flat_map(|name| ["--test".to_owned(), name]).collect();
    step.run(tools.cargo(["test", "--lib"]).args(tests.iter().map(String::as_str)).args(packages)).outcome()
}

fn docs(tools: &Tools) -> Outcome {
    let packages = CRATES.iter().flat_map(|name| ["--package", name]);
    let build = tools.cargo(["doc", "--all-features", "--no-deps", "--document-private-items"]).args(packages);
    tools.step("docs").run(build.env("RUSTDOCFLAGS", "--deny warnings")).outcome()
}

fn spec(tools: &Tools) -> Outcome {
    let mut step = tools.step("spec");
    match tools.python() {
        Ok(python) => {
            let script = tools.root().join("spec/reference/esclusa_reference.py");
            let bucket = tools.root().join("spec/reference/bucket.py");
            let one = tools.program(&python).arg(bucket).args(["user-42", "crm_advanced_features"]);
            step.run(tools.program(&python).arg(script).arg("vectors")).run(one).outcome()
        }
        Err(problem) => step.fail(&problem),
    }
}

fn schemas(tools: &Tools) -> Outcome {
    let mut step = tools.step("schemas");
    match tools.python() {
        Ok(python) => step.run(tools.program(&python).arg(tools.root().join("spec/check_schemas.py"))).outcome(),
        Err(problem) => step.fail(&problem),
    }
}

fn features(tools: &Tools) -> Outcome {
    let bare = ["test", "--package", "esclusa", "--no-default-features", "--lib"];
    let without_regex = tools.cargo(bare).args(["--features", "rules", "--test", "without_regex"]);
    let without_rules = tools.cargo(bare).args(["--test", "without_rules", "--test", "audience"]);
    tools.step("features").run(without_regex).run(without_rules).outcome()
}

fn wasm(tools: &Tools) -> Outcome {
    let build = ["build", "--quiet", "--package", "esclusa", "--target", "wasm32-unknown-unknown"];
    let mut step = tools.step("wasm");
    step.run(tools.program("rustup").args(["target", "add", "wasm32-unknown-unknown"]));
    step.run(tools.cargo(build)).run(tools.cargo(build).arg("--no-default-features")).outcome()
}

fn demo(tools: &Tools) -> Outcome {
    tools.step("demo").run(tools.cargo(["test", "--package", "xtask"])).outcome()
}

fn miri(tools: &Tools) -> Outcome {
    if !tools.has(tools.nightly(["--version"])) {
        return Outcome::Skipped("needs a nightly toolchain: `rustup toolchain install nightly`");
    }
    let install = ["component", "add", "miri", "rust-src", "--toolchain", "nightly"];
    if !tools.has(tools.nightly(["miri", "--version"])) && !tools.has(tools.program("rustup").args(install)) {
        return Outcome::Skipped("needs `rustup component add miri rust-src --toolchain nightly`");
    }
    // Without regex: building automata takes minutes under Miri, and the crates that do it run Miri themselves.
    let features = ["--no-default-features", "--features", "rules"];
    let arguments = ["miri", "test", "--package", "esclusa", "--lib", "--test", "publishing"];
    // A target folder of its own: the two compilers would invalidate each other's work.
    let folder = tools.root().join("target/miri");
    tools.step("miri").run(tools.nightly(arguments).args(features).env("CARGO_TARGET_DIR", folder)).outcome()
}
