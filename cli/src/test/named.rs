//! The values that tell callers of a flag apart: those that its definition names, and values beside them.

use std::collections::{BTreeMap, BTreeSet};

use esclusa::{BUCKETS, Bucket, Time, Value, row};

use super::flag::{Source, same};
use super::ranges::Ranges;
use super::samples::{addresses, regex_sample, texts, versions};

/// Up to this number of roles every combination is a value; above it, each role alone and all together.
const MAX_COMBINED_ROLES: usize = 4;

/// By attribute.
#[derive(Debug, Default)]
pub(super) struct Named {
    values: BTreeMap<String, Vec<Value<'static>>>,
    /// Texts that conditions on an attribute look for: at the start, inside, and at the end.
    parts: BTreeMap<String, [BTreeSet<String>; 3]>,
    times: BTreeMap<String, BTreeSet<Time>>,
    numbers: BTreeMap<String, Vec<f64>>,
    ranges: Ranges,
    seen: BTreeSet<String>,
}

impl Named {
    /// Those of a flag, its segments, and its prerequisites.
    pub(super) fn of(source: &Source, key: &str) -> Self {
        let mut named = Named::default();
        named.flag(source, key, false);
        named
    }

    /// The attributes with their values.
    pub(super) fn into_values(mut self) -> Vec<(String, Vec<Value<'static>>)> {
        for (unit, units) in std::mem::take(&mut self.ranges).units() {
            units.into_iter().for_each(|found| self.push(&unit, found.into()));
        }
        for (attribute, [starts, inside, ends]) in std::mem::take(&mut self.parts) {
            texts(&starts, &inside, &ends).for_each(|text| self.push(&attribute, text.into()));
        }
        for (attribute, times) in std::mem::take(&mut self.times) {
            // At each time, and a millisecond before and after it.
            for at in times.iter().flat_map(|time| [-1, 0, 1].map(|more| time.as_millis() + more)) {
                self.push(&attribute, at.into());
            }
        }
        for (attribute, numbers) in std::mem::take(&mut self.numbers) {
            let numbers = numbers_round(numbers).into_iter().filter_map(Value::number);
            numbers.for_each(|number| self.push(&attribute, number));
        }
        if let Some(roles) = self.values.get_mut("role") {
            *roles = combined(std::mem::take(roles));
        }
        self.values.into_iter().collect()
    }

    fn flag(&mut self, source: &Source, key: &str, is_prerequisite: bool) {
        if !self.seen.insert(format!("flag {key}")) {
            return;
        }
        let Some(definition) = source.definition(key) else { return };
        let (salt, unit) = (source.salt(key), source.unit(key));
        let share = |value: &Value<'static>| value.get("rollout_percentage").and_then(row::share);
        for (field, value) in definition.fields() {
            match field {
                "target_plans" => self.add("plan", value),
                "target_regions" => self.add("region", value),
                "target_companies" => self.add("company", value),
                "target_users" => self.add("user", value),
                "target_roles" => self.add("role", value),
                "overrides" => {
                    for side in ["on", "off"].iter().filter_map(|side| value.get(side)) {
                        side.get("users").into_iter().for_each(|ids| self.add("user", ids));
                        side.get("companies").into_iter().for_each(|ids| self.add("company", ids));
                    }
                }
                "prerequisites" => {
                    for one in value.as_list().unwrap_or_default() {
                        if let Some(flag) = one.get("flag").and_then(Value::as_str) {
                            self.flag(source, flag, true);
                        }
                    }
                }
                "rollout_percentage" => {
                    self.ranges.add(unit, salt, 0, row::share(value).unwrap_or(BUCKETS));
                }
                "schedule" => {
                    for to in value.as_list().unwrap_or_default().iter().filter_map(share) {
                        self.ranges.add(unit, salt, 0, to);
                    }
                }
                // Another flag may ask for one of them.
                "variants" if is_prerequisite => self.ranges.split(unit, &Bucket::variant_salt(salt), value),
                "variants" => self.ranges.add(unit, &Bucket::variant_salt(salt), 0, BUCKETS),
                "rules" => {
                    for rule in value.as_list().unwrap_or_default() {
                        let unit = rule.get("bucket_by").and_then(Value::as_str).unwrap_or(unit);
                        let key = rule.get("key").and_then(Value::as_str).unwrap_or_default();
                        if let Some(to) = share(rule) {
                            self.ranges.add(unit, &Bucket::rule_salt(salt, key), 0, to);
                        }
                        match rule.get("split") {
                            Some(split) if is_prerequisite => {
                                self.ranges.split(unit, &Bucket::variant_salt(salt), split);
                            }

                            Some(_) => self.ranges.add(unit, &Bucket::variant_salt(salt), 0, BUCKETS),
                            None => {}
                        }
                    }
                    self.conditions(source, value, salt);
                }
                _ => {}
            }
        }
    }

