//! The tool `esclusa` in its packages: each is installed in an empty folder and run there.

use std::fs;
use std::path::{Path, PathBuf};

use super::suite::Step;
use crate::package::{Packages, version};
use crate::tools::{Program, Tools};

const GOOD: &str = r#"[{"name": "crm", "enabled": true, "description": "The CRM.", "target_plans": ["PREMIUM"]}]"#;
const BAD: &str = r#"[{"name": "crm", "enabled": true, "rollout_percentage": 150}]"#;
/// Not optimised and without the C code of SQLite: this takes a fraction of the time and is packed in the same way.
const PROFILE: [&str; 3] = ["dev", "--strip", "--no-default-features"];

/// `cargo install` from a folder with the crate: that of a clone, or that of the packed crate.
pub(super) fn cargo_install(tools: &Tools, step: &mut Step, what: &str, source: &Path, more: &[&str]) {
    let folder = tools.root().join("target/installed/tool").join(what.rsplit(' ').next().unwrap_or(what));
    let install = ["install", "--quiet", "--offline", "--debug", "--no-default-features", "--no-track", "--path"];
    let install = tools.cargo(install).arg(source).arg("--root").arg(&folder).args(more.iter().copied());
    let install = install.env("CARGO_TARGET_DIR", tools.target());
    let program = folder.join("bin").join(format!("esclusa{}", std::env::consts::EXE_SUFFIX));
    let right =
        empty(&folder).and_then(|()| tools.must(install).map(drop)).and_then(|()| try_it(tools, &folder, &program));
    step.check(&format!("the tool that `cargo install` makes of {what} runs"), right);
}

pub(super) fn run(tools: &Tools, step: &mut Step) {
    let packed = tools.root().join("target/tool-packages");
    let built = Packages::new(tools, &packed, &|_| ()).and_then(|packages| packages.tool(&PROFILE));
    let is_built = built.is_ok();
    step.check("the packages of the tool are built", built);
    if is_built {
        for (what, install) in [
            ("the wheel of the tool", wheel as fn(&Tools, &Path, &Path) -> Result<PathBuf, String>),
            ("@esclusa/cli", npm),
            ("the archive of the tool", archive),
        ] {
            let folder =
                tools.root().join("target/installed/tool").join(what.rsplit([' ', '/']).next().unwrap_or(what));
            let right = empty(&folder)
                .and_then(|()| install(tools, &packed, &folder))
                .and_then(|program| try_it(tools, &folder, &program));
            step.check(&format!("{what} runs where there is nothing else"), right);
        }
    }
    cargo_install(tools, step, "a clone", &tools.root().join("cli"), &["--locked"]);
}

fn wheel(tools: &Tools, packed: &Path, folder: &Path) -> Result<PathBuf, String> {
    tools.must(tools.program("python3").args(["-m", "venv"]).arg(folder.join("venv")))?;
    let programs = folder.join(if cfg!(windows) { "venv/Scripts" } else { "venv/bin" });
    let install = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps"];
    tools.must(tools.program(programs.join("python")).args(install).arg(one(packed, ".whl")?))?;
    Ok(programs.join(format!("esclusa{}", std::env::consts::EXE_SUFFIX)))
}

fn npm(tools: &Tools, packed: &Path, folder: &Path) -> Result<PathBuf, String> {
    write(&folder.join("package.json"), "{ \"private\": true }\n")?;
    let install = tools.program("npm").args(["install", "--silent", "--offline", "--no-audit", "--no-fund"]);
    let install = install.arg(one(packed, ".tgz")?).arg(one(&packed.join("platforms"), ".tgz")?);
    tools.must(install.in_folder(folder.to_path_buf()))?;
    Ok(folder.join("node_modules/.bin").join(if cfg!(windows) { "esclusa.cmd" } else { "esclusa" }))
}

fn archive(tools: &Tools, packed: &Path, folder: &Path) -> Result<PathBuf, String> {
    let file = one(&packed.join("archives"), ".tar.gz")?;
    tools.must(tools.program("tar").args(["-xzf"]).arg(file).in_folder(folder.to_path_buf()))?;
    let unpacked =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).find(|path| path.is_dir());
    let unpacked = unpacked.ok_or("the archive holds no folder")?;
    for (file, text) in [
        ("man/esclusa.1", ".TH esclusa 1"),
        ("man/esclusa-lint.1", "SNAPSHOT"),
        ("completions/esclusa.bash", "complete"),
        ("completions/_esclusa", "#compdef esclusa"),
        ("completions/esclusa.fish", "complete"),
        ("LICENSE-MIT", "MIT"),
    ] {
        let found = fs::read_to_string(unpacked.join(file)).map_err(|problem| format!("{file}: {problem}"))?;
        if !found.contains(text) {
            return Err(format!("`{file}` of the archive has no `{text}`"));
        }
    }
    Ok(unpacked.join(format!("esclusa{}", std::env::consts::EXE_SUFFIX)))
}

/// Runs it for its version, and on good flags and bad ones.
fn try_it(tools: &Tools, folder: &Path, program: &Path) -> Result<(), String> {
    write(&folder.join("good.json"), GOOD)?;
    write(&folder.join("bad.json"), BAD)?;
    let run = |arguments: &[&str]| -> Program {
        tools.program(program).args(arguments.iter().copied()).in_folder(folder.to_path_buf())
    };
    let said = tools.must(run(&["--version"]))?;
    if said.trim() != format!("esclusa {}", version()) {
        return Err(format!("it says that it is `{}`", said.trim()));
    }
    tools.must(run(&["lint", "good.json"]))?;
    let bad = run(&["lint", "bad.json", "--format", "json"])
        .into_command()
        .output()
        .map_err(|problem| problem.to_string())?;
    let text = String::from_utf8_lossy(&bad.stdout);
    if bad.status.code() == Some(1) && text.contains("out-of-range") {
        return Ok(());
    }
    Err(format!("`lint bad.json` ends with {:?} and says {text}", bad.status.code()))
}

fn empty(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|problem| format!("cannot empty {}: {problem}", folder.display()))?;
    }
    fs::create_dir_all(folder).map_err(|problem| format!("cannot make {}: {problem}", folder.display()))
}

fn one(folder: &Path, ending: &str) -> Result<PathBuf, String> {
    let mut found = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let found = found.find(|file| file.to_string_lossy().ends_with(ending));
    found.ok_or(format!("{} has no file `*{ending}`", folder.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|problem| format!("cannot write {}: {problem}", file.display()))
}
