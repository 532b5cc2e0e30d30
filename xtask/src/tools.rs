//! The tools that suites need, and how they are installed.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The PyPI packages of the reference evaluator and the schema check, in tested versions.
const PYTHON_PACKAGES: [&str; 2] = ["xxhash>=3.5,<5", "jsonschema>=4.23,<5"];

/// Exits with 0 if the installed packages match the lock file.
const IS_INSTALLED: &str = "
    const read = (file) => JSON.parse(require('fs').readFileSync(file, 'utf8')).packages;
    const [wanted, there] = [read('package-lock.json'), read('node_modules/.package-lock.json')];
    const isMissing = ([path, { version, optional }]) =>
        path.startsWith('node_modules/') && version && !optional && there[path]?.version !== version;
    process.exit(Object.entries(wanted).some(isMissing) ? 1 : 0);";

/// How often each program that downloads retries, unless the environment sets it: a short failure of a registry is not
/// a fault of the tests.
const RETRIES: [(&str, &str); 3] =
    [("CARGO_NET_RETRY", "10"), ("npm_config_fetch_retries", "5"), ("PIP_RETRIES", "10")];

/// The variable by which rustup passes the toolchain to its children.
const TOOLCHAIN: &str = "RUSTUP_TOOLCHAIN";

pub(crate) struct Tools {
    root: PathBuf,
    /// Logs and the virtual environment.
    folder: PathBuf,
    /// Whether tools may be installed outside of the checkout.
    may_install: bool,
}

