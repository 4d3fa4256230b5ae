//! The builtin module `_ekiben`: the image, for Python.
//!
//! | function | returns |
//! |---|---|
//! | `find(stem)` | `(kind, is_package, path)` of a module, or `None` |
//! | `code(stem)` | the code object of a module, or `None` |
//! | `modules(folder)` | `[(name, is_package)]` of the modules directly in a folder |
//! | `is_folder(path)` | whether modules or files are below a path |
//! | `read(path)` | the content of a file as `bytes`, or `None` |
//! | `view(path)` | the content of a file where it lies, or `None` if it is compressed or isn't there |
//! | `size(path)` | how long the content of a file is, or `None` |
//! | `list(path)` | `[(name, is_folder)]` of a folder; empty if there is none |
//! | `setting(key)` | the value of a setting, or `None` |
//! | `unloadable(path)` | why a shared object can't be loaded, or `None` |
//!
//! Kinds are the numbers of the format: 0 code, 1 builtin, 2 namespace package, 3 shared object.

use std::borrow::Cow;
use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use ekiben_image::{Blob, Image, ModuleKind};
use pyo3_ffi as ffi;
use pyo3_ffi::{Py_ssize_t, PyObject};

use crate::shared;
use crate::start::image;

/// What a function gets: one string, and the image if the program has one.
type Answer = fn(Held, &'static Image<'static>, &str) -> *mut PyObject;

/// Says that the interpreter has called, so that its functions can be called: this thread holds its
/// lock, or is attached to it.
#[derive(Clone, Copy)]
struct Held(());

// SAFETY: it is declared so in CPython's marshal.h.
unsafe extern "C" {
    // Not part of the stable ABI, but as it is since Python 1.5 (marshal.h).
    fn PyMarshal_ReadObjectFromString(data: *const i8, length: Py_ssize_t) -> *mut PyObject;
}

/// Calls `answer` with the text of `argument`. Without an image, or if the text can't be UTF-8, the
/// answer is `None`.
///
/// # Safety
/// For the interpreter to call, with an object.
unsafe fn call(argument: *mut PyObject, answer: Answer) -> *mut PyObject {
    let held = Held(());
    let mut length: Py_ssize_t = 0;
    // SAFETY: called by the interpreter with an object.
    let text = unsafe { ffi::PyUnicode_AsUTF8AndSize(argument, &raw mut length) };
    if text.is_null() {
        // Surrogates are in no name of an image.
        // SAFETY: an exception is set.
        unsafe {
            if ffi::PyErr_ExceptionMatches(ffi::PyExc_UnicodeEncodeError) == 0 {
                return ptr::null_mut();
            }
            ffi::PyErr_Clear();
        }
        return none(held);
    }
    // SAFETY: the object keeps its text, which is UTF-8, for as long as the call lasts.
    let text = unsafe {
        std::str::from_utf8_unchecked(std::slice::from_raw_parts(text.cast(), length as usize))
    };
    image().map_or_else(|| none(held), |image| answer(held, image, text))
}

macro_rules! functions {
    ($($name:ident),*) => {$(
        /// # Safety
        /// For the interpreter to call, with an object.
        unsafe extern "C" fn $name(_: *mut PyObject, argument: *mut PyObject) -> *mut PyObject {
            // SAFETY: called by the interpreter, as a function of one object.
            unsafe { call(argument, answer::$name) }
        }
    )*};
}

functions!(find, code, modules, is_folder, read, view, size, list, setting, unloadable);

mod answer {
    use super::*;

    pub(super) fn find(held: Held, image: &'static Image<'static>, stem: &str) -> *mut PyObject {
        // SAFETY: the interpreter is held, and all values are new ones.
        unsafe {
            let Some(module) = image.module(stem) else { return none(held) };
            let kind = match module.kind {
                ModuleKind::Code => 0,
                ModuleKind::Builtin => 1,
                ModuleKind::Namespace => 2,
                _ => 3,
            };
            tuple(
                held,
                [
                    ffi::PyLong_FromLong(kind),
                    ffi::PyBool_FromLong(i64::from(module.is_package)),
                    string(held, module.path),
                ],
            )
        }
    }

    pub(super) fn code(held: Held, image: &'static Image<'static>, stem: &str) -> *mut PyObject {
        let module = image.module(stem).filter(|module| module.kind == ModuleKind::Code);
        let Some(module) = module else { return none(held) };
        let Some(code) = unpacked(held, module.code) else {
            return ptr::null_mut();
        };
        // SAFETY: the interpreter is held, and keeps nothing of what it reads here.
        unsafe { PyMarshal_ReadObjectFromString(code.as_ptr().cast(), code.len() as Py_ssize_t) }
    }

