//! A build without the feature `regex` never answers differently: it sets the flags that need it aside (sentence 8.10).
#![cfg(all(feature = "rules", not(feature = "regex")))]
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use esclusa::{Context, FlagSet, Time};

#[test]
fn a_flag_that_uses_a_regular_expression_is_set_aside_with_a_violation_that_says_so() {
    let rows = br#"[
        {"name": "plain", "enabled": true},
        {"name": "matching", "enabled": true, "rules": [{"key": "r", "when": {"attribute": "email", "op": "matches", "value": "@acme"}}]}
    ]"#;
    let set = FlagSet::from_json(rows).unwrap();
    let violations: Vec<String> = set.violations().iter().map(ToString::to_string).collect();
    let expected = "`/1/rules/0/when/value`: this build leaves regular expressions out, \
                    expected a build with the feature `regex`";
    assert_eq!(violations, [expected]);
    let context = Context::new("user-42").attribute("email", "x@acme.com");
    let now = Time::from_millis(0);
    assert!(set.is_enabled("plain", &context, now));
    assert_eq!(set.resolve("matching", &context, now).error_code().unwrap().as_str(), "PARSE_ERROR");
}
