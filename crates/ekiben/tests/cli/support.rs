//! A project in a temporary folder, and what the command says about it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub(crate) const PYPROJECT: &str = r#"[build-system]
requires = ["ekiben"]
build-backend = "ekiben"

[project]
name = "spam"
version = "1.0"
"#;

const MODULE: &str = r#"#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include "core.h"

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_core", NULL, ANSWER, NULL, NULL, NULL, NULL, NULL
};

PyMODINIT_FUNC PyInit__core(void) { return PyModule_Create(&module); }
"#;

/// What differs from machine to machine, and from run to run.
pub(crate) const FILTERS: &[(&str, &str)] = &[
    (r"ekiben \d+\.\d+\.\d+", "ekiben [VERSION]"),
    (r"\d+(\.\d+)? s\b", "[TIME]"),
    (r"\d+(\.\d+)? [KM]?B\b", "[SIZE]"),
    (r" \[SIZE\]\)", " [SIZE])"),
    (r"cp3\d+-cp3\d+-[a-z0-9_]+\.whl", "[TAG].whl"),
    (r"_core\.c?py[a-z0-9_-]+\.so", "_core.[ABI].so"),
    // How much is planned when an action ends depends on who is faster.
    (r"\[\d+/\d+\]", "[N/M]"),
    (r" {2,}(ran|cached) ", "  $1 "),
    (r"(?m)^command: .*$", "command: [COMMAND LINE]"),
];

/// Compares with filters.
macro_rules! snapshot {
    ($value:expr, @$expected:literal) => {
        insta::with_settings!({ filters => $crate::support::FILTERS.to_vec() }, {
            insta::assert_snapshot!($value, @$expected);
        })
    };
}
pub(crate) use snapshot;

/// A project with its own cache.
pub(crate) struct Project {
    base: TempDir,
}

impl Project {
    /// Python alone.
    pub(crate) fn pure() -> Self {
        let project = Self { base: TempDir::new().unwrap() };
        project.write("pyproject.toml", PYPROJECT);
        project.write("src/spam/__init__.py", "ANSWER = 42\n");
        project
    }

    /// With the extension module `spam._core`, in C with a header.
    pub(crate) fn with_c() -> Self {
        let project = Self::pure();
        project.write("src/spam/_core.c", MODULE);
        project.write("src/spam/core.h", "#define ANSWER 42\n");
        project
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.base.path().join("project")
    }

    /// A folder outside the project.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.base.path().join(name)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let file = self.root().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    pub(crate) fn append(&self, path: &str, text: &str) {
        let old = std::fs::read_to_string(self.root().join(path)).unwrap();
        self.write(path, &format!("{old}{text}"));
    }

    /// The command, in `folder`.
    pub(crate) fn command_in(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ekiben"));
        command.args(args).current_dir(folder).env("EKIBEN_CACHE_DIR", self.beside("cache"));
        // One job, so that lines come in one order.
        command.env("EKIBEN_JOBS", "1");
        for name in ["EKIBEN_ARGS", "EKIBEN_CACHE_SIZE", "NO_COLOR", "CLICOLOR_FORCE", "MAKEFLAGS"]
        {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_in(&self.root(), args)
    }

    /// Runs the command in the project's folder.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::from(&self.command(args).output().unwrap(), self.base.path())
    }

    /// The one file in `folder` that ends so.
    pub(crate) fn only(&self, folder: &str, suffix: &str) -> PathBuf {
        let entries = std::fs::read_dir(self.root().join(folder)).unwrap();
        let fits = |path: &PathBuf| path.to_string_lossy().ends_with(suffix);
        let found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(fits).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }
}

/// What the command said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// `base` is shown as `[BASE]`.
    pub(crate) fn from(output: &Output, base: &Path) -> Self {
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec()).unwrap().replace(base.to_str().unwrap(), "[BASE]")
        };
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code.map_or("none".to_owned(), |code| code.to_string());
        write!(f, "exit {code}\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }
}
