//! The suite of the Python package: builds the wheel, installs it, and tests the installed package.
//!
//! It has a virtual environment of its own below `target`, so that a file missing in the wheel is noticed.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use super::suite::Outcome;
use super::tools::Tools;

/// The PyPI packages for building and testing, in tested versions.
const PACKAGES: [&str; 19] = [
    "maturin>=1.16,<2",
    "pytest>=9,<10",
    "mypy>=2.4,<3",
    "typing-extensions>=4.15,<5",
    "openfeature-sdk>=0.10,<0.11",
    "fastapi>=0.120,<1",
    "uvicorn>=0.40,<1",
    "httpx>=0.28,<1",
    "pydantic>=2.12,<3",
    "anyio>=4.11,<5",
    "gunicorn>=27,<28",
    "psycopg[binary]>=3.3,<4",
    "redis>=8.1,<9",
    "numpy>=2.2,<3",
    "urllib3>=2.6,<3",
    "pymongo>=4.15,<5",
    "gherkin-official>=42,<43",
    "jsonschema>=4.25,<5",
    "prometheus-client>=0.23,<1",
];

/// Fails unless all of them are installed.
const READY: &str = "import maturin, pytest, mypy, openfeature, fastapi, uvicorn, httpx, pydantic, anyio, gunicorn, \
                     psycopg, redis, numpy, urllib3, bson, gherkin, jsonschema, prometheus_client";

/// The name of the virtual environment.
const NAME: &str = "python-package";

/// The maximum size of this wheel in bytes. The machine's own linker links it, and it has methods for benches; the
/// wheel of a release, linked by zig, is smaller.
const MAX_WHEEL_BYTES: u64 = 2_000_000;

pub(super) fn run(tools: &Tools) -> Outcome {
    let mut step = tools.step("python");
    let python = match tools.environment(NAME, &PACKAGES, READY) {
        Ok(python) => python,
        Err(problem) => return step.fail(&problem),
    };
    let folder = tools.root().join("target/suites").join(NAME);
    let wheels = folder.join("wheels");
    let build =
        tools.program(&python).args(["-m", "maturin", "build", "--quiet", "--locked", "--compression-level", "9"]);
    let manifest = tools.root().join("bindings/python/Cargo.toml");
    step.run(build.arg("--manifest-path").arg(manifest).arg("--out").arg(&wheels).env("PATH", path_with(&folder)));
    let Some(wheel) = newest(&wheels) else { return step.fail("no wheel was built") };
    match fs::metadata(&wheel).map(|wheel| wheel.len()) {
        Ok(bytes) if bytes <= MAX_WHEEL_BYTES => {}
        Ok(bytes) => return step.fail(&format!("the wheel has {bytes} bytes, expected at most {MAX_WHEEL_BYTES}")),
        Err(problem) => return step.fail(&format!("cannot see {}: {problem}", wheel.display())),
    }
    let install = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--force-reinstall"];
    step.run(tools.program(&python).args(install).arg(&wheel));

    let loopback = match tools.loopback() {
        Ok(loopback) => loopback,
        Err(problem) => return step.fail(&problem),
    };
    let test = |folder: &str| {
        let pytest = ["-m", "pytest", "--quiet", "--color=no", "-p", "no:cacheprovider"];
        let test = tools.program(&python).args(pytest).env("ESCLUSA_LOOPBACK", &loopback);
        test.in_folder(tools.root().join(folder))
    };
    step.run(test("bindings/python")).run(test("examples/python")).outcome()
}

/// The search path with the programs of the virtual environment first: maturin asks `python` what to build for.
fn path_with(folder: &std::path::Path) -> OsString {
    let own = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let others = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(own.clone()).chain(std::env::split_paths(&others));
    std::env::join_paths(paths).unwrap_or(own.into_os_string())
}

/// The last wheel: one of an earlier version may still be there.
fn newest(wheels: &PathBuf) -> Option<PathBuf> {
    let files = fs::read_dir(wheels).ok()?.flatten().map(|file| file.path());
    let wheels = files.filter(|file| file.extension() == Some(OsStr::new("whl")));
    wheels.max_by_key(|file| fs::metadata(file).and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH))
}
