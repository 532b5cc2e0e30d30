//! A host: the tables of one JavaScript thread.
//!
//! No function here fails: an unknown number gives the answer of an empty table. The TypeScript half never passes one,
//! and answers must not depend on that.

use std::sync::Arc;

#[cfg(feature = "sync")]
use esclusa::sync::{EventReader, Protocol};
use esclusa::{Context, Flags, Key, Reader, Time};

use crate::answer;
#[cfg(feature = "server")]
use crate::mapping::publish_mapped;
use crate::outcome::Outcomes;
#[cfg(feature = "server")]
use crate::plain_object::plain_object;
#[cfg(feature = "sync")]
use crate::protocol::{protocol, step};
use crate::publish::{Options, publish};
#[cfg(feature = "server")]
use crate::served;
use crate::shared::Shared;
use crate::table::Table;

/// The index of the context for a single call.
pub const SCRATCH: u32 = 0;
/// The index of the context without a targeting key and without attributes.
pub const NOBODY: u32 = 1;
/// Instead of a slot: there is no flag of that key.
pub const ABSENT: i32 = -1;
/// Instead of a slot: nothing is published yet.
pub const NOT_READY: i32 = -2;

/// Flags, keys, contexts, protocols and streams of events by number.
#[derive(Debug)]
pub struct Host {
    clock: fn() -> Time,
    handles: Table<Handle>,
    contexts: Table<Context<'static>>,
    #[cfg(feature = "sync")]
    protocols: Table<Protocol>,
    #[cfg(feature = "sync")]
    streams: Table<EventReader>,
}

#[derive(Debug)]
struct Handle {
    flags: Arc<Shared>,
    reader: Reader,
    /// The keys that were used, by slot.
    keys: Vec<Key>,
    outcomes: Outcomes,
    /// The events that were tracked, by slot.
    #[cfg(feature = "guard")]
    events: Vec<String>,
}

impl Handle {
    fn new(flags: Arc<Shared>) -> Self {
        Handle {
            reader: flags.reader(),
            flags,
            keys: Vec::new(),
            outcomes: Outcomes::default(),
            #[cfg(feature = "guard")]
            events: Vec::new(),
        }
    }
}

impl Host {
    /// Empty tables, with the clock for windows and schedules.
    #[must_use]
    pub fn new(clock: fn() -> Time) -> Self {
        let mut contexts = Table::default();
        for _ in [SCRATCH, NOBODY] {
            contexts.add(Context::anonymous());
        }
        Host {
            clock,
            handles: Table::default(),
            contexts,
            #[cfg(feature = "sync")]
            protocols: Table::default(),
            #[cfg(feature = "sync")]
            streams: Table::default(),
        }
    }

    /// New flags with nothing published.
    pub fn open(&mut self) -> Option<u32> {
        self.adopt(Arc::new(Shared::new(Flags::with_clock(self.clock))))
    }

    /// Flags that another host may hold too.
    pub fn adopt(&mut self, flags: Arc<Shared>) -> Option<u32> {
        self.handles.add(Handle::new(flags))
    }

    /// The flags of that number, for other threads.
    #[must_use]
    pub fn flags(&self, flags: u32) -> Option<&Arc<Shared>> {
        self.handles.get(flags).map(|handle| &handle.flags)
    }

    /// Frees flags.
    pub fn close(&mut self, flags: u32) {
        self.handles.remove(flags);
    }

    /// Publishes at once; [`publish`] does it from another thread.
    #[must_use]
    pub fn publish(&mut self, flags: u32, snapshot: &[u8], options: Options) -> String {
        let Some(handle) = self.handles.get(flags) else { return String::new() };
        let said = publish(&handle.flags, snapshot, options);
        self.settle(flags);
        said
    }

