//! The handle that an app holds: the current flag set, swapped atomically (section 9 of SEMANTICS.md).
//!
//! Readers never wait and never free memory: a load is a few atomic operations, or one with a [`Reader`]. A replaced
//! set is retired on the publisher's side until no reader holds it. No other file of the core knows a clock; the clock
//! is read only for flags whose answer depends on the time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::context::Context;
use crate::current::{Cell, View};
use crate::flag_set::{Flag, FlagId, FlagSet};
use crate::guarded::GUARDS;
use crate::kept::keep;
use crate::report::{Outcome, Report};
use crate::resolution::Resolution;
use crate::time::Time;
use crate::trips::{self, Trips};

/// The current flag set, shared by everything that reads it. Cloning gives another handle to the same.
///
/// ```
/// use esclusa::{Context, FlagSet, Flags};
/// let flags = Flags::new();
/// let context = Context::new("user-42").company("acme").plan("PREMIUM");
/// assert!(!flags.is_enabled("crm_advanced_features", &context), "off until something is published");
///
/// let rows = br#"[{"name": "crm_advanced_features", "enabled": true, "target_plans": ["PREMIUM"]}]"#;
/// let report = flags.publish(FlagSet::from_json(rows)?);
/// assert_eq!(report.added(), ["crm_advanced_features"]);
/// assert!(flags.is_enabled("crm_advanced_features", &context));
/// # Ok::<(), esclusa::SnapshotError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Flags {
    current: Arc<Cell>,
    publisher: Arc<Mutex<Publisher>>,
    clock: fn() -> Time,
}

/// The next publish sequence number, for all handles of the process, so that a [`Key`] never confuses two sets.
static PUBLISHED: AtomicU64 = AtomicU64::new(1);

/// The state that only publishing touches.
#[derive(Debug, Default)]
struct Publisher {
    /// Replaced sets that a reader may still hold.
    retired: Vec<Arc<FlagSet>>,
    /// A build without rules takes none.
    trips: [Trips; GUARDS],
}

impl Default for Flags {
    fn default() -> Self {
        Flags::new()
    }
}

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
fn host_clock() -> Time {
    std::time::SystemTime::now().into()
}

/// The bare WebAssembly target has no clock: the host passes its own to [`Flags::with_clock`].
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
fn host_clock() -> Time {
    Time::from_millis(0)
}

impl Flags {
    /// A handle that has published nothing yet: every flag is off, and every default stands.
    #[must_use]
    pub fn new() -> Self {
        Flags::with_clock(host_clock)
    }

    /// The same with the host's clock, by which windows and schedules are evaluated.
    #[must_use]
    pub fn with_clock(clock: fn() -> Time) -> Self {
        let mut empty = FlagSet::empty();
        empty.not_ready = true;
        Flags { current: Arc::new(Cell::from_pointee(empty)), publisher: Arc::default(), clock }
    }

    /// Makes a flag set the current one, unless its revision is older than the current set's.
    ///
    /// Flags that it sets aside keep their last good definition from the set that it replaces.
    pub fn publish(&self, set: FlagSet) -> Report {
        self.replace(set, |current, new| matches!((current, new), (Some(current), Some(new)) if new < current))
    }

    /// Makes a flag set the current one, even if its revision is older than the current set's.
    pub fn publish_accepting_older(&self, set: FlagSet) -> Report {
        self.replace(set, |_, _| false)
    }

    fn replace(&self, set: FlagSet, is_refused: fn(Option<u64>, Option<u64>) -> bool) -> Report {
        let mut publisher = self.publisher.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.current.load_full();
        if is_refused(before.revision, set.revision) {
            return Report::refused(&before, &set);
        }
        let mut set = keep(set, &before);
        set.not_ready = false;
        for trips in &mut publisher.trips {
            set = trips::lay(set, trips);
        }
        self.swap(&mut publisher, before, set)
    }

