//! Doubles as decimal text: read to the nearest double, written as ECMAScript writes them (ECMA-262, Number::toString).
//!
//! Native builds use std. Its tables of powers are heavy in a WebAssembly build, which works digit by digit: slower,
//! exact, and compared with std in the tests below.

use crate::whole::write_whole;

/// The double that is nearest to a number in JSON's grammar, ties to the even one; infinite if it is out of range.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn parse(text: &str) -> f64 {
    text.parse().unwrap_or(f64::INFINITY)
}

#[cfg(target_family = "wasm")]
pub(crate) fn parse(text: &str) -> f64 {
    let magnitude = exact::nearest(text);
    if text.starts_with('-') { -magnitude } else { magnitude }
}

/// The shortest text that reads back as the same double, in ECMAScript's layout: `1e+21`, `0.000001`, `1e-7`.
pub(crate) fn write(number: f64, text: &mut String) {
    let (digits, point) = shortest(number.abs());
    if number < 0.0 {
        text.push('-');
    }
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // The position of the point among the digits, and the remaining power of ten.
    let (place, power) = if -6 < point && point <= 21 { (point, None) } else { (1, Some(point - 1)) };
    if place <= 0 {
        text.push_str("0.");
        (place..0).for_each(|_| text.push('0'));
    }
    for (at, digit) in (0..).zip(digits.chars()) {
        if at == place && place > 0 {
            text.push('.');
        }
        text.push(digit);
    }
    (count..place).for_each(|_| text.push('0'));
    if let Some(power) = power {
        text.push_str(if power > 0 { "e+" } else { "e" });
        write_whole(i64::from(power), text);
    }
}

/// Thousandths of a number from 0 to 2^53 / 1000, cut off in its shortest decimal text.
pub(crate) fn thousandths(number: f64) -> u64 {
    let (digits, point) = shortest(number.abs());
    if point < -2 {
        return 0;
    }
    let count = usize::try_from(point + 3).unwrap_or_default();
    let digits = digits.bytes().chain(std::iter::repeat(b'0')).take(count);
    digits.fold(0, |sum, digit| sum * 10 + u64::from(digit.wrapping_sub(b'0')))
}

/// The shortest digits of a positive number, and the position of the point: `("125", 2)` is 12.5.
#[cfg(not(target_family = "wasm"))]
fn shortest(number: f64) -> (String, i32) {
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.replace('.', ""), exponent.parse::<i32>().unwrap_or_default() + 1)
}

#[cfg(target_family = "wasm")]
use exact::shortest;

#[cfg(any(target_family = "wasm", all(test, not(miri))))]
mod exact;

// Miri would take hours for this many numbers, and they exercise no new code.
#[cfg(not(miri))]
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(number: f64) -> String {
        let mut text = String::new();
        write(number, &mut text);
        text
    }

    #[test]
    fn numbers_are_laid_out_as_ecmascript_does() {
        let cases = [
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (123e18, "123000000000000000000"),
            (0.000_001, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-9, "1.5e-9"),
            (12.5, "12.5"),
            (-0.1, "-0.1"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (4.35, "4.35"),
        ];
        for (number, text) in cases {
            assert_eq!(written(number), text);
            assert_eq!(parse(text).to_bits(), number.to_bits());
        }
    }

    #[test]
    fn what_is_finer_than_a_thousandth_is_cut_off() {
        let cases = [
            (0.0, 0),
            (-0.0, 0),
            (0.001, 1),
            (0.000_999_999, 0),
            (1e-7, 0),
            (5e-324, 0),
            (0.29, 290),
            (1.005, 1005),
            (33.333_333_333_333_336, 33_333),
            (99.999_999_999_999_99, 99_999),
            (100.0, 100_000),
            (12.5, 12_500),
            (1e12, 1_000_000_000_000_000),
            (9_007_199_254_740.0, 9_007_199_254_740_000),
        ];
        for (number, expected) in cases {
            assert_eq!(thousandths(number), expected, "{number}");
        }
    }

    fn agrees(text: &str) {
        let expected: f64 = text.parse().unwrap();
        assert_eq!(parse(text).to_bits(), expected.to_bits(), "{text}");
        let magnitude = exact::nearest(text);
        assert_eq!(magnitude.to_bits(), expected.abs().to_bits(), "{text}, exactly");
    }

    #[test]
    fn the_edges_are_rounded_as_std_does() {
        let edges = [
            "0",
            "-0",
            "0.0",
            "0e999",
            "1e999",
            "1e-999",
            "1e99999999999999999999",
            "-1e-99999999999999999999",
            "4.9406564584124654e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.4703282292062329e-324",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "9007199254740993",
            "9007199254740993.0000000000000000000000000000001",
            "0.1000000000000000055511151231257827021181583404541015625",
            "123456789012345678901234567890",
            "0.000000000000000000000000000000000000000000000000000000000000000000001e69",
            "1E5",
            "12.5e+3",
        ];
        edges.iter().for_each(|text| agrees(text));
        // The middle between 1 and the next double, and a digit far behind it.
        let middle = "1.00000000000000011102230246251565404236316680908203125";
        for behind in ["", "1", &"0".repeat(900), &format!("{}1", "0".repeat(900))] {
            agrees(&format!("{middle}{behind}"));
        }
        agrees(&"9".repeat(309));
        agrees(&format!("{}e-900", "7".repeat(900)));
    }

    proptest! {
        #[test]
        fn any_decimal_is_read_as_std_does(
            whole in "0|[1-9][0-9]{0,30}", fraction in "(\\.[0-9]{1,30})?", exponent in "(e-?[0-9]{1,3})?",
        ) {
            agrees(&format!("{whole}{fraction}{exponent}"));
        }

        #[test]
        fn any_double_is_written_as_std_does_and_read_back(bits: u64) {
            let number = f64::from_bits(bits).abs();
            prop_assume!(number.is_finite() && number > 0.0);
            prop_assert_eq!(exact::shortest(number), shortest(number));
            prop_assert_eq!(parse(&written(number)).to_bits(), number.to_bits());
            agrees(&format!("{number:e}"));
        }

        #[test]
        fn so_is_one_near_a_power_of_two(exponent in 0_u64..2047, offset in -2_i64..3) {
            let number = f64::from_bits((exponent << 52).wrapping_add_signed(offset));
            prop_assume!(number.is_finite() && number > 0.0);
            prop_assert_eq!(exact::shortest(number), shortest(number));
            agrees(&format!("{number:e}"));
        }
    }
}
