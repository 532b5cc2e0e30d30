//! Splits: weights as half-open ranges of buckets that cover the space exactly (sentence 6.6 of SEMANTICS.md).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::bucket::{BUCKETS, Bucket};

/// The half-open ranges `lo <= bucket < hi` that the weights become, in their order.
///
/// Each weight gets the floor of its part of the 100,000 buckets; what is left over goes one bucket each to
/// the largest remainders (Hamilton's method), ties to the earlier weight. Empty for no weights or only 0.
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
    let space = u128::from(BUCKETS);
    let mut parts: Vec<(u128, u128)> = weights
        .iter()
        .map(|&weight| {
            let share = u128::from(weight) * space;
            (share / sum, share % sum)
        })
        .collect();
    let given: u128 = parts.iter().map(|part| part.0).sum();
    let left = usize::try_from(space.saturating_sub(given)).unwrap_or_default();
    let remainders = parts.iter().enumerate().map(|(at, part)| (part.1, Reverse(at)));
    let mut largest: BinaryHeap<(u128, Reverse<usize>)> = remainders.collect();
    for _ in 0..left {
        if let Some((_, Reverse(at))) = largest.pop()
            && let Some(part) = parts.get_mut(at)
        {
            part.0 += 1;
        }
    }
    let mut lo = 0;
    parts
        .into_iter()
        .map(|(width, _)| {
            let hi = lo + u32::try_from(width).unwrap_or(BUCKETS);
            (std::mem::replace(&mut lo, hi), hi)
        })
        .collect()
}

/// One part of a compiled split: the buckets below `end` that no earlier part took serve `variant`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portion<V> {
    pub(crate) end: u32,
    pub(crate) variant: V,
}

/// The portions that a list of weighted variants becomes; empty ones are left out, so it is never searched in vain.
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
