//! Modules renamed for a static program, linked into a small interpreter and imported from it.

use std::path::{Path, PathBuf};
use std::process::Command;

use ekiben_core::graph::Kind;

use crate::support::{Project, Python, run};

/// Starts Python with the modules built in, and runs the file that it is given. CPython's importer of
/// built-in modules takes dotted names since a patch release of 3.11; for older ones there is a
/// finder that does as much.
const MAIN: &str = r#"
#include <Python.h>
DECLARATIONS
static const char finder[] =
    "import sys, _imp\n"
    "from importlib.machinery import BuiltinImporter, ModuleSpec\n"
    "class Finder:\n"
    "    @staticmethod\n"
    "    def find_spec(name, path=None, target=None):\n"
    "        if _imp.is_builtin(name):\n"
    "            return ModuleSpec(name, BuiltinImporter, origin='built-in')\n"
    "if sys.version_info < (3, 12):\n"
    "    sys.meta_path.insert(0, Finder)\n";
int main(int argc, char **argv) {
    FILE *file = fopen(argv[1], "r");
    if (!file) return 2;
    ADDITIONS
    Py_Initialize();
    int status = PyRun_SimpleString(finder) || PyRun_SimpleFile(file, argv[1]);
    return Py_FinalizeEx() || status;
}
"#;

const FILES: &[(&str, &str)] = &[
    ("pkg/__init__.pyx", "from . import one\nfrom .two import same as second\nNAME = __name__\n"),
    ("pkg/one/__init__.pyx", "from .same import where\n"),
    (
        "pkg/one/same.pyx",
        "\
from pkg.two.base cimport Base, twice
from ..two cimport base
def where(): return __name__
cdef class Point(Base):
    cdef public int x
    def __init__(self, x): self.x = x
    def doubled(self): return twice(self.x) + base.twice(self.given)
cdef int helper(): return 1
cpdef int shared(): return helper()
",
    ),
    ("pkg/two/__init__.pyx", ""),
    ("pkg/two/__init__.pxd", ""),
    (
        "pkg/two/same.pyx",
        "def where(): return __name__\ncdef int helper(): return 2\ncpdef int shared(): return helper()\n",
    ),
    (
        "pkg/two/base.pxd",
        "cdef class Base:\n    cdef public int given\ncdef int twice(int x) except -1\n",
    ),
    (
        "pkg/two/base.pyx",
        "cdef class Base:\n    def __cinit__(self): self.given = 5\ncdef int twice(int x) except -1: return 2 * x\n",
    ),
];

const CHECK: &str = r#"
import pickle, sys
import pkg
from pkg.one import same
import pkg.two.same
assert pkg.NAME == pkg.__name__ == "pkg", pkg.__name__
assert pkg.one.__package__ == "pkg.one" and same.__package__ == "pkg.one"
assert pkg.__path__[0].endswith("/pkg") and pkg.one.__path__[0].endswith("/pkg/one")
assert not hasattr(same, "__path__")
assert (same.where(), pkg.second.where()) == ("pkg.one.same", "pkg.two.same")
assert (same.shared(), pkg.two.same.shared()) == (1, 2)
assert same.Point(3).doubled() == 16
point = pickle.loads(pickle.dumps(same.Point(4)))
assert (point.x, point.given, type(point).__module__) == (4, 5, "pkg.one.same")
for name in ("pkg", "pkg.one", "pkg.one.same", "pkg.two", "pkg.two.same", "pkg.two.base"):
    assert name in sys.builtin_module_names and name in sys.modules, name
print("all is well")
"#;

