//! Fingerprints: 64-bit hashes by which publishing notices that a definition has changed (9.4), and seeded hash tables.
//! A fingerprint never decides an answer; a table compares the texts themselves.

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::DefaultHashBuilder;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The fingerprint of a definition.
pub(crate) fn fingerprint(definition: &impl Hash) -> u64 {
    let mut hasher = Chain(0);
    definition.hash(&mut hasher);
    hasher.finish()
}

/// Combines two fingerprints; the order matters.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let mut hasher = Chain(a);
    hasher.write_u64(b);
    hasher.finish()
}

/// A hash table for compiling. Its seed is random, so an author cannot choose texts that collide.
pub(crate) type Map<K, V> = hashbrown::HashMap<K, V>;

/// The same without values.
pub(crate) type Set<K> = hashbrown::HashSet<K>;

/// Mixes a seed into hashes that are known in advance, so that an author cannot choose hashes that collide in a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread(u64);

impl Default for Spread {
    fn default() -> Self {
        Spread(DefaultHashBuilder::default().hash_one(0_u64))
    }
}

impl Spread {
    /// The hash to use in the table.
    pub(crate) fn over(self, hash: u64) -> u64 {
        xxh3_64_with_seed(&hash.to_le_bytes(), self.0)
    }

    /// The hash of a text in this table alone.
    #[inline]
    pub(crate) fn of(self, text: &str) -> u64 {
        xxh3_64_with_seed(text.as_bytes(), self.0)
    }
}

/// Each piece is hashed with the hash so far as its seed.
#[derive(Default)]
pub(crate) struct Chain(u64);

impl Hasher for Chain {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    // One multiplication is enough for each of the many small fields of a definition.
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

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}
