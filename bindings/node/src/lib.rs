//! Esclusa for Node: the functions that the TypeScript half calls, over the tables of `esclusa-js`.
//!
//! `raw` has the functions that run for each evaluation; the functions here are for everything else.
#![expect(clippy::needless_pass_by_value, reason = "a #[napi] function is given values of its own")]

// `expect` does not work here: it makes dead code count as used, and is then unfulfilled.
#[cfg_attr(test, allow(dead_code, reason = "as for `raw`"))]
mod guarding;
#[cfg_attr(test, allow(dead_code, reason = "functions are registered where Node loads them, not in a test"))]
mod raw;
mod share;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use esclusa::Time;
use esclusa_js::{Host, NOT_READY, Options, Shared, publish as publish_bytes, publish_mapped};
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi::{Env, Result, Task};
use napi_derive::napi;

fn clock() -> Time {
    SystemTime::now().into()
}

thread_local! {
    /// The tables of this JavaScript thread; they end with it.
    static HOST: Rc<RefCell<Host>> = Rc::new(RefCell::new(Host::new(clock)));
}

/// The host, or the given answer once the thread has freed it.
fn with<T>(otherwise: T, ask: impl FnOnce(&mut Host) -> T) -> T {
    let mut answer = otherwise;
    let _ = HOST.try_with(|host| {
        if let Ok(mut host) = host.try_borrow_mut() {
            answer = ask(&mut host);
        }
    });
    answer
}

/// New flags: their number.
#[napi(catch_unwind)]
pub fn open() -> u32 {
    with(None, Host::open).unwrap_or(u32::MAX)
}

/// Frees flags.
#[napi(catch_unwind)]
pub fn close(flags: u32) {
    with((), |host| host.close(flags));
}

/// Keeps a context: its number, or 0 if the JSON is not a context.
#[napi(catch_unwind)]
pub fn context(json: String) -> u32 {
    with(None, |host| host.context(json.as_bytes())).unwrap_or(0)
}

/// Puts a context under the number 0, for the next call; false if the JSON is not a context.
#[napi(catch_unwind)]
pub fn scratch(json: String) -> bool {
    with(false, |host| host.scratch(json.as_bytes()))
}

/// Frees a context.
#[napi(catch_unwind)]
pub fn forget(context: u32) {
    with((), |host| host.forget(context));
}

/// The slot of a key, or a negative number if there is no such flag.
#[napi(catch_unwind)]
pub fn slot(flags: u32, key: String) -> i32 {
    with(NOT_READY, |host| host.slot(flags, &key))
}

/// Publishes at once, and gives a report or a refusal as JSON; with a mapping the bytes are rows that it reads.
#[napi(catch_unwind)]
pub fn publish(flags: u32, bytes: Uint8Array, mapping: String, strict: bool, accept_older: bool) -> String {
    let options = Options { strict, accept_older };
    with(String::new(), |host| match mapping.as_str() {
        "" => host.publish(flags, &bytes, options),
        mapping => host.publish_mapped(flags, &bytes, mapping, options),
    })
}

/// The same in libuv's pool; the bytes must not change until it is done.
#[napi(catch_unwind)]
pub fn publish_later(
    flags: u32,
    bytes: Uint8Array,
    mapping: String,
    strict: bool,
    accept_older: bool,
) -> AsyncTask<Publish> {
    let held = with(None, |host| host.flags(flags).cloned());
    AsyncTask::new(Publish { number: flags, flags: held, bytes, mapping, options: Options { strict, accept_older } })
}

/// A publish in progress.
pub struct Publish {
    number: u32,
    flags: Option<Arc<Shared>>,
    bytes: Uint8Array,
    mapping: String,
    options: Options,
}

impl Task for Publish {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> Result<String> {
        let Some(flags) = self.flags.take() else { return Ok(String::new()) };
        let options = self.options;
        // A panic leaves no half-done state: the flags are swapped atomically, or not at all.
        let said = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match self.mapping.as_str() {
            "" => publish_bytes(&flags, &self.bytes, options),
            mapping => publish_mapped(&flags, &self.bytes, mapping, options),
        }));
        said.map_err(|_| napi::Error::from_reason("publishing failed for a reason within the engine"))
    }

    fn resolve(&mut self, _: Env, said: String) -> Result<String> {
        with((), |host| host.settle(self.number));
        Ok(said)
    }
}

/// What every flag serves, as JSON.
#[napi(catch_unwind)]
pub fn resolve_all(flags: u32, context: u32, now: f64) -> String {
    with(String::new(), |host| host.resolve_all(flags, context, now))
}

/// An explanation as JSON.
#[napi(catch_unwind)]
pub fn explain(flags: u32, key: String, context: u32, now: f64) -> String {
    with(String::new(), |host| host.explain(flags, &key, context, now))
}

/// A projection as JSON; the keys are a JSON array, or empty for all.
#[napi(catch_unwind)]
pub fn project(flags: u32, keys: String, context: u32, now: f64) -> String {
    let keys = (!keys.is_empty()).then_some(keys.as_str());
    with(String::new(), |host| host.project(flags, keys, context, now))
}

