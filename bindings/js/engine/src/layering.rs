//! Layers and the switches of an environment (section 13), as JSON.

use esclusa::sync::{PREFIXES, layered as layered_bytes, switches as read_switches};
use esclusa::{Value, Violation};

/// Merges snapshots, the uppermost first: they follow each other in `bytes`, and `lengths` is a JSON array of their
/// lengths, null for a layer that has not answered yet.
///
/// Gives the merged snapshot, an empty text if there is none yet (13.12), or `{"refused", "layer"}`. It may be called
/// from any thread.
#[must_use]
pub fn layered(mut bytes: &[u8], lengths: &str) -> String {
    let lengths = Value::from_json(lengths.as_bytes()).unwrap_or_default();
    let layers = lengths.as_list().unwrap_or_default().iter().map(|length| {
        let (layer, rest) = bytes.split_at_checked(usize::try_from(length.as_i64()?).ok()?)?;
        bytes = rest;
        Some(layer)
    });
    match layered_bytes(&layers.collect::<Vec<_>>()) {
        Ok(whole) => whole.and_then(|whole| String::from_utf8(whole).ok()).unwrap_or_default(),
        Err(refusal) => {
            let layer = i64::try_from(refusal.layer).unwrap_or_default();
            let fields = vec![("refused".into(), refusal.error.to_string().into()), ("layer".into(), layer.into())];
            Value::Object(fields).to_json()
        }
    }
}

/// The switches among the variables, as `{"snapshot": text, "violations"}`; `given` is `{"variables": {name: value},
/// "prefixes": null or a list}`.
#[must_use]
pub fn switches(given: &str) -> String {
    let given = Value::from_json(given.as_bytes()).unwrap_or_default();
    let variables = match given.get("variables") {
        Some(Value::Object(variables)) => variables.as_slice(),
        _ => &[],
    };
    let variables = variables.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    let read = match given.get("prefixes").and_then(Value::as_list) {
        Some(prefixes) => read_switches(variables, &prefixes.iter().filter_map(Value::as_str).collect::<Vec<_>>()),
        None => read_switches(variables, &PREFIXES),
    };
    let snapshot = String::from_utf8(read.snapshot).unwrap_or_default();
    let violations = read.violations.iter().map(Violation::to_value).collect();
    Value::Object(vec![("snapshot".into(), snapshot.into()), ("violations".into(), Value::List(violations))]).to_json()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_follow_each_other_in_one_text() {
        let (switch, store) = (
            r#"{"esclusa":1,"layer":"switches","flags":[{"name":"a","enabled":false}]}"#,
            r#"[{"name":"a","enabled":true}]"#,
        );
        let both = [switch, store].concat();
        let lengths = Value::from(vec![i64::try_from(switch.len()).unwrap(), i64::try_from(store.len()).unwrap()]);
        assert_eq!(
            layered(both.as_bytes(), &lengths.to_json()),
            r#"{"esclusa":1,"flags":[{"name":"a","enabled":false}]}"#
        );
        assert_eq!(layered(b"", "[null]"), "");
        assert!(layered(b"{", "[null,1]").ends_with(r#","layer":1}"#));
        assert_eq!(layered(b"[]", "[3]"), "", "a length that is too great is no layer");
    }

    #[test]
    fn switches_are_read_with_the_prefixes_that_are_given_or_the_usual_ones() {
        let usual =
            switches(r#"{"variables": {"FEATURE_A": "1", "X_B": "1", "ENABLE_C": "perhaps"}, "prefixes": null}"#);
        assert!(
            usual.contains(r#"{\"name\":\"a\",\"enabled\":true}]"#) && usual.contains(r#""place":"ENABLE_C""#),
            "{usual}"
        );
        let own = switches(r#"{"variables": {"FEATURE_A": "1", "X_B": "0"}, "prefixes": ["X_"]}"#);
        assert!(own.contains(r#"[{\"name\":\"b\",\"enabled\":false}]"#), "{own}");
    }
}