    fn conditions(&mut self, source: &Source, value: &Value<'static>, salt: &str) {
        match value {
            Value::List(values) => values.iter().for_each(|value| self.conditions(source, value, salt)),
            Value::Object(fields) => {
                let text = |name: &str| value.get(name).and_then(Value::as_str);
                if let Some(attribute) = text("attribute") {
                    self.comparison(attribute, text("op").unwrap_or_default(), value);
                }
                if let Some(segment) = text("segment")
                    && self.seen.insert(format!("segment {segment}"))
                    && let Some(segment) = source.document.segments().get(segment)
                {
                    self.conditions(source, segment, salt);
                }
                if let Some(range) = value.get("percentage") {
                    let share = |name: &str| range.get(name).and_then(row::share);
                    let unit = range.get("of").and_then(Value::as_str).unwrap_or("user");
                    let salt = range.get("salt").and_then(Value::as_str).unwrap_or(salt);
                    self.ranges.add(unit, salt, share("from").unwrap_or(0), share("to").unwrap_or(BUCKETS));
                }
                fields.iter().for_each(|(_, value)| self.conditions(source, value, salt));
            }
            _ => {}
        }
    }

    /// Values on both sides of what a comparison names.
    fn comparison(&mut self, attribute: &str, operator: &str, condition: &Value<'static>) {
        let own = condition.get("value").into_iter();
        let own = own.chain(condition.get("values").and_then(Value::as_list).unwrap_or_default());
        for value in own {
            let text = value.as_str().unwrap_or_default();
            match operator {
                "eq" | "lt" | "le" | "gt" | "ge" => {
                    self.numbers.entry(attribute.to_owned()).or_default().extend(value.as_f64());
                }
                "is" => [true, false].into_iter().for_each(|value| self.push(attribute, value.into())),
                "before" | "after" => self.times.entry(attribute.to_owned()).or_default().extend(Time::parse(text)),
                "in_cidr" => addresses(text).for_each(|address| self.push(attribute, address.into())),
                "matches" => {
                    if let Some(sample) = regex_sample(text) {
                        self.part(attribute, 1, sample);
                    }
                }
                "starts_with" => self.part(attribute, 0, text.to_owned()),
                "contains" => self.part(attribute, 1, text.to_owned()),
                "ends_with" => self.part(attribute, 2, text.to_owned()),
                operator if operator.starts_with("semver") => {
                    versions(text).for_each(|version| self.push(attribute, version.into()));
                }
                _ => self.push(attribute, value.clone()),
            }
        }
        self.push(attribute, other());
    }

    fn part(&mut self, attribute: &str, at: usize, text: String) {
        if let Some(parts) = self.parts.entry(attribute.to_owned()).or_default().get_mut(at) {
            parts.insert(text);
        }
    }

    fn add(&mut self, attribute: &str, values: &Value<'static>) {
        let values = values.as_list().unwrap_or_default();
        values.iter().for_each(|value| self.push(attribute, value.clone()));
        self.push(attribute, other());
    }

    fn push(&mut self, attribute: &str, value: Value<'static>) {
        let name = if same(attribute, "role") { "role" } else { attribute };
        let values = self.values.entry(name.to_owned()).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    }
}

/// A value that no definition names.
fn other() -> Value<'static> {
    "another value".into()
}

/// Each number, one between each two neighbours, and one beyond each end.
fn numbers_round(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    let between = numbers.iter().zip(numbers.iter().skip(1)).map(|(one, next)| f64::midpoint(*one, *next));
    let ends = numbers.first().map(|least| least - 1.0).into_iter().chain(numbers.last().map(|most| most + 1.0));
    let more: Vec<f64> = between.chain(ends).collect();
    numbers.extend(more);
    numbers
}

/// A caller may have several roles.
fn combined(roles: Vec<Value<'static>>) -> Vec<Value<'static>> {
    let several: Vec<Value<'static>> = if roles.len() <= MAX_COMBINED_ROLES {
        let subset = |bits: usize| {
            roles.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, role)| role.clone()).collect()
        };
        (0..1_usize << roles.len()).map(subset).filter(|subset: &Vec<_>| subset.len() > 1).map(Value::List).collect()
    } else {
        vec![Value::List(roles.clone())]
    };
    roles.into_iter().chain(several).collect()
}

