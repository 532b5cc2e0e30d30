//! Whole numbers as decimal text, without std's formatting, which is too large for a WebAssembly build.

/// Length of the longest whole number in decimal, its sign included.
pub(crate) const WHOLE_BYTES: usize = 20;

/// Writes a whole number in decimal into the buffer.
pub(crate) fn digits_of(number: i64, room: &mut [u8; WHOLE_BYTES]) -> &str {
    let (mut first, mut rest) = (WHOLE_BYTES, number.unsigned_abs());
    for (at, digit) in room.iter_mut().enumerate().rev() {
        if rest == 0 && first < WHOLE_BYTES {
            if number < 0 {
                *digit = b'-';
                first = at;
            }
            break;
        }
        *digit = b'0' + (rest % 10) as u8;
        (first, rest) = (at, rest / 10);
    }
    room.get(first..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// The same as a new text.
pub(crate) fn digits(number: i64) -> String {
    digits_of(number, &mut [0; WHOLE_BYTES]).to_owned()
}

/// Appends the same to a text.
pub(crate) fn write_whole(number: i64, text: &mut String) {
    text.push_str(digits_of(number, &mut [0; WHOLE_BYTES]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_written_as_std_does() {
        for number in [0, 1, -1, 9, 10, 99, 100, -9_007_199_254_740_991, i64::MIN, i64::MAX] {
            let mut text = String::new();
            write_whole(number, &mut text);
            assert_eq!(text, number.to_string());
        }
    }
}
