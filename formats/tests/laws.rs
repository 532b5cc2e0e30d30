//! What holds for every mapping, and what bad input does: it is refused or withheld in words, quickly, and nothing panics.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what is wrong"
)]

mod generator;
mod support;

use std::time::{Duration, Instant};

use esclusa::{Context, FlagSet, Flags, Time};
use esclusa_formats::{Mapping, native, read};
use generator::{CALLERS, Case};
use proptest::prelude::*;
use serde_json::Value as Json;
use support::same_flags;

fn mapping(text: &str) -> Mapping {
    Mapping::from_toml(&format!("esclusa_mapping = 1\n{text}")).unwrap()
}

fn of_case(case: &Case) -> Option<Mapping> {
    Mapping::from_json(case.mapping.to_string().as_bytes()).ok()?.with("environment", "production").ok()
}

fn answers(set: &FlagSet) -> Vec<(String, Vec<bool>)> {
    let now = Time::parse("2026-06-15T12:00:00Z").unwrap();
    let mut keys: Vec<&str> = set.keys().collect();
    keys.sort_unstable();
    let is_on =
        |key: &str, caller: &str| set.resolve(key, &Context::from_json(caller.as_bytes()).unwrap(), now).is_enabled();
    keys.into_iter().map(|key| (key.to_owned(), CALLERS.map(|caller| is_on(key, caller)).to_vec())).collect()
}

