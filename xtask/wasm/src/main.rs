//! Builds the WebAssembly of `@esclusa/wasm`: cargo, then wasm-opt from npm.
//!
//! It leaves `esclusa.wasm` in the folders that the package's own build continues with: one module for browsers with
//! client snapshots, which have no rules (10.4), the same with the protocol of staying fresh, and a full one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

/// One of the modules.
struct Build {
    /// Below `bindings/wasm/dist`.
    folder: &'static str,
    features: &'static [&'static str],
    /// Small for browsers; the full one runs where a few hundred kilobytes do not matter.
    optimise: &'static [&'static str],
}

/// Only the far end of the stack is in the first kilobyte, so an offset may be folded into the load that uses it. The
/// amount of inlining, and rebuilding the control flow, were found by measuring.
const SMALL: [&str; 8] = [
    "--always-inline-max-function-size=6",
    "--one-caller-inline-max-function-size=1",
    "--low-memory-unused",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--converge",
];

const BUILDS: [Build; 3] = [
    Build { folder: "", features: &["--no-default-features"], optimise: &SMALL },
    Build { folder: "sync", features: &["--no-default-features", "--features", "sync"], optimise: &SMALL },
    Build { folder: "full", features: &[], optimise: &["-O3"] },
];

fn main() -> ExitCode {
    let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2) else {
        eprintln!("the repository has no root");
        return ExitCode::FAILURE;
    };
    for build in &BUILDS {
        if let Err(problem) = make(root, build) {
            eprintln!("{problem}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn make(root: &Path, build: &Build) -> Result<(), String> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "esclusa-wasm", "--profile", "wasm"]);
    cargo.args(["--target", "wasm32-unknown-unknown"]).args(build.features);
    cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", without_home());
    run(cargo.current_dir(root).env("CARGO_TARGET_DIR", &target))?;

    let folder = root.join("bindings/wasm/dist").join(build.folder);
    fs::create_dir_all(&folder).map_err(|problem| format!("cannot make {}: {problem}", folder.display()))?;
    let made = target.join("wasm32-unknown-unknown/wasm/esclusa_wasm.wasm");

    let mut wasm_opt = Command::new(root.join("node_modules/.bin/wasm-opt"));
    wasm_opt.args(build.optimise).args(["--strip-debug", "--strip-producers", "--strip-target-features"]);
    run(wasm_opt.arg(&made).arg("-o").arg(folder.join("esclusa.wasm")))
}

/// The module contains the file names of its panics; the folder in which cargo unpacks crates is removed, so that every
/// machine builds the same.
fn without_home() -> OsString {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(home.unwrap_or_default().join("registry/src"));
    flag.push("=");
    flag
}

fn run(command: &mut Command) -> Result<(), String> {
    let what = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|problem| format!("`{what}` cannot be started: {problem}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{what}` failed: {status}")) }
}
