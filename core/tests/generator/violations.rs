//! Every kind of violation of sections 2, 4 and 5, each with a name, and how to put it into a snapshot.

use super::Draft;
use super::flags;
use super::node::{Node, list, object, raw, text};
use super::random::Random;
use super::refusals::{BROKEN_CONDITIONS, BROKEN_FIELDS};
use super::words::{NO_PERCENTAGES, NO_TIMES};

/// Fields of a flag that may stand once.
const ONCE: [&str; 21] = [
    "name",
    "enabled",
    "status",
    "rollout_percentage",
    "target_plans",
    "target_roles",
    "target_companies",
    "target_regions",
    "target_users",
    "start_date",
    "end_date",
    "bucket_by",
    "salt",
    "overrides",
    "variants",
    "off_value",
    "rules",
    "prerequisites",
    "schedule",
    "guard",
    "guard_state",
];

/// Violations that take more than a field or a condition.
const SPECIAL: [&str; 34] = [
    "percentage",
    "time",
    "field of a flag twice",
    "no name",
    "empty name",
    "name too long",
    "name kind",
    "key empty",
    "key kind",
    "flag kind",
    "name taken",
    "twins that are equal",
    "twins that differ",
    "column that restricts",
    "too many variants",
    "too many rules",
    "prerequisite of itself",
    "cycle of two flags",
    "cycle of three flags",
    "chain too long",
    "too many resolutions",
    "segment kind",
    "segment without key",
    "segment key empty",
    "segment key too long",
    "segment key taken",
    "segment without condition",
    "segment names itself",
    "cycle of segments",
    "segment names none",
    "field of a segment twice",
    "condition too deep",
    "condition too large",
    "segment too large",
];

/// The names of all violations.
pub(crate) fn names() -> Vec<&'static str> {
    let fields = BROKEN_FIELDS.iter().map(|(name, _)| *name);
    let conditions = BROKEN_CONDITIONS.iter().map(|(name, _)| *name);
    fields.chain(conditions).chain(SPECIAL).collect()
}

/// What is expected of a snapshot with a violation.
pub(crate) struct Expected {
    pub(crate) name: &'static str,
    /// The flag that is set aside; without one a violation is only reported.
    pub(crate) key: Option<String>,
}

/// Puts one violation into the draft, into the flag at `at` if it is one of flags.
pub(crate) fn break_one(random: &mut Random, draft: &mut Draft, at: usize) {
    let kind = random.below(10);
    if kind < 4 {
        let (name, fields) = BROKEN_FIELDS[random.below(BROKEN_FIELDS.len())];
        return break_fields(draft, at, name, fields);
    }
    if kind < 7 {
        let (name, condition) = BROKEN_CONDITIONS[random.below(BROKEN_CONDITIONS.len())];
        return break_condition(random, draft, at, name, condition);
    }
    // The costly ones are rarer.
    let name = match SPECIAL[random.below(SPECIAL.len())] {
        "too many variants" | "too many rules" | "condition too large" | "segment too large" if random.chance(80) => {
            "no name"
        }
        name => name,
    };
    special(random, draft, at, name);
}

/// Sets fields; a name that begins with `+` pushes to a list, with `&` it adds the field once more.
fn break_fields(draft: &mut Draft, at: usize, name: &'static str, fields: &[(&str, &str)]) {
    let (key, flag) = &mut draft.flags[at];
    for (field, json) in fields {
        if let Some(field) = field.strip_prefix('+') {
            flag.list_of(field).push(raw(json));
        } else if let Some(field) = field.strip_prefix('&') {
            flag.add(field, raw(json));
        } else {
            flag.set(field, raw(json));
        }
    }
    let key = key.clone();
    draft.expect(name, Some(key));
}

