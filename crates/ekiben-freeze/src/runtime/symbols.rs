//! The functions and variables that a static program finds by name: what `dlsym` answers with.
//!
//! A static program has no table of symbols, so `ctypes.pythonapi` and `ctypes.CDLL(None)` would find
//! nothing. Each gets one: CPython's own interface whole, and of the C library what is part of the
//! program anyway, with what is often called by `ctypes`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ekiben_object::elf::archive_symbols;

use super::error::Error;
use super::files;

/// Functions of the C library that every program has, for whoever calls them by `ctypes`.
const ALWAYS: &[&str] = &[
    "abs",
    "access",
    "acos",
    "asctime",
    "asin",
    "atan",
    "atan2",
    "atof",
    "atoi",
    "atol",
    "calloc",
    "ceil",
    "chdir",
    "clock",
    "clock_gettime",
    "close",
    "cos",
    "cosh",
    "ctime",
    "difftime",
    "div",
    "environ",
    "erf",
    "eventfd",
    "exp",
    "fabs",
    "fclose",
    "fdopen",
    "fflush",
    "fgets",
    "fileno",
    "floor",
    "fmod",
    "fopen",
    "fprintf",
    "fputs",
    "fread",
    "free",
    "fseek",
    "ftell",
    "fwrite",
    "getcwd",
    "getenv",
    "getloadavg",
    "getpagesize",
    "getpid",
    "getppid",
    "getrlimit",
    "gettid",
    "gettimeofday",
    "getuid",
    "gmtime",
    "gnu_get_libc_version",
    "inotify_add_watch",
    "inotify_init",
    "inotify_init1",
    "inotify_rm_watch",
    "ioctl",
    "isalpha",
    "isatty",
    "isdigit",
    "kill",
    "labs",
    "ldexp",
    "localtime",
    "log",
    "log10",
    "log2",
    "lseek",
    "mallinfo2",
    "malloc",
    "malloc_trim",
    "malloc_usable_size",
    "mallopt",
    "memchr",
    "memcmp",
    "memcpy",
    "memfd_create",
    "memmove",
    "memset",
    "mincore",
    "mkdir",
    "mktime",
    "mlock",
    "mlockall",
    "mmap",
    "modf",
    "mount",
    "mprotect",
    "msync",
    "munlock",
    "munmap",
    "nanosleep",
    "open",
    "perror",
    "personality",
    "pow",
    "prctl",
    "printf",
    "process_vm_readv",
    "process_vm_writev",
    "pthread_kill",
    "pthread_self",
    "pthread_setname_np",
    "ptrace",
    "putchar",
    "putenv",
    "puts",
    "qsort",
    "raise",
    "rand",
    "read",
    "realloc",
    "rename",
    "sched_getaffinity",
    "sched_getcpu",
    "sched_setaffinity",
    "sethostname",
    "setlocale",
    "setns",
    "signal",
    "sin",
    "sinh",
    "sleep",
    "snprintf",
    "splice",
    "sprintf",
    "sqrt",
    "srand",
    "sscanf",
    "stderr",
    "stdin",
    "stdout",
    "strcasecmp",
    "strcat",
    "strchr",
    "strcmp",
    "strcpy",
    "strdup",
    "strerror",
    "strftime",
    "strlen",
    "strncasecmp",
    "strncmp",
    "strncpy",
    "strrchr",
    "strstr",
    "strtod",
    "strtok",
    "strtol",
    "strtoul",
    "sync",
    "syscall",
    "sysconf",
    "system",
    "tan",
    "tanh",
    "tgamma",
    "time",
    "tolower",
    "toupper",
    "umask",
    "umount",
    "umount2",
    "uname",
    "unlink",
    "unsetenv",
    "unshare",
    "usleep",
    "vprintf",
    "wait",
    "waitpid",
    "wcslen",
    "write",
];

/// The C source of the table. `python` is CPython's archive, `c` those of the C library: archives, or
/// a linker's scripts that name archives.
pub(super) fn source(python: &Path, c: &[PathBuf]) -> Result<String, Error> {
    // By name, whether a program must have it.
    let mut symbols = BTreeMap::new();
    for path in c {
        for name in symbols_of(path)? {
            // The C library keeps names that begin so to itself.
            if !name.starts_with('_') && is_identifier(&name) {
                symbols.insert(name, false);
            }
        }
    }
    symbols.extend(ALWAYS.iter().map(|name| ((*name).to_owned(), true)));
    for name in symbols_of(python)? {
        let is_interface = name.starts_with("Py") || name.starts_with("_Py");
        // Builtin modules are made by the interpreter alone.
        if is_interface && !name.starts_with("PyInit_") && is_identifier(&name) {
            symbols.insert(name, true);
        }
    }
    Ok(table(&symbols))
}

