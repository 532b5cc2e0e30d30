//! Regions against the engine: random pairs of definitions, every bucket, every kind of caller.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at what is wrong")]

use std::collections::HashMap;

use esclusa::{BUCKETS, Bucket, Context, Time};
use esclusa_impact::{Callers, Comparison, Constraint, Direction, Document, NotExact, Region, exactly};
use fastrand::Rng;
use serde_json::{Value as Json, json};

const PLANS: [&str; 4] = ["FREE", "BASIC", "PREMIUM", "ENTERPRISE"];
const REGIONS: [&str; 3] = ["CO", "MX", "US"];
const ROLES: [&str; 3] = ["ADMIN", "OWNER", "VIEWER"];
const USERS: [&str; 3] = ["ana", "eva", "leo"];
const COMPANIES: [&str; 3] = ["acme", "globex", "initech"];

/// A caller as plain data, so that regions are judged without the engine.
#[derive(Clone, Debug, Default)]
struct Caller {
    fields: HashMap<&'static str, String>,
    roles: Vec<&'static str>,
}

impl Caller {
    fn random(random: &mut Rng) -> Self {
        let mut caller = Caller::default();
        let choices: [(&'static str, &[&str]); 4] =
            [("plan", &PLANS), ("region", &REGIONS), ("company", &COMPANIES), ("user", &USERS)];
        for (name, values) in choices {
            match random.usize(..values.len() + 3) {
                at if at < values.len() => _ = caller.fields.insert(name, values[at].to_owned()),
                at if at == values.len() => _ = caller.fields.insert(name, format!("{name}-{}", random.u16(..))),
                _ if name == "user" => _ = caller.fields.insert(name, format!("user-{}", random.u32(..))),
                _ => {}
            }
        }
        if random.u8(..20) == 0 {
            caller.fields.remove("user");
        }
        caller.roles = ROLES.into_iter().filter(|_| random.u8(..3) == 0).collect();
        caller
    }

    fn context(&self) -> Context<'static> {
        let json = json!(self.fields).to_string();
        let context = Context::from_json(json.as_bytes()).unwrap().into_owned();
        context.roles(self.roles.iter().copied())
    }

    fn holds(&self, constraint: &Constraint) -> bool {
        let values: Vec<&str> = match constraint.attribute.as_str() {
            "role" => self.roles.clone(),
            name => self.fields.get(name).map(String::as_str).into_iter().collect(),
        };
        let any = |list: &[String]| values.iter().any(|value| list.iter().any(|other| other == value));
        match &constraint.callers {
            Callers::OneOf(list) => any(list),
            Callers::NoneOf(list) => !any(list),
            Callers::OthersThan(list) => !values.is_empty() && !any(list),
            Callers::Missing => values.is_empty(),
        }
    }

    fn is_in(&self, region: &Region, bucket: Option<u32>) -> bool {
        region.callers.iter().all(|constraint| self.holds(constraint))
            && region.buckets.is_none_or(|(from, to)| bucket.is_some_and(|bucket| (from..to).contains(&bucket)))
    }
}

fn some(random: &mut Rng, values: &[&str]) -> Option<Json> {
    let chosen: Vec<&str> = values.iter().copied().filter(|_| random.bool()).collect();
    (random.u8(..3) > 0).then(|| json!(chosen))
}

fn definition(random: &mut Rng, unit: &str) -> Json {
    let mut flag = json!({"name": "f", "enabled": random.u8(..8) > 0, "salt": "s", "bucket_by": unit});
    let lists: [(&str, &[&str]); 5] = [
        ("target_plans", &PLANS),
        ("target_regions", &REGIONS),
        ("target_roles", &ROLES),
        ("target_companies", &COMPANIES),
        ("target_users", &USERS),
    ];
    for (field, values) in lists {
        if random.u8(..3) == 0
            && let Some(list) = some(random, values)
        {
            flag[field] = list;
        }
    }
    if random.bool() {
        flag["rollout_percentage"] =
            [json!(0), json!(100), json!(10), json!(25.5), json!(0.001), json!("33.3339")][random.usize(..6)].clone();
    }
    for (side, users) in [("on", &USERS[..1]), ("off", &USERS[1..2])] {
        if random.u8(..5) == 0 {
            flag["overrides"][side] = json!({"users": users, "companies": [COMPANIES[random.usize(..3)]]});
        }
    }
    if random.u8(..6) == 0 {
        flag["end_date"] = json!(if random.bool() { "2025-01-01" } else { "2027-01-01" });
    }
    if random.u8(..8) == 0 {
        flag["status"] = json!(["paused", "completed", "active"][random.usize(..3)]);
    }
    flag
}

#[test]
fn the_regions_hold_those_who_flip_and_nobody_else() {
    let at = Time::parse("2026-01-01").unwrap();
    let mut random = Rng::with_seed(20_261_130);
    let (mut flips, mut regions_seen) = (0, 0);
    for round in 0..600 {
        let unit = ["user", "company", "account"][random.usize(..3)];
        let [old, new] = [definition(&mut random, unit), definition(&mut random, unit)];
        let [old, new] = [json!([old]).to_string(), json!([new]).to_string()];
        let documents = [&old, &new].map(|text| Document::from_json(text.as_bytes()).unwrap());
        let regions = exactly("f", &documents[0], &documents[1], at).unwrap();
        let sets = [&old, &new].map(|text| esclusa::FlagSet::from_json_strict(text.as_bytes()).unwrap());
        let [before, after] = sets;
        let comparison = Comparison::new(before, after);
        regions_seen += regions.len();
        for _ in 0..200 {
            let mut caller = Caller::random(&mut random);
            if random.u8(..10) > 0 {
                caller.fields.insert("account", format!("account-{}", random.u32(..)));
            }
            let bucket = caller.fields.get(unit).map(|unit| Bucket::of(unit, "s").number());
            let flip = comparison.flip("f", &caller.context(), at).map(|flip| flip.direction);
            let holding: Vec<&Region> = regions.iter().filter(|region| caller.is_in(region, bucket)).collect();
            let said: Vec<Direction> = holding.iter().map(|region| region.direction).collect();
            assert_eq!(
                said,
                flip.into_iter().collect::<Vec<_>>(),
                "round {round}: {caller:?} in bucket {bucket:?}\n{old}\n{new}\n{regions:#?}"
            );
            flips += u32::from(flip.is_some());
        }
    }
    assert!(flips > 20_000 && regions_seen > 1_000, "{flips} flips and {regions_seen} regions are too few");
}

#[test]
fn every_bucket_is_told_apart() {
    // A user for each of the 100,000 buckets.
    let mut users: HashMap<u32, String> = HashMap::new();
    let mut number = 0_u64;
    while users.len() < BUCKETS as usize {
        let user = format!("u{number}");
        users.entry(Bucket::of(&user, "s").number()).or_insert(user);
        number += 1;
    }
    let flag =
        |share: f64| json!([{"name": "f", "enabled": true, "salt": "s", "rollout_percentage": share}]).to_string();
    for (old, new, wanted) in [(10.0, 25.0, (10_000, 25_000)), (50.0, 49.999, (49_999, 50_000)), (0.0, 0.001, (0, 1))] {
        let [old, new] = [flag(old), flag(new)];
        let documents = [&old, &new].map(|text| Document::from_json(text.as_bytes()).unwrap());
        let at = Time::from_millis(0);
        let regions = exactly("f", &documents[0], &documents[1], at).unwrap();
        assert_eq!(regions.iter().map(|region| region.buckets).collect::<Vec<_>>(), [Some(wanted)], "{regions:?}");
        let [before, after] = [&old, &new].map(|text| esclusa::FlagSet::from_json(text.as_bytes()).unwrap());
        let comparison = Comparison::new(before, after);
        for (bucket, user) in &users {
            let flips = comparison.flip("f", &Context::new(user.as_str()), at).is_some();
            assert_eq!(flips, (wanted.0..wanted.1).contains(bucket), "bucket {bucket}");
        }
    }
}

#[test]
fn the_example_of_the_readme_is_said_in_one_line() {
    let flag = |share: f64| {
        json!([{"name": "crm", "enabled": true, "target_plans": ["PREMIUM", "ENTERPRISE"],
                "target_roles": ["ADMIN", "OWNER"], "target_regions": ["CO", "MX", "AR"], "rollout_percentage": share}])
        .to_string()
    };
    let documents = [10.0, 25.0].map(|share| Document::from_json(flag(share).as_bytes()).unwrap());
    let regions = exactly("crm", &documents[0], &documents[1], Time::from_millis(0)).unwrap();
    assert_eq!(
        regions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "on for buckets 10,000 to 24,999 (15 %) of plan ENTERPRISE or PREMIUM, region AR, CO or MX, role ADMIN or OWNER"
        ]
    );
}

