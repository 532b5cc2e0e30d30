//! Advice about a flag as such: who is in, its variants, its name, and what it depends on.

use esclusa::{Time, Value};

use super::{Advice, Notes};
use crate::lint::Level;
use crate::lint::document::{Document, text};

pub(super) const ADVICE: &[Advice] = &[
    Advice {
        name: "empty-audience",
        level: Level::Warn,
        summary: "the flag is switched on and lets nobody in",
        page: "Its share is 0, and neither a rule nor an override nor a schedule lets anybody in. Switch it off, or give it a share.",
        check: Some(empty_audience),
    },
    Advice {
        name: "weightless-variant",
        level: Level::Warn,
        summary: "a variant has the weight 0, and no rule serves it",
        page: "Nobody gets it. Give it a weight, name it in a rule, or leave it out.",
        check: Some(weightless_variant),
    },
    Advice {
        name: "client-with-rules",
        level: Level::Warn,
        summary: "a flag for browsers has rules, prerequisites, overrides, or lists of users or companies",
        page: "A browser must not see these, so the server sends the flag as it is decided for the caller at that time (10.5).\n\
               A window or a share that begins later takes effect with the next snapshot only. Leave these out to have it decided in the browser.",
        check: Some(client_with_rules),
    },
    Advice {
        name: "dead-prerequisite",
        level: Level::Warn,
        summary: "the flag waits for another flag that is off for everybody",
        page: "The other flag is switched off, so this one is off for everybody too.",
        check: Some(dead_prerequisite),
    },
    Advice {
        name: "name-style",
        level: Level::Warn,
        summary: "the key is written in another style than most",
        page: "Keys in one style are easier to find. The style of most keys, such as snake_case, is the one that is expected.\n\
               A new key makes a new salt: write `salt` with the old key to keep everybody where they are.",
        check: Some(name_style),
    },
    Advice {
        name: "no-description",
        level: Level::Allow,
        summary: "the flag has no description",
        page: "A sentence in `description` tells the next reader what the flag is for.",
        check: Some(no_description),
    },
];

fn empty_audience(document: &Document<'_>, _: Time, notes: &mut Notes) {
    for flag in document.flags.iter().filter(|flag| flag.is_switched_on()) {
        if flag.share() == 0 && !["rules", "overrides", "schedule"].iter().any(|field| flag.has(field)) {
            let problem = "the flag is switched on for 0 % of everybody, expected a share above 0 or a rule".to_owned();
            notes.flag(flag, flag.place_of("rollout_percentage"), problem);
        }
    }
}

fn weightless_variant(document: &Document<'_>, _: Time, notes: &mut Notes) {
    for flag in &document.flags {
        let is_served = |key: &str| {
            flag.entries("rules").iter().any(|rule| {
                let split = rule.get("split").and_then(Value::as_list).unwrap_or_default();
                let in_split = split.iter().any(|part| text(part.get("variant")).as_deref() == Some(key));
                in_split || text(rule.get("variant")).as_deref() == Some(key)
            })
        };
        for (at, variant) in flag.entries("variants").iter().enumerate() {
            let Some(key) = text(variant.get("key")) else { continue };
            if variant.get("weight").and_then(Value::as_f64) == Some(0.0) && !is_served(&key) {
                let problem = format!("variant `{key}` has the weight 0 and no rule serves it");
                notes.flag(flag, format!("{}/weight", flag.place_in("variants", at)), problem);
            }
        }
    }
}

/// What keeps a flag from being sent as it is defined (10.4).
const BROWSERLESS: [&str; 5] = ["rules", "prerequisites", "overrides", "target_companies", "target_users"];

fn client_with_rules(document: &Document<'_>, _: Time, notes: &mut Notes) {
    for flag in document.flags.iter().filter(|flag| flag.get("client").and_then(Value::as_bool) == Some(true)) {
        if let Some(field) = BROWSERLESS.into_iter().find(|field| flag.has(field)) {
            let problem = format!("a flag with `{field}` is decided on the server, though it says `client`");
            notes.flag(flag, flag.place_of(field), problem);
        }
    }
}

fn dead_prerequisite(document: &Document<'_>, _: Time, notes: &mut Notes) {
    let flags = document.by_key();
    for flag in document.flags.iter().filter(|flag| flag.is_switched_on()) {
        for (at, prerequisite) in flag.entries("prerequisites").iter().enumerate() {
            let wants_off = prerequisite.get("on").and_then(Value::as_bool) == Some(false);
            let Some(key) = text(prerequisite.get("flag")).filter(|_| !wants_off) else { continue };
            if flags.get(key.as_ref()).is_some_and(|other| !other.is_switched_on()) {
                let problem = format!("`{key}` is off for everybody, so this flag is too");
                notes.flag(flag, format!("{}/flag", flag.place_in("prerequisites", at)), problem);
            }
        }
    }
}