    /// The same with rows that a mapping reads; [`publish_mapped`] does it from another thread.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn publish_mapped(&mut self, flags: u32, rows: &[u8], mapping: &str, options: Options) -> String {
        let Some(handle) = self.handles.get(flags) else { return String::new() };
        let said = publish_mapped(&handle.flags, rows, mapping, options);
        self.settle(flags);
        said
    }

    /// Lets the publisher free the replaced set, which this thread's reader still holds.
    pub fn settle(&mut self, flags: u32) {
        if let Some(handle) = self.handles.get_mut(flags) {
            handle.reader.refresh();
            handle.flags.sweep();
        }
    }

    /// Keeps a context: its number, or `None` if the JSON is not a context.
    pub fn context(&mut self, json: &[u8]) -> Option<u32> {
        let context = Context::from_json(json).ok()?.into_owned();
        self.contexts.add(context)
    }

    /// Puts a context under [`SCRATCH`], for the next call; false if the JSON is not a context.
    pub fn scratch(&mut self, json: &[u8]) -> bool {
        self.put(Context::from_json(json).ok())
    }

    /// The same for a plain object in its form of one text, if it has that form.
    #[cfg(feature = "server")]
    pub fn scratch_fields(&mut self, shape: &[u32], text: &str) -> bool {
        self.put(plain_object(shape, text).and_then(|object| Context::from_value(object).ok()))
    }

    fn put(&mut self, context: Option<Context<'_>>) -> bool {
        let Some(context) = context else { return false };
        if let Some(place) = self.contexts.get_mut(SCRATCH) {
            *place = context.into_owned();
        }
        true
    }

    /// Frees a context.
    pub fn forget(&mut self, context: u32) {
        if context > NOBODY {
            self.contexts.remove(context);
        }
    }

    /// The slot of a key, or [`ABSENT`] or [`NOT_READY`]. Only keys of existing flags get one, so that there are no
    /// more slots than flags. Each call for one key gives a new slot: the caller keeps the first.
    pub fn slot(&mut self, flags: u32, key: &str) -> i32 {
        let Some(handle) = self.handles.get_mut(flags) else { return NOT_READY };
        let set = handle.reader.current();
        if !set.is_ready() {
            return NOT_READY;
        }
        if !set.contains(key) {
            return ABSENT;
        }
        let Ok(slot) = i32::try_from(handle.keys.len()) else { return ABSENT };
        handle.keys.push(handle.flags.key(key));
        slot
    }

    /// Whether the flag is on for this context, now.
    #[inline]
    pub fn is_enabled(&mut self, flags: u32, slot: u32, context: u32) -> bool {
        let (Some(handle), Some(context)) = (self.handles.get_mut(flags), self.contexts.get(context)) else {
            return false;
        };
        let Some(key) = handle.keys.get(slot as usize) else { return false };
        handle.reader.is_enabled(key, context)
    }

    /// The number of the outcome (see [`take_outcome`](Self::take_outcome)) of the flag for this context at this time;
    /// `NaN` is now. `u32::MAX` stands for none.
    #[inline]
    pub fn resolve(&mut self, flags: u32, slot: u32, context: u32, now: f64) -> u32 {
        let time = time(self.clock, now);
        let (Some(handle), Some(context)) = (self.handles.get_mut(flags), self.contexts.get(context)) else {
            return u32::MAX;
        };
        let Some(key) = handle.keys.get(slot as usize) else { return u32::MAX };
        let set = handle.reader.current();
        if handle.outcomes.are_of(set) {
            return handle.outcomes.number(&set.resolve_by(key, context, time));
        }
        let set = handle.flags.current();
        handle.outcomes.begin(&set);
        handle.outcomes.number(&set.resolve_by(key, context, time))
    }

    /// The same number if it was given before, and `u32::MAX` if not: this neither allocates nor changes anything, so
    /// an interruption is harmless.
    #[inline]
    #[must_use]
    pub fn known(&mut self, flags: u32, slot: u32, context: u32, now: f64) -> u32 {
        let time = time(self.clock, now);
        let (Some(handle), Some(context)) = (self.handles.get_mut(flags), self.contexts.get(context)) else {
            return u32::MAX;
        };
        let Some(key) = handle.keys.get(slot as usize) else { return u32::MAX };
        let set = handle.reader.current();
        if !handle.outcomes.are_of(set) {
            return u32::MAX;
        }
        handle.outcomes.known(&set.resolve_by(key, context, time)).unwrap_or(u32::MAX)
    }

    /// Takes the outcome of that number as JSON, if it is new.
    #[must_use]
    pub fn take_outcome(&mut self, flags: u32, number: u32) -> String {
        self.handles.get_mut(flags).map(|handle| handle.outcomes.take(number)).unwrap_or_default()
    }

    /// What every flag serves, as JSON.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn resolve_all(&mut self, flags: u32, context: u32, now: f64) -> String {
        self.with(flags, context, now, served::resolve_all)
    }

    /// An explanation as JSON.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn explain(&mut self, flags: u32, key: &str, context: u32, now: f64) -> String {
        self.with(flags, context, now, |set, context, now| served::explain(set, key, context, now))
    }

    /// A projection as JSON, of the keys that a JSON array names or of all.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn project(&mut self, flags: u32, keys: Option<&str>, context: u32, now: f64) -> String {
        self.with(flags, context, now, |set, context, now| served::project(set, keys, context, now))
    }

    /// A client snapshot as JSON, of the keys that a JSON array names or of all.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn client_snapshot(&mut self, flags: u32, keys: Option<&str>, context: u32, now: f64) -> String {
        self.with(flags, context, now, |set, context, now| served::client_snapshot(set, keys, context, now))
    }

    /// Keeps the current set as flags of its own, which take no publish. Returns their index.
    #[cfg(feature = "server")]
    pub fn hold(&mut self, flags: u32) -> Option<u32> {
        let held = self.handles.get(flags)?.flags.held();
        self.adopt(Arc::new(Shared::new(held)))
    }

    /// Whether those hold the current set of these flags.
    #[cfg(feature = "server")]
    #[inline]
    #[must_use]
    pub fn holds(&mut self, flags: u32, held: u32) -> bool {
        let mut set = |flags| self.handles.get_mut(flags).map(|handle| std::ptr::from_ref(handle.reader.current()));
        let current = set(flags);
        current.is_some() && current == set(held)
    }

    /// The keys of the current set as a JSON array.
    #[must_use]
    pub fn keys(&mut self, flags: u32) -> String {
        self.with(flags, NOBODY, 0.0, |set, _, _| answer::keys(set))
    }

    /// What is known about the current set, as JSON.
    #[must_use]
    pub fn about(&mut self, flags: u32) -> String {
        self.with(flags, NOBODY, 0.0, |set, _, _| answer::about(set))
    }

    fn with(
        &mut self,
        flags: u32,
        context: u32,
        now: f64,
        answer: impl FnOnce(&esclusa::FlagSet, &Context<'_>, Time) -> String,
    ) -> String {
        let now = time(self.clock, now)();
        match (self.handles.get_mut(flags), self.contexts.get(context)) {
            (Some(handle), Some(context)) => answer(handle.reader.current(), context, now),
            _ => String::new(),
        }
    }
}