#[test]
fn what_takes_people_is_said() {
    let plain = json!({"name": "f", "enabled": true});
    let with = |field: &str, value: Json| {
        let mut flag = plain.clone();
        flag[field] = value;
        flag
    };
    let rules = json!([{"key": "r", "when": {"attribute": "plan", "op": "in", "values": ["PREMIUM"]}}]);
    let many: Vec<String> = (0..100_000).map(|user| format!("user-{user}")).collect();
    let cases = [
        (with("rules", rules), NotExact::Has("rules")),
        (with("schedule", json!([{"at": "2026-01-01", "rollout_percentage": 5}])), NotExact::Has("schedule")),
        (with("prerequisites", json!([{"flag": "g", "on": true}])), NotExact::Has("prerequisites")),
        (with("salt", json!("other")), NotExact::Differs("salt")),
        (with("bucket_by", json!("company")), NotExact::Differs("bucket_by")),
        (with("offValue", json!("none")), NotExact::Differs("off_value")),
        (with("variants", json!([{"key": "a", "value": 1}])), NotExact::Differs("variants")),
        (with("rollout_percentage", json!(150)), NotExact::Broken),
        (with("target_users", json!(many)), NotExact::TooManyCells { cells: 100_002 }),
    ];
    for (flag, expected) in cases {
        let [old, new] = [&plain, &flag].map(|flag| Document::from_json(json!([flag]).to_string().as_bytes()).unwrap());
        assert_eq!(exactly("f", &old, &new, Time::from_millis(0)), Err(expected));
    }
}

