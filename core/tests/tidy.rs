//! The invariants of the house that a test can check. Each failure names the file and what was expected.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files below a folder of the repository, build output left out.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | ".git" | "node_modules" | "corpus" | "artifacts" | ".venv") {
                    walk(&path, ending, found);
                }
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), ending, &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// The code of a Rust file without its comments and without its unit tests.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\n").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

fn core() -> Vec<(String, String)> {
    let files = files("core/src", ".rs");
    assert!(files.len() > 20, "the core is looked at");
    files.into_iter().map(|(name, text)| (name, code(&text))).collect()
}

/// Every file of the core that has `word` in its code is one of `allowed`.
fn only(word: &str, allowed: &[&str]) {
    let found: Vec<String> = core().into_iter().filter(|(_, code)| code.contains(word)).map(|(name, _)| name).collect();
    assert!(!found.is_empty(), "`{word}` is nowhere, so this check checks nothing");
    let wrong: Vec<&String> = found.iter().filter(|name| !allowed.contains(&name.as_str())).collect();
    assert!(wrong.is_empty(), "`{word}` stands in {wrong:?}, expected only in {allowed:?}");
}

fn nowhere(words: &[&str]) {
    for (name, code) in core() {
        for word in words {
            assert!(!code.contains(word), "`{word}` stands in {name}, expected nowhere in the core");
        }
    }
}

#[test]
fn only_snapshot_reads_json_that_is_a_snapshot() {
    only("json::parse(", &["core/src/snapshot.rs"]);
    nowhere(&["serde"]);
}

#[test]
fn only_flags_names_arc_swap_and_a_clock() {
    only("arc_swap", &["core/src/current.rs"]);
    // `time` converts a SystemTime that somebody else has read.
    only("SystemTime", &["core/src/flags.rs", "core/src/time.rs"]);
    only("SystemTime::now", &["core/src/flags.rs"]);
}

#[test]
fn the_core_does_no_io_and_has_no_globals() {
    nowhere(&[
        "std::fs",
        "std::io",
        "std::net::Tcp",
        "std::env",
        "std::process",
        "std::thread",
        "tokio",
        "async ",
        "Instant::now",
    ]);
    nowhere(&["println!", "eprintln!", "static mut", "thread_local!", "OnceLock", "LazyLock", "rand::", "log::"]);
}

#[test]
fn the_core_forbids_unsafe_code_and_knows_no_host() {
    let lib = fs::read_to_string(root().join("core/src/lib.rs")).unwrap();
    assert!(lib.contains("#![forbid(unsafe_code)]"));
    nowhere(&["pyo3", "napi", "wasm_bindgen", "Python", "JavaScript engine"]);
}

#[test]
fn only_compilation_and_keeping_see_both_worlds() {
    // Definitions are the checked wire world, arenas the compiled one; `kept` reads the one back into the other, and
    // `client_snapshot` hands out what was read back.
    for (name, code) in core() {
        let both = code.contains("Definition<") && code.contains("crate::flag_set");
        let allowed = name.starts_with("core/src/compilation")
            || ["core/src/kept.rs", "core/src/client_snapshot.rs"].contains(&name.as_str());
        assert!(!both || allowed, "{name} names definitions and arenas, expected only compilation and kept to");
    }
}

#[test]
fn resolving_knows_nothing_wire_shaped() {
    for (name, code) in core() {
        let resolving = ["resolve.rs", "condition.rs", "operator.rs", "list.rs", "split.rs", "bucket.rs", "flags.rs"];
        if resolving.iter().any(|end| name == format!("core/src/{end}")) {
            for word in ["crate::snapshot", "crate::reading", "crate::validation", "Definition"] {
                assert!(!code.contains(word), "{name} names `{word}`, which is wire-shaped");
            }
        }
    }
}