    /// Switches a flag off whose guard has tripped, now and in every later set until its run is higher (9.11).
    ///
    /// A flag that is not in the current set is off as soon as one has it.
    #[cfg(feature = "rules")]
    pub fn trip(&self, trip: trips::Trip) -> Report {
        let mut publisher = self.publisher.lock().unwrap_or_else(PoisonError::into_inner);
        let [trips] = &mut publisher.trips;
        trips::take(trips, trip);
        let before = self.current.load_full();
        if before.not_ready {
            return Report::new(&before, &before, Outcome::Published);
        }
        let set = trips::lay(FlagSet::clone(&before), trips);
        self.swap(&mut publisher, before, set)
    }

    fn swap(&self, publisher: &mut Publisher, before: Arc<FlagSet>, mut set: FlagSet) -> Report {
        set.publication = PUBLISHED.fetch_add(1, Ordering::Relaxed);
        let set = Arc::new(set);
        let report = Report::new(&before, &set, Outcome::Published);
        drop(before);
        publisher.retired.push(self.current.swap(set));
        publisher.sweep();
        report
    }

    /// Frees replaced sets that no reader holds any more; publishing does so too. Returns how many are still held.
    pub fn sweep(&self) -> usize {
        let mut publisher = self.publisher.lock().unwrap_or_else(PoisonError::into_inner);
        publisher.sweep();
        publisher.retired.len()
    }

    /// The current set. Use one set for a whole request, so that its answers are consistent.
    #[must_use]
    pub fn current(&self) -> Arc<FlagSet> {
        self.current.load_full()
    }

    /// Whether this set is the current one. It costs less than [`current`](Self::current), which takes a reference.
    #[must_use]
    pub fn is_current(&self, set: &FlagSet) -> bool {
        std::ptr::eq(&raw const **self.current.load(), set)
    }

    /// A new handle with the current set. Later publishes to this handle do not change it. For hosts whose handles
    /// offer more than a set does.
    #[must_use]
    pub fn held(&self) -> Flags {
        Flags { current: Arc::new(Cell::from(self.current())), publisher: Arc::default(), clock: self.clock }
    }

    /// Whether the flag is on for this context, now; a missing key is off.
    #[inline]
    pub fn is_enabled<K: FlagKey + ?Sized>(&self, key: &K, context: &Context<'_>) -> bool {
        is_enabled(&self.current.load(), key, context, self.clock)
    }

    /// The time by the clock of this handle.
    #[must_use]
    pub fn now(&self) -> Time {
        (self.clock)()
    }

    /// A key that is resolved to its flag once for each published set instead of in each call.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Key {
        let text = key.into();
        Key { text, slot: AtomicU64::new(Key::NOWHERE) }
    }

    /// A reader for one thread, for which loading the current set costs next to nothing.
    ///
    /// It holds the set of its last call: an idle reader keeps one old set alive until [`Reader::refresh`].
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { cache: View::new(Arc::clone(&self.current)), clock: self.clock }
    }
}

impl Publisher {
    /// After the swap no new reader can load a retired set, so a set that only this list holds is free.
    fn sweep(&mut self) {
        self.retired.retain(|set| Arc::strong_count(set) > 1);
    }
}

#[inline(always)]
fn is_enabled<K: FlagKey + ?Sized>(set: &FlagSet, key: &K, context: &Context<'_>, clock: fn() -> Time) -> bool {
    key.find_in(set).is_some_and(|(id, flag)| set.is_on(id, flag, context, clock))
}

/// One thread's view of the current set.
#[derive(Clone, Debug)]
pub struct Reader {
    cache: View,
    clock: fn() -> Time,
}

impl Reader {
    /// The current set, to be used for a whole request.
    #[inline(always)]
    pub fn current(&mut self) -> &FlagSet {
        self.cache.load()
    }

    /// Whether the flag is on for this context, now; a missing key is off.
    #[inline]
    pub fn is_enabled<K: FlagKey + ?Sized>(&mut self, key: &K, context: &Context<'_>) -> bool {
        let clock = self.clock;
        is_enabled(self.current(), key, context, clock)
    }

    /// Releases the old set if it was replaced.
    pub fn refresh(&mut self) {
        self.current();
    }
}

