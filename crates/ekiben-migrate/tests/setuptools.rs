//! Projects of setuptools, migrated: setup.py, setup.cfg and `[tool.setuptools]`.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use ekiben_migrate::{Error, NoteKind};
use support::{migrated, project, try_migrate};

const README: (&str, &str) = ("README.md", "# Spam\n\nGood.\n");
const INIT: (&str, &str) = ("spam/__init__.py", "__version__ = '1.5'\n");

#[test]
fn metadata_and_extensions_of_a_script() {
    let script = r#"
from setuptools import setup, Extension, find_packages

setup(
    name="spam",
    version="1.2",
    description="Makes spam",
    long_description=open("README.md").read(),
    long_description_content_type="text/markdown",
    author="Ann Lee",
    author_email="ann@example.com",
    url="https://example.com",
    license="MIT License",
    classifiers=["License :: OSI Approved :: MIT License", "Programming Language :: C"],
    packages=find_packages(exclude=["*.tests"]),
    python_requires=">=3.9",
    install_requires=["eggs>=2", "bacon; python_version < '3.11'"],
    extras_require={"fast": ["speedy"], ":sys_platform == 'win32'": ["pywin32"]},
    entry_points={"console_scripts": ["spam = spam.main:run"]},
    ext_modules=[
        Extension(
            "spam._core",
            ["spam/core.c"],
            include_dirs=["include"],
            define_macros=[("NDEBUG", None), ("LEVEL", "2")],
            libraries=["m"],
            extra_compile_args=["-std=c11", "-O2", "-fopenmp", "-funroll-loops"],
            extra_link_args=["-fopenmp", "-lz"],
        )
    ],
)
"#;
    let files = [
        README,
        INIT,
        ("setup.py", script),
        ("spam/core.c", ""),
        ("spam/tests/__init__.py", ""),
        ("include/spam.h", ""),
    ];
    insta::assert_snapshot!(migrated(&files));
}

#[test]
fn helpers_are_stood_in_for() {
    let script = r#"
import os, numpy, pkgconfig
from Cython.Build import cythonize
from setuptools import setup, Extension
import unheard_of

name = "spam"
version = os.environ.get("SPAM_VERSION", "2.0")
setup(
    name=name,
    version=version,
    packages=["spam"],
    ext_modules=cythonize(
        [
            Extension("spam.fast", ["spam/fast.pyx"], include_dirs=[numpy.get_include()]),
            "spam/other.pyx",
        ],
        compiler_directives={"language_level": 3},
    ) + [Extension("spam.zip", ["spam/zip.c"], **pkgconfig.parse("zlib"))],
)
"#;
    let pyx = "# distutils: language = c++\n# distutils: libraries = stuff\n";
    let files = [
        INIT,
        ("setup.py", script),
        ("spam/fast.pyx", ""),
        ("spam/other.pyx", pyx),
        ("spam/zip.c", ""),
    ];
    insta::assert_snapshot!(migrated(&files));
}

#[test]
fn what_depends_on_the_system_is_told() {
    let script = r#"
import sys
from setuptools import setup, Extension

if sys.platform == "win32":
    libraries, extra = ["ws2_32"], [Extension("spam._win", ["spam/win.c"])]
else:
    libraries, extra = ["rt"], []
setup(name="spam", version="1", packages=["spam"],
      ext_modules=[Extension("spam._core", ["spam/core.c"], libraries=libraries)] + extra)
"#;
    let files = [INIT, ("setup.py", script), ("spam/core.c", ""), ("spam/win.c", "")];
    insta::assert_snapshot!(migrated(&files));
}

