//! The index of rules leaves out no rule that decides: random flags of many rules and random contexts, answered by the
//! index, by the walk that looks at every rule (an explanation), and by the oracle. Each rule serves a variant of its
//! own, so an answer tells which rule gave it.
//!
//! The seed is printed; `ESCLUSA_SEED` sets another one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at what is wrong")]

mod generator;
mod oracle;

use std::collections::BTreeSet;

use esclusa::{Context, FlagSet, Flags, Time};
use generator::Random;
use oracle::{Json, Oracle};
use serde_json::{Value, json};

const FLAGS: u64 = 1_500;
const CONTEXTS: usize = 12;
/// Texts on both sides of the length up to which they are compared at once.
const TEXTS: [&str; 12] = [
    "a",
    "b",
    "c",
    "",
    "7",
    "-12",
    "ñandú",
    "fourteen-bytes",
    "fifteen--bytes-",
    "a text that is longer than sixteen bytes",
    "a text that is longer than sixteen bytes, too",
    "A",
];
const ATTRIBUTES: [&str; 11] =
    ["user", "targetingKey", "company", "plan", "region", "role", "roles", "account", "device.os", "a.b", "tags"];

fn texts(random: &mut Random) -> Vec<&'static str> {
    let count = if random.chance(8) { random.between(13, 30) } else { random.between(0, 3) };
    (0..count).map(|_| random.pick(&TEXTS)).collect()
}

fn equality(random: &mut Random, attribute: &str) -> Value {
    json!({"attribute": attribute, "op": "in", "values": texts(random)})
}

/// A condition, most often with an equality somewhere in it, most often on one of the flag's `favourites`.
fn condition(random: &mut Random, favourites: &[&str], segments: usize, depth: usize) -> Value {
    let attribute = if random.chance(85) { random.pick(favourites) } else { random.pick(&ATTRIBUTES) };
    let parts = |random: &mut Random| {
        let count = if random.chance(3) { 0 } else { random.between(1, 3) };
        (0..count).map(|_| condition(random, favourites, segments, depth - 1)).collect::<Vec<_>>()
    };
    match random.below(if depth == 0 { 14 } else { 24 }) {
        0 if segments > 0 => json!({"segment": format!("s{}", random.below(segments))}),
        1 => json!({"attribute": attribute, "op": "in", "values": texts(random), "ignore_case": true}),
        2 => json!({"attribute": attribute, "op": random.pick(&["contains", "starts_with"]), "values": texts(random)}),
        3 => json!({"attribute": attribute, "op": "present"}),
        4 => json!({"attribute": "account", "op": "ge", "value": 7}),
        5 => json!({"percentage": {"of": "user", "salt": "s", "from": 0, "to": 50}}),
        14..=18 => json!({"all": parts(random)}),
        19 | 20 => json!({"any": parts(random)}),
        21 => {
            let parts: Vec<Value> = (0..random.between(1, 4)).map(|_| equality(random, attribute)).collect();
            json!({"any": parts})
        }
        22 | 23 => json!({"not": condition(random, favourites, segments, depth - 1)}),
        _ => equality(random, attribute),
    }
}

fn snapshot(random: &mut Random) -> Value {
    let favourites: Vec<&str> = (0..random.between(1, 3)).map(|_| random.pick(&ATTRIBUTES)).collect();
    let mut segments = Vec::new();
    for number in 0..random.below(4) {
        segments.push(json!({"key": format!("s{number}"), "when": condition(random, &favourites, number, 2)}));
    }
    let count = if random.chance(10) { random.between(1, 7) } else { random.between(8, 40) };
    // Where most rules want two things at once, late ones decide too.
    let strict = if random.chance(80) { random.between(85, 100) } else { 0 };
    let rules: Vec<Value> = (0..count)
        .map(|number| {
            let mut when = condition(random, &favourites, segments.len(), 3);
            if random.chance(strict) {
                let [one, other] = [random.pick(&favourites), random.pick(&ATTRIBUTES)];
                when = json!({"all": [when, equality(random, one), equality(random, other)]});
            }
            json!({"key": format!("r{number}"), "when": when, "variant": format!("v{number}")})
        })
        .collect();
    let variants: Vec<Value> = (0..count).map(|number| json!({"key": format!("v{number}"), "value": number})).collect();
    let flag = json!({"name": "flag", "enabled": true, "variants": variants, "rules": rules});
    json!({"esclusa": 1, "segments": segments, "flags": [flag]})
}

/// A value for an attribute: mostly a text, now and then anything.
fn value(random: &mut Random) -> Value {
    match random.below(20) {
        0 => json!(7),
        1 => json!(-12.0),
        2 => json!([7, random.pick(&TEXTS), [random.pick(&TEXTS)], null]),
        3 => [json!(null), json!(true), json!({"os": "a"}), json!(1.5), json!([])][random.below(5)].clone(),
        _ => json!(random.pick(&TEXTS)),
    }
}

