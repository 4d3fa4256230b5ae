//! What CPython's `configure` is told.
//!
//! Every module of the standard library is compiled in: `MODULE_BUILDTYPE=static` does so from 3.12
//! on. 3.11 knows most modules by that word too but builds them by `setup.py` unless they are in
//! `Modules/Setup.local`, and a few only `setup.py` knows.

use super::libraries::Libraries;
use super::{Request, lto};

/// The prefix that CPython is told; what is installed follows the place of the interpreter instead.
pub(super) const PREFIX: &str = "/ekiben-prefix";
/// The folder, beside the source's, with links to the archives, and to nothing that is shared. In the
/// source's `make clean` would remove them, which `--pgo` has it do.
pub(super) const ARCHIVES: &str = "archives";
/// The folder, beside the source's, with `lib` and `include` of libraries from pinned sources.
pub(super) const PINNED: &str = "pinned";
/// What C code is compiled with, for programs at a fixed address whose unused parts can be dropped.
/// C has no exceptions: tables to unwind it by would be a thirteenth of an interpreter.
pub(super) const COMPILE_FLAGS: [&str; 5] = [
    "-fno-pie",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
];

const NO_TEST_MODULES: &str = "--disable-test-modules";

/// The arguments of `configure`.
pub(super) fn arguments(request: &Request, libraries: &Libraries) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "--disable-shared",
        NO_TEST_MODULES,
        "--enable-loadable-sqlite-extensions",
        "--with-ensurepip=no",
        "--with-readline=editline",
        "--with-system-expat=no",
        "--with-system-libmpdec=no",
        "MODULE_BUILDTYPE=static",
        // Without -g, whose debug information would name the build folder.
        "OPT=-DNDEBUG -O3 -Wall",
        "ARFLAGS=rcsD",
    ]
    .map(str::to_owned)
    .into();
    arguments.push(format!("--prefix={PREFIX}"));
    let mut flags = COMPILE_FLAGS.to_vec();
    if request.lto {
        // `--with-lto` would have each link of the build optimise all of CPython.
        flags.extend(lto::COMPILE_FLAGS);
    }
    // Extension modules that are built for this interpreter don't get these.
    arguments.push(format!("CFLAGS_NODIST={}", flags.join(" ")));
    if request.python.minor() >= 13 {
        // Its constructor opens a file of the kernel in every start, whichever allocator is used.
        arguments.push("--without-mimalloc".to_owned());
    }
    if request.tests {
        arguments.retain(|argument| argument != NO_TEST_MODULES);
    }
    if request.pgo {
        arguments.push("--enable-optimizations".to_owned());
    }
    if libraries.found.iter().any(|library| library.is_pinned && library.name == "ssl") {
        // It looks for this one in folders that it knows.
        arguments.push(format!("--with-openssl=../{PINNED}"));
    }
    for (module, variable, more) in [
        ("_ctypes", "LIBFFI_LIBS", ""),
        ("_curses", "CURSES_LIBS", ""),
        ("_curses_panel", "PANEL_LIBS", ""),
        ("_sqlite3", "LIBSQLITE3_LIBS", " -lm"),
        ("_uuid", "LIBUUID_LIBS", ""),
        ("readline", "LIBEDIT_LIBS", ""),
    ] {
        if let Some(flags) = libraries.flags(module) {
            arguments.push(format!("{variable}={flags}{more}"));
        }
    }
    for module in libraries.left_out() {
        arguments.push(format!("py_cv_module_{}=n/a", module.name));
    }
    arguments
}

/// The variables of `make`: programs are linked at a fixed address, with the archives. What
/// `configure` is told instead would reach extension modules too, or not reach every program.
pub(super) fn make_variables(compiler: &str, request: &Request) -> Vec<String> {
    // The program that freezes CPython's own modules has all that are compiled in, but not all that
    // the modules of tests call. What is missing in interpreters, their own links tell.
    let lacks = if request.tests { " -Wl,--warn-unresolved-symbols" } else { "" };
    let mut variables = vec![format!("LINKCC={compiler} -no-pie -L../{ARCHIVES}{lacks}")];
    if request.lto {
        variables.push(format!("LDFLAGS_NODIST={}", lto::NATIVE));
        // What only makes a profile is compiled but once.
        variables.push(format!("PGO_PROF_GEN_FLAG=-fprofile-generate {}", lto::NATIVE));
    }
    variables
}

