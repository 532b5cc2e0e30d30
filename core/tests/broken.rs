//! Every broken snapshot of `tests/broken`: what is said about it, and that it breaks nothing else.
//!
//! The messages are kept word for word, because the author of a flag has nothing but them.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use esclusa::{Context, FlagSet, Flags, Outcome, SnapshotError, Time};
use serde_json::{Value as Json, json};

/// A flag that is added behind the flags of a case.
const BESIDE: &str = r#"{"name": "beside", "enabled": true, "target_plans": ["PREMIUM"]}"#;

/// What is published before each case.
const KNOWN_GOOD: &str = r#"[
    {"name": "known_on", "enabled": true},
    {"name": "known_off", "enabled": false, "off_value": "nothing"},
    {"name": "known_half", "enabled": true, "rollout_percentage": 50},
    {"name": "known_variants", "enabled": true, "variants": [{"key": "a", "value": 1}, {"key": "b", "value": 2}]},
    {"name": "known_rule", "enabled": true, "prerequisites": [{"flag": "known_on", "on": true}],
     "rules": [{"key": "premium", "when": {"attribute": "plan", "op": "in", "values": ["PREMIUM"]}}]}
]"#;

#[test]
fn every_broken_snapshot_is_told_apart_and_breaks_nothing_else() {
    let (mut names, mut failed) = (HashSet::new(), Vec::new());
    for case in cases() {
        let name = case["name"].as_str().unwrap().to_owned();
        match catch_unwind(AssertUnwindSafe(|| check(&case))) {
            Ok(Ok(())) => {}
            Ok(Err(difference)) => failed.push(format!("{name}: {difference}")),
            Err(_) => failed.push(format!("{name}: panics")),
        }
        assert!(!names.contains(&name), "there are two cases `{name}`");
        names.insert(name);
    }
    assert!(failed.is_empty(), "{} of {} cases do not hold:\n{}", failed.len(), names.len(), failed.join("\n"));
    assert!(names.len() >= 700, "{} cases are too few, expected at least 700", names.len());
}

/// The cases of all files.
fn cases() -> impl Iterator<Item = Json> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().flat_map(|file| {
        let mut file: Json = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        match file["cases"].take() {
            Json::Array(cases) => cases,
            _ => panic!("`cases` is no array"),
        }
    })
}

fn check(case: &Json) -> Result<(), String> {
    let bytes = bytes(case);
    match (case.get("refused"), case.get("violations")) {
        (Some(message), None) => refused(&bytes, message.as_str().unwrap()),
        (None, Some(violations)) => set_aside(case, &bytes, &sorted(violations.as_array().unwrap())),
        _ => Err("is neither refused nor set aside".to_owned()),
    }
}

/// A snapshot that is refused whole leaves every answer as it was.
fn refused(bytes: &[u8], expected: &str) -> Result<(), String> {
    let flags = known_good();
    let (before, answers) = (flags.current(), answers(&flags));
    for read in [FlagSet::from_json, FlagSet::from_json_strict] {
        match read(bytes) {
            Err(error) => same(&one_line(error.to_string())?, expected)?,
            Ok(set) => {
                let _ = flags.publish(set);
                return Err("is published".to_owned());
            }
        }
    }
    same(&Arc::ptr_eq(&before, &flags.current()), &true)?;
    same(&self::answers(&flags), &answers)
}

/// A snapshot with flags that are set aside still publishes the good flag beside them.
fn set_aside(case: &Json, bytes: &[u8], expected: &[String]) -> Result<(), String> {
    let set = FlagSet::from_json(bytes).map_err(|error| format!("is refused: {error}"))?;
    for violation in set.violations() {
        one_line(violation.to_string())?;
    }
    same(&told(set.violations()).as_slice(), &expected)?;
    let beside = with_good_flag(case, bytes);
    let flags = known_good();
    let set = FlagSet::from_json(&beside).map_err(|error| format!("is refused with a good flag: {error}"))?;
    let report = flags.publish(set);
    same(&report.outcome(), &Outcome::Published)?;
    same(&told(report.violations()).as_slice(), &expected)?;
    let answer = |plan| {
        let context = Context::new("user-42").plan(plan);
        flags.current().resolve("beside", &context, now()).is_enabled()
    };
    same(&(answer("PREMIUM"), answer("BASIC")), &(true, false))?;
    strict(&beside, expected)
}

