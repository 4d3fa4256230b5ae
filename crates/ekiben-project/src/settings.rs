//! `[tool.ekiben]`, described once.
//!
//! These types and their comments are the only description of the settings: parsing, the checks
//! of names and types, the JSON schema for editors, and what `ekiben config --explain` prints are
//! all derived from them. A field's first sentence is its line in `explain`.
//!
//! Unknown keys are refused by the checker, which knows spans and near names; `serde` only ever
//! sees a tree that has passed it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::values::{
    Argument, BuildTag, CommandName, Glob, LimitedApiVersion, MacroName, ModuleName, ProjectPath,
    SearchPath, Sha256Hex, StaticLibrary, VersionText, WheelTarget,
};

macro_rules! word_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// The word it is in settings.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

mod dynamic;
mod executable;

pub use executable::{
    Executable, LinkChoice, ProgramFlavour, ProgramLink, ProgramLinker, ProgramSwitches,
};

pub use dynamic::{
    DynamicDescription, DynamicLines, DynamicReadme, DynamicRequirements, DynamicSettings,
    FileList, Vcs, VersionSettings,
};

/// Settings of the build backend Ekiben.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settings {
    /// What a build makes.
    pub artifact: Artifact,
    /// The oldest Ekiben that can build the project. An older one stops with an error.
    pub minimum_version: Option<VersionText>,
    /// The folder that holds the packages: `src`, or `.` for the project's root. When not given,
    /// `src` is taken if it holds Python files or packages, the project's root otherwise.
    pub package_root: Option<ProjectPath>,
    /// The packages to install, sub-packages included. When not given: all packages below `src`;
    /// without `src`, those named like the project or the only one there is.
    pub packages: Option<Vec<ModuleName>>,
    /// Modules that are a single file, by their names without `.py`.
    pub modules: Vec<ModuleName>,
    /// Files to install besides those found by rule, as patterns over project paths. They must
    /// lie below the package root.
    pub include: Vec<Glob>,
    /// Files in packages that must not be installed, as patterns over project paths.
    pub exclude: Vec<Glob>,
    /// The folder for what a build makes on its way.
    pub build_dir: BuildDir,
    /// Where the version comes from, if `project.dynamic` lists it.
    pub version: VersionSettings,
    /// Where other fields that `project.dynamic` lists come from.
    pub dynamic: DynamicSettings,
    /// What goes into the source distribution.
    pub sdist: Sdist,
    /// What goes into the wheel.
    pub wheel: Wheel,
    /// How the project is installed as its folder, with `pip install -e`.
    pub editable: Editable,
    /// Build options for all extensions. An extension's own options win. Lists are joined: an
    /// extension's folders and libraries are searched before those from here, its arguments come
    /// after them.
    pub defaults: BuildOptions,
    /// The extension modules to compile.
    pub extension: Vec<Extension>,
    /// The programs that are made if `artifact` is `executable`.
    pub executable: Executable,
    /// The tools that compile and link.
    pub toolchain: Toolchain,
    /// Plugins that aren't built in, by id.
    pub plugins: BTreeMap<String, Plugin>,
    /// Options of plugins, by the plugin's id. Each plugin says which it has.
    pub options: BTreeMap<String, serde_json::Map<String, serde_json::Value>>,
    /// Changes to the command graph.
    pub commands: Commands,
}

/// The folder for intermediate files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct BuildDir(pub ProjectPath);

impl Default for BuildDir {
    fn default() -> Self {
        Self(ProjectPath::root().join("build/ekiben"))
    }
}

/// What a build makes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Artifact {
    /// A wheel with Python packages and extension modules.
    #[default]
    Extension,
    /// One file that holds the whole program.
    Executable,
    /// A wheel with Python packages and the objects of extension modules, to be linked into a program:
    /// what `ekiben freeze` asks for.
    StaticExtension,
    /// A library for programs in other languages.
    SharedLibrary,
}

/// What goes into the source distribution.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Sdist {
    /// Files that belong in it although a rule or `exclude` leaves them out.
    pub include: Vec<Glob>,
    /// Files that must not be in it.
    pub exclude: Vec<Glob>,
}

