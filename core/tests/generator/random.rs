//! A small generator of random numbers (SplitMix64, <https://prng.di.unimi.it/splitmix64.c>): the same seed gives the
//! same numbers on every machine and in every release.

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The one of `ESCLUSA_SEED`, or the one that every test run uses.
    pub(crate) fn seed() -> u64 {
        match std::env::var("ESCLUSA_SEED") {
            Ok(seed) => seed.parse().unwrap_or_else(|_| panic!("ESCLUSA_SEED is `{seed}`, expected a whole number")),
            Err(_) => 20_250_615,
        }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// Some of the choices, in a random order, the same one possibly twice.
    pub(crate) fn some<'a>(&mut self, choices: &[&'a str], most: usize) -> Vec<&'a str> {
        (0..self.between(0, most)).map(|_| self.pick(choices)).collect()
    }
}
