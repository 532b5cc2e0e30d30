//! Bytes become a mapping and rows: whatever they are, nothing panics, a mapping survives being written, both ways of
//! reading rows give the same answers, and looking at the rows proposes a mapping that can be read. A NUL stands between
//! the mapping, JSON or TOML, and the rows.
#![no_main]

use esclusa::{Context, FlagSet, Time};
use esclusa_formats::{Mapping, inspect, read, snapshot};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (written, rows) = bytes.split_at(end);
    let rows = rows.get(1..).unwrap_or_default();
    if let Ok(inspection) = inspect(rows) {
        assert!(Mapping::from_toml(&inspection.mapping()).is_ok(), "{}", inspection.mapping());
    }
    let from_toml = || Mapping::from_toml(std::str::from_utf8(written).ok()?).ok();
    let Some(mapping) = Mapping::from_json(written).ok().or_else(from_toml) else { return };
    let again = Mapping::from_json(mapping.to_json().as_bytes()).expect("what is written can be read");
    assert_eq!(again.to_json(), mapping.to_json());
    let names: Vec<String> = mapping.parameters().into_iter().map(str::to_owned).collect();
    let given = |mapping: Mapping, name: &String| mapping.clone().with(name, "production").unwrap_or(mapping);
    let mapping = names.iter().fold(mapping, given);
    let (one, other) = (read(rows, &mapping), snapshot(rows, &mapping));
    let (Ok((set, _)), Ok(document)) = (one, other) else { return };
    let Ok(native) = FlagSet::from_json(document.to_json().as_bytes()) else { return };
    for context in [Context::anonymous(), Context::new("1").company("acme").plan("PREMIUM").role("ADMIN").region("CO")]
    {
        for (key, resolution) in set.resolve_all(&context, Time::from_millis(1_750_000_000_000)).take(100) {
            let same = native.resolve(key, &context, Time::from_millis(1_750_000_000_000));
            assert_eq!(same.is_enabled(), resolution.is_enabled(), "{key}");
        }
    }
});