#[test]
fn a_command_that_changes_extensions_is_asked() {
    let script = r#"
from setuptools import setup, Extension
from setuptools.command.build_ext import build_ext

class Build(build_ext):
    def build_extensions(self):
        flag = {"unix": "-std=c++17", "msvc": "/std:c++17"}[self.compiler.compiler_type]
        for extension in self.extensions:
            extension.extra_compile_args.append(flag)
        super().build_extensions()

setup(name="spam", version="1", packages=["spam"], cmdclass={"build_ext": Build},
      ext_modules=[Extension("spam._core", ["spam/core.cpp"])])
"#;
    let text = migrated(&[INIT, ("setup.py", script), ("spam/core.cpp", "")]);
    assert!(text.contains("cxx-std = \"c++17\""), "{text}");
    assert!(text.contains("# check: partly set by the class Build of setup.py"), "{text}");
    assert!(text.contains("/std:c++17"), "{text}");
}

#[test]
fn data_that_setuptools_left_out_is_excluded() {
    let script = r#"
from setuptools import setup, Extension

setup(name="spam", version="1", packages=["spam"], include_package_data=False,
      ext_modules=[Extension("spam._core", ["spam/core.c"])])
"#;
    let files = [
        INIT,
        ("setup.py", script),
        ("spam/core.c", ""),
        ("spam/core.h", ""),
        ("spam/more.h", ""),
        ("spam/notes", ""),
        ("spam/py.typed", ""),
        ("spam/own/__init__.py", ""),
        ("spam/own/data.txt", ""),
    ];
    let text = migrated(&files);
    let expected = r#"exclude = ["spam/own/**", "spam/*.c", "spam/*.h", "spam/notes"]"#;
    assert!(text.contains(expected), "{text}");
}

#[test]
fn commands_of_the_script_itself_are_told() {
    let script = r#"
from setuptools import setup, Command
from setuptools.command.test import test

class Pack(Command):
    pass

setup(name="spam", version="1", packages=["spam"], cmdclass={"pack": Pack, "test": test})
"#;
    let text = migrated(&[INIT, ("setup.py", script)]);
    assert!(text.contains("its own command `pack` (class Pack)"), "{text}");
    assert!(!text.contains("its own command `test`"), "{text}");
}

#[test]
fn helper_libraries_become_sources_of_who_uses_them() {
    let script = r#"
from setuptools import setup, Extension

core = ("core", {
    "sources": ["core/a.c", "core/b.c"],
    "depends": ["core/a.h"],
    "include_dirs": ["core"],
    "macros": [("LEVEL", "2"), ("QUIET", None)],
    "cflags": ["-funroll-loops"],
})
unused = ("unused", {"sources": ["core/c.c"]})
setup(
    name="spam",
    version="1",
    packages=["spam"],
    libraries=[core, unused],
    setup_requires=["eggs<2; python_version < '3.10'", "eggs>=2; python_version >= '3.10'"],
    ext_modules=[
        Extension("spam.one", ["spam/one.c"], libraries=["core", "m"],
                  define_macros=[("LEVEL", "3")], depends=["core/a.c"]),
        Extension("spam.two", ["spam/two.pyx"], cython_directives={"language_level": "3"}),
    ],
)
"#;
    let files = [
        INIT,
        ("setup.py", script),
        ("spam/one.c", "#include <numpy/arrayobject.h>\n"),
        ("spam/two.pyx", ""),
        ("spam/two.c", "/* Generated by Cython 3.0.11 */\n"),
        ("core/a.c", ""),
        ("core/a.h", ""),
        ("core/b.c", ""),
        ("core/c.c", ""),
    ];
    insta::assert_snapshot!(migrated(&files));
}

#[test]
fn setup_cfg_alone() {
    let config = r"
[metadata]
name = spam
version = attr: spam.__version__
description = Makes spam
long_description = file: README.md
long_description_content_type = text/markdown
license = BSD-3-Clause
keywords = eggs, bacon
project_urls =
    Source = https://example.com/source

[options]
packages = find:
python_requires = >=3.9
zip_safe = no
install_requires =
    eggs>=2
    bacon

[options.packages.find]
exclude = tests*

[options.extras_require]
test =
    pytest

[options.entry_points]
console_scripts =
    spam = spam.main:run

[options.package_data]
spam = *.txt
";
    insta::assert_snapshot!(migrated(&[README, INIT, ("setup.cfg", config)]));
}

