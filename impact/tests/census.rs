//! Counting who flips: against both sets asked one by one, in directions, groups and examples.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at what is wrong")]

use std::collections::BTreeMap;

use esclusa::{Context, FlagSet, Time, Value};
use esclusa_impact::{Census, Comparison, Direction, Flips, Options};
use serde_json::{Value as Json, json};

fn set(document: &Json) -> FlagSet {
    FlagSet::from_json(document.to_string().as_bytes()).unwrap()
}

fn person(json: &Json) -> Value<'static> {
    Value::from_json(json.to_string().as_bytes()).unwrap().into_owned()
}

fn at() -> Time {
    Time::parse("2026-01-01").unwrap()
}

#[test]
fn people_are_counted_by_direction_and_by_attribute() {
    let old = json!([
        {"name": "grows", "enabled": true, "target_plans": ["PREMIUM"]},
        {"name": "shrinks", "enabled": true},
        {"name": "same", "enabled": true},
        {"name": "switches", "enabled": true, "variants": [{"key": "a", "value": 1}]},
        {"name": "revalued", "enabled": true, "variants": [{"key": "a", "value": 1}]},
        {"name": "gone", "enabled": true},
        {"name": "gone-and-off", "enabled": false, "off_value": "x"},
    ]);
    let new = json!([
        {"name": "grows", "enabled": true, "target_plans": ["PREMIUM", "BASIC"]},
        {"name": "shrinks", "enabled": true, "target_roles": ["ADMIN"]},
        {"name": "same", "enabled": true, "description": "said better"},
        {"name": "switches", "enabled": true, "variants": [{"key": "b", "value": 1}]},
        {"name": "revalued", "enabled": true, "variants": [{"key": "a", "value": 2}]},
        {"name": "new", "enabled": true, "target_regions": ["CO"]},
    ]);
    let comparison = Comparison::new(set(&old), set(&new));
    assert_eq!(
        comparison.keys(),
        ["gone", "gone-and-off", "grows", "new", "revalued", "shrinks", "switches"].map(str::to_owned)
    );
    let options = Options { by: vec!["plan".to_owned(), "role".to_owned()], examples: 1, ..Options::at(at()) };
    let mut census = Census::new(&comparison, options);
    let people = [
        json!({"user": "1", "plan": "BASIC", "roles": ["ADMIN", "OWNER"], "region": "CO"}),
        json!({"user": "2", "plan": "BASIC", "role": "VIEWER"}),
        json!({"user": "3", "plan": "PREMIUM", "role": 7}),
        json!({"user": "4"}),
    ];
    for one in &people {
        census.count(&person(one)).unwrap();
    }
    assert!(census.count(&person(&json!(["no", "context"]))).is_err());
    assert_eq!((census.people(), census.flipped(), census.turned_off(), census.without_key()), (4, 4, 4, 0));
    let flips = |on, off, variant, value| Flips { on, off, variant, value };
    let found: BTreeMap<&str, Flips> = census.flags().iter().map(|flag| (flag.key(), flag.flips())).collect();
    let expected = BTreeMap::from([
        ("gone", flips(0, 4, 0, 0)),
        ("gone-and-off", flips(0, 0, 0, 0)),
        ("grows", flips(2, 0, 0, 0)),
        ("new", flips(1, 0, 0, 0)),
        ("revalued", flips(0, 0, 0, 4)),
        ("shrinks", flips(0, 3, 0, 0)),
        ("switches", flips(0, 0, 4, 0)),
    ]);
    assert_eq!(found, expected);
    let shrinks = census.flags().iter().find(|flag| flag.key() == "shrinks").unwrap();
    let groups: Vec<_> = shrinks.groups().iter().map(|group| (group.attribute(), group.values())).collect();
    let off = |people| flips(0, people, 0, 0);
    assert_eq!(
        groups,
        [
            ("plan", vec![("(none)", off(1)), ("BASIC", off(1)), ("PREMIUM", off(1))]),
            ("role", vec![("(none)", off(1)), ("7", off(1)), ("VIEWER", off(1))]),
        ]
    );
    let [example] = shrinks.examples() else { panic!("{:?}", shrinks.examples()) };
    assert_eq!((example.direction, example.person.contains("\"2\"")), (Direction::Off, true));
    assert!(example.before.contains("is ON") && example.after.contains("is OFF"), "{example:?}");
}

