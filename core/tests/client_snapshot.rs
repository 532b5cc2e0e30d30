//! Client snapshots of random flag sets: the same answers for their caller, and no other user or company in them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test stops at what is wrong"
)]

mod generator;

use esclusa::{Context, FlagSet, Flags, Resolution, Time, Value};
use generator::{Random, Sequence};

const SEQUENCES: u64 = 500;

/// Every flag of the snapshot marked `client`.
fn marked(text: &str) -> Option<String> {
    let text = text.trim_start_matches('\u{feff}');
    let mut snapshot = Value::from_json(text.as_bytes()).ok()?;
    let flags = match &mut snapshot {
        Value::List(flags) => flags,
        Value::Object(fields) => match fields.iter_mut().find(|(name, _)| name == "flags") {
            Some((_, Value::List(flags))) => flags,
            _ => return None,
        },
        _ => return None,
    };
    for flag in flags {
        if let Value::Object(fields) = flag {
            fields.retain(|(name, _)| name != "client");
            fields.push(("client".into(), true.into()));
        }
    }
    Some(snapshot.to_string())
}

fn published(seed: u64) -> (Flags, Sequence) {
    let sequence = Sequence::random(seed);
    let flags = Flags::new();
    for text in sequence.snapshots.iter().filter_map(|snapshot| marked(&snapshot.text())) {
        if let Ok(set) = FlagSet::from_json(text.as_bytes()) {
            let _ = flags.publish_accepting_older(set);
        }
    }
    (flags, sequence)
}

fn fields<'v>(snapshot: &'v Value<'static>) -> impl Iterator<Item = (&'v str, &'v Value<'static>)> {
    let flags = snapshot.get("flags").unwrap().as_list().unwrap();
    flags.iter().flat_map(|flag| match flag {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.as_ref(), value)).collect::<Vec<_>>(),
        other => panic!("{other} is no flag"),
    })
}

#[test]
fn for_its_caller_at_its_time_it_answers_as_the_set_that_it_was_made_from() {
    let (mut compared, mut sent, mut decided, mut on) = (0, 0, 0, 0);
    let seed = Random::seed();
    println!("seed {seed}");
    for number in 0..SEQUENCES {
        let (flags, sequence) = published(seed.wrapping_mul(7_000_003).wrapping_add(number));
        let set = flags.current();
        for (context, now) in sequence.contexts.iter().zip(sequence.times.iter().cycle()) {
            let (text, now) = (context.to_string(), Time::from_millis(*now));
            let context = Context::from_json(text.as_bytes()).unwrap();
            let snapshot = set.client_snapshot(set.keys(), &context, now);
            for (name, _) in fields(&snapshot) {
                let secret = ["rules", "prerequisites", "overrides", "target_companies", "target_users", "segments"];
                assert!(!secret.contains(&name), "`{name}` stands in {snapshot}");
            }
            let text = snapshot.to_string();
            let here = FlagSet::from_json_strict(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(here.revision(), set.revision());
            let answer = |resolution: Resolution<'_>| {
                (resolution.is_enabled(), resolution.value().clone(), resolution.variant().map(str::to_owned))
            };
            for key in here.keys() {
                let (there, here) = (set.resolve(key, &context, now), here.resolve(key, &context, now));
                let (mut there, here) = (answer(there), answer(here));
                if !there.0 && there.1.is_null() {
                    there.2 = None;
                }
                assert_eq!(here, there, "`{key}` for {context:?} at {now}\n{text}");
                compared += 1;
                on += u64::from(here.0);
            }
            let (whole, at_all) =
                (fields(&snapshot).filter(|(name, _)| name.starts_with("target_")).count(), here.len());
            sent += whole;
            decided += at_all;
        }
    }
    println!("{compared} answers compared, {on} of them on; {sent} target lists sent in {decided} flags");
    assert!(compared > 5_000 && on > 500 && on < compared && sent > 100, "too little was compared");
}

