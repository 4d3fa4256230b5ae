//! Whole builds for the limited API with real interpreters: names, tags, and what the check refuses.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use ekiben_core::graph::{Kind, Target};
use ekiben_core::{
    Built, BuiltIn, Environment, Observer, Problem, Problems, Request, Session, Severity, Silent,
};
use ekiben_engine::{Failure, Interrupt, Outcome};

const PYPROJECT: &str = r#"
[build-system]
requires = ["ekiben"]
build-backend = "ekiben"

[project]
name = "spam"
version = "1.0"
"#;

/// A module `name` whose function gives what `expression` makes.
fn module(name: &str, expression: &str) -> String {
    format!(
        "#include <Python.h>\n\
         static PyObject *answer(PyObject *self, PyObject *none) {{ return {expression}; }}\n\
         static PyMethodDef methods[] = {{{{\"answer\", answer, METH_NOARGS, \"\"}}, {{0}}}};\n\
         static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, \"{name}\", 0, 0, methods}};\n\
         PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&module); }}\n"
    )
}

const PLAIN: &str = "PyLong_FromLong(42)";

/// pyenv's interpreter of a version, if there is one.
fn python(version: &str) -> Option<PathBuf> {
    let pyenv = std::env::home_dir()?.join(".pyenv/versions");
    let folders = std::fs::read_dir(pyenv).ok()?.flatten().map(|entry| entry.path());
    let fits = |folder: &PathBuf| {
        let name = folder.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(&format!("{version}.")))
    };
    folders.filter(fits).map(|folder| folder.join("bin/python3")).find(|path| path.is_file())
}

/// A project with the modules `_a` and `_b`, and a cache of its own.
struct Project {
    folder: tempfile::TempDir,
    cache: tempfile::TempDir,
}

impl Project {
    /// `settings` follow on the project's table; `expression` is what `_a` returns.
    fn new(settings: &str, expression: &str) -> Self {
        let made =
            Self { folder: tempfile::tempdir().unwrap(), cache: tempfile::tempdir().unwrap() };
        made.configure(settings);
        made.write("src/spam/__init__.py", "");
        made.write("src/spam/_a.c", &module("_a", expression));
        made.write("src/spam/_b.c", &module("_b", PLAIN));
        made
    }

