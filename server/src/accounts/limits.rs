//! How often a password may be tried: five times a minute for each account, and for each address.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use xxhash_rust::xxh3::xxh3_128;

/// How many tries a minute has.
const TRIES: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// Tries of the last minute. The keys are hashes, so that a long one takes no more room.
pub(crate) struct Limits {
    accounts: DefaultKeyedRateLimiter<u128>,
    addresses: DefaultKeyedRateLimiter<u128>,
}

impl Limits {
    pub(crate) fn new() -> Self {
        let limiter = || RateLimiter::hashmap(Quota::per_minute(TRIES));
        Limits { accounts: limiter(), addresses: limiter() }
    }

    /// Counts a try.
    ///
    /// # Errors
    /// How long to wait, if that was one too many. The address is looked at first, so that one address cannot fill the memory
    /// with accounts.
    pub(crate) fn count(&self, account: &str, address: &str) -> Result<(), Duration> {
        let check = |limiter: &DefaultKeyedRateLimiter<u128>, key: &str| {
            let checked = limiter.check_key(&xxh3_128(key.as_bytes()));
            checked.map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
        };
        check(&self.addresses, address)?;
        check(&self.accounts, &account.trim().to_lowercase())
    }

    /// Forgets those who have all their tries again.
    pub(crate) fn forget(&self) {
        self.accounts.retain_recent();
        self.addresses.retain_recent();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Limits;

    #[test]
    fn the_sixth_try_waits() {
        let limits = Limits::new();
        for _ in 0..5 {
            limits.count("ana@example.com", "192.0.2.1").unwrap();
        }
        let wait = limits.count("ana@example.com", "192.0.2.2").unwrap_err();
        assert!(wait > Duration::from_secs(5) && wait <= Duration::from_secs(12), "{wait:?}");
        limits.count(" Ana@Example.com", "192.0.2.3").unwrap_err();
        limits.count("bo@example.com", "192.0.2.1").unwrap_err();
        limits.count("bo@example.com", "192.0.2.2").unwrap();
        limits.forget();
        limits.count("ana@example.com", "192.0.2.4").unwrap_err();
    }
}