/// What goes into the wheel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Wheel {
    /// The build tag in the wheel's name, which breaks ties between two of the same version.
    pub build_tag: Option<BuildTag>,
    /// Whether the files go to `purelib`. When not given: true if nothing is compiled.
    pub purelib: Option<bool>,
    /// Files that must not be in the wheel, although they may be in an editable install.
    pub exclude: Vec<Glob>,
    /// Files from anywhere in the project, to be installed beside the packages: from a path,
    /// folder or pattern to a path, or with a slash at its end a folder, in the wheel.
    pub files: BTreeMap<String, WheelTarget>,
    /// Programs to install where commands are found. Python's get the interpreter they are
    /// installed for. A list keeps the files' names, a table gives others.
    pub scripts: Placements,
    /// Files to install below the environment's prefix, such as manual pages: from a path, folder
    /// or pattern to a path, or with a slash at its end a folder.
    pub data: BTreeMap<String, WheelTarget>,
    /// C headers to install where the interpreter's own are, in a folder named like the project. A
    /// list keeps the files' names, a table gives others.
    pub headers: Placements,
    /// As `files`, for what must go to `purelib` even if the wheel's root doesn't.
    pub purelib_files: BTreeMap<String, WheelTarget>,
    /// As `files`, for what must go to `platlib` even if the wheel's root doesn't.
    pub platlib_files: BTreeMap<String, WheelTarget>,
}

/// How the project is installed as its folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Editable {
    /// Whether a process that imports the project looks first if a source has changed, and if so
    /// builds the modules again.
    pub rebuild: bool,
}

/// Files and where they go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Placements {
    /// Paths or patterns; each file keeps its name.
    Names(Vec<Glob>),
    /// From paths, folders or patterns to paths, or with a slash at the end to folders.
    Targets(BTreeMap<String, WheelTarget>),
}

impl Default for Placements {
    fn default() -> Self {
        Self::Names(Vec::new())
    }
}

/// One extension module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(deny_unknown_fields)]
pub struct Extension {
    /// The name it is imported by, such as `spam._core`.
    pub name: ModuleName,
    /// The sources, as paths or patterns, of any language that a toolchain or plugin knows.
    #[serde(default)]
    pub sources: Vec<Glob>,
    /// Other files whose change makes it out of date. Headers are noticed by themselves.
    #[serde(default)]
    pub depends: Vec<Glob>,
    /// How to compile and link it.
    #[serde(flatten)]
    pub build: BuildOptions,
}

/// How to compile and link.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct BuildOptions {
    /// Folders to search for headers: in the project, absolute, or `package:cppy/include` for a
    /// folder in a package that `build-system.requires` brings.
    pub include_dirs: Vec<SearchPath>,
    /// Macros to define; `true` defines one without a value.
    pub define: BTreeMap<String, DefineValue>,
    /// Macros to undefine, after those of `define`.
    pub undefine: Vec<MacroName>,
    /// Libraries to link with, by name: `m` for `libm`.
    pub libraries: Vec<Argument>,
    /// Folders to search for libraries, in the project or absolute.
    pub library_dirs: Vec<SearchPath>,
    /// Static libraries to link with: names (`z` for `libz.a`), looked for where libraries are, or
    /// files in the project, absolute, or `package:…` for one in a package that is installed for
    /// the build.
    pub static_libraries: Vec<StaticLibrary>,
    /// Folders in which shared libraries are looked for when the module is loaded (`RPATH`), such
    /// as `$ORIGIN/../spam.libs`, which is relative to the module's own folder.
    pub run_paths: Vec<Argument>,
    /// Arguments for the compiler, after all others: a list for every language, or a table of
    /// lists by language.
    pub compile_args: CompileArgs,
    /// Arguments for the linker driver, after all others.
    pub link_args: Vec<Argument>,
    /// The C standard, such as `c11` or `gnu17`.
    pub c_std: Option<CStandard>,
    /// The C++ standard, such as `c++17`.
    pub cxx_std: Option<CxxStandard>,
    /// The Fortran standard, such as `f2008`.
    pub fortran_std: Option<FortranStandard>,
    /// Whether Fortran's run-time libraries become a part of the module (`static`) or must be there
    /// when it is loaded (`shared`).
    #[schemars(extend("default" = "shared"))]
    pub fortran_runtime: Option<FortranRuntime>,
    /// How hard to optimise.
    #[schemars(extend("default" = "3"))]
    pub optimization: Option<Optimization>,
    /// Whether to keep debug information.
    #[schemars(extend("default" = false))]
    pub debug: Option<bool>,
    /// Which of the compiler's warnings to turn on.
    #[schemars(extend("default" = "default"))]
    pub warnings: Option<Warnings>,
    /// Which symbols other modules can see: the default hides all but the init function.
    #[schemars(extend("default" = "hidden"))]
    pub visibility: Option<Visibility>,
    /// Whether to optimise across files when linking.
    pub lto: Option<bool>,
    /// Whether to compile and link with OpenMP.
    pub openmp: Option<bool>,
    /// Run-time checks to build in, such as `address` or `undefined`.
    pub sanitizers: Vec<Argument>,
    /// Whether C's `assert` checks. When not given: only with `debug`.
    pub assertions: Option<bool>,
    /// Whether to drop the symbol table too. Debug information goes unless `debug` is set.
    pub strip: Option<bool>,
    /// The language of all sources, whatever their suffixes.
    pub language: Option<Language>,
    /// The version of CPython's limited API to keep to, such as `3.11`, or `false` for none. The
    /// module works with that Python and all later ones; what it uses is checked once it is linked.
    pub limited_api: Option<LimitedApi>,
    /// Capabilities that plugins answer, such as `numpy`.
    pub uses: Vec<Argument>,
}

