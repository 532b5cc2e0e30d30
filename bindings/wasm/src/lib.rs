//! Esclusa for WebAssembly: the functions that the TypeScript half calls, over the tables of `esclusa-js`.
//!
//! Numbers are passed at no cost, so frequent calls take and return numbers; everything else is JSON. A text or bytes
//! from JavaScript are written to the address of [`room`] before the call that takes their length. A text for
//! JavaScript is at the address of [`said`] until the next call; the call returns its length. The other side of this
//! interface is `bindings/js/src/wasm-engine.ts`.

use std::cell::{Cell, UnsafeCell};

use esclusa::Time;
use esclusa_js::{Host, Options};

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Returned if the answer depends on the time and none was given. No outcome has this number.
const ASK_WITH_TIME: u32 = u32::MAX - 1;

/// A larger buffer is freed once a smaller one suffices: snapshots are large, and contexts are not.
const KEPT_BYTES: usize = 1 << 16;

struct Border {
    host: Host,
    /// The input of the next call.
    given: Vec<u8>,
    /// The text of the latest call.
    said: String,
}

impl Border {
    fn new() -> Self {
        Border { host: Host::new(clock), given: Vec::new(), said: String::new() }
    }
}

thread_local! {
    /// Created by the first call.
    static BORDER: UnsafeCell<Option<Border>> = const { UnsafeCell::new(None) };
    /// The time of the current call, in milliseconds.
    static NOW: Cell<f64> = const { Cell::new(f64::NAN) };
    /// Whether the current call read the time.
    static IS_ASKED: Cell<bool> = const { Cell::new(false) };
}

/// The bare WebAssembly target has no clock, so JavaScript passes the time. Reading it from here would call an app's
/// own `Date.now` in the middle of an evaluation.
fn clock() -> Time {
    IS_ASKED.set(true);
    #[expect(clippy::cast_possible_truncation, reason = "the clock counts whole milliseconds")]
    Time::from_millis(NOW.get() as i64)
}

/// Runs a function with the state.
///
/// A stack overflow would leave a `RefCell` locked for good: it is an exception of JavaScript, which unwinds nothing
/// here.
#[inline]
fn at<T>(act: impl FnOnce(&mut Border) -> T) -> T {
    // SAFETY: there is one thread, and the function calls neither JavaScript nor this function, so no other reference
    // is in use. A reference that an overflow abandoned is never used again.
    BORDER.with(|border| act(unsafe { &mut *border.get() }.get_or_insert_with(Border::new)))
}

/// Calls the host.
#[inline]
fn with<T>(ask: impl FnOnce(&mut Host) -> T) -> T {
    at(|border| ask(&mut border.host))
}

/// Calls the host with JavaScript's input.
#[inline]
fn given<T>(bytes: usize, ask: impl FnOnce(&mut Host, &[u8]) -> T) -> T {
    at(|border| ask(&mut border.host, border.given.get(..bytes).unwrap_or_default()))
}

/// Calls the host with JavaScript's input, keeps the resulting text, and returns its length.
#[inline]
fn say(bytes: usize, ask: impl FnOnce(&mut Host, &[u8]) -> String) -> usize {
    let text = given(bytes, ask);
    at(|border| {
        border.said = text;
        border.said.len()
    })
}

/// Bytes that JavaScript encoded as UTF-8.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// The keys of a JSON array; no bytes stand for all keys.
#[cfg(feature = "full")]
fn chosen(keys: &[u8]) -> Option<&str> {
    (!keys.is_empty()).then(|| text(keys))
}

/// The address of a buffer for that many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn room(bytes: usize) -> *mut u8 {
    at(|border| {
        if border.given.len() < bytes || border.given.len() > bytes.max(KEPT_BYTES) {
            border.given = vec![0; bytes];
        }
        border.given.as_mut_ptr()
    })
}

/// The address of the latest text that a call returned.
#[unsafe(no_mangle)]
pub extern "C" fn said() -> *const u8 {
    at(|border| border.said.as_ptr())
}

/// New flags: their number.
#[unsafe(no_mangle)]
pub extern "C" fn open() -> u32 {
    with(Host::open).unwrap_or(u32::MAX)
}

/// Frees flags.
#[unsafe(no_mangle)]
pub extern "C" fn close(flags: u32) {
    with(|host| host.close(flags));
}

