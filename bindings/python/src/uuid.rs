//! UUIDs, which stand for their text (sentence 12.5 of SEMANTICS.md).
//!
//! A plain `uuid.UUID` has its number in a slot, which can be read without running Python code: a dict with one need
//! not be copied.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyInt, PyType};
use pyo3::{Borrowed, ffi};

use crate::reading;

/// Facts about the class, after the first object that might be a UUID.
static KNOWN: PyOnceLock<Known> = PyOnceLock::new();

struct Known {
    class: Py<PyType>,
    /// The descriptor of the slot, and the function that reads it; `None` if the class has no such slot.
    number: Option<(Py<PyAny>, ffi::descrgetfunc)>,
}

impl Known {
    fn find(py: Python<'_>) -> PyResult<Self> {
        let class = py.import("uuid")?.getattr("UUID")?.cast_into::<PyType>()?;
        let number = class.getattr("__dict__")?.call_method1("get", ("int",))?;
        // SAFETY: both are types for the life of the interpreter, and every type has this query.
        let get = unsafe {
            let slots = &raw mut ffi::PyMemberDescr_Type;
            if ffi::Py_TYPE(number.as_ptr()) == slots {
                let get = ffi::PyType_GetSlot(slots, ffi::Py_tp_descr_get);
                // SAFETY: this slot is null or such a function.
                std::mem::transmute::<*mut std::ffi::c_void, Option<ffi::descrgetfunc>>(get)
            } else {
                None
            }
        };
        Ok(Known { class: class.unbind(), number: get.map(|get| (number.unbind(), get)) })
    }
}

/// The text of a UUID of exactly that class. If it returns a text, it has run no Python code.
pub(crate) fn in_place(object: Borrowed<'_, '_, PyAny>) -> Option<String> {
    let py = object.py();
    let known = KNOWN.get(py)?;
    if !object.get_type().is(&known.class) {
        return None;
    }
    let (descriptor, get) = known.number.as_ref()?;
    // SAFETY: the descriptor is one of this class, and `object` is of this class; what comes back is a new reference, or
    // null with an error raised, which is taken back.
    let number = unsafe {
        let number = get(descriptor.as_ptr(), object.as_ptr(), known.class.as_ptr());
        Bound::from_owned_ptr_or_err(py, number).ok()?
    };
    number.cast_exact::<PyInt>().ok()?.extract().ok().map(text)
}

/// The text of a UUID, also of a derived class; `None` for any other object.
///
/// # Errors
/// Any error of reading it.
pub(crate) fn written(object: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let py = object.py();
    let known = KNOWN.get_or_try_init(py, || Known::find(py))?;
    if let Some(text) = in_place(object.as_borrowed()) {
        return Ok(Some(text));
    }
    if object.is_instance(known.class.bind(py))? { reading::text(&object.str()?).map(Some) } else { Ok(None) }
}

/// Its hexadecimal digits in five groups.
fn text(number: u128) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in number.to_be_bytes().into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)));
    }
    text
}
