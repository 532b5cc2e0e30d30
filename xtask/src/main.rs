//! `cargo xtask`: the tasks of this repository for developers.
//!
//! This file knows only the subcommands.

mod bench;
mod demo;
mod installed;
mod package;
mod test;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

commands:
  bench [--rounds N] [PART...]
      measures everything that is claimed about speed, beside other engines and the least code that does the same, and
      writes a dated record with pictures; parts are rust, python, node, chromium, sizes and scaling
  demo [--users N] [--companies N] [--at TIME] [--rows FILE] [--engine-only] [--serve]
      resolves every flag of a feature_flags table for a generated population, takes one back, and shows that every
      language answers alike; --serve ends with the React example in the browser
  package [--target TARGET | --common]
      builds what users install, into target/packages: for this machine, or a part of a release
  test [--no-install] [SUITE...]
      runs the checks of the repository; what they need outside of the checkout (Chromium, Postgres, PgBouncer, Redis,
      Valgrind, cargo-fuzz) is installed, by apt-get and cargo, unless told not to";

fn main() -> ExitCode {
    let arguments: Result<Vec<String>, _> = std::env::args_os().skip(1).map(std::ffi::OsString::into_string).collect();
    let Ok(arguments) = arguments else { return usage("an argument is not UTF-8") };
    match arguments.split_first() {
        Some((command, rest)) if command == "bench" => bench::run(rest),
        Some((command, rest)) if command == "demo" => demo::run(rest),
        Some((command, rest)) if command == "package" => package::run(rest),
        Some((command, rest)) if command == "test" => test::run(rest),
        Some((command, _)) => usage(&format!("there is no command `{command}`")),
        None => usage("a command is missing"),
    }
}

/// Prints what is wrong with the arguments, and the valid ones.
fn usage(problem: &str) -> ExitCode {
    eprintln!("{problem}\n\n{USAGE}");
    ExitCode::from(2)
}
