//! Advice about lists: values that stand there twice, that are nearly another one, and lists that are huge.

use std::collections::{BTreeMap, HashSet};

use esclusa::Time;

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

const LISTS: [&str; 5] = ["target_plans", "target_roles", "target_companies", "target_regions", "target_users"];

fn near_miss_value(document: &Document<'_>, _: Time, notes: &mut Notes) {
    // Ids of users are everybody's own, and two that differ in case may be two people.
    for field in LISTS.into_iter().filter(|field| *field != "target_users") {
        let mut lists_with: BTreeMap<String, usize> = BTreeMap::new();
        let mut plain: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let lists: Vec<Vec<(String, String)>> = document.flags.iter().map(|flag| flag.texts(field)).collect();
        for list in &lists {
            for value in list.iter().map(|(_, value)| value).collect::<HashSet<_>>() {
                *lists_with.entry(value.clone()).or_default() += 1;
            }
        }
        for value in lists_with.keys() {
            plain.entry(value.trim().to_lowercase()).or_default().push(value.clone());
        }
        let count = |value: &String| lists_with.get(value).copied().unwrap_or_default();
        for (flag, list) in document.flags.iter().zip(&lists) {
            for (place, value) in list {
                let others = plain.get(&value.trim().to_lowercase()).into_iter().flatten();
                let Some(most) = others.filter(|other| *other != value).max_by_key(|other| count(other)) else {
                    continue;
                };
                if count(most) > count(value) {
                    let (few, many) = (counted(count(value)), counted(count(most)));
                    notes.flag(flag, place.clone(), format!("`{value}` is in {few}, `{most}` in {many}"));
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
        for field in LISTS {
            let mut seen = HashSet::new();
            for (place, value) in flag.texts(field) {
                if !seen.insert(value.clone()) {
                    notes.flag(flag, place, format!("`{value}` is in this list already"));
                }
            }
        }
    }
}

fn huge_list(document: &Document<'_>, _: Time, notes: &mut Notes) {
    for flag in &document.flags {
        for field in LISTS {
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