/// How the words of a key are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Snake,
    Kebab,
    Camel,
    /// One small word fits every style.
    Any,
    Other,
}

impl Style {
    fn of(key: &str) -> Self {
        let has = |test: fn(char) -> bool| key.chars().any(test);
        let (upper, under, dash) = (has(char::is_uppercase), key.contains('_'), key.contains('-'));
        match (upper, under, dash) {
            _ if has(|letter| !letter.is_alphanumeric() && !matches!(letter, '_' | '-' | '.' | '/' | ':')) => {
                Style::Other
            }
            (false, false, false) => Style::Any,
            (false, true, false) => Style::Snake,
            (false, false, true) => Style::Kebab,
            (true, false, false) if key.starts_with(char::is_lowercase) => Style::Camel,
            _ => Style::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Style::Snake => "snake_case",
            Style::Kebab => "kebab-case",
            Style::Camel => "camelCase",
            Style::Any | Style::Other => "one style",
        }
    }
}

fn name_style(document: &Document<'_>, _: Time, notes: &mut Notes) {
    let styles: Vec<Style> = document.flags.iter().map(|flag| Style::of(&flag.key)).collect();
    let count = |style: Style| styles.iter().filter(|one| **one == style).count();
    let named = [Style::Snake, Style::Kebab, Style::Camel].into_iter();
    let Some(most) = named.max_by_key(|style| count(*style)) else { return };
    // Two of one style are no habit.
    if count(most) < 3 {
        return;
    }
    for (flag, _) in document.flags.iter().zip(&styles).filter(|(_, style)| **style != most && **style != Style::Any) {
        let problem = format!("`{}` is not in {}, in which {} other keys are", flag.key, most.name(), count(most));
        let field = if flag.get("key").is_some() { "key" } else { "name" };
        notes.flag(flag, flag.place_of(field), problem);
    }
}

fn no_description(document: &Document<'_>, _: Time, notes: &mut Notes) {
    for flag in document.flags.iter().filter(|flag| !flag.has("description")) {
        notes.flag(flag, flag.place(), "the flag has no description".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::advice::tests::fires;

    #[test]
    fn a_flag_that_lets_nobody_in() {
        fires(
            "empty-audience",
            &[
                "/0/rollout_percentage: the flag is switched on for 0 % of everybody, expected a share above 0 or a rule",
            ],
            r#"[{"name": "a", "enabled": true, "rollout_percentage": "0"}]"#,
            r#"[{"name": "a", "enabled": true, "rollout_percentage": 0, "overrides": {"on": {"users": ["ana"]}}}, {"name": "b", "enabled": true}]"#,
        );
    }

    #[test]
    fn a_variant_without_weight() {
        let one = |rules: &str| {
            format!(
                r#"[{{"name": "a", "enabled": true, "variants": [{{"key": "x", "weight": 1}}, {{"key": "y", "weight": 0}}]{rules}}}]"#
            )
        };
        let rule = r#", "rules": [{"key": "r", "when": {"all": []}, "split": [{"variant": "y", "weight": 1}]}]"#;
        let found = ["/0/variants/1/weight: variant `y` has the weight 0 and no rule serves it"];
        fires("weightless-variant", &found, &one(""), &one(rule));
    }

    #[test]
    fn a_flag_for_browsers_with_rules() {
        fires(
            "client-with-rules",
            &["/0/overrides: a flag with `overrides` is decided on the server, though it says `client`"],
            r#"[{"name": "a", "client": true, "overrides": {"off": {"users": ["x"]}}}]"#,
            r#"[{"name": "a", "client": true, "overrides": {}}, {"name": "b", "overrides": {"off": {"users": ["x"]}}}]"#,
        );
    }

    #[test]
    fn a_prerequisite_that_is_off() {
        let one = |on: bool| {
            format!(
                r#"[{{"name": "a", "enabled": true, "prerequisites": [{{"flag": "b", "on": true}}]}}, {{"name": "b", "enabled": {on}}}]"#
            )
        };
        let found = ["/0/prerequisites/0/flag: `b` is off for everybody, so this flag is too"];
        fires("dead-prerequisite", &found, &one(false), &one(true));
    }

    #[test]
    fn a_key_in_another_style() {
        fires(
            "name-style",
            &["/3/name: `new-inbox` is not in snake_case, in which 3 other keys are"],
            r#"[{"name": "a_b"}, {"name": "c_d"}, {"name": "e_f"}, {"name": "new-inbox"}, {"name": "billing"}]"#,
            r#"[{"name": "a_b"}, {"name": "c_d"}, {"name": "new-inbox"}]"#,
        );
    }

    #[test]
    fn a_flag_without_description() {
        fires(
            "no-description",
            &["/0: the flag has no description"],
            r#"[{"name": "a"}]"#,
            r#"[{"name": "a", "description": "The new inbox."}]"#,
        );
    }
}
