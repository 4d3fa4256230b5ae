//! Projects with Cython sources, and the Pythons and Cythons that they are built with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use ekiben_core::graph::{Kind, Target};
use ekiben_core::{Built, BuiltIn, Environment, Observer, Problem, Problems, Request, Session};
use ekiben_engine::{Interrupt, Outcome};

/// The versions that are tested, each the last of its line when this was written.
pub(crate) const CYTHON: [&str; 4] = ["0.29.37", "3.0.12", "3.1.8", "3.2.9"];
/// The one that tests use for which the version doesn't matter.
pub(crate) const NEWEST: &str = CYTHON[3];

/// Keeps what is said.
#[derive(Default)]
pub(crate) struct Ears {
    pub(crate) problems: Mutex<Vec<Problem>>,
}

impl Observer for Ears {
    fn problem(&self, problem: &Problem) {
        self.problems.lock().unwrap().push(problem.clone());
    }
    fn log(&self, _: &str) {}
}

fn component(id: &str) -> &'static [u8] {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = workspace.join("target/plugins").join(format!("{id}.wasm"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo xtask plugins` makes it", path.display())
    });
    Box::leak(bytes.into_boxed_slice())
}

/// Runs a command that has to succeed, and gives what it printed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{command:?}:\n{}", text.join("\n"));
    text.concat().trim().to_owned()
}

/// An interpreter.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    pub(crate) path: PathBuf,
    /// Such as `3.11`.
    pub(crate) version: String,
}

impl Python {
    /// The one on `PATH`.
    pub(crate) fn default() -> Self {
        Self::at(Path::new("python3")).unwrap()
    }

    /// One of pyenv's, or of `PATH`, of a version such as `3.9`.
    pub(crate) fn of(version: &str) -> Option<Self> {
        let pyenv = std::env::home_dir().unwrap_or_default().join(".pyenv/versions");
        let mut candidates: Vec<PathBuf> = std::fs::read_dir(pyenv)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path().join("bin/python3"))
            .collect();
        candidates.sort();
        candidates.push(format!("python{version}").into());
        candidates.iter().filter_map(|path| Self::at(path)).find(|found| found.version == version)
    }

    pub(crate) fn at(path: &Path) -> Option<Self> {
        let question = "import os, sys, sysconfig; \
            os.path.exists(sysconfig.get_path('include') + '/Python.h') or sys.exit(1); \
            print('%d.%d' % sys.version_info[:2]); print(sys.executable)";
        let mut command = Command::new(path);
        let output = command.args(["-I", "-c", question]).current_dir("/").output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (version, path) = text.trim().split_once('\n')?;
        output.status.success().then(|| Self { path: path.into(), version: version.to_owned() })
    }

    pub(crate) fn command(&self) -> Command {
        Command::new(&self.path)
    }

    /// A folder like that of an isolated build, with this version of Cython in it. It is made once.
    pub(crate) fn environment(&self, cython: &str) -> PathBuf {
        static MAKING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = MAKING.lock();
        let name = format!("{}-Cython-{cython}", self.version);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cython").join(name);
        if !folder.is_dir() {
            let making = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
            // Not every Python has pip, but one can install for another.
            let mut pip = Self::default().command();
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            pip.args(["--root-user-action=ignore", "--no-deps", "--only-binary=:all:"]);
            pip.args(["--python-version", &self.version, "--require-hashes", "--requirement"]);
            let requirements = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join(format!("tests/requirements/cython-{cython}.txt"));
            pip.arg(requirements).arg("--target").arg(making.path().join(self.site()));
            run(&mut pip);
            std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
            std::fs::rename(making.keep(), &folder).unwrap();
        }
        folder
    }

    /// Where packages lie in an environment.
    pub(crate) fn site(&self) -> String {
        format!("lib/python{}/site-packages", self.version)
    }
}

/// A project in a folder of its own, with a cache that outlives single builds.
pub(crate) struct Project {
    pub(crate) folder: tempfile::TempDir,
    cache: PathBuf,
    pub(crate) python: Python,
    pub(crate) environment: PathBuf,
}