    pub(super) fn modules(
        held: Held,
        image: &'static Image<'static>,
        folder: &str,
    ) -> *mut PyObject {
        // As FileFinder has it, a folder without a module of its own isn't told of.
        let all = image.modules_in(folder).filter(|it| it.kind != ModuleKind::Namespace);
        let modules = all.map(|it| {
            let name = it.stem.rsplit('/').next().unwrap_or(it.stem);
            (name, it.is_package)
        });
        pairs(held, modules)
    }

    pub(super) fn is_folder(_: Held, image: &'static Image<'static>, path: &str) -> *mut PyObject {
        // SAFETY: the interpreter is held.
        unsafe { ffi::PyBool_FromLong(i64::from(image.is_folder(path))) }
    }

    pub(super) fn read(held: Held, image: &'static Image<'static>, path: &str) -> *mut PyObject {
        let Some(file) = image.file(path) else { return none(held) };
        let Some(content) = unpacked(held, file.content) else { return ptr::null_mut() };
        // SAFETY: the interpreter is held, and bytes are copied from where they can be read.
        unsafe {
            ffi::PyBytes_FromStringAndSize(content.as_ptr().cast(), content.len() as Py_ssize_t)
        }
    }

    pub(super) fn view(held: Held, image: &'static Image<'static>, path: &str) -> *mut PyObject {
        let content = image.file(path).and_then(|file| file.content.plain());
        // SAFETY: the memory stays, and is only read.
        unsafe {
            match content {
                Some(content) => ffi::PyMemoryView_FromMemory(
                    content.as_ptr().cast_mut().cast(),
                    content.len() as Py_ssize_t,
                    ffi::PyBUF_READ,
                ),
                None => none(held),
            }
        }
    }

    pub(super) fn size(held: Held, image: &'static Image<'static>, path: &str) -> *mut PyObject {
        // SAFETY: the interpreter is held.
        unsafe {
            match image.file(path) {
                Some(file) => ffi::PyLong_FromSsize_t(file.content.len() as Py_ssize_t),
                None => none(held),
            }
        }
    }

    pub(super) fn list(held: Held, image: &'static Image<'static>, path: &str) -> *mut PyObject {
        pairs(held, image.list(path).map(|entry| (entry.name, entry.is_folder)))
    }

    pub(super) fn setting(held: Held, image: &'static Image<'static>, key: &str) -> *mut PyObject {
        image.setting(key).map_or_else(|| none(held), |value| string(held, value))
    }

    pub(super) fn unloadable(held: Held, _: &'static Image<'static>, path: &str) -> *mut PyObject {
        match shared::load(path, libc::RTLD_NOW) {
            Err(failure) => string(held, &failure.text()),
            Ok(_) => none(held),
        }
    }
}

/// What a blob holds, or nothing and an exception.
fn unpacked(_: Held, blob: Blob<'static>) -> Option<Cow<'static, [u8]>> {
    let read = blob.read().ok();
    if read.is_none() {
        // SAFETY: the interpreter is held.
        unsafe {
            ffi::PyErr_SetString(
                ffi::PyExc_OSError,
                c"the program is damaged: something in it can't be unpacked".as_ptr(),
            );
        }
    }
    read
}

fn none(_: Held) -> *mut PyObject {
    // SAFETY: there is one `None`, and the interpreter is held.
    unsafe { ffi::Py_NewRef(ffi::Py_None()) }
}

fn string(_: Held, text: &str) -> *mut PyObject {
    // SAFETY: the text can be read, and the interpreter is held.
    unsafe { ffi::PyUnicode_FromStringAndSize(text.as_ptr().cast(), text.len() as Py_ssize_t) }
}

/// A tuple that takes the values over; null, with an exception, if one of them is.
fn tuple<const N: usize>(_: Held, values: [*mut PyObject; N]) -> *mut PyObject {
    // SAFETY: the values are new references or null.
    unsafe {
        let failed = values.iter().any(|value| value.is_null());
        let tuple = if failed { ptr::null_mut() } else { ffi::PyTuple_New(N as Py_ssize_t) };
        for (at, value) in values.into_iter().enumerate() {
            if tuple.is_null() {
                ffi::Py_XDECREF(value);
            } else {
                ffi::PyTuple_SetItem(tuple, at as Py_ssize_t, value);
            }
        }
        tuple
    }
}

/// A list of tuples.
fn pairs<'a>(held: Held, values: impl Iterator<Item = (&'a str, bool)>) -> *mut PyObject {
    // SAFETY: each object is new, and given away or released once.
    unsafe {
        let list = ffi::PyList_New(0);
        if list.is_null() {
            return list;
        }
        for (name, flag) in values {
            let pair = tuple(held, [string(held, name), ffi::PyBool_FromLong(i64::from(flag))]);
            if pair.is_null() || ffi::PyList_Append(list, pair) != 0 {
                ffi::Py_XDECREF(pair);
                ffi::Py_DECREF(list);
                return ptr::null_mut();
            }
            ffi::Py_DECREF(pair);
        }
        list
    }
}

