//! Calls of the C library that take a path: what seems to be below the program isn't there, rather than
//! below what is no folder. `c/main.c` has the same.
//!
//! Invariants: a call that succeeds is passed on as it is.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::ROOT;

/// Corrects the error of a call that has failed.
///
/// # Safety
/// `path` is a text, or null.
unsafe fn correct(path: *const c_char) {
    // SAFETY: the caller promises it; the error is this thread's own.
    unsafe {
        let error = libc::__errno_location();
        if *error != libc::ENOTDIR || path.is_null() {
            return;
        }
        let path = CStr::from_ptr(path).to_bytes();
        let rest = ROOT.get().and_then(|root| path.strip_prefix(root.as_slice()));
        if rest.is_some_and(|rest| rest.starts_with(b"/")) {
            *error = libc::ENOENT;
        }
    }
}

fn is_negative(result: c_int) -> bool {
    result < 0
}

fn is_null<T>(result: *mut T) -> bool {
    result.is_null()
}

/// In place of the C library's functions, for the interpreter and every shared object.
macro_rules! corrected {
    ($(fn $name:ident($path:ident, $($parameter:ident: $type:ty),*) -> $result:ty, or $failed:expr, if $has_failed:expr;)*) => {$(
        /// # Safety
        /// As of the C library's.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($path: *const c_char, $($parameter: $type),*) -> $result {
            // SAFETY: as the C library declares it, but for what may be left out at the end.
            type Function = unsafe extern "C" fn(*const c_char, $($type),*) -> $result;
            static NEXT: AtomicPtr<libc::c_void> = AtomicPtr::new(ptr::null_mut());
            // SAFETY: it is the function of that name, which is called as this one was.
            unsafe {
                let mut next = NEXT.load(Ordering::Relaxed);
                if next.is_null() {
                    let name = concat!(stringify!($name), "\0");
                    next = libc::dlsym(libc::RTLD_NEXT, name.as_ptr().cast());
                    if next.is_null() {
                        // Before glibc 2.33 nobody calls functions of this name.
                        *libc::__errno_location() = libc::ENOSYS;
                        return $failed;
                    }
                    NEXT.store(next, Ordering::Relaxed);
                }
                let next = std::mem::transmute::<*mut libc::c_void, Function>(next);
                let result = next($path, $($parameter),*);
                if $has_failed(result) {
                    correct($path);
                }
                result
            }
        }
    )*};
}

corrected! {
    fn open(path, flags: c_int, mode: libc::mode_t) -> c_int, or -1, if is_negative;
    fn open64(path, flags: c_int, mode: libc::mode_t) -> c_int, or -1, if is_negative;
    fn stat(path, to: *mut libc::stat) -> c_int, or -1, if is_negative;
    fn stat64(path, to: *mut libc::stat64) -> c_int, or -1, if is_negative;
    fn lstat(path, to: *mut libc::stat) -> c_int, or -1, if is_negative;
    fn lstat64(path, to: *mut libc::stat64) -> c_int, or -1, if is_negative;
    fn opendir(path,) -> *mut libc::DIR, or ptr::null_mut(), if is_null;
}
