//! Which units were seen, in bounded room: the units with the smallest hashes, each with its arm.
//!
//! It is a KMV sketch (Bar-Yossef et al., RANDOM 2002; Beyer et al., SIGMOD 2007) as theta sketches generalise it
//! (Dasgupta, Lang, Rhodes, Thaler, arXiv 1510.01455). What is left out depends on the hash alone and not on the arm,
//! so a test of the arms stays exact while it samples. Sketches merge by union, in any order. Not taken: the crate
//! `datasketches`, whose theta sketch hashes by itself and keeps no arm for a hash.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::probability::real;

/// The side of a unit in the flag's own randomisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The flag's share leaves the unit out.
    Off,
    /// The flag's share takes the unit in.
    On,
}

/// A set of units, exact up to [`Units::CAPACITY`], then a sample of that size.
///
/// Hashes must be spread evenly over 64 bits, and independently of the bucket that decides the arm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct Units {
    /// Hashes from here on are left out.
    theta: u64,
    arms: BTreeMap<u64, Arm>,
    on: u64,
}

/// What is written of a set: its hashes, those of the off arm and those of the on arm, are below `theta`.
#[derive(Serialize, Deserialize)]
struct Kept {
    theta: u64,
    off: Vec<u64>,
    on: Vec<u64>,
}

impl From<Units> for Kept {
    fn from(units: Units) -> Self {
        let of = |arm: Arm| units.arms.iter().filter(|entry| *entry.1 == arm).map(|entry| *entry.0).collect();
        Self { theta: units.theta, off: of(Arm::Off), on: of(Arm::On) }
    }
}

impl From<Kept> for Units {
    fn from(kept: Kept) -> Self {
        let mut units = Self { theta: kept.theta, ..Self::default() };
        for (hashes, arm) in [(kept.off, Arm::Off), (kept.on, Arm::On)] {
            for hash in hashes {
                units.insert(hash, arm);
            }
        }
        units
    }
}

impl Default for Units {
    fn default() -> Self {
        Self { theta: u64::MAX, arms: BTreeMap::new(), on: 0 }
    }
}

impl Units {
    /// The most units that are kept: the number of distinct units is then known within 1.7 % (standard error).
    pub const CAPACITY: usize = 3584;

    /// Adds a unit; whether it is new and in the sample.
    pub fn insert(&mut self, hash: u64, arm: Arm) -> bool {
        if hash >= self.theta || self.arms.contains_key(&hash) {
            return false;
        }
        self.arms.insert(hash, arm);
        self.on += u64::from(arm == Arm::On);
        self.shrink();
        hash < self.theta
    }

    /// Adds the units of another sketch, for example of another process.
    pub fn merge(&mut self, other: &Self) {
        self.theta = self.theta.min(other.theta);
        self.arms.extend(other.arms.iter().map(|(&hash, &arm)| (hash, arm)));
        self.arms.split_off(&self.theta);
        self.on = self.arms.values().map(|&arm| u64::from(arm == Arm::On)).sum();
        self.shrink();
    }

    /// About how many different units of an arm were added; exact while nothing is left out.
    #[must_use]
    pub fn count(&self, arm: Arm) -> f64 {
        let kept = match arm {
            Arm::On => self.on,
            Arm::Off => self.arms.len() as u64 - self.on,
        };
        real(kept) / (real(self.theta) / real(u64::MAX))
    }

    fn shrink(&mut self) {
        while self.arms.len() > Self::CAPACITY {
            if let Some((hash, arm)) = self.arms.pop_last() {
                self.theta = hash;
                self.on -= u64::from(arm == Arm::On);
            }
        }
    }
}
