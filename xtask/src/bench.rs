//! `cargo xtask bench`: what a build costs, beside setuptools, meson-python and scikit-build-core.
//!
//! Every figure is the CPU time (user and system) of a whole process tree, as the kernel accounts
//! for it, with the largest memory of any process in it: one Python that imports the backend and
//! calls its `build_wheel`, which is what frontends do. Backends take turns, round by round, so
//! that a slow minute of the machine is slow for all of them; medians are compared, as ratios.

mod cython;
mod editable;
mod packages;
mod programs;
mod runtimes;
mod static_programs;
mod table;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::ValueEnum as _;

use crate::dist;
use crate::python::{Python, Venv};
use crate::workspace::{Workspace, run};
use table::{Cost, Table, cost};

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Rounds that count; one more goes before them
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Write the tables to this file too
    #[arg(long)]
    output: Option<PathBuf>,
    /// Only these tables
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// Measure with the wheel in `dist/` as it is
    #[arg(long)]
    no_build: bool,
    /// The folder of a runtime to measure; several that differ in --pgo and --lto [default: those in the
    /// user's cache]
    #[arg(long, value_name = "DIR")]
    runtime: Vec<PathBuf>,
    /// Build NumPy too, with the link recorder and without, which takes many minutes
    #[arg(long)]
    numpy: bool,
}

/// What can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    C,
    Cython,
    Packages,
    Programs,
    Static,
    Editable,
    Runtimes,
}

/// The backends, and what their `pyproject.toml` says.
const BACKENDS: [(&str, &str); 4] = [
    ("ekiben", "ekiben"),
    ("setuptools", "setuptools.build_meta"),
    ("meson-python", "mesonpy"),
    ("scikit-build-core", "scikit_build_core.build"),
];

impl Args {
    pub(crate) fn run(&self, workspace: &Workspace) -> Result<()> {
        if !self.no_build {
            dist::build(workspace)?;
        }
        let bench = Bench::new(workspace)?;
        let mut text = format!(
            "Medians of {} rounds; CPU time of the whole process tree, and the largest memory of a process in it. \
             The last column is ekiben's CPU time in that of the best peer.\n\n",
            self.rounds
        );
        // What was measured is kept, whatever happens to the rest.
        let mut show = |tables: &str| -> Result<()> {
            print!("{tables}");
            text.push_str(tables);
            if let Some(output) = &self.output {
                fs::write(output, &text).with_context(|| format!("`{}`", output.display()))?;
            }
            Ok(())
        };
        for part in Part::value_variants() {
            if self.only.is_empty() || self.only.contains(part) {
                part.measure(&bench, workspace, self, &mut show)?;
            }
        }
        Ok(())
    }
}

impl Part {
    /// Shows each table as soon as it is whole.
    fn measure(
        self,
        bench: &Bench,
        workspace: &Workspace,
        args: &Args,
        show: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        let rounds = args.rounds;
        match self {
            Self::C => show(&bench.c(rounds)?),
            Self::Cython => show(&cython::tables(bench, rounds)?),
            Self::Packages => {
                let packages = packages::table(bench, workspace, rounds)?;
                show(&format!("Packages, beside their own backends:\n\n{packages}\n"))
            }
            Self::Programs => show(&programs::tables(bench, workspace, rounds)?),
            Self::Static => static_programs::measure(bench, workspace, rounds, args.numpy, show),
            Self::Runtimes => {
                let table = runtimes::table(bench, &args.runtime, rounds)?;
                show(&format!("Runtimes, by how CPython was optimised:\n\n{table}\n"))
            }
            Self::Editable => {
                show(&format!("Editable installs:\n\n{}\n", editable::tables(bench, rounds)?))
            }
        }
    }
}

struct Bench {
    venv: Venv,
    scratch: PathBuf,
}

/// The state in which a hook is called.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Nothing was ever built here.
    Cold,
    /// As the last call left it.
    Warm,
}

impl Bench {
    fn new(workspace: &Workspace) -> Result<Self> {
        let python = Python::find()?;
        let venv = python.tools(workspace, "bench")?;
        let mut install = venv.program("python");
        install.args(["-m", "pip", "install", "--quiet", "--no-index", "--force-reinstall"]);
        install.args(["--disable-pip-version-check", "--find-links"]);
        run(install.arg(workspace.path("dist")).arg("ekiben"))?;
        let scratch = workspace.target().join("bench");
        fs::create_dir_all(&scratch)?;
        Ok(Self { venv, scratch })
    }

