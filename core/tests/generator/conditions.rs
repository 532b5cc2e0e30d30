//! Random conditions without a violation (sections 4 and 5).

use super::flags::bound;
use super::node::{Node, list, object, raw, text};
use super::random::Random;
use super::words::*;

pub(crate) const OPERATORS: [&str; 20] = [
    "in",
    "contains",
    "starts_with",
    "ends_with",
    "matches",
    "is",
    "eq",
    "lt",
    "le",
    "gt",
    "ge",
    "before",
    "after",
    "semver_eq",
    "semver_lt",
    "semver_le",
    "semver_gt",
    "semver_ge",
    "in_cidr",
    "present",
];

/// A condition that names these segments only.
pub(crate) fn condition(random: &mut Random, segments: &[String], depth: usize) -> Node {
    let mut condition = match random.below(if depth == 0 { 8 } else { 13 }) {
        0 if !segments.is_empty() => {
            let key = &segments[random.below(segments.len())];
            object([("segment", text(key))])
        }
        1 => percentage(random),
        2 => window(random),
        0..=7 => comparison(random),
        kind @ 8..=11 => {
            let parts: Vec<_> = (0..random.below(4)).map(|_| condition(random, segments, depth - 1)).collect();
            object([(if kind < 10 { "all" } else { "any" }, list(parts))])
        }
        _ => object([("not", condition(random, segments, depth - 1))]),
    };
    if random.chance(3) {
        condition.add("description", raw("{\"ignored\":[1]}"));
    }
    condition
}

/// A span of time, which may be open on either side or empty.
fn window(random: &mut Random) -> Node {
    let mut fields = Node::Object(Vec::new());
    for name in ["from", "to"] {
        if random.chance(70) {
            fields.add(name, bound(random));
        }
    }
    object([("now", fields)])
}

fn percentage(random: &mut Random) -> Node {
    let (from, to) =
        [("0", "50"), ("\"25\"", "75"), ("0", "100"), ("50", "50.0"), ("33.333", "\"1e2\""), ("0.001", "99.999")]
            [random.below(6)];
    let mut fields = [
        ("of", text(&unit(random))),
        ("salt", text(random.pick(&["", "q3-holdout", "s"]))),
        ("from", raw(from)),
        ("to", raw(to)),
    ];
    fields.rotate_left(random.below(4));
    object([("percentage", object(fields))])
}

/// The name of a unit.
pub(crate) fn unit(random: &mut Random) -> String {
    let names =
        ["user", "targetingKey", "company", "plan", "region", "role", "account", "seats", "device.os", "email", "a.b"];
    random.pick(&names).to_owned()
}

/// An attribute that an operator can use most of the time.
fn attribute(random: &mut Random, operator: &str) -> String {
    let fitting: &[&str] = match operator {
        _ if random.chance(15) => &ATTRIBUTES,
        "present" => &["nobody", "email", "roles", "role", "company.name", "plan", "tags", "device.os", "a.b", "user"],
        "is" => &["beta", "tags"],
        "eq" | "lt" | "le" | "gt" | "ge" => &["seats", "seats", "tags", "device.year.model"],
        "before" | "after" => &["joined"],
        "in_cidr" => &["ip"],
        "matches" => &["email", "email", "tags", "plan"],
        semver if semver.starts_with("semver") => &["version"],
        "in" if random.chance(20) => &["account", "seats", "tags"],
        "in" => &FIELDS,
        _ => &["email", "email", "device.os", "a.b", "tags", "region", "roles", "plan"],
    };
    random.pick(fitting).to_owned()
}

fn comparison(random: &mut Random) -> Node {
    let operator = OPERATORS[random.below(OPERATORS.len())];
    with_operator(random, operator)
}

pub(crate) fn with_operator(random: &mut Random, operator: &str) -> Node {
    let name = attribute(random, operator);
    let mut fields = vec![("attribute".to_owned(), text(&name)), ("op".to_owned(), text(operator))];
    let mut add = |name: &str, value| fields.push((name.to_owned(), value));
    match operator {
        "in" | "contains" | "starts_with" | "ends_with" => {
            add("values", strings(random, operator, &name));
            if random.chance(40) {
                add("ignore_case", raw(random.pick(&["true", "true", "false", "null"])));
            }
        }
        "matches" => add("value", text(random.pick(&EXPRESSIONS))),
        "is" => add("value", raw(random.pick(&["true", "false"]))),
        "before" | "after" => add("value", text(TIMES[random.below(TIMES.len())].0)),
        "in_cidr" => add("values", list(random.some(&NETWORKS, 3).into_iter().map(text))),
        "present" => {}
        semver if semver.starts_with("semver") => add("value", text(random.pick(&VERSIONS))),
        _ => add("value", raw(random.pick(&NUMBERS))),
    }
    let by = random.below(fields.len());
    fields.rotate_left(by);
    Node::Object(fields)
}

fn strings(random: &mut Random, operator: &str, name: &str) -> Node {
    let words: &[&str] = match name {
        // Some letters have a lower case that depends on what stands around them.
        "email" if random.chance(20) => &["Σ", "ΥΦΟΣ", "σίσυφος", "ς"],
        _ if operator != "in" => &PARTS,
        "user" | "targetingKey" => &USERS,
        "company" => &COMPANIES,
        "account" | "seats" => &["17", "acc-17", "5", "0", "100", "6012345678901234567", "9007199254740992", "-3"],
        "plan" => &PLANS,
        "region" => &REGIONS,
        "role" | "roles" => &ROLES,
        _ => &TEXTS,
    };
    let mut chosen: Vec<Node> = random.some(words, 4).into_iter().map(text).collect();
    if operator == "in" {
        numbered(random, &mut chosen);
    }
    lengthen(random, &mut chosen);
    list(chosen)
}

/// Some texts are whole numbers, and may be written so (2.2.29).
pub(crate) fn numbered(random: &mut Random, chosen: &mut [Node]) {
    for entry in chosen {
        let digits = entry.to_string().trim_matches('"').to_owned();
        if digits.parse::<i64>().is_ok() && random.chance(50) {
            *entry = raw(&digits);
        }
    }
}

/// Now and then a list gets so long that an engine may look things up in it in another way.
pub(crate) fn lengthen(random: &mut Random, chosen: &mut Vec<Node>) {
    let more = match random.below(100) {
        0..6 => random.between(8, 20),
        6..8 => random.between(101, 140),
        _ => 0,
    };
    for at in 0..more {
        let word =
            if at % 2 == 0 { format!("filler-{at}") } else { format!("a filler of more than sixteen bytes {at}") };
        let place = random.below(chosen.len() + 1);
        chosen.insert(place, text(&word));
    }
}
