//! Evaluations that are counted, for those who ask for it: by flag, variant and reason. A plain `Flags` counts nothing.
//!
//! What is counted waits here, in bounded room, until it is reported; see `reporting`.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use esclusa::{Context, FlagSet, Flags, Reason, Resolution};

/// Threads count in so many places, so that they seldom wait for each other.
const STRIPES: usize = 8;
/// How many numbers are kept at most; what is beyond them is counted as dropped.
const MAX_SERIES: usize = 10_000;
/// The longest key.
const MAX_KEY_CHARS: usize = 200;

/// Flags whose evaluations are counted.
///
/// ```
/// use esclusa::{Context, FlagSet, Flags};
/// use esclusa_sync::CountedFlags;
///
/// let flags = Flags::new();
/// flags.publish(FlagSet::from_json(br#"[{"name": "crm", "enabled": true}]"#)?);
/// let counting = flags.counting();
/// assert!(counting.is_enabled("crm", &Context::new("ana")));
/// # Ok::<(), esclusa::SnapshotError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Counting {
    flags: Flags,
    counts: Arc<Counts>,
    /// One of so many evaluations is counted, as so many.
    one_in: u32,
}

/// Gives [`Flags`] the method `counting`.
pub trait CountedFlags {
    /// The same flags, whose evaluations through this handle are counted.
    fn counting(&self) -> Counting;
}

impl CountedFlags for Flags {
    fn counting(&self) -> Counting {
        Counting { flags: self.clone(), counts: Arc::default(), one_in: 1 }
    }
}

#[derive(Debug, Default)]
struct Counts {
    stripes: [Mutex<HashMap<String, Vec<Seen>>>; STRIPES],
    series: AtomicUsize,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct Seen {
    variant: Option<String>,
    reason: Reason,
    count: u64,
}

/// A number: the key of a flag, its variant, and the reason.
pub(crate) type Counted = (String, Option<String>, &'static str);

impl Counting {
    /// Counts one of so many evaluations, chosen at random, as so many.
    #[must_use]
    pub fn sampled(self, one_in: NonZeroU32) -> Self {
        Counting { one_in: one_in.get(), ..self }
    }

    /// The flags, which count nothing.
    #[must_use]
    pub fn flags(&self) -> &Flags {
        &self.flags
    }

    /// Whether the flag is on for this context, now; a missing key is off.
    #[must_use]
    pub fn is_enabled(&self, key: &str, context: &Context<'_>) -> bool {
        let set = self.flags.current();
        self.resolve_in(&set, key, context).is_enabled()
    }

    /// What the flag serves to this context in a set of these flags, and why.
    #[must_use]
    pub fn resolve_in<'s>(&self, set: &'s FlagSet, key: &str, context: &Context<'_>) -> Resolution<'s> {
        let resolution = set.resolve_by(key, context, || self.flags.now());
        if self.one_in == 1 || fastrand::u32(..self.one_in) == 0 {
            self.counts.add(key, &resolution, self.one_in.into());
        }
        resolution
    }

    /// What was counted since the last call, and the number of what was dropped.
    pub(crate) fn take(&self) -> (HashMap<Counted, u64>, u64) {
        let mut taken = HashMap::new();
        for stripe in &self.counts.stripes {
            for (key, seen) in std::mem::take(&mut *lock(stripe)) {
                self.counts.series.fetch_sub(seen.len(), Ordering::Relaxed);
                for Seen { variant, reason, count } in seen {
                    let sum = taken.entry((key.clone(), variant, reason.as_str())).or_insert(0_u64);
                    *sum = sum.saturating_add(count);
                }
            }
        }
        (taken, self.counts.dropped.swap(0, Ordering::Relaxed))
    }
}

impl Counts {
    fn add(&self, key: &str, resolution: &Resolution<'_>, count: u64) {
        // A flag without variants is on or off; without an answer there is neither.
        let side = if resolution.is_enabled() { "on" } else { "off" };
        let variant = resolution.variant().or_else(|| (!resolution.default_stands()).then_some(side));
        let reason = resolution.reason();
        let Some(stripe) = self.stripes.get(stripe()) else { return };
        let mut stripe = lock(stripe);
        let known = stripe
            .get_mut(key)
            .and_then(|seen| seen.iter_mut().find(|seen| seen.reason == reason && seen.variant.as_deref() == variant));
        if let Some(seen) = known {
            seen.count = seen.count.saturating_add(count);
            return;
        }
        let is_long = key.is_empty() || key.chars().nth(MAX_KEY_CHARS).is_some();
        if is_long || self.series.fetch_add(1, Ordering::Relaxed) >= MAX_SERIES {
            if !is_long {
                self.series.fetch_sub(1, Ordering::Relaxed);
            }
            self.dropped.fetch_add(count, Ordering::Relaxed);
            return;
        }
        let seen = Seen { variant: variant.map(str::to_owned), reason, count };
        stripe.entry(key.to_owned()).or_default().push(seen);
    }
}

/// The place where this thread counts.
fn stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
    }
    OWN.with(|own| *own)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use esclusa::{Context, FlagSet, Flags};