fn break_condition(random: &mut Random, draft: &mut Draft, at: usize, name: &'static str, condition: &str) {
    let too_long = format!(r#"{{"attribute":"email","op":"matches","value":"{}"}}"#, "a".repeat(1001));
    let condition = if condition.is_empty() { &too_long } else { condition };
    let condition = match random.below(5) {
        0 => object([("not", raw(condition))]),
        1 => object([("all", list([raw("{\"any\":[]}"), raw(condition)]))]),
        2 => object([("any", list([raw(condition), raw("{\"all\":[]}")]))]),
        _ => raw(condition),
    };
    if random.chance(20) {
        let key = format!("broken-{}", draft.segments.len());
        draft.segments.push(object([("key", text(&key)), ("when", condition)]));
        named_by(draft, at, name, &key);
    } else {
        rule(draft, at, name, condition);
    }
}

/// Gives the flag one more rule, which breaks something.
fn rule(draft: &mut Draft, at: usize, name: &'static str, when: Node) {
    let (key, flag) = &mut draft.flags[at];
    flag.list_of("rules").push(object([("key", text("broken")), ("when", when)]));
    let key = key.clone();
    draft.expect(name, Some(key));
}

/// Gives the flag one more rule, which names a segment.
fn named_by(draft: &mut Draft, at: usize, name: &'static str, segment: &str) {
    rule(draft, at, name, object([("segment", text(segment))]));
}

fn special(random: &mut Random, draft: &mut Draft, at: usize, name: &'static str) {
    let key = draft.flags[at].0.clone();
    match name {
        "percentage" => {
            let (key, json) = (key, raw(random.pick(&NO_PERCENTAGES)));
            match random.below(3) {
                0 => draft.flags[at].1.set("rollout_percentage", json),
                1 => draft.flags[at]
                    .1
                    .list_of("schedule")
                    .push(object([("at", text("9999-12-31")), ("rollout_percentage", json)])),
                _ => {
                    let rule = [("key", text("broken")), ("when", raw("{\"all\":[]}")), ("rollout_percentage", json)];
                    draft.flags[at].1.list_of("rules").push(object(rule));
                }
            }
            draft.expect(name, Some(key));
        }
        "time" => {
            let field = random.pick(&["start_date", "end_date"]);
            draft.flags[at].1.set(field, text(random.pick(&NO_TIMES)));
            draft.expect(name, Some(key));
        }
        "field of a flag twice" => {
            let field = random.pick(&ONCE);
            let flag = &mut draft.flags[at].1;
            let value = flag.get(field).cloned();
            if value.is_none() {
                flag.add(field, raw("null"));
            }
            flag.add(field, value.unwrap_or_else(|| raw(if field == "enabled" { "true" } else { "null" })));
            draft.expect(name, Some(key));
        }
        "name taken" => {
            let mut again = flags::flag(random, &key, &[], &[]);
            if random.chance(50) {
                again.set("enabled", raw("\"maybe\""));
            }
            draft.flags.push((key, again));
            draft.expect(name, None);
        }
        "twins that are equal" | "twins that differ" => {
            let mut again = draft.flags[at].1.clone();
            if let Node::Object(fields) = &mut again {
                let by = random.below(fields.len());
                fields.rotate_left(by);
            }
            if name == "twins that differ" {
                let (field, json) = [
                    ("enabled", "false"),
                    ("rollout_percentage", "12.345"),
                    ("salt", "\"another\""),
                    ("off_value", "[1]"),
                    ("client", "7"),
                ][random.below(5)];
                again.set(field, raw(json));
            }
            let first = random.chance(50) && draft.flags.iter().all(|(other, _)| *other != format!("{key}-"));
            let place = if first { 0 } else { draft.flags.len() };
            draft.flags.insert(place, (key.clone(), again));
            // Equal ones may be one flag.
            draft.expect(name, None);
        }
        "column that restricts" => {
            draft.flags[at].1.set("rollout_percent", raw("5"));
            draft.expect(name, Some(key));
        }
        "no name" | "empty name" | "name too long" | "name kind" | "key empty" | "key kind" | "flag kind" => {
            let mut nameless = flags::flag(random, "x", &[], &[]);
            match name {
                "no name" => nameless.take("name"),
                "empty name" => nameless.set("name", raw("\"\"")),
                "name too long" => nameless.set("name", text(&"é".repeat(129))),
                "name kind" => nameless.set("name", raw("7")),
                "key empty" => nameless.set("key", raw("\"\"")),
                "key kind" => nameless.set("key", raw("true")),
                _ => nameless = raw(random.pick(&["null", "7", "[]", "\"flag\""])),
            }
            draft.flags.push((String::new(), nameless));
            draft.expect(name, None);
        }
        "too many variants" => {
            let variant = |at: usize| object([("key", text(&format!("v{at}")))]);
            draft.flags[at].1.take("rules");
            draft.flags[at].1.set("variants", list((0..1001).map(variant)));
            draft.expect(name, Some(key));
        }
        "too many rules" => {
            let rule = |at: usize| object([("key", text(&at.to_string())), ("when", raw("{\"any\":[]}"))]);
            draft.flags[at].1.set("rules", list((0..10_001).map(rule)));
            draft.expect(name, Some(key));
        }
        _ if name.contains("segment") || name.contains("condition") => of_segments(draft, at, name),
        _ => of_prerequisites(draft, &key, at, name),
    }
}

fn of_prerequisites(draft: &mut Draft, key: &str, at: usize, name: &'static str) {
    let mut requires = |from: usize, to: &str| {
        let prerequisite = object([("flag", text(to)), ("on", raw("true"))]);
        draft.flags[from].1.list_of("prerequisites").push(prerequisite);
    };
    match name {
        "prerequisite of itself" => requires(at, key),
        "cycle of two flags" | "cycle of three flags" => {
            let others: &[&str] = if name.contains("two") { &["loop-1"] } else { &["loop-1", "loop-2"] };
            requires(at, "loop-1");
            for (position, other) in others.iter().enumerate() {
                let to = others.get(position + 1).copied().unwrap_or(key);
                let prerequisites = list([object([("flag", text(to)), ("on", raw("false"))])]);
                let flag = object([("name", text(other)), ("enabled", raw("true")), ("prerequisites", prerequisites)]);
                draft.flags.push(((*other).to_owned(), flag));
            }
        }
        _ => {
            // A chain of 65, or a ladder on which every step is reached twice.
            let (length, times) = if name == "chain too long" { (65, 1) } else { (13, 2) };
            for _ in 0..times {
                requires(at, "step-1");
            }
            for step in 1..=length {
                let step_key = format!("step-{step}");
                let mut flag = object([("name", text(&step_key)), ("enabled", raw("true"))]);
                if step < length {
                    let next = object([("flag", text(&format!("step-{}", step + 1))), ("on", raw("true"))]);
                    flag.add("prerequisites", list(vec![next; times]));
                }
                draft.flags.push((step_key, flag));
            }
        }
    }
    draft.expect(name, Some(key.to_owned()));
}

fn of_segments(draft: &mut Draft, at: usize, name: &'static str) {
    let mut add = |key: &str, when: Node| draft.segments.push(object([("key", text(key)), ("when", when)]));
    let names = |key: &str| object([("segment", text(key))]);
    let deep = |inner: Node| (0..49).fold(inner, |inner, _| object([("not", inner)]));
    let broken = match name {
        "segment kind" | "segment without key" | "segment key empty" | "segment key too long" => {
            let when = ("when", raw("{\"all\":[]}"));
            draft.segments.push(match name {
                "segment kind" => raw("null"),
                "segment without key" => object([when]),
                "segment key empty" => object([("key", text("")), when]),
                _ => object([("key", text(&"s".repeat(257))), when]),
            });
            return draft.expect(name, None);
        }
        "segment key taken" => {
            add("twin", raw("{\"all\":[]}"));
            add("twin", raw("{\"any\":[]}"));
            return draft.expect(name, None);
        }
        "segment without condition" => {
            draft.segments.push(object([("key", text("bare"))]));
            "bare"
        }
        "segment names itself" => {
            add("self", object([("not", names("self"))]));
            "self"
        }
        "cycle of segments" => {
            add("loop-a", names("loop-b"));
            add("loop-b", object([("any", list([raw("{\"all\":[]}"), names("loop-c")]))]));
            add("loop-c", names("loop-a"));
            add("beside", names("loop-a"));
            "beside"
        }
        "segment names none" => {
            add("lost", names("no-such-segment"));
            add("lost-too", names("lost"));
            "lost-too"
        }
        "field of a segment twice" => {
            let when = || ("when", raw("{\"all\":[]}"));
            draft.segments.push(object([("key", text("double")), when(), when()]));
            "double"
        }
        "condition too deep" => {
            add("deep-1", deep(raw("{\"all\":[]}")));
            add("deep-2", deep(names("deep-1")));
            "deep-2"
        }
        _ => {
            // Doubled 15 times: 131,069 parts.
            add("large-0", raw("{\"all\":[]}"));
            let most = if name == "segment too large" { 15 } else { 14 };
            for step in 1..=most {
                let inner = names(&format!("large-{}", step - 1));
                add(&format!("large-{step}"), object([("any", list([inner.clone(), inner]))]));
            }
            if name == "segment too large" { "large-15" } else { "large-14" }
        }
    };
    match name {
        // One deeper, or twice as large, than a segment may be.
        "condition too deep" => rule(draft, at, name, object([("not", names(broken))])),
        "condition too large" => rule(draft, at, name, object([("any", list([names(broken), names(broken)]))])),
        _ => named_by(draft, at, name, broken),
    }
}
