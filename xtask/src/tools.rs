//! The tools that suites need: where they are, and how they are installed.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::suite::Step;

/// What the reference evaluator and the schema check need from PyPI, in the versions that they were tried with.
const PYTHON_PACKAGES: [&str; 2] = ["xxhash>=3.5,<5", "jsonschema>=4.23,<5"];

pub(super) struct Tools {
    root: PathBuf,
    /// Logs and the virtual environment.
    folder: PathBuf,
}

impl Tools {
    pub(super) fn find() -> Result<Self, String> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().ok_or("the repository has no root")?.to_path_buf();
        let folder = root.join("target/suites");
        fs::create_dir_all(&folder).map_err(|problem| format!("cannot make {}: {problem}", folder.display()))?;
        Ok(Tools { root, folder })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn log(&self, suite: &str) -> PathBuf {
        self.folder.join(format!("{suite}.log"))
    }

    pub(super) fn step(&self, suite: &str) -> Step {
        Step::new(self.log(suite))
    }

    pub(super) fn program(&self, name: impl Into<OsString>) -> Program {
        Program { name: name.into(), arguments: Vec::new(), variables: Vec::new(), folder: self.root.clone() }
    }

    /// The cargo that runs this.
    pub(super) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Program {
        self.program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).args(arguments)
    }

    /// The nightly cargo, chosen by rustup.
    pub(super) fn nightly<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Program {
        self.program("rustup").args(["run", "nightly", "cargo"]).args(arguments)
    }

    /// Whether a command can be run at all.
    pub(super) fn has(&self, program: Program) -> bool {
        let mut command = program.into_command();
        command.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success())
    }

    /// An interpreter with the packages that `spec/` needs, in a virtual environment below `target`.
    pub(super) fn python(&self) -> Result<OsString, String> {
        let environment = self.folder.join("python");
        let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        let ready = self.program(&python).args(["-c", "import xxhash, jsonschema"]);
        if self.has(ready) {
            return Ok(python.into());
        }
        let make = self.program("python3").args(["-m", "venv"]).arg(&environment);
        let install = self.program(&python).args(["-m", "pip", "install", "--quiet"]).args(PYTHON_PACKAGES);
        for program in [make, install] {
            let what = program.to_string();
            let output = program.into_command().stdin(Stdio::null()).output();
            let output = output.map_err(|problem| format!("`{what}` cannot be started: {problem}"))?;
            if !output.status.success() {
                return Err(format!("`{what}` failed: {}", String::from_utf8_lossy(&output.stderr)));
            }
        }
        Ok(python.into())
    }
}

/// A command in the making.
pub(super) struct Program {
    name: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    folder: PathBuf,
}

impl Program {
    pub(super) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_os_string());
        self
    }

    pub(super) fn args<'a>(self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        arguments.into_iter().fold(self, Program::arg)
    }

    pub(super) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name, value.as_ref().to_os_string()));
        self
    }

    pub(super) fn in_folder(mut self, folder: PathBuf) -> Self {
        self.folder = folder;
        self
    }

    pub(super) fn into_command(self) -> Command {
        let mut command = Command::new(self.name);
        command.args(self.arguments).current_dir(self.folder).envs(self.variables);
        // The cargo that runs this has chosen a toolchain for itself, not for the commands of another one.
        command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO_MANIFEST_DIR");
        command
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name.to_string_lossy())?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {}", argument.to_string_lossy()))
    }
}
