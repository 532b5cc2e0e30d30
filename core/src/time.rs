//! Instants in milliseconds, and the forms in which authors and databases write them (sentences 1.9, 2.2.11
//! and 2.2.12 of SEMANTICS.md). This file reads no clock.

use std::fmt;

use jiff::{SignedDuration, civil};

/// Civil times are counted from here, not as jiff's timestamps: those end before 9999-12-31, which many
/// tables use for "never".
const EPOCH: civil::DateTime = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z: what a time that is written as a number may span (5.8).
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

    /// Reads a date, an RFC 3339 time or a time as Postgres prints it; `None` if it is none of these.
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
        let date = civil::Date::new(i16::try_from(year).ok()?, month, day).ok()?;
        if year == 0 {
            return None;
        }
        let mut millisecond = 0;
        let (mut time, mut offset) = (civil::Time::midnight(), 0);
        if !rest.is_empty() {
            take(&mut rest, |byte| matches!(byte, b'T' | b't' | b' '))?;
            let hour = digits(&mut rest, 2)?;
            let minute = after(&mut rest, b':', 2)?;
            let second = after(&mut rest, b':', 2)?;
            time = civil::Time::new(hour.try_into().ok()?, minute, second.min(59), 0).ok()?;
            if second > 60 {
                return None;
            }
            if rest.first() == Some(&b'.') {
                millisecond = fraction(&mut rest)?;
            }
            offset = zone(&mut rest)?;
        }
        if !rest.is_empty() {
            return None;
        }
        let local = date.to_datetime(time).duration_since(EPOCH).as_secs();
        Some(Time((local - i64::from(offset)) * 1000 + millisecond))
    }

    /// The instant that a number of milliseconds stands for, cut off towards the past (5.8).
    pub(crate) fn from_number(millis: f64) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates and the range is checked")]
        let whole = millis.floor() as i64;
        Self::WRITTEN.contains(&whole).then_some(Time(whole))
    }
}

/// RFC 3339 in UTC, for years that have four digits; else the bare number.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match EPOCH.checked_add(SignedDuration::from_millis(self.0)) {
            Ok(written) if written.year() > 0 => write!(f, "{written}Z"),
            _ => write!(f, "{} ms", self.0),
        }
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

fn after(rest: &mut &[u8], separator: u8, count: usize) -> Option<i8> {
    take(rest, |byte| byte == separator)?;
    digits(rest, count)?.try_into().ok()
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
fn zone(rest: &mut &[u8]) -> Option<i32> {
    let sign = match take(rest, |byte| matches!(byte, b'Z' | b'z' | b'+' | b'-'))? {
        b'+' => 1,
        b'-' => -1,
        _ => return Some(0),
    };
    let mut seconds = i32::from(digits(rest, 2).filter(|&hour| hour <= 23)?) * 3600;
    for unit in [60, 1] {
        if !rest.is_empty() {
            seconds += i32::from(after(rest, b':', 2).filter(|&part| part <= 59)?) * unit;
        }
    }
    Some(sign * seconds)
}