/// Publishes a snapshot, and gives a report or a refusal as JSON.
#[unsafe(no_mangle)]
pub extern "C" fn publish(flags: u32, snapshot: usize, strict: bool, accept_older: bool) -> usize {
    say(snapshot, |host, snapshot| host.publish(flags, snapshot, Options { strict, accept_older }))
}

/// The same for rows that a mapping reads: the first of that many bytes, followed by the mapping.
#[cfg(feature = "full")]
#[unsafe(export_name = "publishMapped")]
pub extern "C" fn publish_mapped(flags: u32, bytes: usize, rows: usize, strict: bool, accept_older: bool) -> usize {
    say(bytes, |host, bytes| {
        let (rows, mapping) = bytes.split_at_checked(rows).unwrap_or_default();
        host.publish_mapped(flags, rows, text(mapping), Options { strict, accept_older })
    })
}

/// Keeps a context: its number, or 0 if the JSON is not a context.
#[unsafe(no_mangle)]
pub extern "C" fn context(json: usize) -> u32 {
    given(json, Host::context).unwrap_or(0)
}

/// Puts a context under the number 0, for the next call; false if the JSON is not a context.
#[unsafe(no_mangle)]
pub extern "C" fn scratch(json: usize) -> bool {
    given(json, Host::scratch)
}

/// Frees a context.
#[unsafe(no_mangle)]
pub extern "C" fn forget(context: u32) {
    with(|host| host.forget(context));
}

/// The slot of a key, or a negative number if there is no such flag.
#[unsafe(no_mangle)]
pub extern "C" fn slot(flags: u32, key: usize) -> i32 {
    given(key, |host, key| host.slot(flags, text(key)))
}

/// Evaluates what may depend on the time; without a time (`NaN`) the answer is then [`ASK_WITH_TIME`].
#[inline]
fn timed(now: f64, ask: impl FnOnce(&mut Host) -> u32) -> u32 {
    NOW.set(now);
    IS_ASKED.set(false);
    let answer = with(ask);
    if IS_ASKED.get() && now.is_nan() { ASK_WITH_TIME } else { answer }
}

/// Whether the flag is on at this time: 1 or 0.
#[unsafe(export_name = "isEnabled")]
pub extern "C" fn is_enabled(flags: u32, slot: u32, context: u32, now: f64) -> u32 {
    timed(now, |host| host.is_enabled(flags, slot, context).into())
}

/// The number of the outcome at this time, which must be given if the answer depends on it.
#[unsafe(no_mangle)]
pub extern "C" fn resolve(flags: u32, slot: u32, context: u32, now: f64) -> u32 {
    with(|host| host.resolve(flags, slot, context, now))
}

/// The same number if it was given before, and the greatest number if not.
#[unsafe(no_mangle)]
pub extern "C" fn known(flags: u32, slot: u32, context: u32, now: f64) -> u32 {
    timed(now, |host| host.known(flags, slot, context, now))
}

/// Takes the outcome of that number as JSON, if it is new.
#[unsafe(export_name = "takeOutcome")]
pub extern "C" fn take_outcome(flags: u32, number: u32) -> usize {
    say(0, |host, _| host.take_outcome(flags, number))
}

/// What every flag serves, as JSON.
#[cfg(feature = "full")]
#[unsafe(export_name = "resolveAll")]
pub extern "C" fn resolve_all(flags: u32, context: u32, now: f64) -> usize {
    say(0, |host, _| host.resolve_all(flags, context, now))
}

/// An explanation as JSON.
#[cfg(feature = "full")]
#[unsafe(no_mangle)]
pub extern "C" fn explain(flags: u32, key: usize, context: u32, now: f64) -> usize {
    say(key, |host, key| host.explain(flags, text(key), context, now))
}

/// A projection as JSON; the keys are a JSON array, or empty for all.
#[cfg(feature = "full")]
#[unsafe(no_mangle)]
pub extern "C" fn project(flags: u32, keys: usize, context: u32, now: f64) -> usize {
    say(keys, |host, keys| host.project(flags, chosen(keys), context, now))
}

/// A client snapshot as JSON; the keys are a JSON array, or empty for all.
#[cfg(feature = "full")]
#[unsafe(export_name = "clientSnapshot")]
pub extern "C" fn client_snapshot(flags: u32, keys: usize, context: u32, now: f64) -> usize {
    say(keys, |host, keys| host.client_snapshot(flags, chosen(keys), context, now))
}

