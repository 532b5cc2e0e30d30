//! Work per byte: what an author or a caller writes costs time in proportion to its length, whatever it says.
//!
//! Each case is a family of inputs that grows with one number. Its size is chosen so that a step that looks at
//! every pair of things goes far beyond the budget, and a linear one stays far below it, also on a slow machine.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

mod budget;

use std::time::{Duration, Instant};

use budget::{alone, fastest, quoted, rows, within_budget};
use esclusa::{Context, FlagSet, Flags, Time};

/// Compiles the snapshot, and publishes it over itself.
fn publishes(what: &str, snapshot: &str) {
    let (took, ()) = fastest(|| {
        let flags = Flags::new();
        for _ in 0..2 {
            let _ = flags.publish(FlagSet::from_json(snapshot.as_bytes()).unwrap());
        }
    });
    within_budget(what, 2 * snapshot.len(), took);
}

/// Every field that holds a list of texts, as the fields of a flag.
const LISTS: [&str; 8] = [
    r#""target_plans":[LIST]"#,
    r#""target_roles":[LIST]"#,
    r#""target_companies":[LIST]"#,
    r#""target_regions":[LIST]"#,
    r#""target_users":[LIST]"#,
    r#""overrides":{"off":{"users":[LIST]},"on":{"companies":[LIST]}}"#,
    r#""rules":[{"key":"r","when":{"attribute":"plan","op":"in","values":[LIST]}}]"#,
    r#""rules":[{"key":"r","when":{"attribute":"x","op":"contains","ignore_case":true,"values":[LIST]}}]"#,
];

