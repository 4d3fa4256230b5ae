//! The interpreter's start, the main module, and the end.

use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_uchar};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, ptr};

use ekiben_image::ModuleKind;
use pyo3_ffi as ffi;
use pyo3_ffi::PyObject;

use super::config::{self, Config, Layout, USE_ENVIRONMENT};
use crate::module::PyInit__ekiben;
use crate::role::{self, Role};
use crate::start::image;

/// The variable that has the path of a program which is an interpreter.
const IS_PYTHON: &str = "EKIBEN_PYTHON";
/// Ekiben's module in place of `site`.
const SITE: &str = "_ekiben_site";

/// `struct _frozen`; until 3.12 it has a function besides, and so its size is another.
#[repr(C)]
#[derive(Clone, Copy)]
struct Frozen {
    name: *const c_char,
    code: *const c_uchar,
    size: c_int,
    is_package: c_int,
}

// SAFETY: they are declared so in CPython's headers.
unsafe extern "C" {
    static mut PyImport_FrozenModules: *const u64;
    fn Py_RunMain() -> c_int;
}

/// Runs the program, or is an interpreter, as `main.c` does. Gives the exit code, or why it can't.
///
/// # Safety
/// As the only thread of the process, with C's arguments.
pub(super) unsafe fn main(
    program: &OsStr,
    mut argc: c_int,
    argv: *mut *mut c_char,
) -> Result<c_int, String> {
    let layout = Layout::get().ok_or_else(|| {
        format!("{}: its interpreter isn't of a known version", program.to_string_lossy())
    })?;
    // SAFETY: the caller promises it.
    unsafe {
        freeze_early();
        ffi::PyImport_AppendInittab(c"_ekiben".as_ptr(), Some(init_quietly));
        let arguments: Vec<&[u8]> =
            (0..argc).map(|at| CStr::from_ptr(*argv.add(at as usize)).to_bytes()).collect();
        let name = image().and_then(|image| image.setting("main"));
        let mut is_interpreter = name.is_none();
        let mut is_asked = arguments.get(1).is_some_and(|it| *it == b"--ekiben-python");
        if is_asked {
            ptr::copy(argv.add(2), argv.add(1), argc as usize - 1);
            argc -= 1;
        } else {
            is_interpreter |= env::var_os(IS_PYTHON).is_some_and(|it| it == program);
            if !is_interpreter {
                let role = Role::of(program.as_bytes(), &arguments);
                is_interpreter = role == Some(Role::Worker);
                is_asked = role == Some(Role::Interpreter);
            }
        }
        if is_asked {
            // What an interpreter starts by sys.executable is to be one.
            env::set_var(IS_PYTHON, program);
        }
        match name.filter(|_| !is_asked && !is_interpreter) {
            None => {
                start(program, layout, argc, argv, true);
                if is_set("quiet-start") {
                    ffi::PyGC_Enable();
                }
                Ok(Py_RunMain())
            }
            Some(name) => {
                role::tell_children(program.as_bytes());
                start(program, layout, argc, argv, false);
                Ok(finish(run(name)))
            }
        }
    }
}

/// Gives the module `_ekiben`. It is first asked for by the first interpreter's `site`: what the collector
/// would find after that, before the program's own code runs, is nothing.
extern "C" fn init_quietly() -> *mut PyObject {
    static IS_FIRST: AtomicBool = AtomicBool::new(true);
    // SAFETY: the interpreter calls it, and holds itself.
    unsafe {
        if IS_FIRST.swap(false, Ordering::Relaxed) && is_set("quiet-start") {
            ffi::PyGC_Disable();
        }
        PyInit__ekiben()
    }
}

fn is_set(key: &str) -> bool {
    image().and_then(|image| image.setting(key)) == Some("1")
}