/// A client snapshot as JSON; the keys are a JSON array, or empty for all.
#[napi(catch_unwind)]
pub fn client_snapshot(flags: u32, keys: String, context: u32, now: f64) -> String {
    let keys = (!keys.is_empty()).then_some(keys.as_str());
    with(String::new(), |host| host.client_snapshot(flags, keys, context, now))
}

/// The keys of the current set as a JSON array.
#[napi(catch_unwind)]
pub fn keys(flags: u32) -> String {
    with(String::new(), |host| host.keys(flags))
}

/// What is known about the current set, as JSON.
#[napi(catch_unwind)]
pub fn about(flags: u32) -> String {
    with(String::new(), |host| host.about(flags))
}

/// Takes the outcome of that number as JSON, if it is new.
#[napi(catch_unwind)]
pub fn take_outcome(flags: u32, number: u32) -> String {
    with(String::new(), |host| host.take_outcome(flags, number))
}

/// Keeps the current set as flags of its own, which take no publish. Returns their index.
#[napi(catch_unwind)]
pub fn hold(flags: u32) -> u32 {
    with(None, |host| host.hold(flags)).unwrap_or(u32::MAX)
}

/// The number by which another thread of this process finds the flags.
#[napi(catch_unwind)]
pub fn share(flags: u32) -> u32 {
    with(None, |host| host.flags(flags).cloned()).map_or(0, |flags| share::share(&flags))
}

/// The flags that another thread shares: their number here, or -1 if no thread holds them any more.
#[napi(catch_unwind)]
pub fn attach(shared: u32) -> i64 {
    let adopted = share::shared(shared).and_then(|flags| with(None, |host| host.adopt(flags)));
    adopted.map_or(-1, i64::from)
}

/// A protocol of staying fresh, by a policy as JSON: its number.
#[napi(catch_unwind)]
pub fn protocol(policy: String) -> u32 {
    with(None, |host| host.protocol(&policy)).unwrap_or(u32::MAX)
}

/// Passes an event to a protocol, and gives the next action, both as JSON.
#[napi(catch_unwind)]
pub fn step(protocol: u32, event: String) -> String {
    with(String::new(), |host| host.step(protocol, &event))
}

/// Whether these are the bytes that the source sent last.
#[napi(catch_unwind)]
pub fn is_known(protocol: u32, bytes: Uint8Array) -> bool {
    with(false, |host| host.is_known(protocol, &bytes))
}

/// Frees a protocol.
#[napi(catch_unwind)]
pub fn end(protocol: u32) {
    with((), |host| host.end(protocol));
}

/// A new stream of server-sent events: its number.
#[napi(catch_unwind)]
pub fn stream() -> u32 {
    with(None, Host::stream).unwrap_or(u32::MAX)
}

/// Whether these bytes of the stream end an event that is news.
#[napi(catch_unwind)]
pub fn has_news(stream: u32, bytes: Uint8Array) -> bool {
    with(false, |host| host.has_news(stream, &bytes))
}

/// Frees a stream.
#[napi(catch_unwind)]
pub fn end_stream(stream: u32) {
    with((), |host| host.end_stream(stream));
}

/// Merges snapshots: they follow each other, with their lengths as a JSON array.
#[napi(catch_unwind)]
pub fn layered(snapshots: Uint8Array, lengths: String) -> String {
    esclusa_js::layered(&snapshots, &lengths)
}

/// The same in libuv's pool; the bytes must not change until it is done.
#[napi(catch_unwind)]
pub fn layered_later(snapshots: Uint8Array, lengths: String) -> AsyncTask<Making> {
    AsyncTask::new(Making { make: esclusa_js::layered, bytes: snapshots, how: lengths })
}

/// The name and parameters of a mapping, both as JSON.
#[napi(catch_unwind)]
pub fn mapping(given: String) -> String {
    esclusa_js::mapping(&given)
}

/// Rows that a mapping reads, as a snapshot, or a refusal.
#[napi(catch_unwind)]
pub fn mapped(rows: Uint8Array, mapping: String) -> String {
    esclusa_js::mapped(&rows, &mapping)
}

/// The same in libuv's pool; the bytes must not change until it is done.
#[napi(catch_unwind)]
pub fn mapped_later(rows: Uint8Array, mapping: String) -> AsyncTask<Making> {
    AsyncTask::new(Making { make: esclusa_js::mapped, bytes: rows, how: mapping })
}

/// A snapshot that is being made of bytes and of a text with options.
pub struct Making {
    make: fn(&[u8], &str) -> String,
    bytes: Uint8Array,
    how: String,
}

impl Task for Making {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> Result<String> {
        let said = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.make)(&self.bytes, &self.how)));
        said.map_err(|_| napi::Error::from_reason("making a snapshot failed for a reason within the engine"))
    }

    fn resolve(&mut self, _: Env, said: String) -> Result<String> {
        Ok(said)
    }
}

/// The switches among variables of an environment, both as JSON.
#[napi(catch_unwind)]
pub fn switches(given: String) -> String {
    esclusa_js::switches(&given)
}

/// A decision of staying fresh that is the same in every host, as JSON.
#[napi(catch_unwind)]
pub fn decide(question: String) -> String {
    esclusa_js::decide(&question)
}