pub(crate) const PYPROJECT: &str = r#"
[build-system]
requires = ["ekiben", "Cython"]
build-backend = "ekiben"

[project]
name = "spam"
version = "1.0"
"#;

impl Project {
    /// Built by the newest Cython on the Python that is on `PATH`.
    pub(crate) fn new(cache: &Path, files: &[(&str, &str)]) -> Self {
        let python = Python::default();
        let environment = python.environment(NEWEST);
        Self::with(cache, files, python, environment)
    }

    pub(crate) fn with(
        cache: &Path,
        files: &[(&str, &str)],
        python: Python,
        environment: PathBuf,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "pyproject.toml", PYPROJECT);
        for (path, text) in files {
            write(folder.path(), path, text);
        }
        Self { folder, cache: cache.to_owned(), python, environment }
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        write(self.folder.path(), path, text);
    }

    /// Adds to `pyproject.toml`.
    pub(crate) fn configure(&self, text: &str) {
        self.write("pyproject.toml", &format!("{PYPROJECT}\n{text}"));
    }

    /// A file in the build folder.
    pub(crate) fn built(&self, path: &str) -> PathBuf {
        self.folder.path().join("build").join(path)
    }

    pub(crate) fn try_build(&self, target: Kind) -> Result<(Built, Arc<Ears>), Problems> {
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
            movable: BTreeMap::from([("build-environment".to_owned(), self.environment.clone())]),
            services: BTreeMap::new(),
        };
        let built_in =
            ["cython", "gnu"].map(|id| BuiltIn { id, component: component(id), precompiled: None });
        let request = Request {
            project: self.folder.path().to_owned(),
            python: Some(self.python.path.to_string_lossy().into_owned()),
            build_dir: Some(self.folder.path().join("build")),
            build_environment: Some(self.environment.clone()),
            ..Request::default()
        };
        let session = Session::open(request, environment, &built_in)?;
        Ok((session.build(&[Target::Kind(target)])?, ears))
    }

    pub(crate) fn build(&self, target: Kind) -> (Built, Arc<Ears>) {
        let (built, ears) = self.try_build(target).unwrap();
        let failed: Vec<String> = built
            .report
            .failures()
            .map(|(_, failed)| String::from_utf8_lossy(&failed.output).into_owned())
            .collect();
        assert!(built.succeeded(), "{}\n{:#?}", failed.join("\n"), built.report);
        (built, ears)
    }

    /// Builds a wheel, and gives the descriptions of the actions that ran, sorted.
    pub(crate) fn ran(&self) -> Vec<String> {
        let (built, _) = self.build(Kind::WHEEL);
        let actions = built.report.actions.iter();
        let ran = actions.filter(|action| matches!(action.outcome, Outcome::Ran));
        let mut ran: Vec<String> = ran.map(|action| action.description.clone()).collect();
        ran.sort();
        ran
    }

    /// What is said when the wheel can't be planned.
    pub(crate) fn refused(&self) -> String {
        self.try_build(Kind::WHEEL).map(|_| ()).unwrap_err().to_string()
    }

    /// Builds a wheel and unpacks it.
    pub(crate) fn installed(&self) -> tempfile::TempDir {
        let (built, _) = self.build(Kind::WHEEL);
        let out = tempfile::tempdir().unwrap();
        let name = built.export(&Kind::WHEEL, out.path()).unwrap();
        run(self
            .python
            .command()
            .args(["-m", "zipfile", "-e"])
            .arg(out.path().join(name))
            .arg(out.path()));
        out
    }

    /// Builds a wheel, runs `code` with it, and gives what it printed.
    pub(crate) fn run(&self, code: &str) -> String {
        let out = self.installed();
        let code = format!("import sys; sys.path.insert(0, sys.argv[1])\n{code}");
        run(self.python.command().args(["-I", "-c", &code]).arg(out.path()).current_dir(out.path()))
    }
}

fn write(folder: &Path, path: &str, text: &str) {
    let file = folder.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}
