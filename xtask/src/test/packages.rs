//! The suite of the packages: built as for a release, installed into empty projects, and called there; every host, the
//! browser included, must give the engine's answers byte by byte.

use std::fs;
use std::path::Path;

use super::suite::{Outcome, Step};
use crate::installed::{Host, Installed};
use crate::package::{CRATES, targets, version};
use crate::tools::Tools;

pub(super) fn run(tools: &Tools) -> Outcome {
    let mut step = tools.step("packages");
    // The demo builds and installs them.
    let demo = ["run", "--quiet", "--package", "xtask", "--", "demo", "--users", "2000", "--companies", "50"];
    step.run(tools.cargo(demo));
    let triples = tools.root().join("target/suites/triples");
    let make = ["test", "--quiet", "--package", "esclusa", "--test", "triples", "--", "--show-output"];
    step.run(tools.cargo(make).env("ESCLUSA_TRIPLES", &triples));
    let make = ["test", "--quiet", "--package", "esclusa-formats", "--test", "triples", "--", "--show-output"];
    step.run(tools.cargo(make).env("ESCLUSA_TRIPLES", &triples));
    ask(tools, &mut step, &triples, "", "20,000 triples as the engine does");
    ask(tools, &mut step, &triples, "mapped-", "20,000 triples of mapped rows as `esclusa-formats` does");
    let bundlers = tools.root().join("bindings/bundlers/run.js");
    let folder = tools.root().join("target/installed/bundlers");
    step.run(tools.program("node").arg(bundlers).arg(tools.root().join("target/packages")).arg(folder));
    crates_in_an_empty_project(tools, &mut step);
    super::tool::run(tools, &mut step);
    step.check("everything has one version", one_version(tools));
    step.check("the targets of a release stand in one list", one_list(tools));
    step.outcome()
}

/// Runs the questions of a folder on every host.
fn ask(tools: &Tools, step: &mut Step, triples: &Path, kind: &str, what: &str) {
    let file = |name: &str| triples.join(format!("{kind}{name}.jsonl"));
    let answers = match fs::read_to_string(file("answers")) {
        Ok(answers) => answers,
        Err(problem) => return step.check("the triples are there", Err(problem.to_string())),
    };
    let installed = Installed::found(tools);
    for host in Host::ALL {
        let given = installed.ask(host, &file("questions"));
        step.check(&format!("{} answers {what}", host.name()), same(given, &answers));
    }
    let given = chromium(tools, &file("questions"), &file("chromium"));
    step.check(&format!("Chromium answers {what}"), same(given, &answers));
}

fn chromium(tools: &Tools, questions: &Path, file: &Path) -> Result<String, String> {
    let script = tools.root().join("bindings/react/browser/chromium-triples.mjs");
    tools.must(tools.program("node").arg(script).arg(questions).arg(file))?;
    fs::read_to_string(file).map_err(|problem| problem.to_string())
}

/// Nothing, or the first line that differs.
fn same(given: Result<String, String>, expected: &str) -> Result<(), String> {
    let given = given?;
    if given == expected {
        return Ok(());
    }
    let lines = given.lines().zip(expected.lines());
    Err(match lines.enumerate().find(|(_, (given, expected))| given != expected) {
        Some((at, (given, expected))) => format!("answer {}: {given}, expected {expected}", at + 1),
        None => format!("{} answers, expected {}", given.lines().count(), expected.lines().count()),
    })
}

const MAIN: &str = r##"
use esclusa::{Context, FlagSet, Flags};
use esclusa_formats as _;
use esclusa_guard as _;
use esclusa_impact as _;
use esclusa_openfeature as _;
use esclusa_sync as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::new();
    let rows = br#"[{"name": "crm", "enabled": true, "target_plans": ["PREMIUM"]}]"#;
    let report = flags.publish(FlagSet::from_json(rows)?);
    println!("{:?} {}", report.added(), flags.is_enabled("crm", &Context::new("user-42").plan("PREMIUM")));
    Ok(())
}
"##;

