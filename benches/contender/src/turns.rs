//! Contenders of one program in turns within one process: one pass over all callers each, repeatedly.
//!
//! In a process of its own, a contender that branches by the caller runs in one order until the processor predicts its
//! branches. A pass of another contender in between reduces that effect, as other work does in an app.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::rounds::{Rounds, Tally};

/// Nanoseconds an evaluation, of each pass of each contender.
pub(crate) fn take(
    contenders: &mut [(&'static str, Box<dyn Rounds>)],
    passes: usize,
) -> BTreeMap<&'static str, Vec<f64>> {
    let mut taken: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..passes {
        for (name, rounds) in contenders.iter_mut() {
            let start = Instant::now();
            let pass = rounds.first(usize::MAX);
            let pass = Tally { elapsed: start.elapsed(), ..pass };
            taken.entry(name).or_default().push(pass.ns());
        }
    }
    taken
}
