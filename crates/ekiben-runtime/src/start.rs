//! What `c/main.c` calls before there is an interpreter.

use std::borrow::Cow;
use std::ffi::{c_char, c_int};
use std::sync::OnceLock;

use ekiben_image::{Image, Module, ModuleKind};

static IMAGE: OnceLock<Image<'static>> = OnceLock::new();

/// The program's image, or nothing in an interpreter that carries none.
pub(crate) fn image() -> Option<&'static Image<'static>> {
    IMAGE.get()
}

/// Opens the image that begins at `start`. Returns 0 if it is one, and else writes why not, with a
/// zero at the end, to `message`, which has room for `room` bytes.
///
/// # Safety
/// `length` bytes at `start` can be read for as long as the process lives, and don't change;
/// `room` bytes at `message` can be written.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn ekiben_open(
    start: *const u8,
    length: usize,
    message: *mut c_char,
    room: usize,
) -> c_int {
    // SAFETY: the caller promises it.
    let bytes = unsafe { std::slice::from_raw_parts(start, length) };
    let error = match Image::open(bytes) {
        Ok(image) => {
            // Called a second time, it is the same image.
            let _ = IMAGE.set(image);
            return 0;
        }
        Err(error) => error.to_string(),
    };
    let text = &error.as_bytes()[..error.len().min(room.saturating_sub(1))];
    if room > 0 {
        // SAFETY: the text and its zero fit into `room` bytes.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr(), message.cast(), text.len());
            message.add(text.len()).write(0);
        }
    }
    1
}

/// The value of a setting, or null.
///
/// # Safety
/// `key` ends with a zero.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn ekiben_setting(key: *const c_char) -> *const c_char {
    // SAFETY: the caller promises it.
    let key = unsafe { std::ffi::CStr::from_ptr(key) };
    let value = image().zip(key.to_str().ok()).and_then(|(image, key)| image.setting(key));
    // Text in an image has a zero after it.
    value.map_or(std::ptr::null(), |value| value.as_ptr().cast())
}

/// A module that the interpreter needs before the importer is there.
#[repr(C)]
pub(crate) struct Early {
    name: *const c_char,
    code: *const u8,
    size: c_int,
    is_package: c_int,
}

/// Writes the modules of the setting `early` to `to`, which has room for `room`, and returns how many
/// there are. Those that are packed are left out, unless `with_packed`: then they are unpacked for good.
///
/// # Safety
/// `room` elements at `to` can be written.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn ekiben_early(
    to: *mut Early,
    room: usize,
    with_packed: c_int,
) -> usize {
    let names = image().and_then(|image| image.setting("early")).unwrap_or_default();
    let modules = names.lines().filter_map(|name| image()?.module(name)).filter(|module| {
        let is_packed = module.code.plain().is_none();
        module.kind == ModuleKind::Code && (with_packed != 0 || !is_packed)
    });
    let mut count = 0;
    for module in modules {
        if count < room {
            // The interpreter would say no more of a damaged one than that it can't be imported.
            let code = match module.code.read().unwrap_or_default() {
                Cow::Borrowed(code) => code,
                Cow::Owned(code) => code.leak(),
            };
            // SAFETY: there is room for it.
            unsafe { to.add(count).write(Early::of(&module, code)) };
        }
        count += 1;
    }
    count
}

impl Early {
    fn of(module: &Module<'static>, code: &'static [u8]) -> Self {
        Self {
            name: module.name.as_ptr().cast(),
            code: code.as_ptr(),
            size: c_int::try_from(code.len()).unwrap_or(0),
            is_package: c_int::from(module.is_package),
        }
    }
}
