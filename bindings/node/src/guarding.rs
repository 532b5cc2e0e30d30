//! Outcomes and guards, but for `track`, which is in `raw`.

use std::time::Duration;

use napi_derive::napi;

use crate::with;

/// Watches the flags from now on, in every thread that holds them.
#[napi(catch_unwind)]
pub(crate) fn guard(flags: u32) -> bool {
    with(false, |host| host.guard(flags))
}

/// Whether any thread watches the flags.
#[napi(catch_unwind)]
pub(crate) fn is_guarded(flags: u32) -> bool {
    with(false, |host| host.is_guarded(flags))
}

/// A slot for an event, for `track`.
#[napi(catch_unwind)]
pub(crate) fn event(flags: u32, event: String) -> u32 {
    with(None, |host| host.event(flags, &event)).unwrap_or(u32::MAX)
}

/// Frees all slots of events.
#[napi(catch_unwind)]
pub(crate) fn forget_events(flags: u32) {
    with((), |host| host.forget_events(flags));
}

/// Counts an outcome that a browser reports; a time that is `NaN` is not known.
#[napi(catch_unwind)]
pub(crate) fn track_from_browser(flags: u32, event: String, context: u32, is_error: bool, lasted_ms: f64) {
    with((), |host| host.track_from_browser(flags, &event, context, is_error, lasted_ms));
}

/// Counts an outcome of an event that cannot be used.
#[napi(catch_unwind)]
pub(crate) fn drop_outcome(flags: u32, event: String) {
    with((), |host| host.drop_outcome(flags, &event));
}

/// Whether the guard of a flag names this event.
#[napi(catch_unwind)]
pub(crate) fn watches(flags: u32, event: String) -> bool {
    with(false, |host| host.watches(flags, &event))
}

/// Judges what was counted, if no thread has for these milliseconds, and gives the flags that it switched off and what that changed, as JSON.
#[napi(catch_unwind)]
pub(crate) fn judge(flags: u32, after_ms: u32) -> String {
    with(String::new(), |host| host.judge(flags, Duration::from_millis(after_ms.into())))
}

/// How the guards are, as JSON; empty if nothing watches the flags.
#[napi(catch_unwind)]
pub(crate) fn guards(flags: u32) -> String {
    with(String::new(), |host| host.guards_status(flags))
}

/// Takes the trips of a document: what is wrong with it, and what changed, as JSON.
#[napi(catch_unwind)]
pub(crate) fn take_trips(flags: u32, document: String) -> String {
    with(String::new(), |host| host.take_trips(flags, &document))
}

/// A document of the trips of a document and of those that the flags have beyond them; empty if they have none.
#[napi(catch_unwind)]
pub(crate) fn more_trips(flags: u32, known: String) -> String {
    with(String::new(), |host| host.more_trips(flags, &known))
}
