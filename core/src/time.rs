//! Instants in milliseconds, and the forms in which authors and databases write them (sentences 1.9, 2.2.11 and 2.2.12
//! of SEMANTICS.md). The module reads no clock.

use std::fmt;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z: the range of a time that is written as a number (5.8).
    const WRITTEN: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

    /// The instant that many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Time(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads a date, an RFC 3339 time or a time as Postgres prints it, in UTC unless it says otherwise; `None` if it is
    /// none of these.
    ///
    /// ```
    /// use esclusa::Time;
    /// let noon = Time::parse("2025-01-22T12:00:00Z");
    /// assert_eq!(noon, Some(Time::from_millis(1_737_547_200_000)));
    /// assert_eq!(noon, Time::parse("2025-01-22 07:00:00.000123-05"));
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let year = digits(&mut rest, 4)?;
        let month = after(&mut rest, b'-', 2)?;
        let day = after(&mut rest, b'-', 2)?;
        let days = Date { year: i64::from(year), month, day }.days()?;
        let (mut second_of_day, mut millisecond, mut offset) = (0, 0, 0);
        if !rest.is_empty() {
            take(&mut rest, |byte| matches!(byte, b'T' | b't' | b' '))?;
            let hour = digits(&mut rest, 2)?;
            let minute = after(&mut rest, b':', 2)?;
            let second = if rest.first() == Some(&b':') { Some(after(&mut rest, b':', 2)?) } else { None };
            if hour > 23 || minute > 59 || second > Some(60) {
                return None;
            }
            second_of_day = (i64::from(hour) * 60 + minute) * 60 + second.unwrap_or_default().min(59);
            if second.is_some() && rest.first() == Some(&b'.') {
                millisecond = fraction(&mut rest)?;
            }
            offset = if rest.is_empty() { 0 } else { zone(&mut rest)? };
        }
        if !rest.is_empty() {
            return None;
        }
        Some(Time(days * MILLIS_PER_DAY + (second_of_day - offset) * 1000 + millisecond))
    }

    /// Before and after every other instant: the infinite ends of windows, as Postgres prints them (2.2.11).
    pub(crate) const BEFORE_ALL: Time = Time(i64::MIN);
    pub(crate) const AFTER_ALL: Time = Time(i64::MAX);

    /// The start or end of a window: a time, or one of the two infinite ones.
    pub(crate) fn parse_bound(text: &str) -> Option<Self> {
        match text {
            "infinity" => Some(Time::AFTER_ALL),
            "-infinity" => Some(Time::BEFORE_ALL),
            _ => Time::parse(text),
        }
    }

    /// The instant of a number of milliseconds, cut off towards the past (5.8).
    pub(crate) fn from_number(millis: f64) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates and the range is checked")]
        let whole = millis.floor() as i64;
        Self::WRITTEN.contains(&whole).then_some(Time(whole))
    }
}

/// RFC 3339 in UTC, for years of four digits; else the number of milliseconds, or infinity.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Time::BEFORE_ALL => return f.write_str("-infinity"),
            Time::AFTER_ALL => return f.write_str("infinity"),
            _ => {}
        }
        if !Self::WRITTEN.contains(&self.0) {
            return write!(f, "{} ms", self.0);
        }
        let Date { year, month, day } = Date::of_days(self.0.div_euclid(MILLIS_PER_DAY));
        let millis = self.0.rem_euclid(MILLIS_PER_DAY);
        let (second, fraction) = (millis / 1000, millis % 1000);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if fraction > 0 {
            let digits = format!(".{fraction:03}");
            f.write_str(digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// A date of the proleptic Gregorian calendar.
///
/// The arithmetic is Howard Hinnant's (<https://howardhinnant.github.io/date_algorithms.html>): a year begins in March,
/// so that the leap day is its last, and 400 years always have 146,097 days. Not a calendar crate, because its error
/// texts alone exceed the WebAssembly build's budget; jiff is the oracle in the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Date {
    year: i64,
    month: i64,
    day: i64,
}

impl Date {
    const DAYS_BEFORE_1970: i64 = 719_468;

    /// Days since 1970-01-01, if there is such a date in the years 1 to 9999.
    fn days(self) -> Option<i64> {
        let shifted = self.year - i64::from(self.month <= 2);
        let (era, year) = (shifted.div_euclid(400), shifted.rem_euclid(400));
        let day_of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        let days = era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - Self::DAYS_BEFORE_1970;
        // A date that does not exist comes back as another date.
        ((1..=9999).contains(&self.year) && Self::of_days(days) == self).then_some(days)
    }

    fn of_days(days: i64) -> Self {
        let days = days + Self::DAYS_BEFORE_1970;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = (shifted_month + 2) % 12 + 1;
        Date { year: year + era * 400 + i64::from(month <= 2), month, day }
    }
}

impl From<std::time::SystemTime> for Time {
    fn from(time: std::time::SystemTime) -> Self {
        match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
            Err(before) => Time(-i64::try_from(before.duration().as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)),
        }
    }
}

