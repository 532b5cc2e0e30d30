//! Rounds over callers, timed or counted, and what came out of them.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Evaluations between two reads of the clock, so that their cost does not count.
const BETWEEN_LOOKS: usize = 100;

/// What a round did.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) evaluations: u64,
    pub(crate) yes: u64,
    pub(crate) elapsed: Duration,
}

#[expect(clippy::cast_precision_loss, reason = "shares and means of counts far below 2^52")]
impl Tally {
    pub(crate) fn ns(&self) -> f64 {
        self.elapsed.as_nanos() as f64 / self.evaluations as f64
    }

    pub(crate) fn share(&self) -> f64 {
        self.yes as f64 / self.evaluations as f64
    }
}

/// Runs rounds: one dynamic call for thousands of evaluations.
pub(crate) trait Rounds {
    /// Continues over the callers, from where it stopped, for that time.
    fn last(&mut self, time: Duration) -> Tally;
    /// Iterates over that many callers, without reading the clock.
    fn first(&mut self, callers: usize) -> Tally;
    /// Iterates over that many callers, or as many as the time allows.
    fn sample(&mut self, callers: usize, at_most: Duration) -> Tally;
}

/// A workload that is set up, or `None` if the engine cannot run it.
pub(crate) type SetUp = crate::Result<Option<Box<dyn Rounds>>>;

/// Items, for each of which `step` makes several evaluations and returns how many were on.
pub(crate) struct Lap<T, F> {
    pub(crate) items: Vec<T>,
    pub(crate) at: usize,
    pub(crate) evaluations: usize,
    pub(crate) step: F,
}

impl<T, F: FnMut(&T) -> usize> Lap<T, F> {
    /// Every item, with only the loop between the evaluations.
    #[inline]
    fn pass(step: &mut F, items: &[T]) -> u64 {
        items.iter().map(|item| black_box(step(black_box(item))) as u64).sum()
    }

    fn batch(&self) -> usize {
        BETWEEN_LOOKS.div_ceil(self.evaluations)
    }
}

impl<T, F: FnMut(&T) -> usize> Rounds for Lap<T, F> {
    fn last(&mut self, time: Duration) -> Tally {
        let (batch, mut tally, start) = (self.batch(), Tally::default(), Instant::now());
        while tally.elapsed < time {
            let rest = self.items.get(self.at..).unwrap_or_default();
            let items = rest.get(..batch).unwrap_or(rest);
            self.at = if items.len() == rest.len() { 0 } else { self.at + items.len() };
            tally.yes += Self::pass(&mut self.step, items);
            tally.evaluations += (items.len() * self.evaluations) as u64;
            tally.elapsed = start.elapsed();
        }
        tally
    }

    fn first(&mut self, callers: usize) -> Tally {
        let items = self.items.get(..callers).unwrap_or(&self.items);
        let yes = Self::pass(&mut self.step, items);
        Tally { evaluations: (items.len() * self.evaluations) as u64, yes, ..Tally::default() }
    }

    fn sample(&mut self, callers: usize, at_most: Duration) -> Tally {
        let (mut tally, start) = (Tally::default(), Instant::now());
        for item in self.items.iter().take(callers) {
            tally.yes += Self::pass(&mut self.step, std::slice::from_ref(item));
            tally.evaluations += self.evaluations as u64;
            tally.elapsed = start.elapsed();
            if tally.elapsed > at_most {
                break;
            }
        }
        tally
    }
}