fn values(random: &mut Random) -> Value {
    let count = if random.chance(20) { random.between(6, 14) } else { random.between(0, 3) };
    (0..count).map(|_| value(random)).collect()
}

fn context(random: &mut Random) -> Value {
    let mut context = serde_json::Map::new();
    for name in ["user", "targetingKey", "company", "plan", "region", "role", "account", "a.b"] {
        if random.chance(if name == "targetingKey" { 20 } else { 80 }) {
            context.insert(name.to_owned(), value(random));
        }
    }
    for name in ["roles", "tags"] {
        if random.chance(70) {
            context.insert(name.to_owned(), values(random));
        }
    }
    for (outer, inner) in [("device", "os"), ("a", "b")] {
        if random.chance(70) {
            context.insert(outer.to_owned(), json!({inner: value(random)}));
        }
    }
    Value::Object(context)
}

#[test]
fn what_the_index_leaves_out_decides_nothing() {
    let seed = Random::seed();
    println!("seed {seed}");
    let (mut late, mut off, mut deciding) = (0, 0, BTreeSet::new());
    for number in 0..FLAGS {
        let mut random = Random::new(seed.wrapping_mul(9_000_011).wrapping_add(number));
        let snapshot = snapshot(&mut random);
        let text = snapshot.to_string();
        let (mut oracle, flags) = (Oracle::default(), Flags::new());
        oracle.publish(text.as_bytes());
        let _ =
            flags.publish(FlagSet::from_json_strict(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}")));
        let set = flags.current();
        for _ in 0..CONTEXTS {
            let context = context(&mut random).to_string();
            let (asked, now) = (Context::from_json(context.as_bytes()).unwrap(), Time::from_millis(0));
            let answer = set.resolve("flag", &asked, now);
            let fail = |other: &str| -> ! { panic!("{number}: {answer:?}, {other}, for {context} and {text}") };
            let explained = set.explain("flag", &asked, now).resolution();
            if explained != answer {
                fail(&format!("explained as {explained:?}"));
            }
            let known = oracle.resolve("flag", &Json::parse(context.as_bytes()).unwrap(), 0);
            if (known.enabled, known.variant.as_deref()) != (answer.is_enabled(), answer.variant()) {
                fail(&format!("the oracle: {known:?}"));
            }
            if set.is_enabled("flag", &asked, now) != answer.is_enabled() {
                fail("not so by `is_enabled`");
            }
            if set.resolve_all(&asked, now).any(|(_, other)| other != answer) {
                fail("not so by `resolve_all`");
            }
            match answer.variant() {
                Some(variant) => {
                    late += u32::from(variant.len() > 2);
                    deciding.insert(variant.to_owned());
                }
                None => off += 1,
            }
        }
    }
    println!("{} different rules decide, {late} times one after the tenth, and {off} times none", deciding.len());
    assert!(deciding.len() == 40 && late > 1_000 && off > 5_000, "expected more of each");
}

/// Ten thousand rules, the most that a flag may have, each for a company, and a segment that every one of them names.
#[test]
fn ten_thousand_rules_are_told_apart() {
    let rule = |number: usize| {
        let company = json!({"attribute": "company", "op": "in", "values": [format!("company-{number}"), "all"]});
        json!({"key": format!("r{number}"), "when": {"all": [{"segment": "s"}, company]}, "variant": format!("v{}", number % 7)})
    };
    let rules: Vec<Value> = (0..10_000).map(rule).collect();
    let variants: Vec<Value> = (0..7).map(|number| json!({"key": format!("v{number}"), "value": number})).collect();
    let plans: Vec<String> = (0..30).map(|number| format!("plan-{number}")).collect();
    let segment = json!({"key": "s", "when": {"attribute": "plan", "op": "in", "values": plans}});
    let flag = json!({"name": "flag", "enabled": true, "variants": variants, "rules": rules});
    let snapshot = json!({"esclusa": 1, "segments": [segment], "flags": [flag]}).to_string();
    let set = FlagSet::from_json_strict(snapshot.as_bytes()).unwrap();
    let served = |company: &str, plan: &'static str| {
        let context = Context::anonymous().company(company.to_owned()).plan(plan);
        set.resolve("flag", &context, Time::from_millis(0)).variant().map(str::to_owned)
    };
    for number in 0..10_000 {
        assert_eq!(served(&format!("company-{number}"), "plan-29"), Some(format!("v{}", number % 7)));
    }
    assert_eq!(served("all", "plan-0"), Some("v0".to_owned()));
    assert_eq!((served("company-7", "plan-30"), served("company-10000", "plan-0")), (None, None));
    assert!(set.arena_bytes() < 3 * snapshot.len(), "{} bytes for {}", set.arena_bytes(), snapshot.len());
}
