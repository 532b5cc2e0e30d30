//! `cargo xtask package`: builds the packages for users, into `target/packages`.
//!
//! Without arguments it builds everything for this machine: the crates, a wheel, the npm tarballs with the addon
//! inside, and the tool. `--target T` builds the wheels, the npm packages of the addon and of the tool, and the tool's
//! archive for one line of `bindings/targets.json`; `--common` builds what is the same for all targets. Together they
//! are a release.

mod tool;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use esclusa::Value;

use crate::tools::{Program, Tools};

/// The builder of wheels, and the linker for other systems.
const WHEEL_PACKAGES: [&str; 3] = ["maturin>=1.16,<2", "cargo-zigbuild>=0.21,<1", "ziglang>=0.15,<1"];

/// The crates, each after those that it depends on.
pub(crate) const CRATES: [&str; 8] = [
    "esclusa",
    "esclusa-formats",
    "esclusa-guard",
    "esclusa-impact",
    "esclusa-sync",
    "esclusa-openfeature",
    "esclusa-server",
    "esclusa-cli",
];

/// The packages for JavaScript, each after those that it depends on.
const NPM_PACKAGES: [&str; 3] = ["@esclusa/wasm", "@esclusa/node", "@esclusa/react"];

/// One line of `bindings/targets.json`.
pub(crate) struct Target {
    /// Rust's name of it.
    pub(crate) triple: String,
    /// npm's name of it.
    pub(crate) npm: String,
    /// The wheel's tag: which C library it needs at least.
    pub(crate) wheel: String,
}

impl Target {
    /// npm's name of the system.
    fn os(&self) -> &str {
        self.npm.split('-').next().unwrap_or_default()
    }

    /// The manifest of the package that holds one file for this target.
    fn manifest(&self, package: &str, about: &str, file: &str, main: &str) -> String {
        let cpu = if self.npm.contains("arm64") { "arm64" } else { "x64" };
        let libc = match self.npm.rsplit('-').next() {
            Some("gnu") => "\n  \"libc\": [\"glibc\"],",
            Some("musl") => "\n  \"libc\": [\"musl\"],",
            _ => "",
        };
        format!(
            "{{\n  \"name\": \"@esclusa/{package}-{}\",\n  \"version\": \"{}\",\n  \"description\": \"{about} for {}.\",\n  \
             \"license\": \"Apache-2.0 OR MIT\",\n  \"os\": [\"{}\"],\n  \"cpu\": [\"{cpu}\"],{libc}{main}\n  \"files\": [\"{file}\"]\n}}\n",
            self.npm,
            version(),
            self.triple,
            self.os(),
        )
    }
}

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let done = Tools::find().and_then(|tools| {
        let folder = tools.root().join("target/packages");
        let packages = Packages::new(&tools, &folder, &|what| println!("{what} …"))?;
        match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] => {
                packages.for_this_machine()?;
                packages.tool(&["tool"])?;
            }
            ["--common"] => packages.common()?,
            ["--target", triple] => drop(packages.for_target(triple)?),
            _ => {
                let expected = "expected no argument, `--common`, or `--target` with a target of bindings/targets.json";
                return Err(expected.to_owned());
            }
        }
        packages.list();
        Ok(())
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// The folder for the packages, empty at the beginning, and the output for progress.
pub(crate) struct Packages<'t> {
    tools: &'t Tools,
    folder: PathBuf,
    say: &'t dyn Fn(&str),
}