/// The tables of a definition, which the interpreter reads and never changes.
#[repr(transparent)]
struct Shared<T>(T);

// SAFETY: nothing writes to them but the interpreter, to the definition, when it holds its lock.
unsafe impl<T> Sync for Shared<T> {}

const fn method(
    name: &'static CStr,
    function: ffi::PyCFunction,
    doc: &'static CStr,
) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: function },
        ml_flags: ffi::METH_O,
        ml_doc: doc.as_ptr(),
    }
}

static METHODS: Shared<[ffi::PyMethodDef; 11]> = Shared([
    method(c"find", find, c"What a module is: (kind, is_package, path), or None."),
    method(c"code", code, c"The code object of a module, or None."),
    method(c"modules", modules, c"The modules directly in a folder: [(name, is_package)]."),
    method(c"is_folder", is_folder, c"Whether modules or files are below a path."),
    method(c"read", read, c"The content of a file, or None."),
    method(c"view", view, c"The content of a file where it lies, or None."),
    method(c"size", size, c"How long the content of a file is, or None."),
    method(c"list", list, c"What is in a folder: [(name, is_folder)]."),
    method(c"setting", setting, c"The value of a setting, or None."),
    method(c"unloadable", unloadable, c"Why a shared object can't be loaded, or None."),
    ffi::PyMethodDef::zeroed(),
]);

/// `Py_mod_multiple_interpreters` and `Py_MOD_PER_INTERPRETER_GIL_SUPPORTED`: from 3.12 (PEP 684).
const MULTIPLE_INTERPRETERS: c_int = 3;
const PER_INTERPRETER: *mut c_void = ptr::without_provenance_mut(2);
/// `Py_mod_gil` and `Py_MOD_GIL_NOT_USED`: from 3.13 (PEP 703).
const GIL: c_int = 4;
const NOT_USED: *mut c_void = ptr::without_provenance_mut(1);

const fn slot(slot: c_int, value: *mut c_void) -> ffi::PyModuleDef_Slot {
    ffi::PyModuleDef_Slot { slot, value }
}

static SLOTS: Shared<[ffi::PyModuleDef_Slot; 3]> = Shared([
    slot(MULTIPLE_INTERPRETERS, PER_INTERPRETER),
    slot(GIL, NOT_USED),
    slot(0, ptr::null_mut()),
]);
static SLOTS_3_12: Shared<[ffi::PyModuleDef_Slot; 2]> =
    Shared([slot(MULTIPLE_INTERPRETERS, PER_INTERPRETER), slot(0, ptr::null_mut())]);
static SLOTS_3_11: Shared<[ffi::PyModuleDef_Slot; 1]> = Shared([slot(0, ptr::null_mut())]);

const fn definition(slots: *const ffi::PyModuleDef_Slot) -> ffi::PyModuleDef {
    ffi::PyModuleDef {
        m_base: ffi::PyModuleDef_HEAD_INIT,
        m_name: c"_ekiben".as_ptr(),
        m_doc: c"The module image of this program.".as_ptr(),
        m_size: 0,
        m_methods: (&raw const METHODS.0).cast_mut().cast(),
        m_slots: slots.cast_mut(),
        m_traverse: None,
        m_clear: None,
        m_free: None,
    }
}

static mut DEFINITION: ffi::PyModuleDef = definition((&raw const SLOTS.0).cast());
static mut DEFINITION_3_12: ffi::PyModuleDef = definition((&raw const SLOTS_3_12.0).cast());
static mut DEFINITION_3_11: ffi::PyModuleDef = definition((&raw const SLOTS_3_11.0).cast());

/// The module's init function, for the inittab.
///
/// # Safety
/// For the interpreter to call.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn PyInit__ekiben() -> *mut PyObject {
    // SAFETY: the interpreter called; it alone writes to the definition.
    unsafe {
        // A slot that an interpreter doesn't know is an error to it.
        let definition = match ffi::Py_Version >> 16 {
            ..=0x030B => &raw mut DEFINITION_3_11,
            0x030C => &raw mut DEFINITION_3_12,
            _ => &raw mut DEFINITION,
        };
        ffi::PyModuleDef_Init(definition)
    }
}
