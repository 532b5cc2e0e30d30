//! Esclusa for WebAssembly: the functions that the TypeScript half calls, over the tables of `esclusa-js`.
//!
//! Numbers cross for free, so what is asked often takes and gives numbers; everything else is JSON.

use std::cell::RefCell;

use esclusa::Time;
use esclusa_js::{Host, NOT_READY, Options};
use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[wasm_bindgen]
extern "C" {
    /// The clock of the host: the bare WebAssembly target has none.
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
}

fn clock() -> Time {
    #[expect(clippy::cast_possible_truncation, reason = "the clock counts whole milliseconds")]
    Time::from_millis(date_now() as i64)
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::new(Host::new(clock));
}

/// The host, or the given answer where it is in use already: an app's own `Date.now` that asks for a flag.
#[inline]
fn with<T>(otherwise: T, ask: impl FnOnce(&mut Host) -> T) -> T {
    HOST.with(|host| match host.try_borrow_mut() {
        Ok(mut host) => ask(&mut host),
        Err(_) => otherwise,
    })
}

/// New flags: their number.
#[wasm_bindgen]
pub fn open() -> u32 {
    with(None, Host::open).unwrap_or(u32::MAX)
}

/// Lets go of flags.
#[wasm_bindgen]
pub fn close(flags: u32) {
    with((), |host| host.close(flags));
}

/// Publishes, and gives a report or a refusal as JSON.
#[wasm_bindgen]
pub fn publish(flags: u32, snapshot: &[u8], strict: bool, accept_older: bool) -> String {
    with(String::new(), |host| host.publish(flags, snapshot, Options { strict, accept_older }))
}

/// Keeps a context: its number, or 0 if the JSON is no context.
#[wasm_bindgen]
pub fn context(json: &str) -> u32 {
    with(None, |host| host.context(json.as_bytes())).unwrap_or(0)
}

/// Puts a context where the next call finds it under the number 0, and says whether the JSON is one.
#[wasm_bindgen]
pub fn scratch(json: &str) -> bool {
    with(false, |host| host.scratch(json.as_bytes()))
}

/// Lets go of a context.
#[wasm_bindgen]
pub fn forget(context: u32) {
    with((), |host| host.forget(context));
}

/// The slot of a key, or a negative number if there is no such flag.
#[wasm_bindgen]
pub fn slot(flags: u32, key: &str) -> i32 {
    with(NOT_READY, |host| host.slot(flags, key))
}

/// Whether the flag is on, now.
#[wasm_bindgen(js_name = isEnabled)]
pub fn is_enabled(flags: u32, slot: u32, context: u32) -> bool {
    with(false, |host| host.is_enabled(flags, slot, context))
}

/// The number of the outcome; a time that is not a number is now.
#[wasm_bindgen]
pub fn resolve(flags: u32, slot: u32, context: u32, now: f64) -> u32 {
    with(u32::MAX, |host| host.resolve(flags, slot, context, now))
}

/// The latest new outcome as JSON.
#[wasm_bindgen]
pub fn told(flags: u32) -> String {
    with(String::new(), |host| host.told(flags))
}

/// What every flag serves, as JSON.
#[wasm_bindgen(js_name = resolveAll)]
pub fn resolve_all(flags: u32, context: u32, now: f64) -> String {
    with(String::new(), |host| host.resolve_all(flags, context, now))
}

/// An explanation as JSON.
#[wasm_bindgen]
pub fn explain(flags: u32, key: &str, context: u32, now: f64) -> String {
    with(String::new(), |host| host.explain(flags, key, context, now))
}

/// A projection as JSON; the keys are a JSON array, or empty for all.
#[wasm_bindgen]
pub fn project(flags: u32, keys: &str, context: u32, now: f64) -> String {
    let keys = (!keys.is_empty()).then_some(keys);
    with(String::new(), |host| host.project(flags, keys, context, now))
}

/// A client snapshot as JSON; the keys are a JSON array, or empty for all.
#[wasm_bindgen(js_name = clientSnapshot)]
pub fn client_snapshot(flags: u32, keys: &str, context: u32, now: f64) -> String {
    let keys = (!keys.is_empty()).then_some(keys);
    with(String::new(), |host| host.client_snapshot(flags, keys, context, now))
}

/// The keys of the current set as a JSON array.
#[wasm_bindgen]
pub fn keys(flags: u32) -> String {
    with(String::new(), |host| host.keys(flags))
}

/// What is known about the current set, as JSON.
#[wasm_bindgen]
pub fn about(flags: u32) -> String {
    with(String::new(), |host| host.about(flags))
}
