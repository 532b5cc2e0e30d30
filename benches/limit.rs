//! The limit: hand-written minimal code that does the work of the benches, to which Esclusa is compared.
//!
//! What it leaves out: everything but one kind of flag (two plans, two roles, three regions, a share of the users);
//! segments, rules, variants, prerequisites, windows, overrides and kill switches; reasons and values; attributes other
//! than the five; texts longer than 15 bytes as plan, role or region; reading a snapshot, checking it, and saying what
//! is wrong with it; telling two keys with one hash apart; and several roles of one caller.

use std::sync::Arc;

use arc_swap::{ArcSwap, Cache};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::Caller;

/// A text of at most 15 bytes as one integer, with its length.
type Token = u128;

fn token(text: &str) -> Token {
    let mut bytes = [0; 16];
    for (place, byte) in bytes.iter_mut().zip(text.bytes().take(15)) {
        *place = byte;
    }
    if let Some(last) = bytes.last_mut() {
        *last = u8::try_from(text.len()).unwrap_or(u8::MAX);
    }
    Token::from_le_bytes(bytes)
}

/// A flag that is on for some plans, roles and regions and a tenth of the users.
#[derive(Debug)]
pub struct Flag {
    key_hash: u64,
    seed: u64,
    share: u64,
    plans: [Token; 2],
    roles: [Token; 2],
    regions: [Token; 3],
}

/// Flags in a table of their keys' hashes.
#[derive(Debug)]
pub struct Set {
    /// A power of two of places; each has at most one flag, and every probe ends at a free one.
    places: Vec<Option<u32>>,
    flags: Vec<Flag>,
}

/// A caller whose texts are tokens already.
#[derive(Debug)]
pub struct Prepared {
    plan: Token,
    role: Token,
    region: Token,
    unit: u64,
}

impl Prepared {
    /// What is known about a caller.
    #[must_use]
    pub fn new([user, _, plan, role, region]: &Caller) -> Self {
        Prepared::of(user, plan, role, region)
    }

    /// The same of texts that stand elsewhere.
    #[inline]
    #[must_use]
    pub fn of(user: &str, plan: &str, role: &str, region: &str) -> Self {
        Prepared { plan: token(plan), role: token(role), region: token(region), unit: xxh3_64(user.as_bytes()) }
    }
}

/// The same flags as [`rows`](crate::rows) has without companies.
#[must_use]
pub fn set(flags: u32) -> Set {
    let flags: Vec<Flag> = (0..flags)
        .map(|number| {
            let key = crate::key(number.into());
            Flag {
                key_hash: xxh3_64(key.as_bytes()),
                seed: xxh3_64_with_seed(key.as_bytes(), 1),
                share: 10_000,
                plans: ["PREMIUM", "ENTERPRISE"].map(token),
                roles: ["ADMIN", "OWNER"].map(token),
                regions: ["CO", "MX", "AR"].map(token),
            }
        })
        .collect();
    let mut places = vec![None; (2 * flags.len()).next_power_of_two()];
    for (number, flag) in (0..).zip(&flags) {
        let free = probe(flag.key_hash, places.len()).find(|&at| places.get(at).is_some_and(Option::is_none));
        if let Some(place) = free.and_then(|at| places.get_mut(at)) {
            *place = Some(number);
        }
    }
    Set { places, flags }
}

#[expect(clippy::cast_possible_truncation, reason = "only the lower bits count")]
fn probe(hash: u64, places: usize) -> impl Iterator<Item = usize> {
    (0..places).map(move |step| (hash as usize).wrapping_add(step) & (places - 1))
}

impl Set {
    /// Where a flag stands.
    #[inline]
    #[must_use]
    pub fn find(&self, key: &str) -> Option<usize> {
        let hash = xxh3_64(key.as_bytes());
        for at in probe(hash, self.places.len()) {
            let number = (*self.places.get(at)?)? as usize;
            if self.flags.get(number)?.key_hash == hash {
                return Some(number);
            }
        }
        None
    }

    /// Whether the flag of that number is on.
    #[inline]
    #[must_use]
    pub fn is_on(&self, number: usize, caller: &Prepared) -> bool {
        self.flags.get(number).is_some_and(|flag| flag.is_on(caller))
    }

    /// How many flags are on.
    #[must_use]
    pub fn count_on(&self, caller: &Prepared) -> usize {
        self.flags.iter().filter(|flag| flag.is_on(caller)).count()
    }
}

impl Flag {
    #[inline]
    fn is_on(&self, caller: &Prepared) -> bool {
        self.plans.contains(&caller.plan)
            && self.roles.contains(&caller.role)
            && self.regions.contains(&caller.region)
            && bucket(xxh3_64_with_seed(&caller.unit.to_le_bytes(), self.seed)) < self.share
    }
}

/// One of 100,000 buckets.
#[inline]
fn bucket(hash: u64) -> u64 {
    ((u128::from(hash) * 100_000) >> 64) as u64
}

/// The set that many threads read while it is swapped.
pub type Shared = Arc<ArcSwap<Set>>;
/// One thread's view of it.
pub type View = Cache<Shared, Arc<Set>>;

/// Whether a flag is on in the current set.
#[inline]
#[must_use]
pub fn is_enabled(shared: &Shared, key: &str, caller: &Prepared) -> bool {
    let set = shared.load();
    set.find(key).is_some_and(|number| set.is_on(number, caller))
}

/// The same of a flag that was found before, by a cached view.
#[inline]
#[must_use]
pub fn is_enabled_cached(view: &mut View, number: usize, caller: &Prepared) -> bool {
    view.load().is_on(number, caller)
}