#[test]
fn an_existing_pyproject_keeps_what_is_not_setuptools() {
    let text = r#"# Of the project.
[build-system]
requires = ["setuptools>=61", "wheel", "Cython>=3"]
build-backend = "setuptools.build_meta"

[project]
name = "spam"  # a good name
dynamic = ["version", "readme"]

[tool.setuptools]
packages = ["spam"]

[tool.setuptools.dynamic]
version = { attr = "spam.__version__" }
readme = { file = "README.md", content-type = "text/markdown" }

# Tests need it.
[tool.pytest.ini_options]
addopts = "-q"   # quiet
"#;
    insta::assert_snapshot!(migrated(&[README, INIT, ("pyproject.toml", text)]));
}

#[test]
fn requirements_with_markers_stay_and_lost_comments_are_told() {
    let text = r#"[build-system]
requires = [
    "setuptools",
    "eggs==1; python_version < '3.10'",  # the last for it
    "eggs==2; python_version >= '3.10'",
]
build-backend = "setuptools.build_meta"

[tool.setuptools]
# where they are
packages = ["spam"]  # all of them
"#;
    let script = "from setuptools import setup\nsetup(name='spam', version='1')\n";
    let folder = project(&[INIT, ("setup.py", script), ("pyproject.toml", text)]);
    let migration = try_migrate(folder.path()).unwrap();
    assert!(migration.text.contains("eggs==1;") && migration.text.contains("eggs==2;"));
    let dropped: Vec<_> = migration.notes_of(NoteKind::Dropped).map(|note| &*note.text).collect();
    let expected = [
        "a comment in [tool.setuptools]: where they are",
        "a comment in [tool.setuptools]: all of them",
        "a comment in `requires` of [build-system]: the last for it",
    ];
    assert_eq!(dropped, expected);
}

#[test]
fn a_script_builds_nothing_and_runs_nothing() {
    let script = r#"
import os, subprocess
from setuptools import setup

os.system("touch made-by-system")
try:
    subprocess.check_call(["touch", "made-by-subprocess"])
except OSError:
    pass
open("made-by-script", "w").close()
print("noise on stdout")
setup(name="spam", version="1", py_modules=["spam"])
"#;
    let folder = project(&[("setup.py", script), ("spam.py", "")]);
    let migration = try_migrate(folder.path()).unwrap();
    let mut there: Vec<_> =
        folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    there.sort();
    assert_eq!(there, ["setup.py", "spam.py"]);
    let decide: Vec<_> = migration.notes_of(NoteKind::Decide).map(|note| &note.text).collect();
    assert!(decide.iter().any(|text| text.contains("touch made-by-system")), "{decide:?}");
    assert!(decide.iter().any(|text| text.contains("touch made-by-subprocess")), "{decide:?}");
}

#[test]
fn errors_say_where() {
    let folder = project(&[("setup.py", "import os\n\nraise RuntimeError('no eggs')\n")]);
    let error = try_migrate(folder.path()).unwrap_err();
    assert_eq!(error.to_string(), "setup.py:3: RuntimeError: no eggs");
    assert!(error.help().is_some());

    let folder = project(&[("setup.py", "print('nothing')\n")]);
    let error = try_migrate(folder.path()).unwrap_err();
    assert_eq!(error.to_string(), "setup.py: it never called setup()");

    let text = "[build-system]\nrequires = []\nbuild-backend = \"flit_core.buildapi\"\n";
    let folder = project(&[("setup.py", ""), ("pyproject.toml", text)]);
    let error = try_migrate(folder.path()).unwrap_err();
    assert!(
        matches!(&error, Error::OtherBackend { backend, .. } if backend == "flit_core.buildapi")
    );

    let folder = project(&[("setup.py", ""), ("pyproject.toml", "[project\n")]);
    assert!(matches!(try_migrate(folder.path()).unwrap_err(), Error::BadToml { .. }));
}
