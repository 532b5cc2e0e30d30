//! Entity tags: whether the client has the current bytes already.

use axum::http::HeaderMap;
use axum::http::header::IF_NONE_MATCH;

/// Whether one of the tags that the request names is this one. Proxies that pack an answer mark its tag by `W/` or
/// `-gzip`, and some take the quotation marks off.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let named = headers.get_all(IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    named.flat_map(|tags| tags.split(',')).any(|one| bare(one) == tag)
}

/// Whether the request names any tag.
pub(crate) fn is_asked(headers: &HeaderMap) -> bool {
    headers.contains_key(IF_NONE_MATCH)
}

fn bare(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    tag.strip_suffix("-gzip").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use axum::http::header::IF_NONE_MATCH;
    use axum::http::{HeaderMap, HeaderValue};

    use super::is_known;

    #[test]
    fn a_tag_is_known_however_proxies_write_it() {
        let asks = |tags: &'static str| HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(tags))]);
        for tags in ["\"42-ab\"", "W/\"42-ab\"", "\"42-ab-gzip\"", "W/\"42-ab-gzip\"", "42-ab", "\"x\", \"42-ab\""] {
            assert!(is_known(&asks(tags), "42-ab"), "{tags}");
        }
        for tags in ["", "\"\"", "*", "\"42-a\"", "\"42-abc\"", "W/", "\"41-ab\""] {
            assert!(!is_known(&asks(tags), "42-ab"), "{tags}");
        }
        assert!(!is_known(&HeaderMap::new(), "42-ab"));
    }
}
