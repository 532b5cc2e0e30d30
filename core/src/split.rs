//! Splits: weights as half-open ranges of buckets that cover the space exactly (sentence 6.6 of SEMANTICS.md).

use crate::bucket::{BUCKETS, Bucket};

/// The half-open ranges `lo <= bucket < hi` of these weights, in their order.
///
/// Each weight gets the floor of its part of the 100,000 buckets; the remaining buckets go one each to the largest
/// remainders (Hamilton's method), ties to the earlier weight. Empty if there are no weights or all are 0.
///
/// ```
/// assert_eq!(esclusa::ranges(&[1, 1, 1]), [(0, 33_334), (33_334, 66_667), (66_667, 100_000)]);
/// ```
#[must_use]
pub fn ranges(weights: &[u64]) -> Vec<(u32, u32)> {
    let sum: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    if sum == 0 {
        return Vec::new();
    }
    let parts: Vec<(u32, u128)> = weights.iter().map(|&weight| part(weight, sum)).collect();
    let given: u32 = parts.iter().map(|part| part.0).sum();
    // One each for the largest remainders; the last of them may equal others.
    let left = BUCKETS.saturating_sub(given) as usize;
    let least = least_of_the_largest(&parts, left, sum);
    let mut equal = left.saturating_sub(parts.iter().filter(|part| part.1 > least).count());
    let mut lo = 0;
    let range = |(width, rest): (u32, u128)| {
        let is_larger = rest > least || (rest == least && equal > 0);
        equal -= usize::from(is_larger && rest == least);
        let hi = lo + width + u32::from(is_larger);
        (std::mem::replace(&mut lo, hi), hi)
    };
    parts.into_iter().map(range).collect()
}

/// The `count`-th largest remainder, found bit by bit from the highest: a bit is set if at least `count` remainders are
/// that large.
///
/// This needs no sort, which is several times the code in WebAssembly.
fn least_of_the_largest(parts: &[(u32, u128)], count: usize, sum: u128) -> u128 {
    let (mut least, mut bit) = (0, 1);
    while bit < sum {
        bit += bit;
    }
    while bit > 0 {
        if parts.iter().filter(|part| part.1 >= least + bit).count() >= count {
            least += bit;
        }
        bit >>= 1;
    }
    least
}

/// The quotient and remainder of `weight * BUCKETS / sum`.
///
/// A long division over the bits of `BUCKETS`: in WebAssembly a product and a quotient of 128 bits are several
/// kilobytes.
fn part(weight: u64, sum: u128) -> (u32, u128) {
    let (mut width, mut rest) = (0, 0);
    for bit in (0..=BUCKETS.ilog2()).rev() {
        (width, rest) = (2 * width, 2 * rest);
        if BUCKETS >> bit & 1 == 1 {
            rest += u128::from(weight);
        }
        while rest >= sum {
            rest -= sum;
            width += 1;
        }
    }
    (width, rest)
}

/// One part of a compiled split: `variant` serves the buckets from the end of the part before to below `end`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portion<V> {
    pub(crate) end: u32,
    pub(crate) variant: V,
}

/// The portions of a list of weighted variants, without empty ones, so that a search always succeeds.
pub(crate) fn portions<V: Copy>(weighted: &[(V, u64)]) -> Vec<Portion<V>> {
    let weights: Vec<u64> = weighted.iter().map(|part| part.1).collect();
    ranges(&weights)
        .into_iter()
        .zip(weighted)
        .filter(|((lo, hi), _)| lo < hi)
        .map(|((_, end), (variant, _))| Portion { end, variant: *variant })
        .collect()
}

/// The variant that the bucket falls to; `None` only for no portions.
pub(crate) fn choose<V: Copy>(portions: &[Portion<V>], bucket: Bucket) -> Option<V> {
    portions.iter().find(|portion| bucket.number() < portion.end).map(|portion| portion.variant)
}
