//! Doubles as decimal text: read to the nearest double, written as ECMAScript writes them (ECMA-262, Number::toString).
//!
//! Natively std does both. Its tables of powers are heavy in a WebAssembly build, so there the same is done with
//! integers of any length: slower, exact, and compared with std in the tests below.

/// The powers of ten that a double holds exactly.
const EXACT: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The double that is nearest to a number in JSON's grammar, ties to the even one; infinite if it is out of range.
pub(crate) fn parse(text: &str) -> f64 {
    let decimal = Decimal::read(text);
    if decimal.digits <= 15
        && let Some(power) = EXACT.get(usize::try_from(decimal.exponent.unsigned_abs()).unwrap_or(usize::MAX))
    {
        // Both are exact, so the one operation rounds correctly (Clinger, "How to read floating point numbers
        // accurately", 1990).
        #[expect(clippy::cast_precision_loss, reason = "fifteen digits fit into a double")]
        let significand = decimal.significand as f64;
        let magnitude = if decimal.exponent < 0 { significand / power } else { significand * power };
        return if decimal.negative { -magnitude } else { magnitude };
    }
    nearest(text, decimal.negative)
}

/// The shortest text that reads back as the same double, as ECMAScript lays it out: `1e+21`, `0.000001`, `1e-7`.
pub(crate) fn write(number: f64) -> String {
    let (digits, point) = shortest(number.abs());
    let sign = if number < 0.0 { "-" } else { "" };
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    if count <= point && point <= 21 {
        return format!("{sign}{digits}{}", zeros(point - count));
    }
    if 0 < point && point <= 21 {
        let (whole, fraction) = cut(&digits, usize::try_from(point).unwrap_or_default());
        return format!("{sign}{whole}.{fraction}");
    }
    if -6 < point && point <= 0 {
        return format!("{sign}0.{}{digits}", zeros(-point));
    }
    let (first, others) = cut(&digits, 1);
    let dot = if others.is_empty() { "" } else { "." };
    let plus = if point > 0 { "+" } else { "" };
    format!("{sign}{first}{dot}{others}e{plus}{}", point - 1)
}

/// The first digits and the others.
fn cut(digits: &str, count: usize) -> (&str, &str) {
    digits.split_at_checked(count).unwrap_or((digits, ""))
}

/// What the text of a number says: its first digits as an integer, and the power of ten that the last of them counts.
struct Decimal {
    negative: bool,
    significand: u64,
    /// How many digits there are without leading zeros; of more than 18 the significand means nothing.
    digits: usize,
    exponent: i64,
}

impl Decimal {
    fn read(text: &str) -> Self {
        let mut decimal = Decimal { negative: false, significand: 0, digits: 0, exponent: 0 };
        let mut fraction = false;
        let mut rest = text.as_bytes().iter();
        while let Some(&byte) = rest.next() {
            match byte {
                b'-' => decimal.negative = true,
                b'.' => fraction = true,
                b'0'..=b'9' => {
                    decimal.significand = decimal.significand.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                    decimal.digits += usize::from(decimal.digits > 0 || byte > b'0');
                    decimal.exponent -= i64::from(fraction);
                }
                _ => {
                    decimal.exponent = decimal.exponent.saturating_add(exponent(rest.as_slice()));
                    break;
                }
            }
        }
        decimal
    }
}

