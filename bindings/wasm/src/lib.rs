//! Esclusa for WebAssembly: the functions that the TypeScript half calls, over the tables of `esclusa-js`.
//!
//! Numbers cross for free, so what is asked often takes and gives numbers; everything else is JSON.

use std::cell::{Cell, UnsafeCell};

use esclusa::Time;
use esclusa_js::{Host, Options};
use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// An answer that depends on the time, which was not given.
const ASK_WITH_TIME: u32 = 2;

thread_local! {
    static HOST: UnsafeCell<Host> = UnsafeCell::new(Host::new(clock));
    /// The time of the call that runs, in milliseconds.
    static NOW: Cell<f64> = const { Cell::new(f64::NAN) };
    /// Whether the call that runs asked for the time.
    static IS_ASKED: Cell<bool> = const { Cell::new(false) };
}

/// The bare WebAssembly target has no clock, so JavaScript gives the time. Asking for it from here would call an app's
/// own `Date.now` in the middle of an answer.
fn clock() -> Time {
    IS_ASKED.set(true);
    #[expect(clippy::cast_possible_truncation, reason = "the clock counts whole milliseconds")]
    Time::from_millis(NOW.get() as i64)
}

/// Asks the host.
///
/// A `RefCell` would be left locked for good by a stack that ends in the middle: that is an exception of JavaScript,
/// which unwinds nothing here.
#[inline]
fn with<T>(ask: impl FnOnce(&mut Host) -> T) -> T {
    // SAFETY: there is one thread, and nothing that is asked calls JavaScript or this function, so no other reference
    // is in use. One that was cut off is never used again.
    HOST.with(|host| ask(unsafe { &mut *host.get() }))
}

/// New flags: their number.
#[wasm_bindgen]
pub fn open() -> u32 {
    with(Host::open).unwrap_or(u32::MAX)
}

/// Lets go of flags.
#[wasm_bindgen]
pub fn close(flags: u32) {
    with(|host| host.close(flags));
}

/// Publishes, and gives a report or a refusal as JSON.
#[wasm_bindgen]
pub fn publish(flags: u32, snapshot: &[u8], strict: bool, accept_older: bool) -> String {
    with(|host| host.publish(flags, snapshot, Options { strict, accept_older }))
}

/// Keeps a context: its number, or 0 if the JSON is no context.
#[wasm_bindgen]
pub fn context(json: &str) -> u32 {
    with(|host| host.context(json.as_bytes())).unwrap_or(0)
}

/// Puts a context where the next call finds it under the number 0, and says whether the JSON is one.
#[wasm_bindgen]
pub fn scratch(json: &str) -> bool {
    with(|host| host.scratch(json.as_bytes()))
}

/// Lets go of a context.
#[wasm_bindgen]
pub fn forget(context: u32) {
    with(|host| host.forget(context));
}

/// The slot of a key, or a negative number if there is no such flag.
#[wasm_bindgen]
pub fn slot(flags: u32, key: &str) -> i32 {
    with(|host| host.slot(flags, key))
}

/// Whether the flag is on at this time: 1 or 0. Without a time (`NaN`), 2 if the answer depends on it.
#[wasm_bindgen(js_name = isEnabled)]
pub fn is_enabled(flags: u32, slot: u32, context: u32, now: f64) -> u32 {
    NOW.set(now);
    IS_ASKED.set(false);
    let is_on = with(|host| host.is_enabled(flags, slot, context));
    if IS_ASKED.get() && now.is_nan() { ASK_WITH_TIME } else { u32::from(is_on) }
}

/// The number of the outcome at this time.
#[wasm_bindgen]
pub fn resolve(flags: u32, slot: u32, context: u32, now: f64) -> u32 {
    with(|host| host.resolve(flags, slot, context, now))
}

/// The same number if it was given before, and the greatest number otherwise.
#[wasm_bindgen]
pub fn known(flags: u32, slot: u32, context: u32, now: f64) -> u32 {
    with(|host| host.known(flags, slot, context, now))
}

/// The outcome of that number as JSON, if it was just given for the first time.
#[wasm_bindgen]
pub fn told(flags: u32, number: u32) -> String {
    with(|host| host.told(flags, number))
}

/// What every flag serves, as JSON.
#[wasm_bindgen(js_name = resolveAll)]
pub fn resolve_all(flags: u32, context: u32, now: f64) -> String {
    with(|host| host.resolve_all(flags, context, now))
}

/// An explanation as JSON.
#[wasm_bindgen]
pub fn explain(flags: u32, key: &str, context: u32, now: f64) -> String {
    with(|host| host.explain(flags, key, context, now))
}

/// A projection as JSON; the keys are a JSON array, or empty for all.
#[wasm_bindgen]
pub fn project(flags: u32, keys: &str, context: u32, now: f64) -> String {
    let keys = (!keys.is_empty()).then_some(keys);
    with(|host| host.project(flags, keys, context, now))
}

/// A client snapshot as JSON; the keys are a JSON array, or empty for all.
#[cfg(feature = "full")]
#[wasm_bindgen(js_name = clientSnapshot)]
pub fn client_snapshot(flags: u32, keys: &str, context: u32, now: f64) -> String {
    let keys = (!keys.is_empty()).then_some(keys);
    with(|host| host.client_snapshot(flags, keys, context, now))
}

/// The keys of the current set as a JSON array.
#[wasm_bindgen]
pub fn keys(flags: u32) -> String {
    with(|host| host.keys(flags))
}

/// What is known about the current set, as JSON.
#[wasm_bindgen]
pub fn about(flags: u32) -> String {
    with(|host| host.about(flags))
}

/// A protocol of staying fresh, by a policy as JSON: its number.
#[cfg(feature = "sync")]
#[wasm_bindgen]
pub fn protocol(policy: &str) -> u32 {
    with(|host| host.protocol(policy)).unwrap_or(u32::MAX)
}

/// Tells a protocol of an event, both as JSON, and gives what to do next.
#[cfg(feature = "sync")]
#[wasm_bindgen]
pub fn step(protocol: u32, event: &str) -> String {
    with(|host| host.step(protocol, event))
}

/// Whether these are the bytes that the source gave last.
#[cfg(feature = "sync")]
#[wasm_bindgen(js_name = isKnown)]
pub fn is_known(protocol: u32, bytes: &[u8]) -> bool {
    with(|host| host.is_known(protocol, bytes))
}

/// Lets go of a protocol.
#[cfg(feature = "sync")]
#[wasm_bindgen]
pub fn end(protocol: u32) {
    with(|host| host.end(protocol));
}

/// Lays snapshots one over the other: they follow each other, with their lengths as a JSON array.
#[cfg(feature = "full")]
#[wasm_bindgen]
pub fn layered(snapshots: &[u8], lengths: &str) -> String {
    esclusa_js::layered(snapshots, lengths)
}

/// The switches among variables of an environment, both as JSON.
#[cfg(feature = "full")]
#[wasm_bindgen]
pub fn switches(given: &str) -> String {
    esclusa_js::switches(given)
}