    /// C extensions, and the program by itself.
    fn c(&self, rounds: usize) -> Result<String> {
        let mut text = String::new();
        let mut hooks = Table::default();
        let mut many = Table::default();
        let mut alone = Table::default();
        for round in 0..=rounds {
            // The first round warms the page cache, and doesn't count.
            let count = round > 0;
            eprintln!("round {round} of {rounds}");
            self.one_extension(count.then_some(&mut hooks))?;
            self.many_files(count.then_some(&mut many))?;
            self.program(count.then_some(&mut alone))?;
        }
        let columns: Vec<&str> = BACKENDS.iter().map(|(name, _)| *name).collect();
        let with_compiler: Vec<&str> = columns.iter().copied().chain(["gcc alone"]).collect();
        let _ = writeln!(text, "One C extension:\n\n{}", hooks.markdown(&with_compiler));
        let _ = writeln!(text, "Twenty C files in one extension:\n\n{}", many.markdown(&columns));
        let _ = writeln!(text, "The program by itself:\n\n{}", alone.markdown(&["ekiben"]));
        Ok(text)
    }

    /// Calls the build hook in a project's folder, as a frontend does.
    fn hook(&self, backend: &str, project: &Path, cache: &Path) -> Result<Cost> {
        self.hook_with(backend, project, cache, |_| {})
    }

    fn hook_with(
        &self,
        backend: &str,
        project: &Path,
        cache: &Path,
        prepare: impl FnOnce(&mut Command),
    ) -> Result<Cost> {
        let (_, object) = BACKENDS.iter().find(|(name, _)| *name == backend).context("backend")?;
        let out = project.join("out");
        fs::create_dir_all(&out)?;
        // meson-python and scikit-build-core keep their build folder when told where it is.
        let settings = match backend {
            "meson-python" | "scikit-build-core" => "{'build-dir': 'build'}",
            _ => "None",
        };
        let code = format!("import {object} as b; b.build_wheel('out', {settings})");
        let mut command = self.venv.program("python");
        command.args(["-c", &code]).current_dir(project);
        command.env("PATH", self.search_path()?);
        command.env("EKIBEN_CACHE_DIR", cache).env("PYTHONDONTWRITEBYTECODE", "");
        prepare(&mut command);
        cost(&mut command)
    }

    /// `PATH` with the programs that backends start.
    fn search_path(&self) -> Result<OsString> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.venv.path("")).chain(std::env::split_paths(&path));
        Ok(std::env::join_paths(folders)?)
    }

    /// A cache that has nothing of a build in it, but what is known of the plugins: what a first build
    /// of some project finds.
    fn fresh_cache(&self, cache: &Path) -> Result<()> {
        recreate(cache)?;
        let mut list = self.venv.program("ekiben");
        cost(
            list.args(["plugin", "list"]).env("EKIBEN_CACHE_DIR", cache).current_dir(&self.scratch),
        )?;
        Ok(())
    }

    fn one_extension(&self, mut table: Option<&mut Table>) -> Result<()> {
        for (backend, object) in BACKENDS {
            let project = self.scratch.join("one").join(backend);
            let cache = self.scratch.join("one").join("cache");
            let mut add = |row: &str, cost| {
                if let Some(table) = &mut table {
                    table.add(row, backend, cost);
                }
            };
            if backend == "ekiben" {
                recreate(&cache)?;
                recreate(&project)?;
                write_project(&project, backend, object, 1)?;
                add("first of all on a machine", self.hook(backend, &project, &cache)?);
                self.fresh_cache(&cache)?;
            }
            recreate(&project)?;
            write_project(&project, backend, object, 1)?;
            add("cold", self.hook(backend, &project, &cache)?);
            add("nothing to do", self.hook(backend, &project, &cache)?);
            let source = project.join("src/spam/_core.c");
            let text = fs::read_to_string(&source)?;
            fs::write(&source, format!("{text}\n/* touched */\n"))?;
            add("one file touched", self.hook(backend, &project, &cache)?);
        }
        if let Some(table) = table {
            let project = self.scratch.join("one/ekiben");
            table.add("cold", "gcc alone", self.compiler_alone(&project, "src/spam/_core.c")?);
        }
        Ok(())
    }

    /// What the compiler itself costs for an extension of one C file.
    fn compiler_alone(&self, project: &Path, source: &str) -> Result<Cost> {
        let include = "import sysconfig; print(sysconfig.get_path('include'))";
        let mut python = self.venv.program("python");
        let include = crate::workspace::output_of(python.args(["-c", include]))?;
        let object = project.join("alone.o");
        let mut compile = Command::new("gcc");
        compile.args(["-O3", "-DNDEBUG", "-fPIC", "-c", source, "-o"]).arg(&object);
        compile.arg(format!("-I{include}")).current_dir(project);
        let compiled = cost(&mut compile)?;
        let mut link = Command::new("gcc");
        link.args(["-shared", "-o"]).arg(project.join("alone.so")).arg(&object);
        Ok(compiled.and(cost(&mut link)?))
    }

    fn many_files(&self, mut table: Option<&mut Table>) -> Result<()> {
        for (backend, object) in BACKENDS {
            let cache = self.scratch.join("many").join("cache");
            if backend == "ekiben" {
                self.fresh_cache(&cache)?;
            }
            for state in [State::Cold, State::Warm] {
                let row = match state {
                    State::Cold => "cold",
                    State::Warm => "in a new folder afterwards",
                };
                // A folder of another name each time, as pip makes them.
                let project = self.scratch.join("many").join(format!("{backend}-{row}"));
                recreate(&project)?;
                write_project(&project, backend, object, 20)?;
                let cost = self.hook(backend, &project, &cache)?;
                if let Some(table) = &mut table {
                    table.add(row, backend, cost);
                }
            }
        }
        Ok(())
    }

    fn program(&self, mut table: Option<&mut Table>) -> Result<()> {
        let cache = self.scratch.join("program-cache");
        recreate(&cache)?;
        let calls: [(&str, &[&str]); 3] = [
            ("`ekiben --version`", &["--version"]),
            ("`ekiben plugin list`, cold", &["plugin", "list"]),
            ("`ekiben plugin list`, warm", &["plugin", "list"]),
        ];
        for (row, arguments) in calls {
            let mut command = self.venv.program("ekiben");
            command.args(arguments).env("EKIBEN_CACHE_DIR", &cache).current_dir(&self.scratch);
            let cost = cost(&mut command)?;
            if let Some(table) = &mut table {
                table.add(row, "ekiben", cost);
            }
        }
        Ok(())
    }
}