#[test]
fn files_are_small_and_say_what_they_are() {
    for folder in [
        "core/src",
        "xtask/src",
        "core/tests",
        "core/examples",
        "fuzz/fuzz_targets",
        "sync/src",
        "sync/tests",
        "loopback/src",
        "openfeature/src",
        "cli/src",
        "cli/tests",
        "server/src",
        "server/tests",
        "openfeature/tests",
    ] {
        for (name, text) in files(folder, ".rs") {
            let lines = text.lines().count();
            assert!(lines <= 450, "{name} has {lines} lines, expected at most 450");
            assert!(text.starts_with("//!"), "{name} does not say what it is, expected it to open with `//!`");
        }
    }
    for (name, _) in files("core/src", ".rs") {
        let noun = !["util", "common", "helper", "types", "misc"].iter().any(|word| name.contains(word));
        assert!(noun, "{name} is named for no thing");
    }
}

#[test]
fn nothing_is_left_for_nobody() {
    let words = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat(), ["todo", "!("].concat()];
    for ending in [".rs", ".py", ".md", ".toml"] {
        for (name, text) in files(".", ending) {
            for word in &words {
                assert!(!text.contains(word.as_str()), "{name} has `{word}`");
            }
        }
    }
}

#[test]
fn the_panel_asks_in_one_folder_and_has_short_files() {
    let sources: Vec<_> = [".ts", ".tsx", ".css"].iter().flat_map(|ending| files("panel/src", ending)).collect();
    assert!(sources.len() > 15, "the panel is looked at");
    for (name, text) in sources {
        let is_api = name.starts_with("panel/src/api/");
        assert!(is_api || !text.contains("fetch("), "{name} asks the server, expected only panel/src/api to");
        // A build writes the types of the server's description there.
        let is_built = name == "panel/src/api/schema.ts";
        assert!(is_built || text.lines().count() <= 450, "{name} has more than 450 lines");
    }
    let manifest = fs::read_to_string(root().join("panel/package.json")).unwrap();
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for line in manifest.lines().filter(|line| line.starts_with("    \"") && !line.contains("\"@types/")) {
        let name = line.split('"').nth(1).unwrap();
        let is_script = line.contains("npm ") || ["node", "types", "check", "build", "test"].contains(&name);
        let is_known = name.starts_with("@esclusa/") || architecture.contains(&format!("`{name}`"));
        assert!(is_script || is_known, "ARCHITECTURE.md does not say why `{name}` is used");
    }
}

#[test]
fn every_dependency_of_the_core_has_its_reason() {
    let manifest = fs::read_to_string(root().join("core/Cargo.toml")).unwrap();
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names: Vec<&str> = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty() && !name.starts_with('#')).collect();
    assert!(names.len() >= 6, "the dependencies are read: {names:?}");
    for name in names {
        assert!(architecture.contains(&format!("`{name}`")), "ARCHITECTURE.md does not say why `{name}` is used");
    }
}

#[test]
fn limits_in_the_code_are_those_of_the_specification() {
    use esclusa::limit;
    let semantics = fs::read_to_string(root().join("spec/SEMANTICS.md")).unwrap();
    let written = |number: u64| {
        let digits = number.to_string();
        let groups: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
        groups.join(",")
    };
    let numbers = [
        limit::MAX_SNAPSHOT_BYTES as u64,
        limit::MAX_FLAGS as u64,
        limit::MAX_LIST_ENTRIES as u64,
        limit::MAX_RULES as u64,
        limit::MAX_VARIANTS as u64,
        limit::MAX_PREREQUISITE_RESOLUTIONS,
        limit::MAX_CONDITION_PARTS,
        limit::MAX_REGEX_BYTES as u64,
        limit::MAX_REGEX_PARTS,
        limit::MAX_NESTING_DEPTH as u64,
        limit::MAX_KEY_BYTES as u64,
        u64::from(limit::MAX_PREREQUISITE_CHAIN),
        u64::from(limit::MAX_CONDITION_DEPTH),
    ];
    for number in numbers {
        assert!(semantics.contains(&written(number)), "SEMANTICS.md does not name the limit {}", written(number));
    }
}