    fn configure(&self, settings: &str) {
        self.write("pyproject.toml", &format!("{PYPROJECT}\n{settings}"));
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn try_build(&self, python: Option<&Path>, target: Kind) -> Result<Built, Problems> {
        self.try_build_heard(python, target, Arc::new(Silent))
    }

    fn try_build_heard(
        &self,
        python: Option<&Path>,
        target: Kind,
        observer: Arc<dyn Observer>,
    ) -> Result<Built, Problems> {
        let environment = Environment {
            cache_dir: self.cache.path().to_owned(),
            cache_bytes: 1 << 30,
            jobs: 2,
            keep_going: true,
            interrupt: Interrupt::new(),
            observer,
            variables: BTreeMap::from([("PATH".into(), std::env::var("PATH").unwrap())]),
            search_path: std::env::var_os("PATH").unwrap(),
            movable: BTreeMap::new(),
            services: BTreeMap::new(),
        };
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let gnu = std::fs::read(workspace.join("target/plugins/gnu.wasm"));
        let gnu: &'static [u8] = Box::leak(gnu.unwrap().into_boxed_slice());
        let built_in = [BuiltIn { id: "gnu", component: gnu, precompiled: None }];
        let request = Request {
            project: self.folder.path().to_owned(),
            python: python.map(|path| path.to_string_lossy().into_owned()),
            ..Request::default()
        };
        Session::open(request, environment, &built_in)?.build(&[Target::Kind(target)])
    }

    fn build(&self, python: Option<&Path>) -> Built {
        let built = self.try_build(python, Kind::WHEEL).unwrap();
        assert!(built.succeeded(), "{:#?}", built.report);
        built
    }
}

/// Keeps what is reported.
#[derive(Default)]
struct Ears(Mutex<Vec<Problem>>);

impl Observer for Ears {
    fn problem(&self, problem: &Problem) {
        self.0.lock().unwrap().push(problem.clone());
    }
    fn log(&self, _: &str) {}
}

/// What both modules give under `python` when the wheel is unpacked.
fn answers(python: &Path, wheel: &Path) -> String {
    let code = "import sys; sys.path.insert(0, sys.argv[1]); import zipfile; \
        zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2]); sys.path[0] = sys.argv[2]; \
        import spam._a, spam._b; print(spam._a.answer(), spam._b.answer())";
    let site = tempfile::tempdir().unwrap();
    let mut command = Command::new(python);
    let output = command.args(["-c", code]).arg(wheel).arg(site.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn ran(built: &Built) -> Vec<String> {
    let actions = built.report.actions.iter();
    let ran = actions.filter(|action| matches!(action.outcome, Outcome::Ran));
    let mut ran: Vec<String> = ran.map(|action| action.description.clone()).collect();
    ran.sort();
    ran
}

/// What is printed for the only action that fails.
fn failure(built: &Built) -> String {
    assert!(!built.succeeded());
    let out = tempfile::tempdir().unwrap();
    assert!(built.export(&Kind::WHEEL, out.path()).is_err(), "there is a wheel");
    let failures: Vec<String> = built
        .report
        .failures()
        .map(|(_, failed)| match &failed.failure {
            Failure::Function { message, hint } => {
                format!("{message}\n{}", hint.as_deref().unwrap_or_default())
            }
            other => other.to_string(),
        })
        .collect();
    assert_eq!(failures.len(), 1, "{failures:?}");
    failures.concat()
}

const DEFAULT: &str = "[tool.ekiben.defaults]\nlimited-api = \"3.9\"\n";

#[test]
fn one_wheel_for_all_later_pythons() {
    let oldest = python("3.9");
    let project = Project::new(DEFAULT, PLAIN);
    let built = project.build(oldest.as_deref());
    let out = tempfile::tempdir().unwrap();
    let name = built.export(&Kind::WHEEL, out.path()).unwrap();
    assert!(name.starts_with("spam-1.0-cp39-abi3-"), "{name}");
    let listed: Vec<String> = built.list().unwrap().iter().map(|l| l.path.to_string()).collect();
    assert!(listed.contains(&"spam/_a.abi3.so".to_owned()), "{listed:?}");
    let later = ["3.9", "3.10", "3.11", "3.12", "3.13"].into_iter().filter_map(python);
    for python in later.chain([PathBuf::from("python3")]) {
        assert_eq!(answers(&python, &out.path().join(&name)), "42 42");
    }
}

const MIXED: &str = "[tool.ekiben.defaults]\nlimited-api = \"3.9\"\n\
    [[tool.ekiben.extension]]\nname = \"spam._a\"\nsources = [\"src/spam/_a.c\"]\n\
    [[tool.ekiben.extension]]\nname = \"spam._b\"\nsources = [\"src/spam/_b.c\"]\n";

#[test]
fn one_module_of_the_full_api_decides_the_tag() {
    let project = Project::new(&format!("{MIXED}limited-api = false\n"), PLAIN);
    let built = project.build(None);
    let out = tempfile::tempdir().unwrap();
    let name = built.export(&Kind::WHEEL, out.path()).unwrap();
    assert!(!name.contains("abi3"), "{name}");
    let listed: Vec<String> = built.list().unwrap().iter().map(|l| l.path.to_string()).collect();
    assert!(listed.contains(&"spam/_a.abi3.so".to_owned()), "{listed:?}");
    assert!(listed.iter().any(|path| path.starts_with("spam/_b.cpython-3")), "{listed:?}");

    // Only what the setting is about is made anew; the newest version is that of the wheel.
    project.configure(&format!("{MIXED}limited-api = \"3.10\"\n"));
    let again = project.build(None);
    let ran = ran(&again);
    assert!(!ran.iter().any(|line| line.contains("_a")), "{ran:?}");
    assert!(ran.iter().any(|line| line.contains("-cp310-abi3-")), "{ran:?}");
    assert_eq!(ran.iter().filter(|line| line.contains("_b")).count(), 3, "{ran:?}");
    let nothing: [&str; 0] = [];
    assert_eq!(self::ran(&project.build(None)), nothing);
}

/// A call of a function that headers don't declare to users of the limited API.
fn undeclared(name: &str) -> String {
    format!("({{ extern PyObject *{name}(PyTypeObject *); {name}(Py_TYPE(self)); }})")
}

#[test]
fn what_is_not_limited_is_refused_by_name() {
    let project = Project::new(DEFAULT, &undeclared("PyUnicode_AsUnicodeCopy"));
    let built = project.try_build(None, Kind::WHEEL).unwrap();
    insta::assert_snapshot!(failure(&built), @r"
    `spam._a` uses what isn't in the limited API of Python 3.9:
      PyUnicode_AsUnicodeCopy: not in the limited API
    do without them, or set `limited-api = false` for the extension
    ");
}

#[test]
fn a_later_symbol_names_the_version_that_suffices() {
    let project = Project::new(DEFAULT, &undeclared("PyType_GetName"));
    let built = project.try_build(None, Kind::WHEEL).unwrap();
    insta::assert_snapshot!(failure(&built), @r#"
    `spam._a` uses what isn't in the limited API of Python 3.9:
      PyType_GetName: added in 3.11
    set `limited-api = "3.11"`, which has them all, or do without what came later
    "#);
    project.configure("[tool.ekiben.defaults]\nlimited-api = \"3.11\"\n");
    if let Some(python) = python("3.11") {
        project.build(Some(&python));
    }
}

#[test]
fn an_older_interpreter_is_told_which_one_builds() {
    let older = [(None, "3.99"), (python("3.9"), "3.11"), (python("3.12"), "3.13")];
    let is_there = |(at, (python, _)): &(usize, (Option<PathBuf>, _))| *at == 0 || python.is_some();
    for (_, (python, version)) in older.into_iter().enumerate().filter(is_there) {
        let setting = format!("[tool.ekiben.defaults]\nlimited-api = \"{version}\"\n");
        let project = Project::new(&setting, PLAIN);
        let problems = project.try_build(python.as_deref(), Kind::WHEEL).map(drop).unwrap_err();
        let [problem] = &problems.0[..] else { panic!("{problems:?}") };
        assert_eq!(problem.code, "limited-api-version");
        assert!(
            problem.at.as_ref().is_some_and(|at| at.file.ends_with("pyproject.toml")),
            "{problem:?}"
        );
        let help = format!("build with Python {version} or later, or ask for an older version");
        assert_eq!(problem.help, [help], "{problem:?}");
        // A module that doesn't keep to it is no reason to stop.
        project.configure("[tool.ekiben.defaults]\nlimited-api = false\n");
        project.build(python.as_deref());
    }
}

#[test]
fn pypy_gets_modules_of_its_own_abi_and_a_note() {
    let Ok(pypy) = which::which("pypy3") else {
        // `.ci/run` installs it; not every distribution has it.
        return;
    };
    let ears = Arc::new(Ears::default());
    let project = Project::new(DEFAULT, PLAIN);
    let built = project.try_build_heard(Some(&pypy), Kind::WHEEL, ears.clone()).unwrap();
    assert!(built.succeeded(), "{:#?}", built.report);
    let problems = ears.0.lock().unwrap();
    let [note] = &problems[..] else { panic!("{problems:?}") };
    assert_eq!((note.severity, note.code.as_str()), (Severity::Note, "no-limited-api"));
    let out = tempfile::tempdir().unwrap();
    let name = built.export(&Kind::WHEEL, out.path()).unwrap();
    assert!(name.starts_with("spam-1.0-pp3") && name.contains("-pypy3"), "{name}");
    assert_eq!(answers(&pypy, &out.path().join(name)), "42 42");
}

#[test]
fn an_editable_install_places_the_modules() {
    let project = Project::new(DEFAULT, PLAIN);
    let built = project.try_build(None, Kind::EDITABLE_WHEEL).unwrap();
    assert!(built.succeeded(), "{:#?}", built.report);
    built.place().unwrap();
    assert!(project.folder.path().join("src/spam/_a.abi3.so").is_file());
}
