//! The start of an ordinary interpreter, which `ekiben-launcher` executes with this library loaded
//! before all others: `main` is ours, the interpreter's functions are called to start it.
//!
//! It does what `c/main.c` does for interpreters that are linked with it. That one is compiled with the
//! headers of its Python; here the fields of `PyConfig` are known by their places in each version.
//!
//! Invariants: user code finds neither variables of the environment nor descriptors of this start.

mod config;
mod files;
mod run;

use std::ffi::{CStr, CString, OsStr, OsString, c_char, c_int, c_void};
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::sync::OnceLock;
use std::{env, ptr};

use crate::shared::{self, Failure};
use crate::start::{ekiben_open, image};

/// What the launcher tells: descriptors of the program and of what it had loaded, and where the image
/// is in the program.
pub(crate) const TOLD: &str = "EKIBEN_HOST";
const PRELOAD: &str = "LD_PRELOAD";

// SAFETY: as C's headers declare the functions.
type Main = unsafe extern "C" fn(c_int, *mut *mut c_char, *mut *mut c_char) -> c_int;
type Function = unsafe extern "C" fn();
// SAFETY: as glibc's csu/libc-start.c declares it.
type StartMain = unsafe extern "C" fn(
    Main,
    c_int,
    *mut *mut c_char,
    Option<Function>,
    Option<Function>,
    Option<Function>,
    *mut c_void,
) -> c_int;
// SAFETY: as dlfcn.h declares it.
type Open = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void;

/// The interpreter's own `main`.
static MAIN: OnceLock<Main> = OnceLock::new();
/// The program's path, below which its files seem to be.
static ROOT: OnceLock<Vec<u8>> = OnceLock::new();

/// What the C library calls `main` by: here it calls ours.
///
/// # Safety
/// For the start of a program.
#[unsafe(no_mangle)]
unsafe extern "C" fn __libc_start_main(
    main: Main,
    argc: c_int,
    argv: *mut *mut c_char,
    init: Option<Function>,
    fini: Option<Function>,
    unloaded: Option<Function>,
    stack: *mut c_void,
) -> c_int {
    let _ = MAIN.set(main);
    // SAFETY: it is the function of that name, which passes on what it is given.
    unsafe {
        let next = libc::dlsym(libc::RTLD_NEXT, c"__libc_start_main".as_ptr());
        let next = std::mem::transmute::<*mut c_void, StartMain>(next);
        next(host_main, argc, argv, init, fini, unloaded, stack)
    }
}

/// In place of the C library's, for the interpreter and every shared object: what is in the image is
/// loaded from memory.
///
/// # Safety
/// As of the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void {
    static NEXT: OnceLock<Open> = OnceLock::new();
    // SAFETY: it is the function of that name; a name is a text.
    unsafe {
        let next = NEXT.get_or_init(|| {
            let next = libc::dlsym(libc::RTLD_NEXT, c"dlopen".as_ptr());
            std::mem::transmute::<*mut c_void, Open>(next)
        });
        let inner = ROOT.get().filter(|_| !name.is_null()).and_then(|root| {
            let rest = CStr::from_ptr(name).to_bytes().strip_prefix(root.as_slice())?;
            std::str::from_utf8(rest.strip_prefix(b"/")?).ok()
        });
        match inner.map(|path| shared::load(path, flags)) {
            Some(Ok(Some(name))) => next(name.as_ptr(), flags),
            Some(Err(Failure::Loader(..))) => ptr::null_mut(),
            _ => next(name, flags),
        }
    }
}

/// In place of the interpreter's `main`.
///
/// # Safety
/// For the C library to call.
unsafe extern "C" fn host_main(
    argc: c_int,
    argv: *mut *mut c_char,
    environment: *mut *mut c_char,
) -> c_int {
    // SAFETY: as the C library calls it.
    unsafe {
        let Some(told) = env::var_os(TOLD) else {
            return MAIN.get().map_or(1, |main| main(argc, argv, environment));
        };
        let code = take_over(&told).and_then(|program| run::main(&program, argc, argv));
        code.unwrap_or_else(|message| {
            let _ = writeln!(io::stderr(), "{message}");
            1
        })
    }
}

/// Opens the image, and leaves no trace of the launcher. Gives the program's path.
///
/// # Safety
/// Before there are threads.
unsafe fn take_over(told: &OsStr) -> Result<OsString, String> {
    let mut parts = told.as_bytes().splitn(5, |byte| *byte == b' ');
    let mut part = || parts.next().and_then(|it| std::str::from_utf8(it).ok()).unwrap_or_default();
    let (own, offset, length) = (part().parse(), part().parse(), part().parse());
    let loaded = part().to_owned();
    let program = OsString::from_vec(parts.next().unwrap_or_default().to_vec());
    let says = |what: &str| format!("{}: {what}", program.to_string_lossy());
    let (Ok(own), Ok(offset), Ok(length)) = (own, offset, length) else {
        return Err(says("its launcher isn't of the same version"));
    };
    let own: c_int = own;
    // SAFETY: nobody else has the descriptors, and nothing else runs that could read the environment.
    // The mapping stays. Programs are replaced as a whole, and never written into.
    unsafe {
        let start =
            libc::mmap(ptr::null_mut(), length, libc::PROT_READ, libc::MAP_PRIVATE, own, offset);
        if start == libc::MAP_FAILED {
            return Err(says("its module image can't be mapped"));
        }
        libc::close(own);
        for descriptor in loaded.split(',').filter_map(|it| it.parse().ok()) {
            libc::close(descriptor);
        }
        restore_environment(&loaded);
        let name = program.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let name: Vec<u8> = name.iter().copied().take(15).chain([0]).collect();
        libc::prctl(libc::PR_SET_NAME, name.as_ptr());
        let mut message = [0; 512];
        if ekiben_open(start.cast(), length, message.as_mut_ptr(), message.len()) != 0 {
            return Err(says(&CStr::from_ptr(message.as_ptr()).to_string_lossy()));
        }
    }
    // The first path is the interpreter's.
    let paths = image().and_then(|image| image.setting("host")).unwrap_or_default();
    for (path, descriptor) in paths.lines().skip(1).zip(loaded.split(',')) {
        let name = CString::new(format!("/proc/self/fd/{descriptor}")).unwrap_or_default();
        shared::is_loaded(path, name);
    }
    let _ = ROOT.set(program.as_bytes().to_vec());
    Ok(program)
}

/// # Safety
/// Before there are threads.
unsafe fn restore_environment(loaded: &str) {
    let ours = loaded.split(',').map(|it| format!("/proc/self/fd/{it}"));
    let ours = ours.collect::<Vec<_>>().join(":");
    let preload = env::var_os(PRELOAD).unwrap_or_default();
    let before = preload.as_bytes().strip_prefix(ours.as_bytes());
    let before = before.and_then(|rest| rest.strip_prefix(b":"));
    // SAFETY: the caller promises it.
    unsafe {
        env::remove_var(TOLD);
        match before {
            Some(before) => env::set_var(PRELOAD, OsStr::from_bytes(before)),
            None => env::remove_var(PRELOAD),
        }
    }
}
