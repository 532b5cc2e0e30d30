//! The same by doubling and halving decimal digits: slower than std, exact, and a fraction of its code.

use std::cmp::Ordering;

use crate::whole::write_whole;

/// Further digits only decide whether the number is above or below the digits so far: a double, and the middle between
/// two, has at most 767 digits (<https://en.wikipedia.org/wiki/Double-precision_floating-point_format>).
const MAX_DIGITS: usize = 800;
/// The least significand of a normal double, and the exponent of two that belongs to it.
const HIDDEN: u64 = 1 << 52;
const MIN_EXPONENT: i64 = -1074;
const MAX_EXPONENT: i64 = 971;

/// `0.d₁d₂d₃… × 10^point`, without zeros at either end.
#[derive(Default)]
struct Digits {
    digits: Vec<u8>,
    point: i64,
}

impl Digits {
    /// The magnitude of a number in JSON's grammar.
    fn read(text: &str) -> Self {
        let (mut read, mut fraction) = (Digits::default(), false);
        let mut rest = text.as_bytes().iter();
        while let Some(&byte) = rest.next() {
            match byte {
                b'-' => {}
                b'.' => fraction = true,
                b'0'..=b'9' => {
                    read.point += i64::from(!fraction);
                    match byte - b'0' {
                        0 if read.digits.is_empty() => read.point -= 1,
                        digit if read.digits.len() < MAX_DIGITS => read.digits.push(digit),
                        0 => {}
                        // The last digit is not 0, to record that there were more.
                        _ => read.digits.extend((read.digits.len() == MAX_DIGITS).then_some(1)),
                    }
                }
                _ => {
                    read.point = read.point.saturating_add(exponent(rest.as_slice()));
                    break;
                }
            }
        }
        read.trim();
        read
    }

    fn trim(&mut self) {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
    }

    fn double(&mut self) {
        let mut carry = 0;
        for digit in self.digits.iter_mut().rev() {
            let doubled = *digit * 2 + carry;
            (*digit, carry) = (doubled % 10, doubled / 10);
        }
        if carry > 0 {
            self.digits.insert(0, carry);
            self.point += 1;
        }
        self.trim();
    }

    fn halve(&mut self) {
        let mut rest = 0;
        for digit in &mut self.digits {
            let dividend = rest * 10 + *digit;
            (*digit, rest) = (dividend / 2, dividend % 2);
        }
        if rest > 0 {
            self.digits.push(5);
        }
        if self.digits.first() == Some(&0) {
            self.digits.remove(0);
            self.point -= 1;
        }
    }

    /// The whole part, which has at most 19 digits, and how the fraction compares with a half.
    fn whole(&self) -> (u64, Ordering) {
        let digit = |at: i64| usize::try_from(at).ok().and_then(|at| self.digits.get(at)).copied().unwrap_or_default();
        let whole = (0..self.point).fold(0, |whole, at| whole * 10 + u64::from(digit(at)));
        let behind = i64::try_from(self.digits.len()).unwrap_or_default() - self.point - 1;
        let first = if self.point < 0 { 0 } else { digit(self.point) };
        (whole, first.cmp(&5).then(behind.max(0).cmp(&0)))
    }
}

/// The exponent after the `e`; beyond the range of doubles its exact value does not matter.
fn exponent(text: &[u8]) -> i64 {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let size = digits.fold(0_i64, |size, digit| size.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if text.first() == Some(&b'-') { -size } else { size }
}

/// The double nearest to the magnitude of a number in JSON's grammar.
pub(super) fn nearest(text: &str) -> f64 {
    let mut digits = Digits::read(text);
    if digits.digits.is_empty() || digits.point < -330 {
        return 0.0;
    }
    if digits.point > 310 {
        return f64::INFINITY;
    }
    // The significand is the whole part, scaled up as far as possible.
    let mut power = 0;
    while digits.point > 16 || digits.whole().0 >= 2 * HIDDEN {
        digits.halve();
        power += 1;
    }
    while power > MIN_EXPONENT && digits.whole().0 < HIDDEN {
        digits.double();
        power -= 1;
    }
    let (mut significand, behind) = digits.whole();
    significand += match behind {
        Ordering::Greater => 1,
        Ordering::Equal => significand & 1,
        Ordering::Less => 0,
    };
    if power > MAX_EXPONENT {
        return f64::INFINITY;
    }
    // The leading bit of a normal number adds one to the exponent field, as does a carry of the rounding.
    f64::from_bits((power - MIN_EXPONENT).unsigned_abs() * HIDDEN + significand)
}

/// The fewest digits that read back as this positive number, among them the nearest to it, and the position of the
/// point: `("125", 2)` is 12.5.
pub(super) fn shortest(number: f64) -> (String, i32) {
    let (field, stored) = (number.to_bits() / HIDDEN, number.to_bits() % HIDDEN);
    let mut text = String::new();
    write_whole((if field == 0 { stored } else { stored + HIDDEN }).cast_signed(), &mut text);
    let mut exact = Digits::read(&text);
    let power = field.max(1).cast_signed() - 1 + MIN_EXPONENT;
    (0..power).for_each(|_| exact.double());
    (power..0).for_each(|_| exact.halve());
    let point = exact.point;
    // Seventeen digits distinguish any two doubles.
    for count in 1..=17 {
        exact.point = count;
        let (below, behind) = exact.whole();
        let (first, second) = if behind.is_lt() { (below, below + 1) } else { (below + 1, below) };
        for whole in [first, second] {
            text.clear();
            write_whole(whole.cast_signed(), &mut text);
            let digits = text.len();
            text.push('e');
            write_whole(point - count, &mut text);
            if nearest(&text).to_bits() == number.to_bits() {
                // Removes the exponent, and the zeros that nines leave when they are rounded up to the next power of
                // ten.
                while text.len() > digits || text.ends_with('0') {
                    text.pop();
                }
                let point = point - count + i64::try_from(digits).unwrap_or_default();
                return (text, i32::try_from(point).unwrap_or_default());
            }
        }
    }
    (text, 0)
}