impl Tools {
    pub(crate) fn find() -> Result<Self, String> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().ok_or("the repository has no root")?.to_path_buf();
        let folder = root.join("target/suites");
        fs::create_dir_all(&folder).map_err(|problem| format!("cannot make {}: {problem}", folder.display()))?;
        Ok(Tools { root, folder, may_install: true })
    }

    /// The same tools, which install nothing outside of the checkout.
    pub(crate) fn without_installing(self) -> Self {
        Tools { may_install: false, ..self }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from)
    }

    pub(crate) fn log(&self, suite: &str) -> PathBuf {
        self.folder.join(format!("{suite}.log"))
    }

    pub(crate) fn program(&self, name: impl Into<OsString>) -> Program {
        let name = name.into();
        // On Windows these two have other names.
        let name = match name.to_str() {
            Some("npm") if cfg!(windows) => "npm.cmd".into(),
            Some("python3") if cfg!(windows) => "python".into(),
            _ => name,
        };
        let retries = RETRIES.into_iter().filter(|(name, _)| std::env::var_os(name).is_none());
        let variables = retries.map(|(name, count)| (name, count.into())).collect();
        Program { name, arguments: Vec::new(), variables, folder: self.root.clone() }
    }

    /// The cargo that runs this, with its toolchain: without that, rustup would build a crate that has a file
    /// `rust-toolchain` with that toolchain.
    pub(crate) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Program {
        let cargo = self.program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).args(arguments);
        match std::env::var_os(TOOLCHAIN) {
            Some(toolchain) => cargo.env(TOOLCHAIN, toolchain),
            None => cargo,
        }
    }

    /// The nightly cargo, chosen by rustup.
    pub(crate) fn nightly<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Program {
        self.program("rustup").args(["run", "nightly", "cargo"]).args(arguments)
    }

    /// Whether a command can be run.
    pub(crate) fn has(&self, program: Program) -> bool {
        let mut command = program.into_command();
        command.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success())
    }

    /// An interpreter with the packages that `spec/` needs.
    pub(crate) fn python(&self) -> Result<OsString, String> {
        self.environment("python", &PYTHON_PACKAGES, "import xxhash, jsonschema")
    }

    /// An interpreter in a virtual environment below `target` in which `ready` runs; the environment is created if it
    /// does not.
    pub(crate) fn environment(&self, name: &str, packages: &[&str], ready: &str) -> Result<OsString, String> {
        let environment = self.folder.join(name);
        let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        if !self.has(self.program(&python).args(["-c", ready])) {
            self.must(self.program("python3").args(["-m", "venv"]).arg(&environment))?;
            let install = ["-m", "pip", "install", "--quiet"];
            self.must(self.program(&python).args(install).args(packages.iter().copied()))?;
        }
        Ok(python.into())
    }

    /// Installs the JavaScript packages of the lock file, unless they are installed: `npm ci` would install them again
    /// each time, and would need the network for that.
    pub(crate) fn install_npm(&self) -> Result<(), String> {
        self.install_lock(&self.root)?;
        self.must(self.program("rustup").args(["target", "add", "wasm32-unknown-unknown"])).map(drop)
    }

    /// The same for a folder with a lock file of its own.
    pub(crate) fn install_lock(&self, folder: &Path) -> Result<(), String> {
        let here = |program: Program| program.in_folder(folder.to_path_buf());
        if !self.has(here(self.program("node").args(["--eval", IS_INSTALLED]))) {
            self.must(here(self.program("npm").args(["ci", "--no-audit", "--no-fund"])))?;
        }
        Ok(())
    }

    /// Whether there is a Postgres for private servers: its package keeps the programs out of the path.
    pub(crate) fn has_postgres(&self) -> bool {
        let packaged = fs::read_dir("/usr/lib/postgresql").is_ok_and(|versions| versions.count() > 0);
        packaged || self.has(self.program("initdb").arg("--version"))
    }

    /// Ensures that there are a Postgres with a pooler and a Redis for private servers.
    pub(crate) fn stores(&self) -> Result<(), String> {
        if !self.has_postgres() {
            self.install_package("postgresql")?;
        }
        if !self.has(self.program("/usr/sbin/pgbouncer").arg("--version"))
            && !self.has(self.program("pgbouncer").arg("-V"))
        {
            self.install_package("pgbouncer")?;
        }
        if !self.has(self.program("redis-server").arg("--version")) {
            self.install_package("redis-server")?;
        }
        Ok(())
    }

    /// Ensures that there is a MariaDB for private servers, without one that the system starts.
    pub(crate) fn mariadb(&self) -> Result<(), String> {
        if !self.has(self.program("/usr/sbin/mariadbd").arg("--version")) {
            self.install_package("mariadb-server-core")?;
        }
        if !self.has(self.program("my_print_defaults").arg("--help")) {
            self.install_package("mariadb-client-core")?;
        }
        Ok(())
    }

    /// The program with the faulty servers, and the stores that it starts.
    pub(crate) fn loopback(&self) -> Result<PathBuf, String> {
        self.stores()?;
        self.must(self.cargo(["build", "--quiet", "--package", "esclusa-loopback"]))?;
        Ok(self.target().join("debug").join(format!("esclusa-loopback{}", std::env::consts::EXE_SUFFIX)))
    }

    /// Installs a package of the system, after a message.
    pub(crate) fn install_package(&self, package: &str) -> Result<(), String> {
        self.announce(&format!("the package `{package}` of the system, by apt-get"))?;
        let is_root = self.must(self.program("id").arg("-u")).is_ok_and(|user| user.trim() == "0");
        let get = |arguments: &[&str]| {
            let apt = if is_root { self.program("apt-get") } else { self.program("sudo").args(["-n", "apt-get"]) };
            // Another apt may be running.
            self.must(apt.args(["-o", "DPkg::Lock::Timeout=300"]).args(arguments.iter().copied()))
        };
        let install = || get(&["install", "--yes", "--no-install-recommends", package]);
        // The package lists of a new machine may be older than its mirror.
        install().or_else(|_| get(&["update"]).and_then(|_| install())).map(drop)
    }

    /// Installs a program with cargo, after a message.
    pub(crate) fn install_program(&self, name: &str) -> Result<(), String> {
        self.announce(&format!("the program `{name}`, by cargo"))?;
        self.must(self.cargo(["install", "--quiet", name])).map(drop)
    }

    /// Prints what will be installed outside of the checkout.
    ///
    /// # Errors
    /// When nothing may be.
    fn announce(&self, what: &str) -> Result<(), String> {
        if !self.may_install {
            return Err(format!("needs {what}; `--no-install` leaves that to you"));
        }
        println!("installing {what}");
        Ok(())
    }

    /// Runs a command; its output is only shown, in the error, if it fails.
    pub(crate) fn must(&self, program: Program) -> Result<String, String> {
        Ok(self.succeed(program)?.0)
    }

    /// The same; returns its output, of both channels.
    pub(crate) fn output(&self, program: Program) -> Result<String, String> {
        let (out, err) = self.succeed(program)?;
        Ok(out + &err)
    }

    fn succeed(&self, program: Program) -> Result<(String, String), String> {
        let what = program.to_string();
        let output = program.into_command().stdin(Stdio::null()).output();
        let output = output.map_err(|problem| format!("`{what}` cannot be started: {problem}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok((text(&output.stdout), text(&output.stderr)))
        } else {
            Err(format!("`{what}` failed:\n{}{}", text(&output.stdout), text(&output.stderr)))
        }
    }
}

/// A command that is being built.
pub(crate) struct Program {
    name: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    folder: PathBuf,
}

impl Program {
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_os_string());
        self
    }

    pub(crate) fn args<'a>(self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        arguments.into_iter().fold(self, Program::arg)
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name, value.as_ref().to_os_string()));
        self
    }

    pub(crate) fn in_folder(mut self, folder: PathBuf) -> Self {
        self.folder = folder;
        self
    }

    pub(crate) fn into_command(self) -> Command {
        let mut command = Command::new(self.name);
        // The cargo that runs this has chosen a toolchain for itself, not for the commands of another one.
        command.env_remove(TOOLCHAIN).env_remove("CARGO_MANIFEST_DIR");
        command.args(self.arguments).current_dir(self.folder).envs(self.variables);
        command
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name.to_string_lossy())?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {}", argument.to_string_lossy()))
    }
}
