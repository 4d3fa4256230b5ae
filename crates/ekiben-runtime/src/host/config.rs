//! [`Config`]: CPython's `PyConfig`, of which the fields lie elsewhere in each version.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

use pyo3_ffi as ffi;

/// A wide character of C.
pub(super) type Wide = libc::wchar_t;

/// More than any version has (448 bytes in 3.13).
const SIZE: usize = 1024;

/// `PyStatus` (Include/cpython/initconfig.h), the same since 3.8.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Status {
    kind: c_int,
    function: *const c_char,
    message: *const c_char,
    code: c_int,
}

/// `PyPreConfig`, the same since 3.8 on systems that aren't Windows.
#[repr(C)]
#[derive(Default)]
pub(super) struct PreConfig {
    kind: c_int,
    pub(super) parse_argv: c_int,
    isolated: c_int,
    pub(super) use_environment: c_int,
    configure_locale: c_int,
    coerce_c_locale: c_int,
    coerce_c_locale_warn: c_int,
    utf8_mode: c_int,
    dev_mode: c_int,
    allocator: c_int,
}

/// `PyWideStringList`.
#[repr(C)]
struct WideStrings {
    length: ffi::Py_ssize_t,
    items: *mut *mut Wide,
}

#[repr(C, align(16))]
struct Bytes([u8; SIZE]);

// SAFETY: they are declared so in CPython's headers, and public since 3.8.
unsafe extern "C" {
    fn PyPreConfig_InitPythonConfig(config: *mut PreConfig);
    fn Py_PreInitialize(config: *const PreConfig) -> Status;
    fn Py_PreInitializeFromBytesArgs(
        config: *const PreConfig,
        argc: ffi::Py_ssize_t,
        argv: *mut *mut c_char,
    ) -> Status;
    fn PyConfig_InitPythonConfig(config: *mut Bytes);
    fn PyConfig_SetBytesArgv(
        config: *mut Bytes,
        argc: ffi::Py_ssize_t,
        argv: *const *mut c_char,
    ) -> Status;
    fn PyConfig_SetBytesString(
        config: *mut Bytes,
        field: *mut *mut Wide,
        text: *const c_char,
    ) -> Status;
    fn PyConfig_Read(config: *mut Bytes) -> Status;
    fn PyConfig_Clear(config: *mut Bytes);
    fn PyWideStringList_Append(list: *mut WideStrings, item: *const Wide) -> Status;
    fn Py_InitializeFromConfig(config: *const Bytes) -> Status;
    fn Py_DecodeLocale(text: *const c_char, size: *mut usize) -> *mut Wide;
    fn PyMem_RawFree(memory: *mut c_void);
    fn PyStatus_Exception(status: Status) -> c_int;
    fn Py_ExitStatusException(status: Status) -> !;
}

/// Where fields are.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) parse_argv: usize,
    pub(super) optimization_level: usize,
    pub(super) write_bytecode: usize,
    pub(super) user_site_directory: usize,
    pub(super) safe_path: usize,
    pub(super) pathconfig_warnings: usize,
    pub(super) program_name: usize,
    pub(super) pythonpath_env: usize,
    pub(super) home: usize,
    pub(super) platlibdir: usize,
    pub(super) module_search_paths_set: usize,
    pub(super) module_search_paths: usize,
    pub(super) stdlib_dir: usize,
    pub(super) executable: usize,
    pub(super) base_executable: usize,
    pub(super) prefix: usize,
    pub(super) base_prefix: usize,
    pub(super) exec_prefix: usize,
    pub(super) base_exec_prefix: usize,
}

/// Of all versions.
pub(super) const USE_ENVIRONMENT: usize = 8;

impl Layout {
    /// The one of 3.11, of which later versions differ by fields that were put between.
    const fn shifted(first: usize, warnings: usize, rest: usize) -> Self {
        Self {
            parse_argv: 96 + first,
            optimization_level: 188 + first,
            write_bytecode: 196 + first,
            user_site_directory: 208 + first,
            safe_path: 252 + first,
            pathconfig_warnings: 256 + warnings,
            program_name: 264 + rest,
            pythonpath_env: 272 + rest,
            home: 280 + rest,
            platlibdir: 288 + rest,
            module_search_paths_set: 296 + rest,
            module_search_paths: 304 + rest,
            stdlib_dir: 320 + rest,
            executable: 328 + rest,
            base_executable: 336 + rest,
            prefix: 344 + rest,
            base_prefix: 352 + rest,
            exec_prefix: 360 + rest,
            base_exec_prefix: 368 + rest,
        }
    }