#[test]
fn it_holds_nothing_that_was_not_asked_for_or_not_marked() {
    let set = FlagSet::from_json(
        br#"{"esclusa": 1, "revision": 7,
        "segments": [{"key": "whales", "when": {"attribute": "company", "op": "in", "values": ["globex"]}}],
        "flags": [
            {"name": "open", "enabled": true, "client": true, "description": "for sales", "created_by": "ann",
             "metrics": {"usage_count": 1}, "target_plans": ["PREMIUM"], "target_roles": ["ADMIN"],
             "target_regions": ["CO"], "rollout_percentage": 12.5, "salt": "s", "bucket_by": "company",
             "start_date": "2025-01-01", "schedule": [{"at": "2025-02-01", "rollout_percentage": 50}]},
            {"name": "listed", "enabled": true, "client": true, "target_companies": ["acme", "initech"]},
            {"name": "personal", "enabled": true, "client": true, "target_users": ["user-1", "user-2"]},
            {"name": "overridden", "enabled": true, "client": true, "overrides": {"off": {"users": ["user-3"]}}},
            {"name": "ruled", "enabled": true, "client": true, "variants": [{"key": "a", "value": 1}, {"key": "b"}],
             "rules": [{"key": "big", "when": {"segment": "whales"}, "variant": "b"},
                       {"key": "rest", "when": {"all": []}, "variant": "a"}]},
            {"name": "not-asked-for", "enabled": true, "client": true},
            {"name": "not-marked", "enabled": true}
        ]}"#,
    )
    .unwrap();
    let keys = ["open", "listed", "personal", "overridden", "ruled", "not-marked", "no-such-flag", "open"];
    let caller = Context::new("user-1").company("initech").plan("PREMIUM");
    let snapshot = set.client_snapshot(keys, &caller, Time::parse("2025-06-01").unwrap());
    assert_eq!(
        snapshot.to_string(),
        concat!(
            r#"{"esclusa":1,"revision":7,"flags":["#,
            r#"{"name":"open","enabled":true,"rollout_percentage":12.5,"target_plans":["PREMIUM"],"#,
            r#""target_roles":["ADMIN"],"target_regions":["CO"],"start_date":"2025-01-01T00:00:00Z","#,
            r#""bucket_by":"company","salt":"s","#,
            r#""schedule":[{"at":"2025-02-01T00:00:00Z","rollout_percentage":50}],"client":true},"#,
            r#"{"name":"listed","enabled":true,"client":true},"#,
            r#"{"name":"personal","enabled":true,"client":true},"#,
            r#"{"name":"overridden","enabled":true,"client":true},"#,
            r#"{"name":"ruled","enabled":true,"variants":[{"key":"a","value":1}],"client":true}]}"#,
        )
    );
}

#[test]
fn a_kill_switch_holds_in_the_browser_too() {
    let flags = Flags::new();
    let good = br#"[{"name": "f", "enabled": true, "client": true, "variants": [{"key": "a", "value": 1}]}]"#;
    let _ = flags.publish(FlagSet::from_json(good).unwrap());
    let broken = br#"[{"name": "f", "enabled": false, "client": true, "rollout_percentage": 150}]"#;
    let _ = flags.publish(FlagSet::from_json(broken).unwrap());
    let snapshot = flags.current().client_snapshot(["f"], &Context::anonymous(), Time::from_millis(0));
    let expected =
        r#"{"esclusa":1,"flags":[{"name":"f","enabled":false,"variants":[{"key":"off","value":null}],"client":true}]}"#;
    assert_eq!(snapshot.to_string(), expected);
}

#[test]
fn a_value_that_is_too_deep_for_a_document_is_left_out_and_takes_nothing_with_it() {
    let row = |key: &str, depth: usize| {
        let value = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        format!(
            r#"{{"name": "{key}", "enabled": true, "client": true, "variants": [{{"key": "a", "value": {value}}}]}}"#
        )
    };
    // An array of rows, a row, its variants and the variant stand round the value: 96 more are the most.
    let rows = format!("[{},{},{}]", row("flat", 0), row("fits", 95), row("deep", 96));
    let set = FlagSet::from_json_strict(rows.as_bytes()).unwrap();
    let snapshot = set.client_snapshot(set.keys(), &Context::anonymous(), Time::from_millis(0)).to_string();
    let read = FlagSet::from_json_strict(snapshot.as_bytes()).unwrap();
    assert_eq!(read.keys().collect::<Vec<_>>(), ["flat", "fits"]);
}

#[test]
fn a_flag_that_is_withheld_is_sent_as_off_if_its_row_or_its_kept_definition_says_client() {
    let good = br#"[{"name": "a", "enabled": true, "client": true}, {"name": "b", "enabled": true},
        {"name": "c", "enabled": true}, {"name": "d", "enabled": true, "client": true}]"#;
    let flags = Flags::new();
    let _ = flags.publish(FlagSet::from_json(good).unwrap());
    let withheld = br#"[{"name": "a", "enabled": true, "allowed_roles": ["x"], "off_value": "classic"},
        {"name": "b", "enabled": true, "end_date": "soon", "client": true, "variants": [{"key": "a"}]},
        {"name": "c", "enabled": true, "tenant_id": 7},
        {"name": "d", "enabled": true, "rollout_percentage": 5}, {"name": "d", "enabled": true},
        {"name": "e", "enabled": true}, {"name": "e", "enabled": true, "salt": "s", "client": true}]"#;
    let _ = flags.publish(FlagSet::from_json(withheld).unwrap());
    let set = flags.current();
    let caller = Context::new("user-1").role("x");
    let snapshot = set.client_snapshot(set.keys(), &caller, Time::from_millis(0));
    let expected = concat!(
        r#"{"esclusa":1,"flags":[{"name":"a","enabled":false,"off_value":"classic","client":true},"#,
        r#"{"name":"b","enabled":false,"variants":[{"key":"off","value":null}],"client":true},"#,
        r#"{"name":"d","enabled":false,"client":true},{"name":"e","enabled":false,"client":true}]}"#
    );
    assert_eq!(snapshot.to_string(), expected);
    let projected = set.project(["a", "b", "c"], &caller, Time::from_millis(0)).to_json();
    let off = r#"{"a":{"enabled":false,"value":"classic"},"b":{"enabled":false,"value":null},"c":{"enabled":false,"value":false}}"#;
    assert_eq!(projected, off);
}
