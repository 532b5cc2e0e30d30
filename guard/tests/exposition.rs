//! The numbers for Prometheus: what they say, and that the dashboard of the examples asks for nothing else.
#![cfg(feature = "prometheus")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "a test stops at what is wrong, and counts a few users"
)]

use std::collections::BTreeSet;

use esclusa::{Context, FlagSet, Flags};
use esclusa_guard::{Guards, Outcome};

fn watched() -> (Flags, Guards) {
    let flags = Flags::new();
    let rows = r#"[{"name": "crm", "enabled": true, "rollout_percentage": 20, "guard": {"event": "check\"out", "errors": {}}},
        {"name": "quiet", "enabled": true, "rollout_percentage": 50, "guard": {"slow": {"above_ms": 3000}}}]"#;
    assert!(flags.publish(FlagSet::from_json(rows.as_bytes()).unwrap()).is_published());
    let guards = Guards::new(&flags);
    (flags, guards)
}

/// The value of a series, by how its line begins.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("there is no {series} in\n{text}")).parse().unwrap()
}

#[test]
fn outcomes_units_evidence_and_trips_are_counted_and_no_caller_is_named() {
    let (flags, guards) = watched();
    let users: Vec<_> = (0..500).map(|user| Context::new(format!("user-{user}"))).collect();
    let (on, off): (Vec<_>, Vec<_>) = users.iter().partition(|user| flags.is_enabled("crm", user));
    for user in &on {
        guards.track("check\"out", user, Outcome::error().lasted_ms(30.0));
    }
    for user in &off {
        guards.track("check\"out", user, Outcome::ok().lasted_ms(20_000.0));
    }
    guards.track("nothing", users.first().unwrap(), Outcome::ok());
    guards.drop_outcome("check\"out");
    let before = guards.exposition();
    assert_eq!(value(&before, r#"esclusa_guard_trips_total{flag="crm",metric="errors"}"#), 0.0);
    assert_eq!(guards.tick().len(), 1);

    let text = guards.exposition();
    let (on, off) = (on.len() as f64, off.len() as f64);
    let of = |name: &str, rest: &str| value(&text, &format!("{name}{{flag=\"crm\",event=\"check\\\"out\",{rest}}}"));
    assert_eq!(of("esclusa_outcomes_total", r#"arm="on",outcome="error""#), on);
    assert_eq!(of("esclusa_outcomes_total", r#"arm="on",outcome="ok""#), 0.0);
    assert_eq!(of("esclusa_outcomes_total", r#"arm="off",outcome="ok""#), off);
    // An event that trips a guard is the last one that it counts.
    assert!(of("esclusa_units", r#"arm="on""#) >= 5.0);
    let seconds = "esclusa_outcome_duration_seconds";
    assert_eq!(value(&text, &format!(r#"{seconds}_bucket{{le="0.05",flag="crm",event="check\"out",arm="on"}}"#)), on);
    assert_eq!(value(&text, &format!(r#"{seconds}_bucket{{le="0.025",flag="crm",event="check\"out",arm="on"}}"#)), 0.0);
    assert_eq!(value(&text, &format!(r#"{seconds}_bucket{{le="10.0",flag="crm",event="check\"out",arm="off"}}"#)), 0.0);
    assert_eq!(value(&text, &format!(r#"{seconds}_bucket{{le="+Inf",flag="crm",event="check\"out",arm="off"}}"#)), off);
    assert!((of(&format!("{seconds}_sum"), r#"arm="on""#) - 0.03 * on).abs() < 1e-6);
    assert_eq!(value(&text, r#"esclusa_guard_state{flag="crm",state="tripped"}"#), 1.0);
    assert_eq!(value(&text, r#"esclusa_guard_state{flag="crm",state="healthy"}"#), 0.0);
    assert_eq!(value(&text, r#"esclusa_guard_state{flag="quiet",state="waiting"}"#), 1.0);
    assert!(value(&text, r#"esclusa_guard_evidence_ratio{flag="crm",metric="errors"}"#) >= 1.0);
    assert!(value(&text, r#"esclusa_bad_units{flag="crm",metric="errors",arm="on"}"#) >= 5.0);
    assert_eq!(value(&text, r#"esclusa_guard_trips_total{flag="crm",metric="errors"}"#), 1.0);
    assert_eq!(value(&text, r#"esclusa_dropped_total{reason="lost"}"#), 1.0);
    assert_eq!(value(&text, r#"esclusa_dropped_total{reason="unwatched"}"#), 1.0);
    assert!(!text.contains("user-"), "no label holds a caller");
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn every_series_of_the_dashboard_exists() {
    let (_, guards) = watched();
    let text = guards.exposition();
    let given: BTreeSet<&str> = text.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
    let dashboard = include_str!("../../examples/grafana/guards.json");
    let dashboard: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    let mut queries = Vec::new();
    texts(&dashboard, &mut queries);
    let word = |character: char| !character.is_ascii_alphanumeric() && character != '_';
    let asked: BTreeSet<&str> =
        queries.iter().flat_map(|query| query.split(word)).filter(|word| word.starts_with("esclusa_")).collect();
    assert!(asked.len() >= 8, "{asked:?}");
    let missing: Vec<_> = asked.difference(&given).collect();
    assert!(missing.is_empty(), "{missing:?} of the dashboard are not in\n{text}");
}

fn texts(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        serde_json::Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}
