//! What flags compare attributes with: a table in CSV has no types of its own.

use std::collections::BTreeMap;

use esclusa::{Value, rows};

/// The attributes that are compared with numbers or booleans.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kinds(BTreeMap<String, Kind>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    Boolean,
}

impl Kinds {
    /// The attributes of these snapshots, which need no mapping.
    pub(crate) fn of(snapshots: &[&[u8]]) -> Self {
        let mut kinds = Kinds::default();
        for bytes in snapshots {
            let rest = rows(bytes, &mut |_, _, row| kinds.look_at(row));
            if let Ok(rest) = rest {
                kinds.look_at(&rest);
            }
        }
        kinds
    }

    fn look_at(&mut self, value: &Value<'_>) {
        match value {
            Value::List(values) => values.iter().for_each(|value| self.look_at(value)),
            Value::Object(fields) => {
                let text = |name| value.get(name).and_then(Value::as_str);
                if let (Some(attribute), Some(operator)) = (text("attribute"), text("op")) {
                    let kind = match operator {
                        "eq" | "lt" | "le" | "gt" | "ge" => Some(Kind::Number),
                        "is" => Some(Kind::Boolean),
                        _ => None,
                    };
                    if let Some(kind) = kind {
                        self.0.insert(attribute.to_owned(), kind);
                    }
                }
                fields.iter().for_each(|(_, value)| self.look_at(value));
            }
            _ => {}
        }
    }

    /// The cell as a number or boolean, if the flags compare the attribute with one and it is one.
    pub(super) fn read(&self, attribute: &str, cell: &str) -> Option<Value<'static>> {
        let value = Value::from_json(cell.as_bytes());
        match (self.0.get(attribute)?, value) {
            (Kind::Number, Ok(value @ (Value::Integer(_) | Value::Number(_)))) => Some(value.into_owned()),
            (Kind::Boolean, Ok(value @ Value::Bool(_))) => Some(value.into_owned()),
            _ => match (self.0.get(attribute)?, cell) {
                (Kind::Boolean, "t" | "True" | "TRUE") => Some(true.into()),
                (Kind::Boolean, "f" | "False" | "FALSE") => Some(false.into()),
                _ => None,
            },
        }
    }
}
