//! The shapes of tables that people have, with invented rows: with its mapping the right caller is on and the wrong one
//! off, and without a mapping a caller whom the row keeps out is off.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod support;

use esclusa::{Context, FlagSet, Time};
use esclusa_formats::{Mapping, inspect, read};
use serde_json::Value as Json;
use support::mapping_of;

fn shapes() -> Vec<Json> {
    serde_json::from_str(include_str!("tables/shapes.json")).unwrap()
}

fn is_on(set: &FlagSet, key: &Json, caller: &Json) -> bool {
    let caller = caller.to_string();
    let now = Time::parse("2026-06-15T12:00:00Z").unwrap();
    set.resolve(key.as_str().unwrap(), &Context::from_json(caller.as_bytes()).unwrap(), now).is_enabled()
}

#[test]
fn with_its_mapping_each_shape_lets_in_the_right_caller_alone() {
    for shape in shapes() {
        let name = &shape["shape"];
        let mapping = mapping_of(&shape).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(shape["mapping"].as_object().unwrap().len() <= 12, "{name}");
        for rows in [shape["rows"].clone(), turned(&shape["rows"])] {
            let (set, _) =
                read(rows.to_string().as_bytes(), &mapping).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(is_on(&set, &shape["flag"], &shape["in"]), "{name}: {:?}", set.violations());
            let flag = shape.get("out_flag").unwrap_or(&shape["flag"]);
            assert!(!is_on(&set, flag, &shape["out"]), "{name}");
        }
    }
}

#[test]
fn without_a_mapping_whoever_a_row_keeps_out_is_off() {
    for shape in shapes() {
        let flag = shape.get("out_flag").unwrap_or(&shape["flag"]);
        let rows = shape["rows"].to_string();
        if let Ok(set) = FlagSet::from_json(rows.as_bytes()) {
            assert!(!is_on(&set, flag, &shape["out"]), "{}", shape["shape"]);
        }
        let plain = Mapping::from_toml("esclusa_mapping = 1").unwrap();
        if let Ok((set, _)) = read(rows.as_bytes(), &plain) {
            assert!(!is_on(&set, flag, &shape["out"]), "{}", shape["shape"]);
        }
    }
}

#[test]
fn what_is_proposed_never_lets_in_whom_the_table_keeps_out() {
    let mut right = 0;
    for shape in shapes() {
        let rows = shape["rows"].to_string();
        let inspection = inspect(rows.as_bytes()).unwrap();
        let mapping = Mapping::from_toml(&inspection.mapping()).unwrap();
        let flag = shape.get("out_flag").unwrap_or(&shape["flag"]);
        if let Ok((set, _)) = read(rows.as_bytes(), &mapping) {
            assert!(!is_on(&set, flag, &shape["out"]), "{}: {}", shape["shape"], inspection.mapping());
            right += usize::from(is_on(&set, &shape["flag"], &shape["in"]));
        }
    }
    println!("{right} shapes are right with what is proposed alone");
    assert!(right >= 9, "{right} shapes are right with what is proposed alone");
}

#[test]
fn documents_of_other_systems_are_refused() {
    let mapping = Mapping::from_toml("esclusa_mapping = 1").unwrap();
    for document in [
        r#"{"flags": {"maps": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on"}}}"#,
        r#"{"features": [{"name": "maps", "enabled": true}]}"#,
        r#"{"flagValues": {"maps": true}}"#,
        "maps:\n  enabled: true\n",
    ] {
        assert!(read(document.as_bytes(), &mapping).is_err(), "{document}");
    }
}

/// The same rows in another order, with their columns in another order.
fn turned(rows: &Json) -> Json {
    match rows {
        Json::Array(rows) => rows.iter().rev().map(turned_row).collect(),
        Json::Object(document) => {
            let mut document = document.clone();
            for table in document
                .get_mut("tables")
                .and_then(Json::as_object_mut)
                .into_iter()
                .flat_map(serde_json::Map::values_mut)
            {
                *table = turned(table);
            }
            Json::Object(document)
        }
        other => other.clone(),
    }
}

fn turned_row(row: &Json) -> Json {
    Json::Object(row.as_object().unwrap().iter().rev().map(|(name, value)| (name.clone(), value.clone())).collect())
}

#[test]
fn the_mapping_of_the_readme_reads_such_a_table() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let text = readme.split("```toml\n").find(|block| block.starts_with("esclusa_mapping")).unwrap();
    let mapping =
        Mapping::from_toml(text.split("```").next().unwrap()).unwrap().with("environment", "production").unwrap();
    let rows = br#"[{"slug": "crm", "is_active": 1, "share": 1, "plans": "PRO", "environment": "production", "expires_at": null}]"#;
    let (set, _) = read(rows, &mapping).unwrap();
    let is_on = |plan| set.resolve("crm", &Context::new("ana").plan(plan), Time::from_millis(0)).is_enabled();
    assert!(is_on("PRO") && !is_on("FREE"));
}
