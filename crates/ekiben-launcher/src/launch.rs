//! See the crate's documentation.

use std::ffi::{CStr, CString, OsString, c_char, c_int};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, IntoRawFd as _, RawFd};
use std::os::unix::ffi::OsStringExt as _;
use std::{env, fmt, fs, ptr, slice};

use ekiben_image::Image;

/// The setting with paths in the image: the interpreter, then what is loaded before all else, a line
/// each.
const SETTING: &str = "host";
/// What `ekiben-runtime` is told by: descriptors of the program and of what is loaded, and where the
/// image is in the program.
const TOLD: &str = "EKIBEN_HOST";

/// Until there is an image. Its address is given to the linker.
#[repr(C, align(4096))]
struct Placeholder([u8; 16]);

#[used]
// SAFETY: no other section has the name, and what is in it is only read.
#[unsafe(link_section = ".ekiben_image")]
static IMAGE: Placeholder = Placeholder(*b"no module image\0");

// SAFETY: the linker defines it, at the file's header.
unsafe extern "C" {
    static __ehdr_start: libc::Elf64_Ehdr;
    static environ: *const *const c_char;
}

/// Where the image is in this program.
struct Place {
    bytes: &'static [u8],
    offset: u64,
}

/// Where the C library begins.
// SAFETY: nothing else has the name.
#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    let program = program_path();
    let Err(error) = launch(&program);
    let _ = writeln!(io::stderr(), "{}: {error}", program.to_string_lossy());
    1
}

/// Why nothing was launched.
struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn failed(what: &str) -> impl FnOnce(io::Error) -> Failure + '_ {
    move |error| Failure(format!("{what}: {error}"))
}

/// Doesn't return unless it fails.
fn launch(program: &OsString) -> Result<std::convert::Infallible, Failure> {
    // A memory file counts for `ulimit -f`: its writer is to be told, not killed. CPython ignores it too.
    // SAFETY: no handler is called.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let place = Place::find().ok_or_else(|| Failure("it has lost its module image".to_owned()))?;
    let image = Image::open(place.bytes).map_err(|error| Failure(error.to_string()))?;
    let setting = image.setting(SETTING).unwrap_or_default();
    let (interpreter, libraries) = setting.split_once('\n').unwrap_or((setting, ""));
    let copy = |path: &str, flags: libc::c_uint| {
        let file = image.file(path).ok_or_else(|| Failure(format!("{path} isn't in it")))?;
        let content = file.content.read().map_err(|error| Failure(error.to_string()))?;
        memory_file(path, &content, flags).map_err(failed("no memory file can be made"))
    };
    let interpreter = copy(interpreter, libc::MFD_CLOEXEC)?;
    let mut loaded = Vec::new();
    for path in libraries.lines() {
        loaded.push(copy(path, 0)?.into_raw_fd());
    }
    let own = File::open("/proc/self/exe").map_err(failed("it can't open itself"))?;
    let own = inheritable(own).map_err(failed("it can't open itself"))?;

    let paths = |fds: &[RawFd]| {
        fds.iter().map(|fd| format!("/proc/self/fd/{fd}")).collect::<Vec<_>>().join(":")
    };
    let mut preload = OsString::from(format!("LD_PRELOAD={}", paths(&loaded)));
    if let Some(before) = env::var_os("LD_PRELOAD").filter(|before| !before.is_empty()) {
        preload.push(":");
        preload.push(before);
    }
    let numbers = loaded.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    let (offset, length) = (place.offset, place.bytes.len());
    let mut told = OsString::from(format!("{TOLD}={own} {offset} {length} {numbers} "));
    told.push(program);
    let text = |text: OsString| {
        CString::new(text.into_vec()).map_err(|_| Failure("a path has a zero in it".to_owned()))
    };
    let (preload, told) = (text(preload)?, text(told)?);
    let mut environment = vec![preload.as_ptr(), told.as_ptr()];
    environment.extend(inherited().filter(|it| !is_named(it, "LD_PRELOAD")).map(CStr::as_ptr));
    environment.push(ptr::null());
    let arguments: Vec<CString> = env::args_os().map(text).collect::<Result<_, _>>()?;
    let mut arguments: Vec<_> = arguments.iter().map(|argument| argument.as_ptr()).collect();
    arguments.push(ptr::null());
    // SAFETY: both lists are of texts and end with null.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            interpreter.as_raw_fd(),
            c"".as_ptr(),
            arguments.as_ptr(),
            environment.as_ptr(),
            libc::AT_EMPTY_PATH,
        );
    }
    Err(failed("its interpreter can't be started")(io::Error::last_os_error()))
}

impl Place {
    fn find() -> Option<Self> {
        let address = (&raw const IMAGE) as u64;
        // SAFETY: the linker put the headers there, and the kernel maps all of a segment.
        unsafe {
            let header = &__ehdr_start;
            let segments = (&raw const __ehdr_start).cast::<u8>().add(header.e_phoff as usize);
            let segments: &[libc::Elf64_Phdr] =
                slice::from_raw_parts(segments.cast(), usize::from(header.e_phnum));
            let it =
                segments.iter().find(|it| it.p_type == libc::PT_LOAD && it.p_vaddr == address)?;
            // What is there isn't what the compiler knows of it.
            let start = std::hint::black_box(it.p_vaddr as *const u8);
            let bytes = slice::from_raw_parts(start, it.p_filesz as usize);
            Some(Self { bytes, offset: it.p_offset })
        }
    }
}

/// The path of this program. The kernel says how it was called; only a relative path needs more.
fn program_path() -> OsString {
    // SAFETY: what the kernel passes is a text, or nothing.
    let called = unsafe {
        let path = libc::getauxval(libc::AT_EXECFN) as *const c_char;
        if path.is_null() { c"" } else { CStr::from_ptr(path) }
    };
    let called = called.to_bytes();
    let is_real = |it: &[u8]| !it.starts_with(b"/proc/") && !it.starts_with(b"/dev/fd/");
    if called.starts_with(b"/") && is_real(called) {
        return OsString::from_vec(called.to_vec());
    }
    match fs::read_link("/proc/self/exe") {
        Ok(path) => path.into_os_string(),
        Err(_) => OsString::from_vec(called.to_vec()),
    }
}

/// The environment, as it is.
fn inherited() -> impl Iterator<Item = &'static CStr> {
    let mut at = 0;
    std::iter::from_fn(move || {
        // SAFETY: it is a list of texts that ends with null, and nothing changes it.
        unsafe {
            let variable = *environ.add(at);
            at += 1;
            (!variable.is_null()).then(|| CStr::from_ptr(variable))
        }
    })
}

fn is_named(variable: &CStr, name: &str) -> bool {
    variable.to_bytes().strip_prefix(name.as_bytes()).is_some_and(|it| it.starts_with(b"="))
}

/// A file that is nowhere, which can be executed.
fn memory_file(path: &str, content: &[u8], flags: libc::c_uint) -> io::Result<File> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = CString::new(name.chars().take(60).collect::<String>())?;
    // Kernels before 6.3 don't know that a file's executability can be asked for.
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
    let mut file = unsafe { File::from_raw_fd(descriptor) };
    file.write_all(content)?;
    Ok(file)
}

/// The descriptor of a file, which the next program inherits.
fn inheritable(file: File) -> io::Result<c_int> {
    let descriptor = file.into_raw_fd();
    // SAFETY: it takes numbers.
    match unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(descriptor),
    }
}