#[test]
fn several_rows_of_a_key_that_differ_are_off_as_in_an_app() {
    let rows =
        json!([{"name": "f", "enabled": true}, {"name": "f", "enabled": true, "target_plans": ["X"]}]).to_string();
    let [empty, twins] = ["[]", &rows].map(|text| Document::from_json(text.as_bytes()).unwrap());
    assert_eq!(exactly("f", &empty, &twins, Time::from_millis(0)), Err(NotExact::Broken));
    let set = esclusa::FlagSet::from_json(rows.as_bytes()).unwrap();
    assert!(!set.is_enabled("f", &Context::new("u").plan("X"), Time::from_millis(0)));
}

#[test]
fn a_flag_that_is_only_on_one_side_is_off_on_the_other() {
    let documents = [json!([]), json!([{"name": "f", "enabled": true, "rollout_percentage": 40}])];
    let [old, new] = documents.map(|document| Document::from_json(document.to_string().as_bytes()).unwrap());
    let said = |old, new| {
        let regions = exactly("f", old, new, Time::from_millis(0)).unwrap();
        regions.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(said(&old, &new), ["on for buckets 0 to 39,999 (40 %) of everybody"]);
    assert_eq!(said(&new, &old), ["off for buckets 0 to 39,999 (40 %) of everybody"]);
    assert_eq!(said(&new, &new), Vec::<String>::new());
}