/// What stands behind the `e`; further out than any double it does not matter how far.
fn exponent(text: &[u8]) -> i64 {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let size = digits.fold(0_i64, |size, digit| size.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if text.first() == Some(&b'-') { -size } else { size }
}

#[cfg(not(target_family = "wasm"))]
fn nearest(text: &str, _negative: bool) -> f64 {
    text.parse().unwrap_or(f64::INFINITY)
}

#[cfg(target_family = "wasm")]
fn nearest(text: &str, negative: bool) -> f64 {
    let magnitude = exact::nearest(text);
    if negative { -magnitude } else { magnitude }
}

/// The shortest digits of a positive number, and where the point stands: `("125", 2)` is 12.5.
#[cfg(not(target_family = "wasm"))]
fn shortest(number: f64) -> (String, i32) {
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (digits.replace('.', ""), exponent.parse::<i32>().unwrap_or_default() + 1)
}

#[cfg(target_family = "wasm")]
use exact::shortest;

/// The same with integers of any length.
#[cfg(any(target_family = "wasm", all(test, not(miri))))]
mod exact {
    use std::cmp::Ordering;

    /// More digits than this decide nothing but whether the number is above or below the digits before: a double, and
    /// the middle between two, has at most 767 (<https://en.wikipedia.org/wiki/Double-precision_floating-point_format>).
    const MAX_DIGITS: usize = 800;
    const SIGNIFICAND_BITS: i64 = 53;
    const MIN_EXPONENT: i64 = -1022;
    const MAX_EXPONENT: i64 = 1023;

    /// A whole number, the lowest 32 bits first, without zeros at its high end.
    #[derive(Clone)]
    struct Whole(Vec<u32>);

    impl Whole {
        fn new(mut number: u64) -> Self {
            let mut limbs = Vec::new();
            while number > 0 {
                limbs.push((number & 0xffff_ffff) as u32);
                number >>= 32;
            }
            Whole(limbs)
        }

        /// `self × factor + more`
        fn scale(&mut self, factor: u32, more: u32) {
            let mut carry = u64::from(more);
            for limb in &mut self.0 {
                let product = u64::from(*limb) * u64::from(factor) + carry;
                *limb = (product & 0xffff_ffff) as u32;
                carry = product >> 32;
            }
            if carry > 0 {
                self.0.push((carry & 0xffff_ffff) as u32);
            }
        }

        fn scale_by_power_of_ten(&mut self, power: u64) {
            (0..power).for_each(|_| self.scale(10, 0));
        }

        fn shift(&mut self, bits: u64) {
            if self.0.is_empty() {
                return;
            }
            self.scale(1 << (bits % 32), 0);
            let limbs = usize::try_from(bits / 32).unwrap_or_default();
            self.0.splice(0..0, std::iter::repeat_n(0, limbs));
        }

        fn bits(&self) -> i64 {
            let high = self.0.last().map_or(0, |limb| 32 - i64::from(limb.leading_zeros()));
            32 * (i64::try_from(self.0.len()).unwrap_or_default() - 1).max(0) + high
        }

        fn compare(&self, other: &Whole) -> Ordering {
            self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
        }

        fn add(&self, other: &Whole) -> Whole {
            let (mut sum, mut carry) = (Vec::new(), 0);
            for at in 0..self.0.len().max(other.0.len()) {
                let limb = |whole: &Whole| whole.0.get(at).map_or(0, |limb| u64::from(*limb));
                let all = limb(self) + limb(other) + carry;
                sum.push((all & 0xffff_ffff) as u32);
                carry = all >> 32;
            }
            if carry > 0 {
                sum.push((carry & 0xffff_ffff) as u32);
            }
            Whole(sum)
        }

        /// `self - other`, which is not larger.
        fn subtract(&mut self, other: &Whole) {
            let mut borrow = false;
            for (at, limb) in self.0.iter_mut().enumerate() {
                let (less, first) = limb.overflowing_sub(other.0.get(at).copied().unwrap_or_default());
                let (less, second) = less.overflowing_sub(u32::from(borrow));
                (*limb, borrow) = (less, first || second);
            }
            while self.0.last() == Some(&0) {
                self.0.pop();
            }
        }
    }

    /// The double nearest to the magnitude of a number in JSON's grammar.
    pub(super) fn nearest(text: &str) -> f64 {
        let (mut numerator, mut digits, mut exponent, mut fraction) = (Whole::new(0), 0, 0_i64, false);
        let mut rest = text.as_bytes().iter();
        while let Some(&byte) = rest.next() {
            match byte {
                b'.' => fraction = true,
                b'0'..=b'9' if digits < MAX_DIGITS => {
                    numerator.scale(10, u32::from(byte - b'0'));
                    digits += usize::from(digits > 0 || byte > b'0');
                    exponent -= i64::from(fraction);
                }
                b'0'..=b'9' => {
                    exponent += i64::from(!fraction);
                    if byte > b'0' && digits == MAX_DIGITS {
                        numerator.scale(10, 1);
                        exponent -= 1;
                        digits += 1;
                    }
                }
                b'-' => {}
                _ => {
                    exponent = exponent.saturating_add(super::exponent(rest.as_slice()));
                    break;
                }
            }
        }
        let size = exponent.saturating_add(i64::try_from(digits).unwrap_or_default());
        if digits == 0 || size < -330 {
            return 0.0;
        }
        if size > 310 {
            return f64::INFINITY;
        }
        let mut denominator = Whole::new(1);
        let scaled = if exponent < 0 { &mut denominator } else { &mut numerator };
        scaled.scale_by_power_of_ten(exponent.unsigned_abs());
        divide(numerator, denominator)
    }

    /// The quotient rounded to a double, ties to even: one bit of it after the other.
    fn divide(mut numerator: Whole, mut denominator: Whole) -> f64 {
        let mut exponent = numerator.bits() - denominator.bits();
        let scaled = if exponent < 0 { &mut numerator } else { &mut denominator };
        scaled.shift(exponent.unsigned_abs());
        if numerator.compare(&denominator).is_lt() {
            numerator.shift(1);
            exponent -= 1;
        }
        // The quotient is now at least 1 and less than 2, times two to the exponent.
        if exponent > MAX_EXPONENT {
            return f64::INFINITY;
        }
        let precision = SIGNIFICAND_BITS - (MIN_EXPONENT - exponent).max(0);
        if precision < 0 {
            return 0.0;
        }
        let mut significand = 0_u64;
        for _ in 0..precision {
            significand <<= 1;
            if numerator.compare(&denominator).is_ge() {
                numerator.subtract(&denominator);
                significand |= 1;
            }
            numerator.shift(1);
        }
        significand += match numerator.compare(&denominator) {
            Ordering::Greater => 1,
            Ordering::Equal => significand & 1,
            Ordering::Less => 0,
        };
        // The leading bit of a normal number adds one to the exponent field, and so does a carry out of the rounding.
        let field = (exponent - MIN_EXPONENT).max(0).unsigned_abs();
        f64::from_bits((field << (SIGNIFICAND_BITS - 1)) + significand)
    }

    /// Steele and White's free-format algorithm ("How to print floating-point numbers accurately", 1990).
    pub(super) fn shortest(number: f64) -> (String, i32) {
        let (bits, hidden) = (number.to_bits(), 1_u64 << (SIGNIFICAND_BITS - 1));
        let (field, stored) = (bits / hidden, bits % hidden);
        let significand = if field == 0 { stored } else { stored + hidden };
        let exponent = field.max(1).cast_signed() + MIN_EXPONENT - SIGNIFICAND_BITS;
        // Half the way to the number below is half as far at a power of two.
        let uneven = stored == 0 && field > 1;
        let (mut rest, mut scale, mut above) = (Whole::new(significand), Whole::new(1), Whole::new(1));
        let up = exponent.max(0).unsigned_abs();
        rest.shift(up + 1 + u64::from(uneven));
        scale.shift((-exponent).max(0).unsigned_abs() + 1 + u64::from(uneven));
        above.shift(up + u64::from(uneven));
        let mut below = Whole::new(1);
        below.shift(up);
        let even = significand % 2 == 0;
        let reaches = |sum: &Whole, scale: &Whole| match sum.compare(scale) {
            Ordering::Greater => true,
            Ordering::Equal => even,
            Ordering::Less => false,
        };
        let mut point = 0;
        while reaches(&rest.add(&above), &scale) {
            scale.scale(10, 0);
            point += 1;
        }
        loop {
            let more = |whole: &Whole| {
                let mut more = whole.clone();
                more.scale(10, 0);
                more
            };
            if reaches(&more(&rest.add(&above)), &scale) {
                break;
            }
            (rest, above, below) = (more(&rest), more(&above), more(&below));
            point -= 1;
        }
        let mut digits = String::new();
        loop {
            [&mut rest, &mut above, &mut below].into_iter().for_each(|whole| whole.scale(10, 0));
            let mut digit = b'0';
            while rest.compare(&scale).is_ge() {
                rest.subtract(&scale);
                digit += 1;
            }
            let low = reaches(&below, &rest);
            let high = reaches(&rest.add(&above), &scale);
            if !low && !high {
                digits.push(char::from(digit));
                continue;
            }
            let round_up = if low && high { rest.add(&rest).compare(&scale).is_ge() } else { high };
            digits.push(char::from(digit + u8::from(round_up)));
            return (digits, point);
        }
    }
}

// Miri would take hours for this many numbers, and there is nothing in them that it could find.
#[cfg(not(miri))]
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            assert_eq!(write(number), text);
            assert_eq!(parse(text).to_bits(), number.to_bits());
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
            prop_assert_eq!(parse(&write(number)).to_bits(), number.to_bits());
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
