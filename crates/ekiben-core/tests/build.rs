//! Whole builds with the real `gnu` plugin and a real compiler: what runs, what is reused, what comes
//! out.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ekiben_core::graph::{Kind, Target};
use ekiben_core::{Built, BuiltIn, Environment, Observer, Problem, Problems, Request, Session};
use ekiben_engine::{Interrupt, Outcome};

/// Keeps what is said.
#[derive(Default)]
struct Ears {
    problems: Mutex<Vec<Problem>>,
    log: Mutex<Vec<String>>,
}

impl Observer for Ears {
    fn problem(&self, problem: &Problem) {
        self.problems.lock().unwrap().push(problem.clone());
    }
    fn log(&self, line: &str) {
        self.log.lock().unwrap().push(line.to_owned());
    }
}

fn component(folder: &str, id: &str) -> Vec<u8> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = workspace.join("target").join(folder).join(format!("{id}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo xtask plugins` makes it", path.display())
    })
}

/// A project in a folder of its own, with a cache that outlives single builds.
struct Project {
    folder: tempfile::TempDir,
    cache: PathBuf,
}

impl Project {
    fn new(cache: &Path, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            write(folder.path(), path, text);
        }
        Self { folder, cache: cache.to_owned() }
    }

    fn write(&self, path: &str, text: &str) {
        write(self.folder.path(), path, text);
    }

    fn build(&self, target: Kind) -> Result<(Built, Arc<Ears>), Problems> {
        let ears = Arc::new(Ears::default());
        let environment = Environment {
            cache_dir: self.cache.clone(),
            cache_bytes: 1 << 30,
            jobs: 2,
            keep_going: false,
            interrupt: Interrupt::new(),
            observer: ears.clone(),
            variables: BTreeMap::from([("PATH".into(), std::env::var("PATH").unwrap())]),
            search_path: std::env::var_os("PATH").unwrap(),
            movable: BTreeMap::new(),
            services: BTreeMap::new(),
        };
        let gnu = Box::leak(component("plugins", "gnu").into_boxed_slice());
        let built_in = [BuiltIn { id: "gnu", component: gnu, precompiled: None }];
        let request = Request { project: self.folder.path().to_owned(), ..Request::default() };
        let session = Session::open(request, environment, &built_in)?;
        Ok((session.build(&[Target::Kind(target)])?, ears))
    }

    /// Builds a wheel, and gives the descriptions of the actions that ran.
    fn ran(&self) -> Vec<String> {
        let (built, _) = self.build(Kind::WHEEL).unwrap();
        assert!(built.succeeded(), "{:#?}", built.report);
        ran(&built)
    }
}

fn ran(built: &Built) -> Vec<String> {
    let actions = built.report.actions.iter();
    let ran = actions.filter(|action| matches!(action.outcome, Outcome::Ran));
    ran.map(|action| action.description.clone()).collect()
}

