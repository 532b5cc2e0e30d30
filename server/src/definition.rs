//! What the definitions of flags tell besides the answers: the type of their values, and what people wrote about them.

use std::collections::BTreeMap;

use esclusa::{SnapshotError, Time, Value};
use esclusa_impact::Document;

/// The definitions of a snapshot by key.
pub(crate) type Definitions = BTreeMap<String, Definition>;

/// One flag.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    pub(crate) kind: Kind,
    /// What it serves when it is off.
    pub(crate) off: Value<'static>,
    pub(crate) description: Option<String>,
    /// When the steps of its schedule are.
    pub(crate) steps: Vec<Time>,
}

/// The type of the values of a flag, as OpenFeature's manifest calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Integer,
    /// At least one of its numbers has a fraction.
    Float,
    Text,
    /// Objects, lists, or values of several types.
    Object,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Boolean => "boolean",
            Kind::Integer => "integer",
            Kind::Float => "float",
            Kind::Text => "string",
            Kind::Object => "object",
        }
    }

    fn of(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(_) => Some(Kind::Boolean),
            Value::Text(_) => Some(Kind::Text),
            Value::List(_) | Value::Object(_) => Some(Kind::Object),
            number => Some(if number.as_i64().is_some() { Kind::Integer } else { Kind::Float }),
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Kind::Integer, Kind::Float) | (Kind::Float, Kind::Integer) => Kind::Float,
            _ => Kind::Object,
        }
    }
}

/// Reads the definitions of a document or of bare rows.
pub(crate) fn definitions(json: &[u8]) -> Result<Definitions, SnapshotError> {
    let document = Document::from_json(json)?;
    Ok(document.flags().iter().map(|(key, written)| (key.clone(), Definition::read(written))).collect())
}

impl Definition {
    fn read(written: &esclusa_impact::Definition) -> Self {
        let variants = written.field("variants").and_then(Value::as_list).unwrap_or_default();
        let off = written.field("off_value").cloned();
        let off = off.unwrap_or(if variants.is_empty() { Value::Bool(false) } else { Value::Null });
        let served = variants.iter().filter_map(|variant| Kind::of(variant.get("value")?));
        let on = variants.is_empty().then_some(Kind::Boolean);
        let kind = served.chain(on).chain(Kind::of(&off)).reduce(Kind::and);
        let description = written.row().get("description").and_then(Value::as_str).map(str::trim);
        let steps = written.field("schedule").and_then(Value::as_list).unwrap_or_default().iter();
        let steps = steps.filter_map(|step| Time::parse(step.get("at")?.as_str()?)).collect();
        Definition {
            steps,
            kind: kind.unwrap_or(Kind::Object),
            off,
            description: description.filter(|text| !text.is_empty()).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, definitions};

    #[test]
    fn the_type_of_a_flag_is_that_of_all_its_values() {
        let kind = |fields: &str| {
            let rows = format!(r#"[{{"name": "a", "enabled": true, {fields}}}]"#);
            definitions(rows.as_bytes()).unwrap().remove("a").unwrap().kind
        };
        let variants = |values: &[&str]| {
            let variant = |value: &&str| format!(r#"{{"key": "k", "value": {value}, "weight": 1}}"#);
            format!(r#""variants": [{}]"#, values.iter().map(variant).collect::<Vec<_>>().join(","))
        };
        assert_eq!(kind(r#""description": "x""#), Kind::Boolean);
        assert_eq!(kind(&variants(&["1", "2"])), Kind::Integer);
        assert_eq!(kind(&variants(&["1", "1.5"])), Kind::Float);
        assert_eq!(kind(&format!(r#""off_value": 0.5, {}"#, variants(&["1", "2"]))), Kind::Float);
        assert_eq!(kind(&variants(&[r#""a""#, r#""b""#])), Kind::Text);
        assert_eq!(kind(&variants(&["1", r#""b""#])), Kind::Object);
        assert_eq!(kind(&variants(&["[1]"])), Kind::Object);
    }
}