/// The modules that are needed before the importer is there.
///
/// # Safety
/// Before the interpreter starts.
unsafe fn freeze_early() {
    let Some(image) = image() else { return };
    // SAFETY: the table stays, and ends with an empty record. Names have a zero after them.
    unsafe {
        let words = if ffi::Py_Version >> 16 <= 0x030C { 4 } else { 3 };
        let mut table: Vec<u64> = Vec::new();
        for module in
            image.setting("early").unwrap_or_default().lines().filter_map(|stem| image.module(stem))
        {
            if module.kind != ModuleKind::Code {
                continue;
            }
            // The interpreter would say no more of a damaged one than that it can't be imported.
            let code: &'static [u8] = match module.code.read().unwrap_or_default() {
                Cow::Borrowed(code) => code,
                Cow::Owned(code) => code.leak(),
            };
            // In the place of `site`, which the interpreter imports at its start, it finds ours.
            let name =
                if module.name == SITE { c"site".as_ptr() } else { module.name.as_ptr().cast() };
            let frozen = Frozen {
                name,
                code: code.as_ptr(),
                size: c_int::try_from(code.len()).unwrap_or(0),
                is_package: c_int::from(module.is_package),
            };
            let record: [u64; 3] = std::mem::transmute(frozen);
            table.extend(record);
            table.resize(table.len() + words - 3, 0);
        }
        table.resize(table.len() + words, 0);
        PyImport_FrozenModules = Vec::leak(table).as_ptr();
    }
}

/// Starts the interpreter. `is_interpreter`: it takes its own options from the arguments.
///
/// # Safety
/// Before there is one, with C's arguments.
unsafe fn start(
    program: &OsStr,
    layout: Layout,
    argc: c_int,
    argv: *mut *mut c_char,
    is_interpreter: bool,
) {
    let honours_environment = c_int::from(!is_set("isolated"));
    let parses = c_int::from(is_interpreter);
    let program = program.as_bytes();
    // SAFETY: the caller promises it.
    unsafe {
        let set = |pre: &mut config::PreConfig| {
            pre.use_environment = honours_environment;
            pre.parse_argv = parses;
        };
        config::prepare(set, argc, argv);
        let mut config = Config::new();
        config.set(USE_ENVIRONMENT, honours_environment);
        config.set(layout.parse_argv, parses);
        config.set(layout.safe_path, c_int::from(!is_interpreter));
        config.set(layout.user_site_directory, 0);
        // Who runs a program doesn't expect files from it.
        config.set(layout.write_bytecode, parses);
        config.set(layout.pathconfig_warnings, 0);
        if let Some(level) = image().and_then(|image| image.setting("optimize")?.parse().ok()) {
            config.set(layout.optimization_level, level);
        }
        config.set_arguments(argc, argv);
        for field in [
            layout.program_name,
            layout.executable,
            layout.base_executable,
            layout.prefix,
            layout.base_prefix,
            layout.exec_prefix,
            layout.base_exec_prefix,
        ] {
            config.set_text(field, program);
        }
        if honours_environment == 1 && env::var_os("PYTHONHOME").is_some() {
            // It would be the prefix, in which the main module is looked for.
            config.set_text(layout.home, program);
        }
        config.set_text(layout.platlibdir, b"lib");
        let python = image().and_then(|image| image.setting("python")).unwrap_or_default();
        let library = [program, b"/lib/python", python.as_bytes()].concat();
        config.set_text(layout.stdlib_dir, &library);
        // Reads options and environment, by which PYTHONPATH may count.
        config.read();
        config.set(layout.module_search_paths_set, 1);
        for folder in config.folders(layout.pythonpath_env) {
            config.append(layout.module_search_paths, &folder);
        }
        for inner in ["", "/site-packages"] {
            let folder = config::decoded(&[&library, inner.as_bytes()].concat());
            config.append(layout.module_search_paths, &folder);
        }
        // The setting `path`, from the program's own folder on: where the file is, if it was called by a
        // link.
        let folders = image().and_then(|image| image.setting("path")).unwrap_or_default();
        if !folders.is_empty() {
            let program = Path::new(OsStr::from_bytes(program));
            let program = program.canonicalize().unwrap_or_else(|_| program.to_owned());
            let here = program.parent().unwrap_or(Path::new(""));
            for folder in folders.lines() {
                let folder = config::decoded(here.join(folder).as_os_str().as_bytes());
                config.append(layout.module_search_paths, &folder);
            }
        }
        config.start();
        // With -S there was no `site` to do it.
        let done = call("_ekiben_importer", c"install", None);
        if done.is_null() {
            ffi::PyErr_Print();
            std::process::exit(1);
        }
        ffi::Py_DECREF(done);
    }
}

