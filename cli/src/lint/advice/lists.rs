//! Advice about lists: values that are listed twice or nearly equal another one, and lists that are huge.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use esclusa::{Time, row};

use super::{Advice, Notes};
use crate::lint::Level;
use crate::lint::document::Document;

/// From here on a segment or an attribute is the better way.
const HUGE: usize = 10_000;

pub(super) const ADVICE: &[Advice] = &[
    Advice {
        name: "near-miss-value",
        level: Level::Warn,
        summary: "a value differs from a frequent one in case or white space only",
        page: "Values are compared as they are: `premium` is not `PREMIUM`. Write it as the other flags do.",
        check: Some(near_miss_value),
    },
    Advice {
        name: "duplicate-in-list",
        level: Level::Warn,
        summary: "a list has a value twice",
        page: "It changes no answer. Most often another value was meant.",
        check: Some(duplicate_in_list),
    },
    Advice {
        name: "huge-list",
        level: Level::Warn,
        summary: "a list has more than 10,000 entries",
        page: "It travels with every snapshot. A segment says it once for many flags, and an attribute of the caller needs no list.",
        check: Some(huge_list),
    },
];

/// The lists of targets.
fn lists() -> impl Iterator<Item = &'static str> {
    row::FIELDS.into_iter().filter(|field| field.starts_with("target_"))
}

fn near_miss_value(document: &Document<'_>, _: Time, notes: &mut Notes) {
    // Two ids of users that differ in case may be two people.
    for field in lists().filter(|field| *field != "target_users") {
        // In how many lists a value is, and how the values are written that are alike but for case and white space.
        let mut lists_with: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
        for flag in &document.flags {
            let mut values: Vec<_> = flag.texts(field).map(|(_, value)| value).collect();
            values.sort_unstable();
            values.dedup();
            values.into_iter().for_each(|value| *lists_with.entry(value).or_default() += 1);
        }
        let mut alike: BTreeMap<String, Vec<(&str, usize)>> = BTreeMap::new();
        for (value, count) in &lists_with {
            alike.entry(value.trim().to_lowercase()).or_default().push((value, *count));
        }
        // For each value the most frequent one that it may stand for.
        let mut meant: HashMap<&str, (usize, &str, usize)> = HashMap::new();
        for values in alike.values().filter(|values| values.len() > 1) {
            for (value, count) in values {
                let others = values.iter().filter(|(other, more)| other != value && more > count);
                if let Some((most, more)) = others.max_by_key(|(_, more)| *more) {
                    meant.insert(value, (*count, most, *more));
                }
            }
        }
        if meant.is_empty() {
            continue;
        }
        for flag in &document.flags {
            for (at, value) in flag.texts(field) {
                if let Some((few, most, many)) = meant.get(value.as_ref()) {
                    let (few, many) = (counted(*few), counted(*many));
                    notes.flag(flag, flag.place_in(field, at), format!("`{value}` is in {few}, `{most}` in {many}"));
                }
            }
        }
    }
}

fn counted(lists: usize) -> String {
    if lists == 1 { "one list".to_owned() } else { format!("{lists} lists") }
}

fn duplicate_in_list(document: &Document<'_>, _: Time, notes: &mut Notes) {
    for flag in &document.flags {
        for field in lists() {
            if flag.entries(field).len() < 2 {
                continue;
            }
            let mut seen = HashSet::new();
            for (at, value) in flag.texts(field) {
                if !seen.insert(value.clone()) {
                    notes.flag(flag, flag.place_in(field, at), format!("`{value}` is in this list already"));
                }
            }
        }
    }
}

fn huge_list(document: &Document<'_>, _: Time, notes: &mut Notes) {
    for flag in &document.flags {
        for field in lists() {
            let entries = flag.entries(field).len();
            if entries > HUGE {
                let problem =
                    format!("the list has {entries} entries, expected at most {HUGE}: use a segment or an attribute");
                notes.flag(flag, flag.place_of(field), problem);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::advice::tests::fires;

    #[test]
    fn a_value_that_is_nearly_another_one() {
        fires(
            "near-miss-value",
            &["/2/target_plans/0: `premium` is in one list, `PREMIUM` in 2 lists"],
            r#"[{"name": "a", "target_plans": ["PREMIUM"]}, {"name": "b", "target_plans": ["PREMIUM"]}, {"name": "c", "target_plans": ["premium"]}]"#,
            r#"[{"name": "a", "target_plans": ["PREMIUM", "premium"]}, {"name": "b", "target_users": ["Ana"]}, {"name": "c", "target_users": ["ana"]}]"#,
        );
    }

    #[test]
    fn a_value_twice() {
        fires(
            "duplicate-in-list",
            &["/0/targetRoles/1: `7` is in this list already"],
            r#"[{"name": "a", "targetRoles": [7, "7", "ADMIN"]}]"#,
            r#"[{"name": "a", "target_roles": ["ADMIN"]}, {"name": "b", "target_roles": ["ADMIN"]}]"#,
        );
    }

    #[test]
    fn a_list_that_is_huge() {
        let list = |entries: usize| {
            let users: Vec<String> = (0..entries).map(|at| format!("\"{at}\"")).collect();
            format!(r#"[{{"name": "a", "target_users": [{}]}}]"#, users.join(","))
        };
        let found =
            ["/0/target_users: the list has 10001 entries, expected at most 10000: use a segment or an attribute"];
        fires("huge-list", &found, &list(10_001), &list(10_000));
    }
}