fn take(rest: &mut &[u8], fits: impl Fn(u8) -> bool) -> Option<u8> {
    let (&first, others) = rest.split_first()?;
    *rest = others;
    fits(first).then_some(first)
}

fn digits(rest: &mut &[u8], count: usize) -> Option<u16> {
    let mut number = 0;
    for _ in 0..count {
        number = number * 10 + u16::from(take(rest, |byte| byte.is_ascii_digit())? - b'0');
    }
    Some(number)
}

fn after(rest: &mut &[u8], separator: u8, count: usize) -> Option<i64> {
    take(rest, |byte| byte == separator)?;
    digits(rest, count).map(i64::from)
}

/// `.` and 1 to 18 digits, as whole milliseconds.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    take(rest, |byte| byte == b'.')?;
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=18).contains(&count) {
        return None;
    }
    let mut millisecond = 0;
    for place in 0..count {
        let digit = digits(rest, 1)?;
        if place < 3 {
            millisecond += i64::from(digit) * [100, 10, 1].get(place)?;
        }
    }
    Some(millisecond)
}

/// Seconds east of UTC: `Z`, or a sign with hours, minutes and seconds, of which Postgres leaves out those that are 0.
fn zone(rest: &mut &[u8]) -> Option<i64> {
    let sign = match take(rest, |byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'))? {
        b'+' => 1,
        b'-' => -1,
        _ => return Some(0),
    };
    let mut seconds = i64::from(digits(rest, 2).filter(|&hour| hour <= 23)?) * 3600;
    for unit in [60, 1] {
        if !rest.is_empty() {
            seconds += after(rest, b':', 2).filter(|&part| part <= 59)? * unit;
        }
    }
    Some(sign * seconds)
}

// Miri would take hours for this many numbers, and they exercise no new code.
#[cfg(not(miri))]
#[cfg(test)]
mod tests {
    use jiff::civil;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_day_is_the_day_that_jiff_says() {
        let epoch = civil::date(1970, 1, 1);
        let mut date = civil::date(1, 1, 1);
        while let Ok(next) = date.tomorrow() {
            let days = date.duration_since(epoch).as_hours() / 24;
            let own = Date { year: date.year().into(), month: date.month().into(), day: date.day().into() };
            assert_eq!(own.days(), Some(days), "{date}");
            assert_eq!(Date::of_days(days), own, "{date}");
            date = next;
        }
    }

    proptest! {
        #[test]
        fn a_date_exists_if_jiff_says_so(year in 0_i16..=9999, month in 0_i8..=99, day in 0_i8..=99) {
            let own = Date { year: year.into(), month: month.into(), day: day.into() };
            prop_assert_eq!(own.days().is_some(), year > 0 && civil::Date::new(year, month, day).is_ok());
        }

        #[test]
        fn what_is_written_is_read_back(millis in Time::WRITTEN) {
            let time = Time(millis);
            prop_assert_eq!(Time::parse(&time.to_string()), Some(time));
        }
    }
}
