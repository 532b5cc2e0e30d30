//! Random flags and segments without a violation (sections 2.2 and 2.3).

use super::conditions::{condition, lengthen, numbered, unit};
use super::node::{Node, list, object, raw, text};
use super::random::Random;
use super::words::*;

const VALUES: [&str; 17] = [
    "-0.0",
    "9007199254740993",
    "1e-7",
    "123456789012345678901234567890",
    r#"[{"\u00e9":"\ud83d\ude00"}]"#,
    "null",
    "false",
    "0",
    "1.0",
    "\"classic\"",
    "{\"a\":1,\"b\":[2.50]}",
    "[1,[2]]",
    "1e300",
    "{\"a\":1,\"a\":2}",
    "[-9223372036854775808, 9223372036854775807, 9223372036854775808]",
    "9007199254740992.0",
    "\"\"",
];

const GUARDS: [&str; 3] = ["{}", r#"{"errors":{"at_most_times":1}}"#, r#"{"event":"checkout","metrics":7}"#];

const GUARD_STATES: [&str; 10] = [
    "{}",
    r#"{"run":1,"trip":null}"#,
    r#"{"run":2,"trip":{"run":2,"at":"2025-06-01","metric":"errors"},"cleared_steps":1}"#,
    r#"{"trip":{"run":1,"at":7}}"#,
    r#"{"run":3.0,"trip":{"run":2}}"#,
    r#"{"run":2,"trip":{"run":9223372036854775807}}"#,
    r#"{"cleared_steps":0}"#,
    r#"{"cleared_steps":1,"by":"ana"}"#,
    r#"{"cleared_steps":3,"run":4}"#,
    r#"{"cleared_steps":9007199254740993}"#,
];

pub(crate) fn segment(random: &mut Random, key: &str, segments: &[String]) -> Node {
    let mut segment = object([("key", text(key)), ("when", condition(random, segments, 2))]);
    if random.chance(10) {
        segment.add("description", raw("\"ignored\""));
        segment.add("owner", raw("[1]"));
    }
    segment
}

/// A flag that may name these segments, and these flags as prerequisites, if there are any.
pub(crate) fn flag(random: &mut Random, key: &str, segments: &[String], others: &[String]) -> Node {
    let mut flag = object([("name", text(key))]);
    if !random.chance(3) {
        let words: &[&str] = if random.chance(94) { &ON } else { &OFF };
        flag.add("enabled", raw(if random.chance(70) { words[0] } else { random.pick(words) }));
    }
    maybe(random, &mut flag, "status", 30, |random| text(random.pick(&STATUSES)));
    maybe(random, &mut flag, "rollout_percentage", 45, |random| raw(random.pick(&PERCENTAGES)));
    let lists: [(&str, &[&str]); 5] = [
        ("target_plans", &PLANS),
        ("target_roles", &ROLES),
        ("target_companies", &COMPANIES),
        ("target_regions", &REGIONS),
        ("target_users", &USERS),
    ];
    for (name, words) in lists {
        maybe(random, &mut flag, name, 12, |random| strings(random, words, 5));
    }
    maybe(random, &mut flag, "start_date", 12, bound);
    maybe(random, &mut flag, "end_date", 12, bound);
    maybe(random, &mut flag, "bucket_by", 25, |random| text(&unit(random)));
    maybe(random, &mut flag, "salt", 20, |random| text(random.pick(&["", "s", "a salt of more than sixteen bytes"])));
    maybe(random, &mut flag, "overrides", 20, overrides);
    let variants = if random.chance(40) { variants(random, &mut flag) } else { Vec::new() };
    maybe(random, &mut flag, "off_value", 25, |random| raw(random.pick(&VALUES)));
    maybe(random, &mut flag, "rules", 50, |random| {
        // Many are looked up in another way than few.
        let count = if random.chance(8) { random.between(8, 24) } else { random.between(0, 3) };
        list((0..count).map(|at| rule(random, &format!("r{at}"), segments, &variants)))
    });
    if !others.is_empty() {
        maybe(random, &mut flag, "prerequisites", 25, |random| {
            let count = random.between(0, 2);
            list((0..count).map(|_| prerequisite(random, others)))
        });
    }
    maybe(random, &mut flag, "schedule", 15, schedule);
    maybe(random, &mut flag, "guard", 10, |random| raw(random.pick(&GUARDS)));
    maybe(random, &mut flag, "guard_state", 15, |random| raw(random.pick(&GUARD_STATES)));
    maybe(random, &mut flag, "client", 10, |random| raw(random.pick(&["true", "false"])));
    if random.chance(10) {
        flag.add("description", raw("\"ignored\""));
        flag.add("metrics", raw("{\"a\":[1,2]}"));
        flag.add("jira_ticket", raw("7"));
    }
    if let Node::Object(fields) = &mut flag {
        let by = random.below(fields.len());
        fields.rotate_left(by);
    }
    flag
}

/// Adds a field at a rate, now and then as null.
fn maybe(random: &mut Random, flag: &mut Node, name: &str, percent: usize, value: impl Fn(&mut Random) -> Node) {
    if random.chance(percent) {
        let value = if name != "off_value" && random.chance(4) { raw("null") } else { value(random) };
        flag.add(name, value);
    }
}

fn strings(random: &mut Random, words: &[&str], most: usize) -> Node {
    let mut chosen: Vec<Node> = random.some(words, most).into_iter().map(text).collect();
    numbered(random, &mut chosen);
    lengthen(random, &mut chosen);
    list(chosen)
}

pub(crate) fn bound(random: &mut Random) -> Node {
    if random.chance(10) { text(random.pick(&["infinity", "-infinity"])) } else { time(random) }
}

fn time(random: &mut Random) -> Node {
    text(TIMES[random.below(TIMES.len())].0)
}

fn overrides(random: &mut Random) -> Node {
    let mut overrides = Node::Object(Vec::new());
    for side in ["on", "off"] {
        maybe(random, &mut overrides, side, 60, |random| {
            let mut lists = Node::Object(Vec::new());
            maybe(random, &mut lists, "users", 60, |random| strings(random, &USERS, 3));
            maybe(random, &mut lists, "companies", 50, |random| strings(random, &COMPANIES, 2));
            maybe(random, &mut lists, "description", 5, |_| raw("1"));
            lists
        });
    }
    overrides
}

fn weight(random: &mut Random) -> Node {
    raw(random.pick(&[
        "0",
        "1",
        "1.0",
        "3",
        "50",
        "1e1",
        "9007199254740",
        "33333",
        "33.333333333333336",
        "0.001",
        "0.4",
        "null",
    ]))
}

/// Gives the flag variants and answers their keys.
fn variants(random: &mut Random, flag: &mut Node) -> Vec<String> {
    let keys: Vec<String> = ["a", "b", "c", "é"][..random.between(0, 4)].iter().map(|key| (*key).to_owned()).collect();
    let mut variants: Vec<Node> = keys
        .iter()
        .map(|key| {
            let mut variant = object([("key", text(key))]);
            maybe(random, &mut variant, "value", 80, |random| raw(random.pick(&VALUES)));
            maybe(random, &mut variant, "weight", 70, weight);
            variant
        })
        .collect();
    if let Some(first) = variants.first_mut() {
        first.set("weight", raw("2"));
    }
    flag.add("variants", list(variants));
    keys
}

fn rule(random: &mut Random, key: &str, segments: &[String], variants: &[String]) -> Node {
    let mut rule = object([("key", text(key)), ("when", condition(random, segments, 2))]);
    maybe(random, &mut rule, "rollout_percentage", 35, |random| raw(random.pick(&PERCENTAGES)));
    maybe(random, &mut rule, "bucket_by", 25, |random| text(&unit(random)));
    if !variants.is_empty() {
        match random.below(4) {
            0 => rule.add("variant", text(&variants[random.below(variants.len())])),
            1 => {
                let from = random.below(variants.len());
                let parts = variants[from..].iter().enumerate().map(|(at, key)| {
                    let mut part = object([("variant", text(key))]);
                    if at > 0 && random.chance(60) {
                        part.add("weight", weight(random));
                    }
                    part
                });
                rule.add("split", list(parts.collect::<Vec<_>>()));
            }
            _ => {}
        }
    }
    rule
}

fn prerequisite(random: &mut Random, others: &[String]) -> Node {
    let mut prerequisite = object([("flag", text(&others[random.below(others.len())]))]);
    match random.below(3) {
        0 => prerequisite.add("on", raw("true")),
        1 => prerequisite.add("on", raw("false")),
        _ => prerequisite.add("variants", list(["a", "b"][..random.between(1, 2)].iter().map(|key| text(key)))),
    }
    prerequisite
}

fn schedule(random: &mut Random) -> Node {
    let times: &[usize] = [&[0, 2, 5, 7, 9][..], &[1, 4], &[3], &[6], &[]][random.below(5)];
    list(
        times
            .iter()
            .map(|at| object([("at", text(TIMES[*at].0)), ("rollout_percentage", raw(random.pick(&PERCENTAGES)))])),
    )
}
