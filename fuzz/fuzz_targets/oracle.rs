//! The engine against the oracle, on bytes: both read up to three snapshots (a line feed, a NUL and a line feed between
//! them), publish them in order, and must answer alike.
#![no_main]

#[path = "../../core/tests/oracle/mod.rs"]
mod oracle;

use esclusa::{Context, FlagSet, Flags, Time};
use libfuzzer_sys::fuzz_target;
use oracle::{Json, Oracle, Outcome};

const CONTEXTS: [&str; 4] = [
    "{}",
    r#"{"user": "user-42", "company": "acme", "plan": "PREMIUM", "role": "ADMIN", "region": "CO", "a": {"b": 1}}"#,
    r#"{"user": "", "roles": ["OWNER", "a role of more than fourteen bytes"], "email": "A@acme.com", "ip": "10.1.2.3"}"#,
    r#"{"user": 7, "n": 1.5, "v": "1.2.3-rc.1", "b": true, "l": ["x", 3, null], "t": "2025-06-15", "x": ""}"#,
];

fuzz_target!(|bytes: &[u8]| {
    let (flags, mut oracle) = (Flags::new(), Oracle::default());
    let mut rest = bytes;
    for _ in 0..3 {
        let end = rest.windows(3).position(|window| window == b"\n\0\n").unwrap_or(rest.len());
        let (one, others) = rest.split_at(end);
        let published = oracle.publish(one);
        let set = FlagSet::from_json(one);
        assert_eq!(set.is_err(), published.outcome == Outcome::Refused, "refused by one of them: {set:?}");
        if let Ok(set) = set {
            let report = flags.publish(set);
            assert_eq!(report.is_published(), published.outcome == Outcome::Published);
        }
        compare(&flags, &oracle);
        rest = others.get(3..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
    }
});

fn compare(flags: &Flags, oracle: &Oracle) {
    let set = flags.current();
    for text in CONTEXTS {
        let (json, context) = (Json::parse(text.as_bytes()).unwrap(), Context::from_json(text.as_bytes()).unwrap());
        for now in [0, 1_750_000_000_000] {
            for key in oracle.keys().into_iter().take(100) {
                let resolution = set.resolve(key, &context, Time::from_millis(now));
                let resolution: serde_json::Value = serde_json::from_str(&resolution.to_value().to_string()).unwrap();
                assert_eq!(resolution, oracle.resolve(key, &json, now).to_value(), "{key} for {text} at {now}");
            }
        }
    }
}