fn recreate(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("`{}`", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("`{}`", folder.display()))
}

/// A project of one extension module from `files` C files, for one of the backends.
fn write_project(folder: &Path, backend: &str, object: &str, files: usize) -> Result<()> {
    let package = folder.join("src/spam");
    fs::create_dir_all(&package)?;
    let helpers: Vec<String> = (1..files).map(|n| format!("src/spam/part{n}.c")).collect();
    let sources: Vec<String> =
        std::iter::once("src/spam/_core.c".to_owned()).chain(helpers.iter().cloned()).collect();
    let quoted = |quote: char, between: &str| {
        sources.iter().map(|s| format!("{quote}{s}{quote}")).collect::<Vec<_>>().join(between)
    };
    let tool = match backend {
        "ekiben" => format!(
            "[[tool.ekiben.extension]]\nname = \"spam._core\"\nsources = [{}]\n",
            quoted('"', ", ")
        ),
        "setuptools" => format!(
            "[tool.setuptools]\next-modules = [{{name = \"spam._core\", sources = [{}]}}]\npackages = [\"spam\"]\npackage-dir = {{\"\" = \"src\"}}\n",
            quoted('"', ", ")
        ),
        _ => String::new(),
    };
    fs::write(
        folder.join("pyproject.toml"),
        format!(
            "[build-system]\nrequires = [\"{backend}\"]\nbuild-backend = \"{object}\"\n\n[project]\nname = \"spam\"\nversion = \"1.0\"\n\n{tool}"
        ),
    )?;
    match backend {
        "meson-python" => fs::write(
            folder.join("meson.build"),
            format!(
                "project('spam', 'c', version: '1.0', default_options: ['buildtype=release'])\npy = import('python').find_installation(pure: false)\npy.install_sources('src/spam/__init__.py', subdir: 'spam')\npy.extension_module('_core', {}, subdir: 'spam', install: true)\n",
                quoted('\'', ", ")
            ),
        )?,
        "scikit-build-core" => fs::write(
            folder.join("CMakeLists.txt"),
            format!(
                "cmake_minimum_required(VERSION 3.15)\nproject(spam C)\nfind_package(Python REQUIRED COMPONENTS Interpreter Development.Module)\nPython_add_library(_core MODULE WITH_SOABI {})\ninstall(TARGETS _core DESTINATION spam)\n",
                sources.join(" ")
            ),
        )?,
        _ => {}
    }
    fs::write(package.join("__init__.py"), "from spam._core import answer\n")?;
    fs::write(package.join("_core.c"), MODULE)?;
    for (n, helper) in helpers.iter().enumerate() {
        let text = format!(
            "#include <Python.h>\nPyObject *spam_part_{n}(void) {{ return PyLong_FromLong({n}); }}\n"
        );
        fs::write(folder.join(helper), text)?;
    }
    Ok(())
}

const MODULE: &str = r#"#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", 0, 0, methods};
PyMODINIT_FUNC PyInit__core(void) { return PyModule_Create(&module); }
"#;