impl<'t> Packages<'t> {
    pub(crate) fn new(tools: &'t Tools, folder: &Path, say: &'t dyn Fn(&str)) -> Result<Self, String> {
        let folder = folder.to_path_buf();
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|problem| format!("cannot empty {}: {problem}", folder.display()))?;
        }
        make_folder(&folder)?;
        Ok(Packages { tools, folder, say })
    }

    /// Everything that can be installed here.
    pub(crate) fn for_this_machine(&self) -> Result<(), String> {
        self.crates()?;
        self.wheel(&[])?;
        self.npm(&[])
    }

    /// A wheel with an additional method that does nothing, for measuring.
    pub(crate) fn wheel_to_measure(&self) -> Result<(), String> {
        self.wheel(&["--features", "noop"])
    }

    /// The same for the npm packages.
    pub(crate) fn npm_to_measure(&self) -> Result<(), String> {
        self.npm(&[("ESCLUSA_ADDON_FEATURES", "noop")])
    }

    /// What is the same for every target: the npm packages contain no addon, but name the packages that do.
    fn common(&self) -> Result<(), String> {
        self.crates()?;
        let python = self.python()?;
        let sdist = self.tools.program(python).args(["-m", "maturin", "sdist", "--manifest-path"]);
        self.tools.must(sdist.arg(self.manifest("python")).arg("--out").arg(&self.folder))?;
        self.npm(&[])?;
        let addons = self.unpack("esclusa-node")?;
        for addon in files(&addons).filter(|file| file.extension().is_some_and(|ending| ending == "node")) {
            fs::remove_file(&addon).map_err(|problem| format!("cannot remove {}: {problem}", addon.display()))?;
        }
        let manifest = addons.join("package.json");
        write(&manifest, &self.with_platforms("node", &read(&manifest)?)?)?;
        self.pack(&addons, &self.folder)?;
        self.tool_common()
    }

    /// The manifest of a package for npm, with the packages that hold its native half for each target.
    fn with_platforms(&self, name: &str, manifest: &str) -> Result<String, String> {
        let version = version();
        let line = |target: &Target| format!("    \"@esclusa/{name}-{}\": \"{version}\"", target.npm);
        let lines: Vec<String> = targets(self.tools)?.iter().map(line).collect();
        let optional = format!("{{\n  \"optionalDependencies\": {{\n{}\n  }},\n", lines.join(",\n"));
        Ok(manifest.replacen("{\n", &optional, 1))
    }

    /// A wheel and a package with the addon alone, as a release has them.
    pub(crate) fn for_target(&self, triple: &str) -> Result<Vec<(PathBuf, u64)>, String> {
        let all = targets(self.tools)?;
        let Some(target) = all.iter().find(|target| target.triple == triple) else {
            let known: Vec<&str> = all.iter().map(|target| target.triple.as_str()).collect();
            return Err(format!("`{triple}` is no target, expected one of {}", known.join(", ")));
        };
        self.tools.must(self.tools.program("rustup").args(["target", "add", triple]))?;
        let linux = triple.contains("-linux-");
        let portable = ["--zig", "--compatibility", target.wheel.as_str()];
        let arguments: Vec<&str> =
            ["--target", triple].into_iter().chain(portable.into_iter().filter(|_| linux)).collect();
        self.wheel(&arguments)?;
        self.addon(target)?;
        self.tool_for_target(target, &arguments)?;
        Ok(self.built())
    }

    /// The addon in a package of its own, as `@esclusa/node` looks for it.
    fn addon(&self, target: &Target) -> Result<(), String> {
        let python = self.python()?;
        let linux = target.triple.contains("-linux-");
        // The suffix is the oldest C library that it must run with.
        let suffix = if target.triple.ends_with("-linux-gnu") { ".2.17" } else { "" };
        let triple = format!("{}{suffix}", target.triple);
        let build =
            if linux { self.with_path(self.tools.cargo(["zigbuild"]), &python)? } else { self.tools.cargo(["build"]) };
        // musl is linked statically by default; a shared object needs it shared.
        let flags = if target.triple.ends_with("-musl") { "-C target-feature=-crt-static" } else { "" };
        let build = build.args(["--package", "esclusa-node", "--profile", "addon", "--target", &triple]);
        self.tools.must(build.env("RUSTFLAGS", flags))?;
        let library = match target.os() {
            "darwin" => "libesclusa_node.dylib",
            "win32" => "esclusa_node.dll",
            _ => "libesclusa_node.so",
        };
        let folder = self.tools.root().join("target/addons").join(&target.npm);
        make_folder(&folder)?;
        let file = format!("esclusa.{}.node", target.npm);
        let built = self.tools.target().join(&target.triple).join("addon").join(library);
        copy(&built, &folder.join(&file))?;
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            copy(&self.tools.root().join(licence), &folder.join(licence))?;
        }
        let main = format!("\n  \"main\": \"{file}\",");
        write(&folder.join("package.json"), &target.manifest("node", "The addon of @esclusa/node", &file, &main))?;
        let platforms = self.folder.join("platforms");
        make_folder(&platforms)?;
        self.pack(&folder, &platforms)
    }

    fn crates(&self) -> Result<(), String> {
        (self.say)("the crates");
        let folder = self.tools.target();
        // The lock file has everything; asking the registry again could only fail.
        self.tools.must(self.tools.cargo(["fetch", "--locked"]))?;
        // Cargo would verify each crate with old copies of the others in this folder. The suite `packages` builds them
        // in an empty project instead.
        let package = ["package", "--allow-dirty", "--no-verify", "--offline", "--quiet"]
            .into_iter()
            .chain(CRATES.iter().flat_map(|name| ["--package", name]));
        self.tools.must(self.tools.cargo(package))?;
        CRATES.iter().try_for_each(|name| {
            let file = format!("{name}-{}.crate", version());
            copy(&folder.join("package").join(&file), &self.folder.join(file))
        })
    }

    fn wheel(&self, arguments: &[&str]) -> Result<(), String> {
        (self.say)("the wheel");
        let python = self.python()?;
        let build = ["-m", "maturin", "build", "--quiet", "--locked", "--compression-level", "9", "--manifest-path"];
        let build = self.tools.program(&python).args(build).arg(self.manifest("python"));
        let build = build.arg("--out").arg(&self.folder).args(arguments.iter().copied());
        self.tools.must(self.with_path(build, &python)?).map(drop)
    }

    fn npm(&self, variables: &[(&'static str, &str)]) -> Result<(), String> {
        self.tools.install_npm()?;
        for package in NPM_PACKAGES {
            (self.say)(package);
            let pack =
                self.tools.program("npm").args(["pack", "--silent", "--workspace", package, "--pack-destination"]);
            let pack = variables.iter().fold(pack.arg(&self.folder), |pack, (name, value)| pack.env(name, value));
            self.tools.must(pack)?;
        }
        Ok(())
    }

    /// Unpacks a package, to be changed and packed again.
    fn unpack(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.tools.root().join("target/unpacked").join(name);
        make_folder(&folder)?;
        let file = self.folder.join(format!("{name}-{}.tgz", version()));
        self.tools.must(self.tools.program("tar").args(["-xzf"]).arg(&file).arg("-C").arg(&folder))?;
        Ok(folder.join("package"))
    }

    /// Packs a folder unchanged.
    fn pack(&self, folder: &Path, to: &Path) -> Result<(), String> {
        let pack = self.tools.program("npm").args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]);
        self.tools.must(pack.arg(to).arg(folder)).map(drop)
    }

    fn python(&self) -> Result<OsString, String> {
        self.tools.environment("wheels", &WHEEL_PACKAGES, "import maturin, ziglang")
    }

    /// Puts the programs of the environment first in the search path: maturin asks `python` what to build for.
    fn with_path(&self, program: Program, python: &OsString) -> Result<Program, String> {
        let own = Path::new(python).parent().map(Path::to_path_buf);
        let others = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(own.into_iter().chain(std::env::split_paths(&others)));
        Ok(program.env("PATH", path.map_err(|problem| problem.to_string())?))
    }

    fn manifest(&self, binding: &str) -> PathBuf {
        self.tools.root().join("bindings").join(binding).join("Cargo.toml")
    }

    /// The built packages, with their sizes.
    fn built(&self) -> Vec<(PathBuf, u64)> {
        let mut all: Vec<PathBuf> = ["", "platforms", "archives"]
            .iter()
            .flat_map(|part| files(&self.folder.join(part)).collect::<Vec<_>>())
            .collect();
        all.sort();
        let sized = |file: PathBuf| {
            let bytes = fs::metadata(&file).map_or(0, |file| file.len());
            (file, bytes)
        };
        all.into_iter().filter(|file| file.is_file()).map(sized).collect()
    }

    /// Prints them.
    pub(crate) fn list(&self) {
        for (file, bytes) in self.built() {
            println!("{bytes:>10} {}", file.strip_prefix(self.tools.root()).unwrap_or(&file).display());
        }
    }
}

/// The targets of a release.
pub(crate) fn targets(tools: &Tools) -> Result<Vec<Target>, String> {
    let text = read(&tools.root().join("bindings/targets.json"))?;
    let list = Value::from_json(text.as_bytes()).map_err(|problem| format!("bindings/targets.json: {problem}"))?;
    let lines = list.as_list().unwrap_or_default().iter();
    let field = |line: &Value<'_>, name: &str| {
        let text = line.get(name).and_then(Value::as_str).map(str::to_owned);
        text.ok_or(format!("a line of bindings/targets.json has no `{name}`, expected a string"))
    };
    lines
        .map(|line| {
            Ok(Target { triple: field(line, "target")?, npm: field(line, "npm")?, wheel: field(line, "wheel")? })
        })
        .collect()
}

/// The version of everything: crates, wheels and npm packages have one.
pub(crate) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn make_folder(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|problem| format!("cannot make {}: {problem}", folder.display()))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to)
        .map(drop)
        .map_err(|problem| format!("cannot copy {} to {}: {problem}", from.display(), to.display()))
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|problem| format!("cannot read {}: {problem}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|problem| format!("cannot write {}: {problem}", file.display()))
}