fn write(folder: &Path, path: &str, text: &str) {
    let file = folder.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

const PYPROJECT: &str = r#"
[build-system]
requires = ["ekiben"]
build-backend = "ekiben"

[project]
name = "spam"
version = "1.0"
"#;

const MODULE: &str = r#"
#include <Python.h>
#include "answer.h"
static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(ANSWER); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", 0, 0, methods};
PyMODINIT_FUNC PyInit__core(void) { return PyModule_Create(&module); }
"#;

fn spam(cache: &Path) -> Project {
    Project::new(
        cache,
        &[
            ("pyproject.toml", PYPROJECT),
            ("src/spam/__init__.py", "from spam._core import answer\n"),
            ("src/spam/_core.c", MODULE),
            ("src/spam/answer.h", "#define ANSWER 42\n"),
        ],
    )
}

#[test]
fn a_c_extension_is_found_built_and_reused() {
    let cache = tempfile::tempdir().unwrap();
    let project = spam(cache.path());
    let first = project.ran();
    assert_eq!(first.len(), 3, "compile, link, wheel: {first:?}");
    assert_eq!(project.ran(), [""; 0]);

    // Another folder, as pip makes one for each build.
    let moved = spam(cache.path());
    assert_eq!(moved.ran(), [""; 0]);

    project.write("src/spam/answer.h", "#define ANSWER 43\n");
    let again = project.ran();
    assert_eq!(again.len(), 3, "{again:?}");
    project.write("src/spam/__init__.py", "from ._core import answer\n");
    assert_eq!(project.ran().len(), 1, "only the wheel");
}

#[test]
fn what_comes_out_is_importable() {
    let cache = tempfile::tempdir().unwrap();
    let project = spam(cache.path());
    let (built, _) = project.build(Kind::WHEEL).unwrap();
    let out = tempfile::tempdir().unwrap();
    let name = built.export(&Kind::WHEEL, out.path()).unwrap();
    assert!(name.starts_with("spam-1.0-cp3") && name.ends_with(".whl"), "{name}");
    let listed: Vec<String> = built.list().unwrap().iter().map(|l| l.path.to_string()).collect();
    assert!(listed.contains(&"spam-1.0.dist-info/RECORD".to_owned()), "{listed:?}");
    assert!(!listed.contains(&"spam/_core.c".to_owned()), "sources aren't installed: {listed:?}");
    let code = "import zipfile, sys; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2]);\
                sys.path.insert(0, sys.argv[2]); import spam; print(spam.answer())";
    let python = std::process::Command::new("python3")
        .args(["-c", code])
        .arg(out.path().join(&name))
        .arg(out.path().join("site"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&python.stdout).trim(), "42", "{python:?}");
}

#[test]
fn plans_are_replayed_in_a_second_build() {
    let cache = tempfile::tempdir().unwrap();
    let (_, first) = spam(cache.path()).build(Kind::WHEEL).unwrap();
    let (_, second) = spam(cache.path()).build(Kind::WHEEL).unwrap();
    let count = |ears: &Ears, word: &str| {
        ears.log.lock().unwrap().iter().filter(|line| line.ends_with(word)).count()
    };
    assert_eq!((count(&first, "Ran"), count(&first, "Replayed")), (2, 0));
    assert_eq!((count(&second, "Ran"), count(&second, "Replayed")), (0, 2));
}

#[test]
fn a_source_distribution_needs_no_compiler_and_gives_the_same_wheel() {
    let cache = tempfile::tempdir().unwrap();
    let project = spam(cache.path());
    let (built, _) = project.build(Kind::SDIST).unwrap();
    assert_eq!(ran(&built), ["write spam-1.0.tar.gz"]);
    let out = tempfile::tempdir().unwrap();
    let name = built.export(&Kind::SDIST, out.path()).unwrap();
    let status = std::process::Command::new("tar")
        .arg("xzf")
        .arg(out.path().join(name))
        .arg("-C")
        .arg(out.path())
        .status()
        .unwrap();
    assert!(status.success());
    let (wheel, _) = project.build(Kind::WHEEL).unwrap();
    let unpacked = Project { folder: tempfile::tempdir().unwrap(), cache: cache.path().to_owned() };
    copy(&out.path().join("spam-1.0"), unpacked.folder.path());
    let (from_sdist, _) = unpacked.build(Kind::WHEEL).unwrap();
    let name = wheel.export(&Kind::WHEEL, &out.path().join("a")).unwrap();
    from_sdist.export(&Kind::WHEEL, &out.path().join("b")).unwrap();
    let read = |folder: &str| std::fs::read(out.path().join(folder).join(&name)).unwrap();
    assert!(read("a") == read("b"), "the two wheels differ");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_failing_compilation_is_in_the_report_with_its_output() {
    let cache = tempfile::tempdir().unwrap();
    let project = spam(cache.path());
    project.write("src/spam/answer.h", "#error no answer\n");
    let (built, _) = project.build(Kind::WHEEL).unwrap();
    assert!(!built.succeeded());
    let (_, failed) = built.report.failures().next().unwrap();
    let output = String::from_utf8_lossy(&failed.output);
    assert!(output.contains("no answer"), "{output}");
    assert!(failed.command_line.contains("_core.c"), "{}", failed.command_line);
}

#[test]
fn debug_information_names_no_folder_of_this_machine() {
    let extension = "\n[[tool.ekiben.extension]]\nname = \"spam._core\"\nsources = [\"src/spam/_core.c\"]\ndebug = true\ninclude-dirs = [\".\"]\n";
    let build = || {
        // A cache for each, or the second build would only copy the first one's result.
        let cache = tempfile::tempdir().unwrap();
        let project = spam(cache.path());
        project.write("pyproject.toml", &format!("{PYPROJECT}{extension}"));
        project.write("src/spam/answer.h", "#define ANSWER __LINE__ + (long)sizeof(__FILE__)\n");
        let (built, _) = project.build(Kind::WHEEL).unwrap();
        let out = tempfile::tempdir().unwrap();
        let name = built.export(&Kind::WHEEL, out.path()).unwrap();
        std::fs::read(out.path().join(name)).unwrap()
    };
    assert!(build() == build(), "the wheels of two folders differ");
}

#[test]
fn the_file_list_claims_each_path_once() {
    let cache = tempfile::tempdir().unwrap();
    let project = spam(cache.path());
    project.write("src/spam/Data.txt", "");
    project.write("src/spam/data.txt", "");
    let problems = project.build(Kind::WHEEL).map(|_| ()).unwrap_err();
    let message = problems.to_string();
    assert!(message.contains("Data.txt") && message.contains("data.txt"), "{message}");
}

#[test]
fn depends_rebuild_what_depends() {
    let cache = tempfile::tempdir().unwrap();
    let project = spam(cache.path());
    let extension = "\n[[tool.ekiben.extension]]\nname = \"spam._core\"\nsources = [\"src/spam/_core.c\"]\ndepends = [\"table.bin\"]\n";
    project.write("pyproject.toml", &format!("{PYPROJECT}{extension}"));
    project.write("table.bin", "1");
    assert_eq!(project.ran().len(), 3);
    project.write("table.bin", "2");
    let again = project.ran();
    assert!(again.iter().any(|what| what.contains("_core.c")), "{again:?}");
}

#[test]
fn fortran_modules_come_before_their_users() {
    if which::which("gfortran").is_err() {
        // `.ci/run` installs it; a machine without Fortran has nothing to build here.
        return;
    }
    let cache = tempfile::tempdir().unwrap();
    let extension = "\n[[tool.ekiben.extension]]\nname = \"spam._core\"\nsources = [\"src/spam/_core.c\", \"native/a_user.f90\", \"native/z_kinds.f90\"]\n";
    let module = MODULE
        .replace("#include \"answer.h\"", "int answer_of_fortran(void);")
        .replace("ANSWER", "answer_of_fortran()");
    let project = Project::new(
        cache.path(),
        &[
            ("pyproject.toml", &format!("{PYPROJECT}{extension}")),
            ("src/spam/__init__.py", ""),
            ("src/spam/_core.c", &module),
            (
                "native/a_user.f90",
                "function f() bind(c, name='answer_of_fortran')\n use kinds\n integer(ck) :: f\n f = 42\nend function\n",
            ),
            (
                "native/z_kinds.f90",
                "module kinds\n use iso_c_binding, only: c_int\n integer, parameter :: ck = c_int\nend module\n",
            ),
        ],
    );
    assert_eq!(project.ran().len(), 5);
    project.write(
        "native/z_kinds.f90",
        "module kinds\n use iso_c_binding, only: c_int\n integer, parameter :: ck = c_int\n integer, parameter :: more = 1\nend module\n",
    );
    let again = project.ran();
    assert!(again.iter().all(|what| !what.contains("_core.c")), "{again:?}");
    assert!(again.iter().any(|what| what.contains("a_user.f90")), "{again:?}");
}

#[test]
fn a_projects_own_plugin_takes_part() {
    let cache = tempfile::tempdir().unwrap();
    let project = spam(cache.path());
    let banner = component("guests", "banner");
    std::fs::write(project.folder.path().join("banner.wasm"), &banner).unwrap();
    let digest = ekiben_engine::Digest::of(&banner);
    let table = |capabilities: &str| {
        format!(
            "{PYPROJECT}\n[tool.ekiben.plugins.banner]\npath = \"banner.wasm\"\nsha256 = \"{digest}\"\ncapabilities = [{capabilities}]\n"
        )
    };
    project.write("banner.c.in", "const char banner[] = \"@{greeting} @{user} @{product}\";\n");
    project.write("pyproject.toml", &table(""));
    let refused = project.build(Kind::WHEEL).map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("doesn't grant"), "{refused}");
    let at = refused.0[0].at.as_ref().unwrap();
    assert!(at.line > 1, "{at:?}");

    let granted = "\"read:source\", \"env:BANNER_USER\", \"tool:shell\"";
    project.write("pyproject.toml", &table(granted));
    let (built, ears) = project.build(Kind::WHEEL).unwrap();
    assert!(built.succeeded(), "{:#?}", built.report);
    let descriptions = ran(&built);
    assert!(descriptions.iter().any(|what| what.contains("banner")), "{descriptions:?}");
    let problems = ears.problems.lock().unwrap();
    assert!(problems.iter().any(|problem| problem.code == "nobody"), "{problems:?}");
}

#[test]
fn a_version_from_elsewhere_and_files_with_their_own_places() {
    let cache = tempfile::tempdir().unwrap();
    let settings = r#"
[build-system]
requires = ["ekiben"]
build-backend = "ekiben"

[project]
name = "spam"
dynamic = ["version"]

[tool.ekiben.version]
attribute = "spam.__version__"
write-to = "src/spam/_version.py"

[tool.ekiben.wheel]
scripts = ["tools/report"]
headers = ["include/*.h"]
data = { "doc/spam.1" = "share/man/man1/" }
files = { "share/spam.conf" = "spam/data/" }
"#;
    let files = [
        ("pyproject.toml", settings),
        ("src/spam/__init__.py", "__version__ = \"2.5\"\n"),
        ("tools/report", "#!/usr/bin/env python3\nprint('report')\n"),
        ("include/spam.h", "#define SPAM 1\n"),
        ("doc/spam.1", ".TH SPAM 1\n"),
        ("share/spam.conf", "answer = 42\n"),
    ];
    let project = Project::new(cache.path(), &files);
    let paths = |kind: Kind, folder: &Path| {
        let (built, _) = project.build(kind.clone()).unwrap();
        assert!(built.succeeded(), "{:#?}", built.report);
        let name = built.export(&kind, folder).unwrap();
        let mut paths: Vec<String> =
            built.list().unwrap().iter().map(|listed| listed.path.to_string()).collect();
        paths.sort();
        (name, paths)
    };
    let out = tempfile::tempdir().unwrap();
    let (wheel, in_wheel) = paths(Kind::WHEEL, out.path());
    assert_eq!(wheel, "spam-2.5-py3-none-any.whl");
    insta::assert_snapshot!(in_wheel.join("\n"), @r"
    spam-2.5.data/data/share/man/man1/spam.1
    spam-2.5.data/headers/spam.h
    spam-2.5.data/scripts/report
    spam-2.5.dist-info/METADATA
    spam-2.5.dist-info/RECORD
    spam-2.5.dist-info/WHEEL
    spam/__init__.py
    spam/_version.py
    spam/data/spam.conf
    ");
    let (sdist, in_sdist) = paths(Kind::SDIST, out.path());
    assert_eq!(sdist, "spam-2.5.tar.gz");
    assert!(in_sdist.contains(&"spam-2.5/src/spam/_version.py".to_owned()), "{in_sdist:?}");
    assert!(!project.folder.path().join("src/spam/_version.py").exists());

    let code = "import sys, zipfile; wheel = zipfile.ZipFile(sys.argv[1]); \
        print([wheel.read(name).decode() for name in sys.argv[2:]])";
    let read = std::process::Command::new("python3")
        .args(["-c", code])
        .arg(out.path().join(wheel))
        .args(["spam-2.5.data/scripts/report", "spam/_version.py"])
        .output()
        .unwrap();
    let read = String::from_utf8_lossy(&read.stdout);
    assert!(read.contains(r"#!python\nprint('report')"), "{read}");
    assert!(read.contains(r#"__version__ = version = "2.5"\n"#), "{read}");

    // From the source distribution, the same version, though the attribute says another by now.
    let unpack = std::process::Command::new("tar")
        .arg("xzf")
        .arg(out.path().join(sdist))
        .arg("-C")
        .arg(out.path())
        .status();
    assert!(unpack.unwrap().success());
    let unpacked = out.path().join("spam-2.5");
    for name in ["PKG-INFO", "src/spam/_version.py"] {
        std::fs::copy(unpacked.join(name), project.folder.path().join(name)).unwrap();
    }
    project.write("src/spam/__init__.py", "__version__ = \"3\"\n");
    assert_eq!(paths(Kind::WHEEL, out.path()).0, "spam-2.5-py3-none-any.whl");
}
