//! The fuzz targets, each for a short while, from the kept seeds and the snapshots of the vectors.

use std::fs;
use std::path::{Path, PathBuf};

use super::suite::Outcome;
use super::tools::Tools;

const TARGETS: [&str; 2] = ["snapshot", "oracle"];
/// A test run repeats itself: the same inputs in the same order. Looking for new ones is for whoever has more time.
const BOUNDS: [&str; 4] = ["-seed=1", "-runs=20000", "-max_total_time=60", "-timeout=60"];

pub(super) fn run(tools: &Tools) -> Outcome {
    if !tools.has(tools.nightly(["--version"])) {
        return Outcome::Skipped("needs a nightly toolchain: `rustup toolchain install nightly`");
    }
    let mut step = tools.step("fuzz");
    if !tools.has(tools.nightly(["fuzz", "--version"])) {
        step.run(tools.cargo(["install", "--quiet", "cargo-fuzz"]));
    }
    for target in TARGETS {
        let corpus = match corpus(tools.root(), target) {
            Ok(corpus) => corpus,
            Err(problem) => return step.fail(&problem.to_string()),
        };
        let seeds = tools.root().join("fuzz/seeds").join(target);
        let dictionary = format!("-dict={}", tools.root().join("fuzz/snapshot.dict").display());
        let program = tools.nightly(["fuzz", "run", target]).arg(corpus).arg(seeds).arg("--").args(BOUNDS);
        step.run(program.arg(dictionary).in_folder(tools.root().join("fuzz")));
    }
    step.outcome()
}

/// The folder that a target's finds go to, with every snapshot of the vectors in it to begin with.
fn corpus(root: &Path, target: &str) -> std::io::Result<PathBuf> {
    let folder = root.join("fuzz/corpus").join(target);
    fs::create_dir_all(&folder)?;
    if target == "snapshot" {
        for entry in fs::read_dir(root.join("spec/vectors"))? {
            let path = entry?.path();
            if !path.is_file() {
                continue;
            }
            let text = fs::read_to_string(&path)?;
            for (number, line) in text.lines().filter(|line| line.contains("\"snapshot\"")).enumerate() {
                let Some(snapshot) = line.split("\"snapshot\":").nth(1) else { continue };
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                fs::write(folder.join(format!("{name}-{number}")), balanced(snapshot.trim_start()))?;
            }
        }
    }
    Ok(folder)
}

/// The text up to where its first bracket is closed; as a seed it need not be exact.
fn balanced(text: &str) -> &str {
    let mut depth = 0_i32;
    for (at, character) in text.char_indices() {
        match character {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(..=at).unwrap_or(text);
        }
    }
    text
}
