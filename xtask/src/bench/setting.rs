//! The programs with contenders, built and installed below `target/bench`.

use std::fs;
use std::path::{Path, PathBuf};

use esclusa::Value;

use super::comparison::Contenders;
use super::contender::Entry;
use super::progress::Progress;
use crate::installed::one;
use crate::package::Packages;
use crate::tools::Tools;

/// The packages of the workspace of Rust peers: each is one program, built separately, so that one peer's features do
/// not change another's build.
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

    /// The callers, as one document.
    pub(crate) fn population(&self) -> Result<String, String> {
        let file = self.folder.join("population.json");
        let arguments = ["run", "--quiet", "--release", "--package", "esclusa-benches", "--example", "population"];
        let population = self.tools.must(self.tools.cargo(arguments))?;
        fs::write(&file, population).map_err(|problem| format!("cannot write {}: {problem}", file.display()))?;
        Ok(text(&file))
    }

    /// The same with the first thousand callers of each kind: callgrind takes a minute to read them all.
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

    pub(crate) fn rust(&self, progress: &Progress) -> Result<Contenders, String> {
        progress.begin("building Esclusa and the limit");
        let mut contenders = Contenders::default();
        contenders.entries.extend(self.list(&[self.example("contender")?], &self.folder)?);
        progress.begin("building the peers in Rust; the first time that takes minutes");
        let target = self.folder.join("peers");
        let cargo = |command: &str, package: &str| {
            let arguments = [command, "--quiet", "--release", "--ignore-rust-version", "--package", package];
            let manifest = self.tools.root().join("benches/peers/rust/Cargo.toml");
            let cargo = self.tools.cargo(arguments).arg("--manifest-path").arg(manifest);
            cargo.arg("--target-dir").arg(&target)
        };
        let program = |name: &str| -> Result<Vec<Entry>, String> {
            // It prints the path of a compiler that some peers need; the others are built without it.
            let protoc = self.tools.must(cargo("run", "esclusa-peers-protoc")).unwrap_or_default();
            self.tools.must(cargo("build", name).env("PROTOC", protoc.trim()))?;
            self.list(&[text(&target.join("release").join(name))], &self.folder)
        };
        for name in RUST_PEERS {
            match program(name) {
                Ok(entries) => contenders.entries.extend(entries),
                Err(problem) => contenders.missing.push((format!("every peer of `{name}`"), problem)),
            }
        }
        Ok(contenders)
    }

    /// The wheel for the contenders in Python.
    pub(crate) fn wheel(&self, progress: &Progress) -> Result<(), String> {
        let say = |what: &str| progress.begin(&format!("building {what}"));
        Packages::new(self.tools, &self.folder.join("wheel"), &say)?.wheel_to_measure()
    }

    /// The npm packages for the contenders in JavaScript.
    pub(crate) fn npm(&self, progress: &Progress) -> Result<(), String> {
        let say = |what: &str| progress.begin(&format!("building {what}"));
        Packages::new(self.tools, &self.folder.join("npm"), &say)?.npm_to_measure()
    }

    /// A release's packages for this machine: a wheel and a package with the addon, with their sizes in bytes.
    pub(crate) fn native(&self, progress: &Progress) -> Result<Vec<(PathBuf, u64)>, String> {
        let say = |what: &str| progress.begin(&format!("building {what} of a release"));
        let machine = self.tools.must(self.tools.program("rustc").arg("-vV"))?;
        let triple = machine.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc names no host")?;
        Packages::new(self.tools, &self.folder.join("release"), &say)?.for_target(triple)
    }

    pub(crate) fn python(&self, progress: &Progress) -> Result<Contenders, String> {
        progress.begin("installing the peers in Python");
        let environment = self.folder.join("python");
        let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        self.tools.must(self.tools.program("python3").args(["-m", "venv"]).arg(&environment))?;
        let peers = self.tools.root().join("benches/peers/python");
        let wanted = peers.join("requirements.txt");
        let pip = || self.tools.program(&python).args(["-m", "pip", "install", "--quiet"]);
        let mut missing = Vec::new();
        if self.tools.must(pip().arg("--requirement").arg(&wanted)).is_err() {
            // A package that cannot be installed here must not prevent the others.
            for package in first_paragraph(&wanted)? {
                progress.say(&format!("installing {package}"));
                if let Err(problem) = self.tools.must(pip().arg("--constraint").arg(&wanted).arg(&package)) {
                    missing.push((package, problem));
                }
            }
        }
        let own = pip().args(["--no-index", "--no-deps", "--force-reinstall"]);
        self.tools.must(own.arg(one(&self.folder.join("wheel"), ".whl")?))?;
        let entries = self.list(&[text(&python), text(&peers.join("contender.py"))], &peers)?;
        Ok(Contenders { entries, missing })
    }

    /// Makes a project with the JavaScript peers and Esclusa's packages. The peers are optional dependencies, so npm
    /// goes on without one; starting it then shows that it is missing.
    pub(crate) fn project(&self, progress: &Progress) -> Result<(), String> {
        progress.begin("installing the peers in JavaScript");
        let folder = self.node_folder();
        copy(&self.tools.root().join("benches/peers/node"), &folder)?;
        let npm = |arguments: &[&str]| {
            let npm = self.tools.program("npm").args(arguments.iter().copied());
            npm.args(["--loglevel=error", "--no-audit", "--no-fund"]).in_folder(folder.clone())
        };
        self.tools.must(npm(&["ci"]))?;
        let packed = self.folder.join("npm");
        let own = ["esclusa-wasm-", "esclusa-node-", "esclusa-react-"];
        let own = own.into_iter().try_fold(npm(&["install", "--no-save", "--offline"]), |install, name| {
            Ok::<_, String>(install.arg(one(&packed, name)?))
        });
        self.tools.must(own?).map(drop)
    }

    /// The contenders in Node, in the project of [`project`](Self::project).
    pub(crate) fn node(&self) -> Result<Contenders, String> {
        self.in_project("contender.js")
    }

    /// The contenders in Chromium.
    pub(crate) fn chromium(&self) -> Result<Contenders, String> {
        self.in_project("chromium.js")
    }

    fn in_project(&self, script: &str) -> Result<Contenders, String> {
        let entries = self.list(&["node".to_owned(), script.to_owned()], &self.node_folder())?;
        Ok(Contenders { entries, missing: Vec::new() })
    }

    /// What a browser loads for each package: a line of JSON each.
    pub(crate) fn sizes(&self, progress: &Progress) -> Result<String, String> {
        progress.begin("bundling what browsers load");
        self.tools.must(self.tools.program("node").arg("sizes.js").in_folder(self.node_folder()))
    }

    fn list(&self, command: &[String], folder: &Path) -> Result<Vec<Entry>, String> {
        Entry::list(self.tools, command, folder)
    }

    fn node_folder(&self) -> PathBuf {
        self.folder.join("node")
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The peers in `requirements.txt`: the packages before the empty line, without their dependencies.
fn first_paragraph(requirements: &Path) -> Result<Vec<String>, String> {
    let lines = fs::read_to_string(requirements)
        .map_err(|problem| format!("cannot read {}: {problem}", requirements.display()))?;
    let peers = lines.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with('#'));
    Ok(peers.map(str::to_owned).collect())
}

/// Copies a folder over another, without npm's installed packages.
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