#[cfg(test)]
mod tests {
    use esclusa::{Context, FlagSet, Time};
    use esclusa_impact::Document;

    use crate::test::flag::Source;

    /// Whether a flag is on for one of the callers that are asked.
    fn is_found(flag: &str) -> bool {
        let text = format!(
            r#"{{"esclusa": 1, "flags": [{flag},
                {{"name": "ab", "enabled": true, "variants": [{{"key": "a", "weight": 9}}, {{"key": "b", "weight": 1}}]}}]}}"#
        );
        let set = FlagSet::from_json(text.as_bytes()).unwrap();
        assert_eq!(set.violations(), [], "{flag}");
        let source = Source { name: String::new(), set, document: Document::from_json(text.as_bytes()).unwrap() };
        let cells = source.cells("f", &Context::default(), &[]).unwrap();
        let now = Time::parse("2026-06-01").unwrap();
        cells.iter().any(|cell| source.set.resolve("f", cell, now).is_enabled())
    }

    #[test]
    fn one_caller_is_let_in_whatever_a_flag_asks_for() {
        let rule = |when: &str| {
            format!(r#"{{"name": "f", "enabled": true, "rules": [{{"key": "r", "when": {{"all": [{when}]}}}}]}}"#)
        };
        let is = |attribute: &str, op: &str, value: &str| {
            let name = if matches!(op, "in" | "contains" | "starts_with" | "ends_with" | "in_cidr") {
                "values"
            } else {
                "value"
            };
            let value = if name == "values" { format!("[{value}]") } else { value.to_owned() };
            format!(r#"{{"attribute": "{attribute}", "op": "{op}", "{name}": {value}}}"#)
        };
        let not = |condition: String| format!(r#"{{"not": {condition}}}"#);
        let percentage = |salt: &str, from: u32, to: u32| {
            format!(r#"{{"percentage": {{"of": "user", "salt": "{salt}", "from": {from}, "to": {to}}}}}"#)
        };
        for conditions in [
            vec![is("mail", "matches", r#""^[a-z]+@acme[.](com|org)$""#)],
            vec![
                is("mail", "starts_with", r#""a-""#),
                is("mail", "contains", r#""@""#),
                is("mail", "ends_with", r#"".org""#),
            ],
            vec![is("ip", "in_cidr", r#""10.0.0.0/8""#), not(is("ip", "in_cidr", r#""10.0.0.0/16""#))],
            vec![is("ip", "in_cidr", r#""2001:db8::/32""#)],
            vec![is("role", "in", r#""A""#), is("role", "in", r#""B""#), not(is("role", "in", r#""C""#))],
            vec![is("born", "after", r#""2000-01-01""#), is("born", "before", r#""2000-01-02""#)],
            vec![is("version", "semver_ge", r#""2.3.0""#), is("version", "semver_lt", r#""2.3.1""#)],
            vec![is("version", "semver_lt", r#""2.3.0""#), is("version", "semver_gt", r#""2.2.0""#)],
            vec![is("seats", "gt", "10"), is("seats", "lt", "11")],
            vec![percentage("x", 0, 1), percentage("y", 0, 2)],
            vec![percentage("x", 50, 51), not(percentage("y", 0, 99))],
            vec![percentage("x", 0, 3), is("user", "matches", r#""^test""#)],
        ] {
            let flag = rule(&conditions.join(", "));
            assert!(is_found(&flag), "{flag}");
        }
        for flag in [
            r#"{"name": "f", "enabled": true, "rollout_percentage": 0.001}"#,
            r#"{"name": "f", "enabled": true, "rollout_percentage": 2, "rules": [{"key": "r", "when": {"all": []}, "rollout_percentage": 3}]}"#,
            r#"{"name": "f", "enabled": true, "bucket_by": "team", "variants": [{"key": "x", "weight": 1}, {"key": "y", "weight": 1}]}"#,
            r#"{"name": "f", "enabled": true, "rollout_percentage": 5, "prerequisites": [{"flag": "ab", "variants": ["b"]}]}"#,
            r#"{"name": "f", "enabled": true, "schedule": [{"at": "2026-01-01", "rollout_percentage": 1}], "rollout_percentage": 0}"#,
        ] {
            assert!(is_found(flag), "{flag}");
        }
        let never = rule(&[is("seats", "gt", "10"), is("seats", "lt", "9")].join(", "));
        assert!(!is_found(&never), "no number lies between them");
    }
}
