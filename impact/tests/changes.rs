//! What differs between two documents, field by field and through others.
#![expect(clippy::unwrap_used, reason = "a test stops at what is wrong")]

use esclusa_impact::{Change, Document, Kind, changes};
use serde_json::{Value as Json, json};

fn differences(old: &Json, new: &Json) -> Vec<Change> {
    let [old, new] = [old, new].map(|document| Document::from_json(document.to_string().as_bytes()).unwrap());
    changes(&old, &new)
}

/// The changes of a document in lines: the kind, the key, the fields, and through what.
fn told(old: &Json, new: &Json) -> Vec<String> {
    let line = |change: Change| {
        let value =
            |value: &Option<esclusa::Value<'_>>| value.as_ref().map_or("nothing".to_owned(), ToString::to_string);
        let fields = change
            .fields
            .iter()
            .map(|field| format!(" {}: {} -> {}", field.field, value(&field.old), value(&field.new)));
        let through = change.through.iter().map(|through| format!(" through {through}"));
        let reshuffles = change.reshuffles.iter().map(|field| format!(" reshuffles by {field}"));
        let rest: String = fields.chain(through).chain(reshuffles).collect();
        format!("{} {}{rest}", change.kind.name(), change.key)
    };
    differences(old, new).into_iter().map(line).collect()
}

#[test]
fn fields_are_compared_by_what_they_mean() {
    let old = json!([
        {"name": "a", "enabled": true, "rollout_percentage": 10, "created_at": "2024"},
        {"key": "b", "name": "The second", "enabled": true, "targetPlans": ["X"], "salt": ""},
        {"name": "gone", "enabled": false},
        {"name": "same", "enabled": true, "target_roles": []},
    ]);
    let new = json!([
        {"rollout_percentage": 25, "name": "a", "enabled": true, "created_at": "2025", "end_date": "2026-01-01"},
        {"key": "b", "name": "The second", "enabled": true, "target_plans": ["X"]},
        {"name": "added", "enabled": true},
        {"name": "same", "target_roles": null, "enabled": true},
    ]);
    assert_eq!(
        told(&old, &new),
        [
            "changed a end_date: nothing -> \"2026-01-01\" rollout_percentage: 10 -> 25",
            "added added enabled: nothing -> true name: nothing -> \"added\"",
            "removed gone enabled: false -> nothing name: \"gone\" -> nothing",
        ]
    );
}

#[test]
fn flags_change_through_segments_and_prerequisites() {
    let document = |region: &str, enabled: bool| {
        json!({
            "esclusa": 1,
            "segments": [
                {"key": "latam", "when": {"attribute": "region", "op": "in", "values": [region]}},
                {"key": "wide", "when": {"any": [{"segment": "latam"}, {"attribute": "plan", "op": "present"}]}},
            ],
            "flags": [
                {"name": "base", "enabled": enabled},
                {"name": "above", "enabled": true, "prerequisites": [{"flag": "middle", "on": true}]},
                {"name": "middle", "enabled": true, "prerequisites": [{"flag": "base", "on": true}]},
                {"name": "ruled", "enabled": true, "rules": [{"key": "r", "when": {"not": {"segment": "wide"}}}]},
                {"name": "alone", "enabled": true},
            ],
        })
    };
    assert_eq!(told(&document("CO", true), &document("MX", true)), ["changed ruled through segment latam"]);
    assert_eq!(
        told(&document("CO", true), &document("CO", false)),
        ["changed above through base", "changed base enabled: true -> false", "changed middle through base"]
    );
    assert_eq!(told(&document("CO", true), &document("CO", true)), Vec::<String>::new());
}

#[test]
fn what_reshuffles_people_is_told() {
    let variants = |keys: [&str; 2]| keys.map(|key| json!({"key": key, "value": key}));
    let flag = |salt: &str, unit: &str, keys: [&str; 2]| json!([{"name": "f", "enabled": true, "salt": salt, "bucket_by": unit, "variants": variants(keys)}]);
    let base = flag("s", "user", ["a", "b"]);
    let reshuffles =
        |other: &Json| differences(&base, other).into_iter().flat_map(|change| change.reshuffles).collect::<Vec<_>>();
    assert_eq!(reshuffles(&flag("t", "user", ["a", "b"])), ["salt"]);
    assert_eq!(reshuffles(&flag("s", "company", ["b", "a"])), ["bucket_by", "variants"]);
    assert_eq!(reshuffles(&flag("s", "user", ["a", "c"])), [""; 0]);
    assert_eq!(Kind::Changed, differences(&base, &flag("s", "user", ["a", "c"])).remove(0).kind);
}