    /// Of this interpreter; none if it isn't known.
    pub(super) fn get() -> Option<Self> {
        // SAFETY: it is a number that doesn't change.
        match unsafe { ffi::Py_Version } >> 16 {
            0x030B => Some(Self::shifted(0, 0, 0)),
            0x030C => Some(Self::shifted(8, 12, 8)),
            0x030D => Some(Self::shifted(8, 16, 16)),
            _ => None,
        }
    }
}

/// Ends the process if something went wrong, and says what.
fn check(status: Status) {
    // SAFETY: it was returned by the interpreter.
    unsafe {
        if PyStatus_Exception(status) != 0 {
            Py_ExitStatusException(status);
        }
    }
}

/// Decides on what is needed to read text. The arguments are read if `pre` says so.
///
/// # Safety
/// Before the interpreter starts, with C's arguments.
pub(super) unsafe fn prepare(
    set: impl FnOnce(&mut PreConfig),
    argc: c_int,
    argv: *mut *mut c_char,
) {
    let mut pre = PreConfig::default();
    // SAFETY: the caller promises it.
    unsafe {
        PyPreConfig_InitPythonConfig(&raw mut pre);
        set(&mut pre);
        check(match pre.parse_argv {
            0 => Py_PreInitialize(&raw const pre),
            _ => Py_PreInitializeFromBytesArgs(&raw const pre, argc as ffi::Py_ssize_t, argv),
        });
    }
}

/// `PyConfig`, once `prepare` was called.
pub(super) struct Config {
    bytes: Box<Bytes>,
}

impl Config {
    /// As `python` has it.
    pub(super) fn new() -> Self {
        let mut bytes = Box::new(Bytes([0; SIZE]));
        // SAFETY: there is room for it.
        unsafe { PyConfig_InitPythonConfig(&raw mut *bytes) };
        Self { bytes }
    }

    fn field<T>(&mut self, at: usize) -> *mut T {
        // SAFETY: all places of a layout are in the bytes.
        unsafe { (&raw mut *self.bytes).cast::<u8>().add(at).cast() }
    }

    /// Sets a number.
    pub(super) fn set(&mut self, at: usize, value: c_int) {
        // SAFETY: it is the place of a number.
        unsafe { self.field::<c_int>(at).write(value) };
    }

    /// Sets a text.
    pub(super) fn set_text(&mut self, at: usize, text: &[u8]) {
        let text = CString::new(text).unwrap_or_default();
        let field = self.field(at);
        // SAFETY: it is the place of a text, which the interpreter allocates.
        check(unsafe { PyConfig_SetBytesString(&raw mut *self.bytes, field, text.as_ptr()) });
    }

    /// # Safety
    /// With C's arguments.
    pub(super) unsafe fn set_arguments(&mut self, argc: c_int, argv: *mut *mut c_char) {
        let argc = argc as ffi::Py_ssize_t;
        // SAFETY: the caller promises it.
        check(unsafe { PyConfig_SetBytesArgv(&raw mut *self.bytes, argc, argv) });
    }

    /// Reads options and environment, as far as they count.
    pub(super) fn read(&mut self) {
        // SAFETY: it was initialised.
        check(unsafe { PyConfig_Read(&raw mut *self.bytes) });
    }

    /// The folders of a text with colons between.
    pub(super) fn folders(&mut self, at: usize) -> Vec<Vec<Wide>> {
        // SAFETY: it is the place of a text of the interpreter's, or null.
        unsafe {
            let text: *mut Wide = *self.field::<*mut Wide>(at);
            if text.is_null() || *text == 0 {
                return Vec::new();
            }
            let text = std::slice::from_raw_parts(text, libc::wcslen(text));
            let colon = Wide::from(b':');
            text.split(|it| *it == colon).map(|it| [it, &[0]].concat()).collect()
        }
    }

    /// Adds a folder, which ends with a zero.
    pub(super) fn append(&mut self, at: usize, folder: &[Wide]) {
        let list = self.field(at);
        // SAFETY: it is the place of a list, and what is added is a text.
        check(unsafe { PyWideStringList_Append(list, folder.as_ptr()) });
    }

    /// Starts the interpreter.
    pub(super) fn start(mut self) {
        // SAFETY: all that it needs was set.
        unsafe {
            check(Py_InitializeFromConfig(&raw const *self.bytes));
            PyConfig_Clear(&raw mut *self.bytes);
        }
    }
}

/// A path as the interpreter decodes it, with a zero at its end.
pub(super) fn decoded(path: &[u8]) -> Vec<Wide> {
    let path = CString::new(path).unwrap_or_default();
    // SAFETY: what is returned is a text, or null if there is no memory.
    unsafe {
        let text = Py_DecodeLocale(path.as_ptr(), ptr::null_mut());
        if text.is_null() {
            return vec![0];
        }
        let decoded = std::slice::from_raw_parts(text, libc::wcslen(text) + 1).to_vec();
        PyMem_RawFree(text.cast());
        decoded
    }
}
