//! A row as it was before a change that a history has recorded.

use esclusa::Value;

/// The row before a change, from the row after it: `None` if there was none, or is none.
///
/// `old` and `new` are what the history says: the fields that differ; the whole row, and null, of a flag that came or
/// went.
///
/// ```
/// use esclusa::Value;
/// use esclusa_impact::before;
///
/// let json = |text: &'static str| Value::from_json(text.as_bytes()).unwrap();
/// let now = json(r#"{"name": "crm", "enabled": false}"#);
/// let then = before(Some(now), json(r#"{"enabled": true}"#), &json(r#"{"enabled": false}"#));
/// assert_eq!(then.unwrap().get("enabled"), Some(&Value::Bool(true)));
/// ```
#[must_use]
pub fn before(row: Option<Value<'static>>, old: Value<'static>, new: &Value<'_>) -> Option<Value<'static>> {
    match old {
        Value::Null => None,
        Value::Object(fields) => {
            let mut all = match row {
                Some(Value::Object(held)) if !new.is_null() => held,
                _ => Vec::new(),
            };
            for (field, value) in fields {
                match all.iter_mut().find(|(known, _)| *known == field) {
                    Some((_, held)) => *held = value,
                    None => all.push((field, value)),
                }
            }
            Some(Value::Object(all))
        }
        _ => row,
    }
}
