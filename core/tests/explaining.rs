//! Every step of an explanation has a code and operands, for sentences in other languages (10.8 of SEMANTICS.md).

#![allow(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use std::collections::BTreeSet;

use esclusa::{Context, FlagSet, Step, Time, Value};

/// Fields of the flag `f`, the caller, and the steps with codes and operands, those inside behind those around.
const CASES: &[(&str, &str, &[&str])] = &[
    (r#""enabled": false"#, "{}", &[r#"switched-off {}"#]),
    (
        r#""guard_state": {"run": 3, "trip": {"run": 3, "at": "2025-06-15T14:03:00Z", "metric": "errors", "by": 7}}"#,
        "{}",
        &[r#"tripped {"run":3,"metric":"errors","at":"2025-06-15T14:03:00Z","by":null}"#],
    ),
    (r#""salt": 7, "guard_state": {"trip": {"run": 1}}"#, "{}", &[r#"broken-and-off {}"#]),
    (r#""status": "paused""#, "{}", &[r#"status-off {"status":"paused"}"#]),
    (r#""rollout_percentage": 150"#, "{}", &[r#"broken {}"#]),
    (r#""enabled": "off", "rollout_percentage": 150"#, "{}", &[r#"broken-and-off {}"#]),
    (r#""vip_only": true"#, "{}", &[r#"withheld {"columns":["vip_only"],"unreadable":[],"repeated":false}"#]),
    (
        r#""start_date": "2026-01-01""#,
        "{}",
        &[r#"before-start {"start":"2026-01-01T00:00:00Z","now":"2025-06-15T15:06:40Z"}"#],
    ),
    (
        r#""start_date": "2025-01-01", "end_date": "2025-02-01""#,
        "{}",
        &[r#"after-end {"start":"2025-01-01T00:00:00Z","end":"2025-02-01T00:00:00Z","now":"2025-06-15T15:06:40Z"}"#],
    ),
    (
        r#""start_date": "2025-01-01""#,
        "{}",
        &[r#"in-window {"start":"2025-01-01T00:00:00Z","now":"2025-06-15T15:06:40Z"}"#],
    ),
    (
        r#""prerequisites": [{"flag": "other", "on": true}]"#,
        "{}",
        &[
            r#"prerequisite {"flag":"other","on":true,"answer":{"enabled":false,"value":false,"variant":null,"reason":"DISABLED","error":null}}"#,
            "switched-off {}",
        ],
    ),
    (
        r#""overrides": {"on": {"users": ["u"]}, "off": {"companies": ["c"]}}"#,
        r#"{"user": "u", "company": "c"}"#,
        &[r#"override {"field":"company","on":false,"value":"c"}"#],
    ),
    (
        r#""overrides": {"on": {"users": ["u"], "companies": ["c"]}}"#,
        r#"{"user": true}"#,
        &[r#"override-unreadable {"field":"user","on":true}"#, r#"override-missing {"field":"company","on":true}"#],
    ),
    (
        r#""target_plans": ["A", "B", "C", "D", "E", "F", "G"], "target_regions": ["CO"], "target_roles": ["ADMIN", "OWNER"]"#,
        r#"{"plan": "A", "region": "CO", "roles": ["AGENT", "OWNER"]}"#,
        &[
            r#"target {"target":"plan","value":"A","targets":["A","B","C","D","E"],"more":2}"#,
            r#"target {"target":"region","value":"CO","targets":["CO"],"more":0}"#,
            r#"target {"target":"roles","value":["AGENT","OWNER"],"targets":["ADMIN","OWNER"],"more":0}"#,
        ],
    ),
    (
        r#""target_companies": ["c"]"#,
        r#"{"company": []}"#,
        &[r#"target-unreadable {"target":"company","targets":["c"],"more":0}"#],
    ),
    (r#""target_plans": ["A"]"#, "{}", &[r#"target-missing {"target":"plan","targets":["A"],"more":0}"#]),
    (
        r#""rollout_percentage": 99.999"#,
        r#"{"user": "user-42"}"#,
        &[r#"share {"unit":"user","value":"user-42","bucket":BUCKET,"threshold":99999}"#],
    ),
    (r#""rollout_percentage": 0"#, "{}", &[r#"share-nobody {"threshold":0}"#]),
    (r#""rollout_percentage": 50"#, "{}", &[r#"unit-missing {"unit":"user"}"#]),
    (r#""rollout_percentage": 50"#, r#"{"user": {}}"#, &[r#"unit-unreadable {"unit":"user"}"#]),
    (
        r#""variants": [{"key": "a"}, {"key": "b"}]"#,
        r#"{"user": "user-42"}"#,
        &[r#"variant {"variant":"VARIANT","unit":"user","value":"user-42","bucket":SPLIT}"#],
    ),
    (r#""variants": [{"key": "a"}]"#, "{}", &[r#"variant {"variant":"a"}"#]),
    (
        r#""rules": [{"key": "r", "when": {"all": [{"segment": "s"}, {"any": [{"not": {"attribute": "seats", "op": "lt", "value": 5}}]},
            {"percentage": {"of": "user", "salt": "x", "from": 0, "to": 100}}, {"now": {"from": "2025-01-01", "to": "2026-01-01"}}]}}]"#,
        r#"{"user": "user-42", "plan": "A", "seats": "many"}"#,
        &[
            r#"rule {"rule":"r"}"#,
            "all {}",
            r#"segment {"segment":"s"}"#,
            r#"comparison {"attribute":"plan","value":"A","operator":"in","wanted":"in A"}"#,
            "any {}",
            "not {}",
            r#"comparison-unknown {"attribute":"seats","value":"\"many\"","operator":"lt","wanted":"< 5"}"#,
            r#"percentage {"unit":"user","value":"user-42","bucket":SALTED,"from":0,"threshold":100000,"salt":"x"}"#,
            r#"now {"from":"2025-01-01T00:00:00Z","to":"2026-01-01T00:00:00Z","now":"2025-06-15T15:06:40Z"}"#,
        ],
    ),
    (
        r#""rules": [{"key": "r", "when": {"percentage": {"of": "user", "salt": "x", "from": 0, "to": 10}}}]"#,
        "{}",
        &[r#"rule {"rule":"r"}"#, r#"percentage-missing {"unit":"user","from":0,"threshold":10000}"#],
    ),
];

const NOW: Time = Time::from_millis(1_750_000_000_000);

/// Codes that take more than one flag (too much work, and a flag that a kept definition names and that is gone), and that of
/// hosts alone.
const ELSEWHERE: [&str; 3] = ["too-much-work", "prerequisite-missing", "test-override"];

fn flatten(steps: &[Step], flat: &mut Vec<(String, String)>) {
    for step in steps {
        let operands = step.operands().iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        flat.push((step.code().to_owned(), format!("{} {}", step.code(), Value::Object(operands).to_json())));
        flatten(step.inner(), flat);
    }
}

#[test]
fn every_step_has_its_code_and_its_operands() {
    let mut seen: BTreeSet<String> = ELSEWHERE.iter().map(|code| (*code).to_owned()).collect();
    for (fields, caller, expected) in CASES {
        let on = if fields.contains("\"enabled\"") { "" } else { r#""enabled": true, "# };
        let document = format!(
            r#"{{"esclusa": 1, "segments": [{{"key": "s", "when": {{"attribute": "plan", "op": "in", "values": ["A"]}}}}],
                "flags": [{{"name": "f", {on}{fields}}}, {{"name": "other", "enabled": false}}, {{"name": "plain"}}]}}"#
        );
        let set = FlagSet::from_json(document.as_bytes()).unwrap();
        let context = Context::from_json(caller.as_bytes()).unwrap();
        let explained = set.explain("f", &context, NOW);
        let mut steps = Vec::new();
        flatten(explained.steps(), &mut steps);
        let variant = set.resolve("f", &context, NOW).variant().unwrap_or_default();
        let bucket = |salt: &str| esclusa::Bucket::of("user-42", salt).number().to_string();
        let expected: Vec<String> = expected
            .iter()
            .map(|line| {
                line.replace("BUCKET", &bucket("f"))
                    .replace("SALTED", &bucket("x"))
                    .replace("SPLIT", &bucket("f/variant"))
                    .replace("VARIANT", variant)
            })
            .collect();
        let found: Vec<&str> = steps.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(found, expected, "{fields}");
        let json = explained.to_value();
        let code = json.get("first_no_code").and_then(Value::as_str);
        assert_eq!(code, explained.first_no().map(Step::code), "{fields}");
        seen.extend(steps.into_iter().map(|(code, _)| code));
    }
    let law = include_str!("../../spec/SEMANTICS.md");
    let (_, sentence) = law.lines().find(|line| line.starts_with("- **10.8**")).unwrap().split_once(": ").unwrap();
    // Codes stand outside of the brackets with their operands.
    let mut depth = 0_i32;
    let outside: String = sentence
        .chars()
        .filter(|letter| {
            depth += i32::from(*letter == '(') - i32::from(*letter == ')');
            depth == 0 && *letter != ')'
        })
        .collect();
    let told: BTreeSet<String> = outside.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(seen, told);
}