/// The folder with `libpython`, its name for the linker, and whether it is static.
fn library(python: &Python) -> (String, Vec<String>, bool) {
    let question = "\
import os, sysconfig as s
v = s.get_config_var
static = [os.path.join(d, v('LIBRARY')) for d in (v('LIBPL'), v('LIBDIR')) if os.path.exists(os.path.join(d, v('LIBRARY')))]
print(s.get_path('include'))
print(bool(static))
print(*static[:1] or ['-L' + v('LIBDIR'), '-Wl,-rpath,' + v('LIBDIR'), '-lpython' + v('LDVERSION')], *(v(name) or '' for name in ('MODLIBS', 'LIBS', 'SYSLIBS')))";
    let answer = run(python.command().args(["-I", "-c", question]));
    let mut lines = answer.lines();
    let mut next = || lines.next().unwrap().to_owned();
    let (include, is_static, flags) = (next(), next(), next());
    (include, flags.split_whitespace().map(str::to_owned).collect(), is_static == "True")
}

fn embed(python: &Python, cython: &str) {
    let cache = tempfile::tempdir().unwrap();
    let environment = python.environment(cython);
    let project = Project::with(cache.path(), FILES, python.clone(), environment);
    project.configure("[tool.ekiben]\nartifact = \"static-extension\"");
    project.build(Kind::STATIC_SOURCE);
    let (include, libraries, is_static) = library(python);
    let out = tempfile::tempdir().unwrap();
    let modules = [
        ("pkg", "__init__"),
        ("pkg.one", "one/__init__"),
        ("pkg.one.same", "one/same"),
        ("pkg.two", "two/__init__"),
        ("pkg.two.same", "two/same"),
        ("pkg.two.base", "two/base"),
    ];
    let mut objects: Vec<PathBuf> = Vec::new();
    let (mut declarations, mut additions) = (String::new(), String::new());
    for (name, path) in modules {
        let symbol = format!("PyInit_{}", name.replace('.', "__"));
        let object = out.path().join(format!("{symbol}.o"));
        compile(&include, &project.built(&format!("static/cython/pkg/{path}.c")), &object);
        let listed = run(Command::new("nm").args(["-g", "--defined-only"]).arg(&object));
        let symbols: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').nth(2)).collect();
        assert_eq!(symbols, [symbol.as_str()], "only the init function is global");
        declarations += &format!("PyMODINIT_FUNC {symbol}(void);\n");
        additions += &format!("PyImport_AppendInittab(\"{name}\", {symbol});\n");
        objects.push(object);
    }
    let main = MAIN.replace("DECLARATIONS", &declarations).replace("ADDITIONS", &additions);
    std::fs::write(out.path().join("main.c"), main).unwrap();
    compile(&include, &out.path().join("main.c"), &out.path().join("main.o"));
    objects.push(out.path().join("main.o"));
    let program = out.path().join("program");
    let mut link = Command::new("gcc");
    link.args(&objects).arg("-o").arg(&program);
    if is_static {
        link.args(["-no-pie", "-Wl,-export-dynamic"]);
    }
    run(link.args(&libraries));
    std::fs::write(out.path().join("check.py"), CHECK).unwrap();
    let mut program = Command::new(program);
    // So that it finds the standard library, wherever the library was made for.
    let home = run(python.command().args(["-I", "-c", "import sys; print(sys.base_prefix)"]));
    program.arg(out.path().join("check.py")).env("PYTHONHOME", home);
    assert_eq!(run(&mut program), "all is well", "Cython {cython} on Python {}", python.version);
}

fn compile(include: &str, source: &Path, object: &Path) {
    let include = format!("-I{include}");
    run(Command::new("gcc").args(["-O0", "-w", "-c", &include]).arg(source).arg("-o").arg(object));
}

#[test]
fn renamed_modules_are_imported_as_builtins() {
    // The oldest and the newest version of Python, with a Cython that serves it.
    for (python, cython) in [("3.9", "0.29.37"), ("3.9", "3.0.12"), ("3.13", "3.2.9")] {
        if let Some(python) = Python::of(python) {
            embed(&python, cython);
        }
    }
}

#[test]
fn a_static_libpython_takes_them_too() {
    // Debian's python3-dev brings the archive.
    let python = Python::at(Path::new("/usr/bin/python3")).unwrap_or_else(Python::default);
    embed(&python, "3.2.9");
}
