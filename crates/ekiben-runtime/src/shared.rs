//! Shared objects of the image, loaded from memory: each is copied to an anonymous file, which the C
//! library's loader opens by a path below `/proc/self`.
//!
//! The loader takes a library for loaded when it knows the path that it is asked for, or when another
//! library was linked against its name (`DT_SONAME`). So what a shared object needs of the image is
//! loaded before it, in the order that the setting `libraries` has. Where libraries need each other, their
//! copies name paths of descriptors instead. Descriptors are closed again, and
//! their numbers used for something else: each path is spelt in a way of its own.
//!
//! Invariants: a shared object is loaded once in a process, whoever asks for it, and stays; no
//! descriptor is left open.

use std::ffi::{CStr, CString, c_char, c_int};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ekiben_image::{FileKind, Image};

use crate::start::image;

/// The setting that says what has to be loaded before a shared object: lines of its path and theirs,
/// in order, with tabs between.
const LIBRARIES: &str = "libraries";

/// The setting that says which libraries need each other: lines of paths, with tabs between.
const CIRCLES: &str = "library-circles";

/// What was loaded, or is about to be.
static KNOWN: Mutex<Vec<Shared>> = Mutex::new(Vec::new());

/// How many of them need each other.
static IN_CIRCLES: AtomicUsize = AtomicUsize::new(0);

struct Shared {
    /// Where it is in the image.
    path: &'static str,
    /// What the C library's loader knows it by.
    name: &'static CStr,
    /// Its content, until it is loaded.
    file: Option<File>,
}

/// Why a shared object can't be loaded.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no file for it in memory.
    Memory(&'static str, io::Error),
    /// The C library's loader refused it; `dlerror` says why.
    Loader(&'static str, &'static CStr),
}

impl Failure {
    /// The reason. `dlerror` forgets it then.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Memory(path, error) => format!("{path}: no memory file can be made: {error}"),
            Self::Loader(path, name) => {
                // SAFETY: it is a text of this thread, or null, and copied before another call.
                let said = unsafe {
                    let text = libc::dlerror();
                    if text.is_null() { c"unknown error" } else { CStr::from_ptr(text) }
                };
                said.to_string_lossy().replace(&*name.to_string_lossy(), path)
            }
        }
    }
}

/// Loads the shared object at a path of the image, with what it needs, and gives the name by which the
/// C library's loader knows it then; nothing if there is none at that path.
pub(crate) fn load(path: &str, flags: c_int) -> Result<Option<&'static CStr>, Failure> {
    let Some(image) = image() else { return Ok(None) };
    let file = image.file(path).filter(|file| file.kind == FileKind::SharedObject);
    let Some(file) = file else { return Ok(None) };
    if flags & libc::RTLD_NOLOAD != 0 {
        return Ok(loaded(file.path));
    }
    let how = flags & (libc::RTLD_LAZY | libc::RTLD_NOW);
    for library in libraries(image, file.path) {
        load_one(image, library, how)?;
    }
    load_one(image, file.path, flags)
}

/// What has to be loaded before the shared object at a path.
fn libraries(image: &'static Image<'static>, path: &str) -> impl Iterator<Item = &'static str> {
    let all = image.setting(LIBRARIES).unwrap_or_default();
    let line = all.lines().find_map(|line| line.strip_prefix(path)?.strip_prefix('\t'));
    line.unwrap_or_default().split_terminator('\t')
}

/// Remembers what the loader has by a name of its own.
#[cfg(feature = "host")]
pub(crate) fn is_loaded(path: &'static str, name: CString) {
    let name = Box::leak(name.into_boxed_c_str());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.push(Shared { path, name, file: None });
}

fn loaded(path: &str) -> Option<&'static CStr> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.iter().find(|it| it.path == path && it.file.is_none()).map(|it| it.name)
}

fn load_one(
    image: &'static Image<'static>,
    path: &'static str,
    flags: c_int,
) -> Result<Option<&'static CStr>, Failure> {
    if let Some(name) = loaded(path) {
        return Ok(Some(name));
    }
    if image.file(path).is_none() {
        return Ok(None);
    }
    let name = {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|it| it.path == path) {
            make(image, path, &mut known).map_err(|error| Failure::Memory(path, error))?;
        }
        known.iter().find(|it| it.path == path).map(|it| it.name)
    };
    let Some(name) = name else { return Ok(None) };
    // Without the lock: the object's own initialisers may load others.
    // SAFETY: the name is a text. What runs then is code that the program asked for.
    if unsafe { libc::dlopen(name.as_ptr(), flags) }.is_null() {
        return Err(Failure::Loader(path, name));
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shared) = known.iter_mut().find(|it| it.path == path) {
        shared.file = None;
    }
    Ok(Some(name))
}