#[test]
fn lists_with_repeated_reversed_and_permuted_entries_are_stored_in_linear_time() {
    let _alone = alone();
    let short = |at: usize| format!("P{}", at % 3);
    let long = |at: usize| format!("a-company-of-many-words-{}", at % 3);
    for field in LISTS {
        let table = |what: &str, entries: &dyn Fn(usize) -> String| {
            let row =
                |at: usize| format!(r#"{{"name":"f{at}","enabled":true,{}}}"#, field.replace("LIST", &entries(at)));
            publishes(&format!("{what}: {field}"), &rows(6_000, row));
        };
        table("one text twenty times", &|_| quoted((0..20).map(|_| short(0))));
        table("three short texts, repeated", &|_| quoted((0..9).map(short)));
        table("three long texts, repeated", &|_| quoted((0..9).map(long)));
        table("three long texts, many times", &|_| quoted((0..30).map(long)));
        table("another order each time", &|at| quoted((0..20).map(|of| format!("P{}", (of * 7 + at) % 20))));
    }
}

#[test]
fn fields_that_are_unknown_or_repeated_are_read_in_linear_time() {
    let _alone = alone();
    let many = 40_000;
    let fields = |name: &dyn Fn(usize) -> String| -> String {
        let fields: Vec<String> = (0..many).map(|at| format!("\"{}\":1", name(at))).collect();
        fields.join(",")
    };
    let (own, same) = (|at: usize| format!("x{at}"), |_: usize| "x".to_owned());
    publishes("unknown columns", &format!(r#"[{{"name":"f","enabled":true,{}}}]"#, fields(&own)));
    let almost = |at: usize| format!("{at}usernamehostnameendforq");
    publishes("columns that are almost words", &format!(r#"[{{"name":"f","enabled":true,{}}}]"#, fields(&almost)));
    publishes(
        "unknown targets",
        &format!(r#"[{{"name":"f","enabled":true,{}}}]"#, fields(&|at| format!("target_{at}"))),
    );
    publishes(
        "one target many times",
        &format!(r#"[{{"name":"f","enabled":true,{}}}]"#, fields(&|_| "target_x".into())),
    );
    for (what, names) in [("unknown", &own as &dyn Fn(usize) -> String), ("repeated", &same)] {
        let fields = fields(names);
        for object in [
            r#""rules":[{"key":"r","when":{FIELDS}}]"#,
            r#""rules":[{"key":"r",FIELDS}]"#,
            r#""overrides":{FIELDS}"#,
            r#""overrides":{"on":{FIELDS}}"#,
            r#""variants":[{"key":"a",FIELDS}]"#,
            r#""variants":[{"key":"a","value":{FIELDS}}]"#,
            r#""prerequisites":[{FIELDS}]"#,
            r#""schedule":[{FIELDS}]"#,
            r#""off_value":{FIELDS}"#,
            r#""off_value":[{FIELDS}],"rollout_percentage":150"#,
        ] {
            let field = object.replace("FIELDS", &fields);
            publishes(&format!("{what} fields in {object}"), &format!(r#"[{{"name":"f","enabled":true,{field}}}]"#));
        }
    }
}

#[test]
fn a_flag_with_much_wrong_in_it_is_read_in_linear_time() {
    let _alone = alone();
    let columns = (0..20_000).map(|at| format!("\"columnOf{at}\":1")).collect::<Vec<_>>().join(",");
    let numbers = vec!["true"; 20_000].join(",");
    for field in [r#""targetPlans":[LIST]"#, r#""rules":[LIST]"#, r#""variants":[LIST]"#, r#""schedule":[LIST]"#] {
        let field = field.replace("LIST", &numbers);
        publishes(&format!("{}… behind many columns", &field[..12]), &format!(r#"[{{{columns},{field},"name":"f"}}]"#));
    }
    let set = FlagSet::from_json(format!(r#"[{{"name":"f","target_plans":[{numbers}]}}]"#).as_bytes()).unwrap();
    assert_eq!(set.violations().len(), 1_001);
    assert_eq!(set.violations()[1_000].place(), "/0");
    assert!(set.violations()[1_000].problem().starts_with("has 19000 more violations"));
}

#[test]
fn keys_that_are_taken_or_unknown_are_found_in_linear_time() {
    let _alone = alone();
    publishes("one key for all flags", &rows(20_000, |_| r#"{"name":"f","enabled":true}"#.to_owned()));
    let own_rules = (0..9_000).map(|at| format!(r#"{{"key":"r{}","when":{{"all":[]}}}}"#, at % 2));
    publishes(
        "one key for all rules",
        &format!(r#"[{{"name":"f","enabled":true,"rules":[{}]}}]"#, own_rules.collect::<Vec<_>>().join(",")),
    );
    let parts = (0..20_000).map(|_| r#"{"variant":"a"}"#.to_owned()).collect::<Vec<_>>().join(",");
    publishes(
        "one variant many times in a split",
        &format!(
            r#"[{{"name":"f","enabled":true,"variants":[{{"key":"a"}}],"rules":[{{"key":"r","when":{{"all":[]}},"split":[{parts}]}}]}}]"#
        ),
    );
}

/// A document whose segments, or flags, name the next `step` ones, the last ones the first.
fn ring(count: usize, step: usize, of: &str) -> String {
    let names = |at: usize| (1..=step).map(move |next| format!("n{}", (at + next) % count));
    let segment = |at: usize| {
        let parts: Vec<String> = names(at).map(|name| format!(r#"{{"segment":"{name}"}}"#)).collect();
        format!(r#"{{"key":"n{at}","when":{{"any":[{}]}}}}"#, parts.join(","))
    };
    let flag = |at: usize| {
        let parts: Vec<String> = names(at).map(|name| format!(r#"{{"flag":"{name}","on":true}}"#)).collect();
        format!(r#"{{"name":"n{at}","enabled":true,"prerequisites":[{}]}}"#, parts.join(","))
    };
    if of == "segments" {
        format!(r#"{{"esclusa":1,"flags":[],"segments":{}}}"#, rows(count, segment))
    } else {
        rows(count, flag)
    }
}

#[test]
fn cycles_are_reported_in_linear_time() {
    let _alone = alone();
    for of in ["segments", "prerequisites"] {
        for (count, step) in [(20_000, 1), (10_000, 2), (2_000, 20), (190, 100)] {
            publishes(&format!("{count} {of} in a ring, {step} each"), &ring(count, step, of));
        }
        // Cycles of two, and everything names the same one.
        let pairs = |at: usize| {
            let other = at ^ 1;
            if of == "segments" {
                format!(r#"{{"key":"n{at}","when":{{"any":[{{"segment":"n{other}"}},{{"segment":"n0"}}]}}}}"#)
            } else {
                format!(
                    r#"{{"name":"n{at}","enabled":true,"prerequisites":[{{"flag":"n{other}","on":true}},{{"flag":"n0","on":true}}]}}"#
                )
            }
        };
        let pairs = rows(10_000, pairs);
        let document = format!(r#"{{"esclusa":1,"flags":[],"segments":{pairs}}}"#);
        publishes(&format!("{of} in pairs"), if of == "segments" { &document } else { &pairs });
    }
}

#[test]
fn definitions_are_kept_in_linear_time() {
    let _alone = alone();
    let good = |at: usize| {
        let next = at + 1;
        let chain = if next.is_multiple_of(60) { String::new() } else { format!(r#"{{"flag":"f{next}","on":true}}"#) };
        let rule = format!(r#"{{"key":"r","when":{{"segment":"s{}"}}}}"#, at % 500);
        format!(r#"{{"name":"f{at}","enabled":true,"prerequisites":[{chain}],"rules":[{rule}]}}"#)
    };
    let count = 6_000;
    let segment = |at: usize| format!(r#"{{"key":"s{at}","when":{{"attribute":"a","op":"present"}}}}"#);
    let flags = rows(count, good);
    let first = format!(r#"{{"esclusa":1,"segments":{},"flags":{flags}}}"#, rows(500, segment));
    // All are broken, segments and all; the last one turns round so that together they would be cycles.
    let broken = |at: usize| format!(r#"{{"name":"f{at}","enabled":true,"bucket_by":7}}"#);
    let last = format!(r#"{{"name":"f{}","enabled":true,"prerequisites":[{{"flag":"f0","on":true}}]}}"#, count - 1);
    let second = rows(count, |at| if at == count - 1 { last.clone() } else { broken(at) });
    let publish = || {
        let flags = Flags::new();
        let _ = flags.publish(FlagSet::from_json(first.as_bytes()).unwrap());
        let report = flags.publish(FlagSet::from_json(second.as_bytes()).unwrap());
        report.set_aside().len()
    };
    let (took, set_aside) = fastest(publish);
    assert!(set_aside >= count - 1);
    within_budget("chains of kept definitions", first.len() + second.len(), took);
}

/// Texts whose hash has the same upper half in its lowest bits: without a guard they all want one place of a table.
fn of_one_place(count: usize, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for at in 0_u64.. {
        let text = format!("{prefix}{at}");
        if (esclusa::hash(&text) >> 32) & 0xfff == 0x155 {
            found.push(text);
            if found.len() == count {
                break;
            }
        }
    }
    found
}

/// Texts of 704 bytes that all have one XXH3: each has two words that cancel two words of the public secret, and
/// what is left to choose goes up in one word as it goes down in the other.
fn of_one_hash(count: usize) -> Vec<String> {
    let mut found = Vec::new();
    let letters = || b'a'..=b'z';
    for a in b'c'..=b'x' {
        for (b, (c, d)) in letters().flat_map(|b| letters().flat_map(move |c| letters().map(move |d| (b, (c, d))))) {
            let own = [a, b, c, d];
            let mut text = vec![b'u'; 704];
            text[47] = 0xc2;
            text[48..52].copy_from_slice(&[0xb8, 0x08, 0x46, 0x74]);
            text[52..56].copy_from_slice(&own);
            text[624..628].copy_from_slice(&[0xc8, 0x9f, 0x7e, 0xc9]);
            let base = u32::from_le_bytes(*b"nnnn").wrapping_add(u32::from_le_bytes([0x90, 0x6e, 0x6e, 0x6e]));
            text[628..632].copy_from_slice(&base.wrapping_sub(u32::from_le_bytes(own)).to_le_bytes());
            if let Ok(text) = String::from_utf8(text)
                && !text.bytes().any(|byte| byte < b' ' && byte != 0x08)
            {
                found.push(text.replace('\u{8}', "\\b"));
                if found.len() == count {
                    return found;
                }
            }
        }
    }
    found
}

#[test]
fn texts_that_are_chosen_to_collide_cost_no_more_than_others() {
    let _alone = alone();
    let flooding = of_one_place(20_000, "u");
    let colliding = of_one_hash(4_000);
    assert_eq!(colliding.len(), 4_000);
    let hashes = colliding.iter().map(|text| esclusa::hash(&text.replace("\\b", "\u{8}")));
    assert_eq!(hashes.collect::<std::collections::HashSet<_>>().len(), 1, "they have one hash");
    for (what, texts) in [("one place", &flooding), ("one hash", &colliding)] {
        for field in LISTS.iter().take(7) {
            let list = field.replace("LIST", &quoted(texts.iter().cloned()));
            publishes(&format!("{what} in {field}"), &format!(r#"[{{"name":"f","enabled":true,{list}}}]"#));
            // Each in a list of its own.
            let own = |at: usize| {
                format!(r#"{{"name":"f{at}","enabled":true,{}}}"#, field.replace("LIST", &quoted([texts[at].clone()])))
            };
            publishes(&format!("{what}, a list each, in {field}"), &rows(3_000, own));
        }
        let variants: Vec<String> = texts.iter().take(1_000).map(|text| format!(r#"{{"key":"{text}"}}"#)).collect();
        publishes(
            &format!("{what} as variants"),
            &format!(r#"[{{"name":"f","enabled":true,"variants":[{}]}}]"#, variants.join(",")),
        );
        let fields: Vec<String> = texts.iter().take(20_000).map(|text| format!("\"{text}\":1")).collect();
        publishes(
            &format!("{what} as fields of a value"),
            &format!(r#"[{{"name":"f","enabled":true,"off_value":{{{}}}}}]"#, fields.join(",")),
        );
        let mut columns = fields.clone();
        columns.reverse();
        publishes(
            &format!("{what} as columns"),
            &format!(r#"[{{"name":"f",{}}},{{"name":"g",{}}}]"#, fields.join(","), columns.join(",")),
        );
        let list = quoted(texts.iter().cloned());
        let set = FlagSet::from_json(format!(r#"[{{"name":"f","enabled":true,"target_users":[{list}]}}]"#).as_bytes());
        let set = set.unwrap();
        let last = texts.last().unwrap().replace("\\b", "\u{8}");
        let (took, on) =
            fastest(|| (0..10_000).all(|_| set.resolve("f", &Context::new(&last), Time::from_millis(0)).is_enabled()));
        assert!(on);
        within_budget(&format!("{what}: 10,000 answers"), 10_000 * last.len().max(40), took);
    }
    publishes("flag keys of one place", &rows(20_000, |at| format!(r#"{{"name":"{}","enabled":true}}"#, flooding[at])));
}

#[test]
fn many_values_of_contains_are_prepared_in_linear_time() {
    let _alone = alone();
    for (what, value) in [
        ("of few letters", &(|at: usize| format!("b{at}")) as &dyn Fn(usize) -> String),
        ("that end in a number", &|at| format!("a-company-{at}")),
        ("that begin with a number", &|at| format!("{at}-a")),
        ("that begin each other", &|at| "ab".repeat(1 + at % 200) + &at.to_string()),
        ("that end each other", &|at| at.to_string() + &"ba".repeat(1 + at % 200)),
    ] {
        let values = quoted((0..if what.contains("each") { 2_000 } else { 30_000 }).map(value));
        let when = format!(r#"{{"attribute":"a","op":"contains","values":[{values}]}}"#);
        publishes(
            &format!("contains, values {what}"),
            &format!(r#"[{{"name":"f","enabled":true,"rules":[{{"key":"r","when":{when}}}]}}]"#),
        );
    }
}

#[test]
fn expressions_of_a_snapshot_are_compiled_within_a_budget() {
    let _alone = alone();
    for (what, count, expression) in [
        ("any character many times", 3_000, "iN.{1200}"),
        ("a class of words", 4_000, "N\\\\w{12}"),
        ("a small class very often", 1_500, "N[ab]{4900}"),
        ("alternatives", 2_000, "(aN|bN|cN|dN){100}"),
        ("letters of every script", 2_000, "N\\\\pL{10}"),
        ("without regard to case", 2_000, "(?i)N[a-z]{1000}"),
    ] {
        let row = |at: usize| {
            let value = expression.replace('N', &at.to_string());
            format!(
                r#"{{"name":"f{at}","enabled":true,"rules":[{{"key":"r","when":{{"attribute":"a","op":"matches","value":"{value}"}}}}]}}"#
            )
        };
        let snapshot = rows(count, row);
        let begin = Instant::now();
        let set = FlagSet::from_json(snapshot.as_bytes()).unwrap();
        let took = begin.elapsed();
        println!("{what}: {count} in {} bytes took {took:?}, {} set aside", snapshot.len(), set.violations().len());
        assert!(took < Duration::from_secs(10), "{what} took {took:?}");
    }
}
