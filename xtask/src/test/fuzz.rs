//! The fuzz targets, each for a short while, from the kept seeds and the snapshots of the vectors.

use std::fs;
use std::path::{Path, PathBuf};

use super::suite::Outcome;
use super::tools::Tools;

/// The targets, and their number of inputs; one input of `work` is a snapshot of 1 MB.
const TARGETS: [(&str, &str); 4] =
    [("snapshot", "-runs=20000"), ("oracle", "-runs=20000"), ("mapping", "-runs=20000"), ("work", "-runs=100")];
/// A test run is deterministic: the same inputs in the same order. It does not search for new ones.
const BOUNDS: [&str; 3] = ["-seed=1", "-max_total_time=60", "-timeout=60"];
/// Vectors that cite these sentences do as much work as a snapshot may: seconds each, and so would their variants.
const AT_A_LIMIT: [&str; 2] = ["\"2.4.6\"", "\"5.17\""];

pub(super) fn run(tools: &Tools) -> Outcome {
    if !tools.has(tools.nightly(["--version"])) {
        return Outcome::Skipped("needs a nightly toolchain: `rustup toolchain install nightly`");
    }
    let mut step = tools.step("fuzz");
    if !tools.has(tools.nightly(["fuzz", "--version"]))
        && let Err(problem) = tools.install_program("cargo-fuzz")
    {
        return step.fail(&problem);
    }
    for (target, runs) in TARGETS {
        let corpus = match corpus(tools.root(), target) {
            Ok(corpus) => corpus,
            Err(problem) => return step.fail(&problem.to_string()),
        };
        let seeds = tools.root().join("fuzz/seeds").join(target);
        let dictionary = format!("-dict={}", tools.root().join("fuzz/snapshot.dict").display());
        // The core has no unsafe code for an address sanitizer to check; without it, more inputs run in the same time.
        let program = tools
            .nightly(["fuzz", "run", "--sanitizer", "none", target])
            .arg(corpus)
            .arg(seeds)
            .arg("--")
            .arg(runs)
            .args(BOUNDS);
        step.run(program.arg(dictionary).in_folder(tools.root().join("fuzz")));
    }
    step.outcome()
}

/// The folder for a target's finds, filled with every snapshot of the vectors.
fn corpus(root: &Path, target: &str) -> std::io::Result<PathBuf> {
    let folder = root.join("fuzz/corpus").join(target);
    fs::create_dir_all(&folder)?;
    if target == "mapping" {
        mappings(root, &folder)?;
    }
    if target == "snapshot" {
        for entry in fs::read_dir(root.join("spec/vectors"))? {
            let path = entry?.path();
            if !path.is_file() {
                continue;
            }
            let text = fs::read_to_string(&path)?;
            let is_seed =
                |line: &&str| line.contains("\"snapshot\"") && !AT_A_LIMIT.iter().any(|cite| line.contains(cite));
            for (number, line) in text.lines().filter(is_seed).enumerate() {
                let Some(snapshot) = line.split("\"snapshot\":").nth(1) else { continue };
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                fs::write(folder.join(format!("{name}-{number}")), balanced(snapshot.trim_start()))?;
            }
        }
    }
    Ok(folder)
}

/// The mapping and the rows of each vector, with a NUL between them.
fn mappings(root: &Path, folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(root.join("spec/vectors/mapping"))? {
        let path = entry?.path();
        if !path.is_file() {
            continue;
        }
        let layer = fs::read(&path)?;
        let layer = esclusa::Value::from_json(&layer).map_err(|problem| std::io::Error::other(problem.to_string()))?;
        let vectors = layer.get("vectors").and_then(esclusa::Value::as_list).unwrap_or_default();
        for (number, vector) in vectors.iter().enumerate() {
            let rows = ["rows", "tables", "document"].into_iter().find_map(|name| vector.get(name));
            if let (Some(mapping), Some(rows)) = (vector.get("mapping"), rows) {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let seed = [mapping.to_json(), rows.to_json()].join("\0");
                fs::write(folder.join(format!("{name}-{number}")), seed)?;
            }
        }
    }
    Ok(())
}

/// The text up to the end of its first bracket; a seed need not be exact.
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