/// In strict mode any violation refuses the snapshot, and the refusal carries them all.
fn strict(bytes: &[u8], expected: &[String]) -> Result<(), String> {
    let Some(SnapshotError::Violations(violations)) = FlagSet::from_json_strict(bytes).err() else {
        return Err("is not refused for its violations in strict mode".to_owned());
    };
    same(&told(&violations).as_slice(), &expected)?;
    let each: Vec<String> = violations.iter().map(ToString::to_string).collect();
    same(&SnapshotError::Violations(violations).to_string(), &each.join("; "))
}

/// A message, if it can be printed in a line and read at a glance.
fn one_line(message: String) -> Result<String, String> {
    if message.len() > 1_000 || message.contains(char::is_control) {
        return Err(format!("{message:?} is long or holds a control character"));
    }
    Ok(message)
}

/// The bytes of a case.
fn bytes(case: &Json) -> Vec<u8> {
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    if let Some(bytes) = case.get("text") {
        return text(bytes).into_bytes();
    }
    if let Some(digits) = case.get("hex") {
        let byte = |at| u8::from_str_radix(&digits.as_str().unwrap()[at..at + 2], 16).unwrap();
        return (0..text(digits).len()).step_by(2).map(byte).collect();
    }
    match case.get("made") {
        Some(recipe) => made(recipe),
        None => case["snapshot"].to_string().into_bytes(),
    }
}

/// `before`, then `repeat` as often as `times` says, with the number of the repetition for `#`, then `after`.
fn made(recipe: &Json) -> Vec<u8> {
    let part = |name: &str| recipe[name].as_str().unwrap();
    let (repeat, times) = (part("repeat"), usize::try_from(recipe["times"].as_u64().unwrap()).unwrap());
    let mut text = part("before").to_owned();
    if repeat.contains('#') {
        text.extend((0..times).map(|number| repeat.replace('#', &number.to_string())));
    } else {
        text.push_str(&repeat.repeat(times));
    }
    text.push_str(part("after"));
    text.into_bytes()
}

/// The snapshot of a case with a good flag behind its own: in each, the array of flags ends the text.
fn with_good_flag(case: &Json, bytes: &[u8]) -> Vec<u8> {
    if let Some(mut snapshot) = case.get("snapshot").cloned() {
        let beside: Json = serde_json::from_str(BESIDE).unwrap();
        let flags = if snapshot.is_array() { &mut snapshot } else { &mut snapshot["flags"] };
        flags.as_array_mut().unwrap().push(beside);
        return snapshot.to_string().into_bytes();
    }
    let text = std::str::from_utf8(bytes).unwrap();
    let (flags, end) = text.rsplit_once(']').unwrap();
    assert!(matches!(end, "" | "}"), "the array of flags does not end the text");
    let separator = if flags.ends_with('[') { "" } else { "," };
    format!("{flags}{separator}{BESIDE}]{end}").into_bytes()
}

fn known_good() -> Flags {
    let flags = Flags::new();
    let _ = flags.publish(FlagSet::from_json_strict(KNOWN_GOOD.as_bytes()).unwrap());
    flags
}

/// What every known good flag says to some callers.
fn answers(flags: &Flags) -> Vec<Json> {
    let set = flags.current();
    let keys = ["known_on", "known_off", "known_half", "known_variants", "known_rule", "unknown"];
    let callers = ["a", "b", "c", "d"].into_iter().flat_map(|user| [(user, "PREMIUM"), (user, "BASIC")]);
    callers
        .flat_map(|(user, plan)| keys.map(|key| (key, Context::new(user).plan(plan))))
        .map(|(key, context)| json!([key, set.resolve(key, &context, now()).to_value().to_string()]))
        .collect()
}

fn now() -> Time {
    Time::parse("2025-06-15T12:00:00Z").unwrap()
}

fn told(violations: &[esclusa::Violation]) -> Vec<String> {
    let mut told: Vec<String> = violations.iter().map(ToString::to_string).collect();
    told.sort_unstable();
    told
}

fn sorted(messages: &[Json]) -> Vec<String> {
    let mut messages: Vec<String> = messages.iter().map(|message| message.as_str().unwrap().to_owned()).collect();
    messages.sort_unstable();
    messages
}

fn same<T: PartialEq<U> + std::fmt::Debug, U: std::fmt::Debug + ?Sized>(got: &T, expected: &U) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("got {got:?}, expected {expected:?}")) }
}