    use super::{CountedFlags, MAX_SERIES};

    fn flags() -> Flags {
        let flags = Flags::new();
        let rows = br#"[{"name": "crm", "enabled": true}, {"name": "off", "enabled": false},
            {"name": "colour", "enabled": true, "variants": [{"key": "red", "value": 1, "weight": 1}]}]"#;
        assert!(flags.publish(FlagSet::from_json(rows).unwrap()).is_published());
        flags
    }

    #[test]
    fn each_evaluation_is_counted_by_flag_variant_and_reason() {
        let counting = flags().counting();
        let ana = Context::new("ana");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| assert!(counting.is_enabled("crm", &ana))));
            }
        });
        assert!(!counting.is_enabled("off", &ana) && !counting.is_enabled("gone", &ana));
        assert!(counting.is_enabled("colour", &ana));
        let (mut counts, dropped): (Vec<_>, u64) = {
            let (counts, dropped) = counting.take();
            (counts.into_iter().collect(), dropped)
        };
        counts.sort();
        let expected = [
            (("colour", Some("red"), "STATIC"), 1),
            (("crm", Some("on"), "STATIC"), 4_000),
            (("gone", None, "ERROR"), 1),
            (("off", Some("off"), "DISABLED"), 1),
        ];
        let found: Vec<_> = counts
            .iter()
            .map(|((key, variant, reason), count)| ((&**key, variant.as_deref(), *reason), *count))
            .collect();
        assert_eq!((found, dropped), (expected.to_vec(), 0));
        assert!(counting.take().0.is_empty(), "they were taken");
    }

    #[test]
    fn names_from_callers_take_no_more_room_than_there_is() {
        let counting = flags().counting();
        let nobody = Context::anonymous();
        for key in 0..MAX_SERIES + 500 {
            assert!(!counting.is_enabled(&format!("key-{key}"), &nobody));
        }
        assert!(!counting.is_enabled(&"x".repeat(201), &nobody));
        let (counts, dropped) = counting.take();
        assert_eq!((counts.len(), dropped), (MAX_SERIES, 501));
        assert!(counting.is_enabled("crm", &nobody));
        assert_eq!(counting.take().0.len(), 1, "there is room again");
    }

    #[test]
    fn a_sample_counts_as_many_as_it_stands_for() {
        let counting = flags().counting().sampled(NonZeroU32::new(10).unwrap());
        let ana = Context::new("ana");
        (0..100_000).for_each(|_| assert!(counting.is_enabled("crm", &ana)));
        let count: u64 = counting.take().0.values().sum();
        // 10 standard deviations: 100,000 times 0.1 times 0.9, its root, times 10.
        assert!(count.abs_diff(100_000) < 10_000 && count.is_multiple_of(10), "{count}");
    }
}
