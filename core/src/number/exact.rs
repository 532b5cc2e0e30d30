//! The same with integers of any length: slower than std, exact, and a fraction of its code.

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
