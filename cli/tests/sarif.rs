//! SARIF that other programs read: the types that the crate `serde-sarif` makes of the schema of OASIS know every field.
#![allow(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use serde_sarif::sarif::Sarif;

#[test]
fn nothing_is_lost_on_the_way_through_the_types_of_the_schema() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/files");
    let mut results = 0;
    for file in ["bad.json", "broken.json", "cut.json", "good.json"] {
        let mut lint = Command::new(env!("CARGO_BIN_EXE_esclusa"));
        lint.current_dir(&files).args(["lint", file, "--no-config", "--format", "sarif"]);
        let printed: Value = serde_json::from_slice(&lint.output().unwrap().stdout).unwrap();
        let sarif: Sarif = serde_json::from_value(printed.clone()).unwrap_or_else(|error| panic!("{file}: {error}"));
        results += sarif.runs.iter().filter_map(|run| run.results.as_ref()).map(Vec::len).sum::<usize>();
        assert_eq!(serde_json::to_value(sarif).unwrap(), printed, "{file}");
    }
    assert!(results >= 10, "{results} results");
}