/// Copies an object to memory, and with it those that need each other.
fn make(
    image: &'static Image<'static>,
    path: &'static str,
    known: &mut Vec<Shared>,
) -> io::Result<()> {
    let all = image.setting(CIRCLES).unwrap_or_default();
    let circle = all.lines().find(|line| line.split('\t').any(|it| it == path)).unwrap_or(path);
    let mut files = Vec::new();
    for path in circle.split('\t') {
        files.push((path, memory_file(path)?));
    }
    // Which the loader finds by paths, since none can be loaded before the others.
    let names = files.iter().filter(|_| circle != path).map(|(path, file)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let number = 1 + IN_CIRCLES.fetch_add(1, Ordering::Relaxed);
        (name, format!("/proc/self/fd/{}{}", digits(number), file.as_raw_fd()))
    });
    let names: Vec<_> = names.collect();
    for (path, mut file) in files {
        let content = image.file(path).map(|file| file.content.read());
        let mut content = content.transpose().map_err(io::Error::other)?.unwrap_or_default();
        for (name, to) in &names {
            if !path.ends_with(name) {
                replace(content.to_mut(), name, to)?;
            }
        }
        file.write_all(&content)?;
        let seals =
            libc::F_SEAL_WRITE | libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL;
        // SAFETY: it takes a number. That it can't be sealed does no harm.
        unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) };
        let name = spelling(file.as_raw_fd(), known.len());
        known.push(Shared { path, name, file: Some(file) });
    }
    Ok(())
}

/// Writes another text in place of one that has a zero before and after it.
fn replace(content: &mut [u8], text: &str, by: &str) -> io::Result<()> {
    if by.len() > text.len() {
        return Err(io::Error::other("too many files are open"));
    }
    let wanted = [b"\0", text.as_bytes(), b"\0"].concat();
    let mut at = 0;
    while let Some(found) = content[at..].windows(wanted.len()).position(|it| it == wanted) {
        let place = &mut content[at + found + 1..at + found + 1 + text.len()];
        place.fill(0);
        place[..by.len()].copy_from_slice(by.as_bytes());
        at += found + 1 + text.len();
    }
    Ok(())
}

/// A file that is nowhere, still empty.
fn memory_file(path: &str) -> io::Result<File> {
    let name = path.rsplit('/').next().unwrap_or(path);
    // The kernel takes 249 bytes, and debuggers and profilers show them.
    let name: String = name.chars().take(60).collect();
    let name = CString::new(name)?;
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // Kernels before 6.3 don't know that a file's executability can be asked for, and later ones may
    // be set not to give it unless asked.
    // SAFETY: the name is a text; what is returned is a new descriptor, or a negative number.
    let descriptor = unsafe {
        match libc::memfd_create(name.as_ptr(), flags | libc::MFD_EXEC) {
            -1 => libc::memfd_create(name.as_ptr(), flags),
            descriptor => descriptor,
        }
    };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: nobody else has it.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// A number as a part of a path that means nothing. That of another number isn't its beginning.
fn digits(mut number: usize) -> String {
    let mut digits = String::new();
    while number > 0 {
        digits.push_str(if number & 1 == 1 { "./" } else { "/" });
        number >>= 1;
    }
    digits
}

/// A path of a descriptor that no other descriptor of the same number had, or will have. By the number of the thread a debugger, which looks for the same
/// path, finds nothing, rather than a descriptor of its own.
fn spelling(descriptor: c_int, number: usize) -> &'static CStr {
    // SAFETY: it can't fail.
    let thread = unsafe { libc::gettid() };
    let name = format!("/proc/self/task/{thread}/fd/{}{descriptor}", digits(number));
    // It has no zero in it.
    let name = CString::new(name).unwrap_or_default();
    Box::leak(name.into_boxed_c_str())
}

/// For `main.c`: loads the shared object at a path of the image, and writes the name by which the C
/// library's loader knows it to `name`. Returns 1 then, 0 if there is none at that path or it has to be
/// loaded from elsewhere, and -1 if the C library's loader refused it, which `dlerror` tells.
///
/// # Safety
/// `path` ends with a zero, and `name` can be written.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn ekiben_load(
    path: *const c_char,
    flags: c_int,
    name: *mut *const c_char,
) -> c_int {
    // SAFETY: the caller promises it.
    let path = unsafe { CStr::from_ptr(path) };
    match path.to_str().map(|path| load(path, flags)) {
        Ok(Ok(Some(loaded))) => {
            // SAFETY: the caller promises it.
            unsafe { name.write(loaded.as_ptr()) };
            1
        }
        Ok(Err(Failure::Loader(..))) => -1,
        Ok(Ok(None) | Err(Failure::Memory(..))) | Err(_) => 0,
    }
}