/// The C source of a table with nothing in it.
pub(super) fn no_source() -> String {
    table(&BTreeMap::new())
}

/// As `struct symbol` of main.c has it, but writable: a program starts by finding out which form of some
/// functions suits the processor, and not every linker puts these elsewhere for constants. Declared under
/// names of their own, since the compiler knows better what some are.
fn table(symbols: &BTreeMap<String, bool>) -> String {
    let mut text = String::new();
    let mut rows = String::new();
    for (at, (name, is_needed)) in symbols.iter().enumerate() {
        let weak = if *is_needed { "" } else { " __attribute__((weak))" };
        // Writing to a string can't fail.
        let _ = writeln!(text, "extern const char s{at}[] __asm__(\"{name}\"){weak};");
        let _ = writeln!(rows, "    {{\"{name}\", s{at}}},");
    }
    let _ = write!(
        text,
        "struct {{ const char *name; const void *address; }} ekiben_symbols[] = {{\n{rows}}};\n\
         const unsigned long ekiben_symbol_count = {};\n",
        symbols.len()
    );
    text
}

/// What an archive offers, or the archives that a linker's script names.
fn symbols_of(path: &Path) -> Result<Vec<String>, Error> {
    let bytes = files::read(path)?;
    if bytes.starts_with(b"!<arch>\n") {
        return archive_symbols(&bytes)
            .map_err(|error| Error::Archive { path: path.to_owned(), message: error.to_string() });
    }
    let script = String::from_utf8_lossy(&bytes).into_owned();
    let named =
        script.split_whitespace().filter(|word| word.starts_with('/') && word.ends_with(".a"));
    named
        .map(|word| symbols_of(Path::new(word)))
        .collect::<Result<Vec<_>, _>>()
        .map(|all| all.concat())
}

fn is_identifier(name: &str) -> bool {
    name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_must_be_there_is_asked_for_and_the_rest_taken_if_it_is() {
        let symbols = [("getpid", true), ("no_such_function", false)];
        let symbols = symbols.map(|(name, is_needed)| (name.to_owned(), is_needed)).into();
        let folder = tempfile::tempdir().unwrap();
        let (table_c, main_c) = (folder.path().join("table.c"), folder.path().join("main.c"));
        files::write(&table_c, table(&symbols)).unwrap();
        let main = "#include <unistd.h>\n\
            extern const struct { const char *name; pid_t (*call)(void); } ekiben_symbols[];\n\
            extern const unsigned long ekiben_symbol_count;\n\
            int main(void) { return !(ekiben_symbol_count == 2 && !ekiben_symbols[1].call\n\
                && ekiben_symbols[0].call() == getpid()); }\n";
        files::write(&main_c, main).unwrap();
        let program = folder.path().join("program");
        let mut cc = Command::new("cc");
        cc.args(["-no-pie", "-fno-pie", "-static"])
            .args([&table_c, &main_c])
            .arg("-o")
            .arg(&program);
        assert!(cc.status().unwrap().success());
        assert!(Command::new(&program).status().unwrap().success());
    }

    #[test]
    fn names_are_sorted_as_a_search_needs_it() {
        assert!(ALWAYS.is_sorted());
        let symbols = ["_Py_b", "Py_a", "abs"].map(|name| (name.to_owned(), true)).into();
        let text = table(&symbols);
        let at = |name: &str| text.find(&format!("{{\"{name}\"")).unwrap();
        assert!(at("Py_a") < at("_Py_b") && at("_Py_b") < at("abs"));
    }

    #[test]
    fn a_script_of_the_linker_leads_to_archives() {
        let folder = tempfile::tempdir().unwrap();
        let object = folder.path().join("x.o");
        let source = folder.path().join("x.c");
        files::write(
            &source,
            "int shown = 1; static int own; int *f(void) { return &own; }\n\
            __thread int of_thread; __attribute__((visibility(\"hidden\"))) int hidden = 1;\n",
        )
        .unwrap();
        assert!(
            Command::new("cc")
                .arg("-c")
                .arg(&source)
                .arg("-o")
                .arg(&object)
                .status()
                .unwrap()
                .success()
        );
        let archive = folder.path().join("libx-1.a");
        assert!(Command::new("ar").arg("rc").args([&archive, &object]).status().unwrap().success());
        let script = folder.path().join("libx.a");
        files::write(&script, format!("/* GNU ld script */\nGROUP ( {} )\n", archive.display()))
            .unwrap();
        assert_eq!(symbols_of(&script).unwrap(), ["f", "shown"]);
        files::write(&archive, "!<arch>\nand no more").unwrap();
        assert!(matches!(symbols_of(&archive), Err(Error::Archive { .. })));
    }
}
