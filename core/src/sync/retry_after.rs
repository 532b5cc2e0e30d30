//! The header `Retry-After` in its two forms (section 10.2.3 of RFC 9110; 11.19).

use crate::time::Time;

/// The wait that the server asks for, in milliseconds; `None` if the header has neither form.
///
/// A date is compared with the server's own clock, its header `Date`, if that can be read, else with `now_ms`,
/// milliseconds since the epoch. So a wrong clock of this machine does no harm.
#[must_use]
pub fn retry_after_ms(header: &str, date: Option<&str>, now_ms: u64) -> Option<u64> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits for the type: the longest wait.
        return Some(header.parse().unwrap_or(u64::MAX).saturating_mul(1000));
    }
    let until = http_date(header)?;
    let now = date.and_then(http_date).unwrap_or(i64::try_from(now_ms).unwrap_or(i64::MAX));
    Some(u64::try_from(until.saturating_sub(now)).unwrap_or_default())
}

/// Milliseconds since the epoch of an HTTP date in any of its three forms (section 5.6.7 of RFC 9110).
fn http_date(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.trim().split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, clock) = match words.as_slice() {
        [_, day, month, year, clock, "GMT"] => (*day, *month, *year, *clock),
        // The form of C's asctime.
        [_, month, day, clock, year] => (*day, *month, *year, *clock),
        _ => return None,
    };
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|name| *name == month)? + 1;
    let (day, year): (u32, u32) = (day.parse().ok()?, year.parse().ok()?);
    // Two digits are of the years 1970 to 2069.
    let year = if year < 70 {
        year + 2000
    } else if year < 100 {
        year + 1900
    } else {
        year
    };
    Time::parse(&format!("{year:04}-{month:02}-{day:02}T{clock}Z")).map(Time::as_millis)
}
