//! Conditions, read and decided in the simplest way (sections 4 and 5 of SEMANTICS.md), for the demo's expectations.
//!
//! It uses nothing of the engine. It has only the operators of the example rows, and refuses a condition with any other
//! instead of guessing.

use std::cmp::Ordering;

use esclusa::{Time, Value};

use super::population::Person;

pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Comparison { attribute: String, operator: Operator },
}

pub(super) enum Operator {
    Present,
    Is(bool),
    Text(fn(&str, &str) -> bool, Vec<String>),
    Number(fn(Ordering) -> bool, f64),
    Version(fn(Ordering) -> bool, [u64; 3]),
    Time(fn(Ordering) -> bool, Time),
}

impl Condition {
    /// Reads a condition that the engine has accepted.
    pub(super) fn read(value: &Value<'_>) -> Result<Self, String> {
        let parts = |name: &str| value.get(name).and_then(Value::as_list);
        if let Some(parts) = parts("all") {
            return Ok(Condition::All(parts.iter().map(Condition::read).collect::<Result<_, _>>()?));
        }
        if let Some(parts) = parts("any") {
            return Ok(Condition::Any(parts.iter().map(Condition::read).collect::<Result<_, _>>()?));
        }
        if let Some(part) = value.get("not") {
            return Ok(Condition::Not(Box::new(Condition::read(part)?)));
        }
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        match (text("attribute"), text("op")) {
            (Some(attribute), Some(name)) => {
                Ok(Condition::Comparison { attribute: attribute.to_owned(), operator: Operator::read(name, value)? })
            }
            _ => Err(format!("the condition {value}")),
        }
    }

    /// True, false, or unknown as `None`.
    pub(super) fn truth(&self, person: &Person<'_>) -> Option<bool> {
        match self {
            Condition::All(parts) => joined(parts, person, false),
            Condition::Any(parts) => joined(parts, person, true),
            Condition::Not(part) => part.truth(person).map(|truth| !truth),
            Condition::Comparison { attribute, operator } => operator.truth(&person.value(attribute)),
        }
    }
}

/// One part that is `decisive` decides, else one that is unknown does.
fn joined(parts: &[Condition], person: &Person<'_>, decisive: bool) -> Option<bool> {
    let truths: Vec<Option<bool>> = parts.iter().map(|part| part.truth(person)).collect();
    if truths.contains(&Some(decisive)) {
        Some(decisive)
    } else if truths.contains(&None) {
        None
    } else {
        Some(!decisive)
    }
}

impl Operator {
    fn read(name: &str, fields: &Value<'_>) -> Result<Self, String> {
        let unforeseen = || format!("the comparison {fields}");
        let (family, relation) = name.strip_prefix("semver_").map_or(("", name), |relation| ("semver", relation));
        let relation: Option<fn(Ordering) -> bool> = match relation {
            "eq" => Some(Ordering::is_eq),
            "lt" | "before" => Some(Ordering::is_lt),
            "le" => Some(Ordering::is_le),
            "gt" | "after" => Some(Ordering::is_gt),
            "ge" => Some(Ordering::is_ge),
            _ => None,
        };
        let value = fields.get("value");
        let text = value.and_then(Value::as_str);
        let operator = match (name, relation) {
            ("present", _) => Some(Operator::Present),
            ("is", _) => value.and_then(Value::as_bool).map(Operator::Is),
            ("before" | "after", Some(relation)) => {
                text.and_then(Time::parse).map(|time| Operator::Time(relation, time))
            }
            (_, Some(relation)) if family == "semver" => {
                text.and_then(version).map(|version| Operator::Version(relation, version))
            }
            (_, Some(relation)) => value.and_then(Value::as_f64).map(|number| Operator::Number(relation, number)),
            _ if fields.get("ignore_case").is_some() => None,
            ("in", _) => Some(Operator::Text(|text, wanted| text == wanted, texts(fields))),
            ("starts_with", _) => Some(Operator::Text(|text, wanted| text.starts_with(wanted), texts(fields))),
            ("ends_with", _) => Some(Operator::Text(|text, wanted| text.ends_with(wanted), texts(fields))),
            _ => None,
        };
        operator.ok_or_else(unforeseen)
    }

    fn truth(&self, value: &Value<'_>) -> Option<bool> {
        match self {
            Operator::Present => Some(!value.is_null()),
            Operator::Is(wanted) => value.as_bool().map(|is| is == *wanted),
            Operator::Text(fits, wanted) => value.as_str().map(|text| wanted.iter().any(|wanted| fits(text, wanted))),
            Operator::Number(relation, wanted) => {
                value.as_f64().and_then(|number| number.partial_cmp(wanted).map(relation))
            }
            Operator::Version(relation, wanted) => {
                let text = value.as_str()?;
                let (core, pre_release) = text.split_once('-').map_or((text, false), |(core, _)| (core, true));
                // A pre-release comes before the version itself.
                let order = version(core)?.cmp(wanted);
                Some(relation(if pre_release { order.then(Ordering::Less) } else { order }))
            }
            Operator::Time(relation, wanted) => {
                let time = value.as_i64().map(Time::from_millis).or_else(|| value.as_str().and_then(Time::parse))?;
                Some(relation(time.cmp(wanted)))
            }
        }
    }
}

fn texts(fields: &Value<'_>) -> Vec<String> {
    let values = fields.get("values").and_then(Value::as_list).unwrap_or_default();
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `1.2.3`; the demo does not read a wanted version with a pre-release.
fn version(text: &str) -> Option<[u64; 3]> {
    let parts: Vec<u64> = text.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    parts.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::population::Population;

    #[test]
    fn conditions_are_true_false_or_unknown() {
        let population = Population::generate(1, 1);
        let person = population.person(0).unwrap();
        let truth = |json: &str| Condition::read(&Value::from_json(json.as_bytes()).unwrap()).unwrap().truth(&person);
        let missing = r#"{"attribute": "nothing", "op": "in", "values": ["x"]}"#;
        assert_eq!(truth(r#"{"attribute": "role", "op": "in", "values": ["OWNER"]}"#), Some(true));
        assert_eq!(truth(r#"{"attribute": "seats", "op": "lt", "value": 1}"#), Some(false));
        assert_eq!(truth(missing), None);
        assert_eq!(truth(&format!(r#"{{"not": {missing}}}"#)), None);
        assert_eq!(truth(&format!(r#"{{"any": [{missing}, {{"attribute": "role", "op": "present"}}]}}"#)), Some(true));
        assert_eq!(truth(&format!(r#"{{"all": [{missing}, {{"attribute": "role", "op": "present"}}]}}"#)), None);
    }

    #[test]
    fn a_pre_release_comes_before_its_version() {
        let operator = Operator::read("semver_ge", &Value::from_json(br#"{"value": "4.0.0"}"#).unwrap()).ok().unwrap();
        let truths = ["4.0.0-rc.1", "4.0.0", "3.9.9", "4.1.0"].map(|text| operator.truth(&text.into()));
        assert_eq!(truths, [Some(false), Some(true), Some(false), Some(true)]);
        assert_eq!(operator.truth(&"new".into()), None);
    }
}