/// Calls a function of a module. Null, with an exception, if that fails.
///
/// # Safety
/// With the interpreter held.
unsafe fn call(module: &str, function: &CStr, argument: Option<&str>) -> *mut PyObject {
    let module = CString::new(module).unwrap_or_default();
    // SAFETY: the caller promises it; each object is released once.
    unsafe {
        let module = ffi::PyImport_ImportModule(module.as_ptr());
        if module.is_null() {
            return module;
        }
        let function = ffi::PyObject_GetAttrString(module, function.as_ptr());
        ffi::Py_DECREF(module);
        let arguments = ffi::PyTuple_New(argument.map_or(0, |_| 1));
        if let Some(argument) = argument {
            let size = argument.len() as ffi::Py_ssize_t;
            let text = ffi::PyUnicode_FromStringAndSize(argument.as_ptr().cast(), size);
            ffi::PyTuple_SetItem(arguments, 0, text);
        }
        let result = match function.is_null() {
            true => ptr::null_mut(),
            false => ffi::PyObject_CallObject(function, arguments),
        };
        ffi::Py_XDECREF(function);
        ffi::Py_DECREF(arguments);
        result
    }
}

/// How the main module ended.
#[derive(Clone, Copy)]
enum End {
    Done,
    Failed,
    Interrupted,
}

/// Runs the main module. `SystemExit` ends the process.
///
/// # Safety
/// With the interpreter held.
unsafe fn run(name: &str) -> End {
    // SAFETY: the caller promises it; each object is released once.
    unsafe {
        let code = call("_ekiben_importer", c"prepare_main", Some(name));
        let mut result = ptr::null_mut();
        if !code.is_null() {
            if is_set("quiet-start") {
                // What is there by now stays, so the collector needn't look at it.
                ffi::Py_XDECREF(call("gc", c"freeze", None));
                ffi::PyErr_Clear();
                ffi::PyGC_Enable();
            }
            let main = ffi::PyImport_AddModule(c"__main__".as_ptr());
            if !main.is_null() {
                let globals = ffi::PyModule_GetDict(main);
                result = ffi::PyEval_EvalCode(code, globals, globals);
            }
            ffi::Py_DECREF(code);
        }
        if !result.is_null() {
            ffi::Py_DECREF(result);
            return End::Done;
        }
        let interrupted = ffi::PyErr_ExceptionMatches(ffi::PyExc_KeyboardInterrupt) != 0;
        ffi::PyErr_Print();
        if interrupted { End::Interrupted } else { End::Failed }
    }
}

/// Ends the interpreter, and gives the exit code.
///
/// # Safety
/// With the interpreter held.
unsafe fn finish(end: End) -> c_int {
    // SAFETY: the caller promises it.
    unsafe {
        if is_set("quiet-start") {
            // What run() had the collector leave alone includes the main module's globals.
            ffi::Py_XDECREF(call("gc", c"unfreeze", None));
            ffi::PyErr_Clear();
        }
        // 120 as `python` has it: what was printed may not have arrived.
        let code = match (ffi::Py_FinalizeEx() < 0, end) {
            (true, _) => 120,
            (false, End::Done) => 0,
            (false, _) => 1,
        };
        if matches!(end, End::Interrupted) {
            // As `python` ends: a shell sees that it was the signal.
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::kill(libc::getpid(), libc::SIGINT);
        }
        code
    }
}
