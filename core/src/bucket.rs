//! Buckets: the integer from 0 to 99,999 that a unit and a salt hash to (section 6 of SEMANTICS.md).
//!
//! This file knows no flag and no context. Recipe 1 is frozen once released: nothing here may change what
//! [`Bucket::of`] answers. The hash is XXH3 (Yann Collet, <https://xxhash.com>).

use crate::number::thousandths;
use crate::value::Value;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Number of buckets; each is a thousandth of a percent.
pub const BUCKETS: u32 = 100_000;

/// An integer from 0 to 99,999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u32);

impl Bucket {
    /// The bucket of a unit in a salt, by recipe 1 (sentence 6.1).
    ///
    /// ```
    /// use esclusa::Bucket;
    /// assert_eq!(Bucket::of("user-42", "crm_advanced_features").number(), 85_510);
    /// ```
    #[must_use]
    pub fn of(unit: &str, salt: &str) -> Self {
        Bucketer::native(salt).bucket(hash(unit))
    }

    /// The salt of every choice of a variant of a flag with this salt (6.5).
    #[must_use]
    pub fn variant_salt(salt: &str) -> String {
        [salt, "/variant"].concat()
    }

    /// The salt of the rollout of a rule with this key (6.5).
    #[must_use]
    pub fn rule_salt(salt: &str, key: &str) -> String {
        [salt, "/rule/", key].concat()
    }

    /// The bucket as a number from 0 to 99,999.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

/// XXH3_64 of the UTF-8 bytes, seed 0: the hash of units and salts (sentence 6.1).
#[must_use]
#[cfg_attr(not(target_family = "wasm"), inline)]
pub fn hash(text: &str) -> u64 {
    // The same number, without a second copy of the function in WebAssembly.
    if cfg!(target_family = "wasm") { xxh3_64_with_seed(text.as_bytes(), 0) } else { xxh3_64(text.as_bytes()) }
}

/// How a unit becomes a bucket. An enum, so that recipes of other systems can join the native one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bucketer {
    /// Recipe 1: hashes the unit's hash with the salt's hash as the seed, and scales the result to the buckets.
    Recipe1 { salt_hash: u64 },
}

impl Bucketer {
    pub(crate) fn native(salt: &str) -> Self {
        Bucketer::Recipe1 { salt_hash: hash(salt) }
    }

    #[inline]
    pub(crate) fn bucket(self, unit_hash: u64) -> Bucket {
        let Bucketer::Recipe1 { salt_hash } = self;
        let scattered = xxh3_64_with_seed(&unit_hash.to_le_bytes(), salt_hash);
        if !cfg!(target_family = "wasm") {
            #[expect(clippy::cast_possible_truncation, reason = "it is below BUCKETS")]
            return Bucket(((u128::from(scattered) * u128::from(BUCKETS)) >> 64) as u32);
        }
        // The upper 64 bits of the product, in two halves: WebAssembly would call a function for a 128-bit product.
        let (high, low) = (scattered >> 32, scattered & 0xffff_ffff);
        let product = high * u64::from(BUCKETS) + ((low * u64::from(BUCKETS)) >> 32);
        Bucket((product >> 32) as u32)
    }
}

/// A share of the buckets in thousandths of a percent, 0 to 100,000; it admits the buckets below it (1.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Share(u32);

impl Share {
    pub(crate) const NOBODY: Share = Share(0);
    pub(crate) const EVERYONE: Share = Share(BUCKETS);

    /// The share of a percentage from 0 to 100, cut off after three decimals; `None` outside that range (2.2.6, 2.2.7).
    pub(crate) fn of_percentage(percentage: f64) -> Option<Self> {
        if !(0.0..=100.0).contains(&percentage) {
            return None;
        }
        u32::try_from(thousandths(percentage)).ok().map(Share)
    }

    pub(crate) fn thousandths(self) -> u32 {
        self.0
    }

    /// The percentage as JSON, as a snapshot writes it.
    pub(crate) fn percentage(self) -> Value<'static> {
        (f64::from(self.0) / 1000.0).into()
    }

    #[inline]
    pub(crate) fn admits(self, bucket: Bucket) -> bool {
        bucket.0 < self.0
    }
}

/// The percentage as text: `12.5 %`.
impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} %", f64::from(self.0) / 1000.0)
    }
}