impl FlagSet {
    /// What the flag serves to this context, and why, with its key as text or as a [`Key`]. The clock is asked for the
    /// time only if the answer can depend on it, and at most once.
    ///
    /// ```
    /// use esclusa::{Context, FlagSet, Flags, Time};
    /// let flags = Flags::new();
    /// let key = flags.key("crm_advanced_features");
    /// flags.publish(FlagSet::from_json(br#"[{"name": "crm_advanced_features", "enabled": true}]"#)?);
    /// let mut asked = 0;
    /// let set = flags.current();
    /// let resolution = set.resolve_by(&key, &Context::new("user-42"), || {
    ///     asked += 1;
    ///     Time::from_millis(0)
    /// });
    /// assert!(resolution.is_enabled());
    /// assert_eq!(asked, 0, "there is neither window nor schedule");
    /// # Ok::<(), esclusa::SnapshotError>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn resolve_by<K: FlagKey + ?Sized>(
        &self,
        key: &K,
        context: &Context<'_>,
        clock: impl FnOnce() -> Time,
    ) -> Resolution<'_> {
        let Some((id, flag)) = key.find_in(self) else { return Resolution::none(self.absence()) };
        let now = if flag.timed { clock() } else { Time::from_millis(0) };
        self.resolve_id(id, context, now)
    }
}

/// A flag's name: its key as text, or a [`Key`].
pub trait FlagKey: private::Find {}

impl FlagKey for str {}
impl FlagKey for String {}
impl FlagKey for Key {}

pub(crate) mod private {
    use crate::flag_set::{Flag, FlagId, FlagSet};

    /// The flag in a set, and its index. Sealed: no other type can name a flag.
    pub trait Find {
        fn find_in<'s>(&self, set: &'s FlagSet) -> Option<(FlagId, &'s Flag)>;
    }
}

impl private::Find for str {
    #[inline]
    fn find_in<'s>(&self, set: &'s FlagSet) -> Option<(FlagId, &'s Flag)> {
        set.find(self).map(|id| (id, set.flag(id)))
    }
}

impl private::Find for String {
    #[inline]
    fn find_in<'s>(&self, set: &'s FlagSet) -> Option<(FlagId, &'s Flag)> {
        self.as_str().find_in(set)
    }
}

/// A key that remembers the index of its flag in the set that it was last used with.
///
/// It survives publishing, finds flags that are added later, and can be shared by threads.
#[derive(Debug)]
pub struct Key {
    text: String,
    /// The publish sequence number in the upper bits; in the lower [`SLOT_BITS`] the index of the flag, or [`NO_FLAG`].
    slot: AtomicU64,
}

/// A snapshot may have fewer flags than these bits count.
const SLOT_BITS: u32 = 20;
/// No set has a flag of this index.
const NO_FLAG: u32 = (1 << SLOT_BITS) - 1;

impl Key {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// No published set has this sequence number.
    const NOWHERE: u64 = u64::MAX;

    #[cold]
    fn look_up(&self, set: &FlagSet) -> Option<FlagId> {
        let found = set.find(&self.text);
        if set.publication != 0 {
            let number = found.map_or(NO_FLAG, |id| id.0);
            self.slot.store(set.publication << SLOT_BITS | u64::from(number), Ordering::Relaxed);
        }
        found
    }
}

impl private::Find for Key {
    #[inline(always)]
    fn find_in<'s>(&self, set: &'s FlagSet) -> Option<(FlagId, &'s Flag)> {
        let slot = self.slot.load(Ordering::Relaxed);
        if slot >> SLOT_BITS != set.publication {
            return self.look_up(set).map(|id| (id, set.flag(id)));
        }
        #[expect(clippy::cast_possible_truncation, reason = "only the lower bits count")]
        let number = slot as u32 & NO_FLAG;
        set.flags.get(number as usize).map(|flag| (FlagId(number), flag))
    }
}

impl Clone for Key {
    fn clone(&self) -> Self {
        Key { text: self.text.clone(), slot: AtomicU64::new(self.slot.load(Ordering::Relaxed)) }
    }
}
