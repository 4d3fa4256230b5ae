//! `[tool.ekiben.executable]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::values::{Argument, FunctionRef, ProjectPath, PythonVersion};

/// The programs that are made if `artifact` is `executable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Executable {
    /// The function that the only program calls, which then has the project's name. When not given:
    /// each of `[project.scripts]` becomes a program.
    pub entry_point: Option<FunctionRef>,
    /// What a program needs of the machine that it runs on.
    pub flavour: ProgramFlavour,
    /// The version of Python that is put into programs, such as `3.13`. When not given: that of a
    /// runtime that `build-system.requires` brings, else of the interpreter that builds.
    pub python: Option<PythonVersion>,
    /// Groups of `[dependency-groups]` whose requirements go into programs besides
    /// `project.dependencies`.
    pub dependency_groups: Vec<Argument>,
    /// A file that pins all that goes into programs, a `pylock.toml` or requirements with hashes,
    /// instead of `project.dependencies` and `dependency-groups`.
    pub requirements: Option<ProjectPath>,
    /// Modules to take besides those that are imported; `package.*` takes all below a package.
    pub include: Vec<Argument>,
    /// Modules to leave out, with all below them; `*` stands for anything.
    pub exclude: Vec<Argument>,
    /// A file of imports that `ekiben freeze --trace` has recorded, which are taken besides.
    pub trace_file: Option<ProjectPath>,
    /// Folders with hints on what packages import and read.
    pub hints: Vec<ProjectPath>,
    /// Whether to leave out what nothing reaches of the standard library.
    pub prune: bool,
    /// Whether to link interpreters with only the builtin modules that the program needs, which `prune`
    /// goes with.
    pub relink: bool,
    /// How much to optimise bytecode: 1 takes assertions away, 2 docstrings too.
    #[schemars(range(min = 0, max = 2))]
    pub optimize: u8,
    /// Whether to keep sources, for tracebacks.
    pub sources: bool,
    /// How programs behave.
    pub set: ProgramSwitches,
}

impl Default for Executable {
    fn default() -> Self {
        Self {
            entry_point: None,
            flavour: ProgramFlavour::Static,
            python: None,
            dependency_groups: Vec::new(),
            requirements: None,
            include: Vec::new(),
            exclude: Vec::new(),
            trace_file: None,
            hints: Vec::new(),
            prune: false,
            relink: false,
            optimize: 0,
            sources: true,
            set: ProgramSwitches::default(),
        }
    }
}

/// What a program needs of the machine that it runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProgramFlavour {
    /// Nothing but Linux.
    Static,
    /// The C library; such a program can load shared objects.
    Dynamic,
}

/// How programs behave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ProgramSwitches {
    /// Whether the process ends without taking its objects apart one by one.
    pub fast_exit: bool,
    /// Whether `PYTHON…` variables are ignored.
    pub isolated: bool,
    /// Whether the garbage collector stays off until the program's own code begins.
    pub quiet_start: bool,
}

impl Default for ProgramSwitches {
    fn default() -> Self {
        Self { fast_exit: true, isolated: true, quiet_start: true }
    }
}
