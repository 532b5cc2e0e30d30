//! Fingerprints: 64 bits by which publishing notices that a definition has changed (9.4), and the tables of compiling,
//! which go by the same hash. Never used for an answer.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The fingerprint of a definition.
pub(crate) fn fingerprint(definition: &impl Hash) -> u64 {
    let mut hasher = Chain(0);
    definition.hash(&mut hasher);
    hasher.finish()
}

/// Two fingerprints as one; the order counts.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let mut hasher = Chain(a);
    hasher.write_u64(b);
    hasher.finish()
}

/// A table for the time of compiling: less code than std's, and faster.
pub(crate) type Map<K, V> = hashbrown::HashMap<K, V, BuildHasherDefault<Chain>>;

/// The same without values.
pub(crate) type Set<K> = hashbrown::HashSet<K, BuildHasherDefault<Chain>>;

/// Each piece is hashed with the hash so far as its seed.
#[derive(Default)]
pub(crate) struct Chain(u64);

impl Hasher for Chain {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    // The many small fields of a definition need no more than a multiplication each.
    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(26) ^ number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number.unsigned_abs() as u64);
    }

    // A table takes the upper bits for one thing and the lower for another.
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}