/// The macro by which C code asks for the limited API.
pub const LIMITED_API_MACRO: &str = "Py_LIMITED_API";

/// Whether a module keeps to the limited API, and of which version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum LimitedApi {
    /// The whole API of the interpreter that is built for: `false`.
    #[schemars(extend("const" = false))]
    Off(bool),
    /// The oldest Python that the module is for.
    #[schemars(extend("examples" = ["3.11"]))]
    Version(LimitedApiVersion),
}

/// The value of a macro.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum DefineValue {
    /// Defined with no value (`-DX`), or, if false, not defined.
    Flag(bool),
    /// A number.
    Integer(i64),
    /// A text, put in as it is: quotes that C needs must be part of it.
    Text(String),
}

/// Arguments for compilers: for all, or by language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CompileArgs {
    /// The same for every language.
    All(Vec<Argument>),
    /// Different ones for each language.
    PerLanguage(LanguageArgs),
}

impl Default for CompileArgs {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// Arguments by language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LanguageArgs {
    /// For C.
    pub c: Vec<Argument>,
    /// For C++.
    #[serde(rename = "c++")]
    pub cxx: Vec<Argument>,
    /// For Fortran.
    pub fortran: Vec<Argument>,
}

impl CompileArgs {
    /// The arguments for one language.
    #[must_use]
    pub fn for_language(&self, language: Language) -> &[Argument] {
        match (self, language) {
            (Self::All(args), _) => args,
            (Self::PerLanguage(by), Language::C) => &by.c,
            (Self::PerLanguage(by), Language::Cxx) => &by.cxx,
            (Self::PerLanguage(by), Language::Fortran) => &by.fortran,
        }
    }
}

/// A language that a toolchain compiles.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Language {
    /// C.
    #[serde(rename = "c")]
    C,
    /// C++.
    #[serde(rename = "c++")]
    Cxx,
    /// Fortran.
    #[serde(rename = "fortran")]
    Fortran,
}

impl Language {
    /// Every language.
    pub const ALL: [Language; 3] = [Language::C, Language::Cxx, Language::Fortran];

    /// The name it has in settings: `c`, `c++`, `fortran`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::C => "c",
            Self::Cxx => "c++",
            Self::Fortran => "fortran",
        }
    }
}

word_enum!(
    /// A C standard.
    CStandard {
        /// ISO C90.
        C90 = "c90",
        /// ISO C99.
        C99 = "c99",
        /// ISO C11.
        C11 = "c11",
        /// ISO C17.
        C17 = "c17",
        /// ISO C23.
        C23 = "c23",
        /// C90 with the compiler's extensions.
        Gnu90 = "gnu90",
        /// C99 with the compiler's extensions.
        Gnu99 = "gnu99",
        /// C11 with the compiler's extensions.
        Gnu11 = "gnu11",
        /// C17 with the compiler's extensions.
        Gnu17 = "gnu17",
        /// C23 with the compiler's extensions.
        Gnu23 = "gnu23",
    }
);

