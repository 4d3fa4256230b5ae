//! `[tool.ekiben.executable]`.

use std::collections::BTreeMap;

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
    /// What a program needs of the machine that it runs on. When not given: nothing, if there is a
    /// runtime, else it is made of an ordinary interpreter.
    pub flavour: Option<ProgramFlavour>,
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
    /// Whether compiled modules are linked in or loaded from memory: of all packages, or of those that
    /// are named, with `*` for all others. When not given: static wheels are linked in.
    pub link: Option<ProgramLink>,
    /// Folders with static wheels, which replace packages of the same version.
    pub static_wheels: Vec<ProjectPath>,
    /// Settings for the builds of packages that are linked in and for which there is no static wheel, by
    /// their names: `numpy = ["setup-args=-Dblas=none"]`.
    pub static_config: BTreeMap<String, Vec<Argument>>,
    /// The linker for what is linked in. When not given: the compiler's own.
    pub linker: Option<ProgramLinker>,
    /// Whether it is an error if something would be left out, or not be linked as `link` asks for.
    pub strict: bool,
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
            flavour: None,
            python: None,
            dependency_groups: Vec::new(),
            requirements: None,
            include: Vec::new(),
            exclude: Vec::new(),
            trace_file: None,
            hints: Vec::new(),
            prune: false,
            relink: false,
            link: None,
            static_wheels: Vec::new(),
            static_config: BTreeMap::new(),
            linker: None,
            strict: false,
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
    /// The C library: it is an ordinary interpreter of the machine that builds, with the libraries that
    /// this needs.
    Host,
}

/// How compiled modules become part of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`link` is `static` or `memory`, or a table of these by packages")]
pub enum ProgramLink {
    /// The same for every package.
    All(LinkChoice),
    /// Different ones, by the names of packages.
    PerPackage(BTreeMap<String, LinkChoice>),
}

/// How the compiled modules of a package become part of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkChoice {
    /// They are linked in, as its static wheel has them.
    Static,
    /// They are loaded from memory, as its ordinary wheel has them.
    Memory,
}

/// A linker that compilers can be told to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProgramLinker {
    /// GNU ld.
    Bfd,
    /// LLVM's.
    Lld,
    /// mold.
    Mold,
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
