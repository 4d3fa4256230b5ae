//! A project in a folder of its own, built with the built-in plugins, and what came out of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use ekiben_core::graph::{Kind, Target};
use ekiben_core::{Built, BuiltIn, Environment, Observer, Problem, Problems, Request, Session};
use ekiben_engine::{Interrupt, Outcome};

/// Keeps what is reported.
#[derive(Default)]
pub(crate) struct Ears(pub(crate) Mutex<Vec<Problem>>);

impl Observer for Ears {
    fn problem(&self, problem: &Problem) {
        self.0.lock().unwrap().push(problem.clone());
    }
    fn log(&self, _: &str) {}
}

fn built_in() -> &'static [BuiltIn] {
    static PLUGINS: std::sync::OnceLock<Vec<BuiltIn>> = std::sync::OnceLock::new();
    PLUGINS.get_or_init(|| {
        ["gnu", "numpy-config", "pkg-config"]
            .into_iter()
            .map(|id| {
                let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
                let path = workspace.join(format!("target/plugins/{id}.wasm"));
                let component = std::fs::read(&path).unwrap_or_else(|error| {
                    panic!("{}: {error}; `cargo xtask plugins` makes it", path.display())
                });
                BuiltIn {
                    id,
                    component: Box::leak(component.into_boxed_slice()),
                    precompiled: None,
                }
            })
            .collect()
    })
}

/// A project with a cache that outlives single builds.
pub(crate) struct Project {
    pub(crate) folder: tempfile::TempDir,
    cache: tempfile::TempDir,
    /// The interpreter to build for.
    pub(crate) python: PathBuf,
    pub(crate) variables: BTreeMap<String, String>,
}

/// A finished wheel build.
pub(crate) struct Wheel {
    pub(crate) built: Built,
    pub(crate) problems: Vec<Problem>,
    pub(crate) unpacked: tempfile::TempDir,
}

impl Project {
    pub(crate) fn new(python: &Path, files: &[(&str, &str)]) -> Self {
        let path = std::env::var("PATH").unwrap();
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
            cache: tempfile::tempdir().unwrap(),
            python: python.to_owned(),
            variables: BTreeMap::from([("PATH".to_owned(), path)]),
        };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        write(self.folder.path(), path, text);
    }

    pub(crate) fn open(&self) -> Result<(Session, Arc<Ears>), Problems> {
        let ears = Arc::new(Ears::default());
        // As a front end would name it, which makes another environment for each build.
        let root = self.python.parent().and_then(Path::parent);
        let isolated = root.filter(|root| root.join("pyvenv.cfg").is_file()).map(Path::to_owned);
        let environment = Environment {
            cache_dir: self.cache.path().to_owned(),
            cache_bytes: 1 << 30,
            jobs: 2,
            keep_going: false,
            interrupt: Interrupt::new(),
            observer: ears.clone(),
            variables: self.variables.clone(),
            search_path: std::env::var_os("PATH").unwrap(),
            movable: isolated.iter().map(|at| ("build-environment".into(), at.clone())).collect(),
            services: BTreeMap::new(),
        };
        let request = Request {
            project: self.folder.path().to_owned(),
            python: Some(self.python.to_str().unwrap().to_owned()),
            build_environment: isolated,
            ..Request::default()
        };
        Ok((Session::open(request, environment, built_in())?, ears))
    }

    pub(crate) fn start(&self, kind: &Kind) -> Result<(Built, Arc<Ears>), Problems> {
        let (session, ears) = self.open()?;
        Ok((session.build(&[Target::Kind(kind.clone())])?, ears))
    }

    pub(crate) fn build(&self) -> Wheel {
        let (built, ears) = self.start(&Kind::WHEEL).unwrap();
        assert!(built.succeeded(), "{:#?}", built.report);
        let unpacked = tempfile::tempdir().unwrap();
        let name = built.export(&Kind::WHEEL, unpacked.path()).unwrap();
        let code = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
        let wheel = unpacked.path().join(name);
        run(Command::new(&self.python).args(["-c", code]).arg(wheel).arg(unpacked.path()));
        Wheel { built, problems: ears.0.lock().unwrap().clone(), unpacked }
    }

    /// What a build that can't begin or go on says.
    pub(crate) fn refused(&self) -> Problems {
        self.start(&Kind::WHEEL).map(|_| ()).unwrap_err()
    }

    /// What Python prints that has the wheel's files on its path.
    pub(crate) fn python(&self, wheel: &Wheel, code: &str) -> String {
        let path = format!("import sys; sys.path.insert(0, sys.argv[1]); {code}");
        run(Command::new(&self.python).args(["-c", &path]).arg(wheel.unpacked.path()))
    }
}

impl Wheel {
    /// The descriptions of the actions that ran, without the wheel's.
    pub(crate) fn ran(&self) -> Vec<String> {
        let actions = self.built.report.actions.iter();
        let ran = actions.filter(|action| matches!(action.outcome, Outcome::Ran));
        let names = ran.map(|action| action.description.clone());
        names.filter(|name| !name.ends_with(".whl")).collect()
    }

    /// The command lines of all actions.
    pub(crate) fn commands(&self) -> String {
        let actions = self.built.report.actions.iter();
        actions.map(|action| format!("{}\n", self.built.command_line(action.id))).collect()
    }

    pub(crate) fn codes(&self) -> Vec<&str> {
        self.problems.iter().map(|problem| problem.code.as_str()).collect()
    }

    /// What `readelf -d` says of a module.
    pub(crate) fn dynamic_section(&self, module: &str) -> String {
        let folder = self.unpacked.path().join("spam");
        let file = std::fs::read_dir(folder)
            .unwrap()
            .flatten()
            .find(|entry| entry.file_name().to_string_lossy().starts_with(&format!("{module}.")));
        run(Command::new("readelf").arg("-dW").arg(file.unwrap().path()))
    }
}

/// Runs a program that must succeed, for what it prints.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

pub(crate) fn write(folder: &Path, path: &str, text: &str) {
    let file = folder.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// A module `spam.<name>` whose function `f` gives a number.
pub(crate) fn module(name: &str, before: &str, expression: &str) -> String {
    format!(
        "#include <Python.h>\n{before}\n\
         static PyObject *f(PyObject *self, PyObject *none) {{ return PyLong_FromLong({expression}); }}\n\
         static PyMethodDef methods[] = {{{{\"f\", f, METH_NOARGS, \"\"}}, {{0}}}};\n\
         static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, \"{name}\", 0, 0, methods}};\n\
         PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&module); }}\n"
    )
}

pub(crate) const BUILD_SYSTEM: &str =
    "[build-system]\nrequires = [\"ekiben\"]\nbuild-backend = \"ekiben\"\n";

pub(crate) const PROJECT: &str = "[project]\nname = \"spam\"\nversion = \"1.0\"\n";