word_enum!(
    /// A C++ standard.
    CxxStandard {
        /// ISO C++98.
        Cxx98 = "c++98",
        /// ISO C++11.
        Cxx11 = "c++11",
        /// ISO C++14.
        Cxx14 = "c++14",
        /// ISO C++17.
        Cxx17 = "c++17",
        /// ISO C++20.
        Cxx20 = "c++20",
        /// ISO C++23.
        Cxx23 = "c++23",
        /// C++98 with the compiler's extensions.
        Gnuxx98 = "gnu++98",
        /// C++11 with the compiler's extensions.
        Gnuxx11 = "gnu++11",
        /// C++14 with the compiler's extensions.
        Gnuxx14 = "gnu++14",
        /// C++17 with the compiler's extensions.
        Gnuxx17 = "gnu++17",
        /// C++20 with the compiler's extensions.
        Gnuxx20 = "gnu++20",
        /// C++23 with the compiler's extensions.
        Gnuxx23 = "gnu++23",
    }
);

word_enum!(
    /// A Fortran standard.
    FortranStandard {
        /// Fortran 95.
        F95 = "f95",
        /// Fortran 2003.
        F2003 = "f2003",
        /// Fortran 2008.
        F2008 = "f2008",
        /// Fortran 2018.
        F2018 = "f2018",
        /// Fortran 2023.
        F2023 = "f2023",
        /// The newest, with extensions and old forms.
        Gnu = "gnu",
        /// Extensions and old forms, with no warning about them.
        Legacy = "legacy",
    }
);

word_enum!(
    /// How Fortran's run-time libraries are linked.
    FortranRuntime {
        /// They must be there when the module is loaded.
        Shared = "shared",
        /// They become a part of the module.
        Static = "static",
    }
);

word_enum!(
    /// How hard to optimise.
    Optimization {
        /// Not at all.
        None = "0",
        /// Little.
        Little = "1",
        /// Well.
        Well = "2",
        /// As far as the language's rules allow.
        Most = "3",
        /// For size.
        Size = "s",
        /// Beyond the rules of floating-point arithmetic.
        Fast = "fast",
    }
);

word_enum!(
    /// Which warnings to turn on.
    Warnings {
        /// None.
        None = "none",
        /// Those the compiler gives unasked.
        Default = "default",
        /// The useful ones (`-Wall`).
        All = "all",
        /// More (`-Wall -Wextra`).
        Extra = "extra",
        /// The useful ones, each an error.
        Error = "error",
    }
);

word_enum!(
    /// Which symbols other modules can see.
    Visibility {
        /// Only the init function.
        Hidden = "hidden",
        /// All that aren't `static`.
        Default = "default",
    }
);

/// The tools that compile and link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Toolchain {
    /// The C compiler: a command, or a table with `plugin` and `command`. The environment
    /// variable `CC` wins over it.
    pub c: Option<Tool>,
    /// The C++ compiler. The environment variable `CXX` wins over it.
    #[serde(rename = "c++")]
    pub cxx: Option<Tool>,
    /// The Fortran compiler. The environment variable `FC` wins over it.
    pub fortran: Option<Tool>,
}

impl Toolchain {
    /// The tool chosen for a language.
    #[must_use]
    pub fn tool(&self, language: Language) -> Option<&Tool> {
        match language {
            Language::C => self.c.as_ref(),
            Language::Cxx => self.cxx.as_ref(),
            Language::Fortran => self.fortran.as_ref(),
        }
    }
}

/// A tool, by its command alone or with the plugin that drives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Tool {
    /// A command, with arguments if need be; a plugin that knows it is found.
    Command(Argument),
    /// A plugin, a command, or both.
    Chosen(ToolChoice),
}

/// A plugin, a command, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ToolChoice {
    /// The toolchain plugin, such as `gnu`.
    pub plugin: Option<Argument>,
    /// The command, with arguments if need be.
    pub command: Option<Argument>,
}

impl Tool {
    /// The command to run, if one was named.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        match self {
            Self::Command(command) => Some(command.as_str()),
            Self::Chosen(choice) => choice.command.as_ref().map(Argument::as_str),
        }
    }

    /// The plugin to use, if one was named.
    #[must_use]
    pub fn plugin(&self) -> Option<&str> {
        match self {
            Self::Command(_) => None,
            Self::Chosen(choice) => choice.plugin.as_ref().map(Argument::as_str),
        }
    }
}

/// A plugin that isn't built in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Plugin {
    /// The component's file. When not given, a package in `build-system.requires` provides it.
    pub path: Option<ProjectPath>,
    /// The SHA-256 digest of the file at `path`.
    pub sha256: Option<Sha256Hex>,
    /// What the plugin is allowed to do.
    pub capabilities: Vec<Argument>,
}

