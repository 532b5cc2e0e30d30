//! The functions that run for each evaluation, on N-API itself.
//!
//! The expensive part of a call into native code is reading arguments and `this` through N-API. So the three functions
//! that evaluate, and the one that counts an outcome, take no arguments and return nothing: numbers go in both directions
//! through a few words of memory that JavaScript and Rust share. A fifth takes a plain object as one text, and its shape through the same memory.
//! `DESIGN.md` has the measurements.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::{slice, str};

use esclusa_js::Host;
use napi::bindgen_prelude::{Object, Unknown};
use napi::{Env, Result, check_status, sys};
use napi_derive::napi;

use crate::HOST;

/// The words of the shared memory, in the order in which `native.ts` writes and reads them.
#[repr(C)]
struct Words {
    flags: u32,
    slot: u32,
    context: u32,
    answer: u32,
    now: f64,
    /// Number of the following words that describe the shape of a plain object.
    shape_length: u32,
    shape: [u32; SHAPE_WORDS],
    /// Whether an outcome is an error: 1 or 0.
    error: u32,
}

const SHAPE_WORDS: usize = 120;

/// Longer texts are passed as JSON.
const MAX_TEXT_BYTES: usize = 1_000;

/// The state of one load of the addon: a module that is loaded again in the same thread, as test runners do, has
/// functions and memory of its own.
struct Load {
    words: Cell<Option<NonNull<Words>>>,
    /// The tables of the thread, cached here: thread-local access is slow in a loaded library.
    host: Rc<RefCell<Host>>,
}

type Callback = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// Whether the flag is on for the context, now.
unsafe extern "C" fn is_enabled(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: called by N-API as a function that `functions` made, so both arguments are valid and its data is a `Load`.
    unsafe { answer(env, info, 0, |host, asked| u32::from(host.is_enabled(asked.flags, asked.slot, asked.context))) }
}

/// The number of the outcome.
unsafe extern "C" fn resolve(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: as for `is_enabled`.
    unsafe {
        answer(env, info, u32::MAX, |host, asked| host.resolve(asked.flags, asked.slot, asked.context, asked.now))
    }
}

/// Whether the flags whose number is in the slot hold the current set.
unsafe extern "C" fn holds(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: as for `is_enabled`.
    unsafe { answer(env, info, 0, |host, asked| u32::from(host.holds(asked.flags, asked.slot))) }
}

/// Counts an outcome: its event is in the slot, and how long it took in the time.
unsafe extern "C" fn track(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: as for `is_enabled`.
    unsafe {
        answer(env, info, 0, |host, asked| {
            host.track(asked.flags, asked.slot, asked.context, asked.error == 1, asked.now);
            1
        })
    }
}

/// Reads the question, writes the answer, and returns JavaScript's `undefined`. A panic must not reach C++, so it
/// becomes the answer for "none".
///
/// # Safety
/// The arguments are those of a callback whose data is a `Load`.
#[inline]
unsafe fn answer(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    none: u32,
    ask: impl FnOnce(&mut Host, &Words) -> u32,
) -> sys::napi_value {
    let mut data = ptr::null_mut();
    // SAFETY: the arguments are valid, and N-API allows null for values that are not needed.
    unsafe { sys::napi_get_cb_info(env, info, ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), &mut data) };
    // SAFETY: the data is a `Load` that is freed when the environment ends, after which nothing is called; null if
    // N-API failed.
    let load = unsafe { data.cast::<Load>().as_ref() };
    if let Some((load, mut words)) = load.and_then(|load| Some((load, load.words.get()?))) {
        // SAFETY: this is the memory of a typed array of the right length and alignment (checked in `memory`), which a
        // reference keeps alive until the environment ends. This thread's JavaScript, the only other user, waits for
        // this call, and nothing below calls back into it, so no other reference to the words can come to be.
        let words = unsafe { words.as_mut() };
        let answered = catch_unwind(AssertUnwindSafe(|| {
            // It is borrowed elsewhere only during a call, and no call can lead back here.
            load.host.try_borrow_mut().map_or(none, |mut host| ask(&mut host, words))
        }));
        words.answer = answered.unwrap_or(none);
    }
    ptr::null_mut()
}

