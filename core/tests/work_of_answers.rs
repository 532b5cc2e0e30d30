//! Work per byte of what is asked: an answer, an explanation, and layers cost time in proportion to what they read.

mod budget;

use std::fmt::Write;
use std::time::Duration;

use budget::{alone, fastest, quoted, rows, within_budget};
use esclusa::sync::layered;
use esclusa::{Context, ErrorCode, FlagSet, Time};

#[test]
fn one_answer_has_a_budget() {
    let _alone = alone();
    // Unknown stops nothing: a caller without attributes is the dearest.
    let parts = vec![r#"{"attribute":"a","op":"eq","value":1}"#; 1_022].join(",");
    let rules = |count: usize| {
        let rules: Vec<String> =
            (0..count).map(|at| format!(r#"{{"key":"r{at}","when":{{"segment":"s"}}}}"#)).collect();
        rules.join(",")
    };
    let doublings: String = (1..=11).fold(String::new(), |mut text, at| {
        let other = at - 1;
        let twice = format!(r#"{{"flag":"f{other}","on":false}},{{"flag":"f{other}","on":false}}"#);
        let _ = write!(text, r#",{{"name":"f{at}","enabled":true,"prerequisites":[{twice}]}}"#);
        text
    });
    for (count, others) in [(10_000, ""), (1_000, doublings.as_str())] {
        let snapshot = format!(
            r#"{{"esclusa":1,"segments":[{{"key":"s","when":{{"any":[{parts}]}}}}],"flags":[{{"name":"f0","enabled":true,"rules":[{}]}}{others}]}}"#,
            rules(count)
        );
        let set = FlagSet::from_json(snapshot.as_bytes()).unwrap();
        for key in ["f0", "f1", "f5", "f11"] {
            let (took, _) = fastest(|| set.resolve(key, &Context::default(), Time::from_millis(0)).is_enabled());
            println!("{count} rules, {key}: {took:?}");
            assert!(took < Duration::from_millis(60), "{key} took {took:?}");
        }
    }
}

#[test]
fn a_caller_s_text_costs_its_length() {
    let _alone = alone();
    let networks = quoted((0..10_000).map(|at| format!("10.{}.{}.{}/32", at / 5_000, at / 50 % 100, at % 50 * 5)));
    let when = format!(r#"{{"attribute":"ip","op":"in_cidr","values":[{networks}]}}"#);
    let set = FlagSet::from_json(
        format!(r#"[{{"name":"f","enabled":true,"rules":[{{"key":"r","when":{when}}}]}}]"#).as_bytes(),
    );
    let set = set.unwrap();
    assert!(set.violations().is_empty(), "{:?}", set.violations());
    let (took, ()) = fastest(|| {
        for (ip, expected) in [("10.1.99.245", true), ("::ffff:10.0.7.5", true), ("10.1.99.246", false), ("::1", false)]
        {
            let context = Context::default().attribute("ip", ip);
            for _ in 0..1_000 {
                assert_eq!(set.resolve("f", &context, Time::from_millis(0)).is_enabled(), expected, "{ip}");
            }
        }
    });
    assert!(took < Duration::from_millis(40), "4,000 looks among 10,000 networks took {took:?}");
    let text = "ab".repeat(5_000);
    for op in ["in", "contains", "starts_with", "ends_with"] {
        for ignore_case in [false, true] {
            for (what, value) in [
                ("that are found late", &(|at: usize| format!("{}{at}", "ab".repeat(500))) as &dyn Fn(usize) -> String),
                ("that share a beginning", &|at| format!("abababab{at}")),
                ("of one letter", &|at| format!("a{at}")),
                ("in capitals", &|at| format!("ABABABAB{at}Ñ")),
            ] {
                let count = 1_000;
                let values = quoted((0..count).map(value));
                let snapshot = format!(
                    r#"[{{"name":"f","enabled":true,"rules":[{{"key":"r","when":{{"attribute":"a","op":"{op}","ignore_case":{ignore_case},"values":[{values}]}}}}]}}]"#
                );
                let set = FlagSet::from_json(snapshot.as_bytes()).unwrap();
                assert!(set.violations().is_empty());
                let context = Context::default().attribute("a", text.as_str());
                let (took, on) = fastest(|| set.resolve("f", &context, Time::from_millis(0)).is_enabled());
                assert!(!on);
                println!("{op}, ignore_case {ignore_case}, {count} values {what}: {took:?}");
                assert!(took < Duration::from_millis(20), "{op} {what}: {took:?}");
            }
        }
    }
}

#[test]
fn many_conditions_over_a_large_value_have_a_budget() {
    let _alone = alone();
    let set = |count: usize, operands: &str| {
        let rule = |at: usize| format!(r#"{{"key":"r{at}","when":{{"attribute":"a",{operands}}}}}"#);
        let rules: Vec<String> = (0..count).map(rule).collect();
        let snapshot = format!(r#"[{{"name":"f","enabled":true,"rules":[{}]}}]"#, rules.join(","));
        let set = FlagSet::from_json(snapshot.as_bytes()).unwrap();
        assert!(set.violations().is_empty(), "{:?}", set.violations());
        set
    };
    let now = Time::from_millis(0);
    for operands in [
        r#""op":"in","ignore_case":true,"values":["Ñ","b"]"#,
        r#""op":"contains","ignore_case":true,"values":["Ñ","b"]"#,
        r#""op":"ends_with","values":["b","cb"]"#,
        r#""op":"matches","value":"(a|b)*c(a|b){9}$""#,
        r#""op":"in_cidr","values":["10.0.0.0/8"]"#,
        r#""op":"before","value":"2020-01-01T00:00:00Z""#,
        r#""op":"semver_lt","value":"1.2.3""#,
    ] {
        let heavy = set(5_000, operands);
        // 5,000 parts, and 16 for the list: elements of 17 and one text that fills the rest.
        let elements = |last: usize| {
            let texts = std::iter::repeat_n(1, 1_000).chain([last]).map(|len| esclusa::Value::from("a".repeat(len)));
            Context::default().attribute("a", texts.collect::<Vec<_>>())
        };
        for context in [elements(20_000 - 17_032), Context::default().attribute("a", "a".repeat(19_984))] {
            let (took, answer) = fastest(|| heavy.resolve("f", &context, now));
            println!("{operands}: {took:?}");
            assert_eq!(answer.error_code(), None);
            assert!(took < Duration::from_secs(2), "{operands} took {took:?}");
        }
        for context in [elements(20_000 - 17_031), Context::default().attribute("a", "a".repeat(19_985))] {
            let (took, answer) = fastest(|| heavy.resolve("f", &context, now));
            assert_eq!(answer.error_code(), Some(ErrorCode::InvalidContext));
            assert!(took < Duration::from_millis(1), "{operands} took {took:?}");
        }
    }
    let (heavy, large) = (set(5_000, r#""op":"present""#), Context::default().attribute("a", "a".repeat(20_000)));
    let explained = heavy.explain("f", &large, now);
    assert_eq!(
        explained.first_no().map(esclusa::Step::sentence),
        Some("its conditions have 5000 parts and the largest value of the context has size 20016: too much work")
    );
    // Few conditions look at values of any size.
    let large = Context::default().attribute("a", "a".repeat(1_000_000));
    let few = |count: usize| set(count, r#""op":"present""#).resolve("f", &large, now).error_code();
    assert_eq!((few(1_000), few(1_001)), (None, Some(ErrorCode::InvalidContext)));
}

#[test]
fn an_explanation_is_no_longer_than_what_it_explains() {
    let _alone = alone();
    let times = |count: usize, part: &str| vec![part; count].join(",");
    let mut segments =
        vec![format!(r#"{{"key":"s0","when":{{"any":[{}]}}}}"#, times(10, r#"{"attribute":"a","op":"eq","value":1}"#))];
    for at in 1..4 {
        let below = format!(r#"{{"segment":"s{}"}}"#, at - 1);
        segments.push(format!(r#"{{"key":"s{at}","when":{{"any":[{}]}}}}"#, times(10, &below)));
    }
    let mut flags = vec![r#"{"name":"f0","enabled":true,"rules":[{"key":"r","when":{"segment":"s3"}}]}"#.to_owned()];
    for at in 1..4 {
        let below = times(2, &format!(r#"{{"flag":"f{}","on":false}}"#, at - 1));
        flags.push(format!(r#"{{"name":"f{at}","enabled":true,"prerequisites":[{below}]}}"#));
    }
    let snapshot = format!(r#"{{"esclusa":1,"segments":[{}],"flags":[{}]}}"#, segments.join(","), flags.join(","));
    let set = FlagSet::from_json(snapshot.as_bytes()).unwrap();
    assert!(set.violations().is_empty(), "{:?}", set.violations());
    for key in ["f0", "f1", "f3"] {
        let explained = set.explain(key, &Context::default(), Time::from_millis(0));
        assert_eq!(explained.resolution(), set.resolve(key, &Context::default(), Time::from_millis(0)));
        let steps = explained.to_string().lines().count();
        assert!(steps < 100, "{key}: {steps} steps");
        // Everything is written once: the comparison at the bottom too, with each of its ten places.
        assert_eq!(explained.to_string().matches("a (missing)").count(), 10, "{explained}");
    }
}

#[test]
fn switches_over_flags_are_laid_in_linear_time() {
    let _alone = alone();
    let count = 20_000;
    let store = rows(count, |at| format!(r#"{{"name":"flag-{at}","enabled":true}}"#));
    let switches = |key: &dyn Fn(usize) -> String| {
        let flags = rows(count, |at| format!(r#"{{"name":"{}","enabled":false}}"#, key(at)));
        format!(r#"{{"esclusa":1,"layer":"switches","flags":{flags}}}"#)
    };
    let met = switches(&|at| format!("FLAG_{at}"));
    let with_affixes = switches(&|at| format!("feature_flag_{at}_enabled"));
    let unmet = switches(&|at| format!("other_{at}_flag"));
    for (what, upper) in [("that meet flags", &met), ("with affixes", &with_affixes), ("that meet none", &unmet)] {
        let (took, whole) = fastest(|| layered(&[Some(upper.as_bytes()), Some(store.as_bytes())]).unwrap().unwrap());
        let off = String::from_utf8(whole).unwrap().matches(r#""enabled":false"#).count();
        assert_eq!(off, count);
        within_budget(&format!("switches {what}"), upper.len() + store.len(), took);
    }
}