/// Changes to the command graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Commands {
    /// Commands not to run.
    pub disable: Vec<CommandName>,
    /// Constraints on the order, besides those that commands state themselves.
    pub order: Vec<Order>,
    /// Commands to replace, by name, with those of a plugin (`plugin:command`).
    pub replace: BTreeMap<String, CommandName>,
}

/// A constraint on a command's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Order {
    /// The command.
    pub command: CommandName,
    /// Commands it must run before.
    #[serde(default)]
    pub before: Vec<CommandName>,
    /// Commands it must run after.
    #[serde(default)]
    pub after: Vec<CommandName>,
}

impl Settings {
    /// Whether plugins take part that may find out what the package needs when it runs.
    #[must_use]
    pub fn may_derive_dependencies(&self) -> bool {
        let builds = self.extension.iter().map(|extension| &extension.build);
        let mut builds = builds.chain([&self.defaults]);
        builds.any(|build| !build.uses.is_empty()) || !self.plugins.is_empty()
    }
}

impl BuildOptions {
    /// These options laid over `defaults`: single values win, lists and tables are joined.
    #[must_use]
    pub fn over(&self, defaults: &BuildOptions) -> BuildOptions {
        fn joined<T: Clone>(first: &[T], then: &[T]) -> Vec<T> {
            first.iter().chain(then).cloned().collect()
        }
        let compile_args = match (&defaults.compile_args, &self.compile_args) {
            (CompileArgs::All(first), CompileArgs::All(then)) => {
                CompileArgs::All(joined(first, then))
            }
            (first, then) => {
                let of =
                    |language| joined(first.for_language(language), then.for_language(language));
                CompileArgs::PerLanguage(LanguageArgs {
                    c: of(Language::C),
                    cxx: of(Language::Cxx),
                    fortran: of(Language::Fortran),
                })
            }
        };
        let mut define = defaults.define.clone();
        define.extend(self.define.clone());
        BuildOptions {
            include_dirs: joined(&self.include_dirs, &defaults.include_dirs),
            define,
            undefine: joined(&defaults.undefine, &self.undefine),
            libraries: joined(&self.libraries, &defaults.libraries),
            library_dirs: joined(&self.library_dirs, &defaults.library_dirs),
            static_libraries: joined(&self.static_libraries, &defaults.static_libraries),
            run_paths: joined(&self.run_paths, &defaults.run_paths),
            compile_args,
            link_args: joined(&defaults.link_args, &self.link_args),
            c_std: self.c_std.or(defaults.c_std),
            cxx_std: self.cxx_std.or(defaults.cxx_std),
            fortran_std: self.fortran_std.or(defaults.fortran_std),
            fortran_runtime: self.fortran_runtime.or(defaults.fortran_runtime),
            optimization: self.optimization.or(defaults.optimization),
            debug: self.debug.or(defaults.debug),
            warnings: self.warnings.or(defaults.warnings),
            visibility: self.visibility.or(defaults.visibility),
            lto: self.lto.or(defaults.lto),
            openmp: self.openmp.or(defaults.openmp),
            sanitizers: joined(&defaults.sanitizers, &self.sanitizers),
            assertions: self.assertions.or(defaults.assertions),
            strip: self.strip.or(defaults.strip),
            language: self.language.or(defaults.language),
            limited_api: self.limited_api.clone().or_else(|| defaults.limited_api.clone()),
            uses: joined(&defaults.uses, &self.uses),
        }
    }

    /// How hard to optimise, the default filled in.
    #[must_use]
    pub fn optimization(&self) -> Optimization {
        self.optimization.unwrap_or(Optimization::Most)
    }

    /// Whether to keep debug information, the default filled in.
    #[must_use]
    pub fn debug(&self) -> bool {
        self.debug.unwrap_or(false)
    }

    /// Which warnings to turn on, the default filled in.
    #[must_use]
    pub fn warnings(&self) -> Warnings {
        self.warnings.unwrap_or(Warnings::Default)
    }

    /// The version of the limited API to keep to, if any.
    #[must_use]
    pub fn limited_api(&self) -> Option<&LimitedApiVersion> {
        match &self.limited_api {
            Some(LimitedApi::Version(version)) => Some(version),
            Some(LimitedApi::Off(_)) | None => None,
        }
    }

    /// Which symbols are visible, the default filled in.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        self.visibility.unwrap_or(Visibility::Hidden)
    }
}