/// The crates as they would be published, in a project without anything else.
fn crates_in_an_empty_project(tools: &Tools, step: &mut Step) {
    let folder = tools.root().join("target/installed/rust");
    // The tool is a program, which is installed below, and brings the server.
    let libraries = || CRATES.into_iter().filter(|name| !["esclusa-cli", "esclusa-server"].contains(name));
    let depend = |name| format!("{name} = \"{}\"\n", version());
    // The registry does not have them yet; the tool is in the workspace, so that it is built with them too.
    let patch = |name: &&str| format!("{name} = {{ path = \"{name}-{}\" }}\n", version());
    let manifest = format!(
        "[package]\nname = \"user\"\nedition = \"2024\"\n\n[dependencies]\n{}\n[patch.crates-io]\n{}\n[workspace]\nmembers = [\"esclusa-cli-{}\"]\n",
        libraries().map(depend).collect::<String>(),
        CRATES.iter().filter(|name| **name != "esclusa-cli").map(patch).collect::<String>(),
        version(),
    );
    let made = fs::create_dir_all(folder.join("src"))
        .and_then(|()| fs::write(folder.join("Cargo.toml"), manifest))
        .and_then(|()| fs::copy(tools.root().join("Cargo.lock"), folder.join("Cargo.lock")))
        .and_then(|_| fs::write(folder.join("src/main.rs"), MAIN));
    if let Err(problem) = made {
        return step.check("a project for the crates", Err(problem.to_string()));
    }
    for name in CRATES {
        let package = tools.root().join("target/packages").join(format!("{name}-{}.crate", version()));
        // Packed files have all the same time, by which cargo would not see that they have changed since the last run.
        step.run(tools.program("tar").args(["-xzmf"]).arg(package).in_folder(folder.clone()));
    }
    let run = tools.cargo(["run", "--quiet"]).env("CARGO_TARGET_DIR", tools.target()).in_folder(folder.clone());
    let right = tools.must(run).and_then(|printed| match printed.as_str() {
        "[\"crm\"] true\n" => Ok(()),
        other => Err(format!("printed {other}")),
    });
    step.check("the crates work in an empty project", right);
    let tool = folder.join(format!("esclusa-cli-{}", version()));
    super::tool::cargo_install(tools, step, "the packed crate", &tool, &[]);
}

/// The version is in the workspace and in each manifest of the other languages.
fn one_version(tools: &Tools) -> Result<(), String> {
    for package in ["bindings/js", "bindings/node", "bindings/wasm", "bindings/react", "cli/npm"] {
        let file = tools.root().join(package).join("package.json");
        let text = fs::read_to_string(&file).map_err(|problem| format!("{}: {problem}", file.display()))?;
        let manifest = esclusa::Value::from_json(text.as_bytes()).map_err(|problem| problem.to_string())?;
        match manifest.get("version").and_then(esclusa::Value::as_str) {
            Some(found) if found == version() => {}
            found => return Err(format!("{} has version {found:?}, expected {}", file.display(), version())),
        }
    }
    Ok(())
}

/// Each target has the npm name that the loader of `@esclusa/node` looks for and the tag of its wheels, and the release
/// workflow names no target itself.
fn one_list(tools: &Tools) -> Result<(), String> {
    let file = tools.root().join(".github/workflows/release.yml");
    let workflow = fs::read_to_string(&file).map_err(|problem| format!("{}: {problem}", file.display()))?;
    if !workflow.contains("bindings/targets.json") {
        return Err("the release workflow does not read bindings/targets.json".to_owned());
    }
    let targets = targets(tools)?;
    for target in &targets {
        let arch = if target.triple.starts_with("aarch64-") { "arm64" } else { "x64" };
        let (npm, wheel) = match target.triple.split_once('-').map(|(_, system)| system) {
            Some("unknown-linux-gnu") => (format!("linux-{arch}-gnu"), "manylinux_2_17"),
            Some("unknown-linux-musl") => (format!("linux-{arch}-musl"), "musllinux_1_2"),
            Some("apple-darwin") => (format!("darwin-{arch}"), "macosx"),
            Some("pc-windows-msvc") => (format!("win32-{arch}-msvc"), "win"),
            other => return Err(format!("`{}` is of a system that nobody knows: {other:?}", target.triple)),
        };
        if (target.npm.as_str(), target.wheel.as_str()) != (npm.as_str(), wheel) {
            return Err(format!(
                "`{}` has `{}` and `{}`, expected `{npm}` and `{wheel}`",
                target.triple, target.npm, target.wheel
            ));
        }
        if workflow.contains(&target.triple) {
            return Err(format!("the release workflow names `{}` itself, expected it only in the list", target.triple));
        }
    }
    if targets.len() == 8 { Ok(()) } else { Err(format!("{} targets, expected 8", targets.len())) }
}
