//! The packages in a user's form: installed from `target/packages` into empty projects, and called there.
//!
//! The demo and the tests use them in the same way: a file of questions goes in, a line for each answer comes out.

use std::fs;
use std::path::{Path, PathBuf};

use crate::tools::{Program, Tools};

/// A host that answers questions. The browser's engine runs in Node here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Python,
    Node,
    /// `@esclusa/node` without its addon.
    NodeWithoutAddon,
    Wasm,
}

impl Host {
    pub(crate) const ALL: [Host; 4] = [Host::Python, Host::Node, Host::NodeWithoutAddon, Host::Wasm];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Host::Python => "Python",
            Host::Node => "Node",
            Host::NodeWithoutAddon => "Node without its addon",
            Host::Wasm => "WASM",
        }
    }
}

/// Projects that have only the packages.
pub(crate) struct Installed<'t> {
    tools: &'t Tools,
    python: PathBuf,
    node: PathBuf,
}

/// A script that answers a file of questions with any of the packages.
const ASK: &str = "\
import { readFileSync, writeFileSync } from 'node:fs';
const [name, triples, questions, file] = process.argv.slice(2);
const { answers } = await import(triples);
const host = await import(name);
await host.default?.();
const lines = readFileSync(questions, 'utf8').split('\\n').filter((line) => line !== '');
writeFileSync(file, [...answers(host, lines), ''].join('\\n'));
";

impl<'t> Installed<'t> {
    /// Installs what `cargo xtask package` built.
    pub(crate) fn from(tools: &'t Tools, packages: &Path) -> Result<Self, String> {
        let folder = tools.root().join("target/installed");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|problem| format!("cannot empty {}: {problem}", folder.display()))?;
        }
        let node = folder.join("node");
        fs::create_dir_all(&node).map_err(|problem| format!("cannot make {}: {problem}", node.display()))?;
        let installed = Self::found(tools);
        let Installed { python, .. } = &installed;
        tools.must(tools.program("python3").args(["-m", "venv"]).arg(folder.join("python")))?;
        let install = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps"];
        tools.must(tools.program(python).args(install).arg(one(packages, ".whl")?))?;

        write(&node.join("package.json"), "{ \"private\": true, \"type\": \"module\" }\n")?;
        write(&node.join("ask.mjs"), ASK)?;
        let install =
            tools.program("npm").args(["install", "--silent", "--offline", "--omit=peer", "--no-audit", "--no-fund"]);
        let install = ["esclusa-wasm-", "esclusa-node-"]
            .into_iter()
            .try_fold(install, |install, name| Ok::<_, String>(install.arg(one(packages, name)?)))?;
        tools.must(install.in_folder(node.clone()))?;
        Ok(installed)
    }

    /// The packages that are already installed.
    pub(crate) fn found(tools: &'t Tools) -> Self {
        let folder = tools.root().join("target/installed");
        let python = folder.join("python").join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        Installed { tools, python, node: folder.join("node") }
    }

    /// Installs the Postgres clients of these projects.
    pub(crate) fn add_clients(&self) -> Result<(), String> {
        let install = ["-m", "pip", "install", "--quiet", "psycopg[binary]>=3.2.4,<4"];
        self.tools.must(self.tools.program(&self.python).args(install))?;
        let install = ["install", "--silent", "--no-audit", "--no-fund", "pg@8"];
        self.tools.must(self.tools.program("npm").args(install).in_folder(self.node.clone())).map(drop)
    }

    /// The program that runs a script with the packages of that language.
    pub(crate) fn program(&self, language: &str) -> String {
        if language == "Python" { self.python.to_string_lossy().into_owned() } else { "node".to_owned() }
    }

    /// The folder of the Node project, in which scripts from elsewhere find its packages.
    pub(crate) fn node(&self) -> &Path {
        &self.node
    }

    /// The answers of a host: a line for each question that asks for a key.
    pub(crate) fn ask(&self, host: Host, questions: &Path) -> Result<String, String> {
        let root = self.tools.root();
        if host == Host::Python {
            let script = root.join("bindings/python/tests/triples.py");
            return self
                .tools
                .must(self.tools.program(&self.python).arg(script).arg(questions).in_folder(self.node.clone()));
        }
        let (package, engine) = match host {
            Host::Wasm => ("@esclusa/wasm/full", ""),
            Host::NodeWithoutAddon => ("@esclusa/node", "wasm"),
            _ => ("@esclusa/node", "native"),
        };
        let file = self.node.join("answers.jsonl");
        let ask: Program =
            self.tools.program("node").args(["ask.mjs", package]).arg(root.join("bindings/js/test/triples.js"));
        let ask = ask.arg(questions).arg(&file).env("ESCLUSA_ENGINE", engine).in_folder(self.node.clone());
        self.tools.must(ask)?;
        fs::read_to_string(&file).map_err(|problem| format!("cannot read {}: {problem}", file.display()))
    }
}

/// The one package whose file name begins or ends with this.
pub(crate) fn one(packages: &Path, part: &str) -> Result<PathBuf, String> {
    let files = fs::read_dir(packages).into_iter().flatten().flatten().map(|entry| entry.path());
    let fits = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with(part) || name.ends_with(part)
    };
    let found: Vec<PathBuf> = files.filter(fits).collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        many => Err(format!("{} has {} packages named `{part}`, expected one", packages.display(), many.len())),
    }
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|problem| format!("cannot write {}: {problem}", file.display()))
}