/// The rows of a case in another order.
fn shuffled(rows: &str, seed: u64) -> String {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut rows: Json = serde_json::from_str(rows).unwrap();
    let list = if rows.is_array() { &mut rows } else { &mut rows["tables"]["flags"] };
    rng.shuffle(list.as_array_mut().unwrap());
    rows.to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_order_of_rows_is_of_no_consequence(seed: u64) {
        let case = Case::random(seed);
        // A column that stands twice in a row stands once after it was read by another reader.
        let rows = serde_json::from_str::<Json>(&case.rows).unwrap().to_string();
        if let Some(mapping) = of_case(&case) {
            let (one, other) = (read(rows.as_bytes(), &mapping), read(shuffled(&rows, seed).as_bytes(), &mapping));
            prop_assert_eq!(one.is_ok(), other.is_ok());
            if let (Ok((one, _)), Ok((other, _))) = (one, other) {
                prop_assert_eq!(answers(&one), answers(&other), "{} {}", case.mapping, rows);
            }
        }
    }

    #[test]
    fn a_mapping_of_nothing_equals_no_mapping(seed: u64) {
        let case = Case::random(seed);
        if case.rows.starts_with('[') && case.rows.contains("\"enabled\"") {
            let (set, _) = read(case.rows.as_bytes(), &mapping("")).unwrap();
            prop_assert_eq!(answers(&set), answers(&FlagSet::from_json(case.rows.as_bytes()).unwrap()));
            prop_assert_eq!(set.violations().len(), FlagSet::from_json(case.rows.as_bytes()).unwrap().violations().len());
        }
    }

    #[test]
    fn without_ignore_nobody_is_let_in(seed: u64) {
        let case = Case::random(seed);
        let ignoring = case.mapping.to_string().replacen('{', r#"{"ignore":["allowed_things","note"],"#, 1);
        let ignoring = Mapping::from_json(ignoring.as_bytes()).and_then(|mapping| mapping.with("environment", "production"));
        if let (Ok(ignoring), Some(mapping)) = (ignoring, of_case(&case))
            && let (Ok((with, _)), Ok((without, _))) = (read(case.rows.as_bytes(), &ignoring), read(case.rows.as_bytes(), &mapping))
        {
            for ((key, with), (_, without)) in answers(&with).into_iter().zip(answers(&without)) {
                prop_assert!(with.iter().zip(&without).all(|(with, without)| *with || !without), "{key}");
            }
        }
    }

    #[test]
    fn an_override_moves_nobody_else(share in 0..=100_u32, plan in any::<bool>()) {
        let mapping = mapping("default = 'enabled'\nfold = { by = [{ column = 'who', as = 'plan' }, { column = 'org', as = 'company' }] }");
        let general = format!(r#"{{"name":"a","enabled":true,"rollout_percentage":{share},"who":null,"org":null}}"#);
        let more = if plan { r#","who":"GOLD","org":null}"# } else { r#","who":null,"org":"north"}"# };
        let rows = format!(r#"[{general},{{"name":"a","enabled":true{more}]"#);
        let one = read(format!("[{general}]").as_bytes(), &mapping).unwrap().0;
        let other = read(rows.as_bytes(), &mapping).unwrap().0;
        for user in 0..300 {
            let context = Context::new(format!("user-{user}")).plan("TIN").company("south");
            let is_on = |set: &FlagSet| set.resolve("a", &context, Time::from_millis(0)).is_enabled();
            prop_assert_eq!(is_on(&one), is_on(&other));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(mapping in "\\PC{0,60}", rows in "\\PC{0,60}", seed: u64) {
        let _ = Mapping::from_toml(&mapping);
        let _ = Mapping::from_json(mapping.as_bytes());
        if let Some(mapping) = of_case(&Case::random(seed)) {
            let _ = read(rows.as_bytes(), &mapping);
        }
    }
}

#[test]
fn a_withheld_flag_answers_alike_in_old_and_new_processes() {
    let mapping = mapping("rollout_percentage = 'share'\noverrides.on.users = 'vip'");
    let set = |row: &str| read(format!("[{row}]").as_bytes(), &mapping).unwrap().0;
    let good = r#"{"name":"a","enabled":true,"share":100,"vip":null}"#;
    for bad in [
        r#"{"name":"a","enabled":true,"share":"many","vip":null}"#,
        r#"{"name":"a","enabled":true,"share":100,"vip":{"x":1}}"#,
    ] {
        let flags = Flags::new();
        let _ = flags.publish(set(good));
        let _ = flags.publish(set(bad));
        let caller = Context::new("ana");
        assert!(!flags.is_enabled("a", &caller), "{bad}");
        let fresh = Flags::new();
        let _ = fresh.publish(set(bad));
        assert!(!fresh.is_enabled("a", &caller));
    }
}

#[test]
fn identity_is_no_change() {
    let rows = br#"[{"name":"a","enabled":"yes","rollout_percentage":33.333333333333336,"target_plans":["PRO"],"end_date":"2027-01-01"}]"#;
    let plain = native(rows, &mapping("")).unwrap();
    let named = "name = 'name'\nenabled = 'enabled'\nrollout_percentage = 'rollout_percentage'\ntarget_plans = 'target_plans'\nend_date = 'end_date'";
    let (one, other) = (read(rows, &mapping("")).unwrap().0, read(rows, &mapping(named)).unwrap().0);
    assert_eq!(answers(&one), answers(&other));
    assert!(!same_flags(&serde_json::from_str(&plain.to_json()).unwrap(), &Json::Array(Vec::new())));
}

#[test]
fn a_violation_names_the_column_and_the_flag() {
    let mapping = mapping("name = 'slug'\nrollout_percentage = { column = 'pct', of = 1 }");
    let rows = br#"{"esclusa": 1, "tables": {"flags": [{"slug": "maps", "enabled": true, "pct": 1.5}]}}"#;
    let (set, reading) = read(rows, &mapping).unwrap();
    let said: Vec<String> = set.violations().iter().map(ToString::to_string).collect();
    assert_eq!(said, ["`/tables/flags/0/pct`: is out of range, expected a number from 0 to 1 (flag `maps`)"]);
    let columns: Vec<_> = reading.columns().iter().map(|column| (column.name(), column.read_as())).collect();
    assert_eq!(columns, [("slug", Some("name")), ("pct", Some("rollout_percentage")), ("enabled", Some("enabled"))]);
    assert!(!reading.to_value().to_json().contains("1.5"));
}

#[test]
fn many_columns_and_large_mappings_take_no_longer_than_they_are_long() {
    let within = |limit: Duration, what: &str, run: &mut dyn FnMut()| {
        let begin = Instant::now();
        run();
        assert!(begin.elapsed() < limit, "{what} took {:?}", begin.elapsed());
    };
    let columns: Vec<String> = (0..100_000).map(|column| format!("\"c{column}\":{column}")).collect();
    let wide = format!("[{{\"name\":\"a\",\"enabled\":true,{}}}]", columns.join(","));
    let plain = mapping("");
    within(Duration::from_secs(3), "a row of 100,000 columns", &mut || drop(read(wide.as_bytes(), &plain).unwrap()));
    let ignored: Vec<String> = (0..100_000).map(|column| format!("'c{column}'")).collect();
    let text = format!("esclusa_mapping = 1\nignore = [{}]", ignored.join(","));
    within(Duration::from_secs(3), "a mapping of 1 MB", &mut || {
        let mapping = Mapping::from_toml(&text).unwrap();
        assert!(read(wide.as_bytes(), &mapping).unwrap().0.violations().is_empty());
    });
    let rows: Vec<String> =
        (0..50_000).map(|row| format!(r#"{{"name":"a","enabled":true,"u":"user-{row}"}}"#)).collect();
    let rows = format!("[{}]", rows.join(","));
    let folds = mapping("fold = { by = [{ column = 'u', as = 'user' }] }");
    within(Duration::from_secs(3), "50,000 rows of one flag", &mut || drop(read(rows.as_bytes(), &folds).unwrap()));
}