#[test]
fn somebody_counts_once_for_each_role_and_those_without_a_key_are_counted() {
    let [old, new] = [true, false].map(|enabled| set(&json!([{"name": "f", "enabled": enabled}])));
    let comparison = Comparison::new(old, new);
    let by = ["roles", "user", "seats"].map(str::to_owned).to_vec();
    let mut census = Census::new(&comparison, Options { by, ..Options::at(at()) });
    for one in [
        json!({"user": "a", "targetingKey": "b", "role": "ADMIN", "roles": ["ADMIN", "OWNER", "ADMIN"], "seats": 3}),
        json!({"roles": [], "seats": null}),
    ] {
        census.count(&person(&one)).unwrap();
    }
    assert_eq!((census.people(), census.turned_off(), census.without_key()), (2, 2, 1));
    let values: Vec<Vec<_>> = census.flags()[0]
        .groups()
        .iter()
        .map(|group| group.values().into_iter().map(|(value, flips)| (value.to_owned(), flips.off)).collect())
        .collect();
    let expected =
        [vec![("(none)", 1), ("ADMIN", 1), ("OWNER", 1)], vec![("(none)", 1), ("b", 1)], vec![("(none)", 1), ("3", 1)]];
    assert_eq!(
        values,
        expected.map(|group| group.into_iter().map(|(value, off)| (value.to_owned(), off)).collect::<Vec<_>>())
    );
}

#[test]
fn a_flag_that_breaks_keeps_its_definition_as_in_an_app() {
    let old = json!([{"name": "f", "enabled": true, "target_plans": ["PREMIUM"]}]);
    let new = json!([{"name": "f", "enabled": true, "target_plans": ["PREMIUM"], "variants": 7}]);
    let comparison = Comparison::new(set(&old), set(&new));
    let answer = |plan| comparison.new_set().is_enabled("f", &Context::new("u").plan(plan), at());
    assert_eq!((answer("PREMIUM"), answer("BASIC")), (true, false));
    assert_eq!(comparison.report().set_aside().len(), 1);
    // An older revision is compared too.
    let [old, new] = [9, 3].map(
        |revision| json!({"esclusa": 1, "revision": revision, "flags": [{"name": "f", "enabled": revision == 9}]}),
    );
    assert_eq!(Comparison::new(set(&old), set(&new)).keys(), ["f"]);
}

#[test]
fn random_people_are_counted_as_both_sets_answer_them() {
    let mut random = fastrand::Rng::with_seed(7);
    let plans = ["FREE", "BASIC", "PREMIUM"];
    for _ in 0..40 {
        let mut flag = |name: usize| {
            let mut flag = json!({"name": format!("f{name}"), "enabled": random.u8(..5) > 0, "rollout_percentage": random.u8(..101)});
            if random.bool() {
                flag["variants"] = json!([{"key": "a", "value": 1}, {"key": "b", "value": random.u8(..3)}]);
            }
            if random.bool() {
                flag["rules"] = json!([{"key": "r", "when": {"attribute": "plan", "op": "in", "values": [plans[random.usize(..3)]]}}]);
            }
            flag
        };
        let documents = [0, 1].map(|_| json!((0..5).map(&mut flag).collect::<Vec<_>>()));
        let comparison = Comparison::new(set(&documents[0]), set(&documents[1]));
        let mut census = Census::new(&comparison, Options { by: vec!["plan".to_owned()], ..Options::at(at()) });
        let mut expected: BTreeMap<String, Flips> = BTreeMap::new();
        for user in 0..200 {
            let json = json!({"user": format!("u{user}"), "plan": plans[user % 3]});
            census.count(&person(&json)).unwrap();
            let context = Context::new(format!("u{user}")).plan(plans[user % 3]);
            for key in ["f0", "f1", "f2", "f3", "f4"] {
                let [before, after] =
                    [comparison.old(), comparison.new_set()].map(|set| set.resolve(key, &context, at()));
                let counted = expected.entry(key.to_owned()).or_default();
                match (before.is_enabled(), after.is_enabled()) {
                    (false, true) => counted.on += 1,
                    (true, false) => counted.off += 1,
                    _ if before.variant() != after.variant() => counted.variant += 1,
                    _ if before.value() != after.value() => counted.value += 1,
                    _ => {}
                }
            }
        }
        for flag in census.flags() {
            assert_eq!(flag.flips(), expected[flag.key()], "{}: {documents:?}", flag.key());
            let mut total = Flips::default();
            for (_, flips) in flag.groups()[0].values() {
                total = Flips {
                    on: total.on + flips.on,
                    off: total.off + flips.off,
                    variant: total.variant + flips.variant,
                    value: total.value + flips.value,
                };
            }
            assert_eq!(total, flag.flips());
            assert!(flag.examples().len() as u64 == flag.flips().total().min(10));
        }
        // What is in no key of the comparison does not flip.
        let unlisted = expected.iter().filter(|(key, _)| !comparison.keys().contains(key));
        assert!(unlisted.into_iter().all(|(_, flips)| flips.total() == 0));
    }
}
