//! Random contexts (section 3) and times.

use super::node::{Node, list, object, raw, text};
use super::random::Random;
use super::words::*;

/// Values of every kind, most of them of no use anywhere.
const ODD: [&str; 14] = [
    "null",
    "true",
    "false",
    "1.5",
    "[]",
    "{}",
    "[[\"a\"]]",
    "[null]",
    "\"\"",
    "7",
    "7.0",
    "-12",
    "9007199254740993",
    "{\"os\":\"ios\",\"os\":\"android\"}",
];

pub(crate) fn context(random: &mut Random) -> Node {
    let mut context = Node::Object(Vec::new());
    field(random, &mut context, "user", 80, |random| {
        if random.chance(8) {
            raw(random.pick(&NUMBERS))
        } else if random.chance(5) {
            raw(random.pick(&ODD))
        } else {
            text(random.pick(&USERS))
        }
    });
    field(random, &mut context, "targetingKey", 15, |random| text(random.pick(&USERS)));
    field(random, &mut context, "company", 70, |random| {
        if random.chance(12) {
            raw(random.pick(&[r#"{"name":"acme"}"#, "true", "1.5", "[]", "null"]))
        } else {
            text(random.pick(&COMPANIES))
        }
    });
    field(random, &mut context, "plan", 75, |random| text(random.pick(&PLANS)));
    field(random, &mut context, "region", 70, |random| text(random.pick(&REGIONS)));
    field(random, &mut context, "role", 40, |random| text(random.pick(&ROLES)));
    field(random, &mut context, "roles", 50, |random| {
        let mut roles: Vec<Node> = random.some(&ROLES, 3).into_iter().map(text).collect();
        if random.chance(15) {
            roles.push(raw(random.pick(&ODD)));
        }
        list(roles)
    });
    field(random, &mut context, "email", 75, |random| {
        if random.chance(10) { text("ΣΊΣΥΦΟΣ") } else { text(random.pick(&TEXTS)) }
    });
    field(random, &mut context, "version", 70, |random| mostly(random, &VERSIONS, &NO_VERSIONS));
    field(random, &mut context, "ip", 70, |random| mostly(random, &ADDRESSES, &NO_ADDRESSES));
    field(random, &mut context, "seats", 70, |random| raw(random.pick(&NUMBERS)));
    field(random, &mut context, "beta", 70, |random| raw(random.pick(&["true", "false"])));
    field(random, &mut context, "joined", 75, joined);
    field(random, &mut context, "account", 60, |random| {
        raw(random.pick(&[
            "17",
            "17.0",
            "\"acc-17\"",
            "-0.0",
            "1e2",
            "\"\"",
            "6012345678901234567",
            "9007199254740992.0",
        ]))
    });
    field(random, &mut context, "tags", 60, |random| {
        let count = random.below(4);
        list((0..count).map(|_| match random.below(5) {
            0 => raw(random.pick(&ODD)),
            1 => raw(random.pick(&NUMBERS)),
            2 => raw(random.pick(&["true", "false"])),
            _ => text(random.pick(&TEXTS)),
        }))
    });
    field(random, &mut context, "device", 60, |random| {
        let mut device =
            object([("os", text(random.pick(&["ios", "android"]))), ("year", object([("model", raw("5"))]))]);
        field(random, &mut device, "os", 10, |_| raw("null"));
        device
    });
    field(random, &mut context, "a.b", 30, |random| text(random.pick(&TEXTS)));
    field(random, &mut context, "a", 30, |random| object([("b", text(random.pick(&TEXTS))), ("b.c", raw("1"))]));
    field(random, &mut context, "device.year.model", 10, |random| raw(random.pick(&NUMBERS)));
    if let Node::Object(fields) = &mut context {
        let by = random.below(fields.len().max(1));
        fields.rotate_left(by);
    }
    context
}

/// Most often a text that is of use.
fn mostly(random: &mut Random, good: &[&str], bad: &[&str]) -> Node {
    let choices = if random.chance(85) { good } else { bad };
    text(random.pick(choices))
}

/// Now and then a field is of another kind, or stands twice.
fn field(random: &mut Random, object: &mut Node, name: &str, percent: usize, value: impl Fn(&mut Random) -> Node) {
    if !random.chance(percent) {
        return;
    }
    let one = if random.chance(8) { raw(random.pick(&ODD)) } else { value(random) };
    object.add(name, one);
    if random.chance(2) {
        let another = value(random);
        object.add(name, another);
    }
}

fn joined(random: &mut Random) -> Node {
    match random.below(10) {
        0 => text(random.pick(&NO_TIMES)),
        1..4 => raw(random.pick(&INSTANTS)),
        _ => text(TIMES[random.below(TIMES.len())].0),
    }
}

/// A time in milliseconds: on an edge, directly before or after it, or between.
pub(crate) fn now(random: &mut Random) -> i64 {
    match random.below(8) {
        0 => 1_748_000_000_000 + (random.below(4_000_000_000) as i64),
        1 => TIMES[random.below(TIMES.len())].1,
        _ => TIMES[random.below(10)].1 + (random.below(3) as i64) - 1,
    }
}
