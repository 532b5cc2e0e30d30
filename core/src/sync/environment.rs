//! Kill switches and other switches from the environment variables of a process (section 13 of SEMANTICS.md).
//!
//! The host reads its environment; this module decides what a name and a value mean, the same for every host.

use std::collections::BTreeMap;

use crate::code;
use crate::error::Violation;
use crate::snapshot::{SWITCHES, VERSION};
use crate::switching::switch_word;
use crate::value::Value;

/// The default prefixes of the names of variables.
pub const PREFIXES: [&str; 3] = ["FEATURE_", "ENABLE_", "NEXT_PUBLIC_FEATURE_"];

/// The switches of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switches {
    /// A snapshot of them: a layer for [`layered`](super::layered), or a snapshot by itself.
    pub snapshot: Vec<u8>,
    /// The variables with such a name whose value is not on or off; the value is not shown, because it may be a secret.
    pub violations: Vec<Violation>,
}

/// Reads the switches from the variables whose names begin with one of the prefixes.
///
/// ```
/// use esclusa::sync::{PREFIXES, switches};
/// let read = switches([("FEATURE_CRM", "true"), ("ENABLE_QR", "0"), ("HOME", "/home/ana")], &PREFIXES);
/// let flags = r#"[{"name":"crm","enabled":true},{"name":"qr","enabled":false}]"#;
/// assert_eq!(String::from_utf8_lossy(&read.snapshot), format!(r#"{{"esclusa":1,"layer":"switches","flags":{flags}}}"#));
/// ```
#[must_use]
pub fn switches<N: AsRef<str>, V: AsRef<str>>(
    variables: impl IntoIterator<Item = (N, V)>,
    prefixes: &[impl AsRef<str>],
) -> Switches {
    let (mut switches, mut violations) = (BTreeMap::new(), Vec::new());
    for (variable, value) in variables {
        let (variable, value) = (variable.as_ref(), unquoted(value.as_ref().trim()));
        // The longest matching prefix: FEATURE_X_ before FEATURE_.
        let names = prefixes.iter().filter_map(|prefix| variable.strip_prefix(prefix.as_ref()));
        let Some(name) = names.min_by_key(|name| name.len()).filter(|name| !name.is_empty() && !value.is_empty())
        else {
            continue;
        };
        match switch_word(value) {
            // Of two variables for one flag, off counts.
            Some(enabled) => *switches.entry(name.to_lowercase()).or_insert(true) &= enabled,
            None => violations.push(Violation {
                place: variable.to_owned(),
                code: code::INVALID_SWITCH,
                problem: "does not fit and is ignored, expected true or false (or 1 or 0, on or off, yes or no, enabled or disabled)".into(),
            }),
        }
    }
    violations.sort_by(|one, other| one.place.cmp(&other.place));
    let flags = switches
        .into_iter()
        .map(|(name, enabled)| Value::Object(vec![("name".into(), name.into()), ("enabled".into(), enabled.into())]));
    let document = Value::Object(vec![
        ("esclusa".into(), Value::Integer(VERSION)),
        ("layer".into(), SWITCHES.to_owned().into()),
        ("flags".into(), Value::List(flags.collect())),
    ]);
    Switches { snapshot: document.to_json().into_bytes(), violations }
}

/// A value without one pair of equal quotes around it: `docker run --env-file` keeps those of the file (13.10).
fn unquoted(value: &str) -> &str {
    let inner = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).map_or(value, str::trim)
}
