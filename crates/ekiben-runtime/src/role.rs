//! Whether a process is an interpreter, though it was started as a program: for `multiprocessing`, for
//! what starts `sys.executable` as one, and by the name of one.
//!
//! Invariants: nothing is asked of the system unless the arguments look like an interpreter's, or the
//! name does.

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

use ekiben_image::ModuleKind;

use crate::start::image;

/// What is in front of the path below which a process says of itself, and of others, what they are.
const PROCESSES: &str = "/proc";
/// The variable with the number and the path of a program that may start itself as an interpreter.
const STARTED_BY: &str = "EKIBEN_STARTED_BY";
/// Options of an interpreter that take nothing, and may be written as one.
const FLAGS: &[u8] = b"BEIOPSbdiqsuv";

/// What a program was started as, if not as itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It does what `multiprocessing` has it do.
    Worker,
    /// It is an interpreter, and so is what this starts.
    Interpreter,
}

/// What an argument is about.
enum Purpose<'a> {
    Command(&'a [u8]),
    Module,
    Script(&'a [u8]),
}

impl Role {
    /// Of this process, by its arguments, the first of which is its name; `None` if it is the program.
    pub(crate) fn of(program: &[u8], arguments: &[&[u8]]) -> Option<Self> {
        let (called, rest) = arguments.split_first()?;
        let purpose = Purpose::of(rest);
        if let Some(Purpose::Command(code)) = purpose {
            // The fork server takes arguments since 3.14.5 (Lib/multiprocessing/forkserver.py).
            let code = code.strip_prefix(b"import sys; ").unwrap_or(code);
            if code.starts_with(b"from multiprocessing.") {
                return Some(Self::Worker);
            }
        }
        if !may_be_an_interpreter() {
            return None;
        }
        let is_interpreter = is_named_python(called) && !is_python_itself(program)
            || purpose.is_some_and(|it| it.is_there(program)) && is_started_by_itself(program);
        is_interpreter.then_some(Self::Interpreter)
    }
}

impl<'a> Purpose<'a> {
    fn of(arguments: &[&'a [u8]]) -> Option<Self> {
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let Some(letters) = argument.strip_prefix(b"-") else {
                return Some(Self::Script(argument));
            };
            let flags = letters.iter().take_while(|letter| FLAGS.contains(letter)).count();
            match &letters[flags..] {
                b"c" => return rest.next().map(|code| Self::Command(code)),
                b"m" => return rest.next().map(|_| Self::Module),
                b"X" | b"W" => {
                    rest.next();
                }
                [] if flags > 0 => {}
                [b'X' | b'W', ..] => {}
                _ => return None,
            }
        }
        None
    }

    /// Whether there is something that an interpreter could run.
    fn is_there(&self, program: &[u8]) -> bool {
        let Self::Script(path) = self else { return true };
        let inner = path.strip_prefix(program).and_then(|rest| rest.strip_prefix(b"/"));
        match inner {
            Some(inner) => std::str::from_utf8(inner).is_ok_and(is_script),
            None => {
                (path.ends_with(b".py") || path.ends_with(b".pyc"))
                    && Path::new(OsStr::from_bytes(path)).is_file()
            }
        }
    }
}

/// Whether a path of the image is that of a module's file, or of a folder with a module `__main__`.
fn is_script(inner: &str) -> bool {
    let is_code = |stem: &str, path: &str| {
        let module = image().and_then(|image| image.module(stem));
        module.is_some_and(|module| module.kind == ModuleKind::Code && module.path == path)
    };
    let inner = inner.trim_end_matches('/');
    let main = format!("{inner}/__main__");
    let stem = inner.strip_suffix(".py").unwrap_or(inner);
    let stem = stem.strip_suffix("/__init__").unwrap_or(stem);
    is_code(stem, inner) || is_code(&main, &format!("{main}.py"))
}

/// Whether a path's last part is `python`, `python3` or `python3.N`.
fn is_named_python(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let Some(version) = name.strip_prefix(b"python") else { return false };
    match version {
        b"" | b"3" => true,
        [b'3', b'.', minor @ ..] => !minor.is_empty() && minor.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Whether the program's own file is named as an interpreter is, or nobody knows how.
fn is_python_itself(program: &[u8]) -> bool {
    own_file(program)
        .and_then(fs::canonicalize)
        .map_or(true, |path| is_named_python(path.as_os_str().as_bytes()))
}

/// Whether this process was started by one of the same program, or was that before `exec`. The program has
/// told it in the environment; where that was replaced, the system is asked, which tells nothing of
/// processes of other users, of those with capabilities of their own, and without `/proc`.
fn is_started_by_itself(program: &[u8]) -> bool {
    let parent = std::os::unix::process::parent_id();
    if let Some(told) = env::var_os(STARTED_BY)
        && [parent, process::id()].iter().any(|it| told_by(*it, program) == told.as_bytes())
    {
        return true;
    }
    let files =
        own_file(program).and_then(|own| Ok((fs::metadata(own)?, fs::metadata(file_of(parent)?)?)));
    files.is_ok_and(|(own, its)| (own.dev(), own.ino()) == (its.dev(), its.ino()))
}

/// What a process that runs a program tells those that it starts.
fn told_by(process: u32, program: &[u8]) -> Vec<u8> {
    [process.to_string().as_bytes(), b" ", program].concat()
}

/// Whether the program is an interpreter where it starts itself as one.
fn may_be_an_interpreter() -> bool {
    image().and_then(|image| image.setting("self-interpreter")) == Some("1")
}

/// Has this process, which is the program, tell so to those that it starts.
///
/// # Safety
/// While there is one thread.
pub(crate) unsafe fn tell_children(program: &[u8]) {
    if may_be_an_interpreter() {
        let told = told_by(process::id(), program);
        // SAFETY: the caller promises it.
        unsafe { env::set_var(STARTED_BY, OsStr::from_bytes(&told)) };
    }
}

/// The path of this program's file.
#[cfg(not(feature = "host"))]
#[allow(clippy::unnecessary_wraps)]
fn own_file(_: &[u8]) -> io::Result<PathBuf> {
    Ok(Path::new(PROCESSES).join("self/exe"))
}

/// The path of another process's program.
#[cfg(not(feature = "host"))]
#[allow(clippy::unnecessary_wraps)]
fn file_of(process: u32) -> io::Result<PathBuf> {
    Ok(Path::new(PROCESSES).join(process.to_string()).join("exe"))
}

/// The path of this program's file: what runs is an interpreter in memory.
#[cfg(feature = "host")]
#[allow(clippy::unnecessary_wraps)]
fn own_file(program: &[u8]) -> io::Result<PathBuf> {
    Ok(PathBuf::from(OsStr::from_bytes(program)))
}

/// The path of another process's program. What its launcher told it is still where the kernel put it.
#[cfg(feature = "host")]
fn file_of(process: u32) -> io::Result<PathBuf> {
    let environment = fs::read(Path::new(PROCESSES).join(process.to_string()).join("environ"))?;
    let told = environment.split(|byte| *byte == 0).find_map(|variable| {
        variable.strip_prefix(crate::host::TOLD.as_bytes())?.strip_prefix(b"=")
    });
    let program = told.and_then(|told| told.splitn(5, |byte| *byte == b' ').nth(4));
    program
        .map(|program| PathBuf::from(OsStr::from_bytes(program)))
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// [`tell_children`] for `c/main.c`.
///
/// # Safety
/// As there; `program` is a text.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn ekiben_tell_children(program: *const c_char) {
    // SAFETY: the caller promises it.
    unsafe { tell_children(CStr::from_ptr(program).to_bytes()) };
}

/// [`Role::of`] for `c/main.c`: 0 as the program, 1 for `multiprocessing`, 2 as an interpreter.
///
/// # Safety
/// `program` is a text, and so are the `argc` arguments.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn ekiben_role(
    program: *const c_char,
    argc: c_int,
    argv: *const *const c_char,
) -> c_int {
    // SAFETY: the caller promises it.
    let (program, arguments) = unsafe {
        let arguments =
            (0..usize::try_from(argc).unwrap_or(0)).map(|at| CStr::from_ptr(*argv.add(at)));
        (CStr::from_ptr(program), arguments.map(CStr::to_bytes).collect::<Vec<_>>())
    };
    match Role::of(program.to_bytes(), &arguments) {
        None => 0,
        Some(Role::Worker) => 1,
        Some(Role::Interpreter) => 2,
    }
}