/// `Modules/Setup.local` for 3.11, from the `Modules/Setup.stdlib` that `configure` wrote.
pub(super) fn setup_local(setup_stdlib: &str, libraries: &Libraries) -> String {
    let is_static = |line: &&str| !line.starts_with("*shared*");
    let mut text: String =
        setup_stdlib.lines().take_while(is_static).flat_map(|line| [line, "\n"]).collect();
    for (module, sources, flags) in [
        (
            "_ctypes",
            "_ctypes/_ctypes.c _ctypes/callbacks.c _ctypes/callproc.c _ctypes/stgdict.c \
             _ctypes/cfield.c",
            "-DHAVE_FFI_PREP_CIF_VAR -DHAVE_FFI_PREP_CLOSURE_LOC -DHAVE_FFI_CLOSURE_ALLOC -ldl",
        ),
        ("_curses", "_cursesmodule.c", "-DHAVE_NCURSESW -D_XOPEN_SOURCE_EXTENDED"),
        ("_curses_panel", "_curses_panel.c", "-DHAVE_NCURSESW -D_XOPEN_SOURCE_EXTENDED"),
        (
            "_sqlite3",
            "_sqlite/blob.c _sqlite/connection.c _sqlite/cursor.c _sqlite/microprotocols.c \
             _sqlite/module.c _sqlite/prepare_protocol.c _sqlite/row.c _sqlite/statement.c \
             _sqlite/util.c",
            "-lm",
        ),
        ("readline", "readline.c", ""),
    ] {
        if let Some(libraries) = libraries.flags(module) {
            text.push_str(&format!("{module} {sources} {libraries} {flags}\n"));
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::runtime::libraries::Found;
    use crate::runtime::manifest::LeftOut;

    fn libraries() -> Libraries {
        let left_out = |name: &str| LeftOut {
            name: name.to_owned(),
            reason: "a test".to_owned(),
            packages: Vec::new(),
        };
        Libraries {
            found: Vec::new(),
            modules: vec![("_sqlite3", vec!["sqlite3"]), ("readline", vec!["edit", "tinfo"])],
            missing: vec![left_out("_uuid")],
            never: vec![left_out("_tkinter")],
            pinned: Vec::new(),
        }
    }

    #[test]
    fn configure_hears_of_libraries_and_of_what_is_left_out() {
        let mut request = crate::runtime::testing::request("3.13");
        let arguments = super::arguments(&request, &libraries());
        let has = |arguments: &[String], word: &str| arguments.iter().any(|given| given == word);
        for word in [
            "LIBSQLITE3_LIBS=-lsqlite3 -lm",
            "LIBEDIT_LIBS=-ledit -ltinfo",
            "py_cv_module__tkinter=n/a",
            "py_cv_module__uuid=n/a",
        ] {
            assert!(has(&arguments, word), "{word}");
        }
        assert!(
            !arguments.iter().any(|word| word.starts_with("LIBUUID") || word.contains("optim"))
        );
        assert!(has(&arguments, NO_TEST_MODULES));
        (request.pgo, request.tests) = (true, true);
        let arguments = super::arguments(&request, &libraries());
        assert!(has(&arguments, "--enable-optimizations"));
        let flags = |arguments: &[String]| {
            let of_c = arguments.iter().find_map(|word| word.strip_prefix("CFLAGS_NODIST="));
            of_c.unwrap_or_default().split(' ').map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(flags(&arguments), COMPILE_FLAGS);
        request.lto = true;
        let arguments = super::arguments(&request, &libraries());
        assert_eq!(flags(&arguments), [&COMPILE_FLAGS[..], &lto::COMPILE_FLAGS].concat());
        assert!(make_variables("gcc", &request).contains(&"LDFLAGS_NODIST=-fno-lto".to_owned()));
        assert!(!has(&arguments, NO_TEST_MODULES));
    }

    #[test]
    fn a_pinned_openssl_is_named() {
        let request = crate::runtime::testing::request("3.13");
        let mut libraries = libraries();
        let names = |libraries: &Libraries| {
            let arguments = arguments(&request, libraries);
            arguments.iter().any(|word| word == "--with-openssl=../pinned")
        };
        libraries.found.push(Found::new("ssl", "Apache-2.0", "libssl.a".into()));
        assert!(!names(&libraries));
        libraries.found[0].is_pinned = true;
        assert!(names(&libraries));
    }

    #[test]
    fn what_only_setup_py_knows_is_added_for_3_11() {
        let stdlib = "*static*\narray arraymodule.c\n\n*shared*\nxxlimited xxlimited.c\n";
        let text = setup_local(stdlib, &libraries());
        assert!(text.starts_with("*static*\narray arraymodule.c\n\n_sqlite3 _sqlite/blob.c "));
        assert!(text.ends_with("\nreadline readline.c -ledit -ltinfo \n"), "{text}");
        assert!(!text.contains("xxlimited") && !text.contains("_ctypes"));
    }
}
