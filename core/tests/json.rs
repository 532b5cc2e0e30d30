//! The reader and writer of JSON against serde_json, on the data of this repository and on what is left of it when
//! bytes are changed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

use std::path::Path;

use esclusa::Value;
use proptest::prelude::*;

fn files() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = vec![std::fs::read(root.join("examples/data/feature_flags.json")).unwrap()];
    for folder in ["spec/vectors", "core/tests/broken"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "json") {
                files.push(std::fs::read(path).unwrap());
            }
        }
    }
    assert!(files.len() > 20);
    files
}

/// Whether both read the same value, or both refuse; answers whether they read it.
fn agree(bytes: &[u8]) -> bool {
    let theirs: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
    match (Value::from_json(bytes), theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert!(same(&ours, &theirs), "{ours}\nis not\n{theirs}");
            let written = ours.to_string();
            assert_eq!(Value::from_json(written.as_bytes()).unwrap(), ours, "what is written is read back");
            let theirs: serde_json::Value = serde_json::from_str(&written).unwrap();
            assert!(same(&ours, &theirs), "{written}");
            true
        }
        (Err(_), Err(_)) => false,
        (Err(error), Ok(_)) if error.to_string().contains("nested too deep") => false,
        (ours, theirs) => panic!("{ours:?}\nbut\n{theirs:?}\nfor {}", String::from_utf8_lossy(bytes)),
    }
}

fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(ours), serde_json::Value::Bool(theirs)) => ours == theirs,
        (Value::Integer(_) | Value::Number(_), serde_json::Value::Number(theirs)) => ours.as_f64() == theirs.as_f64(),
        (Value::Text(ours), serde_json::Value::String(theirs)) => ours == theirs,
        (Value::List(ours), serde_json::Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(_), serde_json::Value::Object(theirs)) => {
            theirs.iter().all(|(name, theirs)| ours.get(name).is_some_and(|ours| same(ours, theirs)))
        }
        _ => false,
    }
}

#[test]
fn the_data_of_this_repository_is_read_alike() {
    assert!(files().iter().all(|bytes| agree(bytes)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn so_is_a_piece_of_it_with_other_bytes_in_it(
        file in 0_usize..20, start: prop::sample::Index, length in 1_usize..400, at: prop::sample::Index,
        byte in prop::sample::select(br#"{}[]",:\u0-+.eE1 trnd"#.to_vec()),
    ) {
        // A string of the file is a text of its own: the vectors hold snapshots, whole and broken.
        let file = &files()[file];
        let start = start.index(file.len());
        let mut piece = file[start..file.len().min(start + length)].to_vec();
        let at = at.index(piece.len());
        piece[at] = byte;
        agree(&piece);
    }

    #[test]
    fn so_is_a_line_of_tokens(tokens in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "1", "-0", "1.5e3",
        "01", "1e400", "true", "nul", " ", "\n", "\u{7f}", "\"é\"", "\u{feff}",
    ]), 1..12)) {
        let text = tokens.concat();
        let known = text.starts_with('\u{feff}');
        prop_assume!(!known);
        agree(text.as_bytes());
    }

    #[test]
    fn any_string_is_written_and_read_back(text: String) {
        let value = Value::from(text.clone());
        let theirs: String = serde_json::from_str(&value.to_string()).unwrap();
        prop_assert_eq!(&theirs, &text);
        let ours = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(Value::from_json(ours.as_bytes()).unwrap(), value);
    }
}