/// Puts a plain object as a context under the number 0, for the next call, and returns whether that succeeded.
unsafe extern "C" fn fields(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let (mut count, mut argument, mut data) = (1, ptr::null_mut(), ptr::null_mut());
    // SAFETY: called by N-API, so both are valid; there is room for the one argument that is counted.
    unsafe { sys::napi_get_cb_info(env, info, &mut count, &mut argument, ptr::null_mut(), &mut data) };
    let (mut room, mut length) = ([const { MaybeUninit::<u8>::uninit() }; MAX_TEXT_BYTES + 1], 0);
    // SAFETY: N-API has just given the argument, and writes at most as much as the buffer holds, including the final
    // zero.
    let status = unsafe {
        sys::napi_get_value_string_utf8(env, argument, room.as_mut_ptr().cast::<c_char>(), room.len(), &mut length)
    };
    let length = if status == sys::Status::napi_ok { length.min(MAX_TEXT_BYTES) } else { 0 };
    // SAFETY: that many bytes were written.
    let bytes = unsafe { slice::from_raw_parts(room.as_ptr().cast::<u8>(), length) };
    // SAFETY: as in `answer`.
    let load = unsafe { data.cast::<Load>().as_ref() };
    if let Some((load, mut words)) = load.and_then(|load| Some((load, load.words.get()?))) {
        // SAFETY: as in `answer`.
        let words = unsafe { words.as_mut() };
        let is_put = catch_unwind(AssertUnwindSafe(|| {
            let shape = words.shape.get(..words.shape_length as usize)?;
            Some(load.host.try_borrow_mut().ok()?.scratch_fields(shape, str::from_utf8(bytes).ok()?))
        }));
        words.answer = u32::from(status == sys::Status::napi_ok && matches!(is_put, Ok(Some(true))));
    }
    ptr::null_mut()
}

/// Shares the memory of its argument, a `Uint32Array`, with the functions; throws if it does not fit.
unsafe extern "C" fn memory(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let (mut count, mut argument, mut data) = (1, ptr::null_mut(), ptr::null_mut());
    // SAFETY: called by N-API, so both are valid; there is room for the one argument that is counted.
    let status = unsafe { sys::napi_get_cb_info(env, info, &mut count, &mut argument, ptr::null_mut(), &mut data) };
    // SAFETY: as in `answer`.
    let load = unsafe { data.cast::<Load>().as_ref() };
    if let (sys::Status::napi_ok, Some(load)) = (status, load) {
        // SAFETY: N-API has just given the argument; a missing one is `undefined`.
        if let Some(words) = unsafe { words_of(env, argument) } {
            load.words.set(Some(words));
            return ptr::null_mut();
        }
    }
    let text: &CStr = c"the memory does not fit, expected a Uint32Array of 128 words";
    // SAFETY: the text ends with a zero byte, and null stands for no code.
    unsafe { sys::napi_throw_type_error(env, ptr::null(), text.as_ptr()) };
    ptr::null_mut()
}

/// The memory of a typed array, held for as long as the environment lives; `None` if the value is no fitting array.
///
/// # Safety
/// The value belongs to the environment, and a handle scope is open.
unsafe fn words_of(env: sys::napi_env, value: sys::napi_value) -> Option<NonNull<Words>> {
    let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut::<c_void>());
    let (buffer, offset) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: all pointers are to variables of the right types, or null where N-API allows it.
    let status =
        unsafe { sys::napi_get_typedarray_info(env, value, &mut kind, &mut length, &mut data, buffer, offset) };
    let words = NonNull::new(data.cast::<Words>()).filter(|words| words.is_aligned())?;
    let is_large_enough = length * size_of::<u32>() >= size_of::<Words>();
    if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint32_array || !is_large_enough {
        return None;
    }
    let mut reference = ptr::null_mut();
    // SAFETY: a count of one makes the reference a strong one; it goes with the environment.
    let status = unsafe { sys::napi_create_reference(env, value, 1, &mut reference) };
    (status == sys::Status::napi_ok).then_some(words)
}

/// Does nothing, to measure calls against: only with the feature `noop`, which no package has.
#[cfg(feature = "noop")]
unsafe extern "C" fn noop(_: sys::napi_env, _: sys::napi_callback_info) -> sys::napi_value {
    ptr::null_mut()
}

/// The environment ends, and with it every caller of the functions.
unsafe extern "C" fn end(load: *mut c_void) {
    // SAFETY: this is the box that `functions` leaked, and the hook runs once.
    drop(unsafe { Box::from_raw(load.cast::<Load>()) });
}

/// Adds the functions to what the addon exports.
#[napi(module_exports)]
pub(crate) fn functions(mut exports: Object<'_>, env: Env) -> Result<()> {
    let load = Box::into_raw(Box::new(Load { words: Cell::new(None), host: HOST.with(Rc::clone) })).cast::<c_void>();
    // SAFETY: the hook gets the box and frees it.
    check_status!(unsafe { sys::napi_add_env_cleanup_hook(env.raw(), Some(end), load) })?;
    let callbacks: &[(&str, Callback)] = &[
        ("memory", memory),
        ("isEnabled", is_enabled),
        ("resolve", resolve),
        ("holds", holds),
        ("fields", fields),
        ("track", track),
        #[cfg(feature = "noop")]
        ("noop", noop),
    ];
    for &(name, callback) in callbacks {
        let mut function = ptr::null_mut();
        let (text, length) = (name.as_ptr().cast::<c_char>(), name.len().cast_signed());
        // SAFETY: the name is UTF-8 of that length, and the callback takes the box as its data.
        let status = unsafe { sys::napi_create_function(env.raw(), text, length, Some(callback), load, &mut function) };
        check_status!(status)?;
        // SAFETY: N-API has just made this function in this environment.
        exports.set(name, unsafe { Unknown::from_raw_unchecked(env.raw(), function) })?;
    }
    Ok(())
}
