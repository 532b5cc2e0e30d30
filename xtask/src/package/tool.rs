//! The tool `esclusa` in its packages: a wheel, packages for npm, and an archive with manual pages and completions.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Packages, Target, copy, files, make_folder, read, targets, version, write};

/// Each shell, and the name of its completions.
const SHELLS: [(&str, &str); 5] = [
    ("bash", "esclusa.bash"),
    ("elvish", "esclusa.elv"),
    ("fish", "esclusa.fish"),
    ("powershell", "_esclusa.ps1"),
    ("zsh", "_esclusa"),
];
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

impl Packages<'_> {
    /// All packages of the tool for this machine, built in a profile, with these arguments.
    pub(crate) fn tool(&self, profile: &[&str]) -> Result<(), String> {
        let host = self.host()?;
        let all = targets(self.tools)?;
        let target = all.iter().find(|target| target.triple == host);
        let target = target.ok_or(format!("`{host}` is not in bindings/targets.json"))?;
        let program = self.tool_wheel(&[&["--profile"], profile].concat())?;
        self.tool_platform(target, &program)?;
        self.tool_archive(target, &program, &program)?;
        self.tool_npm()
    }

    /// The wheel, the package for npm with the program alone, and the archive, as a release has them.
    pub(super) fn tool_for_target(&self, target: &Target, arguments: &[&str]) -> Result<(), String> {
        let program = self.tool_wheel(arguments)?;
        self.tool_platform(target, &program)?;
        // A program for another system cannot print its manual here.
        let speaker = if target.triple == self.host()? { program.clone() } else { self.tool_of_this_machine()? };
        self.tool_archive(target, &program, &speaker)
    }

    /// What is the same for every target.
    pub(super) fn tool_common(&self) -> Result<(), String> {
        let python = self.python()?;
        let sdist = self.tools.program(python).args(["-m", "maturin", "sdist", "--manifest-path"]);
        self.tools.must(sdist.arg(self.tool_manifest()).arg("--out").arg(&self.folder))?;
        self.tool_npm()
    }

    /// Builds the wheel: the program in it.
    fn tool_wheel(&self, arguments: &[&str]) -> Result<PathBuf, String> {
        (self.say)("the wheel of the tool");
        let python = self.python()?;
        let build = ["-m", "maturin", "build", "--quiet", "--locked", "--compression-level", "9", "--manifest-path"];
        let build = self.tools.program(&python).args(build).arg(self.tool_manifest());
        let build = build.arg("--out").arg(&self.folder).args(arguments.iter().copied());
        self.tools.must(self.with_path(build, &python)?)?;
        let is_it = |file: &PathBuf| {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.starts_with("esclusa_cli-") && name.ends_with(".whl")
        };
        let wheel = files(&self.folder).find(is_it).ok_or("maturin has built no wheel of the tool")?;
        let folder = self.tools.root().join("target/unpacked/tool");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|problem| format!("cannot empty {}: {problem}", folder.display()))?;
        }
        make_folder(&folder)?;
        self.tools.must(self.tools.program(&python).args(["-m", "zipfile", "-e"]).arg(wheel).arg(&folder))?;
        let scripts = folder.join(format!("esclusa_cli-{}.data/scripts", version()));
        let program = files(&scripts).next().ok_or("the wheel holds no program")?;
        let rights = fs::metadata(&program).map(|file| file.permissions());
        rights
            .and_then(|rights| fs::set_permissions(&program, runnable(rights)))
            .map_err(|problem| problem.to_string())?;
        Ok(program)
    }

    /// The program in a package of its own, for the launcher of `@esclusa/cli`.
    fn tool_platform(&self, target: &Target, program: &Path) -> Result<(), String> {
        let folder = self.tools.root().join("target/programs").join(&target.npm);
        make_folder(&folder)?;
        let file = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        copy(program, &folder.join(&file))?;
        for licence in LICENCES {
            copy(&self.tools.root().join(licence), &folder.join(licence))?;
        }
        write(&folder.join("package.json"), &target.manifest("cli", "The program of @esclusa/cli", &file, ""))?;
        let platforms = self.folder.join("platforms");
        make_folder(&platforms)?;
        self.pack(&folder, &platforms)
    }

    /// The launcher, which names the packages for all platforms.
    fn tool_npm(&self) -> Result<(), String> {
        (self.say)("@esclusa/cli");
        let folder = self.tools.root().join("target/programs/cli");
        make_folder(&folder)?;
        let source = self.tools.root().join("cli");
        copy(&source.join("npm/esclusa.js"), &folder.join("esclusa.js"))?;
        copy(&source.join("README.md"), &folder.join("README.md"))?;
        for licence in LICENCES {
            copy(&self.tools.root().join(licence), &folder.join(licence))?;
        }
        let manifest = read(&source.join("npm/package.json"))?;
        write(&folder.join("package.json"), &self.with_platforms("cli", &manifest)?)?;
        self.pack(&folder, &self.folder)
    }

    /// The program with its manual pages and completions.
    fn tool_archive(&self, target: &Target, program: &Path, speaker: &Path) -> Result<(), String> {
        let name = format!("esclusa-{}-{}", version(), target.triple);
        let archives = self.folder.join("archives");
        let folder = self.tools.root().join("target/archives").join(&name);
        make_folder(&archives)?;
        make_folder(&folder.join("completions"))?;
        copy(program, &folder.join(program.file_name().unwrap_or_default()))?;
        for file in LICENCES.into_iter().chain(["cli/README.md"]) {
            let file = self.tools.root().join(file);
            copy(&file, &folder.join(file.file_name().unwrap_or_default()))?;
        }
        self.tools.must(self.tools.program(speaker).arg("man").arg(folder.join("man")))?;
        for (shell, file) in SHELLS {
            let text = self.tools.must(self.tools.program(speaker).args(["completions", shell]))?;
            write(&folder.join("completions").join(file), &text)?;
        }
        let file = archives.join(format!("{name}.tar.gz"));
        let tar = self.tools.program("tar").args(["-czf"]).arg(file).args([name.as_str()]);
        self.tools.must(tar.in_folder(self.tools.root().join("target/archives"))).map(drop)
    }

    /// The tool for this machine.
    fn tool_of_this_machine(&self) -> Result<PathBuf, String> {
        self.tools.must(self.tools.cargo(["build", "--quiet", "--package", "esclusa-cli", "--bin", "esclusa"]))?;
        Ok(self.tools.target().join("debug").join(format!("esclusa{}", std::env::consts::EXE_SUFFIX)))
    }

    fn tool_manifest(&self) -> PathBuf {
        self.tools.root().join("cli/Cargo.toml")
    }

    fn host(&self) -> Result<String, String> {
        let said = self.tools.must(self.tools.program("rustc").arg("-vV"))?;
        let host = said.lines().find_map(|line| line.strip_prefix("host: "));
        host.map(str::to_owned).ok_or("rustc does not say what it runs on".to_owned())
    }
}

#[cfg(unix)]
fn runnable(mut rights: fs::Permissions) -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o755);
    rights
}

#[cfg(not(unix))]
fn runnable(rights: fs::Permissions) -> fs::Permissions {
    rights
}
