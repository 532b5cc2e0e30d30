//! Advice about segments.

use std::collections::{BTreeSet, HashMap};

use esclusa::{Time, Value};

use super::{Advice, Notes};
use crate::lint::Level;
use crate::lint::document::Document;

pub(super) const ADVICE: &[Advice] = &[
    Advice {
        name: "unused-segment",
        level: Level::Warn,
        summary: "no flag and no other segment names the segment",
        page: "It changes no answer. Leave it out, or name it in a rule.",
        check: Some(unused_segment),
    },
    Advice {
        name: "duplicate-segment",
        level: Level::Warn,
        summary: "two segments have the same condition",
        page: "A change of one is easily forgotten in the other. Keep one, or let one name the other.",
        check: Some(duplicate_segment),
    },
];

fn unused_segment(document: &Document<'_>, _: Time, notes: &mut Notes) {
    let mut used = BTreeSet::new();
    document.conditions(&mut |_, _, condition| {
        used.extend(condition.get("segment").and_then(Value::as_str).map(str::to_owned));
    });
    for segment in document.segments.iter().filter(|segment| !used.contains(&segment.key)) {
        notes.other(format!("{}/key", segment.place), format!("nothing names segment `{}`", segment.key));
    }
}

fn duplicate_segment(document: &Document<'_>, _: Time, notes: &mut Notes) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for segment in &document.segments {
        let condition = segment.when.clone().into_canonical().to_json();
        if let Some(other) = seen.get(&condition) {
            let problem = format!("segment `{}` has the same condition as `{other}`", segment.key);
            notes.other(format!("{}/when", segment.place), problem);
        } else {
            seen.insert(condition, &segment.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::advice::tests::fires;

    const BETA: &str = r#"{"op": "is", "attribute": "beta", "value": true}"#;

    #[test]
    fn a_segment_that_nothing_names() {
        let one = |rules: &str| {
            format!(
                r#"{{"esclusa": 1, "flags": [{{"name": "a", "rules": [{rules}]}}], "segments": [{{"key": "beta", "when": {BETA}}}]}}"#
            )
        };
        let rule = r#"{"key": "r", "when": {"any": [{"not": {"segment": "beta"}}]}}"#;
        fires("unused-segment", &["/segments/0/key: nothing names segment `beta`"], &one(""), &one(rule));
    }

    #[test]
    fn two_segments_of_one_condition() {
        let two = |second: &str| {
            format!(
                r#"{{"esclusa": 1, "flags": [], "segments": [{{"key": "a", "when": {BETA}}}, {{"key": "b", "when": {second}}}]}}"#
            )
        };
        let same = r#"{"attribute": "beta", "op": "is", "value": true}"#;
        let found = ["/segments/1/when: segment `b` has the same condition as `a`"];
        fires("duplicate-segment", &found, &two(same), &two(&same.replace("true", "false")));
    }
}
