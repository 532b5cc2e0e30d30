//! The header `Retry-After` in its two forms (section 10.2.3 of RFC 9110).

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// For how long the server asks to be left alone.
///
/// A date is taken by the clock of the server, if the answer tells it, so that a wrong clock here does no harm.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
        // What is too large for a number is long in any case.
        return Some(Duration::from_secs(asked.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(asked).ok()?;
    let now = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

    use super::retry_after;

    #[test]
    fn both_forms_count_and_nonsense_does_not() {
        let seconds = Duration::from_secs;
        let now = SystemTime::UNIX_EPOCH + seconds(784_111_777);
        for (asked, date, expected) in [
            ("120", None, Some(seconds(120))),
            (" 0 ", None, Some(seconds(0))),
            ("99999999999999999999999", None, Some(seconds(u64::MAX))),
            ("Sun, 06 Nov 1994 08:50:37 GMT", None, Some(seconds(60))),
            ("Sunday, 06-Nov-94 08:50:37 GMT", None, Some(seconds(60))),
            ("Sun, 06 Nov 1994 08:00:00 GMT", None, Some(seconds(0))),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some("Sun, 06 Nov 1994 08:50:30 GMT"), Some(seconds(7))),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some("today"), Some(seconds(60))),
            ("soon", None, None),
            ("-1", None, None),
            ("", None, None),
        ] {
            let mut headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(asked))]);
            headers.extend(date.map(|date| (DATE, HeaderValue::from_static(date))));
            assert_eq!(retry_after(&headers, now), expected, "`{asked}`");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
