//! The version of a flag: an entity tag that tells the fields apart, so that a conflict is one of the same field alone.
//!
//! A tag has a hash of each field that holds something, so two servers, and a change by SQL, need not have agreed on
//! anything before.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;
use esclusa::{Value, row};
use xxhash_rust::xxh3::xxh3_64;

use crate::store::Row;

/// The hexadecimal digits of a field: its name, and what it holds.
const NAME_DIGITS: usize = 8;
const CONTENT_DIGITS: usize = 12;
const DIGITS: usize = NAME_DIGITS + CONTENT_DIGITS;

/// The fields of a flag at some time, by hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version(BTreeMap<u32, u64>);

/// What a client says that it has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// `*`: whatever is there.
    Anything,
    Version(Version),
    /// A tag that is none of a flag.
    Unknown,
}

impl Version {
    pub(crate) fn of(row: &Row) -> Self {
        let Value::Object(fields) = row else { return Version(BTreeMap::new()) };
        let told = fields.iter().filter(|(name, value)| is_told(name) && !value.is_null());
        Version(told.map(|(name, value)| (name_hash(name), hash(value))).collect())
    }

    /// The entity tag, without quotation marks.
    pub(crate) fn tag(&self) -> String {
        self.0.iter().fold(String::with_capacity(self.0.len() * DIGITS), |mut tag, (name, content)| {
            // Writing into a string never fails.
            let _ = write!(tag, "{name:08x}{content:012x}");
            tag
        })
    }

    fn parse(tag: &str) -> Option<Self> {
        let field = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits).ok()?;
            let (name, content) = digits.split_at_checked(NAME_DIGITS)?;
            (content.len() == CONTENT_DIGITS)
                .then_some((u32::from_str_radix(name, 16).ok()?, u64::from_str_radix(content, 16).ok()?))
        };
        let fields: Option<BTreeMap<_, _>> = tag.as_bytes().chunks(DIGITS).map(field).collect();
        fields.filter(|fields| !fields.is_empty()).map(Version)
    }

    /// Whether a field held this.
    pub(crate) fn has(&self, name: &str, value: &Value<'_>) -> bool {
        !is_told(name) || self.0.get(&name_hash(name)).copied() == (!value.is_null()).then(|| hash(value))
    }
}

impl Seen {
    /// That of a request; none without `If-Match`.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let named = headers.get(IF_MATCH)?.to_str().unwrap_or_default().trim();
        if named == "*" {
            return Some(Seen::Anything);
        }
        let bare = named.strip_prefix("W/").unwrap_or(named).trim_matches('"');
        Some(Version::parse(bare.strip_suffix("-gzip").unwrap_or(bare)).map_or(Seen::Unknown, Seen::Version))
    }

    /// Whether a field held this when the client saw it.
    pub(crate) fn has(&self, name: &str, value: &Value<'_>) -> bool {
        match self {
            Seen::Anything => true,
            Seen::Version(version) => version.has(name, value),
            Seen::Unknown => !is_told(name),
        }
    }
}

/// Whether a change of the field is a change of the flag that a person makes: when it was changed last, and how often it was
/// asked for, is not; nor is what its guard has done, which a form that was read before a trip would undo.
pub(crate) fn is_told(name: &str) -> bool {
    name == "description" || !(row::is_ignored(name) || row::field(name) == Some("guard_state"))
}

/// Whether two fields hold the same.
pub(crate) fn is_same(one: &Value<'_>, other: &Value<'_>) -> bool {
    canonical(one) == canonical(other)
}

fn canonical(value: &Value<'_>) -> String {
    value.clone().into_owned().into_canonical().to_json()
}

fn name_hash(name: &str) -> u32 {
    u32::try_from(xxh3_64(name.as_bytes()) >> 32).unwrap_or_default()
}

fn hash(value: &Value<'_>) -> u64 {
    xxh3_64(canonical(value).as_bytes()) >> 16
}

#[cfg(test)]
mod tests {
    use axum::http::header::IF_MATCH;
    use axum::http::{HeaderMap, HeaderValue};
    use esclusa::Value;

    use super::{Seen, Version};

    fn row(json: &str) -> Value<'static> {
        Value::from_json(json.as_bytes()).unwrap().into_owned()
    }

    #[test]
    fn a_tag_tells_which_fields_differ() {
        let before =
            Version::of(&row(r#"{"name": "crm", "enabled": true, "rules": {"a": 1, "b": 2}, "updated_at": "x"}"#));
        let seen =
            |tag: &str| Seen::of(&HeaderMap::from_iter([(IF_MATCH, HeaderValue::try_from(tag).unwrap())])).unwrap();
        for tag in [format!("\"{}\"", before.tag()), format!("W/\"{}-gzip\"", before.tag()), before.tag()] {
            assert_eq!(seen(&tag), Seen::Version(before.clone()), "{tag}");
        }
        assert!(before.has("enabled", &true.into()) && !before.has("enabled", &false.into()));
        assert!(before.has("rules", &row(r#"{"b": 2, "a": 1}"#)), "the order of fields in JSON means nothing");
        assert!(before.has("salt", &Value::Null) && !before.has("salt", &"".into()), "what was not there");
        assert!(before.has("updated_at", &"y".into()), "is no part of the definition");
        for wrong in ["\"\"", "\"abc\"", "\"42-ab\"", &format!("\"{}0\"", before.tag())] {
            assert_eq!(seen(wrong), Seen::Unknown, "{wrong}");
        }
        assert_eq!(seen("*"), Seen::Anything);
        assert_eq!(Seen::of(&HeaderMap::new()), None);
    }
}
