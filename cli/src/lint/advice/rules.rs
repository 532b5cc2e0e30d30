//! Advice about rules and their conditions.

use esclusa::{BUCKETS, Time, Value, row};

use super::{Advice, Notes};
use crate::lint::Level;
use crate::lint::document::{Document, text};

pub(super) const ADVICE: &[Advice] = &[
    Advice {
        name: "unreachable-rule",
        level: Level::Warn,
        summary: "an earlier rule takes everybody whom this rule would take",
        page: "The first rule whose condition is true decides. The earlier one is always true, or has the same condition,\n\
               and lets everybody in. Put the narrower rule first.",
        check: Some(unreachable_rule),
    },
    Advice {
        name: "literal-regex",
        level: Level::Warn,
        summary: "`matches` holds an expression without anything but letters",
        page: "An expression without operators is a text: `contains`, `starts_with`, `ends_with` or `in` say the same, and are faster.",
        check: Some(literal_regex),
    },
];

fn unreachable_rule(document: &Document<'_>, _: Time, notes: &mut Notes) {
    for flag in &document.flags {
        let rules = flag.entries("rules");
        for (at, rule) in rules.iter().enumerate() {
            let is_wider = |earlier: &&Value<'_>| {
                let takes_all = earlier.get("rollout_percentage").or_else(|| earlier.get("rolloutPercentage"));
                let takes_all = takes_all.is_none_or(|share| share.is_null() || row::share(share) == Some(BUCKETS));
                let when = earlier.get("when");
                takes_all && (when.is_some_and(is_always) || (when.is_some() && when == rule.get("when")))
            };
            if let Some(earlier) = rules.iter().take(at).find(is_wider) {
                let name = text(earlier.get("key")).unwrap_or_default();
                let problem = format!("rule `{name}` before it takes everybody whom this rule would take");
                notes.flag(flag, flag.place_in("rules", at), problem);
            }
        }
    }
}

/// Whether a condition is true of everybody.
fn is_always(when: &Value<'_>) -> bool {
    when.get("all").and_then(Value::as_list).is_some_and(|parts| parts.iter().all(is_always))
}

fn literal_regex(document: &Document<'_>, _: Time, notes: &mut Notes) {
    document.conditions(&mut |flag, place, condition| {
        let is_matches = condition.get("op").and_then(Value::as_str) == Some("matches");
        let Some(written) = condition.get("value").and_then(Value::as_str).filter(|_| is_matches) else { return };
        let (start, end) = (written.starts_with('^'), written.ends_with('$'));
        let inner = written.trim_start_matches('^').trim_end_matches('$');
        if inner.is_empty() || inner.contains(|letter: char| r"\.+*?()|[]{}^$".contains(letter)) {
            return;
        }
        let operator = match (start, end) {
            (true, true) => "in",
            (true, false) => "starts_with",
            (false, true) => "ends_with",
            (false, false) => "contains",
        };
        let problem = format!("the expression is a plain text, expected `{operator}` with `{inner}`");
        match flag {
            Some(flag) => notes.flag(flag, format!("{place}/value"), problem),
            None => notes.other(format!("{place}/value"), problem),
        }
    });
}

#[cfg(test)]
mod tests {
    use crate::lint::advice::tests::fires;

    #[test]
    fn a_rule_after_one_for_everybody() {
        let two = |first: &str| {
            format!(
                r#"[{{"name": "a", "enabled": true, "rules": [{first}, {{"key": "beta", "when": {{"attribute": "beta", "op": "is", "value": true}}}}]}}]"#
            )
        };
        fires(
            "unreachable-rule",
            &["/0/rules/1: rule `all` before it takes everybody whom this rule would take"],
            &two(r#"{"key": "all", "when": {"all": []}}"#),
            &two(r#"{"key": "all", "when": {"all": []}, "rollout_percentage": 50}"#),
        );
        fires(
            "unreachable-rule",
            &["/0/rules/1: rule `same` before it takes everybody whom this rule would take"],
            &two(r#"{"key": "same", "when": {"attribute": "beta", "op": "is", "value": true}}"#),
            &two(r#"{"key": "other", "when": {"attribute": "beta", "op": "is", "value": false}}"#),
        );
    }

    #[test]
    fn an_expression_that_is_a_text() {
        let one = |expression: &str| {
            format!(
                r#"{{"esclusa": 1, "flags": [], "segments": [{{"key": "s", "when": {{"not": {{"attribute": "mail", "op": "matches", "value": "{expression}"}}}}}}]}}"#
            )
        };
        fires(
            "literal-regex",
            &["/segments/0/when/not/value: the expression is a plain text, expected `ends_with` with `@acme`"],
            &one("@acme$"),
            &one("@acme[.]com$"),
        );
    }
}