/// The time: JavaScript's in milliseconds, or the clock's if none was given.
fn time(clock: fn() -> Time, now: f64) -> impl FnOnce() -> Time {
    move || {
        if now.is_nan() {
            return clock();
        }
        #[expect(clippy::cast_possible_truncation, reason = "what is finer than a millisecond is cut off (1.9)")]
        Time::from_millis(now.floor() as i64)
    }
}

#[cfg(feature = "sync")]
impl Host {
    /// A protocol of staying fresh, by a policy as JSON: its number.
    pub fn protocol(&mut self, policy: &str) -> Option<u32> {
        self.protocols.add(protocol(policy)?)
    }

    /// Passes an event to a protocol, and gives the next action, both as JSON.
    pub fn step(&mut self, protocol: u32, event: &str) -> String {
        self.protocols.get_mut(protocol).map(|protocol| step(protocol, event)).unwrap_or_default()
    }

    /// Whether these are the bytes that the source sent last.
    pub fn is_known(&mut self, protocol: u32, bytes: &[u8]) -> bool {
        self.protocols.get_mut(protocol).is_some_and(|protocol| protocol.is_known(bytes))
    }

    /// Frees a protocol.
    pub fn end(&mut self, protocol: u32) {
        self.protocols.remove(protocol);
    }

    /// A new stream of server-sent events: its number.
    pub fn stream(&mut self) -> Option<u32> {
        self.streams.add(EventReader::default())
    }

    /// Whether these bytes of the stream end an event that is news (11.20).
    pub fn has_news(&mut self, stream: u32, bytes: &[u8]) -> bool {
        self.streams.get_mut(stream).is_some_and(|stream| stream.read(bytes))
    }

    /// Frees a stream.
    pub fn end_stream(&mut self, stream: u32) {
        self.streams.remove(stream);
    }
}

#[cfg(feature = "guard")]
mod guarding;
#[cfg(test)]
mod tests;
