//! The programs that hold contenders, built and installed below `target/bench`.

use std::fs;
use std::path::{Path, PathBuf};

use esclusa::Value;

use super::contender::Entry;
use super::progress::Progress;
use crate::installed::one;
use crate::package::Packages;
use crate::tools::Tools;

/// The packages of the workspace of peers in Rust: each is one program, built by itself, so that no peer's features
/// change what another is built of.
const RUST_PEERS: [&str; 3] = ["esclusa-peers", "esclusa-peers-protobuf", "esclusa-peers-statsig"];

pub(crate) struct Setting<'t> {
    tools: &'t Tools,
    folder: PathBuf,
}

impl<'t> Setting<'t> {
    pub(crate) fn new(tools: &'t Tools) -> Result<Self, String> {
        let folder = tools.root().join("target/bench");
        fs::create_dir_all(&folder).map_err(|problem| format!("cannot make {}: {problem}", folder.display()))?;
        Ok(Setting { tools, folder })
    }

    /// Who is asked about, as one document.
    pub(crate) fn population(&self) -> Result<String, String> {
        let file = self.folder.join("population.json");
        let arguments = ["run", "--quiet", "--release", "--package", "esclusa-benches", "--example", "population"];
        let population = self.tools.must(self.tools.cargo(arguments))?;
        fs::write(&file, population).map_err(|problem| format!("cannot write {}: {problem}", file.display()))?;
        Ok(text(&file))
    }

    /// The same with the first thousand of everybody: callgrind takes a minute to read them all.
    pub(crate) fn small_population(&self, population: &str) -> Result<String, String> {
        const EACH: usize = 1_000;
        let document = fs::read(population).map_err(|problem| format!("cannot read {population}: {problem}"))?;
        let document = Value::from_json(&document).map_err(|problem| format!("{population}: {problem}"))?;
        let Value::Object(mut fields) = document else { return Err(format!("{population} is no object")) };
        for (_, value) in &mut fields {
            if let Value::List(entries) = value {
                entries.truncate(EACH);
            }
        }
        let file = self.folder.join("small-population.json");
        fs::write(&file, Value::Object(fields).to_json())
            .map_err(|problem| format!("cannot write {}: {problem}", file.display()))?;
        Ok(text(&file))
    }

    /// A program of `benches/`.
    pub(crate) fn example(&self, name: &str) -> Result<String, String> {
        let build = ["build", "--quiet", "--release", "--package", "esclusa-benches", "--example", name];
        self.tools.must(self.tools.cargo(build))?;
        Ok(text(&self.tools.target().join("release/examples").join(name)))
    }

    pub(crate) fn rust(&self, progress: &mut Progress) -> Result<Vec<Entry>, String> {
        progress.say("building Esclusa and the limit");
        let mut entries = self.list(&[self.example("contender")?], &self.folder)?;
        progress.say("building the peers in Rust; the first time that takes minutes");
        let target = self.folder.join("peers");
        let cargo = |command: &str, package: &str| {
            let arguments = [command, "--quiet", "--release", "--ignore-rust-version", "--package", package];
            let manifest = self.tools.root().join("benches/peers/rust/Cargo.toml");
            let cargo = self.tools.cargo(arguments).arg("--manifest-path").arg(manifest);
            cargo.arg("--target-dir").arg(&target)
        };
        // It prints where the compiler is that some peers need.
        let protoc = self.tools.must(cargo("run", "esclusa-peers-protoc"))?;
        for name in RUST_PEERS {
            self.tools.must(cargo("build", name).env("PROTOC", protoc.trim()))?;
            entries.extend(self.list(&[text(&target.join("release").join(name))], &self.folder)?);
        }
        Ok(entries)
    }

    /// The wheel and the packages for npm, as the contenders in Python and JavaScript have them.
    pub(crate) fn packages(&self, progress: &mut Progress) -> Result<(), String> {
        progress.say("building the wheel and the npm packages");
        Packages::new(self.tools)?.to_measure()
    }

    pub(crate) fn python(&self, progress: &mut Progress) -> Result<Vec<Entry>, String> {
        progress.say("installing the peers in Python");
        let environment = self.folder.join("python");
        let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        self.tools.must(self.tools.program("python3").args(["-m", "venv"]).arg(&environment))?;
        let peers = self.tools.root().join("benches/peers/python");
        let install = ["-m", "pip", "install", "--quiet", "--requirement"];
        self.tools.must(self.tools.program(&python).args(install).arg(peers.join("requirements.txt")))?;
        let install = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--force-reinstall"];
        let wheel = one(&self.packaged(), ".whl")?;
        self.tools.must(self.tools.program(&python).args(install).arg(wheel))?;
        self.list(&[text(&python), text(&peers.join("contender.py"))], &peers)
    }

    /// A project with the peers in JavaScript and our packages.
    pub(crate) fn node(&self, progress: &mut Progress) -> Result<Vec<Entry>, String> {
        progress.say("installing the peers in JavaScript");
        let (peers, project) = (self.tools.root().join("benches/peers/node"), self.project());
        copy(&peers, &project)?;
        let npm = |arguments: &[&str]| self.tools.program("npm").args(arguments.iter().copied());
        self.tools.must(npm(&["ci", "--silent", "--no-audit", "--no-fund"]).in_folder(project.clone()))?;
        let install = npm(&["install", "--silent", "--no-save", "--offline", "--no-audit", "--no-fund"]);
        let packaged = self.packaged();
        let install = install.arg(one(&packaged, "esclusa-wasm-")?).arg(one(&packaged, "esclusa-node-")?);
        self.tools.must(install.in_folder(project.clone()))?;
        self.list(&["node".to_owned(), "contender.js".to_owned()], &project)
    }

    /// The same packages in Chromium, in the project that [`node`](Self::node) made.
    pub(crate) fn chromium(&self) -> Result<Vec<Entry>, String> {
        self.list(&["node".to_owned(), "chromium.js".to_owned()], &self.project())
    }

    /// What a browser loads for each package: a line of JSON each.
    pub(crate) fn sizes(&self, progress: &mut Progress) -> Result<String, String> {
        progress.say("bundling what browsers load");
        self.tools.must(self.tools.program("node").arg("sizes.js").in_folder(self.project()))
    }

    fn list(&self, command: &[String], folder: &Path) -> Result<Vec<Entry>, String> {
        Entry::list(self.tools, command, folder)
    }

    fn project(&self) -> PathBuf {
        self.folder.join("node")
    }

    fn packaged(&self) -> PathBuf {
        self.tools.root().join("target/packages")
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Copies a folder over another, without what npm has installed in either.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let problem = |problem: std::io::Error| format!("cannot copy {} to {}: {problem}", from.display(), to.display());
    fs::create_dir_all(to).map_err(problem)?;
    for entry in fs::read_dir(from).map_err(problem)?.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if name == "node_modules" {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name)).map_err(problem)?;
        }
    }
    Ok(())
}