/// The current set as flags of its own: their number.
#[cfg(feature = "full")]
#[unsafe(no_mangle)]
pub extern "C" fn hold(flags: u32) -> u32 {
    with(|host| host.hold(flags)).unwrap_or(u32::MAX)
}

/// Whether those hold the current set of these flags.
#[cfg(feature = "full")]
#[unsafe(no_mangle)]
pub extern "C" fn holds(flags: u32, held: u32) -> bool {
    with(|host| host.holds(flags, held))
}

/// The keys of the current set as a JSON array.
#[unsafe(no_mangle)]
pub extern "C" fn keys(flags: u32) -> usize {
    say(0, |host, _| host.keys(flags))
}

/// What is known about the current set, as JSON.
#[unsafe(no_mangle)]
pub extern "C" fn about(flags: u32) -> usize {
    say(0, |host, _| host.about(flags))
}

/// A protocol of staying fresh, by a policy as JSON: its number.
#[cfg(feature = "sync")]
#[unsafe(no_mangle)]
pub extern "C" fn protocol(policy: usize) -> u32 {
    given(policy, |host, policy| host.protocol(text(policy))).unwrap_or(u32::MAX)
}

/// Passes an event to a protocol, and gives the next action, both as JSON.
#[cfg(feature = "sync")]
#[unsafe(no_mangle)]
pub extern "C" fn step(protocol: u32, event: usize) -> usize {
    say(event, |host, event| host.step(protocol, text(event)))
}

/// Whether these are the bytes that the source sent last.
#[cfg(feature = "sync")]
#[unsafe(export_name = "isKnown")]
pub extern "C" fn is_known(protocol: u32, bytes: usize) -> bool {
    given(bytes, |host, bytes| host.is_known(protocol, bytes))
}

/// Frees a protocol.
#[cfg(feature = "sync")]
#[unsafe(no_mangle)]
pub extern "C" fn end(protocol: u32) {
    with(|host| host.end(protocol));
}

/// A new stream of server-sent events: its number.
#[cfg(feature = "sync")]
#[unsafe(no_mangle)]
pub extern "C" fn stream() -> u32 {
    with(Host::stream).unwrap_or(u32::MAX)
}

/// Whether these bytes of the stream end an event that is news.
#[cfg(feature = "sync")]
#[unsafe(export_name = "hasNews")]
pub extern "C" fn has_news(stream: u32, bytes: usize) -> bool {
    given(bytes, |host, bytes| host.has_news(stream, bytes))
}

/// Frees a stream.
#[cfg(feature = "sync")]
#[unsafe(export_name = "endStream")]
pub extern "C" fn end_stream(stream: u32) {
    with(|host| host.end_stream(stream));
}

/// Merges snapshots: that many bytes, followed by their lengths as a JSON array.
#[cfg(feature = "full")]
#[unsafe(no_mangle)]
pub extern "C" fn layered(bytes: usize, snapshots: usize) -> usize {
    say(bytes, |_, bytes| {
        let (snapshots, lengths) = bytes.split_at_checked(snapshots).unwrap_or_default();
        esclusa_js::layered(snapshots, text(lengths))
    })
}

/// Rows that a mapping reads, as a snapshot: the first of that many bytes, followed by the mapping.
#[cfg(feature = "full")]
#[unsafe(no_mangle)]
pub extern "C" fn mapped(bytes: usize, rows: usize) -> usize {
    say(bytes, |_, bytes| {
        let (rows, mapping) = bytes.split_at_checked(rows).unwrap_or_default();
        esclusa_js::mapped(rows, text(mapping))
    })
}

/// The name and parameters of a mapping, both as JSON.
#[cfg(feature = "full")]
#[unsafe(no_mangle)]
pub extern "C" fn mapping(given: usize) -> usize {
    say(given, |_, given| esclusa_js::mapping(text(given)))
}

/// The switches among variables of an environment, both as JSON.
#[cfg(feature = "full")]
#[unsafe(no_mangle)]
pub extern "C" fn switches(variables: usize) -> usize {
    say(variables, |_, variables| esclusa_js::switches(text(variables)))
}

/// A decision of staying fresh that is the same in every host, as JSON.
#[cfg(feature = "sync")]
#[unsafe(no_mangle)]
pub extern "C" fn decide(question: usize) -> usize {
    say(question, |_, question| esclusa_js::decide(text(question)))
}
